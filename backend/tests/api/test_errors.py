"""Every failure has our form, a status, and never a number of the lens."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

import app.errors
from app.api.errors import STATUS_OF
from app.errors import ExplorerError, ModelComputationError, OutOfMemory
from app.services.conversation_file import MAX_FILE_BYTES
from tests.api.conftest import chat, events_of, make_client, wait_until_ready
from tests.fakes import FakeEngine

NUMBERS = {"probability", "entropy_nats", "kl_to_final_nats", "top_probabilities", "predictions"}
"""Fields that hold what a layer computed."""


def all_keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from all_keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from all_keys(inner)


def error_of(response: Any) -> dict[str, Any]:
    body = response.json()
    assert list(body) == ["error"]
    error: dict[str, Any] = body["error"]
    assert set(error) == {"code", "message", "hint", "param", "request_id"}
    assert error["request_id"] == response.headers["x-request-id"]
    assert response.status_code == STATUS_OF[error["code"]]
    return error


def test_every_error_code_has_a_status() -> None:
    codes = {
        kind.code
        for _, kind in inspect.getmembers(app.errors, inspect.isclass)
        if issubclass(kind, ExplorerError) and kind is not ExplorerError
    }

    assert codes == set(STATUS_OF)


def test_every_error_is_in_the_tree_of_the_module_text() -> None:
    for name, kind in inspect.getmembers(app.errors, inspect.isclass):
        if issubclass(kind, ExplorerError):
            assert name in (app.errors.__doc__ or "")


SECRET = "canary-7f3a"


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (b"", 422, None),
        (b"[]", 422, None),
        (b"null", 422, None),
        (b"{", 422, None),
        (b"\xff\xfe{}", 422, None),
        (b'{"messages": "canary-7f3a"}', 422, "messages"),
        (b'{"messages": [{"role": "canary-7f3a", "content": ""}]}', 422, "messages.0.role"),
        (b'{"messages": [{"role": "user", "content": "\\ud800 canary-7f3a"}]}', 422, None),
        (b'{"messages": [], "\\ud800canary": 1}', 422, None),
        (b'{"messages": [], "sampling": {"temperature": NaN}}', 422, "sampling.temperature"),
        (b'{"messages": [], "sampling": {"temperature": 1e999}}', 422, "sampling.temperature"),
        (b'{"messages": [], "sampling": {"temperature": -1}}', 422, "sampling.temperature"),
        (b'{"messages": [], "sampling": {"max_new_tokens": 1e999}}', 422, None),
        (b'{"messages": [], "sampling": {"seed": %s}}' % (b"9" * 400), 422, "sampling.seed"),
        (b'{"messages": [], "sampling": {"seed": %s}}' % (b"9" * 5000), 422, None),
        (b'{"messages": [], "extra": 1}', 422, "extra"),
        (
            b'{"messages": [{"role": "user", "content": "a"}], "stream": false, "stream": true}',
            422,
            "stream",
        ),
        (
            b'{"messages": [{"role": "user", "content": "a", "content": "canary-7f3a"}]}',
            422,
            "content",
        ),
        (b'{"\\ud800": 1, "\\ud800": 1}', 422, None),
        (b'{"messages":' + b"[" * 20_000 + b"]" * 20_000 + b"}", 422, None),
        (b'{"messages": [{"role": "user", "content": "' + b"x" * 4_300_000 + b'"}]}', 413, None),
    ],
    ids=lambda value: value[:40] if isinstance(value, bytes) else None,
)
def test_broken_bodies_get_our_error_and_are_not_echoed(
    client: TestClient, engine: FakeEngine, body: bytes, status: int, param: str | None
) -> None:
    response = client.post("/api/chat", content=body, headers={"content-type": "application/json"})

    error = error_of(response)
    assert response.status_code == status
    assert SECRET not in response.text
    if param is not None:
        assert error["param"] == param
    assert engine.steps_made == 0


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_other_content_types_are_refused(
    client: TestClient, engine: FakeEngine, content_type: str | None
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    response = client.post("/api/chat", content=json.dumps(chat("Hi")).encode(), headers=headers)

    assert error_of(response)["code"] == "invalid_request"
    assert "application/json" in error_of(response)["hint"]
    assert engine.steps_made == 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("POST", "/api/nothing", 404),
        ("GET", "/api", 404),
        ("GET", "/api/", 404),
        ("GET", "/api/chat/", 404),
        ("GET", "/api/chat", 405),
        ("DELETE", "/api/health", 405),
        ("POST", "/", 405),
        ("GET", "/api/tokens", 422),
        ("GET", "/api/tokens?query=a&limit=0", 422),
        ("GET", "/api/tokens?query=a&limit=NaN", 422),
        ("GET", "/api/tokens?query=" + "a" * 300, 422),
        ("GET", "/api/tokens?query=a&query=b", 422),
        ("GET", "/api/tokens?query=a&limt=1", 422),
        ("GET", "/api/conversations?q=a", 422),
        ("GET", "/api/conversations/x/export?format=chats", 422),
        ("GET", "/api/model_info?lens=tuned", 422),
    ],
)
def test_wrong_addresses_and_methods(
    client: TestClient, method: str, path: str, status: int
) -> None:
    response = client.request(method, path)

    error_of(response)
    assert response.status_code == status
    if path == "/api/chat":
        assert response.headers["allow"] == "POST"


def test_what_is_refused_in_the_address_is_named(client: TestClient) -> None:
    unknown = error_of(client.get("/api/conversations?q=a"))
    twice = error_of(client.get("/api/tokens?query=a&query=b"))

    assert unknown["param"] == "q"
    assert "limit, offset, query" in unknown["message"]
    assert twice["param"] == "query"


def test_health_answers_probes_that_add_parameters(client: TestClient) -> None:
    assert client.get("/api/health?probe=7").status_code == 200


def test_refused_method_is_told_every_method_of_the_address(client: TestClient) -> None:
    for method in ("PUT", "OPTIONS"):
        response = client.request(method, "/api/conversations/x")

        assert response.headers["allow"] == "DELETE, GET, PATCH"
        assert "it takes DELETE, GET, PATCH" in error_of(response)["message"]


def test_hint_for_a_file_that_is_too_large_speaks_of_the_file(client: TestClient) -> None:
    response = client.post("/api/conversations/import", content=b"x" * (MAX_FILE_BYTES + 1))

    assert response.status_code == 413
    assert "branches" in error_of(response)["hint"]


def test_bad_client_id_is_refused(client: TestClient) -> None:
    response = client.post("/api/chat", json=chat("Hi"), headers={"x-client-id": "a b"})

    assert error_of(response)["param"] == "x-client-id"


FAULTS: list[tuple[BaseException, str]] = [
    (ValueError("canary-7f3a"), "internal_error"),
    (MemoryError(), "out_of_memory"),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out_of_memory"),
    (OutOfMemory("too big"), "out_of_memory"),
    (ModelComputationError("layer 2 is not finite"), "model_non_finite"),
    (SystemError("canary-7f3a"), "internal_error"),
]
CHAT_STAGES = ["tokenise", "prefill", "decode:0", "decode:5", "read"]


@pytest.mark.parametrize("stage", CHAT_STAGES)
@pytest.mark.parametrize(("failure", "code"), FAULTS, ids=lambda v: type(v).__name__)
def test_fault_in_a_chat_is_a_typed_error_without_numbers(
    client: TestClient, engine: FakeEngine, stage: str, failure: BaseException, code: str
) -> None:
    if stage == "tokenise" and code == "out_of_memory" and not isinstance(failure, ExplorerError):
        code = "internal_error"  # Tokenising is no work of the model; there it is a defect.
    engine.faults.raises[stage] = failure
    body = chat("Hi", sampling={"max_new_tokens": 10}, lens={"scope": "all"})

    response = client.post("/api/chat", json=body)
    assert error_of(response)["code"] == code
    assert not NUMBERS & set(all_keys(response.json()))
    assert SECRET not in response.text

    response = client.post("/api/chat", json={**body, "stream": True})
    if stage == "tokenise":
        assert error_of(response)["code"] == code
    else:
        events = events_of(response.text)
        assert [e["type"] for e in events].count("error") == 1
        assert events[-1]["type"] == "error"
        assert events[-1]["error"]["code"] == code
        assert events[-1]["error"]["request_id"] == response.headers["x-request-id"]
        # What came before was computed; of what failed there is nothing.
        n_whole = {"prefill": 0, "decode:0": 0, "decode:5": 5, "read": 10}[stage]
        assert sum(event["type"] == "lens" for event in events) == n_whole
    assert SECRET not in response.text

    engine.faults.raises.clear()
    assert client.post("/api/chat", json=body).status_code == 200


@pytest.mark.parametrize("stage", ["tokenise", "read"])
def test_fault_in_a_reading_is_a_typed_error_without_numbers(
    client: TestClient, engine: FakeEngine, stage: str
) -> None:
    engine.faults.raises[stage] = ValueError(SECRET)

    response = client.post("/api/lens", json={"prompt": "abc"})

    assert error_of(response)["code"] == "internal_error"
    assert not NUMBERS & set(all_keys(response.json()))
    assert SECRET not in response.text


@pytest.mark.parametrize("path", ["/api/chat", "/api/lens"])
def test_number_that_is_none_is_an_error_naming_the_layer(path: str) -> None:
    with make_client(FakeEngine(nan_layer=2)) as client:
        wait_until_ready(client)
        body = chat("abc", lens={"scope": "all"}) if path == "/api/chat" else {"prompt": "abc"}
        response = client.post(path, json=body)

    error = error_of(response)
    assert error["code"] == "model_non_finite"
    assert "layer 2" in error["message"]
    assert not NUMBERS & set(all_keys(response.json()))


def test_failure_while_serialising_is_a_typed_error(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> bytes:
        raise ValueError(SECRET)

    monkeypatch.setattr("app.services.reading.lens_json", fail)
    monkeypatch.setattr("app.services.reply.readouts_by_token", fail)

    for path, body in (("/api/lens", {"prompt": "abc"}), ("/api/chat", chat("abc"))):
        response = client.post(path, json=body)
        assert error_of(response)["code"] == "internal_error"
        assert not NUMBERS & set(all_keys(response.json()))
        assert SECRET not in response.text

    response = client.post("/api/chat", json={**chat("abc"), "stream": True})
    events = events_of(response.text)
    assert events[-1]["type"] == "error"
    assert events[-1]["error"]["code"] == "internal_error"
    assert not any(event["type"] in ("lens", "done") for event in events)
    assert SECRET not in response.text
