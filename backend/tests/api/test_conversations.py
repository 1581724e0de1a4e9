from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.services.timelines import ModelIdentity
from tests.api.conftest import chat, events_of, make_client, wait_until_ready
from tests.fakes import END, FakeEngine, fake_facts

JSON = dict[str, Any]


def say(client: TestClient, text: str = "Hi", **more: Any) -> JSON:
    more = {"sampling": {"max_new_tokens": 6}, **more}
    response = client.post("/api/chat", json=chat(text, **more))
    assert response.status_code == 200, response.text
    answer: JSON = response.json()
    return answer


def branch_off(client: TestClient, answer: JSON, from_index: int, *forced: int) -> JSON:
    body = {
        "messages": [],
        "conversation_id": answer["conversation_id"],
        "from_index": from_index,
        "continue_with": list(forced),
        "sampling": {"max_new_tokens": 3},
    }
    response = client.post("/api/chat", json=body)
    assert response.status_code == 200, response.text
    branch: JSON = response.json()
    return branch


def get(client: TestClient, path: str) -> JSON:
    response = client.get(f"/api/{path}")
    assert response.status_code == 200, response.text
    answer: JSON = response.json()
    return answer


def ids_of(answer: JSON) -> list[int]:
    return [token["id"] for token in [*answer.get("prompt_tokens", []), *answer["tokens"]]]


def error_of(response: Any, status: int) -> JSON:
    assert response.status_code == status, response.text
    error: JSON = response.json()["error"]
    return error


# --- opening and listing --------------------------------------------------------------------------


def test_saved_conversation_is_what_was_said(client: TestClient) -> None:
    first = say(client, "Where is Paris?", sampling={"max_new_tokens": 6, "seed": 5})
    name = first["conversation_id"]
    second = say(client, "And Rome?", conversation_id=name)
    saved = get(client, f"conversations/{name}")

    assert ids_of(saved) == ids_of(second)
    assert [t["role"] for t in saved["tokens"][:6]] == [
        t["role"] for t in first["prompt_tokens"][:6]
    ]
    assert (saved["id"], saved["conversation_id"], saved["is_readable"]) == (name, name, True)
    assert saved["title"] == "Where is Paris?"
    assert saved["model"] == {"name": "fake", "revision": None, "source": "local"}
    assert [(t["start"], t["reply_start"], t["end"]) for t in saved["turns"]] == [
        (0, len(first["prompt_tokens"]), len(ids_of(first))),
        (second["turn_start"], len(second["prompt_tokens"]), len(ids_of(second))),
    ]
    assert saved["turns"][0]["sampling"]["seed"] == 5
    assert "Where is Paris?" in saved["text"]
    assert get(client, f"conversations/{name}?include_tokens=false") == {**saved, "tokens": []}
    assert "User:" not in saved["text"], "the template's words are not what was written"


def test_conversation_outlives_the_server_and_gives_the_same_numbers(own_database: str) -> None:
    del own_database
    numbers = []
    name = None
    for _ in range(2):
        with make_client(FakeEngine()) as client:
            wait_until_ready(client)
            name = name or say(client)["conversation_id"]
            body = {"conversation_id": name, "top_k": 2}
            numbers.append(client.post("/api/lens", json=body).json())

    assert numbers[0] == numbers[1]
    assert numbers[0]["tokens"]


def test_list_shows_the_last_written_first_and_finds_text(client: TestClient) -> None:
    first = say(client, "About cats")["conversation_id"]
    second = say(client, "About dogs")["conversation_id"]
    say(client, "Tell me of mice", conversation_id=first)

    listed = get(client, "conversations")
    assert [c["id"] for c in listed["conversations"]] == [first, second]
    assert listed["total"] == 2
    assert [c["title"] for c in listed["conversations"]] == ["About cats", "About dogs"]
    assert [c["id"] for c in get(client, "conversations?query=MICE")["conversations"]] == [first]
    assert get(client, "conversations?limit=1&offset=1")["conversations"][0]["id"] == second
    assert get(client, "stats")["conversations"] == 2


