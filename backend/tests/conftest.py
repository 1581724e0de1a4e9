"""No test may touch what a person has saved: each gets a database of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """For what starts before the first test, such as the servers of whole modules."""
    del config
    os.environ["EXPLORER_DATABASE"] = "memory"


@pytest.fixture(autouse=True)
def own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path / 'saved' / 'conversations.db'}"
    monkeypatch.setenv("EXPLORER_DATABASE", url)
    return url
