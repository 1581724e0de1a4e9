"""`make wheel`: the client's wheel, and one with the server, its page and its model."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from app import __version__
from tools.environment import DIST, PAGE, VENV_PYTHON, prepare
from tools.steps import BACKEND, ROOT, STATE, relative, run_step

SERVER_WHEEL = BACKEND / "server_wheel"
CLIENT = BACKEND / "client"
SERVER_PACKAGE = "mechanistic_explorer_server"
MADE_BY_PYTHON = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", ".*_cache")


def wheel() -> int:
    """Builds both into `dist/`. Needs no network once everything is installed."""
    prepare("run", page=True)
    sources = STATE / "wheel"
    shutil.rmtree(sources, ignore_errors=True)
    shutil.rmtree(DIST, ignore_errors=True)
    staged = [stage_client(sources / "client"), stage_server(sources / "server", PAGE)]
    run_step("Wheels", build_command(str(VENV_PYTHON), staged, DIST))
    for path in sorted(DIST.iterdir()):
        print(f"  {relative(path)}  {path.stat().st_size / 1e6:.1f} MB")
    return 0


def build_command(python: str, sources: Sequence[Path], into: Path) -> list[str]:
    """Builds with the setuptools of this environment, which torch needs anyway."""
    argv = [python, "-m", "pip", "wheel", "--disable-pip-version-check", "--no-index"]
    argv += ["--no-deps", "--no-build-isolation", "--wheel-dir", str(into)]
    return [*argv, *map(str, sources)]


def stage_client(folder: Path) -> Path:
    """A copy, because a build leaves files beside what it builds."""
    shutil.copytree(CLIENT, folder, ignore=MADE_BY_PYTHON)
    shutil.copy(ROOT / "LICENSE", folder)
    return folder


def stage_server(folder: Path, page: Path) -> Path:
    """One package folder that is laid out as a checkout is, so that the server finds its files."""
    shutil.copytree(SERVER_WHEEL, folder, ignore=MADE_BY_PYTHON)
    shutil.copy(ROOT / "LICENSE", folder)
    shutil.copy(BACKEND / "requirements.txt", folder)
    (folder / "VERSION").write_text(__version__)
    package = folder / SERVER_PACKAGE
    for name in ("app", "embedded_model"):
        shutil.copytree(BACKEND / name, package / "backend" / name, ignore=MADE_BY_PYTHON)
    shutil.copy(BACKEND / "run.py", package / "backend")
    shutil.copytree(page, package / "frontend" / "dist")
    return folder
