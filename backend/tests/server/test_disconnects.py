"""Clients that hang up, do not read, or come all at once, against a real server process."""

from __future__ import annotations

import concurrent.futures
import socket
import time
from typing import Any

import httpx
import pytest

from tests.server.conftest import Process, RawClient, Start

STEP_SECONDS = 0.05


def chat(**more: Any) -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": "Hi"}],
        "sampling": {"max_new_tokens": 300},
        **more,
    }


@pytest.fixture
def server(start: Start) -> Process:
    process = start(engine={"step_seconds": STEP_SECONDS})
    process.wait_until_ready()
    return process


def test_hanging_up_frees_the_model_within_a_step(server: Process) -> None:
    for round_number in (1, 2):
        client = RawClient(server.port, "/api/chat", chat(stream=True))
        client.read_until(b"event: token", times=3)
        before = server.probe()["steps"]
        client.hang_up()
        server.wait_until(lambda n=round_number: server.probe()["generations_closed"] == n)

        assert server.probe()["steps"] - before <= 3
        server.wait_until(lambda: server.queue()["running"] == 0)


def test_hanging_up_on_plain_json_frees_the_model_too(server: Process) -> None:
    client = RawClient(server.port, "/api/chat", chat())
    server.wait_until(lambda: server.probe()["steps"] >= 2)
    before = server.probe()["steps"]
    client.hang_up()
    server.wait_until(lambda: server.probe()["generations_closed"] == 1)

    assert server.probe()["steps"] - before <= 3


def test_hanging_up_in_the_queue_gives_the_place_back(start: Start) -> None:
    server = start(engine={"step_seconds": STEP_SECONDS}, settings={"concurrency": 1})
    server.wait_until_ready()
    running = RawClient(server.port, "/api/chat", chat(stream=True))
    running.read_until(b"event: token")
    text = {"prompt": "abc"}
    bodies = (chat(stream=True), chat(), text, {"a": text, "b": text})
    paths = ("/api/chat", "/api/chat", "/api/lens", "/api/compare")
    waiting = [
        RawClient(server.port, path, body, x_client_id=f"c{n}")
        for n, (path, body) in enumerate(zip(paths, bodies, strict=True))
    ]
    server.wait_until(lambda: server.queue()["waiting"] == len(bodies))
    for client in waiting:
        client.hang_up()
    server.wait_until(lambda: server.queue()["waiting"] == 0)
    running.hang_up()
    server.wait_until(lambda: server.queue()["running"] == 0)

    assert server.probe()["generations_closed"] == 1, "a job of a gone client was run"


def test_queued_stream_shows_its_prompt_and_is_kept_alive(start: Start) -> None:
    server = start(
        engine={"step_seconds": STEP_SECONDS},
        job={"KEEP_ALIVE_S": 0.1},
        settings={"concurrency": 1},
    )
    server.wait_until_ready()
    running = RawClient(server.port, "/api/chat", chat(stream=True))
    running.read_until(b"event: token")
    waiting = RawClient(server.port, "/api/chat", chat(stream=True), x_client_id="other")
    waiting.read_until(b"event: start")
    waiting.read_until(b": keep-alive\n\n", times=2)

    assert b"event: token" not in waiting.received
    for client in (running, waiting):
        client.hang_up()


def test_stopped_reply_is_continued_as_it_was_seen(server: Process) -> None:
    client = RawClient(server.port, "/api/chat", chat(stream=True))
    client.read_until(b"event: token", times=4)
    conversation_id = client.received.split(b'"conversation_id":"')[1].split(b'"')[0].decode()
    client.hang_up()

    answer = server.post(
        "/api/chat", chat(conversation_id=conversation_id, sampling={"max_new_tokens": 1})
    )

    assert answer.status_code == 200, answer.text
    kept = [t for t in answer.json()["prompt_tokens"] if t["role"] == "assistant"]
    assert 4 <= len(kept) <= 6


