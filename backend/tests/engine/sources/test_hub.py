"""Models of the hub: found by name, downloaded, cached."""

import errno
import io
import json
import logging
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.engine import hub as hub_module
from app.engine.hub import Hub
from app.engine.model_names import GPT2
from app.engine.sources import find_model
from app.errors import HubUnreachable, ModelLoadError, ModelNotFound
from tests.engine.fake_hub import COMMIT, FakeHub
from tests.engine.model_folders import save_tiny_gpt2


def test_download_brings_what_is_needed_and_names_the_commit(
    fake: FakeHub, hub: Hub, saved: Path
) -> None:
    fake.repos["owner/tiny"] |= {
        "pytorch_model.bin": b"\x80evil",
        "rust_model.ot": b"",
        "README.md": b"# tiny",
        "modeling_tiny.py": b"raise SystemExit",
    }
    seen: list[tuple[int, int | None]] = []
    files = find_model("owner/tiny", hub=hub, on_progress=lambda *bytes_: seen.append(bytes_))
    assert (files.name, files.source, files.revision) == ("owner/tiny", "hub", COMMIT)
    assert files.note is None
    fetched = {path.name for path in files.folder.iterdir()}
    assert fetched == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    for name in fetched:
        assert (files.folder / name).read_bytes() == (saved / name).read_bytes()
    total = sum((saved / name).stat().st_size for name in fetched)
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_cached_model_is_found_without_the_network(fake: FakeHub, hub: Hub) -> None:
    downloaded = find_model("owner/tiny", hub=hub)
    fake.requests.clear()
    assert find_model("owner/tiny", hub=hub) == downloaded
    assert find_model("owner/tiny", COMMIT, hub=hub) == downloaded
    assert fake.requests == []


def test_split_weights_are_fetched_whole(fake: FakeHub, hub: Hub, tmp_path: Path) -> None:
    save_tiny_gpt2(tmp_path / "split", max_shard_size="20KB")
    fake.add("owner/split", tmp_path / "split")
    files = find_model("owner/split", hub=hub)
    index = json.loads((files.folder / "model.safetensors.index.json").read_text())
    shards = set(index["weight_map"].values())
    assert len(shards) > 1
    assert all((files.folder / shard).is_file() for shard in shards)
    assert find_model("owner/split", hub=Hub("http://127.0.0.1:9", hub.cache_dir)) == files


def rename_shards(folder: Path) -> set[str]:
    """Name split weights as nothing but their index tells."""
    path = folder / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    names = {
        name: f"part_{i}.safetensors" for i, name in enumerate(set(index["weight_map"].values()))
    }
    for old, new in names.items():
        (folder / old).rename(folder / new)
    index["weight_map"] = {key: names[old] for key, old in index["weight_map"].items()}
    path.write_text(json.dumps(index))
    return set(names.values())


def test_split_weights_of_any_name_are_fetched_whole(
    fake: FakeHub, hub: Hub, tmp_path: Path
) -> None:
    save_tiny_gpt2(tmp_path / "split", max_shard_size="20KB")
    shards = rename_shards(tmp_path / "split")
    (tmp_path / "split" / "consolidated.safetensors").write_bytes(b"the same weights once more")
    fake.add("owner/split", tmp_path / "split")
    files = find_model("owner/split", hub=hub)
    found = {path.name for path in files.folder.glob("*.safetensors")}
    assert found == shards
    assert find_model("owner/split", hub=Hub("http://127.0.0.1:9", hub.cache_dir)) == files


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda folder: min(folder.glob("*-of-*.safetensors")).unlink(),
            r"split lacks model-00001",
        ),
        (
            lambda folder: (folder / "model.safetensors.index.json").write_text("{}"),
            r"owner/split are split, but .* is damaged: .*no weight_map",
        ),
    ],
    ids=["a lost shard", "a damaged index"],
)
def test_split_weights_that_the_repository_lacks_are_named(
    fake: FakeHub, hub: Hub, tmp_path: Path, change: Callable[[Path], object], words: str
) -> None:
    save_tiny_gpt2(tmp_path / "split", max_shard_size="20KB")
    change(tmp_path / "split")
    fake.add("owner/split", tmp_path / "split")
    with pytest.raises(ModelLoadError, match=words):
        find_model("owner/split", hub=hub)


def test_interrupted_transfer_goes_on_where_it_broke_off(fake: FakeHub, hub: Hub) -> None:
    fake.cut_once.add("model.safetensors")
    seen: list[int] = []
    files = find_model("owner/tiny", hub=hub, on_progress=lambda done, _: seen.append(done))
    weights = (files.folder / "model.safetensors").read_bytes()
    assert weights == fake.repos["owner/tiny"]["model.safetensors"]
    assert fake.requests.count(f"GET /owner/tiny/resolve/{COMMIT}/model.safetensors") == 2
    assert seen == sorted(seen)


