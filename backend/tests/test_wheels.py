"""What `make wheel` builds: installed without the packages it needs, looked into, and run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from app import __version__
from tools import steps, wheel

REPOSITORY = Path(__file__).resolve().parents[2]
BACKEND = REPOSITORY / "backend"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels by the names of their packages, with a page of one file."""
    folder = tmp_path_factory.mktemp("wheels")
    page = folder / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<title>Mechanistic Explorer</title>")
    (page / "assets" / "index.js").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wheel, "prepare", lambda *_, **__: None)
        patch.setattr(wheel, "VENV_PYTHON", Path(sys.executable))
        patch.setattr(wheel, "PAGE", page)
        for module in (wheel, steps):
            patch.setattr(module, "STATE", folder / "state")
        patch.setattr(wheel, "DIST", folder / "dist")
        assert wheel.wheel() == 0
    return {path.name.partition("-")[0]: path for path in (folder / "dist").iterdir()}


@pytest.fixture(scope="module")
def venv(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the client's wheel and nothing else."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    install(folder, wheels["mechanistic_explorer"])
    return folder


def install(venv: Path, path: Path) -> None:
    argv = [sys.executable, "-m", "pip", "--python", str(venv), "install", "--quiet"]
    argv += ["--disable-pip-version-check", "--no-index", "--no-deps", "--no-compile", str(path)]
    subprocess.run(argv, check=True)


def run(venv: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, in a folder that is no checkout and with the environment's own packages."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "EXPLORER_"))}
    return subprocess.run(
        [venv / "bin" / "mechanistic-explorer", *arguments],
        cwd=venv,
        env=environment,
        capture_output=True,
        text=True,
    )


def names(path: Path) -> set[str]:
    return set(zipfile.ZipFile(path).namelist())


def metadata(path: Path) -> str:
    with zipfile.ZipFile(path) as file:
        name = next(name for name in file.namelist() if name.endswith("/METADATA"))
        return file.read(name).decode()


def test_client_needs_httpx_only_and_has_its_types(wheels: dict[str, Path]) -> None:
    path = wheels["mechanistic_explorer"]
    needed = re.findall(r"^Requires-Dist: (.+)$", metadata(path), re.MULTILINE)
    assert [line for line in needed if "extra ==" not in line] == ["httpx<1,>=0.27"]
    assert f"mechanistic-explorer-server=={__version__}" in " ".join(needed)
    assert "mechanistic_explorer/py.typed" in names(path)
    assert not any("torch" in line for line in needed)


def test_server_has_all_of_the_backend_that_runs_and_its_page(wheels: dict[str, Path]) -> None:
    found = names(wheels["mechanistic_explorer_server"])
    parts = [BACKEND / "run.py", *(BACKEND / "app").rglob("*.py")]
    parts += [path for path in (BACKEND / "embedded_model").rglob("*") if path.is_file()]
    folder = "mechanistic_explorer_server"
    assert {f"{folder}/backend/{path.relative_to(BACKEND).as_posix()}" for path in parts} <= found
    assert {
        f"{folder}/frontend/dist/index.html",
        f"{folder}/frontend/dist/assets/index.js",
    } <= found
    assert not any("__pycache__" in name or "tests/" in name for name in found)
    top = {name.partition("/")[0] for name in found}
    assert top == {folder, f"{folder}-{__version__}.dist-info"}, "no package called app"


def test_server_needs_exactly_the_packages_that_it_was_tested_with(wheels: dict[str, Path]) -> None:
    needed = re.findall(
        r"^Requires-Dist: ([^;\s]+)", metadata(wheels["mechanistic_explorer_server"]), re.MULTILINE
    )
    pinned = re.findall(
        r"^([\w-]+==[^;\s]+)", (BACKEND / "requirements.txt").read_text(), re.MULTILINE
    )
    assert sorted(needed) == sorted(pinned)


def test_installed_client_runs_and_says_how_to_get_a_server(venv: Path) -> None:
    told = run(venv, "--version")
    assert told.stdout.strip() == f"mechanistic-explorer {__version__}"
    refused = run(venv, "serve")
    assert refused.returncode == 1
    assert 'pip install "mechanistic-explorer[server]"' in refused.stderr


def test_installed_server_is_started_from_its_folder(venv: Path, wheels: dict[str, Path]) -> None:
    install(venv, wheels["mechanistic_explorer_server"])
    told = run(venv, "serve", "--help")
    assert told.returncode == 0, told.stderr
    assert "--model" in told.stdout


def test_client_server_and_application_have_one_version() -> None:
    client = (BACKEND / "client" / "mechanistic_explorer" / "_version.py").read_text()
    assert f'"{__version__}"' in client
    project = (BACKEND / "client" / "pyproject.toml").read_text()
    assert f"mechanistic-explorer-server=={__version__}" in project
    assert json.loads((BACKEND / "openapi.json").read_text())["info"]["version"] == __version__


def test_running_from_a_clone_needs_none_of_the_clients_packages() -> None:
    """`make run` installs requirements.txt and nothing else, and starts the server without the client."""
    assert "pandas" not in (BACKEND / "requirements.txt").read_text()
    for path in [BACKEND / "run.py", *(BACKEND / "app").rglob("*.py")]:
        assert "mechanistic_explorer" not in path.read_text(encoding="utf-8"), path
