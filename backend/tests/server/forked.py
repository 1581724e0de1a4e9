"""Fake servers that fork from a process which has imported everything already.

Importing what a server needs takes longer than most tests of servers. Each server is still a
process of its own, with its own memory, sockets and signals.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any


class ForkedServer:
    """What the tests need of `subprocess.Popen`, for a server of `tests.server.serve_fake`."""

    def __init__(self, options: dict[str, Any], cwd: Path) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__, "tests.server.serve_fake"])
        reader, writer = context.Pipe(duplex=False)
        # The process that all fork from has the environment of the first test.
        arguments = (options, dict(os.environ), str(cwd), writer)
        self._process = context.Process(target=serve, args=arguments, daemon=True)
        self._process.start()
        writer.close()
        self.stdout = os.fdopen(os.dup(reader.fileno()), encoding="utf-8")
        reader.close()
        self._asking = threading.Lock()

    def poll(self) -> int | None:
        # Its exit code can be read only once.
        with self._asking:
            return self._process.exitcode

    def wait(self, seconds: float) -> int:
        wait([self._process.sentinel], seconds)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("the fake server", seconds)
        return code

    def send_signal(self, signum: int) -> None:
        assert self._process.pid is not None
        if self.poll() is None:
            os.kill(self._process.pid, signum)

    def kill(self) -> None:
        self._process.kill()


def serve(
    options: dict[str, Any], environment: dict[str, str], cwd: str, writer: Connection
) -> None:
    """In the forked process: goes on as if it had been started by itself."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(writer.fileno(), stream.fileno())
    writer.close()
    from tests.server.serve_fake import main

    main(options)
