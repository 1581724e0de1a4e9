"""The shipped opening is given out for exactly the weights that computed it, also before they are loaded."""

import dataclasses
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.services import opening
from app.services.loading_progress import LoadProgress
from app.settings import Settings
from tests.api.conftest import wait_until_ready
from tests.fakes import FakeEngine, fake_facts

REVISION = opening.weights_revision()


def asked(client: TestClient) -> Any:
    return client.get("/api/examples/opening").json()["opening"]


@pytest.fixture
def still_loading() -> Iterator[Callable[[str], TestClient]]:
    """Clients of servers whose model loads until the test ends."""
    gate = threading.Event()

    def load(
        _settings: Settings, on_progress: Callable[[LoadProgress], None], _is_beside: bool
    ) -> FakeEngine:
        gate.wait()
        on_progress(LoadProgress("Never mind."))
        return FakeEngine()

    yield lambda model: TestClient(
        create_app(Settings(model=model), load), base_url="http://localhost"
    )
    gate.set()


def test_it_is_answered_while_the_embedded_model_loads(
    still_loading: Callable[[str], TestClient],
) -> None:
    with still_loading("embedded") as client:
        found = asked(client)
        assert client.get("/api/health").json()["status"] == "loading"
    assert found["model"]["revision"] == REVISION
    assert found["tokens"][-1]["lens"] is not None


def test_no_other_model_gets_it_while_it_loads(
    still_loading: Callable[[str], TestClient],
) -> None:
    with still_loading("gpt2") as client:
        assert asked(client) is None


def test_other_weights_than_those_of_the_file_get_none(
    still_loading: Callable[[str], TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "weights_revision", lambda: "0" * 64)
    with still_loading("embedded") as client:
        assert asked(client) is None


@pytest.mark.parametrize(
    ("source", "revision", "is_given"),
    [("embedded", REVISION, True), ("embedded", "0" * 64, False), ("local", REVISION, False)],
    ids=["the same", "other weights", "another source"],
)
def test_a_running_model_gets_it_where_it_is_the_one_that_computed_it(
    source: Any, revision: str | None, is_given: bool
) -> None:
    engine = FakeEngine()
    engine.facts = dataclasses.replace(
        fake_facts(name="embedded"), source=source, revision=revision
    )
    app = create_app(Settings(), lambda *_: engine)
    with TestClient(app, base_url="http://localhost") as client:
        wait_until_ready(client)
        assert (asked(client) is not None) is is_given


def test_a_file_that_cannot_be_read_gives_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "opening.json").write_text('{"model": null}')
    monkeypatch.setattr(opening, "OPENING_FILE", tmp_path / "opening.json")
    assert opening.shipped.__wrapped__() is None
