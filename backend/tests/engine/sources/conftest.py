"""A hub on the loopback interface that holds small models, and one that is dead."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine.hub import Hub
from app.engine.model_names import GPT2
from tests.engine.fake_hub import FakeHub, serve_fake_hub
from tests.engine.model_folders import save_tiny_gpt2


@pytest.fixture(scope="package")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    save_tiny_gpt2(folder)
    return folder


@pytest.fixture
def fake(saved: Path) -> Iterator[FakeHub]:
    with serve_fake_hub() as fake:
        fake.add("owner/tiny", saved)
        fake.add(GPT2, saved)
        yield fake


@pytest.fixture
def hub(fake: FakeHub, tmp_path: Path) -> Hub:
    return Hub(fake.address, tmp_path / "cache")


@pytest.fixture
def dead_hub(tmp_path: Path) -> Hub:
    """Port 9 of the loopback interface, where nothing listens."""
    return Hub("http://127.0.0.1:9", tmp_path / "cache")
