"""`make test` finds a browser that runs, installs one, or says in one line that it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import browser
from tools.steps import SetupError


def program(path: Path, *, runs: bool) -> Path:
    path.write_text(f"#!/bin/sh\nexit {0 if runs else 1}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty PATH on a machine where nothing else holds a browser and nothing can be installed."""
    monkeypatch.delenv("EXPLORER_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(browser, "MACOS_PROGRAMS", ())
    monkeypatch.setattr(browser, "playwrights_own", lambda: iter(()))
    monkeypatch.setattr(browser, "install_by_playwright", lambda: None)
    monkeypatch.setattr(browser, "install_by_apt", lambda: None)
    return tmp_path


def test_installed_browser_is_found(path: Path) -> None:
    chrome = program(path / "google-chrome", runs=True)
    assert browser.find_or_install() == str(chrome)


def test_named_browser_comes_first(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path / "chromium", runs=True)
    mine = program(path / "mine", runs=True)
    monkeypatch.setenv("EXPLORER_CHROMIUM", str(mine))
    assert browser.find_or_install() == str(mine)


def test_named_browser_that_does_not_run_is_never_replaced(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(path / "chromium", runs=True)
    monkeypatch.setenv("EXPLORER_CHROMIUM", str(path / "absent"))
    with pytest.raises(SetupError, match=r"EXPLORER_CHROMIUM names .*absent, which does not run"):
        browser.find_or_install()


def test_stub_that_does_not_run_is_passed_over(path: Path) -> None:
    program(path / "chromium", runs=False)
    chrome = program(path / "google-chrome-stable", runs=True)
    assert browser.find_or_install() == str(chrome)


def test_playwrights_own_browser_is_found(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = program(path / "own", runs=True)

    def found() -> Iterator[str]:
        yield str(own)

    monkeypatch.setattr(browser, "playwrights_own", found)
    assert browser.find_or_install() == str(own)


def test_browser_is_installed_where_there_is_none(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        browser, "install_by_apt", lambda: program(path / "chromium", runs=True) and None
    )
    assert browser.find_or_install() == str(path / "chromium")


def test_missing_browser_that_cannot_be_installed_is_one_clear_line() -> None:
    with pytest.raises(SetupError, match=r"^No browser .* set EXPLORER_CHROMIUM to its path\.$"):
        browser.find_or_install()
