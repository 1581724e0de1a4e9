"""What is told when conversations cannot be stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.errors import StorageFailed
from app.services.storage import growing
from tests.api.conftest import chat, error_of, events_of, get, make_client, say, wait_until_ready
from tests.fakes import FakeEngine


@pytest.fixture
def unsaved(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A server whose database cannot be opened, until the file in its way is removed."""
    (tmp_path / "way").touch()
    monkeypatch.setenv("EXPLORER_DATABASE", f"sqlite:///{tmp_path}/way/conversations.db")
    with make_client(FakeEngine()) as client:
        wait_until_ready(client)
        yield client


def test_reply_that_could_not_be_kept_is_not_begun(unsaved: TestClient, tmp_path: Any) -> None:
    for body in (chat("Hi"), chat("Hi", stream=True)):
        error = error_of(unsaved.post("/api/chat", json=body), 507)
        assert error["code"] == "storage_failed"
        assert "EXPLORER_DATABASE" in error["hint"]
    assert error_of(unsaved.get("/api/conversations"), 507)["code"] == "storage_failed"
    assert unsaved.post("/api/lens", json={"prompt": "abc"}).status_code == 200
    assert unsaved.get("/api/health").status_code == 200

    (tmp_path / "way").unlink()
    assert say(unsaved)["conversation_id"]


def full(*_: Any) -> None:
    raise StorageFailed("The disk is full.", hint="Free some space.")


@pytest.mark.parametrize("stream", [True, False])
def test_message_that_cannot_be_saved_is_not_answered(
    client: TestClient, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    name = say(client)["conversation_id"]
    before, steps = get(client, f"conversations/{name}"), engine.steps_made
    with monkeypatch.context() as patch:
        patch.setattr(growing, "save_turn", full)
        response = client.post("/api/chat", json=chat("More", conversation_id=name, stream=stream))

    assert error_of(response, 507)["message"] == "The disk is full."
    assert engine.steps_made == steps
    assert get(client, f"conversations/{name}") == before
    assert say(client, "Again", conversation_id=name)["conversation_id"] == name


@pytest.mark.parametrize("stream", [True, False])
def test_reply_that_fails_to_be_saved_ends_in_an_error_and_never_in_done(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    name = say(client)["conversation_id"]
    save = growing.save_turn

    def full_at_the_end(connection: Any, timeline: Any, *more: Any) -> None:
        if timeline.turns[-1].finish_reason != "interrupted":
            full()
        save(connection, timeline, *more)

    with monkeypatch.context() as patch:
        patch.setattr(growing, "save_turn", full_at_the_end)
        response = client.post("/api/chat", json=chat("More", conversation_id=name, stream=stream))
    if stream:
        events = events_of(response.text)
        assert [e["type"] for e in events].count("token") > 0
        assert events[-1]["type"] == "error"
        assert events[-1]["error"]["code"] == "storage_failed"
    else:
        assert error_of(response, 507)["message"] == "The disk is full."
    after = get(client, f"conversations/{name}")
    assert "More" in after["text"]
    assert after["turns"][-1]["finish_reason"] == "interrupted"
    assert say(client, "Again", conversation_id=name)["conversation_id"] == name
