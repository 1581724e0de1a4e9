from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.fakes import N_LAYERS, FakeEngine


def compare(client: TestClient, a: dict[str, Any], b: dict[str, Any], **body: Any) -> Any:
    response = client.post("/api/compare", json={"a": a, "b": b, **body})
    assert response.status_code == 200, response.text
    return response.json()


def test_columns_are_how_far_the_predictions_are_apart(
    client: TestClient, engine: FakeEngine
) -> None:
    a, b = b"The capital of France", b"The capital of Italy"
    answer = compare(client, {"prompt": a.decode()}, {"prompt": b.decode()}, targets=[65, 66])

    assert answer["layers"] == [[layer, layer] for layer in range(N_LAYERS + 1)]
    assert answer["labels"] == [["embed", "embed"], ["1", "1"], ["2", "2"], ["3", "3"]]
    assert answer["positions"] == [[i, i] for i in range(len(b))]
    assert [token["id"] for token in answer["a_tokens"]] == list(a)
    assert [token["id"] for token in answer["b_tokens"]] == list(b)
    for row, (layer, _) in enumerate(answer["layers"]):
        for column, (place, _) in enumerate(answer["positions"]):
            p = engine.probabilities(a[: place + 1], layer).astype(np.float64)
            q = engine.probabilities(b[: place + 1], layer).astype(np.float64)
            m = (p + q) / 2
            at = {
                name: answer[name][row][column]
                for name in ("kl_a_to_b_nats", "kl_b_to_a_nats", "js_nats", "a_top_id", "b_top_id")
            }
            assert at["kl_a_to_b_nats"] == pytest.approx((p * np.log(p / q)).sum(), abs=1e-5)
            assert at["kl_b_to_a_nats"] == pytest.approx((q * np.log(q / p)).sum(), abs=1e-5)
            js = ((p * np.log(p / m)).sum() + (q * np.log(q / m)).sum()) / 2
            assert at["js_nats"] == pytest.approx(js, abs=1e-5)
            assert (at["a_top_id"], at["b_top_id"]) == (p.argmax(), q.argmax())
            assert answer["a_top_probability"][row][column] == pytest.approx(p.max())
            assert answer["b_top_probability"][row][column] == pytest.approx(q.max())
            for target in answer["targets"]:
                for side, values in (("a", p), ("b", q)):
                    own = values[target["token_id"]]
                    assert target[f"{side}_probability"][row][column] == pytest.approx(own)
                    assert target[f"{side}_rank"][row][column] == 1 + (values > own).sum()
    for ids in (answer["a_top_id"], answer["b_top_id"]):
        assert all(str(token_id) in answer["vocabulary"] for row in ids for token_id in row)
