"""A server or a cluster as a process of its own, for measurements and tests."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence

from app.settings import BACKEND_DIR

READY_S = 300
STOP_S = 120


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@contextlib.contextmanager
def started(
    argv: Sequence[str], settings: Mapping[str, str], ready: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its URL, once it has printed a line that begins with `ready`.

    Nothing of this process's own settings reaches it. It is asked to stop at the end, and must.
    """
    port = free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("EXPLORER_", "RAY_"))}
    environment = {**kept, **settings, "EXPLORER_PORTS": str(port)}
    with subprocess.Popen(
        list(argv),
        cwd=BACKEND_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        lines: list[str] = []
        spoke = threading.Event()

        def read() -> None:
            """Reads all that it prints: a full pipe would hold it up."""
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if line.startswith(ready):
                    spoke.set()
            spoke.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            spoke.wait(READY_S)
            if not any(line.startswith(ready) for line in lines):
                raise RuntimeError(f"it did not start: {''.join(lines)}")
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_S)
            reader.join()
