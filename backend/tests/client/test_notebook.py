"""The notebook of the documents: every cell runs, on a server that the client has started, and shows what it shows there."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mechanistic_explorer import Explorer

BACKEND = Path(__file__).resolve().parents[2]
NOTEBOOK = BACKEND.parent / "docs" / "tutorial.ipynb"


@pytest.fixture(scope="module")
def notebook() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "run_notebook", BACKEND / "client" / "run_notebook.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def kinds(outputs: list[dict[str, Any]]) -> list[list[str]]:
    return [sorted(output.get("data", {output["output_type"]: ""})) for output in outputs]


def printed(outputs: list[dict[str, Any]]) -> list[str]:
    return ["".join(output["text"]) for output in outputs if output["output_type"] == "stream"]


def stored_html(notebook: dict[str, Any]) -> Iterator[str]:
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            if "text/html" in output.get("data", {}):
                yield "".join(output["data"]["text/html"])


def test_every_cell_runs_and_shows_what_is_stored(
    notebook: dict[str, Any],
    runner: ModuleType,
    launched: Explorer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def launch(model: str, *, database: str, on_progress: object) -> Explorer:
        """The server that is there, which was started with the same arguments."""
        del on_progress
        assert (model, database) == ("embedded", "memory")
        return Explorer(launched.url)

    monkeypatch.setattr(Explorer, "launch", launch)
    cells = runner.code_cells(notebook)
    shown = list(runner.run(notebook))

    assert len(shown) == len(cells) >= 8
    for cell, outputs in zip(cells, shown, strict=True):
        source = "".join(cell["source"])
        assert kinds(outputs) == kinds(cell["outputs"]), source
        assert printed(outputs) == printed(cell["outputs"]), source


def test_stored_drawings_hold_no_scripts_and_load_nothing(notebook: dict[str, Any]) -> None:
    drawings = list(stored_html(notebook))
    assert len(drawings) >= 5
    for html in drawings:
        assert "<script" not in html
        assert not re.search(r"https?:|url\(|<link|<img|@import", html)


def test_notebook_goes_from_installing_to_a_map(notebook: dict[str, Any]) -> None:
    text = "".join("".join(cell["source"]) for cell in notebook["cells"])
    at = [
        text.index(part) for part in ("pip install", "launch", "chat_stream", "lens(", "patch_map")
    ]
    assert at == sorted(at)
