"""The client has every operation of the committed API, and each answers what it says."""

from __future__ import annotations

import dataclasses
import inspect
import json
import keyword
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mechanistic_explorer import Explorer, ServerError, answers
from mechanistic_explorer.jobs import Job
from mechanistic_explorer.results import decode

BACKEND = Path(__file__).resolve().parents[2]
OPENAPI: dict[str, Any] = json.loads((BACKEND / "openapi.json").read_text(encoding="utf-8"))


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for methods in OPENAPI["paths"].values():
        for operation in methods.values():
            yield operation["operationId"], operation


@pytest.mark.parametrize(
    ("name", "operation"), list(operations()), ids=[name for name, _ in operations()]
)
def test_operation_is_a_method_that_takes_everything_it_can_be_asked(
    name: str, operation: dict[str, Any]
) -> None:
    if name == "import_conversation":
        assert list(inspect.signature(Explorer.import_conversation).parameters)[1:] == ["file"]
        return
    in_path = {p["name"] for p in operation.get("parameters", ()) if p["in"] != "header"}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    forms = body["schema"].get("oneOf", [body["schema"]]) if body else [None]
    for form in forms:
        methods, wanted = [name], set(in_path)
        if form is not None:
            fields = OPENAPI["components"]["schemas"][form["$ref"].rpartition("/")[2]]["properties"]
            methods = [fields.get("kind", {}).get("const", name)]
            wanted |= {
                field
                for field, inner in fields.items()
                if "const" not in inner and field != "stream"
            }
            if "stream" in fields:
                methods.append(f"{name}_stream")
        for method in methods:
            taken = set(inspect.signature(getattr(Explorer, method)).parameters) - {"self"}
            assert taken == {f"{field}_" if keyword.iskeyword(field) else field for field in wanted}


def returned(method: str) -> Any:
    return typing.get_type_hints(getattr(Explorer, method))["return"]


def test_every_operation_answers_its_type(explorer: Explorer) -> None:
    """Against the server: a method that goes to a wrong address, or sends a wrong body, fails here."""
    called: set[str] = set()

    def ask(name: str, *args: Any, **named: Any) -> Any:
        called.add(name)
        answer = getattr(explorer, name)(*args, **named)
        assert isinstance(answer, returned(name)), name
        return answer

    ask("health")
    ask("model_info")
    assert ask("models").running is not None
    with pytest.raises(ServerError) as refused:
        ask("change_model", "./nothing")
    assert refused.value.code == "model_not_found"
    ask("stats")
    ask("examples")
    ask("opening")
    ask("tokens", "a", limit=3)
    ask("token", 65)
    ask("lens", "abc", layers=[1, 2], targets=[65])
    ask("compare", "abc", {"token_ids": [97, 98]}, layers=[(1, 1)], positions=[(0, 0)])
    ask("attribution", "abc", position=1, foil=66)
    ask("attention", "abc", position=1, kind="norm")
    ask("writes", "abc", position=1, block=1)
    at_layer = {"site": "resid", "layers": [1], "positions": [1]}
    token: Any = {"kind": "token", "token_id": 65}
    add: Any = {**at_layer, "op": {"kind": "add", "direction": token, "strength": 1.0}}
    ask("dose", "abc", interventions=[add], strengths=[0.0, 1.0], targets=[65])
    ask("patch", "abc", "abd", layer=1, positions=[(1, 1)])
    ask("create_job", {"kind": "patch_map", "clean": {"prompt": "ab"}, "corrupt": {"prompt": "cb"}})
    job: Job = ask("patch_map", "abc", "abd", layers=[1, 2])
    with ask("job_events", job.id) as events:
        assert isinstance(list(events)[-1], answers.JobDoneEvent)
    assert job.id in [listed.id for listed in ask("list_jobs").jobs]
    assert ask("get_job", job.id).state == "done"
    ask("delete_job", job.id)

    reply = ask("chat", "numbat", sampling={"max_new_tokens": 3})
    conversation = reply.conversation_id
    with ask("chat_stream", "again", conversation_id=conversation) as stream:
        assert stream.answer().conversation_id == conversation
    saved = ask("open_conversation", conversation)
    branch = ask(
        "chat",
        [],
        conversation_id=conversation,
        from_index=reply.turn_start + 1,
        continue_with=[65],
    ).conversation_id
    assert branch != conversation
    assert ask("list_conversations", "numbat").total == 1
    ask(
        "change_conversation",
        saved.id,
        title="Renamed",
        notes=[{"start": 0, "end": 1, "text": "x"}],
    )
    file = ask("export_conversation", saved.id)
    assert ask("import_conversation", file).title == "Renamed"
    ask("duplicate_conversation", saved.id)
    ask("delete_branch", branch)
    ask("restore_branch", branch)
    ask("delete_conversation", saved.id)
    assert ask("restore_conversation", saved.id).title == "Renamed"

    elsewhere = {"pause_job", "resume_job"}  # of a job that runs: test_jobs.py
    assert called | elsewhere >= {name for name, _ in operations()}


