"""Interventions over HTTP, on the fake model: what they touch, what is refused, what is told."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import JSON, error_of
from tests.fakes import FakeEngine

TOKEN = {"kind": "token", "token_id": 65}
ADD = {"kind": "add", "direction": TOKEN, "strength": 0.5}


def change(**more: Any) -> JSON:
    return {"site": "resid", "layers": [1, 2], "positions": "all", "op": ADD, **more}


def lens(client: TestClient, *interventions: JSON, **more: Any) -> Any:
    body = {"prompt": "abcd", "interventions": list(interventions), **more}
    return client.post("/api/lens", json=body)


def read(client: TestClient, *interventions: JSON, **more: Any) -> JSON:
    response = lens(client, *interventions, **more)
    assert response.status_code == 200, response.text
    answer: JSON = response.json()
    return answer


def test_a_lens_reads_the_changed_run_and_tells_how_often_each_acted(client: TestClient) -> None:
    plain = read(client)
    changed = read(client, change(), change(layers=[3], positions=[2]))
    assert changed["fired"] == [8, 1]
    assert changed["entropy_nats"] != plain["entropy_nats"]
    assert plain["fired"] == []


def test_strength_0_is_the_plain_run(client: TestClient) -> None:
    nothing = change(op={**ADD, "strength": 0})
    assert read(client, nothing)["entropy_nats"] == read(client)["entropy_nats"]


def test_a_new_chat_is_touched_in_its_content_or_where_the_reply_is_chosen(
    client: TestClient,
) -> None:
    messages = [{"role": "user", "content": "hi"}]
    whole = {"prompt": None, "messages": messages}
    n_tokens = len(read(client, **whole)["tokens"])
    assert read(client, change(positions="prompt"), **whole)["fired"] == [2 * len("hi")]
    assert read(client, change(positions="reply"), **whole)["fired"] == [2]
    assert read(client, change(positions="all"), **whole)["fired"] == [2 * (len("hi") + 1)]
    named = change(positions=[0, n_tokens - 1])
    assert read(client, named, **whole)["fired"] == [4]


@pytest.mark.parametrize(
    ("wrong", "code", "param"),
    [
        ({"site": "neuron"}, "invalid_request", "interventions.0.site"),
        ({"layers": [4]}, "layer_out_of_range", "interventions.0.layers"),
        ({"layers": []}, "invalid_request", "interventions.0.layers"),
        ({"layers": [1, 1]}, "invalid_request", "interventions.0.layers"),
        ({"heads": [0]}, "invalid_request", "interventions.0.heads"),
        ({"positions": []}, "invalid_request", "interventions.0.positions"),
        ({"positions": [4]}, "position_out_of_range", "interventions.0.positions"),
        ({"site": "mlp"}, "unsupported_intervention", "interventions.0"),
        (
            {"op": {**ADD, "direction": {"kind": "token", "token_id": 999}}},
            "unknown_token",
            "interventions.0.op.direction.token_id",
        ),
        (
            {"op": {**ADD, "direction": {"kind": "lens", "token_id": 65}}},
            "lens_unavailable",
            "interventions.0.op.direction.lens",
        ),
        (
            {"op": {"kind": "replace", "from": {"prompt": "xy"}, "positions": [1]}},
            "invalid_request",
            "interventions.0.positions",
        ),
        (
            {
                "positions": [0, 1],
                "op": {"kind": "replace", "from": {"prompt": "xy"}, "positions": [1]},
            },
            "invalid_request",
            "interventions.0.op.positions",
        ),
        (
            {
                "positions": [0],
                "op": {"kind": "replace", "from": {"prompt": "xy"}, "positions": [2]},
            },
            "position_out_of_range",
            "interventions.0.op.positions",
        ),
    ],
)
def test_what_cannot_act_is_refused_by_its_field(
    client: TestClient, engine: FakeEngine, wrong: JSON, code: str, param: str
) -> None:
    error = error_of(lens(client, change(**wrong)), 422)
    assert (error["code"], error["param"]) == (code, param)
    assert engine.reads == []


def test_seventeen_interventions_are_too_many(client: TestClient) -> None:
    error = error_of(lens(client, *[change()] * 17), 422)
    assert (error["code"], error["param"]) == ("invalid_request", "interventions")


def test_a_strength_that_is_no_number_is_refused(client: TestClient) -> None:
    body = '{"prompt": "a", "interventions": [{"site": "resid", "layers": [1], "positions": "all",'
    body += (
        ' "op": {"kind": "add", "direction": {"kind": "token", "token_id": 65}, "strength": NaN}}]}'
    )
    response = client.post("/api/lens", content=body, headers={"content-type": "application/json"})
    assert error_of(response, 422)["code"] == "invalid_request"
