from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.fakes import FakeEngine, loader

JSON = dict[str, Any]


def make_client(engine: FakeEngine, **settings: Any) -> TestClient:
    settings.setdefault("page_dir", Path("/nowhere"))
    app = create_app(Settings(**settings), loader(engine))
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


def wait_until_ready(client: TestClient) -> None:
    until = time.monotonic() + 60
    while client.get("/api/health").status_code != 200:
        assert time.monotonic() < until, client.get("/api/health").text
        time.sleep(0.005)


def events_of(text: str) -> list[dict[str, Any]]:
    """The events of a stream, each with its type checked against its `event:` line."""
    events = []
    for block in text.split("\n\n"):
        if not block or block.startswith(":"):
            continue
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return events


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


def say(client: TestClient, text: str = "Hi", **more: Any) -> JSON:
    more = {"sampling": {"max_new_tokens": 6}, **more}
    response = client.post("/api/chat", json=chat(text, **more))
    assert response.status_code == 200, response.text
    answer: JSON = response.json()
    return answer


def branch_off(client: TestClient, answer: JSON, from_index: int, *forced: int) -> JSON:
    body = {
        "messages": [],
        "conversation_id": answer["conversation_id"],
        "from_index": from_index,
        "continue_with": list(forced),
        "sampling": {"max_new_tokens": 3},
    }
    response = client.post("/api/chat", json=body)
    assert response.status_code == 200, response.text
    branch: JSON = response.json()
    return branch


def get(client: TestClient, path: str) -> JSON:
    response = client.get(f"/api/{path}")
    assert response.status_code == 200, response.text
    answer: JSON = response.json()
    return answer


def ids_of(answer: JSON) -> list[int]:
    return [token["id"] for token in [*answer.get("prompt_tokens", []), *answer["tokens"]]]


def error_of(response: Any, status: int) -> JSON:
    assert response.status_code == status, response.text
    error: JSON = response.json()["error"]
    return error


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def client(engine: FakeEngine) -> Iterator[TestClient]:
    with make_client(engine) as client:
        wait_until_ready(client)
        yield client
