"""What people say of a conversation is kept: title, names, pins and notes."""

from __future__ import annotations

import json

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
