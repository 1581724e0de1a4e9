from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.settings import Settings
from tests.api.conftest import chat, make_client, wait_until_ready
from tests.fakes import FakeEngine

TOKEN = "a-long-enough-token"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "[::1]",
        "LOCALHOST",
        "localhost:8000",
        "localhost.",
        "localhost.:1",
    ],
)
def test_own_hosts_pass(client: TestClient, host: str) -> None:
    assert client.get("/api/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost..",
        ".",
        "",
        "user@localhost",
        "localhost/x?",
        "localhost:8000:9",
        "localhost:x",
        "0.0.0.0",
        "[::1",
        "x/health?",
    ],
)
@pytest.mark.parametrize("path", ["/api/health", "/", "/docs", "/api/chat"])
def test_foreign_hosts_are_refused_everywhere(client: TestClient, host: str, path: str) -> None:
    response = client.get(path, headers={"host": host})

    assert response.status_code == 403
    assert response.json()["error"]["code"] == "forbidden"


def test_two_host_headers_are_refused(client: TestClient) -> None:
    response = client.get("/api/health", headers=[("host", "localhost"), ("host", "localhost")])

    assert response.status_code == 403


def test_further_hosts_can_be_allowed() -> None:
    with make_client(FakeEngine(), allowed_hosts=("lab.example",)) as client:
        wait_until_ready(client)
        assert client.get("/api/health", headers={"host": "lab.example"}).status_code == 200
        assert client.get("/api/health", headers={"host": "x.lab.example"}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"origin": "http://localhost"}, True),
        ({"origin": "http://localhost", "sec-fetch-site": "same-origin"}, True),
        # Only a proxy in front of this very port can serve such a page.
        ({"origin": "https://localhost"}, True),
        ({"origin": "https://localhost:5173"}, False),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "http://localhost:5173"}, False),
        ({"origin": "http://localhost:5173.evil.example"}, False),
        ({"origin": ""}, False),
    ],
)
@pytest.mark.parametrize("path", ["/api/chat", "/api/lens"])
def test_only_the_own_page_and_programs_may_write(
    client: TestClient, engine: FakeEngine, headers: dict[str, str], passes: bool, path: str
) -> None:
    body = chat("Hi", sampling={"max_new_tokens": 1}) if path == "/api/chat" else {"prompt": "a"}
    response = client.post(path, json=body, headers=headers)

    assert response.status_code == (200 if passes else 403)
    assert "access-control-allow-origin" not in response.headers
    if not passes:
        assert engine.faults.calls == {}


def test_development_server_may_write_when_it_is_named() -> None:
    origin = {"origin": "http://localhost:5173", "sec-fetch-site": "same-site"}
    with make_client(FakeEngine(), dev_origin="http://localhost:5173") as client:
        wait_until_ready(client)
        assert client.post("/api/lens", json={"prompt": "a"}, headers=origin).status_code == 200
        origin["origin"] = "http://localhost:5174"
        assert client.post("/api/lens", json={"prompt": "a"}, headers=origin).status_code == 403


def test_preflight_gives_no_permission(client: TestClient) -> None:
    response = client.options(
        "/api/chat",
        headers={"origin": "http://evil.example", "access-control-request-method": "POST"},
    )

    assert response.status_code == 405
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.fixture
def guarded() -> Iterator[TestClient]:
    with make_client(FakeEngine(), token=TOKEN) as client:
        wait_until_ready(client)
        yield client


def endpoints(app: Any) -> list[tuple[str, str]]:
    assert isinstance(app, FastAPI)
    api = [
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    ]
    return [*api, ("GET", "/docs"), ("GET", "/openapi.json"), ("GET", "/api/nothing")]


def test_token_is_needed_everywhere_but_for_health(guarded: TestClient) -> None:
    for method, path in endpoints(guarded.app):
        for given in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}):
            response = guarded.request(method, path, headers=given)
            if path == "/api/health":
                assert response.status_code == 200
            else:
                assert response.status_code == 401, path
                assert response.headers["www-authenticate"] == "Bearer"
                assert response.json()["error"]["code"] == "unauthorized"


def test_token_opens(guarded: TestClient) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}

    assert guarded.get("/api/model_info", headers=headers).status_code == 200
    assert guarded.get("/docs", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "path", ["/%61pi/model_info", "/api/../api/model_info", "//api/model_info"]
)
def test_spelling_the_path_otherwise_opens_nothing(guarded: TestClient, path: str) -> None:
    response = guarded.get(path)

    assert "model_name" not in response.text


def test_websockets_are_refused(client: TestClient) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("ws://localhost/api/chat"),
    ):
        pass


def test_every_kind_of_answer_has_the_security_headers(client: TestClient) -> None:
    answers = [
        client.get("/api/health"),
        client.get("/api/nothing"),
        client.get("/"),
        client.get("/docs"),
        client.post("/api/chat", json={}),
        client.post("/api/chat", json=chat("a", stream=True)),
        client.get("/api/health", headers={"host": "evil.example"}),
    ]

    for response in answers:
        policy = response.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe-inline" not in policy.split("style-src")[0]
        assert "frame-ancestors 'none'" in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["cross-origin-resource-policy"] == "same-origin"
        assert len(response.headers["x-request-id"]) == 16
    assert len({response.headers["x-request-id"] for response in answers}) == len(answers)


def test_reachable_server_needs_a_token() -> None:
    with pytest.raises(ValueError, match="EXPLORER_TOKEN"):
        Settings(host="0.0.0.0")
    with pytest.raises(ValueError, match="EXPLORER_TOKEN"):
        Settings(host="0.0.0.0", token="")
    with pytest.raises(ValueError, match="EXPLORER_TOKEN"):
        Settings(host="lab.example")
    for short in ("a", "a" * 15):
        with pytest.raises(ValueError, match="16 characters"):
            Settings(host="0.0.0.0", token=short)
        assert Settings(host="127.0.0.1", token=short).token is not None
    assert Settings(host="0.0.0.0", token=TOKEN).token is not None
    for host in ("127.0.0.1", "::1", "localhost", "127.0.0.2"):
        assert Settings(host=host).is_local
