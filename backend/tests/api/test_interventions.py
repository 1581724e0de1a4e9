"""Interventions over HTTP, on the fake model: what they touch, what is refused, what is answered."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import JSON, chat, error_of, events_of, get, ids_of, say
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


def steered(client: TestClient, answer: JSON, *interventions: JSON, **more: Any) -> JSON:
    """The reply of a stored turn written again, under interventions."""
    body = {
        "messages": [],
        "conversation_id": answer["conversation_id"],
        "from_index": answer["tokens"][0]["index"],
        "sampling": {"max_new_tokens": 6},
        "interventions": list(interventions),
        **more,
    }
    response = client.post("/api/chat", json=body)
    assert response.status_code == 200, response.text
    found: JSON = response.json()
    return found


def test_a_steered_reply_is_a_branch_that_keeps_its_interventions(client: TestClient) -> None:
    plain = say(client)
    answer = steered(client, plain, change(positions="reply"))

    assert answer["conversation_id"] != plain["conversation_id"]
    assert answer["fired"] == [2 * 6]
    assert answer["steering"]["reply_start"] == plain["tokens"][0]["index"]
    saved = get(client, f"conversations/{answer['conversation_id']}")
    assert saved["steering"] == answer["steering"]
    assert [one["op"] for one in saved["steering"]["interventions"]] == [ADD]
    assert [branch["is_steered"] for branch in saved["branches"]] == [False, True]
    assert get(client, f"conversations/{plain['conversation_id']}")["steering"] is None


def test_a_stored_branch_is_read_under_what_it_was_written_under(client: TestClient) -> None:
    answer = steered(client, say(client), change(positions="reply"), lens={"scope": "reply"})
    own = {"prompt": None, "conversation_id": answer["conversation_id"], "interventions": None}
    read_again = read(client, **own)

    for token in answer["tokens"]:
        at = token["index"] - 1
        seen = [layer["entropy_nats"] for layer in token["lens"]]
        assert [row[at] for row in read_again["entropy_nats"]] == seen
    assert read_again["fired"] == [2 * 6]
    plainly = read(client, **{**own, "interventions": []})
    assert plainly["fired"] == []
    assert plainly["entropy_nats"] != read_again["entropy_nats"]


def test_a_turn_goes_on_under_the_interventions_of_its_branch_until_others_are_given(
    client: TestClient,
) -> None:
    first = steered(client, say(client), change(positions="reply"))
    more = {"conversation_id": first["conversation_id"], "sampling": {"max_new_tokens": 4}}
    second = say(client, "more", **more)
    assert second["conversation_id"] == first["conversation_id"]
    assert second["steering"] == first["steering"]
    assert second["fired"] == [2 * (6 + 4)]

    same = say(client, "more", **more, interventions=[change(positions="reply")])
    assert same["conversation_id"] == first["conversation_id"]
    assert same["steering"] == first["steering"]
    own = {"prompt": None, "conversation_id": first["conversation_id"]}
    named = read(client, change(positions="reply"), **own)
    assert named["fired"] == read(client, **{**own, "interventions": None})["fired"]

    plain = say(client, "more", **more, interventions=[])
    assert plain["conversation_id"] != first["conversation_id"]
    assert (plain["steering"], plain["fired"]) == (None, [])
    other = say(client, "more", **more, interventions=[change(layers=[3], positions="prompt")])
    assert other["conversation_id"] != first["conversation_id"]
    assert other["steering"]["reply_start"] == other["tokens"][0]["index"]


def test_positions_that_a_reply_did_not_come_to_do_not_close_its_branch(
    client: TestClient,
) -> None:
    answer = say(client, interventions=[change(positions=[0, 300])])
    assert answer["fired"] == [2]
    own = {"prompt": None, "conversation_id": answer["conversation_id"], "interventions": None}
    assert read(client, **own)["fired"] == [2]
    assert say(client, "more", conversation_id=answer["conversation_id"])["fired"] == [2]
    error = error_of(
        client.post("/api/chat", json=chat("a", interventions=[change(positions=[9999])])), 422
    )
    assert error["code"] == "position_out_of_range"


def test_the_stream_says_what_acts_and_how_often(client: TestClient) -> None:
    body = chat("Hi", interventions=[change(positions="reply")], stream=True)
    body["sampling"] = {"max_new_tokens": 3}
    start, *_, done = events_of(client.post("/api/chat", json=body).text)
    assert start["steering"]["interventions"][0]["layers"] == [1, 2]
    assert done["fired"] == [2 * 3]


def test_a_run_that_is_taken_from_is_stored_by_its_ids(client: TestClient) -> None:
    other = say(client, "Ho")
    replaced = change(
        positions=[0],
        op={
            "kind": "replace",
            "from": {"conversation_id": other["conversation_id"]},
            "positions": [1],
        },
    )
    answer = say(client, interventions=[replaced])
    kept = answer["steering"]["interventions"][0]["op"]["from"]
    assert kept["token_ids"] == ids_of(other)
    assert kept["conversation_id"] is None


def test_a_file_keeps_what_a_branch_was_computed_under(client: TestClient) -> None:
    answer = steered(client, say(client), change(positions="reply"))
    file = get(client, f"conversations/{answer['conversation_id']}/export")
    added = client.post("/api/conversations/import", json=file).json()
    branches = get(client, f"conversations/{added['id']}")["branches"]
    found = [get(client, f"conversations/{branch['id']}")["steering"] for branch in branches]
    assert found == [None, answer["steering"]]

    file["branches"][1]["steering"]["reply_start"] = 10_000
    error = error_of(client.post("/api/conversations/import", json=file), 422)
    assert error["param"] == "branches.1"


def test_two_runs_of_one_text_are_compared_each_under_its_own(client: TestClient) -> None:
    side = {"prompt": "abcd"}
    answer = client.post(
        "/api/compare", json={"a": side, "b": {**side, "interventions": [change()]}}
    ).json()
    assert (answer["a_fired"], answer["b_fired"]) == ([], [8])
    assert max(map(max, answer["js_nats"])) > 0
    error = error_of(
        client.post(
            "/api/compare", json={"a": side, "b": {**side, "interventions": [change(layers=[9])]}}
        ),
        422,
    )
    assert error["param"] == "b.interventions.0.layers"


def test_questions_about_the_plain_model_refuse_a_steered_branch(client: TestClient) -> None:
    answer = steered(client, say(client), change(positions="reply"))
    body = {"conversation_id": answer["conversation_id"], "position": 1}
    for path in ("attribution", "attention"):
        error = error_of(client.post(f"/api/{path}", json=body), 422)
        assert error["code"] == "unsupported_intervention"


def test_a_refused_reply_stores_nothing(client: TestClient) -> None:
    body = chat("Hi", interventions=[change(layers=[9])])
    error = error_of(client.post("/api/chat", json=body), 422)
    assert error["param"] == "interventions.0.layers"
    assert get(client, "conversations")["conversations"] == []
