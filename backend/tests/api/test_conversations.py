"""Saved conversations: opened, listed, deleted and copied, and never misread by another model."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.main import create_app
from app.settings import Settings
from tests.api.conftest import (
    branch_off,
    error_of,
    get,
    ids_of,
    make_client,
    say,
    wait_until_ready,
)
from tests.fakes import FAKE_REVISION, FakeEngine


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
    assert saved["model"] == {"name": "fake", "revision": FAKE_REVISION, "source": "local"}
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


@pytest.mark.parametrize(
    ("written", "query"),
    [
        ("Caf\u00e9", "cafe\u0301"),
        ("Cafe\u0301", "CAF\u00c9"),
        ("Stra\u00dfe", "STRASSE"),
        ("\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2"),
        ("\u0130stanbul", "istanbul"),
        ("\u0131\u015f\u0131k", "I\u015eIK"),
        ("\uff30\uff41\uff52\uff49\uff53", "paris"),
        ("\uff76\uff9e", "\u30ac"),
        ("\u1112\u1161\u11ab", "\ud55c"),
        ("o\ufb03ce", "OFFICE"),
    ],
)
def test_text_title_and_notes_are_found_in_every_form(
    client: TestClient, written: str, query: str
) -> None:
    """Texts that look alike were not found when typed on another system, or in another width."""
    say(client, "About dogs")
    by_text = say(client, f"About {written}")["conversation_id"]
    by_title = say(client, "x")["conversation_id"]
    client.patch(f"/api/conversations/{by_title}", json={"title": f"My {written}"})
    by_note = say(client, "y")["conversation_id"]
    note = {"start": 0, "end": 1, "layer": None, "text": f"see {written}"}
    assert client.patch(f"/api/conversations/{by_note}", json={"notes": [note]}).is_success

    found = client.get("/api/conversations", params={"query": query}).json()["conversations"]
    assert {each["id"] for each in found} == {by_text, by_title, by_note}


def test_list_needs_no_model() -> None:
    def never(_settings: Any, _on_progress: Any) -> FakeEngine:
        raise ValueError("no model")

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
