"""Branches of a conversation, and replies that begin with tokens that were chosen."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import JSON, branch_off, error_of, events_of, get, ids_of, say
from tests.fakes import END, FakeEngine


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


def test_branch_is_read_and_continued_from_what_its_parent_holds(
    client: TestClient, engine: FakeEngine
) -> None:
    """Its own rows may be forgotten while those of its parent, with the same bits, are held."""
    first = say(client, "Hello")
    second = branch_off(client, first, 9, ord("Z"))
    name = branch_off(client, second, 10, ord("Y"))["conversation_id"]
    lineage = (name, second["conversation_id"], first["conversation_id"])
    source = {"conversation_id": name}
    engine.lineages.clear()

    say(client, "more", conversation_id=name)
    n_continued = len(engine.lineages)
    for path, body in (("lens", source), ("compare", {"a": source, "b": source})):
        response = client.post(f"/api/{path}", json=body)
        assert response.status_code == 200, response.text

    assert n_continued
    assert engine.lineages == [lineage] * (n_continued + 3)


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


def test_id_of_a_conversation_whose_first_branch_is_gone_works_for_every_verb(
    client: TestClient,
) -> None:
    name = say(client, "Hello")["conversation_id"]
    branch = branch_off(client, {"conversation_id": name}, 9)["conversation_id"]
    assert client.delete(f"/api/branches/{name}").status_code == 200
    path = f"/api/conversations/{name}"

    assert client.patch(path, json={"title": "Renamed"}).json()["id"] == branch
    assert client.delete(path).status_code == 200
    assert client.post(f"{path}/restore").json()["title"] == "Renamed"
    assert client.post(f"{path}/duplicate").status_code == 201
    assert get(client, f"conversations/{name}/export")["title"] == "Renamed"
    assert get(client, f"conversations/{name}")["id"] == branch


def test_what_belongs_to_a_deleted_branch_is_not_taken_for_another_one(client: TestClient) -> None:
    """A page may still show the tokens of the branch that another page has deleted."""
    name = say(client, "Hello")["conversation_id"]
    branch = branch_off(client, {"conversation_id": name}, 9)["conversation_id"]
    client.delete(f"/api/branches/{name}")
    path = f"/api/conversations/{name}"
    changes: list[JSON] = [
        {"pins": {"positions": [1]}},
        {"notes": [{"start": 0, "end": 1, "text": "x"}]},
        {"branch_name": "x"},
    ]
    for change in changes:
        error = error_of(client.patch(path, json={"title": "Lost", **change}), 404)
        assert branch in error["hint"]
    silent = {"messages": [], "conversation_id": name, "from_index": 3}
    for path, body in (
        ("chat", silent),
        ("lens", {"conversation_id": name}),
        ("compare", {"a": {"prompt": "x"}, "b": {"conversation_id": name}}),
    ):
        assert error_of(client.post(f"/api/{path}", json=body), 404)

    saved = get(client, f"conversations/{branch}")
    assert (saved["title"], saved["notes"], saved["pins"]["positions"]) == ("Hello", [], [])


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