def test_list_needs_no_model() -> None:
    def never(_settings: Any, _on_progress: Any) -> FakeEngine:
        raise ValueError("no model")

    from app.main import create_app
    from app.settings import Settings

    with TestClient(create_app(Settings(), never), base_url="http://localhost") as client:
        assert get(client, "conversations") == {"conversations": [], "total": 0}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "conversations/nope"),
        ("patch", "conversations/nope"),
        ("delete", "conversations/nope"),
        ("post", "conversations/nope/restore"),
        ("post", "conversations/nope/duplicate"),
        ("get", "conversations/nope/export"),
        ("delete", "branches/nope"),
        ("post", "branches/nope/restore"),
    ],
)
def test_what_there_is_not_is_not_found(client: TestClient, method: str, path: str) -> None:
    more = {"json": {"title": "x"}} if method == "patch" else {}
    response = client.request(method, f"/api/{path}", **more)

    assert error_of(response, 404)["code"] == "conversation_not_found"


# --- another model --------------------------------------------------------------------------------


@pytest.mark.parametrize("facts", [{"name": "other"}, {"revision": "2"}])
def test_conversation_of_another_model_is_shown_and_not_misread(facts: JSON) -> None:
    import dataclasses

    with make_client(FakeEngine()) as client:
        wait_until_ready(client)
        name = say(client, "Hello")["conversation_id"]
    other = FakeEngine()
    other.facts = dataclasses.replace(fake_facts(), **facts)
    with make_client(other) as client:
        wait_until_ready(client)
        saved = get(client, f"conversations/{name}")
        refused = [
            client.post("/api/chat", json=chat("x", conversation_id=name)),
            client.post("/api/chat", json=chat("x", conversation_id=name, stream=True)),
            client.post("/api/lens", json={"conversation_id": name}),
        ]

        assert (saved["is_readable"], saved["tokens"]) == (False, [])
        assert saved["model"]["name"] == "fake"
        assert "Hello" in saved["text"]
        for response in refused:
            error = error_of(response, 409)
            assert error["code"] == "model_mismatch"
            assert "fake" in error["message"]
            assert str(ModelIdentity.of(other.facts)) in error["message"]
            assert "MODEL=fake" in error["hint"]
        assert other.steps_made == 0


# --- changes --------------------------------------------------------------------------------------


def test_title_name_pins_and_notes_are_kept(client: TestClient) -> None:
    name = say(client)["conversation_id"]
    changes = {
        "title": "  My \n title ",
        "branch_name": "first try",
        "pins": {"token_ids": [[72], [65, 97]], "positions": [3]},
        "notes": [
            {"start": 0, "end": 2, "layer": None, "text": "two tokens"},
            {"start": 1, "end": 2, "layer": 3, "text": "a cell\nof two lines"},
        ],
    }
    changed = client.patch(f"/api/conversations/{name}", json=changes).json()
    saved = get(client, f"conversations/{name}")

    assert changed["title"] == saved["title"] == "My title"
    assert saved["branches"][0]["name"] == "first try"
    assert saved["pins"] == changes["pins"]
    assert saved["notes"] == changes["notes"]
    client.patch(f"/api/conversations/{name}", json={"branch_name": "", "notes": []})
    saved = get(client, f"conversations/{name}")
    assert (saved["branches"][0]["name"], saved["notes"]) == (None, [])
    assert saved["pins"] == changes["pins"], "what was left out of the request has changed"


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""},
        {"title": " \n"},
        {"title": "a\x00"},
        {"title": "x" * 201},
        {"title": "\ud800"},
        {"notes": [{"start": 0, "end": 0, "text": "x"}]},
        {"notes": [{"start": 0, "end": 9999, "text": "x"}]},
        {"notes": [{"start": 0, "end": 1, "text": ""}]},
        {"pins": {"token_ids": [[]]}},
        {"pins": {"positions": [-1]}},
        {"color": "red"},
    ],
)
def test_senseless_changes_are_refused_and_change_nothing(
    client: TestClient, changes: JSON
) -> None:
    name = say(client)["conversation_id"]
    before = get(client, f"conversations/{name}")
    body = json.dumps({"branch_name": "changed", **changes}).encode()
    response = client.patch(
        f"/api/conversations/{name}", content=body, headers={"content-type": "application/json"}
    )

    assert error_of(response, 422)["code"] == "invalid_request"
    assert get(client, f"conversations/{name}") == before


def test_deleting_can_be_undone(client: TestClient) -> None:
    name = say(client)["conversation_id"]
    deleted = client.delete(f"/api/conversations/{name}").json()

    assert deleted["restorable_until_ms"] > 1_700_000_000_000
    assert get(client, "conversations")["total"] == 0
    assert error_of(client.post("/api/lens", json={"conversation_id": name}), 404)
    assert client.post(f"/api/conversations/{name}/restore").json()["id"] == name
    assert say(client, "More", conversation_id=name)["conversation_id"] == name


