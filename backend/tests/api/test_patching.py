"""`/api/patch` over HTTP, on the fake model."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import error_of, say
from tests.fakes import D_VOCAB

QUESTION = {
    "clean": {"prompt": "abcd"},
    "corrupt": {"prompt": "abxd"},
    "layer": 1,
    "positions": [[2, 2]],
}


def patch(client: TestClient, **body: Any) -> dict[str, Any]:
    response = client.post("/api/patch", json={**QUESTION, **body})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_a_patched_run_lies_between_its_ends(client: TestClient) -> None:
    answer = patch(client)
    assert (answer["clean"], answer["corrupt"], answer["patched"]) == (4.0, -2.0, 0.0)
    assert answer["score"] == pytest.approx(1 / 3)
    assert (answer["answer"]["text"], answer["foil"]["text"]) == ("A", "B")
    assert answer["model_identity"]["name"] == "fake"
    assert [token["text"] for token in answer["predictions"]["corrupt"]] == ["B", "C"]
    assert (answer["heads"], answer["computed_tokens"]) == (None, 7)


def test_noise_is_scored_from_the_other_end(client: TestClient) -> None:
    answer = patch(client, direction="noise")
    assert answer["patched"] == 2.0
    assert answer["score"] == pytest.approx(1 / 3)


def test_a_stored_conversation_is_patched(client: TestClient) -> None:
    conversation_id = say(client, "Hi")["conversation_id"]
    answer = patch(client, clean={"conversation_id": conversation_id}, positions=[[3, 2]])
    assert answer["positions"] == [[3, 2]]


@pytest.mark.parametrize(
    ("body", "code", "param", "words"),
    [
        ({"site": "neuron"}, "invalid_request", "site", ""),
        ({"layer": 9}, "layer_out_of_range", "layer", ""),
        ({"layer": 1.5}, "invalid_request", "layer", ""),
        ({"positions": []}, "invalid_request", "positions", ""),
        ({"positions": [[2, 4]]}, "position_out_of_range", "positions", "in corrupt, which has 4"),
        ({"positions": [[4, 2]]}, "position_out_of_range", "positions", "in clean, which has 4"),
        ({"positions": [[1, 2], [2, 2]]}, "invalid_request", "positions", "2 of corrupt"),
        ({"heads": [1]}, "invalid_request", None, "eads is for the site head"),
        ({"clean_length": 5}, "position_out_of_range", "clean_length", "4 tokens"),
        ({"corrupt_length": 2}, "position_out_of_range", "positions", "in corrupt, which has 2"),
        ({"clean_length": 0}, "invalid_request", "clean_length", ""),
        ({"answer": D_VOCAB}, "unknown_token", "answer", ""),
        ({"answer": 65, "foil": 65}, "invalid_request", "foil", "same token"),
        ({"corrupt": {"prompt": "abcd"}}, "undefined_effect", "answer", ""),
        ({"corrupt": {"prompt": ""}}, "empty_prompt", "corrupt.prompt", "Side corrupt"),
        ({"clean": {"conversation_id": "x"}}, "conversation_not_found", None, ""),
        ({"direction": "both"}, "invalid_request", "direction", ""),
    ],
)
def test_wrong_patches_are_refused(
    body: dict[str, Any], code: str, param: str | None, words: str, client: TestClient
) -> None:
    response = client.post("/api/patch", json={**QUESTION, **body})
    error = error_of(response, 404 if code.endswith("found") else 422)
    assert error["code"] == code
    assert words in error["message"]
    if param is not None:
        assert error["param"] == param
