"""The documents name everything that is there, and what the README tells people to type works."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mechanistic_explorer import Explorer, command_arguments

from app import errors
from app.api.errors import STATUS_OF
from app.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
README = (REPOSITORY / "README.md").read_text()
USAGE = (REPOSITORY / "docs" / "usage.md").read_text()
DOCUMENTS = sorted(
    [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")], key=lambda path: path.name
)
PAGE = REPOSITORY / "frontend" / "src"
VIEWS = (PAGE / "app" / "views.ts").read_text()
SHORTCUTS = (PAGE / "features" / "shortcuts" / "ShortcutSheet.tsx").read_text()
METRICS = (PAGE / "views" / "Heatmap" / "metrics.ts").read_text()
CURL_BLOCKS = re.findall(r"```bash\n(curl .+?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^(mechanistic-explorer (?!serve).+)$", README, re.MULTILINE)


def error_classes(root: type[errors.ExplorerError]) -> Iterator[type[errors.ExplorerError]]:
    for error in root.__subclasses__():
        yield error
        yield from error_classes(error)


def table_row(first_cell: str) -> list[str]:
    """The further cells of the row of usage.md that begins with this one; fails without it."""
    rows = [line for line in USAGE.splitlines() if line.startswith(f"| {first_cell} |")]
    assert len(rows) == 1, f"usage.md has {len(rows)} rows for {first_cell}"
    return [cell.strip() for cell in rows[0].strip("|").split("|")[1:]]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_is_described(name: str) -> None:
    assert table_row(f"`EXPLORER_{name.upper()}`")[-1]


def test_no_setting_is_described_that_is_gone() -> None:
    described = re.findall(r"^\| `EXPLORER_(\w+)` \|", USAGE, re.MULTILINE)
    assert {name.lower() for name in described} == set(Settings.model_fields)


@pytest.mark.parametrize(
    "error", sorted(error_classes(errors.ExplorerError), key=lambda error: error.code)
)
def test_error_code_is_described_with_its_status(error: type[errors.ExplorerError]) -> None:
    status = table_row(f"`{error.code}`")[0]
    assert status == str(STATUS_OF[error.code])


def test_no_error_code_is_described_that_is_gone() -> None:
    table = USAGE.partition("\n## Errors\n")[2].partition("\n## ")[0]
    described = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert described == {error.code for error in error_classes(errors.ExplorerError)}


def test_every_address_of_the_api_is_described() -> None:
    paths = json.loads((REPOSITORY / "backend" / "openapi.json").read_text())["paths"]
    addresses = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}
    described = set(
        re.findall(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) [^`]+)` \|", USAGE, re.MULTILINE)
    )
    assert described == addresses


def test_every_view_and_its_key_is_described() -> None:
    views = re.findall(r'title: "([^"]+)"', VIEWS)
    assert len(views) == len(re.findall(r"\bdefineView\(", VIEWS))
    for key, title in enumerate(views, start=1):
        assert f"\n### {title}\n" in USAGE
        assert table_row(f"`{key}`") == [title]


def test_every_single_key_is_described() -> None:
    listed = re.findall(r'\[\[((?:"[^"]+"(?:, )?)+)\], "', SHORTCUTS)
    assert len(listed) >= 4
    for keys in listed:
        table_row(" ".join(f"`{key}`" for key in re.findall(r'"([^"]+)"', keys)))


def test_every_metric_of_the_heatmap_is_described() -> None:
    titles = re.findall(r'title: "([^"]+)"', METRICS)
    assert titles
    for title in titles:
        assert table_row(title)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    text = document.read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)", text):
        if not target.endswith(".png"):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
    headings = {
        re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    for anchor in re.findall(r"\]\(#([^)]+)\)", text):
        assert anchor in headings, f"{document.name} has no heading for #{anchor}"


def test_make_offers_the_commands_that_the_readme_names() -> None:
    offered = set(re.findall(r'"make (\w+)', (REPOSITORY / "Makefile").read_text()))
    named = set(re.findall(r"\bmake (run|test|check|wheel|dev|install|clean)\b", README + USAGE))
    assert {"run", "test"} <= named <= offered


# --- the README's examples, against a real server -------------------------------------------------


@pytest.fixture
def port(launched: Explorer) -> int:
    """Of a real server that is ready with the embedded model."""
    return int(launched.url.rpartition(":")[2])


def run_curl(block: str, port: int) -> str:
    """What one block of the README prints when it is typed, with the test's port."""
    assert shutil.which("curl"), "the README's examples need curl"
    assert "localhost:8000" in block
    script = 'curl() { command curl --silent --show-error --fail "$@"; }\n' + block.replace(
        "localhost:8000", f"localhost:{port}"
    )
    answer = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_the_readmes_python_example_gives_a_table_a_reply_and_a_map(
    port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    names: dict[str, Any] = {}
    assert "localhost:8000" in example

    exec(example.replace("localhost:8000", f"localhost:{port}"), names)

    assert list(names["table"]["layer"].unique()) == list(range(13))
    assert "Paris" in capsys.readouterr().out
    assert names["scores"].loc[12, 4] == pytest.approx(1, abs=1e-3)
    names["explorer"].close()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[:60])
def test_the_readmes_commands_work(command: str, port: int) -> None:
    argv = [sys.executable, "-m", "mechanistic_explorer.cli", *shlex.split(command)[1:]]
    answer = subprocess.run(
        argv,
        cwd=REPOSITORY / "backend" / "client",
        env={**os.environ, "EXPLORER_URL": f"http://localhost:{port}"},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    assert "Paris" in answer.stdout


def test_every_command_of_the_command_line_is_described() -> None:
    parser = command_arguments.parser()
    commands = next(
        action.choices for action in parser._actions if isinstance(action.choices, dict)
    )
    section = USAGE.partition("\n### Command line\n")[2].partition("\n##")[0]
    described = set(re.findall(r"^\| `(\w+)[^`]*` \|", section, re.MULTILINE))
    assert described == set(commands)


def test_the_readme_has_an_example_of_every_noun_and_of_a_stream() -> None:
    paths = json.loads((REPOSITORY / "backend" / "openapi.json").read_text())["paths"]
    # Branches are made by /api/chat; usage.md tells how to delete one.
    nouns = {"/".join(path.split("/")[:3]) for path in paths} - {"/api/branches"}
    assert len(nouns) >= 7
    for noun in nouns:
        assert any(noun in block for block in CURL_BLOCKS), noun
    assert any('"stream": true' in block for block in CURL_BLOCKS)


@pytest.mark.parametrize("block", CURL_BLOCKS, ids=lambda block: block[:60].splitlines()[0])
def test_the_readmes_curl_examples_work(block: str, port: int) -> None:
    printed = run_curl(block, port)
    if '"stream": true' in block:
        events = re.findall(r"^event: (\w+)$", printed, re.MULTILINE)
        assert events[0] == "start"
        assert events[-1] == "done"
        assert {"token", "lens"} <= set(events)
    else:
        assert isinstance(json.loads(printed), dict)
