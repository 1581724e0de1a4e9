"""Failures as exceptions: of the server, of the way to it, and of what else may listen there."""

from __future__ import annotations

import http.server
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
    ServerError,
    UnexpectedAnswer,
)

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

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
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


def test_every_exception_of_the_package_has_one_root() -> None:
    for kind in (CannotConnect, CannotLaunch, ServerError, UnexpectedAnswer):
        assert issubclass(kind, ExplorerError)