def test_finished_files_are_kept_when_a_later_one_fails(fake: FakeHub, hub: Hub) -> None:
    fake.claims_more.add("model.safetensors")
    with pytest.raises(ModelLoadError, match="download of owner/tiny failed: Consistency check"):
        find_model("owner/tiny", hub=hub)
    assert hub.cached("owner/tiny", None) is None
    fake.claims_more.clear()
    fake.requests.clear()
    find_model("owner/tiny", hub=hub)
    assert [r for r in fake.requests if r.startswith("GET /owner")] == [
        f"GET /owner/tiny/resolve/{COMMIT}/model.safetensors"
    ]


def test_callback_can_end_a_download(hub: Hub) -> None:
    class Enough(Exception):
        pass

    def stop(done: int, _total: int | None) -> None:
        if done:
            raise Enough

    with pytest.raises(Enough):
        find_model("owner/tiny", hub=hub, on_progress=stop)


def test_revision_is_looked_up(hub: Hub) -> None:
    assert find_model("owner/tiny", "main", hub=hub).revision == COMMIT
    with pytest.raises(ModelNotFound, match="owner/tiny at v2 does not exist"):
        find_model("owner/tiny", "v2", hub=hub)


def test_unknown_model_is_an_error(hub: Hub) -> None:
    with pytest.raises(ModelNotFound, match="There is no model 'owner/none' on http://127"):
        find_model("owner/none", hub=hub)


def test_gated_model_names_the_way_in(fake: FakeHub, hub: Hub) -> None:
    fake.gated.add("owner/tiny")
    with pytest.raises(ModelLoadError, match="owner/tiny is gated") as caught:
        find_model("owner/tiny", hub=hub)
    assert "HF_TOKEN" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [(403, ModelLoadError, "refuses access"), (503, HubUnreachable, "HTTP 503")],
)
def test_refusals_of_the_hub_are_named(
    fake: FakeHub, hub: Hub, status: int, error: type[ModelLoadError], words: str
) -> None:
    fake.status = status
    with pytest.raises(error, match=words):
        find_model("owner/tiny", hub=hub)


def test_named_model_without_a_network_is_an_error(dead_hub: Hub) -> None:
    started = time.monotonic()
    with pytest.raises(HubUnreachable, match="not in the local cache"):
        find_model("owner/tiny", hub=dead_hub)
    assert time.monotonic() - started < 15


def test_gpt2_is_never_replaced(dead_hub: Hub, saved: Path) -> None:
    with pytest.raises(HubUnreachable, match=f"{GPT2} is not in the local cache"):
        find_model("gpt2", hub=dead_hub, embedded_folder=saved)


@pytest.mark.parametrize(
    ("present", "words"),
    [
        ({"pytorch_model.bin": b"\x80"}, "only as pytorch_model.bin, a pickle file"),
        ({"tiny.gguf": b"GGUF"}, r"no model.safetensors, only tiny.gguf"),
        ({}, "has no model.safetensors"),
    ],
)
def test_repositories_without_safetensors_are_refused_before_a_byte(
    fake: FakeHub, hub: Hub, present: dict[str, bytes], words: str
) -> None:
    fake.repos["owner/odd"] = {"config.json": b"{}", **present}
    with pytest.raises(ModelLoadError, match=words):
        find_model("owner/odd", hub=hub)
    assert not any("resolve" in request for request in fake.requests)


def test_repository_without_a_configuration_is_refused(fake: FakeHub, hub: Hub) -> None:
    fake.repos["owner/data"] = {"train.parquet": b""}
    with pytest.raises(ModelLoadError, match=r"no config.json"):
        find_model("owner/data", hub=hub)


def test_full_disk_is_said_before_the_download(
    hub: Hub, fake: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        hub_module.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 1)
    )
    with pytest.raises(ModelLoadError, match=r"needs 0\.\d MB more on the disk"):
        find_model("owner/tiny", hub=hub)
    assert not any("resolve" in request for request in fake.requests)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "cache is full"),
        (PermissionError(errno.EACCES, "Permission denied", "blob"), r"read or written \(blob\)"),
    ],
)
def test_storage_failures_are_named(hub: Hub, error: OSError, words: str) -> None:
    def fail(done: int, _total: int | None) -> None:
        if done:
            raise error

    with pytest.raises(ModelLoadError, match=words):
        find_model("owner/tiny", hub=hub, on_progress=fail)


def test_progress_is_logged_where_there_is_no_terminal(
    hub: Hub, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO, "app.engine.hub"):
        find_model("owner/tiny", hub=hub)
    assert "Downloading owner/tiny: 0.0 MB of 0." in caplog.text
    assert "%|" not in capfd.readouterr().err


def test_progress_is_drawn_in_a_terminal(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    find_model("owner/tiny", hub=hub)
    assert "Downloading owner/tiny: 100%" in terminal.getvalue()
