"""Conversations as files: nothing is lost on the way, and no file can do harm."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.main import MAX_BODY_BYTES
from app.services import conversation_file
from tests.api.conftest import (
    JSON,
    branch_off,
    error_of,
    get,
    ids_of,
    make_client,
    say,
    wait_until_ready,
)
from tests.fakes import END, FakeEngine


@pytest.fixture
def exported(client: TestClient) -> JSON:
    """A conversation with two branches, named, pinned and noted."""
    first = say(client, "Hello\x00 ✓")
    branch = branch_off(client, first, 9, ord("Z"))
    say(client, "More", conversation_id=branch["conversation_id"])
    client.patch(
        f"/api/conversations/{branch['conversation_id']}",
        json={
            "branch_name": "Z",
            "title": "Title",
            "pins": {"token_ids": [[65]], "positions": [1]},
            "notes": [{"start": 1, "end": 2, "layer": 1, "text": "x"}],
        },
    )
    response = client.get(f"/api/conversations/{first['conversation_id']}/export")
    assert response.status_code == 200, response.text
    assert "attachment" in response.headers["content-disposition"]
    file: JSON = response.json()
    return file


def without_ids(saved: JSON) -> JSON:
    """What two copies of a conversation have in common."""
    own = {"id", "conversation_id", "parent_id", "created_at_ms", "updated_at_ms"}
    own.add("annotations_revision")
    return {
        name: [without_ids(b) for b in value] if name == "branches" else value
        for name, value in saved.items()
        if name not in own
    }


def test_file_brings_everything_to_another_server(
    client: TestClient, exported: JSON, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (listed,) = get(client, "conversations")["conversations"]
    original = get(client, f"conversations/{listed['id']}")
    monkeypatch.setenv("EXPLORER_DATABASE", f"sqlite:///{tmp_path}/other.db")
    with make_client(FakeEngine()) as other:
        wait_until_ready(other)
        response = other.post("/api/conversations/import", json=exported)
        assert response.status_code == 201, response.text
        imported = get(other, f"conversations/{response.json()['id']}")
        again = get(other, f"conversations/{response.json()['id']}/export")

        assert imported["id"] != original["id"]
        assert without_ids(imported) == without_ids(original)
        assert again["branches"] == exported["branches"]
        assert say(other, "On", conversation_id=imported["id"])


def test_file_writes_shared_tokens_once(exported: JSON) -> None:
    first, second = exported["branches"]

    assert (second["parent"], second["from_index"]) == (0, 9)
    assert second["token_ids"][0] == ord("Z")
    assert sum(n for _, n in second["roles"]) == len(second["token_ids"])
    assert first["parent"] is None


def test_file_writes_shared_text_and_turns_once(client: TestClient) -> None:
    """Each branch repeated them, and what was exported was too large to be imported."""
    first = say(client, "Once upon a time")
    length = len(ids_of(first))
    deep = first
    for text in ("one", "two", "three"):
        branch = branch_off(client, deep, length - 1, ord("Z"))
        deep = say(client, text, conversation_id=branch["conversation_id"])
        length = len(ids_of(deep))
    name = deep["conversation_id"]
    file = get(client, f"conversations/{name}/export")
    imported = client.post("/api/conversations/import", json=file).json()
    for old, new in zip(
        get(client, f"conversations/{name}")["branches"],
        get(client, f"conversations/{imported['id']}")["branches"],
        strict=True,
    ):
        original, copied = (get(client, f"conversations/{each['id']}") for each in (old, new))
        assert (copied["text"], copied["turns"]) == (original["text"], original["turns"])

    assert json.dumps(file).count("Once upon a time") == 3, "title, first text, preview"
    assert [branch["turns_start"] for branch in file["branches"][2:]] == [2, 4]


def test_file_of_version_1_is_read(client: TestClient, exported: JSON) -> None:
    """In it each branch has all of its text and turns."""
    (listed,) = get(client, "conversations")["conversations"]
    for branch, facts in zip(
        exported["branches"], get(client, f"conversations/{listed['id']}")["branches"], strict=True
    ):
        whole = get(client, f"conversations/{facts['id']}")
        branch |= {"text": whole["text"], "turns": whole["turns"]}
        del branch["text_start"], branch["turns_start"], branch["mode"]
    exported |= {"version": 1, "model": {**exported["model"], "revision": "another"}}
    made = client.post("/api/conversations/import", json=exported).json()
    saved = get(client, f"conversations/{made['id']}")

    assert saved["text"] == exported["branches"][1]["text"]
    assert saved["turns"] == exported["branches"][1]["turns"]


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("MAX_FILE_TOKENS", 20),
        ("MAX_FILE_CHARS", 20),
        ("MAX_FILE_BRANCHES", 1),
        ("MAX_FILE_BYTES", 99),
    ],
)
def test_conversation_that_could_not_be_imported_is_not_exported(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, name: str, limit: int
) -> None:
    first = say(client, "Hello there")
    branch_off(client, first, 9)
    path = f"/api/conversations/{first['conversation_id']}/export"
    assert client.get(path).status_code == 200
    monkeypatch.setattr(conversation_file, name, limit)
    error = error_of(client.get(path), 413)

    assert error["code"] == "payload_too_large"
    assert str(limit) in error["message"]
    assert "Delete some of its branches" in error["hint"]


def test_file_of_the_largest_conversation_that_is_exported_can_be_imported(
    client: TestClient,
) -> None:
    """Its limit is its own: one of 4 MiB for every body refused what the server had written."""
    name = say(client, "Hello")["conversation_id"]
    file = get(client, f"conversations/{name}/export")
    text = "Grüße " * 100_000
    one = file["branches"][0]
    file["branches"] = [{**one, "text": text, "text_start": 0}] * 12
    file["model"]["revision"] = "another"
    body = json.dumps(file, ensure_ascii=False).encode()
    assert MAX_BODY_BYTES < len(body) < conversation_file.MAX_FILE_BYTES
    headers = {"content-type": "application/json"}
    made = client.post("/api/conversations/import", content=body, headers=headers)
    assert made.status_code == 201, made.text
    again = client.get(f"/api/conversations/{made.json()['id']}/export").content
    assert client.post("/api/conversations/import", content=again, headers=headers).is_success
    too_long = b" " * (conversation_file.MAX_FILE_BYTES + 1 - len(body)) + body
    refused = client.post("/api/conversations/import", content=too_long, headers=headers)
    assert "fewer branches" in error_of(refused, 413)["hint"]
    chat = client.post("/api/chat", content=body, headers=headers)
    assert error_of(chat, 413)["code"] == "payload_too_large"


def test_file_of_another_model_is_kept_with_its_own_words(
    client: TestClient, exported: JSON
) -> None:
    exported["model"] |= {"name": "gpt9", "revision": "9"}
    exported["branches"][0]["token_ids"][0] = 9_000_000
    first, second = exported["branches"]
    made = client.post("/api/conversations/import", json=exported).json()
    saved = get(client, f"conversations/{made['id']}")

    assert (saved["is_readable"], saved["tokens"]) == (False, [])
    assert saved["model"]["name"] == "gpt9"
    assert saved["text"] == first["text"][: second["text_start"]] + second["text"]


def test_file_that_claims_other_words_than_its_ids_say_is_read_by_its_ids(
    client: TestClient, exported: JSON
) -> None:
    for branch in exported["branches"]:
        branch["text"] = branch["preview"] = "Something else."
    made = client.post("/api/conversations/import", json=exported).json()
    saved = get(client, f"conversations/{made['id']}")

    assert "Something else." not in json.dumps(saved)
    assert get(client, "conversations?query=something")["total"] == 0


def changed(path: str, value: Any) -> Any:
    """A change to a file, and the field that must be named."""

    def change(file: JSON) -> None:
        node: Any = file
        *parents, last = [int(p) if p.isdecimal() else p for p in path.split(".")]
        for part in parents:
            node = node[part]
        node[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (changed("format", "chatgpt"), "invalid_request"),
        (changed("version", 3), "invalid_request"),
        (changed("branches", []), "invalid_request"),
        (changed("title", "\x00"), "invalid_request"),
        (changed("model.source", "nowhere"), "invalid_request"),
        (changed("extra", 1), "invalid_request"),
        (changed("branches.0.token_ids.0", -1), "invalid_request"),
        (changed("branches.0.token_ids.0", 10**30), "invalid_request"),
        (changed("branches.0.token_ids.0", END + 1), "unknown_token"),
        (changed("branches.0.token_ids", []), "invalid_request"),
        (changed("branches.0.roles", [["user", 3]]), "invalid_request"),
        (changed("branches.0.roles", [["user", 10**9]]), "invalid_request"),
        (changed("branches.0.roles.0.0", "root"), "invalid_request"),
        (changed("branches.0.from_index", 1), "invalid_request"),
        (changed("branches.0.parent", 0), "invalid_request"),
        (changed("branches.1.parent", 1), "invalid_request"),
        (changed("branches.0.text_start", 1), "invalid_request"),
        (changed("branches.1.text_start", 10**6), "invalid_request"),
        (changed("branches.0.turns_start", 1), "invalid_request"),
        (changed("branches.1.turns_start", 10**4), "invalid_request"),
        (changed("branches.1.from_index", 10**4), "invalid_request"),
        (changed("branches.1.turns.0.end", 10**4), "invalid_request"),
        (changed("branches.1.turns.0.start", 10**4), "invalid_request"),
        (changed("branches.0.turns.0.sampling.temperature", "NaN"), "invalid_request"),
        (changed("branches.1.notes.0.end", 10**4), "invalid_request"),
        (changed("branches.1.notes.0.text", "\x00"), "invalid_request"),
        (changed("branches.1.pins.positions.0", 10**4), "invalid_request"),
        (changed("created_at_ms", 10**18), "invalid_request"),
    ],
)
def test_hostile_file_is_refused_and_leaves_nothing(
    client: TestClient, exported: JSON, change: Any, code: str
) -> None:
    before = get(client, "conversations")
    change(exported)

    response = client.post("/api/conversations/import", json=exported)
    assert error_of(response, 422)["code"] == code
    assert get(client, "conversations") == before


def test_small_file_cannot_unfold_into_a_large_timeline(client: TestClient, exported: JSON) -> None:
    root = copy.deepcopy(exported["branches"][0])
    root.update(token_ids=[65] * 100_000, roles=[["user", 100_000]], turns=[])
    leaf = {"parent": 0, "from_index": 100_000, "token_ids": [66], "roles": [["user", 1]]}
    exported["branches"] = [root, *([leaf] * 999)]
    error = error_of(client.post("/api/conversations/import", json=exported), 422)

    assert "tokens over all branches" in error["message"]


@pytest.mark.parametrize("field", ["text", "turns"])
def test_small_file_cannot_unfold_into_large_texts(
    client: TestClient, exported: JSON, field: str
) -> None:
    root = copy.deepcopy(exported["branches"][0])
    turn = {**root["turns"][0], "end": root["turns"][0]["start"]}
    turn["reply_start"] = turn["end"]
    root |= {"text": "x" * 20_000, "turns": [turn] * 2000}
    leaf = {"parent": 0, "from_index": 3, "token_ids": [66], "roles": [["user", 1]]}
    leaf |= {"text_start": 20_000} if field == "text" else {"turns_start": 2000}
    exported["branches"] = [root, *([leaf] * 999)]
    error = error_of(client.post("/api/conversations/import", json=exported), 422)

    assert f"{field} over all branches" in error["message"].replace("characters of ", "")


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_damage_to_a_file_has_a_typed_answer(
    client: TestClient, exported: JSON, data: st.DataObject
) -> None:
    """One value anywhere in the file is replaced by one of another kind."""
    file = copy.deepcopy(exported)
    node: Any = file
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        child = node[key]
        if not isinstance(child, (dict, list)) or not child or data.draw(st.booleans()):
            break
        node = child
    node[key] = data.draw(
        st.one_of(st.none(), st.integers(), st.text(max_size=3), st.just([]), st.just({}))
    )
    response = client.post("/api/conversations/import", json=file)

    assert response.status_code in (201, 422), response.text
    if response.status_code == 201:
        name = response.json()["id"]
        assert client.get(f"/api/conversations/{name}").status_code in (200, 422)
        assert client.get(f"/api/conversations/{name}/export").status_code == 200
