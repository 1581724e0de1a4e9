"""What the list and an opened conversation say of one that is being continued, and how it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.services import library
from tests.api.conftest import JSON, chat, get, say
from tests.fakes import FakeEngine


def test_conversation_is_marked_while_its_reply_is_generated(
    client: TestClient, engine: FakeEngine
) -> None:
    first, other = say(client, "Hello"), say(client, "Other")
    name = first["conversation_id"]
    pause = engine.faults.pause("decode:0")
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(say, client, "More", conversation_id=name)
        assert pause.reached.wait(30)
        listed = get(client, "conversations")["conversations"]
        during = get(client, f"conversations/{name}")
        pause.go_on.set()
        reply.result()
    after = get(client, f"conversations/{name}")

    assert {each["id"]: each["is_running"] for each in listed} == {
        name: True,
        other["conversation_id"]: False,
    }
    assert (during["is_running"], after["is_running"]) == (True, False)
    assert "More" in during["text"]
    assert during["turns"][-1]["finish_reason"] == "interrupted"
    assert not any(each["is_running"] for each in get(client, "conversations")["conversations"])


def test_one_that_is_opened_just_before_its_reply_has_ended_is_opened_with_it(
    client: TestClient, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "OPENING_PATIENCE_S", 30)
    name = say(client, "Hello")["conversation_id"]
    pause = engine.faults.pause("decode:0")
    with ThreadPoolExecutor(2) as pool:
        reply = pool.submit(say, client, "More", conversation_id=name)
        assert pause.reached.wait(30)
        opening = pool.submit(get, client, f"conversations/{name}")
        # Another request that is answered meanwhile: the opening has been heard.
        get(client, "stats")
        pause.go_on.set()
        said = reply.result()
        opened = opening.result()

    assert not opened["is_running"]
    assert opened["turns"][-1]["finish_reason"] == said["finish_reason"] != "interrupted"


def test_new_conversation_is_in_the_list_while_its_first_reply_is_generated(
    client: TestClient, engine: FakeEngine
) -> None:
    pause = engine.faults.pause("prefill")
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(say, client, "Hello")
        assert pause.reached.wait(30)
        (listed,) = get(client, "conversations")["conversations"]
        pause.go_on.set()
        reply.result()

    assert (listed["title"], listed["is_running"]) == ("Hello", True)


@pytest.mark.parametrize("mode", ["chat", "completion"])
def test_mode_is_kept_exported_and_imported(client: TestClient, mode: str) -> None:
    first = say(client, "Hello", mode=mode)
    name = first["conversation_id"]
    length = len(first["prompt_tokens"]) + len(first["tokens"])
    silent: JSON = {"messages": [], "conversation_id": name, "from_index": length - 1}
    branch = client.post("/api/chat", json=silent).json()["conversation_id"]
    file: Any = get(client, f"conversations/{name}/export")
    imported = client.post("/api/conversations/import", json=file).json()["id"]
    for each in file["branches"]:
        del each["mode"]
    older = client.post("/api/conversations/import", json=file).json()["id"]
    copy = client.post(f"/api/conversations/{name}/duplicate").json()["id"]

    for each in (name, branch, imported, older, copy):
        assert get(client, f"conversations/{each}")["mode"] == mode


def test_mode_is_that_of_the_last_request_with_a_message(client: TestClient) -> None:
    name = say(client, "Hello", mode="completion")["conversation_id"]
    client.post("/api/chat", json=chat("More", conversation_id=name, mode="chat"))

    assert get(client, f"conversations/{name}")["mode"] == "chat"
