"""The model that `auto` chooses."""

import time
from pathlib import Path

import pytest

from app.engine import sources
from app.engine.hub import Hub
from app.engine.model_names import GPT2
from app.engine.sources import find_model
from app.errors import ModelLoadError
from tests.engine.fake_hub import COMMIT, FakeHub


def test_auto_takes_gpt2_where_it_can_be_had(hub: Hub, tmp_path: Path) -> None:
    files = find_model("auto", hub=hub, embedded_folder=tmp_path)
    assert (files.name, files.source, files.note) == (GPT2, "hub", None)


def test_auto_takes_cached_gpt2_without_the_network(
    fake: FakeHub, hub: Hub, tmp_path: Path
) -> None:
    find_model("gpt2", hub=hub)
    fake.requests.clear()
    assert find_model("auto", hub=hub, embedded_folder=tmp_path).name == GPT2
    assert fake.requests == []


def test_gpt2_cached_under_its_former_name_is_found(fake: FakeHub, hub: Hub, saved: Path) -> None:
    fake.add("gpt2", saved)
    hub.download("gpt2", None, answer_seconds=5)
    files = find_model("auto", hub=Hub("http://127.0.0.1:9", hub.cache_dir))
    assert (files.name, files.revision) == (GPT2, COMMIT)


def test_auto_falls_back_to_the_embedded_model_and_says_why(dead_hub: Hub, saved: Path) -> None:
    started = time.monotonic()
    files = find_model("auto", hub=dead_hub, embedded_folder=saved)
    assert time.monotonic() - started < 15
    assert (files.folder, files.name, files.source) == (saved, "embedded", "embedded")
    assert files.note is not None
    assert "could not be reached: Connection refused." in files.note
    assert "network connection" in files.note


def test_auto_waits_for_a_silent_hub_no_longer_than_its_limit(
    fake: FakeHub, hub: Hub, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "AUTO_ANSWER_SECONDS", 0.3)
    fake.answers.clear()
    started = time.monotonic()
    files = find_model("auto", hub=hub, embedded_folder=saved)
    assert time.monotonic() - started < 10
    assert files.source == "embedded"
    assert "did not answer within 0.3 s" in (files.note or "")


def test_missing_embedded_model_is_an_error(dead_hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="embedded model is missing"):
        find_model("auto", hub=dead_hub, embedded_folder=tmp_path / "none")
