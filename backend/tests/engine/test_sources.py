"""Which files a model name leads to, against a hub on the loopback interface."""

import errno
import io
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from huggingface_hub.utils import close_session

from app.engine import hub as hub_module
from app.engine import sources
from app.engine.hub import Hub
from app.engine.loading import load_files
from app.engine.model_names import GPT2, shown_name
from app.engine.sources import find_model
from app.errors import HubUnreachable, ModelLoadError, ModelNotFound
from tests.engine.fake_hub import COMMIT, FakeHub, serve_fake_hub
from tests.engine.model_folders import save_tiny_gpt2


@pytest.fixture(scope="module")
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


def copy_without(saved: Path, folder: Path, *names: str) -> Path:
    shutil.copytree(saved, folder)
    for name in names:
        (folder / name).unlink()
    return folder


# --- from the hub ---------------------------------------------------------------------------------


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


# --- auto -----------------------------------------------------------------------------------------


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


def test_settings_of_huggingface_hub_are_honoured(fake: FakeHub, tmp_path: Path) -> None:
    """HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE, in a process of its own, where they are read."""
    program = (
        "import sys; from app.engine.sources import find_model\n"
        "from app.errors import ExplorerError\n"
        "for name in sys.argv[1:]:\n"
        "    try: print(find_model(name).name)\n"
        "    except ExplorerError as error: print(error.code, error.message)\n"
    )

    def run(*names: str, **environment: str) -> list[str]:
        settings = {"HF_ENDPOINT": fake.address, "HF_HOME": str(tmp_path / "home")}
        done = subprocess.run(
            [sys.executable, "-c", program, *names],
            env={**os.environ, **settings, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    assert run("owner/tiny") == ["owner/tiny"]
    fake.requests.clear()
    online, missing = run("owner/tiny", "gpt2", HF_HUB_OFFLINE="1")
    assert online == "owner/tiny"
    assert missing.startswith("hub_unreachable")
    assert "HF_HUB_OFFLINE is set" in missing
    assert fake.requests == []


# --- settings of this machine that keep the hub away ----------------------------------------------

UNUSABLE = [
    ({"ALL_PROXY": "socks5://127.0.0.1:9"}, r"ALL_PROXY \(socks5://127.0.0.1:9\) .* socksio"),
    ({"all_proxy": "socks://u:secret@127.0.0.1:9"}, r"all_proxy \(socks://127.0.0.1:9\)"),
    ({"HTTP_PROXY": "ftp://127.0.0.1:9"}, r"HTTP_PROXY \(ftp://127.0.0.1:9\) .* Unknown scheme"),
    ({"HTTPS_PROXY": "http://127.0.0.1:abc"}, r"HTTPS_PROXY .* Invalid port"),
    ({"HTTP_PROXY": ":::"}, r"HTTP_PROXY \(:::\) is not the address of a proxy"),
    ({"HTTP_PROXY": "u:secret@127.0.0.1:9"}, r"through HTTP_PROXY \(127.0.0.1:9\): Connection"),
    ({"HF_TOKEN": "hf_ab\u2013cd-secret"}, r"HF_TOKEN holds .* \(U\+2013, character 6 of 15\)"),
    ({"HF_TOKEN": "hf_\udcff"}, r"HF_TOKEN holds .* \(U\+DCFF, character 4 of 4\)"),
    ({"SSL_CERT_FILE": "/none.pem"}, r"SSL_CERT_FILE names /none.pem, which does not exist\."),
    ({"SSL_CERT_FILE": __file__}, r"SSL_CERT_FILE names .*, which cannot be used: .*\."),
]


@pytest.fixture(params=UNUSABLE, ids=[str(next(iter(case[0].items()))) for case in UNUSABLE])
def unusable(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A setting with which nothing can be sent, and what a message about it has to say."""
    settings, words = request.param
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    close_session()  # the client keeps the settings that it was made with
    yield words
    close_session()


def test_named_model_says_which_setting_keeps_the_hub_away(dead_hub: Hub, unusable: str) -> None:
    with pytest.raises(HubUnreachable, match=unusable) as caught:
        find_model("owner/tiny", hub=dead_hub)
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


def test_auto_runs_the_embedded_model_whatever_keeps_the_hub_away(
    dead_hub: Hub, unusable: str, saved: Path
) -> None:
    files = find_model("auto", hub=dead_hub, embedded_folder=saved)
    assert files.source == "embedded"
    assert re.search(unusable, files.note or "")
    assert ".. " not in (files.note or "")
    assert ". For GPT-2, start" in (files.note or "")


def test_cache_that_cannot_be_read_is_named(
    hub: Hub, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", "refs/main")

    monkeypatch.setattr(hub_module, "try_to_load_from_cache", fail)
    with pytest.raises(ModelLoadError, match=r"read or written \(refs/main\)"):
        find_model("owner/tiny", hub=hub)
    assert find_model("auto", hub=hub, embedded_folder=saved).source == "embedded"


def test_without_a_home_folder_nothing_is_kept_in_a_folder_called_tilde(saved: Path) -> None:
    hub = Hub("http://127.0.0.1:9", Path("~/.cache/huggingface/hub"))
    with pytest.raises(ModelLoadError, match="no home folder") as caught:
        find_model("owner/tiny", hub=hub)
    assert "HF_HOME" in (caught.value.hint or "")
    assert find_model("auto", hub=hub, embedded_folder=saved).source == "embedded"


# --- folders and names ----------------------------------------------------------------------------


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
