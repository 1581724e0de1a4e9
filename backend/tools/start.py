"""`make run` and `make dev`: prepare what is missing, then hand over to the servers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from app.listening import CannotListen, bind_sockets
from tools.environment import VENV_PYTHON, prepare
from tools.steps import BACKEND, FRONTEND, ROOT, SetupError

RUN_PORTS = (5173, 8000)
"""The page's address as people know it, and the API's; both answer both."""
STOP_SECONDS = 25.0


def run() -> int:
    ports = wanted_ports()
    require_free(ports, "Stop it, or choose other ports: make run PORTS=5174,8001")
    prepare("run", page=True)
    environment = {**os.environ, "EXPLORER_PORTS": json.dumps(ports)}
    if os.environ.get("MODEL"):
        environment["EXPLORER_MODEL"] = os.environ["MODEL"]
    # The server takes this process's place, so that signals and exit codes are its own; it starts
    # in the root, where `MODEL=./folder` was written.
    os.chdir(ROOT)
    os.execve(VENV_PYTHON, [str(VENV_PYTHON), str(BACKEND / "run.py")], environment)


def wanted_ports() -> list[int]:
    """Ports from PORTS (`"5173 8000"` or `5173,8000`), else EXPLORER_PORTS, else the usual two."""
    text = os.environ.get("PORTS") or os.environ.get("EXPLORER_PORTS")
    if not text:
        return list(RUN_PORTS)
    words = re.split(r"[\s,]+", text.strip().strip("[]").strip())
    if not all(word.isdigit() and 0 < int(word) < 65536 for word in words):
        raise SetupError(f"PORTS is {text!r}; write port numbers, such as PORTS=5173,8000.")
    return [int(word) for word in words]


def require_free(ports: list[int], way_out: str) -> None:
    """Raises SetupError for a busy port before minutes go into a set-up."""
    try:
        sockets = bind_sockets(os.environ.get("EXPLORER_HOST") or "127.0.0.1", ports)
    except CannotListen as failure:
        what = str(failure).partition(". ")[0]
        raise SetupError(f"{what}. {way_out}") from failure
    for bound in sockets:
        bound.close()


def dev() -> int:
    """The API with reload on :8000 and Vite on :5173; when one ends, so does the other."""
    require_free(list(RUN_PORTS), "Stop it: make dev uses 5173 for Vite and 8000 for the API.")
    prepare("dev", page=False)
    environment = {**os.environ, "EXPLORER_DEV_ORIGIN": "http://localhost:5173"}
    if os.environ.get("MODEL"):
        environment["EXPLORER_MODEL"] = os.environ["MODEL"]
    api = [str(VENV_PYTHON), "-m", "uvicorn", "app.main:create_app", "--factory"]
    api += ["--reload", "--reload-dir", "app", "--host", "127.0.0.1", "--port", "8000"]
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.default_int_handler)
    servers = [
        start(api, BACKEND, environment),
        start(["npm", "run", "dev"], FRONTEND, environment),
    ]
    try:
        while all(server.poll() is None for server in servers):
            time.sleep(0.3)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        stop(servers)


def start(argv: list[str], cwd: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A server in a session of its own, so that its children can be stopped with it."""
    return subprocess.Popen(
        argv, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
    )


def stop(servers: list[subprocess.Popen[bytes]]) -> None:
    for signum in (signal.SIGTERM, signal.SIGKILL):
        for server in servers:
            if server.poll() is None:
                os.killpg(server.pid, signum)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and any(server.poll() is None for server in servers):
            time.sleep(0.1)
