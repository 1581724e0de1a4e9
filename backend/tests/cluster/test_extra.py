"""Ray is an extra: neither the server nor what starts it needs it, and `make cluster` says what it needs."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import re
from pathlib import Path

import pytest

from cluster import __main__ as start
from cluster import postgresql
from cluster.placement import BadCluster, Placement, replica_settings

BACKEND = Path(__file__).resolve().parents[2]
SERVER = [BACKEND / "app", BACKEND / "client", BACKEND / "tools", BACKEND / "server_wheel"]


def imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_nothing_that_runs_without_a_cluster_imports_ray() -> None:
    files = [BACKEND / "run.py", *(file for part in SERVER for file in part.rglob("*.py"))]
    assert len(files) > 100
    for file in files:
        assert imported(file).isdisjoint({"ray", "cluster"}), file


def test_ray_is_pinned_beside_the_packages_of_the_server_and_not_among_them() -> None:
    server = (BACKEND / "requirements.txt").read_text()
    extra = (BACKEND / "requirements-cluster.txt").read_text()
    assert not re.search(r"^ray\b", server, re.MULTILINE)
    assert re.search(r"^-r requirements\.txt$", extra, re.MULTILINE)
    assert re.search(r"^ray==2\.60\.0$", extra, re.MULTILINE)
    names = re.findall(r"^([\w-]+)==", extra, re.MULTILINE)
    assert not set(names) & set(re.findall(r"^([\w-]+)==", server, re.MULTILINE))


def test_a_cluster_without_ray_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert start.main([]) == 2
    assert re.search(r"pip install -r \S+/requirements-cluster\.txt\n$", capsys.readouterr().err)


@pytest.mark.usefixtures("own_database")
def test_replicas_that_would_not_share_their_conversations_are_refused() -> None:
    with pytest.raises(BadCluster, match="EXPLORER_DATABASE"):
        replica_settings()


@pytest.mark.parametrize(
    "args", [{"replicas": "two"}, {"replicas": "0"}, {"cpus": "-1"}, {"replica": "2"}]
)
def test_numbers_of_replicas_that_are_none_are_refused(args: dict[str, str]) -> None:
    with pytest.raises(BadCluster):
        Placement.of(args)


def test_a_cluster_without_postgresql_says_what_to_install_or_to_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(postgresql, "postgresql_program", lambda _name: None)
    with (
        contextlib.ExitStack() as resources,
        pytest.raises(BadCluster, match=r"apt install postgresql.*EXPLORER_DATABASE"),
    ):
        start.own_database(tmp_path, resources)
