"""Connections whose client is slow, broken or too many, against a real server process."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path
from typing import Any

import httpx

from tests.server.conftest import Process, RawClient, Start
from tests.server.test_disconnects import chat

HALF_A_REQUEST = (
    b"POST /api/chat HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    b'content-length: 500\r\n\r\n{"messages'
)


def connected(server: Process, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    connection.sendall(sent)
    return connection


def answer_to(server: Process, target: str) -> bytes:
    """The whole answer to a GET, whose target is sent as it stands."""
    request = f"GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    with connected(server, request.encode()) as connection:
        return b"".join(iter(lambda: connection.recv(65536), b""))


def is_cut(connection: socket.socket) -> bool:
    """Waits until the server ends the connection; False if it answers instead."""
    try:
        return connection.recv(65536) == b""
    except ConnectionResetError:
        return True


def error_of(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-security-policy" in head.lower()
    error: dict[str, Any] = json.loads(body)["error"]
    assert error["request_id"].encode() in head
    return error


def test_connection_that_never_completes_a_request_is_cut(start: Start) -> None:
    server = start(connection={"HEAD_SECONDS": 0.3, "BODY_SECONDS": 0.3})
    server.wait_until_ready()

    for sent in (b"", b"GET /api/health HTTP/1.1\r\nhost: loc", HALF_A_REQUEST):
        assert is_cut(connected(server, sent))
    assert server.probe()["steps"] == 0


def test_reply_may_take_longer_than_a_request_may_take_to_come(start: Start) -> None:
    server = start(
        engine={"step_seconds": 0.05}, connection={"HEAD_SECONDS": 0.2, "BODY_SECONDS": 0.2}
    )
    server.wait_until_ready()

    client = RawClient(server.port, "/api/chat", chat(stream=True, sampling={"max_new_tokens": 20}))
    client.read_until(b"event: done")

    assert client.received.count(b"event: token") == 20


def test_client_that_takes_nothing_of_a_large_answer_is_cut(start: Start) -> None:
    server = start(connection={"WRITE_SECONDS": 0.3})
    server.wait_until_ready()
    stalled = connected(server, b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n")

    server.wait_until(lambda: server.probe()["connections"] == 1, 20)
    stalled.close()


def test_half_a_request_delays_no_shutdown(start: Start) -> None:
    server = start(server={"LAST_BYTES_SECONDS": 60})
    server.wait_until_ready()
    half = [connected(server, HALF_A_REQUEST), connected(server, b"GET / HTT"), connected(server)]
    server.probe()
    server.signal(signal.SIGTERM)

    assert server.exit_code(20) == 0
    assert all(map(is_cut, half))
    assert "ASGI" not in server.output


def test_client_that_does_not_read_is_cut_at_shutdown_without_a_traceback(start: Start) -> None:
    server = start(settings={"shutdown_seconds": 0.2})
    server.wait_until_ready()
    body = chat(stream=True, lens={"scope": "all", "top_k": 50}, sampling={"max_new_tokens": 480})
    stalled = RawClient(server.port, "/api/chat", body)
    stalled.read_until(b"event: token")
    server.wait_until(lambda: server.probe()["steps"] > 200)
    server.signal(signal.SIGTERM)

    assert server.exit_code(30) == 0
    assert "ASGI" not in server.output


def test_what_is_not_http_gets_an_error_in_our_form(start: Start) -> None:
    server = start()
    server.wait_until_ready()

    for sent in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\xff HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
        b"\r\n\r\n\r\n{}\r\n\r\n",
    ):
        connection = connected(server, sent)
        answer = b"".join(iter(lambda c=connection: c.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert error_of(answer)["code"] == "invalid_request"


def test_address_of_another_server_is_refused(start: Start) -> None:
    server = start()
    server.wait_until_ready()
    answer = answer_to(server, "http://evil.example/api/health")

    assert answer.startswith(b"HTTP/1.1 403 ")
    assert error_of(answer)["code"] == "forbidden"


PATHS_OUT = (
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e%2fsecret.txt",
    "/a/../../secret.txt",
    "/assets/../../secret.txt",
    "//../secret.txt",
    "/..\\secret.txt",
    "/.%00./secret.txt",
    "/secret.txt",
)


def test_page_stays_in_its_folder(start: Start, tmp_path: Path) -> None:
    """Paths as they are sent: clients clean them up, attackers do not."""
    (tmp_path / "secret.txt").write_text("the secret")
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "index.html").write_text("the page")
    (folder / "public.txt").write_text("what is public")
    server = start(settings={"page_dir": str(folder)})
    server.wait_until_ready()

    assert answer_to(server, "/public.txt").endswith(b"what is public")
    assert answer_to(server, "/a/../public.txt").endswith(b"what is public")
    for path in PATHS_OUT:
        found = answer_to(server, path)
        assert found.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 200 OK")), path
        assert b"the secret" not in found


def test_more_connections_than_the_limit_get_an_error_in_our_form(start: Start) -> None:
    server = start(server={"MAX_CONNECTIONS": 3})
    server.wait_until_ready()
    idle = [connected(server) for _ in range(3)]
    response = httpx.get(f"http://127.0.0.1:{server.port}/api/health")
    for connection in idle:
        connection.close()

    assert response.status_code == 503
    assert response.json()["error"]["code"] == "unavailable"
    assert "3 connections" in response.json()["error"]["message"]
    assert int(response.headers["retry-after"]) >= 1
    assert response.headers["x-request-id"] == response.json()["error"]["request_id"]
    server.wait_until(lambda: server.get("/api/health").status_code == 200)