def test_another_model_is_waited_for(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    before = explorer.health()
    switch = answers.SwitchInfo("m", "m", "loading", "Loading m.", [], None)
    states = [
        before,
        dataclasses.replace(before, switch=switch),
        dataclasses.replace(before, status="loading"),
        dataclasses.replace(before, instance="another"),
    ]
    monkeypatch.setattr(explorer, "health", lambda: states.pop(0))
    monkeypatch.setattr(explorer, "change_model", lambda *_, **__: None)
    told: list[str] = []

    assert explorer.use_model("m", on_progress=told.append).model_name == "fake"

    assert states == []
    assert told[0] == "Loading m."


def test_model_that_cannot_be_had_is_the_servers_error(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = explorer.health()
    error = answers.ErrorBody("model_not_found", "No m.", None, None, "r")
    switch = answers.SwitchInfo("m", "m", "failed", "No m.", [], error)
    states = [before, dataclasses.replace(before, switch=switch)]
    monkeypatch.setattr(explorer, "health", lambda: states.pop(0))
    monkeypatch.setattr(explorer, "change_model", lambda *_, **__: None)
    with pytest.raises(ServerError, match="model_not_found"):
        explorer.use_model("m")


# --- from JSON -------------------------------------------------------------------------------------


def test_fields_of_a_newer_server_are_left_out() -> None:
    answer = {"token_id": 1, "text": "a", "bytes": None, "introduced_later": 3}
    assert decode(answers.VocabularyToken, answer) == answers.VocabularyToken(1, "a", None)


def test_missing_field_is_named() -> None:
    with pytest.raises(Exception, match=r"VocabularyToken\.text.*versions differ"):
        decode(answers.VocabularyToken, {"token_id": 1, "bytes": None})


def test_members_of_a_union_are_told_apart_by_their_kind() -> None:
    direction = {"kind": "random", "seed": 1}
    intervention = {
        "site": "resid",
        "layers": [1],
        "positions": "reply",
        "op": {"kind": "add", "direction": direction, "strength": 2.0},
    }
    steering = {"interventions": [intervention], "reply_start": 4}

    found = decode(answers.Steering, steering)

    op = found.interventions[0].op
    assert isinstance(op, answers.AddOperation)
    assert op.direction == answers.RandomDirection("random", 1)


def test_numbers_and_arrays_of_numpy_are_sent_as_numbers(explorer: Explorer) -> None:
    ids = np.array([97, 98, 99])
    read = explorer.lens(token_ids=ids, top_k=np.int64(2), positions=(ids.argmin(), len(ids)))
    assert [token.text for token in read.tokens] == ["a", "b", "c"]
    assert len(read.top_ids[0][0]) == 2


def test_what_was_answered_can_be_sent_again() -> None:
    source = {"prompt": "a"}
    replace = {"kind": "replace", "from": source, "positions": [0]}
    found = decode(answers.ReplaceOperation, replace)
    assert found.from_.prompt == "a"
    sent = found.to_dict()
    assert sent["from"]["prompt"] == "a"
    assert "from_" not in sent
