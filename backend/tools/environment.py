"""What must be there before anything starts: Python packages, Node packages, the built page."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from tools.steps import (
    BACKEND,
    FRONTEND,
    ROOT,
    STATE,
    SetupError,
    Stamp,
    StepFailed,
    digest,
    only_one_setup,
    run_step,
)

VENV = BACKEND / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
OLDEST_PYTHON, FIRST_UNKNOWN_PYTHON = (3, 10), (3, 15)
NODE_MODULES = FRONTEND / "node_modules"
PAGE = FRONTEND / "dist"
DIST = ROOT / "dist"
"""Where wheels are built."""
NOT_OF_THE_PAGE = {"node_modules", "dist", "e2e", "coverage", "test-results", "playwright-report"}
OFFLINE_HINT = (
    "The first start downloads packages: connect to the network and run the command again."
)

Packages = Literal["run", "dev", "cluster"]
REQUIREMENTS: dict[Packages, tuple[str, ...]] = {
    "run": ("requirements.txt",),
    "dev": ("requirements.txt", "requirements-dev.txt"),
    "cluster": ("requirements.txt", "requirements-cluster.txt"),
}
"""The files that each needs; the last one names those before it."""


def prepare(packages: Packages, *, page: bool, node: bool = True) -> None:
    """Installs and builds what is missing or has changed; nothing else."""
    with only_one_setup():
        prepare_venv()
        prepare_python_packages(packages)
        if node:
            prepare_node_packages()
        if page:
            prepare_page()


# --- Python --------------------------------------------------------------------------------------


def prepare_venv() -> None:
    """Makes backend/.venv, also where one is there but half-made, moved or without its Python."""
    unfinished, place = Stamp(VENV / ".unfinished"), Stamp(VENV / ".place")
    if VENV.exists():
        was_moved = place.path.exists() and not place.matches(str(VENV))
        if not unfinished.path.exists() and not was_moved and venv_python_version():
            place.record(str(VENV))
            return
        shutil.rmtree(VENV)
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetupError(
            f"{sys.executable} (Python {version}) has no venv module."
            f" On Debian and Ubuntu: apt install python{version}-venv"
        )
    VENV.mkdir(parents=True)
    unfinished.record("")
    run_step("Python environment", [sys.executable, "-m", "venv", VENV])
    place.record(str(VENV))
    unfinished.forget()


def venv_python_version() -> str | None:
    """Version of the environment's Python; None when it does not run or is not of our range."""
    try:
        answer = subprocess.run(
            [VENV_PYTHON, "-c", "import sys; print(sys.prefix); print(*sys.version_info[:3])"],
            capture_output=True,
            text=True,
            timeout=60,
        )
    except OSError:
        return None
    lines = answer.stdout.splitlines()
    if answer.returncode != 0 or len(lines) != 2 or Path(lines[0]).resolve() != VENV.resolve():
        return None
    version = tuple(int(part) for part in lines[1].split())
    return lines[1] if OLDEST_PYTHON <= version < FIRST_UNKNOWN_PYTHON else None


def prepare_python_packages(packages: Packages) -> None:
    python = venv_python_version() or ""
    keys = {
        name: digest(python, files=[BACKEND / file for file in files])
        for name, files in REQUIREMENTS.items()
    }
    stamps = {name: Stamp(VENV / f".packages-{name}") for name in REQUIREMENTS}
    installed = {name for name in REQUIREMENTS if stamps[name].matches(keys[name])}
    if packages in installed or (packages == "run" and installed):
        return
    for stamp in stamps.values():
        stamp.forget()
    # A pip that is killed can leave packages half-copied, which a later pip takes for whole ones;
    # one that ends by itself, even badly, has put things back.
    unfinished = Stamp(VENV / ".unfinished")
    unfinished.record("")
    try:
        run_step(
            "Python packages",
            [
                VENV_PYTHON,
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "-r",
                BACKEND / REQUIREMENTS[packages][-1],
            ],
        )
    except StepFailed as failure:
        unfinished.forget()
        raise explained(failure, "pip could not reach its package index.") from failure
    unfinished.forget()
    # They agree about every package that several of them name, so that none undoes another.
    for name in installed | {packages}:
        stamps[name].record(keys[name])


def explained(failure: StepFailed, offline_message: str) -> SetupError:
    return SetupError(f"{offline_message} {OFFLINE_HINT}") if failure.is_offline else failure


# --- Node ----------------------------------------------------------------------------------------


def prepare_node_packages() -> None:
    lock = [FRONTEND / "package.json", FRONTEND / "package-lock.json", FRONTEND / ".npmrc"]
    stamp, key = Stamp(NODE_MODULES / ".installed-for"), digest(files=lock)
    if stamp.matches(key):
        return
    require_node()
    stamp.forget()
    # npm waits 10 s and then 60 s before it believes that there is no network.
    patience = ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
    try:
        run_step(
            "Node packages",
            ["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", *patience],
            cwd=FRONTEND,
        )
    except StepFailed as failure:
        raise explained(failure, "npm could not reach its package registry.") from failure
    stamp.record(key)


def require_node() -> None:
    """Raises SetupError when there is no Node, none of the range in package.json, or no npm."""
    wanted = json.loads((FRONTEND / "package.json").read_text())["engines"]["node"]
    if shutil.which("node") is None:
        raise SetupError(
            f"Node is missing: install Node {wanted} (nodejs.org or a package manager)."
        )
    answer = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    if not in_range(answer, wanted):
        raise SetupError(f"node is {answer}; the page needs {wanted}. Install a newer Node.")
    if shutil.which("npm") is None:
        raise SetupError(f"npm is missing beside node {answer}: install npm.")


def in_range(version: str, wanted: str) -> bool:
    """Whether a version such as `v22.12.0` is in a range such as `>=20.19 <21 || >=22.12`."""
    have = numbers(version)
    for alternative in wanted.split("||"):
        bounds = re.findall(r"(>=|<)\s*([\d.]+)", alternative)
        if all(have >= numbers(v) if sign == ">=" else have < numbers(v) for sign, v in bounds):
            return True
    return False


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def prepare_page() -> None:
    stamp, key = Stamp(STATE / "page"), digest(files=page_sources(FRONTEND))
    if stamp.matches(key) and (PAGE / "index.html").is_file():
        return
    require_node()
    stamp.forget()
    run_step("Page", ["npm", "run", "build"], cwd=FRONTEND)
    stamp.record(key)


def page_sources(folder: Path) -> Iterator[Path]:
    """Every file that the built page can depend on."""
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name not in NOT_OF_THE_PAGE:
            yield from page_sources(entry)
        elif entry.is_file() and not entry.name.endswith((".test.ts", ".test.tsx", ".tsbuildinfo")):
            yield entry


def clean() -> None:
    """Removes all that set-up, builds and tests have made."""
    made = [VENV, NODE_MODULES, PAGE, DIST, STATE]
    made += [FRONTEND / name for name in ("coverage", "test-results", "playwright-report")]
    made += [BACKEND / f".{tool}_cache" for tool in ("pytest", "mypy", "ruff")]
    made += [BACKEND / ".hypothesis"]
    for path in made:
        if path.exists():
            shutil.rmtree(path)
            print(f"  removed {path.relative_to(ROOT)}")
