"""`make cluster` and `make test-cluster`: the server behind Ray Serve, whose packages are an extra."""

from __future__ import annotations

import os
import subprocess

from tools.environment import VENV_PYTHON, prepare
from tools.start import require_free
from tools.steps import BACKEND, ROOT, SetupError

PORT = 8000


def cluster() -> int:
    """Replicas on this machine; they take this process's place, as with `make run`."""
    port = os.environ.get("PORTS") or str(PORT)
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise SetupError(f"PORTS is {port!r}; a cluster answers on one port, such as PORTS=8000.")
    replicas = os.environ.get("REPLICAS") or "2"
    require_free([int(port)], "Stop it, or choose another port: make cluster PORTS=8001")
    prepare("cluster", page=True)
    environment = {**os.environ, "EXPLORER_PORTS": port}
    if os.environ.get("MODEL"):
        environment["EXPLORER_MODEL"] = os.environ["MODEL"]
    environment["PYTHONPATH"] = str(BACKEND)
    os.chdir(ROOT)
    argv = [str(VENV_PYTHON), "-m", "cluster", f"replicas={replicas}"]
    os.execve(VENV_PYTHON, argv, environment)


def test_cluster() -> int:
    """The tests that start a cluster, which `make test` leaves out."""
    prepare("dev", page=True)
    prepare("cluster", page=False, node=False)
    return subprocess.run(
        [VENV_PYTHON, "-m", "pytest", "-m", "cluster", "tests/cluster"], cwd=BACKEND
    ).returncode
