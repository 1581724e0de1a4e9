"""What people say of a conversation is kept: title, names, pins and notes."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import JSON, error_of, get, say


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
        {"pins": {"positions": [0, 9999]}},
        {"notes": [], "annotations_revision": -1},
        {"notes": [], "annotations_revision": 2**31},
        {"annotations_revision": 0},
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


def test_position_is_pinned_up_to_the_last_token(client: TestClient) -> None:
    name = say(client)["conversation_id"]
    n_tokens = len(get(client, f"conversations/{name}")["tokens"])
    path = f"/api/conversations/{name}"
    assert client.patch(path, json={"pins": {"positions": [n_tokens - 1]}}).status_code == 200
    error = error_of(client.patch(path, json={"pins": {"positions": [0, n_tokens]}}), 422)
    assert error["param"] == "pins.positions.1"
    assert str(n_tokens) in error["message"]
    assert get(client, f"conversations/{name}")["pins"]["positions"] == [n_tokens - 1]


NOTE = {"start": 0, "end": 1, "layer": None, "text": "mine"}


def test_change_that_continues_what_is_there_is_made(client: TestClient) -> None:
    name = say(client)["conversation_id"]
    for revision, change in enumerate(
        ({"notes": [NOTE]}, {"pins": {"token_ids": [[72]], "positions": []}}, {"notes": []})
    ):
        assert get(client, f"conversations/{name}")["annotations_revision"] == revision
        response = client.patch(
            f"/api/conversations/{name}", json={**change, "annotations_revision": revision}
        )
        assert response.status_code == 200, response.text


@pytest.mark.parametrize("field", ["notes", "pins"])
def test_change_to_what_is_no_longer_there_is_refused_as_a_whole(
    client: TestClient, field: str
) -> None:
    name = say(client)["conversation_id"]
    client.patch(f"/api/conversations/{name}", json={"notes": [NOTE]})
    before = get(client, f"conversations/{name}")
    late = {"notes": [], "pins": {"token_ids": [[1]], "positions": []}}[field]
    changes = {"title": "late", "branch_name": "late", field: late, "annotations_revision": 0}

    error = error_of(client.patch(f"/api/conversations/{name}", json=changes), 409)
    assert error["code"] == "annotations_changed"
    assert error["param"] == "annotations_revision"
    assert get(client, f"conversations/{name}") == before


def test_two_clients_that_read_change_and_write_lose_no_note(client: TestClient) -> None:
    """Two tabs save at once: each reads, adds its note, and does it again when it came too late."""
    name = say(client)["conversation_id"]
    path = f"/api/conversations/{name}"
    start = threading.Barrier(2)

    def run(writer: str) -> None:
        start.wait()
        for number in range(8):
            for _ in range(100):
                held = get(client, f"conversations/{name}")
                added = {**NOTE, "text": f"{writer} {number}"}
                body = {
                    "notes": [*held["notes"], added],
                    "annotations_revision": held["annotations_revision"],
                }
                status = client.patch(path, json=body).status_code
                if status != 409:
                    break
            assert status == 200

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(run, "AB"))

    texts = sorted(note["text"] for note in get(client, f"conversations/{name}")["notes"])
    assert texts == [f"{writer} {number}" for writer in "AB" for number in range(8)]


def test_script_that_names_no_revision_sets_the_list(client: TestClient) -> None:
    name = say(client)["conversation_id"]
    for text in ("first", "second"):
        client.patch(f"/api/conversations/{name}", json={"notes": [{**NOTE, "text": text}]})
    saved = get(client, f"conversations/{name}")

    assert [note["text"] for note in saved["notes"]] == ["second"]
    assert saved["annotations_revision"] == 2, "who continues revision 1 must be told"
