"""Threads that wait for each other sleep after a short spin, however the program was started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.openmp import SHORT_SPIN, bound_kernel_cache, shorten_spinning

BACKEND = Path(__file__).resolve().parents[1]
SET_HERE = (*SHORT_SPIN, "ONEDNN_PRIMITIVE_CACHE_CAPACITY")

AT_THE_IMPORT_OF_TORCH = """
import os, sys

def write_policy(event, arguments):
    if event == "import" and arguments[0] == "torch":
        with open(os.environ["POLICY_FILE"], "w") as file:
            file.write(" ".join(os.environ.get(name, "-") for name in os.environ["NAMES"].split()))
        os._exit(0)

sys.addaudithook(write_policy)
"""
"""Python runs a module of this name first: it notes the policy where torch would be loaded, and ends."""

STARTS = {
    "run.py": ["run.py", "--model", "embedded", "--port", "0"],
    "factory": ["-m", "uvicorn", "app.main:create_app", "--factory", "--port", "0"],
    "notebook": ["-c", "from app.engine.loading import load_engine"],
    "pytest": ["-m", "pytest", "tests/engine/test_sampling.py"],
    "bench": ["-m", "bench", "reply"],
    "reference": ["-m", "bench.reference", "embedded_model", "1"],
    "training": ["-m", "training", "train", "--work", "x"],
    "lenses": ["-m", "training", "fit-tuned-lens", "--text", "x"],
}


def policy_of(start: list[str], folder: Path, **variables: str) -> list[str]:
    """The policy in the environment when torch is imported first."""
    (folder / "sitecustomize.py").write_text(AT_THE_IMPORT_OF_TORCH)
    written = folder / "policy"
    own = {name: value for name, value in os.environ.items() if name not in SET_HERE}
    subprocess.run(
        [sys.executable, *start],
        cwd=BACKEND,
        env={
            **own,
            "PYTHONPATH": str(folder),
            "POLICY_FILE": str(written),
            "NAMES": " ".join(SHORT_SPIN),
            "EXPLORER_MODEL": "embedded",
            "EXPLORER_DATABASE": "memory",
            **variables,
        },
        capture_output=True,
        check=True,
        timeout=120,
    )
    return written.read_text().split()


@pytest.mark.parametrize("start", STARTS)
def test_the_policy_is_set_before_torch_is_imported(start: str, tmp_path: Path) -> None:
    assert policy_of(STARTS[start], tmp_path) == list(SHORT_SPIN.values())


def test_a_policy_of_ones_own_is_kept(tmp_path: Path) -> None:
    assert policy_of(STARTS["run.py"], tmp_path, GOMP_SPINCOUNT="7") == ["7", "-"]


@pytest.mark.parametrize("name", ["OMP_WAIT_POLICY", "KMP_LIBRARY", "KMP_BLOCKTIME"])
def test_nothing_is_added_to_a_policy(name: str) -> None:
    environment = {name: "x"}
    shorten_spinning(environment)
    assert environment == {name: "x"}


def test_an_empty_variable_is_no_policy() -> None:
    environment = {"OMP_WAIT_POLICY": ""}
    shorten_spinning(environment)
    assert environment == {"OMP_WAIT_POLICY": "", **SHORT_SPIN}


def test_few_compiled_kernels_are_kept_unless_somebody_has_chosen() -> None:
    environment: dict[str, str] = {}
    bound_kernel_cache(environment)
    assert environment == {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128"}
    environment = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "7"}
    bound_kernel_cache(environment)
    assert environment == {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "7"}


def test_the_server_bounds_its_kernels_before_torch_is_imported(tmp_path: Path) -> None:
    assert policy_of(STARTS["run.py"], tmp_path, NAMES="ONEDNN_PRIMITIVE_CACHE_CAPACITY") == ["128"]