def test_copy_is_independent(client: TestClient) -> None:
    first = say(client, "Hello")
    branch = branch_off(client, first, 9)
    response = client.post(f"/api/conversations/{branch['conversation_id']}/duplicate")
    made = response.json()
    copied = get(client, f"conversations/{made['id']}")

    assert response.status_code == 201
    assert made["title"] == "Hello (copy)"
    assert ids_of(copied) == ids_of(branch)
    assert len(copied["branches"]) == 2
    assert copied["branches"][1]["parent_id"] == copied["branches"][0]["id"]
    client.delete(f"/api/conversations/{first['conversation_id']}")
    assert [c["title"] for c in get(client, "conversations")["conversations"]] == ["Hello (copy)"]


# --- branches -------------------------------------------------------------------------------------


def test_branches_are_listed_with_where_they_left(client: TestClient) -> None:
    first = say(client, "Hello")
    branch = branch_off(client, first, 9, ord("Z"))
    saved = get(client, f"conversations/{branch['conversation_id']}")

    assert ids_of(saved) == ids_of(branch)
    assert [b["id"] for b in saved["branches"]] == [
        first["conversation_id"],
        branch["conversation_id"],
    ]
    assert saved["branches"][1]["parent_id"] == first["conversation_id"]
    assert saved["branches"][1]["from_index"] == 9
    assert saved["branches"][1]["preview"].startswith("Z")
    assert get(client, "conversations")["conversations"][0]["n_branches"] == 2


def test_branch_can_be_deleted_and_brought_back(client: TestClient) -> None:
    first = say(client, "Hello")
    name = first["conversation_id"]
    refused = error_of(client.delete(f"/api/branches/{name}"), 409)
    branch = branch_off(client, first, 9)
    client.delete(f"/api/branches/{name}")

    assert "only branch" in refused["message"]
    saved = get(client, f"conversations/{name}")
    assert saved["id"] == branch["conversation_id"]
    assert len(saved["branches"]) == 1
    client.post(f"/api/branches/{name}/restore")
    assert ids_of(get(client, f"conversations/{name}")) == ids_of(first)


@pytest.mark.parametrize("scope", ["reply", "all", "none"])
@pytest.mark.parametrize("stream", [True, False])
def test_forced_token_begins_the_reply_with_its_real_scores(
    client: TestClient, engine: FakeEngine, stream: bool, scope: str
) -> None:
    first = say(client, "Hello")
    cut = len(first["prompt_tokens"]) + 2
    body = {
        "messages": [],
        "conversation_id": first["conversation_id"],
        "from_index": cut,
        "continue_with": [0xE2, 0x82],
        "sampling": {"max_new_tokens": 3},
        "lens": {"scope": scope},
        "stream": stream,
    }
    response = client.post("/api/chat", json=body)
    assert response.status_code == 200, response.text
    if stream:
        events = events_of(response.text)
        start, done = events[0], events[-1]
        tokens = [e["token"] for e in events if e["type"] == "token"]
        lenses = {e["index"]: e["lens"] for e in events if e["type"] == "lens"}
        assert len([e for e in events if e["type"] == "lens"]) == len(lenses)
    else:
        start = done = response.json()
        tokens = start["tokens"]
        lenses = {
            t["index"]: t["lens"] for t in start["prompt_tokens"] + tokens if t["lens"] is not None
        }

    ids = ids_of(first)[:cut]
    assert [t["id"] for t in start["prompt_tokens"]] == ids
    assert [t["id"] for t in tokens[:2]] == [0xE2, 0x82]
    assert [t["index"] for t in tokens] == list(range(cut, cut + 5))
    for token in tokens:
        step = engine.step(ids, token["id"])
        assert token["role"] == "assistant"
        assert token["logprob_nats"] == step.logprob_nats
        assert (token["rank"], token["entropy_nats"]) == (step.rank, step.entropy_nats)
        ids = [*ids, token["id"]]
    assert done["text"] == bytes(t["id"] for t in tokens).decode("utf-8", "replace")
    assert done["usage"]["prompt_tokens"] == cut
    assert done["usage"]["reply_tokens"] == 5
    wanted = {"reply": set(range(cut, cut + 5)), "all": set(range(1, cut + 5)), "none": set()}
    assert set(lenses) == wanted[scope]
    name = start["conversation_id"]
    assert ids_of(get(client, f"conversations/{name}")) == ids
    assert ids_of(get(client, f"conversations/{first['conversation_id']}")) == ids_of(first)


