"""Terminals of other encodings, and ones that are not there, do not end a program."""

import subprocess
import sys
from pathlib import Path

import pytest

BACKEND = Path(__file__).resolve().parents[1]
SAYS = "from app.console import *; prepare_console(); "
ODD_LINE = r"say('Model caf\u00e9\U0001f389\udcff is ready \u2026')"


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a shell command in which "$PYTHON" is this Python."""
    return subprocess.run(
        ["sh", "-c", command],
        cwd=BACKEND,
        env={"PYTHON": sys.executable, "PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
    )


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (
            {"PYTHONIOENCODING": "cp1252"},
            b"Model caf\xe9" + rb"\U0001f389\udcff is ready " + b"\x85",
        ),
        ({"PYTHONIOENCODING": "ascii"}, rb"Model caf\xe9\U0001f389\udcff is ready \u2026"),
        ({"PYTHONUTF8": "1"}, "Model café🎉".encode() + rb"\udcff is ready " + "…".encode()),
        ({"LC_ALL": "C"}, "Model café🎉".encode() + rb"\udcff is ready " + "…".encode()),
        (
            {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            rb"Model caf\xe9\U0001f389\udcff is ready \u2026",
        ),
    ],
    ids=["cp1252", "ascii", "utf-8", "C", "C without coercion"],
)
def test_characters_that_a_terminal_cannot_show_are_escaped(
    environment: dict[str, str], expected: bytes
) -> None:
    done = shell(f'"$PYTHON" -c "{SAYS}{ODD_LINE}"', **environment)

    assert (done.returncode, done.stdout.strip()) == (0, expected), done.stderr


@pytest.mark.parametrize("redirection", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_failure_and_keep_their_numbers(redirection: str) -> None:
    """A socket on number 1 or 2 would receive what libraries print."""
    program = f"{SAYS}say('a'); flush(); import os; os._exit(os.dup(0) < 3)"
    done = shell(f'"$PYTHON" -c "{program}" {redirection}')

    assert done.returncode == 0, done.stderr


def test_reader_that_went_away_is_no_failure() -> None:
    program = f"{SAYS}[say('a' * 100000) for _ in range(3)]; flush()"
    done = shell(f'{{ "$PYTHON" -c "{program}"; echo "rc $?" >&2; }} | true')

    assert done.stderr.strip() == b"rc 0"
