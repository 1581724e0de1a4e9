"""`make bench`: the benchmarks of `backend/bench/`, in the project's own environment."""

from __future__ import annotations

import subprocess

from tools.environment import VENV_PYTHON, prepare
from tools.steps import BACKEND


def bench() -> int:
    """Measures for about 25 minutes; other programs make its numbers worse."""
    prepare("dev", page=False, node=False)
    return subprocess.run([str(VENV_PYTHON), "-m", "bench"], cwd=BACKEND, check=False).returncode
