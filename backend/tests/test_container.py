"""The steps of the Dockerfile, one by one and without a container engine: all but those that install."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.server.conftest import Process

REPOSITORY = Path(__file__).resolve().parents[2]
WORKDIR = "/srv/explorer"


def instructions(text: str) -> list[tuple[str, str]]:
    """Name and arguments of each, with continued lines joined."""
    lines = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    return [
        (name, rest.strip())
        for line in lines
        if (name := line.partition(" ")[0])
        for rest in [line.partition(" ")[2]]
    ]


DOCKERFILE = instructions((REPOSITORY / "Dockerfile").read_text())
LAST_STAGE = DOCKERFILE[max(n for n, (name, _) in enumerate(DOCKERFILE) if name == "FROM") :]
COMPOSE = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())


def is_sent(path: str) -> bool:
    """Whether .dockerignore lets a path of the repository reach the build; its last match counts."""
    sent = True
    for line in (REPOSITORY / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        parts = path.split("/")
        heads = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        names = parts if pattern.startswith("**/") else heads
        if any(fnmatch.fnmatch(name, pattern.removeprefix("**/")) for name in names):
            sent = line.startswith("!")
    return sent


def test_all_that_is_copied_is_there_and_reaches_the_build() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    sent = [path for path in tracked if is_sent(path)]
    for name, rest in DOCKERFILE:
        if name == "COPY" and not rest.startswith("--from"):
            for source in shlex.split(rest)[:-1]:
                assert any(f"{path}/".startswith(f"{source}/") for path in sent), source
    assert not [path for path in sent if "/tests/" in path and path.startswith("backend")]
    assert not is_sent("backend/.venv/bin/python")
    assert not is_sent("frontend/node_modules/x.js")
    assert not is_sent(".git/config")


def test_the_server_runs_as_a_user_without_rights_and_gets_no_new_ones() -> None:
    names = [name for name, _ in LAST_STAGE]
    assert dict(LAST_STAGE)["USER"] == "explorer"
    assert names.index("USER") < names.index("CMD")
    assert "RUN" not in names[names.index("USER") :]
    server = COMPOSE["services"]["server"]
    assert server["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in server["security_opt"]
    assert [port.rsplit(":", 2)[0] for port in server["ports"]] == ["127.0.0.1"]


def test_every_volume_and_variable_of_the_compose_file_is_one_of_the_image() -> None:
    kept = json.loads(dict(LAST_STAGE)["VOLUME"])
    mounts = dict(mount.split(":") for mount in COMPOSE["services"]["server"]["volumes"])
    assert sorted(mounts.values()) == sorted(kept)
    assert set(mounts) < set(COMPOSE["volumes"])
    described = (REPOSITORY / "docs" / "usage.md").read_text()
    for name in COMPOSE["services"]["server"]["environment"]:
        assert f"| `{name}` |" in described


@pytest.mark.parametrize("step", ["server", "database"])
def test_the_images_have_a_check_of_their_health(step: str) -> None:
    own = COMPOSE["services"][step].get("healthcheck")
    assert own or "HEALTHCHECK" in dict(LAST_STAGE)
    assert COMPOSE["services"]["server"]["depends_on"]["database"]["condition"] == "service_healthy"


def test_what_the_image_holds_starts_and_is_healthy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copied, configured, given a person, started and checked by the Dockerfile's own lines."""
    root = tmp_path / "image"

    def inside(path: str) -> str:
        return re.sub(r"(?<![\w.])/(srv/explorer|models|data)\b", rf"{root}/\1", path)

    work = root / WORKDIR.strip("/")
    for name, rest in LAST_STAGE:
        if name == "WORKDIR":
            assert rest == WORKDIR
            work.mkdir(parents=True)
        elif name == "COPY" and rest.startswith("--from=page"):
            (work / "frontend" / "dist").mkdir(parents=True)
            (work / "frontend" / "dist" / "index.html").write_text("<title>Page</title>")
        elif name == "COPY":
            copied(shlex.split(rest), work)
        elif name == "ENV":
            for pair in shlex.split(rest):
                key, _, value = pair.partition("=")
                monkeypatch.setenv(key, inside(value))
    for folder in ("models", "data"):
        (root / folder).mkdir()
    monkeypatch.setenv("EXPLORER_HOST", "127.0.0.1")
    monkeypatch.setenv("EXPLORER_PORTS", "0")
    monkeypatch.setenv("EXPLORER_MODEL", "embedded")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(work)

    command = [sys.executable, *json.loads(dict(LAST_STAGE)["CMD"])[1:]]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "token add NAME" in refused.stderr
    subprocess.run(
        [sys.executable, "-m", "mechanistic_explorer.cli", "token", "add", "ada"], check=True
    )

    process = Process(command, cwd=work)
    try:
        process.wait_until_ready()
        check = json.loads(dict(LAST_STAGE)["HEALTHCHECK"].partition("CMD")[2])
        code = check[-1].replace("127.0.0.1:8000", f"127.0.0.1:{process.port}")
        assert subprocess.run([sys.executable, *check[1:-1], code]).returncode == 0
        assert "<title>Page" in process.get("/").text
        assert process.get("/api/model_info").status_code == 401
    finally:
        process.end()
    assert (root / "data" / "conversations.db").exists()


def copied(names: list[str], work: Path) -> None:
    """What COPY does with the files that reach the build."""
    *sources, into = names
    for source in sources:
        path = REPOSITORY / source
        to = work / into
        if path.is_dir():
            shutil.copytree(path, to, ignore=unsent)
        else:
            to = to / path.name if into.endswith("/") else to
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)


def unsent(folder: str, names: list[str]) -> list[str]:
    inside = os.path.relpath(folder, REPOSITORY)
    return [
        name
        for name in names
        if not (Path(folder) / name).is_dir() and not is_sent(f"{inside}/{name}")
    ]
