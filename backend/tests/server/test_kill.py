"""A reply that was shown to its end survives whatever becomes of the process."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.conftest import Process, RawClient, Start

ROUNDS = 3


def chat(text: str, conversation_id: str | None = None) -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": text}],
        "conversation_id": conversation_id,
        "sampling": {"max_new_tokens": 5},
    }


def started(start: Start, url: str) -> Process:
    server = start(settings={"database": url})
    server.wait_until_ready()
    return server


def data_of(received: bytes, kind: str) -> list[dict[str, Any]]:
    marker = f"event: {kind}\ndata: ".encode()
    return [json.loads(part.split(b"\n")[0]) for part in received.split(marker)[1:]]


@pytest.mark.parametrize("stream", [True, False])
def test_kill_right_after_the_reply_loses_nothing(
    start: Start, own_database: str, stream: bool
) -> None:
    """Every round kills the server at the first byte that says that the reply is complete."""
    expected: list[int] = []
    name: str | None = None
    for number in range(ROUNDS):
        server = started(start, own_database)
        if name is not None:
            saved = server.get(f"/api/conversations/{name}").json()
            assert [token["id"] for token in saved["tokens"]] == expected
        body = chat(f"round {number}", name)
        if stream:
            client = RawClient(server.port, "/api/chat", {**body, "stream": True})
            client.read_until(b"event: done")
            server.signal(signal.SIGKILL)
            head = data_of(client.received, "start")[0]
            tokens = [event["token"] for event in data_of(client.received, "token")]
            client.hang_up()
        else:
            head = server.post("/api/chat", body).json()
            server.signal(signal.SIGKILL)
            tokens = head["tokens"]
        server.exit_code()
        name = head["conversation_id"]
        expected = [token["id"] for token in [*head["prompt_tokens"], *tokens]]
    server = started(start, own_database)
    saved = server.get(f"/api/conversations/{name}").json()

    assert [token["id"] for token in saved["tokens"]] == expected
    assert len(saved["turns"]) == ROUNDS
    assert server.get("/api/conversations").json()["total"] == 1


def test_kill_in_the_middle_of_a_reply_leaves_the_message(start: Start, own_database: str) -> None:
    server = start(settings={"database": own_database}, engine={"step_seconds": 0.02})
    server.wait_until_ready()
    first = server.post("/api/chat", chat("one")).json()
    name = first["conversation_id"]
    body = {**chat("two", name), "stream": True, "sampling": {"max_new_tokens": 400}}
    client = RawClient(server.port, "/api/chat", body)
    client.read_until(b"event: token", times=3)
    server.signal(signal.SIGKILL)
    server.exit_code()
    again = started(start, own_database)
    saved = again.get(f"/api/conversations/{name}").json()
    prompt = data_of(client.received, "start")[0]["prompt_tokens"]
    silent = {"messages": [], "conversation_id": name, "from_index": len(saved["tokens"])}
    answered = again.post("/api/chat", silent).json()

    assert [t["id"] for t in saved["tokens"]] == [t["id"] for t in prompt]
    assert [turn["finish_reason"] for turn in saved["turns"]] == ["length", "interrupted"]
    assert not saved["is_running"]
    assert answered["conversation_id"] == name


def test_shutdown_keeps_what_was_written_of_a_reply(start: Start, own_database: str) -> None:
    server = start(
        settings={"database": own_database, "shutdown_seconds": 0.1},
        engine={"step_seconds": 0.02},
    )
    server.wait_until_ready()
    body = {**chat("one"), "stream": True, "sampling": {"max_new_tokens": 400}}
    client = RawClient(server.port, "/api/chat", body)
    client.read_until(b"event: token", times=3)
    server.signal(signal.SIGTERM)
    client.read_until(b"event: error")
    server.exit_code()
    again = started(start, own_database)
    name = data_of(client.received, "start")[0]["conversation_id"]
    saved = again.get(f"/api/conversations/{name}").json()
    sent = [event["token"]["id"] for event in data_of(client.received, "token")]

    assert [t["id"] for t in saved["tokens"] if t["role"] == "assistant"] == sent
    assert saved["turns"][-1]["finish_reason"] == "interrupted"


def test_stopping_stores_a_stream_that_was_closed_at_the_last_moment(
    start: Start, own_database: str
) -> None:
    server = start(settings={"database": own_database}, engine={"step_seconds": 0.02})
    server.wait_until_ready()
    body = {**chat("one"), "stream": True, "sampling": {"max_new_tokens": 400}}
    client = RawClient(server.port, "/api/chat", body)
    client.read_until(b"event: token", times=3)
    client.hang_up()
    server.signal(signal.SIGTERM)
    assert server.exit_code() == 0
    again = started(start, own_database)
    name = data_of(client.received, "start")[0]["conversation_id"]
    saved = again.get(f"/api/conversations/{name}").json()

    assert len([t for t in saved["tokens"] if t["role"] == "assistant"]) >= 3
    assert saved["turns"][-1]["finish_reason"] == "cancelled"


def test_data_is_kept_in_the_users_folder_by_default(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EXPLORER_DATABASE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    server = start()
    server.wait_until_ready()
    answer: httpx.Response = server.post("/api/chat", chat("x"))

    assert answer.status_code == 200
    assert len(list(tmp_path.rglob("conversations.db"))) == 1


def test_kill_in_the_middle_of_a_job_lets_it_go_on_from_its_checkpoint(
    start: Start, own_database: str
) -> None:
    server = start(
        settings={"database": own_database},
        jobs={"SAVE_EVERY_S": 0.0, "SAVE_SHARE": 0},
        pauses=["cell:5"],
    )
    server.wait_until_ready()
    asked = {"kind": "patch_map", "clean": {"prompt": "abcd"}, "corrupt": {"prompt": "abxd"}}
    job_id = server.post("/api/jobs", asked).json()["id"]
    read_until(server, job_id, lambda job: job["result"]["n_done"] == 4)
    # Writes are done in order, and this one waits for those before it.
    assert server.get("/api/jobs/none").status_code == 404
    server.signal(signal.SIGKILL)
    server.exit_code()
    server = started(start, own_database)

    job = read_until(server, job_id, lambda job: job["state"] == "done")

    assert job["result"]["n_done"] == 16
    assert server.get("/probe").json()["cells"] < 16


def read_until(
    server: Process, job_id: str, holds: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    until = time.monotonic() + 60
    while not holds(job := server.get(f"/api/jobs/{job_id}").json()):
        assert time.monotonic() < until, job
        time.sleep(0.01)
    return job
