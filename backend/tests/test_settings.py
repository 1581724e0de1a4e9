"""Settings as shells, compose files and odd folders hand them over."""

import os
import sqlite3
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import create_engine

from app import settings as settings_module
from app.services.storage.database import Database, url_of
from app.settings import NoDataFolder, Settings, data_folder

DEFAULTS = {f"EXPLORER_{name.upper()}": field for name, field in Settings.model_fields.items()}


@pytest.mark.parametrize("variable", DEFAULTS)
def test_variable_that_is_set_to_nothing_is_not_set(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "")
    assert Settings() == Settings.model_construct()


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("EXPLORER_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs under a user id without an account."""
    for name in ("HOME", "USERPROFILE", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)

    def missing() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", missing)


@pytest.mark.usefixtures("no_home")
def test_data_folder_that_is_named_needs_no_home_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data_folder() == tmp_path / "mechanistic-explorer"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert data_folder() == tmp_path / "mechanistic-explorer"


@pytest.mark.usefixtures("no_home")
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_without_a_home_folder_one_line_names_the_ways_out(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(NoDataFolder, match="EXPLORER_DATABASE"):
        _ = Settings().database_url
    assert Settings(database="memory").database_url == "sqlite://"


def test_relative_data_folder_is_ignored_as_the_specification_has_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "share")
    assert data_folder() == tmp_path / ".local/share/mechanistic-explorer"


ODD_NAMES = (
    "what?",
    "a?b=c&d",
    "100%",
    "a%20b",
    "a%3Fb",
    "#1",
    "two words ",
    "it's",
    'say "hi"',
    "[0]{1}",
    "semi;colon",
    "co:lon@host",
    "back\\slash",
    "new\nline",
    "$HOME",
    "~",
    "🎉",
    "e\u0301cole",
    "file:x",
)


def file_that_is_opened(url: str) -> str:
    """The path that SQLite itself reports of the main database."""
    engine = create_engine(url_of(url))
    with engine.connect() as connection:
        path = str(connection.exec_driver_sql("PRAGMA database_list").one()[2])
    engine.dispose()
    return path


@pytest.mark.parametrize("name", ODD_NAMES)
def test_conversations_are_kept_in_the_file_that_was_named(name: str, tmp_path: Path) -> None:
    """A `?` once cut the path off, and another file was written in silence."""
    path = tmp_path / name / f"{name}.db"
    path.parent.mkdir()
    url = Settings(database=f"sqlite:///{path}").database_url

    database = Database(url)
    database.begin_write(lambda _connection: None).result()
    database.close()
    assert file_that_is_opened(url) == str(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert database.where == str(path)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_default_file_lies_in_a_data_folder_of_any_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / name
    (folder / "mechanistic-explorer").mkdir(parents=True)
    monkeypatch.setattr(settings_module, "data_folder", lambda: folder / "mechanistic-explorer")

    found = file_that_is_opened(Settings().database_url)
    assert found == str(folder / "mechanistic-explorer" / "conversations.db")


def test_options_of_sqlite_are_still_options(tmp_path: Path) -> None:
    path = tmp_path / "read.db"
    sqlite3.connect(path).close()
    url = Settings(database=f"sqlite:///file:{path}?mode=ro&uri=true").database_url
    assert file_that_is_opened(url) == str(path)
    assert file_that_is_opened(f"sqlite:///{path}?timeout=2") == str(path)
    assert Settings(database=f"sqlite:///{path}?timeout=2").database_url.endswith("?timeout=2")


def test_tilde_that_no_shell_expanded_is_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    found = Settings(lenses="~/lenses", page_dir="~/page", database="sqlite:///~/talks.db")
    assert (found.lenses, found.page_dir) == (tmp_path / "lenses", tmp_path / "page")
    assert found.database_url == f"sqlite:///{tmp_path}/talks.db"


@pytest.mark.parametrize("variable", ["EXPLORER_MODEL", "EXPLORER_DATABASE", "EXPLORER_LENSES"])
def test_bytes_that_are_no_text_are_named(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, variable, os.fsdecode(b"sqlite:////tmp/caf\xe9"))
    with pytest.raises(ValidationError, match="holds a byte that is not UTF-8"):
        Settings()
