"""The experiments of the embedded model, whose numbers were measured with plain transformers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.api.conftest import wait_until_ready

Experiments = list[dict[str, Any]]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = create_app(Settings(model="embedded", database="memory"))
    with TestClient(app, base_url="http://localhost") as client:
        wait_until_ready(client)
        yield client


@pytest.fixture(scope="module")
def experiments(client: TestClient) -> Experiments:
    examples = client.get("/api/model_info").json()["examples"]
    return [example for example in examples if example["experiment"] is not None]


def said(client: TestClient, example: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {
        "messages": [{"role": "user", "content": example["text"]}],
        "mode": example["mode"],
        "sampling": {"max_new_tokens": 12, "temperature": 0},
        **changes,
    }
    response = client.post("/api/chat", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_there_is_one_of_each_kind(experiments: Experiments) -> None:
    operations = [
        each["op"]["kind"]
        for example in experiments
        for each in example["experiment"]["interventions"]
    ]
    assert operations == ["replace", "zero", "add"]


def test_the_answer_is_what_was_measured_before_and_after_the_change(
    client: TestClient, experiments: Experiments
) -> None:
    for example in experiments:
        experiment = example["experiment"]
        assert {experiment["before"]["text"], experiment["after"]["text"]} <= set(
            experiment["choices"]
        )
        for expected, interventions in (
            (experiment["before"], []),
            (experiment["after"], experiment["interventions"]),
        ):
            answer = said(client, example, interventions=interventions)
            assert answer["text"].startswith(expected["text"]), example["title"]
            if expected["probability"] is not None:
                first = answer["tokens"][0]
                assert first["text"] == expected["text"]
                probability = math.exp(first["logprob_nats"])
                assert probability == pytest.approx(expected["probability"], abs=1e-4)
