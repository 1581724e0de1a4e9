"""`/api/dose` over HTTP, on the fake model."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import JSON, error_of

ADD = {"kind": "add", "direction": {"kind": "token", "token_id": 65}, "strength": 5}
CHANGE = {"site": "resid", "layers": [1, 2], "positions": [1, 3], "op": ADD}
BODY = {
    "prompt": "abcd",
    "interventions": [CHANGE],
    "strengths": [-1, 0, 0.5],
    "targets": [65, 98],
}


def dose(client: TestClient, **more: Any) -> JSON:
    response = client.post("/api/dose", json={**BODY, **more})
    assert response.status_code == 200, response.text
    answer: JSON = response.json()
    return answer


def test_curves_of_tokens_beside_a_random_direction(client: TestClient) -> None:
    answer = dose(client)
    assert (answer["position"], answer["predicts_index"]) == (3, 4)
    assert answer["strengths"] == [-1, 0, 0.5]
    assert [token["text"] for token in answer["tokens"]] == ["A", "b"]
    for curves in (answer["tokens"], answer["control"]):
        assert [len(token["probability"]) for token in curves] == [3, 3]
        assert [len(token["rank"]) for token in curves] == [3, 3]
    assert answer["tokens"][0]["probability"] != answer["control"][0]["probability"]
    assert answer["fired"] == [2 * 2]
    assert answer["computed_tokens"] == 4


def test_at_strength_0_both_are_the_plain_run(client: TestClient) -> None:
    body = {"prompt": "abcd", "layers": [3], "targets": [65, 98], "positions": [3, 4]}
    plain = client.post("/api/lens", json=body).json()
    answer = dose(client)
    for place, target in enumerate(plain["targets"]):
        for curves in (answer["tokens"], answer["control"]):
            assert curves[place]["probability"][1] == target["probability"][0][0]
            assert curves[place]["rank"][1] == target["rank"][0][0]


def test_the_control_can_be_left_out(client: TestClient) -> None:
    assert dose(client, control=False)["control"] is None


@pytest.mark.parametrize(
    ("wrong", "code", "param"),
    [
        ({"strengths": []}, "invalid_request", "strengths"),
        ({"strengths": [0.1] * 42}, "invalid_request", "strengths"),
        ({"strengths": [1e9]}, "invalid_request", "strengths.0"),
        ({"targets": []}, "invalid_request", "targets"),
        ({"targets": [999]}, "unknown_token", "targets"),
        ({"position": 4}, "position_out_of_range", "position"),
        ({"interventions": []}, "invalid_request", "interventions"),
        (
            {"interventions": [{**CHANGE, "op": {"kind": "zero"}}]},
            "invalid_request",
            "interventions",
        ),
        ({"position": 0}, "invalid_request", "interventions.0.positions"),
    ],
)
def test_what_makes_no_curve_is_refused_by_its_field(
    client: TestClient, wrong: JSON, code: str, param: str
) -> None:
    error = error_of(client.post("/api/dose", json={**BODY, **wrong}), 422)
    assert (error["code"], error["param"]) == (code, param)
