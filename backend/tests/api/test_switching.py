"""Another model is loaded while the server runs; each answer is of the model that it was asked of."""

from __future__ import annotations

import dataclasses
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from app.api.deps import Services
from app.engine import memory
from app.errors import UnsupportedArchitecture
from app.main import create_app
from app.services.loading_progress import LoadProgress
from app.settings import Settings
from tests.api.conftest import JSON, chat, error_of, events_of, get, ids_of, say, wait_until_ready
from tests.engine.model_folders import edit_json, save_tiny_gpt2
from tests.fakes import FakeEngine, fake_facts

SECONDS = 60
MAP = {
    "kind": "patch_map",
    "clean": {"prompt": "abcd"},
    "corrupt": {"prompt": "abzd"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models that differ in their digests, one that is broken and one of an unknown kind."""
    root = tmp_path_factory.mktemp("models")
    for name in ("first", "second", "broken", "strange"):
        save_tiny_gpt2(root / name)
    edit_json(root / "second" / "config.json", n_positions=64, note="another digest")
    edit_json(root / "second" / "tokenizer_config.json", chat_template="{{ messages[0].content }}")
    (root / "broken" / "model.safetensors").write_bytes(b"cut off")
    edit_json(root / "strange" / "config.json", model_type="rwkv9")
    return root


class Models:
    """Makes engines without weights for the folders of `folder`, which can be held up or refused."""

    def __init__(self) -> None:
        self.engines = {name: engine_called(name) for name in ("first", "second")}
        self.refused: dict[str, Exception] = {}
        self.may_end = threading.Event()
        self.may_end.set()
        self.loaded: list[str] = []

    def load(
        self, settings: Settings, on_progress: Callable[[LoadProgress], None], _is_beside: bool
    ) -> FakeEngine:
        name = Path(settings.model).name
        on_progress(LoadProgress(f"Loading {name}.", 1, 2, "weights"))
        assert self.may_end.wait(SECONDS)
        on_progress(LoadProgress(f"Checking {name}.", step="check"))
        if name in self.refused:
            raise self.refused[name]
        self.loaded.append(name)
        return self.engines[name]


def engine_called(name: str) -> FakeEngine:
    engine = FakeEngine()
    engine.facts = dataclasses.replace(fake_facts(name=name), revision=name * 4)
    return engine


@pytest.fixture
def models() -> Models:
    return Models()


@contextmanager
def serving(folder: Path, models: Models, **settings: Any) -> Iterator[TestClient]:
    settings = {"page_dir": Path("/nowhere"), "models_dir": folder, **settings}
    settings.setdefault("model", str(folder / "first"))
    app = create_app(Settings(**settings), models.load)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        wait_until_ready(client)
        yield client


@pytest.fixture
def client(folder: Path, models: Models) -> Iterator[TestClient]:
    with serving(folder, models, shutdown_seconds=SECONDS) as client:
        yield client


def change(client: TestClient, model: str, **more: Any) -> None:
    response = client.put("/api/model", json={"model": model, **more})
    assert response.status_code == 202, response.text


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def running(client: TestClient) -> str:
    name: str = client.get("/api/health").json()["model"]
    return name


def switch_of(client: TestClient) -> JSON:
    switch: JSON = client.get("/api/health").json()["switch"] or {}
    return switch


def runs(client: TestClient, name: str) -> bool:
    health = client.get("/api/health").json()
    return health["status"] == "ready" and health["model"] == name and health["switch"] is None


def test_another_model_answers_once_it_is_ready_and_the_first_one_again_later(
    client: TestClient,
) -> None:
    before = client.get("/api/health").json()
    first = say(client, "Hello")
    change(client, "dir:second")
    until(lambda: runs(client, "second"))
    second = say(client, "Hello")
    after = client.get("/api/health").json()
    # A conversation of the first one is shown by its text alone, and not read.
    opened = get(client, f"conversations/{first['conversation_id']}")
    read = client.post("/api/lens", json={"conversation_id": first["conversation_id"]})
    change(client, "dir:first")
    until(lambda: runs(client, "first"))
    again = client.post("/api/lens", json={"conversation_id": first["conversation_id"]})

    assert first["model_identity"]["name"] == "first"
    assert second["model_identity"] == {
        "name": "second",
        "revision": "second" * 4,
        "source": "local",
    }
    assert get(client, "model_info")["model_name"] == "first"
    assert opened["tokens"] == []
    assert error_of(read, 409)["code"] == "model_mismatch"
    assert again.json()["model_identity"]["name"] == "first"
    # The page reads everything anew when this changes.
    assert before["instance"] != after["instance"]


def test_a_server_with_a_fixed_model_lists_others_and_loads_none(
    folder: Path, models: Models
) -> None:
    with serving(folder, models, fixed_model=True) as client:
        listed = {model["key"]: model["problem"] for model in get(client, "models")["models"]}
        refused = client.put("/api/model", json={"model": "dir:second"})

    assert listed["dir:first"] is None
    assert listed["dir:second"] == "This server stays with its model."
    assert error_of(refused, 403)["code"] == "forbidden"
    assert models.loaded == ["first"]


def test_the_first_model_answers_while_the_other_is_loaded(
    client: TestClient, models: Models
) -> None:
    models.may_end.clear()
    change(client, "dir:second")
    until(lambda: switch_of(client).get("detail") == "Loading second.")
    health = client.get("/api/health")
    answer = say(client, "Hello")
    refused = client.put("/api/model", json={"model": "embedded"})
    models.may_end.set()
    until(lambda: runs(client, "second"))

    assert (health.status_code, health.json()["model"]) == (200, "first")
    switch = health.json()["switch"]
    assert (switch["key"], switch["model"], switch["stage"]) == ("dir:second", "second", "loading")
    assert [step["step"] for step in switch["loading"] if step["status"] == "running"] == [
        "weights"
    ]
    assert answer["model_identity"]["name"] == "first"
    assert error_of(refused, 409)["message"] == "second is being loaded."


def test_a_model_that_is_refused_leaves_the_first_one_running_and_says_why(
    client: TestClient, models: Models
) -> None:
    models.refused["second"] = UnsupportedArchitecture(
        "The lens of second differs.", hint="Choose x."
    )
    instance = client.get("/api/health").json()["instance"]
    change(client, "dir:second")
    until(lambda: switch_of(client).get("stage") == "failed")
    failed = switch_of(client)
    answer = say(client, "Hello")
    del models.refused["second"]
    change(client, "dir:second")
    until(lambda: runs(client, "second"))

    assert failed["error"]["code"] == "unsupported_architecture"
    assert failed["detail"] == "The lens of second differs. Choose x."
    assert answer["model_identity"]["name"] == "first"
    assert client.get("/api/health").json()["instance"] != instance


@pytest.mark.parametrize(
    ("model", "status", "code", "words"),
    [
        ("dir:broken", 422, "model_load_failed", "damaged or incomplete"),
        ("dir:strange", 422, "unsupported_architecture", "does not know the model_type 'rwkv9'"),
        ("dir:gone", 404, "model_not_found", "does not exist"),
        ("dir:../first", 404, "model_not_found", "is no model of the list"),
        ("path:7", 404, "model_not_found", "is no model of the list"),
        ("/no/such/folder", 404, "model_not_found", "does not exist"),
        ("http://example.org", 404, "model_not_found", "neither a model id"),
        ("auto", 404, "model_not_found", "names no model"),
    ],
)
def test_what_files_tell_of_a_model_that_cannot_be_had_is_refused_at_once(
    client: TestClient, models: Models, model: str, status: int, code: str, words: str
) -> None:
    error = error_of(client.put("/api/model", json={"model": model}), status)

    assert (error["code"], words in error["message"]) == (code, True), error
    assert runs(client, "first")
    assert models.loaded == ["first"]


def test_a_reply_that_ends_in_time_is_the_first_models_to_its_end(
    client: TestClient, models: Models
) -> None:
    pause = models.engines["first"].faults.pause("decode:2")
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(say, client, "Hello")
        assert pause.reached.wait(SECONDS)
        change(client, "dir:second")
        # Held while the reply's turn lasts: two models never compute at the same time.
        until(lambda: switch_of(client).get("detail") == "Checking second.")
        loaded = list(models.loaded)
        pause.go_on.set()
        answer = reply.result()
    until(lambda: runs(client, "second"))

    assert loaded == ["first"]
    assert answer["model_identity"]["name"] == "first"
    assert answer["usage"]["reply_tokens"] == 6


def test_a_reply_that_takes_longer_than_the_grace_time_ends_and_keeps_what_was_written(
    folder: Path, models: Models
) -> None:
    with serving(folder, models, shutdown_seconds=0) as client:
        models.may_end.clear()
        body = chat("Hello", stream=True, sampling={"max_new_tokens": 400, "stop": []})
        with ThreadPoolExecutor(1) as pool:
            change(client, "dir:second")
            pause = models.engines["first"].faults.pause("decode:3")
            reply = pool.submit(client.post, "/api/chat", json=body)
            assert pause.reached.wait(SECONDS)
            models.may_end.set()
            until(lambda: switch_of(client).get("detail") == "Checking second.")
            pause.go_on.set()
            events = events_of(reply.result().text)
        until(lambda: runs(client, "second"))
        start, last = events[0], events[-1]
        change(client, "dir:first")
        until(lambda: runs(client, "first"))
        kept = get(client, f"conversations/{start['conversation_id']}")

    written = [event for event in events if event["type"] == "token"]
    assert last["type"] == "error"
    assert last["error"]["code"] == "model_switched"
    assert "from first to second" in last["error"]["message"]
    assert 0 < len(written) < 400
    assert kept["turns"][-1]["finish_reason"] == "interrupted"


def test_a_reading_that_runs_while_models_change_is_the_first_models(
    client: TestClient, models: Models
) -> None:
    body = {"prompt": "a" * 200}
    plain = client.post("/api/lens", json=body).json()
    pause = models.engines["first"].faults.pause("read")
    with ThreadPoolExecutor(2) as pool:
        reading = pool.submit(client.post, "/api/lens", json=body)
        assert pause.reached.wait(SECONDS)
        change(client, "dir:second")
        until(lambda: switch_of(client).get("detail") == "Checking second.")
        pause.go_on.set()
        answer = reading.result()
    until(lambda: runs(client, "second"))

    assert answer.status_code == 200
    assert answer.json() == plain
    assert answer.json()["model_identity"]["name"] == "first"


def test_a_job_stops_for_another_model_and_goes_on_with_its_own(
    client: TestClient, models: Models
) -> None:
    pause = models.engines["first"].faults.pause("cell")
    job_id = client.post("/api/jobs", json=MAP).json()["id"]
    assert pause.reached.wait(SECONDS)
    change(client, "dir:second")
    until(lambda: switch_of(client).get("detail") == "Checking second.")
    pause.go_on.set()
    until(lambda: runs(client, "second"))
    (waiting,) = get(client, "jobs")["jobs"]
    read = client.get(f"/api/jobs/{job_id}")
    seconds_work = models.engines["second"].faults.calls.get("cell", 0)
    other = client.post("/api/jobs", json=MAP).json()["id"]
    until(lambda: get(client, f"jobs/{other}")["state"] == "done")
    change(client, "dir:first")
    until(lambda: runs(client, "first"))
    until(lambda: get(client, f"jobs/{job_id}")["state"] == "done")

    assert (waiting["state"], waiting["model"]) == ("waiting", "first")
    # Its ids would be read as other words.
    assert error_of(read, 409)["code"] == "model_mismatch"
    assert seconds_work == 0
    assert get(client, f"jobs/{job_id}")["model_identity"]["name"] == "first"


def test_measured_examples_are_those_of_the_model_that_runs(
    client: TestClient, models: Models
) -> None:
    get(client, "examples")
    change(client, "dir:second")
    until(lambda: runs(client, "second"))
    models.engines["second"].faults.calls.clear()
    info = get(client, "model_info")
    get(client, "examples")

    assert info["examples"] == []
    assert models.engines["second"].steps_made > 0


def test_a_model_that_does_not_fit_beside_the_other_is_loaded_only_in_its_place(
    client: TestClient, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 1000)
    listed = {each["name"]: each["fits"] for each in get(client, "models")["models"]}
    refused = client.put("/api/model", json={"model": "dir:second"})
    change(client, "dir:second", unload_first=True)
    until(lambda: runs(client, "second"))

    error = error_of(refused, 507)
    assert error["code"] == "model_too_large"
    assert "beside the model that runs" in error["message"]
    assert "unload_first" in error["hint"]
    assert listed["second"] == "no"
    assert models.loaded == ["first", "second"]


def test_a_model_that_no_memory_holds_is_refused_in_any_place(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "memory_limit", lambda: 1000)
    response = client.put("/api/model", json={"model": "dir:second", "unload_first": True})

    assert "this machine has 0.0 GiB" in error_of(response, 507)["message"]
    assert runs(client, "first")


def test_the_former_model_is_loaded_again_when_the_one_in_its_place_is_refused(
    client: TestClient, models: Models
) -> None:
    models.refused["second"] = UnsupportedArchitecture("The lens of second differs.")
    models.may_end.clear()
    change(client, "dir:second", unload_first=True)
    until(lambda: client.get("/api/health").json()["status"] == "loading")
    during = client.post("/api/chat", json=chat("Hello"))
    models.may_end.set()
    until(lambda: client.get("/api/health").status_code == 200)

    assert error_of(during, 503)["code"] == "model_loading"
    assert running(client) == "first"
    assert switch_of(client)["error"]["message"] == "The lens of second differs."
    assert say(client, "Hello")["model_identity"]["name"] == "first"


def test_a_server_whose_first_model_failed_takes_another_one(folder: Path, models: Models) -> None:
    app = create_app(
        Settings(model=str(folder / "broken"), models_dir=folder, page_dir=Path("/nowhere")),
        models.load,
    )
    models.refused["broken"] = UnsupportedArchitecture("No.")
    with TestClient(app, base_url="http://localhost") as client:
        until(lambda: client.get("/api/health").json()["status"] == "failed")
        change(client, "dir:second")
        until(lambda: runs(client, "second"))

        assert say(client, "Hello")["model_identity"]["name"] == "second"


def test_the_list_tells_what_files_tell(client: TestClient, folder: Path) -> None:
    listed = get(client, "models")
    found = {each["key"]: each for each in listed["models"]}

    assert (listed["running"], listed["takes_paths"]) == ("dir:first", True)
    assert found["embedded"]["identity"]["source"] == "embedded"
    assert not found["embedded"]["has_chat_template"]
    second = found["dir:second"]
    assert second["disk_bytes"] == (folder / "second" / "model.safetensors").stat().st_size
    assert (second["context_length"], second["architecture"]) == (64, "gpt2")
    assert second["memory_bytes"] == 4 * second["num_parameters"]
    assert (second["identity"], second["problem"]) == (None, None)
    assert second["has_chat_template"]
    assert found["dir:first"]["identity"]["revision"] == "first" * 4
    assert "damaged or incomplete" in found["dir:broken"]["problem"]
    assert "rwkv9" in found["dir:strange"]["problem"]
    assert str(folder) not in client.get("/api/models").text


def test_a_folder_given_by_its_path_is_listed_without_it(folder: Path, models: Models) -> None:
    with serving(folder, models, models_dir=None) as client:
        change(client, str(folder / "second"))
        until(lambda: runs(client, "second"))
        keys = {each["name"]: each["key"] for each in get(client, "models")["models"]}
        change(client, keys["first"])
        until(lambda: runs(client, "first"))

    assert keys == keys | {"first": "path:0", "second": "path:1"}


@pytest.mark.parametrize("model", ["/etc", "owner/name-that-is-not-cached"])
def test_a_server_that_others_can_reach_takes_listed_models_only(
    folder: Path, models: Models, model: str
) -> None:
    reachable = {"host": "0.0.0.0", "token": "x" * 20, "allowed_hosts": ("localhost",)}
    app = create_app(
        Settings(model=str(folder / "first"), models_dir=folder, **reachable), models.load
    )
    headers = {"Authorization": f"Bearer {'x' * 20}"}
    with TestClient(app, base_url="http://localhost", headers=headers) as client:
        wait_until_ready(client)

        error = error_of(client.put("/api/model", json={"model": model}), 403)
        assert (
            "Other machines can reach" in error["message"] or "other machines" in error["message"]
        )
        assert not client.get("/api/models").json()["takes_paths"]
        change(client, "dir:second")
        until(lambda: runs(client, "second"))


def test_numbers_are_the_same_bits_after_another_real_model_ran_and_nothing_of_it_stays(
    folder: Path,
) -> None:
    settings = Settings(
        model=str(folder / "first"),
        models_dir=folder,
        page_dir=Path("/nowhere"),
        database=SecretStr("memory"),
        threads=1,
        store_bytes=2**24,
    )
    app = create_app(settings)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        wait_until_ready(client)
        services: Services = app.state.services
        former = weakref.ref(services.worker.engine)
        first = say(client, "Hello", sampling={"max_new_tokens": 8, "temperature": 0})
        body = {"conversation_id": first["conversation_id"], "half_layers": True}
        before = client.post("/api/lens", json=body).json()
        del services
        change(client, "dir:second")
        until(lambda: runs(client, "second"))
        # The new model may answer a moment before the old one is gone.
        until(lambda: former() is None)
        other = client.post("/api/lens", json={"token_ids": ids_of(first)})
        refused = client.post("/api/lens", json=body)
        change(client, "dir:first")
        until(lambda: runs(client, "first"))
        after = client.post("/api/lens", json=body).json()

    assert other.json()["model_identity"]["name"] == "second"
    assert error_of(refused, 409)["code"] == "model_mismatch"
    assert after == before
