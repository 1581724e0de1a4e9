"""Starts the server of this machine: the installed one, or that of the checkout around this file."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mechanistic_explorer.errors import CannotLaunch

SERVER_PACKAGE = "mechanistic_explorer_server"
ADDRESS = re.compile(r"^\s*(http://localhost:\d+)\s*$")
USUAL_PORTS = "5173,8000"
START_SECONDS = 120.0
STOP_SECONDS = 30.0
KEPT_LINES = 40
NOT_INSTALLED = (
    "The server is not installed in this environment. Install it:"
    ' pip install "mechanistic-explorer[server]"'
)


def server_program() -> Path:
    """`run.py` of the installed server, else of this checkout. Raises CannotLaunch."""
    candidates = []
    spec = importlib.util.find_spec(SERVER_PACKAGE)
    if spec is not None and spec.origin is not None:
        candidates.append(Path(spec.origin).parent / "backend" / "run.py")
    candidates.append(Path(__file__).resolve().parents[2] / "run.py")
    found = next((path for path in candidates if (path.parent / "app").is_dir()), None)
    if found is None:
        raise CannotLaunch(NOT_INSTALLED)
    return found


def server_environment(**variables: str) -> dict[str, str]:
    """The environment of a server; its program finds its own packages beside itself."""
    environment = {**os.environ, **variables}
    environment.pop("PYTHONSAFEPATH", None)
    return environment


def run_server(options: Sequence[str]) -> int:
    """The server in the foreground, with the options of `run.py`; page and API have their usual ports."""
    environment = server_environment()
    if not environment.get("EXPLORER_PORTS"):
        environment["EXPLORER_PORTS"] = USUAL_PORTS
    named = ("--started-as", "mechanistic-explorer serve")
    argv = [sys.executable, str(server_program()), *named, *options]
    if sys.platform != "win32":
        # In place of this process, so that signals and exit codes are the server's own.
        os.execve(sys.executable, argv, environment)
    with subprocess.Popen(argv, env=environment) as server:
        while True:
            with contextlib.suppress(KeyboardInterrupt):  # the server has had the same Ctrl-C
                return server.wait()


def setting(value: object) -> str:
    """A setting as an environment variable."""
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


class LocalServer:
    """A server process that ends with this object, and with this process however that ends."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        program = server_program()
        given = {key: value for key, value in settings.items() if value is not None}
        given.setdefault("ports", 0)
        variables = {f"EXPLORER_{key.upper()}": setting(value) for key, value in given.items()}
        self.token = variables.get("EXPLORER_TOKEN") or os.environ.get("EXPLORER_TOKEN") or None
        self.process = subprocess.Popen(
            [sys.executable, str(program), "--until-stdin-closes"],
            env=server_environment(PYTHONIOENCODING="utf-8", **variables),
            # The operating system closes its other end when this process is gone, even by kill -9.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            # A Ctrl-C that interrupts a cell or a script must not stop the server as well.
            **own_group(),
        )
        self._output = Output(self.process)
        self._end = weakref.finalize(self, stop_process, self.process)

    def wait_for_address(self) -> str:
        """Where it listens, which it says before the model loads. Raises CannotLaunch."""
        address = self._output.wait_for_address()
        if address is None:
            raise CannotLaunch(f"The server did not start:\n{self._output.text}")
        return address

    def require_alive(self, cause: Exception) -> None:
        """Raises CannotLaunch where the process has ended."""
        if self.process.poll() is not None:
            raise CannotLaunch(f"The server has ended:\n{self._output.text}") from cause

    def stop(self) -> None:
        """Lets a running reply be saved, and waits until the process has ended."""
        self._end()


class Output:
    """The last lines that a server printed. A process whose output is not read would come to a halt."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._address: str | None = None
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self._lines.append(line.rstrip())
                if found := ADDRESS.match(line):
                    self._address = self._address or found[1]
                self._news.notify_all()
        self._process.stdout.close()
        with self._news:
            self._process.wait()
            self._news.notify_all()

    def wait_for_address(self) -> str | None:
        """The address, once it is printed; None where the process ended without one."""
        with self._news:
            self._news.wait_for(
                lambda: self._address is not None or self._process.poll() is not None, START_SECONDS
            )
        return self._address

    @property
    def text(self) -> str:
        return "\n".join(self._lines)


def stop_process(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def own_group() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def write_progress(line: str) -> None:
    """To stderr, which notebooks show below the cell."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
