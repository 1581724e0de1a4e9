"""No number of one model is shown under the name of another."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.services.identity import ModelIdentity
from tests.api.conftest import (
    JSON,
    chat,
    error_of,
    events_of,
    get,
    make_client,
    say,
    wait_until_ready,
)
from tests.fakes import FAKE_REVISION, FakeEngine, fake_facts

OPENAPI = Path(__file__).parents[2] / "openapi.json"
FAKE = {"name": "fake", "revision": FAKE_REVISION, "source": "local"}


def engine_with(**facts: Any) -> FakeEngine:
    engine = FakeEngine()
    engine.facts = dataclasses.replace(fake_facts(), **facts)
    return engine


def saved_with(**facts: Any) -> str:
    """Id of a conversation that another model has written into the same database."""
    with make_client(engine_with(**facts)) as client:
        wait_until_ready(client)
        name: str = say(client, "Hello")["conversation_id"]
    return name


def requests_that_read(name: str) -> dict[str, Callable[[TestClient], Any]]:
    """Every way by which a stored timeline could reach the running model."""
    other = {"prompt": "x"}
    stored = {"conversation_id": name}
    place = {**stored, "position": 1}
    push = {"kind": "add", "strength": 1, "direction": {"kind": "random", "seed": 1}}
    change = {"site": "resid", "layers": [1], "positions": [0], "op": push}
    taken = {"kind": "replace", "from": stored, "positions": [0]}
    patch = {"layer": 1, "positions": [[0, 0]]}
    return {
        "continue": lambda c: c.post("/api/chat", json=chat("x", conversation_id=name)),
        "stream": lambda c: c.post("/api/chat", json=chat("x", conversation_id=name, stream=True)),
        "branch": lambda c: c.post(
            "/api/chat", json={"messages": [], "conversation_id": name, "from_index": 3}
        ),
        "lens": lambda c: c.post("/api/lens", json={"conversation_id": name}),
        "compare": lambda c: c.post(
            "/api/compare", json={"a": other, "b": {"conversation_id": name}}
        ),
        "attribution": lambda c: c.post("/api/attribution", json=place),
        "attention": lambda c: c.post("/api/attention", json=place),
        "writes": lambda c: c.post("/api/writes", json={**place, "block": 1}),
        "dose": lambda c: c.post(
            "/api/dose",
            json={**stored, "interventions": [change], "strengths": [1], "targets": [1]},
        ),
        "patch": lambda c: c.post("/api/patch", json={"clean": stored, "corrupt": other, **patch}),
        "patch from": lambda c: c.post(
            "/api/patch", json={"clean": other, "corrupt": stored, **patch}
        ),
        "job": lambda c: c.post(
            "/api/jobs", json={"kind": "patch_map", "clean": other, "corrupt": stored}
        ),
        "a run that is taken from": lambda c: c.post(
            "/api/lens", json={**other, "interventions": [{**change, "op": taken}]}
        ),
        "a run that a reply takes from": lambda c: c.post(
            "/api/chat", json=chat("x", interventions=[{**change, "op": taken}])
        ),
    }


def test_every_question_about_a_timeline_is_among_those_that_are_refused() -> None:
    described = json.loads(OPENAPI.read_text())
    names = {
        path
        for path, methods in described["paths"].items()
        if "post" in methods and "requestBody" in methods["post"]
    }
    asked: set[str] = set()

    class Noting:
        def post(self, path: str, **_: Any) -> None:
            asked.add(path)

    for request in requests_that_read("x").values():
        request(Noting())  # type: ignore[arg-type]
    assert asked == names - {"/api/conversations/import"}


@pytest.mark.parametrize("request_name", requests_that_read(""))
@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"revision": "2"}, id="folder of the same name with other files"),
        pytest.param({"source": "hub", "name": "owner/fake"}, id="hub"),
    ],
)
def test_no_request_reads_a_conversation_of_another_model(facts: JSON, request_name: str) -> None:
    name = saved_with()
    other = engine_with(**facts)
    with make_client(other) as client:
        wait_until_ready(client)
        response = requests_that_read(name)[request_name](client)

        error = error_of(response, 409)
        assert error["code"] == "model_mismatch"
        assert f"fake, revision {FAKE_REVISION[:12]}" in error["message"]
        assert str(ModelIdentity.of(other.facts)) in error["message"]
        assert other.steps_made == 0


def test_conversation_of_another_model_is_shown_by_its_text_alone() -> None:
    name = saved_with()
    with make_client(engine_with(revision="2")) as client:
        wait_until_ready(client)
        saved = get(client, f"conversations/{name}")

        assert (saved["is_readable"], saved["tokens"]) == (False, [])
        assert saved["model"] == FAKE
        assert "Hello" in saved["text"]


def test_conversation_of_a_hub_model_belongs_to_its_repository_and_commit() -> None:
    name = saved_with(source="hub", name="owner/one", revision="1" * 40)
    with make_client(engine_with(source="hub", name="owner/two", revision="1" * 40)) as client:
        wait_until_ready(client)
        error = error_of(client.post("/api/lens", json={"conversation_id": name}), 409)

        assert "MODEL=owner/one" in error["hint"]


def test_folder_that_was_renamed_is_the_same_model() -> None:
    name = saved_with()
    with make_client(engine_with(name="moved")) as client:
        wait_until_ready(client)

        assert get(client, f"conversations/{name}")["is_readable"]
        assert say(client, "On", conversation_id=name)


def test_conversation_without_a_revision_belongs_to_no_model(client: TestClient) -> None:
    """Before revisions were recorded, two folders of one name were taken for one model."""
    name = say(client, "Hello")["conversation_id"]
    file = get(client, f"conversations/{name}/export")
    file["model"]["revision"] = None
    imported = client.post("/api/conversations/import", json=file).json()["id"]

    assert get(client, f"conversations/{imported}")["is_readable"] is False
    for request in requests_that_read(imported).values():
        error = error_of(request(client), 409)
        assert error["code"] == "model_mismatch"
        assert "not the revision" in error["message"]


def test_exported_file_is_readable_on_a_server_with_the_same_model_only(client: TestClient) -> None:
    name = say(client, "Hello")["conversation_id"]
    file = get(client, f"conversations/{name}/export")
    assert file["model"] == FAKE
    for facts, is_readable in (({}, True), ({"revision": "2"}, False)):
        with make_client(engine_with(**facts)) as other:
            wait_until_ready(other)
            imported = other.post("/api/conversations/import", json=file).json()["id"]
            assert get(other, f"conversations/{imported}")["is_readable"] is is_readable


def test_every_answer_with_numbers_names_the_model_that_computed_them(client: TestClient) -> None:
    start = events_of(client.post("/api/chat", json=chat("Hi", stream=True)).text)[0]
    side = {"prompt": "Hi"}
    place = {**side, "position": 1}
    push = {"kind": "add", "strength": 1, "direction": {"kind": "random", "seed": 1}}
    change = {"site": "resid", "layers": [1], "positions": [0], "op": push}
    dose = {"interventions": [change], "strengths": [1], "targets": [1]}
    sides = {"clean": {"prompt": "abcd"}, "corrupt": {"prompt": "abxd"}}
    job = client.post("/api/jobs", json={"kind": "patch_map", **sides}).json()["id"]
    answers = [
        start,
        say(client),
        client.post("/api/lens", json=side).json(),
        client.post("/api/compare", json={"a": side, "b": side}).json(),
        client.post("/api/attribution", json=place).json(),
        client.post("/api/attention", json=place).json(),
        client.post("/api/writes", json={**place, "block": 1}).json(),
        client.post("/api/dose", json={**side, **dose}).json(),
        client.post("/api/patch", json={**sides, "layer": 1, "positions": [[2, 2]]}).json(),
        get(client, f"jobs/{job}"),
    ]

    assert [answer.get("model_identity") for answer in answers] == [FAKE] * len(answers)
    info = get(client, "model_info")
    assert (info["model_name"], info["revision"], info["source"]) == tuple(FAKE.values())


def test_health_names_the_revision_and_tells_one_start_from_another(client: TestClient) -> None:
    first, again = get(client, "health"), get(client, "health")
    with make_client(engine_with(revision="2")) as restarted:
        wait_until_ready(restarted)
        after = get(restarted, "health")

    assert (first["revision"], after["revision"]) == (FAKE_REVISION, "2")
    assert first["instance"] == again["instance"] != after["instance"]
