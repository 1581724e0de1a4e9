"""Starting and stopping, with real processes, sockets and signals."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest

from app.listening import CannotListen, addresses, bind_sockets, has_ipv6_loopback
from tests.server.conftest import BACKEND, Process, RawClient, Start

SLOW = {"step_seconds": 0.05}


def chat(n_tokens: int, **more: Any) -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": "Hi"}],
        "sampling": {"max_new_tokens": n_tokens},
        "stream": True,
        **more,
    }


def run_program(*argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "run.py", *argv],
        cwd=BACKEND,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_one_process_answers_on_every_port_and_address(start: Start) -> None:
    server = start()
    port = server.port

    hosts = ["127.0.0.1", "[::1]"] if has_ipv6_loopback() else ["127.0.0.1"]
    for host in hosts:
        assert httpx.get(f"http://{host}:{port}/", timeout=10).status_code == 200


def test_two_ports_are_told_and_bound() -> None:
    sockets = bind_sockets("127.0.0.1", (0, 0))
    try:
        assert len(addresses(sockets)) == 2
        assert len(sockets) == (4 if has_ipv6_loopback() else 2)
    finally:
        for bound in sockets:
            bound.close()


def test_connections_send_small_parts_at_once() -> None:
    """asyncio decides by the protocol of the socket, which it takes over from the one that listens."""

    async def scenario() -> int:
        (first, *others) = bind_sockets("127.0.0.1", (0,))
        for other in others:
            other.close()
        accepted: asyncio.Queue[int] = asyncio.Queue()

        async def on_connect(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            await accepted.put(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(on_connect, sock=first):
            _, writer = await asyncio.open_connection(*first.getsockname()[:2])
            found = await accepted.get()
            writer.close()
        return found

    assert asyncio.run(scenario()) == 1


def test_busy_port_frees_those_already_bound() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free_port = probe.getsockname()[1]
        probe.close()
        with pytest.raises(CannotListen):
            bind_sockets("127.0.0.1", (free_port, busy.getsockname()[1]))
        for bound in bind_sockets("127.0.0.1", (free_port,)):
            bound.close()


def test_busy_port_is_named_at_once_and_nothing_is_loaded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        started = time.monotonic()
        ended = run_program("--port", str(port))

    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert f"Port {port}" in ended.stderr
    assert "--port" in ended.stderr
    assert ended.stdout == ""
    assert time.monotonic() - started < 20, "it should take less than a second on a quiet machine"


@pytest.mark.parametrize(
    ("argv", "environment", "words"),
    [
        (["--host", "0.0.0.0"], {}, "EXPLORER_TOKEN"),
        (["--host", "0.0.0.0"], {"EXPLORER_TOKEN": ""}, "EXPLORER_TOKEN"),
        (["--port", "70000"], {}, "ports.0: Input should be less than or equal to 65535"),
        (["--device", "tpu"], {}, "device"),
        ([], {"EXPLORER_PORTS": "80,x"}, "ports.1"),
    ],
)
def test_wrong_settings_are_told_in_one_line(
    argv: list[str], environment: dict[str, str], words: str
) -> None:
    ended = run_program(*argv, **environment)

    assert ended.returncode == 2
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_missing_home_folder_is_told_in_one_line() -> None:
    """As in a container that runs under a user id without an account."""
    program = (
        "import sys; sys.argv = ['run.py', '--port', '0', '--model', 'embedded']\n"
        "from pathlib import Path\n"
        "def home(): raise RuntimeError('Could not determine home directory.')\n"
        "Path.home = home\n"
        "import run\n"
        "sys.exit(run.main())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=BACKEND,
        env={**os.environ, "EXPLORER_DATABASE": "", "XDG_DATA_HOME": "", "LOCALAPPDATA": ""},
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert ended.returncode == 1
    assert "EXPLORER_DATABASE" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_help_needs_none_of_the_heavy_packages() -> None:
    program = (
        "import sys; sys.argv = ['run.py', '--help']\n"
        "import run\n"
        "try: run.main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "assert not {'torch', 'nnsight', 'transformers', 'fastapi'} & sys.modules.keys()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=BACKEND, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert "--model" in ended.stdout


def test_server_modules_need_no_torch() -> None:
    program = "import sys, app.main, app.server; assert 'torch' not in sys.modules"

    subprocess.run([sys.executable, "-c", program], cwd=BACKEND, check=True)


def test_port_answers_while_the_model_loads(start: Start) -> None:
    server = start(load_seconds=1.5)
    health = server.get("/api/health")
    refused = server.post("/api/chat", chat(1))

    assert (health.status_code, health.json()["status"]) == (503, "loading")
    assert health.json()["detail"] == "Pretending to load."
    assert health.json()["download"] == {"done_bytes": 1, "total_bytes": 2}
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "model_loading"
    assert int(refused.headers["retry-after"]) >= 1
    assert server.get("/api/model_info").status_code == 503
    assert server.get("/").status_code == 200
    server.line("Model fake .* is ready")
    assert server.post("/api/chat", chat(1)).status_code == 200


def test_garbage_collector_leaves_out_what_was_loaded(start: Start) -> None:
    server = start()
    server.line("Model fake .* is ready")

    assert server.probe()["frozen_objects"] > 50_000


def test_stopping_lets_a_running_reply_end(start: Start) -> None:
    server = start(engine=SLOW)
    server.wait_until_ready()
    client = RawClient(server.port, "/api/chat", chat(30))
    client.read_until(b"event: token")
    server.signal(signal.SIGTERM)
    server.wait_until(lambda: server.get("/api/health").json()["status"] == "draining")
    client.read_until(b"event: token", times=20)
    refused = server.post("/api/chat", chat(1))
    client.read_all()

    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "draining"
    assert client.received.count(b"event: token") == 30
    assert client.received.count(b"event: done") == 1
    assert server.exit_code() == 0
    assert server.lines[-1] == "Stopped."


def test_reply_that_takes_too_long_is_ended_with_an_error(start: Start) -> None:
    server = start(engine=SLOW, settings={"shutdown_seconds": 0.2})
    server.wait_until_ready()
    running = RawClient(server.port, "/api/chat", chat(400), x_client_id="a")
    running.read_until(b"event: token")
    waiting = RawClient(server.port, "/api/chat", chat(400), x_client_id="b")
    waiting.read_until(b"event: start")
    signalled = time.monotonic()
    server.signal(signal.SIGINT)
    for client in (running, waiting):
        last = client.read_all().split(b"event: ")[-1]
        assert last.startswith(b"error")
        assert b'"draining"' in last
    assert server.exit_code() == 0
    assert time.monotonic() - signalled < 15


def test_stream_of_a_job_that_is_not_over_ends_with_an_error(start: Start) -> None:
    server = start(pauses=["cell:1"])
    server.wait_until_ready()
    url = f"http://127.0.0.1:{server.port}/api/jobs"
    texts = {"clean": {"prompt": "abcd"}, "corrupt": {"prompt": "abxd"}}
    job_id = httpx.post(url, json={"kind": "patch_map", **texts}).json()["id"]
    httpx.post(f"{url}/{job_id}/pause")
    server.get("/go_on")
    with httpx.stream("GET", f"{url}/{job_id}/events", timeout=60) as response:
        pieces = response.iter_text()
        received = next(pieces)
        server.signal(signal.SIGTERM)
        received += "".join(pieces)
    last = received.split("event: ")[-1]
    assert last.startswith("error")
    assert '"draining"' in last
    assert server.exit_code() == 0


def test_second_interrupt_ends_at_once(start: Start) -> None:
    server = start(engine=SLOW)
    server.wait_until_ready()
    client = RawClient(server.port, "/api/chat", chat(400))
    client.read_until(b"event: token")
    server.signal(signal.SIGINT)
    server.line("Ctrl-C again")
    server.signal(signal.SIGINT)

    assert server.exit_code(3) == 130


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_stopping_does_not_wait_for_a_load(start: Start, signum: signal.Signals) -> None:
    server = start(load_seconds=60)
    server.line("Loading the model")
    server.signal(signum)

    assert server.exit_code(8) == 0


def test_idle_server_stops_at_once(start: Start) -> None:
    server = start()
    server.wait_until_ready()
    with httpx.Client() as browser:  # keeps its connection open, as browsers do
        browser.get(f"http://127.0.0.1:{server.port}/api/health")
        server.signal(signal.SIGTERM)
        assert server.exit_code(8) == 0


def test_nothing_of_a_prompt_is_logged(start: Start) -> None:
    server: Process = start()
    server.wait_until_ready()
    secret = "canary-7f3a\r\nforged line"
    server.post("/api/chat", chat(2, messages=[{"role": "user", "content": secret}]))
    server.post("/api/chat", {"messages": [{"role": secret, "content": secret}]})
    server.post("/api/lens", {"prompt": secret, "layers": [99]})
    server.get("/api/tokens?query=canary-7f3a")
    server.signal(signal.SIGTERM)
    server.exit_code()

    assert "canary" not in server.output
    assert "forged" not in server.output
