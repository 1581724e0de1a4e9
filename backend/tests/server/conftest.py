from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.forked import ForkedServer

BACKEND = Path(__file__).resolve().parents[2]


class Process:
    """A server process, what it has printed, and ways to talk to it."""

    def __init__(self, server: list[str] | ForkedServer, cwd: Path = BACKEND) -> None:
        """`server` is what to run, or one that runs already."""
        if isinstance(server, list):
            self.process: subprocess.Popen[str] | ForkedServer = subprocess.Popen(
                server,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        else:
            self.process = server
        self.lines: list[str] = []
        self._local = threading.local()
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def line(self, pattern: str, seconds: float = 60) -> re.Match[str]:
        """Waits for a line of output."""
        with self._news:
            found = self._news.wait_for(
                lambda: (
                    next((m for line in self.lines if (m := re.search(pattern, line))), None)
                    or self.process.poll() is not None
                ),
                seconds,
            )
        assert isinstance(found, re.Match), f"no line {pattern!r} in:\n{self.output}"
        return found

    @property
    def port(self) -> int:
        return int(self.line(r"http://localhost:(\d+)")[1])

    def get(self, path: str) -> httpx.Response:
        return self._http().get(path)

    def post(self, path: str, body: dict[str, Any], **more: Any) -> httpx.Response:
        return self._http().post(path, json=body, **more)

    def _http(self) -> httpx.Client:
        """One client per thread: making one costs more than most requests."""
        if not hasattr(self._local, "client"):
            base = f"http://127.0.0.1:{self.port}"
            # Connections that were kept open would be closed by a server that drains.
            limits = httpx.Limits(max_keepalive_connections=0)
            self._local.client = httpx.Client(base_url=base, timeout=30, limits=limits)
        client: httpx.Client = self._local.client
        return client

    def wait_until(self, holds: Callable[[], bool], seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, self.output
            time.sleep(0.02)

    def wait_until_ready(self) -> None:
        self.wait_until(lambda: self.get("/api/health").status_code == 200)

    def queue(self) -> dict[str, int]:
        queue: dict[str, int] = self.get("/api/health").json()["queue"]
        return queue

    def probe(self) -> dict[str, int]:
        found: dict[str, int] = self.get("/probe").json()
        return found

    def signal(self, signum: signal.Signals) -> None:
        self.process.send_signal(signum)

    def exit_code(self, seconds: float = 60) -> int:
        code = self.process.wait(seconds)
        self._reader.join(5)
        return code

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.exit_code()


class RawClient:
    """A client that can stop reading and hang up at any byte, as browsers and curl do."""

    def __init__(self, port: int, path: str, body: dict[str, Any], **headers: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        content = json.dumps(body).encode()
        lines = {
            "host": "localhost",
            "content-type": "application/json",
            "content-length": str(len(content)),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.socket.sendall(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + content)
        self.received = b""

    def read_until(self, wanted: bytes, times: int = 1) -> None:
        while self.received.count(wanted) < times:
            more = self.socket.recv(65536)
            assert more, self.received[-500:]
            self.received += more

    def read_all(self) -> bytes:
        while more := self.socket.recv(65536):
            self.received += more
        return self.received

    def hang_up(self) -> None:
        self.socket.close()


Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts server processes, which end with the test and must not have printed a traceback."""
    started: list[Process] = []

    def start_one(**options: Any) -> Process:
        started.append(Process(ForkedServer(options, BACKEND)))
        return started[-1]

    yield start_one
    for process in started:
        process.end()
    for process in started:
        assert "Traceback" not in process.output, process.output
