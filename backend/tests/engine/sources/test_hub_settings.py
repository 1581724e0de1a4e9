"""Settings of this machine that decide whether and how the hub is reached."""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub.utils import close_session

from app.engine import hub as hub_module
from app.engine.hub import Hub
from app.engine.sources import find_model
from app.errors import HubUnreachable, ModelLoadError
from tests.engine.fake_hub import FakeHub


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
