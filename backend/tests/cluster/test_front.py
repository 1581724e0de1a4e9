"""What Serve's proxies add: sessions, typed errors, and an end for streams whose replica died."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from cluster.front import SESSION_HEADER, Front

REPLICA_HEADERS = [(b"content-security-policy", b"x"), (b"x-request-id", b"replica")]

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def answering(
    status: int, headers: list[tuple[bytes, bytes]], *bodies: bytes, is_cut: bool = False
) -> ASGIApp:
    """Stands for Serve: an answer of a replica or of Serve itself, which may stop short."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for body in bodies:
            await send({"type": "http.response.body", "body": body, "more_body": True})
        if not is_cut:
            await send({"type": "http.response.body", "body": b""})

    return app


async def silent(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Serve, when a replica died before it answered."""


async def telling(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answers with the session that a request was given."""
    body = b",".join(v for name, v in scope["headers"] if name == SESSION_HEADER.encode())
    await send({"type": "http.response.start", "status": 200, "headers": REPLICA_HEADERS})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def asking(app: ASGIApp, names_people: bool = False) -> AsyncIterator[httpx.AsyncClient]:
    whole = ProxyHeadersMiddleware(Front(app, names_people), trusted_hosts="10.0.0.1")
    transport = httpx.ASGITransport(whole, client=("10.0.0.1", 1))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def session_of(headers: dict[str, str], names_people: bool = False) -> str:
    async with asking(telling, names_people) as client:
        return (await client.get("/api/health", headers=headers)).text


async def test_a_tab_keeps_its_session_whatever_it_asks() -> None:
    async with asking(telling) as client:
        tab = {"X-Client-Id": "tab-1"}
        answers = [await client.get(path, headers=tab) for path in ("/api/health", "/api/jobs/x")]
        other = await client.get("/api/health", headers={"X-Client-Id": "tab-2"})
    assert len({answer.text for answer in answers}) == 1
    assert other.text != answers[0].text


async def test_tabs_of_one_person_share_a_session_where_tokens_name_people() -> None:
    one = {"Authorization": "Bearer secret", "X-Client-Id": "one"}
    two = {"Authorization": "Bearer secret", "X-Client-Id": "two"}
    assert await session_of(one, True) == await session_of(two, True)
    assert await session_of(one, False) != await session_of(two, False)
    assert "secret" not in await session_of(one, True)


async def test_a_client_without_an_id_is_known_by_the_address_behind_a_trusted_proxy() -> None:
    one, other = [{"X-Forwarded-For": address} for address in ("192.0.2.7", "192.0.2.8")]
    assert await session_of(one) == await session_of(one)
    assert await session_of(one) != await session_of(other)


async def test_a_session_that_a_client_names_itself_is_dropped() -> None:
    plain = {"X-Client-Id": "tab"}
    assert await session_of({SESSION_HEADER: "mine", **plain}) == await session_of(plain)


async def test_a_session_is_a_word_that_serve_takes_whatever_bytes_name_the_client() -> None:
    async with asking(telling) as client:
        answer = await client.get("/api/health", headers=[(b"x-client-id", b"\xff\xfe")])
    assert answer.text.isalnum()


@pytest.mark.parametrize(
    ("app", "code", "retry_after"),
    [
        (answering(503, [(b"retry-after", b"2")], b"dropped"), "queue_full", "2"),
        (answering(503, [], b"unavailable"), "unavailable", "5"),
        (silent, "unavailable", "2"),
    ],
)
async def test_what_serve_refuses_is_a_typed_error_with_a_time_to_come_again(
    app: ASGIApp, code: str, retry_after: str
) -> None:
    async with asking(app) as client:
        answer = await client.post("/api/chat")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (503, code)
    assert answer.headers["retry-after"] == retry_after
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"] == error["request_id"]
    assert error["hint"]


async def test_a_busy_replica_answers_503_as_serve_does() -> None:
    busy = [*REPLICA_HEADERS, (b"retry-after", b"3")]
    async with asking(answering(429, busy, b'{"error":1}')) as client:
        answer = await client.post("/api/chat")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert answer.text == '{"error":1}'


async def test_an_answer_of_a_replica_keeps_its_own_id_only() -> None:
    headers = [*REPLICA_HEADERS, (b"x-request-id", b"serve")]
    async with asking(answering(200, headers, b"{}")) as client:
        answer = await client.get("/api/health")
    assert answer.headers.get_list("x-request-id") == ["replica"]


async def test_a_stream_whose_replica_died_ends_with_an_error_event() -> None:
    headers = [*REPLICA_HEADERS, (b"content-type", b"text/event-stream; charset=utf-8")]
    async with asking(answering(200, headers, b"event: token\n\n", is_cut=True)) as client:
        text = (await client.post("/api/chat")).text
    events = [part.split("\n") for part in text.strip().split("\n\n")]
    assert [event[0] for event in events] == ["event: token", "event: error"]
    error = json.loads(events[1][1].removeprefix("data: "))["error"]
    assert (error["code"], error["request_id"]) == ("unavailable", "replica")


async def test_a_stream_that_ended_by_itself_gets_nothing_more() -> None:
    headers = [*REPLICA_HEADERS, (b"content-type", b"text/event-stream")]
    async with asking(answering(200, headers, b"event: done\n\n")) as client:
        assert (await client.post("/api/chat")).text == "event: done\n\n"
