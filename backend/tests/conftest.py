"""No test may touch what a person has saved: each gets a database of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from mechanistic_explorer import Explorer


def pytest_configure(config: pytest.Config) -> None:
    """For what starts before the first test, such as the servers of whole modules."""
    del config
    os.environ["EXPLORER_DATABASE"] = "memory"


@pytest.fixture(scope="session")
def launched() -> Iterator[Explorer]:
    """A server with the embedded model that the client has started; one for all tests that only ask it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("EXPLORER_")]:
            patch.delenv(name)
        explorer = Explorer.launch("embedded", database="memory", on_progress=lambda _: None)
    with explorer:
        yield explorer


@pytest.fixture(autouse=True)
def own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path / 'saved' / 'conversations.db'}"
    monkeypatch.setenv("EXPLORER_DATABASE", url)
    return url
