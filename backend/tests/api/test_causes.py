"""`/api/attribution`, `/api/attention` and `/api/writes` over HTTP, on the fake model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.engine.causes_types import AttentionRows
from tests.api.conftest import error_of, get, ids_of, say
from tests.fakes import D_VOCAB, N_LAYERS, FakeEngine


def ask(client: TestClient, path: str, **body: Any) -> dict[str, Any]:
    response = client.post(f"/api/{path}", json={"prompt": "abcd", "position": 2, **body})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_parts_and_their_sum(client: TestClient) -> None:
    answer = ask(client, "attribution")
    assert (answer["position"], answer["predicts_index"]) == (2, 3)
    # The token that follows in the text.
    assert answer["target"] == {"token_id": ord("d"), "text": "d", "bytes": None}
    assert (answer["foil_kind"], answer["foil"]["text"]) == ("best", "B")
    assert answer["difference"] == answer["target_logit"] - answer["foil_logit"]
    assert answer["sum"] == sum(part["contribution"] for part in answer["parts"])
    assert answer["residue"] == answer["difference"] - answer["sum"] == 0
    assert [part["part"] for part in answer["parts"]] == ["embed", "attn", "bias"]
    assert [part["block"] for part in answer["parts"]] == [None, 1, None]
    assert answer["model_identity"]["name"] == "fake"


def test_the_last_position_asks_for_the_most_probable_token(client: TestClient) -> None:
    assert ask(client, "attribution", position=3)["target"]["text"] == "A"


def test_without_a_foil_the_logit_itself_is_taken_apart(client: TestClient) -> None:
    answer = ask(client, "attribution", foil="none", target=70)
    assert (answer["foil_kind"], answer["foil"], answer["foil_logit"]) == ("none", None, None)
    assert answer["target"]["text"] == "F"
    assert all(part["foil"] is None for part in answer["parts"])


def test_rows_of_attention(client: TestClient) -> None:
    answer = ask(client, "attention")
    assert (answer["blocks"], answer["without_pattern"]) == ([1, 2], [3])
    assert answer["sources"] == [0, 1, 2]
    assert [len(block) for block in answer["values"]] == [answer["n_heads"]] * 2
    assert answer["values"][0][0] == pytest.approx([1 / 3] * 3)
    assert answer["sink"] is None
    assert (answer["target"], answer["foil_kind"], answer["foil"]) == (None, None, None)


def test_columns_of_attention_are_by_the_tokens_that_read(client: TestClient) -> None:
    answer = ask(client, "attention", position=1, direction="read_by")
    assert (answer["direction"], answer["position"]) == ("read_by", 1)
    assert answer["sources"] == [1, 2, 3]
    assert [len(head) for head in answer["values"][0]] == [3, 3]
    assert ask(client, "attention")["direction"] == "reads"


def test_what_a_token_is_read_by_is_known_in_weights_only(client: TestClient) -> None:
    body = {"token_ids": [72, 105, 32, 33], "position": 1, "kind": "norm", "direction": "read_by"}
    reply = client.post("/api/attention", json=body)
    assert reply.status_code == 422
    assert reply.json()["error"]["param"] == "kind"


def test_attention_names_the_tokens_whose_logits_are_meant(client: TestClient) -> None:
    answer = ask(client, "attention", kind="logit", target=70)
    assert answer["target"]["text"] == "F"
    assert (answer["foil_kind"], answer["foil"]["text"]) == ("best", "B")


def test_what_a_block_promotes_and_suppresses(client: TestClient) -> None:
    answer = ask(client, "writes", block=2, top_k=2)
    assert (answer["position"], answer["predicts_index"], answer["block"]) == (2, 3, 2)
    attention, mlp = answer["writes"]
    assert (attention["part"], mlp["part"]) == ("attn", "mlp")
    assert attention["promoted"] == [
        {"token_id": 65, "text": "A", "bytes": None, "contribution": 2.0},
        {"token_id": 66, "text": "B", "bytes": None, "contribution": 1.0},
    ]
    assert [each["contribution"] for each in attention["suppressed"]] == [-2.0, -1.0]
    assert answer["computed_tokens"] == 1


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"position": 4}, "position_out_of_range", "position"),
        ({"block": 0}, "invalid_request", "block"),
        ({"block": None}, "invalid_request", "block"),
        ({"block": 4}, "layer_out_of_range", "block"),
        ({"top_k": 101}, "invalid_request", "top_k"),
        ({"prompt": ""}, "empty_prompt", "prompt"),
        ({"unknown": 1}, "invalid_request", "unknown"),
    ],
)
def test_wrong_questions_about_a_block_are_refused(
    body: dict[str, Any], code: str, param: str, client: TestClient
) -> None:
    asked = {"prompt": "abcd", "position": 2, "block": 1, **body}
    error = error_of(client.post("/api/writes", json=asked), 422)
    assert (error["code"], error["param"]) == (code, param)


def test_attention_that_is_no_number_has_a_typed_error(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = FakeEngine.attending

    def wrong(*args: Any, **kwargs: Any) -> Iterator[AttentionRows | None]:
        for rows in right(*args, **kwargs):
            if rows is not None:
                rows.values[1, 0, 2] = np.nan
            yield rows

    monkeypatch.setattr(FakeEngine, "attending", wrong)
    error = error_of(client.post("/api/attention", json={"prompt": "abcd", "position": 2}), 500)
    assert error["code"] == "model_non_finite"
    assert "head 0 of block 2 reads from token 2" in error["message"]


def test_a_stored_conversation_is_asked_about(client: TestClient) -> None:
    conversation = say(client, "Hi")
    for path in ("attribution", "attention", "writes"):
        body = {"conversation_id": conversation["conversation_id"], "position": 3}
        if path == "writes":
            body["block"] = 1
        response = client.post(f"/api/{path}", json=body)
        assert response.status_code == 200, response.text
    beyond = {"conversation_id": conversation["conversation_id"], "position": 400}
    error = error_of(client.post("/api/attribution", json=beyond), 422)
    n_ids = len(ids_of(conversation))
    assert error["code"] == "position_out_of_range"
    assert f"positions 0 to {n_ids - 1}" in error["message"]


@pytest.mark.parametrize("path", ["attribution", "attention"])
@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"position": 4}, "position_out_of_range", "position"),
        ({"position": -1}, "invalid_request", "position"),
        ({"position": True}, "invalid_request", "position"),
        ({"target": D_VOCAB}, "unknown_token", "target"),
        ({"foil": D_VOCAB}, "unknown_token", "foil"),
        ({"foil": "worst"}, "invalid_request", None),
        ({"target": 65, "foil": 65}, "invalid_request", "foil"),
        ({"prompt": ""}, "empty_prompt", "prompt"),
        ({"prompt": "a", "token_ids": [1]}, "invalid_request", None),
        ({"unknown": 1}, "invalid_request", "unknown"),
    ],
)
def test_wrong_questions_are_refused(
    path: str, body: dict[str, Any], code: str, param: str | None, client: TestClient
) -> None:
    response = client.post(f"/api/{path}", json={"prompt": "abcd", "position": 2, **body})
    error = error_of(response, 422)
    assert error["code"] == code
    if param is not None:
        assert error["param"] == param


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"unit": "source"}, "unit source needs a block"),
        ({"unit": "neuron"}, "unit neuron needs a block"),
        ({"block": 1}, "block is for the units source and neuron"),
        ({"unit": "head", "head": 1}, "head is for the unit source"),
        ({"unit": "neuron", "block": 1, "top_k": 0}, "top_k"),
        ({"unit": "source", "block": 0}, "block"),
    ],
)
def test_units_need_what_they_open(body: dict[str, Any], words: str, client: TestClient) -> None:
    response = client.post("/api/attribution", json={"prompt": "abcd", "position": 2, **body})
    error = error_of(response, 422)
    assert words in error["message"].lower() or words == error["param"]


def test_what_a_model_cannot_do_is_refused_with_its_reason(client: TestClient) -> None:
    body = {"prompt": "abcd", "position": 2, "unit": "neuron", "block": 1}
    error = error_of(client.post("/api/attribution", json=body), 422)
    assert error["code"] == "identity_failed"
    capability = get(client, "model_info")["capabilities"]["neurons"]
    assert capability == {"available": False, "reason": error["message"], "max_abs_diff": None}


def test_capabilities_say_how_far_each_identity_was_off(client: TestClient) -> None:
    found = get(client, "model_info")["capabilities"]
    assert set(found) == {
        "sublayers",
        "heads",
        "neurons",
        "attention",
        "half_layers",
        "gradients",
        "interventions",
    }
    assert found["heads"] == {"available": True, "reason": None, "max_abs_diff": 2e-6}


def test_an_answer_that_would_be_too_long_is_refused(client: TestClient) -> None:
    blocks = [1 + n % N_LAYERS for n in range(1000)]
    body = {"prompt": "a" * 511, "position": 510, "blocks": blocks}
    error = error_of(client.post("/api/attention", json=body), 422)
    assert error["param"] == "blocks"
    assert "blocks at a time" in error["hint"]
