"""Servers that the client starts: they end with it, however it ends. The one of `conftest.py` is waited for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from mechanistic_explorer import CannotLaunch, Explorer, launching
from mechanistic_explorer.launching import LocalServer, server_program

CLIENT = Path(__file__).resolve().parents[2] / "client"
WAITING = (
    "from mechanistic_explorer.launching import LocalServer\n"
    "server = LocalServer({'model': 'embedded', 'database': 'memory'})\n"
    "server.wait_for_address()\n"
    "print(server.process.pid, flush=True)\n"
    "input()"
)


def test_server_ends_when_python_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING],
        cwd=CLIENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        server = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    gone, alive = psutil.wait_procs([server], timeout=60)
    assert gone == [server], alive


def test_server_ends_with_the_object_that_started_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "run.py"
    program.write_text("print('  http://localhost:1', flush=True); input()")
    monkeypatch.setattr(launching, "server_program", lambda: program)
    server = LocalServer({"model": "embedded"})
    assert server.wait_for_address() == "http://localhost:1"
    process = server.process
    del server
    assert process.wait(60) is not None


def test_setting_that_is_wrong_is_named() -> None:
    with pytest.raises(CannotLaunch, match="Error: device:"):
        Explorer.launch("embedded", device="abacus")


def test_server_of_the_checkout_is_started_where_none_is_installed() -> None:
    assert server_program() == CLIENT.parent / "run.py"
