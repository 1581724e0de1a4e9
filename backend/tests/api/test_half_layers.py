"""Half layers on the wire: how they are asked for, answered and refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.engine.types import Capability
from tests.api.conftest import error_of, say
from tests.fakes import FakeEngine

EVERY_LAYER = [0, 0.5, 1, 1.5, 2, 2.5, 3]
LABELS = ["embed", "0.5", "1", "1.5", "2", "2.5", "3"]
REASON = "Attention and MLP of block 1 run side by side: there is no state between them."


def answer_of(client: TestClient, path: str, **body: Any) -> dict[str, Any]:
    response = client.post(f"/api/{path}", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_half_layers_stand_between_the_whole_ones(client: TestClient, engine: FakeEngine) -> None:
    text = "abcd"
    answer = answer_of(client, "lens", prompt=text, half_layers=True, top_k=1)
    assert answer["layers"] == EVERY_LAYER
    assert [type(layer) for layer in answer["layers"]] == [int, float] * 3 + [int]
    assert answer["labels"] == LABELS
    for row, layer in enumerate(EVERY_LAYER):
        for position in range(4):
            p = engine.probabilities(text.encode()[: position + 1], layer)
            assert answer["top_ids"][row][position] == [int(p.argmax())]


def test_chosen_layers_may_be_half_ones(client: TestClient) -> None:
    answer = answer_of(client, "lens", prompt="abcd", layers=[2.5, 0, 1])
    assert answer["layers"] == [2.5, 0, 1]
    assert answer["labels"] == ["2.5", "embed", "1"]


def test_without_being_asked_for_no_half_layer_is_read(client: TestClient) -> None:
    assert answer_of(client, "lens", prompt="abcd")["layers"] == [0, 1, 2, 3]
    sides = {"a": {"prompt": "abc"}, "b": {"prompt": "abd"}}
    assert answer_of(client, "compare", **sides)["layers"] == [[n, n] for n in range(4)]


def test_half_layers_are_compared(client: TestClient, engine: FakeEngine) -> None:
    sides = {"a": {"prompt": "abc"}, "b": {"prompt": "abd"}}
    answer = answer_of(client, "compare", **sides, half_layers=True)
    assert answer["layers"] == [[layer, layer] for layer in EVERY_LAYER]
    assert answer["labels"] == [[label, label] for label in LABELS]
    answer = answer_of(client, "compare", **sides, layers=[[0.5, 3], [2.5, 2.5]])
    assert answer["layers"] == [[0.5, 3], [2.5, 2.5]]
    p = engine.probabilities(b"abc", 0.5)
    assert answer["a_top_id"][0][2] == int(np.argmax(p))


def test_a_reply_is_read_at_half_layers(client: TestClient) -> None:
    lens = {"half_layers": True, "top_k": 1}
    sampling = {"max_new_tokens": 2}
    reply = say(client, sampling=sampling, lens=lens)
    assert [readout["layer"] for readout in reply["tokens"][0]["lens"]] == EVERY_LAYER
    assert [readout["label"] for readout in reply["tokens"][0]["lens"]] == LABELS


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("lens", {"prompt": "abcd", "half_layers": True}, "half_layers"),
        ("lens", {"prompt": "abcd", "layers": [0, 1.5]}, "layers"),
        (
            "compare",
            {"a": {"prompt": "abc"}, "b": {"prompt": "abd"}, "layers": [[1, 0.5]]},
            "layers",
        ),
        (
            "chat",
            {"messages": [{"role": "user", "content": "Hi"}], "lens": {"half_layers": True}},
            "lens.half_layers",
        ),
    ],
)
def test_a_model_without_half_layers_refuses_them_with_its_reason(
    path: str, body: dict[str, Any], param: str, client: TestClient, engine: FakeEngine
) -> None:
    capabilities = dataclasses.replace(
        engine.facts.capabilities, half_layers=Capability(False, REASON)
    )
    engine.facts = dataclasses.replace(engine.facts, capabilities=capabilities)
    error = error_of(client.post(f"/api/{path}", json=body), 422)
    assert error["code"] == "identity_failed"
    assert REASON in error["message"]
    assert error["param"] == param


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"layers": [1, 2], "half_layers": True}, "invalid_request", None),
        ({"layers": [1.25]}, "invalid_request", "layers.0"),
        ({"layers": [-0.5]}, "invalid_request", "layers.0"),
        ({"layers": [True]}, "invalid_request", "layers.0"),
        ({"layers": [1.5, 1.5]}, "invalid_request", "layers"),
        ({"layers": [3.5]}, "layer_out_of_range", "layers"),
        ({"half_layers": 1}, "invalid_request", "half_layers"),
    ],
)
def test_layers_that_are_none_are_refused(
    body: dict[str, Any], code: str, param: str | None, client: TestClient
) -> None:
    error = error_of(client.post("/api/lens", json={"prompt": "abcd", **body}), 422)
    assert error["code"] == code
    assert error["param"] == param
