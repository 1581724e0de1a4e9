"""`mechanistic-explorer token`, which makes the file that a shared server reads."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from mechanistic_explorer import cli

from app.api.people import People


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "people"
    monkeypatch.setenv("EXPLORER_TOKENS_FILE", str(path))
    return path


def made(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The token that `token add` prints, alone on stdout."""
    assert cli.main(["token", "add", name]) == 0
    token, end = capsys.readouterr().out.split("\n")
    assert end == ""
    return token


def test_people_are_added_listed_and_removed(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ada, bob = made("ada", capsys), made("bob", capsys)
    assert People(file).whose(ada.encode()) == "ada"
    assert People(file).whose(bob.encode()) == "bob"
    assert cli.main(["token", "list"]) == 0
    assert capsys.readouterr().out == "ada\nbob\n"
    assert cli.main(["token", "remove", "ada"]) == 0

    assert People(file).whose(ada.encode()) is None
    assert People(file).whose(bob.encode()) == "bob"


def test_the_file_holds_no_token_and_is_its_owners_alone(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = made("ada", capsys)

    assert token not in file.read_text()
    assert len(token) == 43
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.glob("people*")) == [file]


def test_a_line_that_a_person_wrote_into_the_file_stays(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made("ada", capsys)
    with file.open("a") as opened:
        opened.write("# from the third floor")
    made("bob", capsys)

    assert "# from the third floor\nbob " in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "ada"], "has a token already"),
        (["add", "two words"], "is no name"),
        (["add", "#x"], "is no name"),
        (["add", "a" * 65], "is no name"),
        (["remove", "nobody"], "names no nobody"),
        (["add"], "needs a NAME"),
        (["remove"], "needs a NAME"),
        (["list", "ada"], "takes no NAME"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_and_changes_nothing(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    made("ada", capsys)
    before = file.read_bytes()

    assert cli.main(["token", *arguments]) == 2

    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert file.read_bytes() == before


def test_without_a_file_it_says_how_to_name_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EXPLORER_TOKENS_FILE", raising=False)

    assert cli.main(["token", "list"]) == 2
    assert "EXPLORER_TOKENS_FILE" in capsys.readouterr().err


def test_two_commands_at_once_lose_nobody(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made("ada", capsys)
    file.with_name("people.new").touch()

    assert cli.main(["token", "add", "bob"]) == 1
    assert "is being changed" in capsys.readouterr().err
    file.with_name("people.new").unlink()
    made("bob", capsys)
    assert cli.main(["token", "list"]) == 0
    assert capsys.readouterr().out == "ada\nbob\n"
