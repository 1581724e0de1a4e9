"""The import rule: `api -> services -> engine`, downwards only, and what each may take from outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).resolve().parents[1] / "app"

MAY_IMPORT = {
    "engine": {"engine", "errors", "folding"},
    "services": {"services", "engine", "models", "errors", "settings", "folding"},
    "api": {"api", "services", "models", "errors", "settings", "__init__"},
    "errors": set[str](),
    "models": {"models"},
    "settings": set[str](),
    "listening": set[str](),
    "console": set[str](),
    "folding": set[str](),
}
"""Parts of `app` that each part may import; what is not named wires all of them."""

SQL = {"sqlalchemy", "alembic", "psycopg", "sqlite3"}

MAY_NOT_IMPORT = {
    "engine": {"fastapi", "starlette", "uvicorn", "pydantic", "pydantic_settings"} | SQL,
    "services": {"fastapi", "starlette", "uvicorn", "torch", "transformers", "nnsight"},
    "api": {"torch", "transformers", "nnsight", "numpy"} | SQL,
    "models": {"torch", "fastapi", "numpy"},
    "errors": {"fastapi", "starlette", "torch"},
    "settings": {"torch", "fastapi", "numpy"},
    "listening": {"torch", "fastapi", "uvicorn", "pydantic"},
}
"""Packages that each part must do without."""


def imports(source: str) -> Iterator[str]:
    """Full names of what a module imports, inside functions and for types as well."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                yield f"{node.module}.{alias.name}" if node.module == "app" else str(node.module)


def violations(part: str, source: str) -> list[str]:
    found = []
    for name in imports(source):
        package, _, rest = name.partition(".")
        if package != "app":
            if package in MAY_NOT_IMPORT.get(part, set()):
                found.append(name)
        elif part in MAY_IMPORT:
            inner = rest.partition(".")[0]
            inner = "__init__" if inner in ("", "__version__") else inner
            if inner not in MAY_IMPORT[part] and rest not in MAY_IMPORT[part]:
                found.append(name)
    return found


def part_of(path: Path) -> str:
    relative = path.relative_to(APP)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


@pytest.mark.parametrize("path", sorted(APP.rglob("*.py")), ids=lambda p: str(p.relative_to(APP)))
def test_module_imports_only_what_its_layer_may(path: Path) -> None:
    assert violations(part_of(path), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ("engine", "import fastapi"),
        ("engine", "from app.services.worker import ModelWorker"),
        ("engine", "from app.models.tokens import Token"),
        ("services", "from torch import nn"),
        ("services", "from app.api.errors import STATUS_OF"),
        ("api", "def f():\n    import torch.nn"),
        ("api", "from app.engine.types import Step"),
        ("models", "from app.engine.engine import NnsightEngine"),
        ("errors", "from app import main"),
        ("engine", "import sqlite3"),
        ("api", "from sqlalchemy import select"),
    ],
)
def test_the_rule_finds_what_breaks_it(part: str, line: str) -> None:
    assert violations(part, line)


def test_statements_of_the_database_are_written_in_one_folder() -> None:
    """Elsewhere in the services a connection may be handed on, and nothing else."""
    for path in APP.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "storage" in path.parts:
            continue
        assert "execute(" not in source, path
        for line in source.splitlines():
            if "sqlalchemy" in line:
                assert line == "from sqlalchemy import Connection", path


def test_nnsight_has_one_door_and_traces_one_place() -> None:
    """One module configures nnsight before its import; one more opens traces, and for NDIF one each."""
    for path in APP.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "nnsight" in {name.partition(".")[0] for name in imports(source)}:
            assert path.name in ("runtime.py", "connection.py"), path
        if ".trace(" in source:
            assert path.name in ("capture.py", "shipped.py"), path
