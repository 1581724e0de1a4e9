"""A model without a commit is identified by all files that decide its ids and numbers."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from app.engine import digest, loading
from app.engine.checkpoint import sha256_of
from app.engine.digest import ModelDigest
from app.engine.loading import load_engine, load_files
from app.engine.model_names import EMBEDDED_FOLDER
from app.errors import ModelLoadError
from tests.engine.model_folders import SMALL, edit_json, edit_weights, save_tiny_gpt2


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one") / "checkpoint-500"
    save_tiny_gpt2(folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A second folder of the same name with the same files."""
    return Path(shutil.copytree(saved, tmp_path / saved.name))


def revision(folder: Path) -> str:
    return load_engine(str(folder), **SMALL).facts.revision


def train_on(folder: Path) -> None:
    edit_weights(folder, lambda weights: weights["transformer.wpe.weight"].add_(1e-3))


def add_a_line(file: Path) -> None:
    file.write_text(file.read_text() + "\n")


CHANGES: dict[str, Callable[[Path], None]] = {
    "weights": train_on,
    "config": lambda folder: edit_json(folder / "config.json", layer_norm_epsilon=1e-4),
    "tokenizer": lambda folder: add_a_line(folder / "tokenizer.json"),
    "chat template": lambda folder: edit_json(
        folder / "tokenizer_config.json", chat_template="{{ messages[0].content }}"
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_folders_of_one_name_that_differ_have_different_revisions(
    saved: Path, folder: Path, what: str
) -> None:
    CHANGES[what](folder)

    assert revision(folder) != revision(saved)


def test_copy_of_a_folder_has_its_revision(saved: Path, folder: Path) -> None:
    (folder / "README.md").write_text("Notes change no number.")

    assert revision(folder) == revision(saved)


def test_weights_that_are_trained_further_in_their_folder_are_another_model(folder: Path) -> None:
    before = revision(folder)
    train_on(folder)

    assert revision(folder) != before


def test_split_weights_count_in_every_part(tmp_path: Path) -> None:
    folder = tmp_path / "split"
    save_tiny_gpt2(folder, max_shard_size="8KB")
    parts = sorted(folder.glob("model-*.safetensors"))
    assert len(parts) > 1
    before = ModelDigest(folder, "split").result()
    parts[-1].write_bytes(parts[-1].read_bytes()[:-1] + b"\1")

    assert ModelDigest(folder, "split").result() != before


def test_embedded_model_is_identified_by_its_weights_alone() -> None:
    """A digest over more files made every conversation that was saved before unreadable."""
    weights = (EMBEDDED_FOLDER / "model.safetensors").read_bytes()

    found = load_engine("embedded", **SMALL).facts

    assert (found.source, found.revision) == ("embedded", hashlib.sha256(weights).hexdigest())


def test_files_that_change_while_they_load_are_refused(folder: Path) -> None:
    computed = ModelDigest(folder, "checkpoint-500")
    train_on(folder)

    with pytest.raises(ModelLoadError, match="changed while they were being loaded"):
        computed.result()


def test_model_is_loaded_while_its_files_are_hashed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing takes about as long as loading: one after the other would double the start."""
    is_loaded = threading.Event()

    def load(*args: Any, **options: Any) -> Any:
        loaded = load_files(*args, **options)
        is_loaded.set()
        return loaded

    def hash_after_loading(paths: Iterable[Path]) -> str:
        assert is_loaded.wait(60)
        return sha256_of(paths)

    monkeypatch.setattr(loading, "load_files", load)
    monkeypatch.setattr(digest, "sha256_of", hash_after_loading)

    assert len(revision(folder)) == 64