def test_very_first_token_can_be_forced(client: TestClient) -> None:
    first = say(client, "Hello", mode="completion")
    branch = branch_off(client, first, 0, ord("A"), ord("B"))

    assert branch["prompt_tokens"] == []
    assert [t["id"] for t in branch["tokens"][:2]] == [ord("A"), ord("B")]
    assert branch["tokens"][0]["rank"] is None, "nothing predicted it"
    assert branch["tokens"][1]["rank"] is not None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"continue_with": [END + 1]}, "unknown_token"),
        ({"continue_with": [-1]}, "invalid_request"),
        ({"continue_with": [65] * 257}, "invalid_request"),
        ({"continue_with": [65], "from_index": None}, "invalid_request"),
        ({"continue_with": [65], "from_index": 999}, "position_out_of_range"),
        (
            {"continue_with": [65], "messages": [{"role": "user", "content": "x"}]},
            "invalid_request",
        ),
    ],
)
def test_senseless_forcing_is_refused(
    client: TestClient, engine: FakeEngine, changes: JSON, code: str
) -> None:
    name = say(client)["conversation_id"]
    steps = engine.steps_made
    body = {"messages": [], "conversation_id": name, "from_index": 3, **changes}

    assert error_of(client.post("/api/chat", json=body), 422)["code"] == code
    assert engine.steps_made == steps


# --- files ----------------------------------------------------------------------------------------


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
    own = {"id", "conversation_id", "created_at_ms", "updated_at_ms", "parent_id"}
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


def test_file_of_another_model_is_kept_with_its_own_words(
    client: TestClient, exported: JSON
) -> None:
    exported["model"]["name"] = "gpt9"
    exported["branches"][0]["token_ids"][0] = 9_000_000
    made = client.post("/api/conversations/import", json=exported).json()
    saved = get(client, f"conversations/{made['id']}")

    assert (saved["is_readable"], saved["tokens"]) == (False, [])
    assert saved["model"]["name"] == "gpt9"
    assert saved["text"] == exported["branches"][1]["text"]


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
        (changed("version", 2), "invalid_request"),
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
        (changed("branches.1.from_index", 10**4), "invalid_request"),
        (changed("branches.1.turns.0.end", 10**4), "invalid_request"),
        (changed("branches.1.turns.0.start", 30), "invalid_request"),
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


# --- failures of the storage ----------------------------------------------------------------------


@pytest.fixture
def unsaved(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A server whose database cannot be opened, until the file in its way is removed."""
    (tmp_path / "way").touch()
    monkeypatch.setenv("EXPLORER_DATABASE", f"sqlite:///{tmp_path}/way/conversations.db")
    with make_client(FakeEngine()) as client:
        wait_until_ready(client)
        yield client


def test_reply_that_could_not_be_kept_is_not_begun(unsaved: TestClient, tmp_path: Any) -> None:
    for body in (chat("Hi"), chat("Hi", stream=True)):
        error = error_of(unsaved.post("/api/chat", json=body), 507)
        assert error["code"] == "storage_failed"
        assert "EXPLORER_DATABASE" in error["hint"]
    assert error_of(unsaved.get("/api/conversations"), 507)["code"] == "storage_failed"
    assert unsaved.post("/api/lens", json={"prompt": "abc"}).status_code == 200
    assert unsaved.get("/api/health").status_code == 200

    (tmp_path / "way").unlink()
    assert say(unsaved)["conversation_id"]


@pytest.mark.parametrize("stream", [True, False])
def test_reply_that_fails_to_be_saved_ends_in_an_error_and_never_in_done(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    from app.errors import StorageFailed
    from app.services.storage import growing

    name = say(client)["conversation_id"]
    before = get(client, f"conversations/{name}")

    def full(*_: Any) -> None:
        raise StorageFailed("The disk is full.", hint="Free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(growing, "save_turn", full)
        response = client.post("/api/chat", json=chat("More", conversation_id=name, stream=stream))
    if stream:
        events = events_of(response.text)
        assert [e["type"] for e in events].count("token") > 0
        assert events[-1]["type"] == "error"
        assert events[-1]["error"]["code"] == "storage_failed"
    else:
        assert error_of(response, 507)["message"] == "The disk is full."
    assert get(client, f"conversations/{name}") == before
    assert say(client, "Again", conversation_id=name)["conversation_id"] == name


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(query=st.text(max_size=20))
def test_any_query_has_an_answer(client: TestClient, query: str) -> None:
    response = client.get("/api/conversations", params={"query": query})

    assert response.status_code == 200, response.text
