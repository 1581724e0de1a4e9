"""Failures as exceptions: of the server, of the way to it, and of what else may listen there."""

from __future__ import annotations

import contextlib
import http.server
import json
import pickle
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from mechanistic_explorer import (
    CannotConnect,
    CannotLaunch,
    Explorer,
    ExplorerError,
    NotReady,
    ServerBusy,
    ServerError,
    UnexpectedAnswer,
)
from mechanistic_explorer import explorer as explorer_module

from tests.client.conftest import url_of
from tests.server.conftest import Process, Start

TOKEN = "a-token-of-the-server"


def test_refusal_has_code_hint_and_the_field_that_is_wrong(explorer: Explorer) -> None:
    with pytest.raises(ServerError) as refused:
        explorer.lens("a" * 600)

    error = refused.value
    assert (error.code, error.status, error.param) == ("context_exceeded", 422, "prompt")
    assert error.message in str(error)
    assert error.hint
    assert error.hint in str(error)
    assert error.request_id


def test_field_of_the_wrong_type_is_refused_by_the_server(explorer: Explorer) -> None:
    with pytest.raises(ServerError) as refused:
        explorer.lens("abc", top_k=99)
    assert (refused.value.code, refused.value.param) == ("invalid_request", "top_k")


def test_error_comes_out_of_another_process_as_it_was(explorer: Explorer) -> None:
    """A pool of processes pickles what its workers raise; one that cannot be unpickled hangs it."""
    with pytest.raises(ServerError) as refused:
        explorer.lens("a" * 600)
    again = pickle.loads(pickle.dumps(refused.value))  # noqa: S301
    assert str(again) == str(refused.value)
    assert (again.code, again.status) == ("context_exceeded", 422)


def test_stream_that_is_refused_is_the_same_exception(explorer: Explorer) -> None:
    with pytest.raises(ServerError, match="max_new_tokens"):
        explorer.chat_stream("a", sampling={"max_new_tokens": -1})


@pytest.mark.parametrize("name", ["", "../health", "a/b", "?x", "%2e%2e", "\n"])
def test_id_never_becomes_another_address(name: str, explorer: Explorer) -> None:
    with pytest.raises(ServerError) as refused:
        explorer.get_job(name)
    assert refused.value.status in (404, 405, 422)


def test_token_is_sent_and_a_wrong_one_is_refused(start: Start) -> None:
    """Also while the model loads, when health is a 503 with the body of a success."""
    server = start(load_seconds=300, settings={"token": TOKEN})
    with Explorer(url_of(server), TOKEN) as explorer:
        assert explorer.health().status == "loading"
        assert TOKEN not in repr(explorer)
        with pytest.raises(ServerError, match="model_loading"):
            explorer.stats()
    for token in (None, "another"):
        with Explorer(url_of(server), token) as explorer, pytest.raises(ServerError) as refused:
            explorer.stats()
        assert (refused.value.code, refused.value.status) == ("unauthorized", 401)


def test_server_that_is_not_there_is_named_with_the_way_to_start_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with Explorer(f"http://127.0.0.1:{port}") as explorer, pytest.raises(CannotConnect) as failure:
        explorer.model_info()
    assert f"http://127.0.0.1:{port}" in str(failure.value)
    assert "mechanistic-explorer serve" in str(failure.value)


def test_silent_server_is_told_apart_from_one_that_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with (
            Explorer(url, timeout_s=0.05) as explorer,
            pytest.raises(CannotConnect, match="timeout_s"),
        ):
            explorer.stats()


@pytest.fixture
def other_program() -> Iterator[str]:
    """Another web server."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = b"<h1>hello</h1>" if self.path == "/api/stats" else b'{"detail": "nothing"}'
            self.send_response(200 if self.path == "/api/stats" else 502)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Prints nothing."""

    with serving(Page) as url:
        yield url


@contextlib.contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_another_program_at_the_address_is_recognised(other_program: str) -> None:
    with Explorer(other_program) as explorer:
        with pytest.raises(UnexpectedAnswer, match="text/html, not with JSON"):
            explorer.stats()
        with pytest.raises(UnexpectedAnswer, match=r"ErrorResponse\.error"):
            explorer.health()


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://localhost", "http://", ""])
def test_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="write http://localhost:8000"):
        Explorer(url)


def test_slash_at_the_end_of_the_address_is_the_same_server(server: Process) -> None:
    with Explorer(f"{url_of(server)}/") as explorer:
        assert explorer.stats().forward_passes >= 0


def test_proxy_of_the_environment_is_not_the_way_to_this_machine(
    server: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with Explorer(url_of(server)) as explorer:
        assert explorer.health().status == "ready"


def test_waiting_for_a_model_that_cannot_be_loaded_ends(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    health = explorer.health().to_dict() | {"status": "failed", "detail": "No such model."}
    monkeypatch.setattr(explorer, "_json", lambda _: health)
    with pytest.raises(CannotLaunch, match="No such model"):
        explorer.wait_until_ready()


def test_waiting_for_a_model_ends_with_its_time(start: Start) -> None:
    server = start(load_seconds=300)
    told: list[str] = []
    with Explorer(url_of(server)) as explorer:
        with pytest.raises(NotReady, match=r"Waited 0\.5 s .* It is loading: Pretending") as late:
            explorer.wait_until_ready(told.append, wait_s=0.5)
        assert late.value.health is not None
        assert late.value.health.status == "loading"
        assert told
        assert explorer.health().status == "loading", "the server goes on"
        again = pickle.loads(pickle.dumps(late.value))  # noqa: S301
        assert (str(again), again.health) == (str(late.value), late.value.health)


def test_silence_of_the_server_ends_with_the_time_of_the_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(explorer_module, "LOOK_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with (
            Explorer(url) as explorer,
            pytest.raises(NotReady, match="does not answer") as late,
        ):
            explorer.wait_until_ready(wait_s=0.1)
    assert late.value.health is None


def test_server_that_is_away_is_told_at_once_and_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with Explorer(f"http://127.0.0.1:{port}") as explorer, pytest.raises(CannotConnect):
        explorer.wait_until_ready()


def test_time_of_a_wait_changes_no_later_request(explorer: Explorer) -> None:
    before = explorer._http.timeout
    assert explorer.wait_until_ready(wait_s=0).status == "ready"
    assert explorer._http.timeout == before


def test_change_to_another_model_ends_with_its_time(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer, "change_model", lambda *_, **__: None)
    with pytest.raises(NotReady, match="Waited 0 s for another"):
        explorer.use_model("another", wait_s=0)


def test_health_that_is_refused_as_too_many_is_an_error_and_no_health() -> None:
    """A cluster answers 503 both for a model that loads and for too many requests."""

    class Busy(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            error = {"code": "queue_full", "message": "Full.", "hint": None, "param": None}
            content = json.dumps({"error": {**error, "request_id": "r"}}).encode()
            self.send_response(503)
            self.send_header("retry-after", "1")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Prints nothing."""

    with (
        serving(Busy) as url,
        Explorer(url, retry_s=0) as explorer,
        pytest.raises(ServerBusy) as refused,
    ):
        explorer.health()
    assert (refused.value.status, refused.value.retry_after_s) == (503, 1)


def test_every_exception_of_the_package_has_one_root() -> None:
    for kind in (CannotConnect, CannotLaunch, NotReady, ServerError, UnexpectedAnswer):
        assert issubclass(kind, ExplorerError)