def test_many_clients_at_once_get_an_answer_or_are_told_to_wait(start: Start) -> None:
    server = start(pauses=["decode:0"], settings={"concurrency": 1})
    server.wait_until_ready()
    full = {"running": 1, "waiting": 8, "capacity": 8}

    def one(number: int) -> httpx.Response:
        return server.post(
            "/api/chat",
            chat(sampling={"max_new_tokens": 10}, stream=number % 2 == 0),
            headers={"x-client-id": f"client-{number}"},
        )

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = [pool.submit(one, number) for number in range(16)]
        try:
            # One runs, eight wait, and none of them can end: what health says comes beside them.
            server.wait_until(lambda: sum(answer.done() for answer in answers) == 7, 20)
            server.wait_until(lambda: server.queue() == full, 20)
            for _ in range(5):
                health = server.get("/api/health")
                assert (health.status_code, health.json()["queue"]) == (200, full)
            assert sum(answer.done() for answer in answers) == 7
            assert server.probe()["steps"] == 0
        finally:
            server.get("/go_on")
    responses = [answer.result() for answer in answers]

    assert sorted(response.status_code for response in responses) == [200] * 9 + [429] * 7
    for response in responses:
        if response.status_code == 429:
            assert int(response.headers["retry-after"]) >= 1
            assert response.json()["error"]["code"] == "queue_full"
        elif "event-stream" in response.headers["content-type"]:
            assert response.text.count("event: done") == 1


def test_waiting_too_long_is_told_before_and_within_a_stream(start: Start) -> None:
    server = start(
        pauses=["decode:0"],
        settings={"concurrency": 1, "queue_seconds": 0.2, "queue_per_client": 8},
    )
    server.wait_until_ready()
    running = RawClient(server.port, "/api/chat", chat(stream=True, sampling={"max_new_tokens": 1}))
    running.read_until(b"event: start")
    server.wait_until(lambda: server.queue()["running"] == 1)

    streamed = RawClient(server.port, "/api/chat", chat(stream=True))
    refused = [server.post("/api/chat", chat()), server.post("/api/lens", {"prompt": "a"})]
    last = streamed.read_all().split(b"event: ")[-1]
    server.get("/go_on")
    running.read_until(b"event: done")

    for response in refused:
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "queue_timeout"
        assert int(response.headers["retry-after"]) >= 1
    assert last.startswith(b"error")
    assert b'"queue_timeout"' in last
    assert server.probe()["steps"] == 1


def test_reader_that_stalls_harms_only_itself(start: Start) -> None:
    server = start(job={"OUTBOX_BYTES": 200_000, "READER_PATIENCE_S": 2.0})
    server.wait_until_ready()
    body = chat(stream=True, lens={"scope": "all", "top_k": 50}, sampling={"max_new_tokens": 480})
    stalled = RawClient(server.port, "/api/chat", body, x_client_id="stalled")
    stalled.read_until(b"event: token")

    other = server.post("/api/chat", chat(sampling={"max_new_tokens": 3}))
    assert other.status_code == 200

    server.wait_until(lambda: server.queue()["running"] == 0)
    stalled.read_until(b"event: error")
    assert b"reader_too_slow" in stalled.read_all().split(b"event: error")[1]


def test_idle_connections_do_not_keep_others_out(server: Process) -> None:
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    for connection in idle[:100]:
        connection.sendall(b"POST /api/chat HTTP/1.1\r\nhost: localhost\r\n")
    asked = time.monotonic()
    health = server.get("/api/health")

    assert health.status_code == 200
    assert time.monotonic() - asked < 5
    for connection in idle:
        connection.close()


def test_body_that_is_too_long_is_read_on_so_that_its_client_sees_why(server: Process) -> None:
    """A client that sends all of it before it reads would see its connection reset."""
    body = b"x" * 9_000_000
    for framing in (b"content-length: 9000000\r\n\r\n" + body, in_one_chunk(body)):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(
                b"POST /api/chat HTTP/1.1\r\nhost: localhost\r\n"
                b"content-type: application/json\r\nconnection: close\r\n" + framing
            )
            assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def in_one_chunk(body: bytes) -> bytes:
    return b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def test_body_that_is_announced_as_far_too_long_is_refused_unread(server: Process) -> None:
    for announced in (
        b"content-length: 99999999",
        b"content-length: 5000000\r\nexpect: 100-continue",
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(
                b"POST /api/chat HTTP/1.1\r\nhost: localhost\r\n"
                b"content-type: application/json\r\n" + announced + b"\r\n\r\n"
            )
            assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_body_without_a_declared_length_is_bounded(server: Process) -> None:
    def pieces() -> Any:
        for _ in range(90):
            yield b"x" * 50_000

    response = httpx.post(
        f"http://127.0.0.1:{server.port}/api/chat",
        content=pieces(),
        headers={"content-type": "application/json"},
        timeout=20,
    )

    assert response.status_code == 413
    assert response.json()["error"]["code"] == "payload_too_large"
