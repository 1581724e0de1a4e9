"""Folders, and names that are refused."""

import os
from pathlib import Path

import pytest
import torch

from app.engine.hub import Hub
from app.engine.loading import load_files
from app.engine.model_names import shown_name
from app.engine.sources import find_model
from app.errors import ModelLoadError, ModelNotFound
from tests.engine.fake_hub import COMMIT, FakeHub
from tests.engine.model_folders import copy_without


def test_folder_is_local_and_does_not_tell_its_path(saved: Path) -> None:
    files = find_model(str(saved))
    assert files.folder == saved.resolve()
    assert (files.name, files.source, files.revision) == (saved.name, "local", None)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/data/secret/tiny", "tiny"),
        ("./models/tiny/", "tiny"),
        ("/data/gemma/hf", "gemma"),
        ("/data/gemma/HF/", "gemma"),
        ("/data/models/qwen/model/safetensors", "qwen"),
        ("/runs/run_a/checkpoint-500", "run_a checkpoint-500"),
        ("/runs/run_b/checkpoint-500", "run_b checkpoint-500"),
        ("/runs/run_b/hf/step_100/model", "run_b step_100"),
        ("/runs/run_b/final", "run_b final"),
        ("/runs/run_b/3", "run_b 3"),
        ("/final", "final"),
        ("/hf", "hf"),
        ("/", "/"),
        (f"~/hub/models--Qwen--Qwen2.5-0.5B/snapshots/{COMMIT}", "Qwen/Qwen2.5-0.5B"),
        ("/data/100%", "100%"),
        ("/data/caf\udce9", "caf\\udce9"),
        ("owner/tiny", "owner/tiny"),
        ("auto", "auto"),
    ],
)
def test_folder_is_named_by_as_much_of_its_path_as_says_which_model_it_is(
    path: str, name: str
) -> None:
    """Two models in folders called `hf` were both called hf."""
    assert shown_name(path) == name


def test_unknown_users_home_stands_for_itself() -> None:
    assert shown_name("~nobody-here/tiny") == "tiny"
    with pytest.raises(ModelNotFound, match="'tiny' does not exist"):
        find_model("~nobody-here/tiny")


def test_link_is_called_as_it_was_named(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "my-model").symlink_to(saved)
    assert find_model(str(tmp_path / "my-model")).name == "my-model"
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(ModelNotFound, match="'circle' does not exist"):
        find_model(str(tmp_path / "circle"))


ODD_FOLDERS = (
    "100%",
    "a%20b",
    "a#b?c&d=e",
    "two words",
    " trailing ",
    "it's",
    'say "hi"',
    "[0]{1}",
    "new\nline",
    "🎉",
    "e\u0301cole",
    "~tilde",
    "~",
    "$HOME",
    "co:lon",
    "back\\slash",
    "%s%d",
    "-dash",
    "x" * 255,
)


@pytest.mark.parametrize("name", ODD_FOLDERS)
def test_folders_of_any_name_are_found_and_loaded(
    name: str, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_without(saved, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for spelling in (str(tmp_path / name), f"{tmp_path / name}/", f"./{name}", f"./{name}/"):
        files = find_model(spelling)
        assert (files.folder, files.name) == (tmp_path / name, name)
    loaded = load_files(files, torch.device("cpu"))
    assert loaded.tokenizer("the").input_ids


def test_path_that_is_no_text_is_refused_with_a_way_out(saved: Path, tmp_path: Path) -> None:
    odd = copy_without(saved, tmp_path / os.fsdecode(b"caf\xe9"))
    with pytest.raises(ModelLoadError, match="holds a byte that is not UTF-8") as caught:
        find_model(str(odd))
    caught.value.message.encode()
    (tmp_path / "cafe").symlink_to(odd)
    assert find_model(str(tmp_path / "cafe")).name == "cafe"


def test_folder_beside_the_working_directory_is_found(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(saved.parent)
    assert find_model(saved.name).source == "local"
    assert find_model(f"./{saved.name}/").name == saved.name


def test_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"has no config.json"):
        find_model(str(tmp_path))
    with pytest.raises(ModelNotFound, match="'none' does not exist"):
        find_model(str(tmp_path / "none"))


@pytest.mark.parametrize(
    "name",
    [
        "https://example.org/model",
        "hf://owner/tiny",
        "a\0b",
        "owner/tiny/more",
        "owner/..",
        "owner/a--b",
        "%2e%2e/etc",
        "two words",
        "-flag",
        "x" * 300,
        "ünïcode/model",
    ],
)
def test_impossible_names_are_refused_without_asking(name: str, fake: FakeHub, hub: Hub) -> None:
    with pytest.raises(ModelNotFound, match=r"neither a model id .* nor a folder"):
        find_model(name, hub=hub)
    assert fake.requests == []


@pytest.mark.parametrize(
    "name", ["../../etc", "/etc", "~/none", "C:\\models\\x", "..", "/" + "x" * 300]
)
def test_paths_never_become_hub_ids(name: str, fake: FakeHub, hub: Hub) -> None:
    with pytest.raises(ModelNotFound, match="folder"):
        find_model(name, hub=hub)
    assert fake.requests == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("models\\tiny", r"'models\tiny'"),
        ("./it's", '"it\'s"'),
        ("./a\nb", r"'a\nb'"),
        ("./\udc80", r"'\udc80'"),
        ("./é", "'é'"),
    ],
)
def test_name_is_repeated_as_it_was_written(name: str, shown: str) -> None:
    """A backslash was doubled, as in code; what cannot be printed is still spelled out."""
    with pytest.raises(ModelNotFound) as caught:
        find_model(name)
    assert f" {shown} " in caught.value.message


@pytest.mark.parametrize("revision", ["../main", "a b", "", "-x", "a\0"])
def test_impossible_revisions_are_refused(revision: str, fake: FakeHub, hub: Hub) -> None:
    with pytest.raises(ModelNotFound, match="not a commit, tag or branch"):
        find_model("owner/tiny", revision, hub=hub)
    assert fake.requests == []


def test_revision_of_a_folder_is_refused(saved: Path) -> None:
    with pytest.raises(ModelLoadError, match="not a model of the hub"):
        find_model(str(saved), "main")


def test_incomplete_cache_is_completed(hub: Hub) -> None:
    files = find_model("owner/tiny", hub=hub)
    (files.folder / "tokenizer.json").unlink()
    assert hub.cached("owner/tiny", None) is None
    assert (find_model("owner/tiny", hub=hub).folder / "tokenizer.json").is_file()
