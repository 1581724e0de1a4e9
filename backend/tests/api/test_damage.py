"""What is damaged in the database has a typed answer, and fails alone."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import chat, error_of, get, make_client, say, wait_until_ready
from tests.fakes import FakeEngine

DAMAGES = [
    "UPDATE branches SET roles = 'garbage'",
    "UPDATE branches SET token_ids = 'garbage'",
    "UPDATE branches SET n_tokens = 'x'",
    "UPDATE branches SET pins = '[]'",
    'UPDATE branches SET pins = \'{"token_ids": ["x"], "positions": []}\'',
    "UPDATE branches SET mode = 'song'",
    'UPDATE branches SET steering = \'{"interventions": [], "reply_start": 1}\'',
    "UPDATE branches SET steering = 'x'",
    "UPDATE branches SET text = X'ff'",
    "UPDATE branches SET created_at_ms = 'x'",
    "UPDATE turns SET sampling = '{'",
    "UPDATE turns SET sampling = '{\"stop\": []}'",
    "UPDATE turns SET finish_reason = 'bored'",
    "UPDATE turns SET end_index = 'x'",
    "UPDATE turns SET reply_start = -4",
    "UPDATE conversations SET model_source = 'moon'",
    "UPDATE conversations SET title = X'ff'",
    "UPDATE conversations SET created_at_ms = 'x'",
    "UPDATE branches SET n_tokens = 'x'",
]


def execute(url: str, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute(statement, values)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_conversation_has_a_typed_answer_and_fails_alone(
    own_database: str, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    with make_client(FakeEngine()) as client:
        wait_until_ready(client)
        bad = say(client, "Bad")["conversation_id"]
        good = say(client, "Good")["conversation_id"]
        key = "branch_id" if "UPDATE turns" in damage else "id"
        execute(own_database, f"{damage} WHERE {key} = ?", bad)
        requests = {
            "open": client.get(f"/api/conversations/{bad}"),
            "export": client.get(f"/api/conversations/{bad}/export"),
            "duplicate": client.post(f"/api/conversations/{bad}/duplicate"),
            "lens": client.post("/api/lens", json={"conversation_id": bad}),
            "chat": client.post("/api/chat", json=chat("x", conversation_id=bad)),
        }
        for response in requests.values():
            assert response.status_code in (200, 201, 409, 422, 507), response.text
        error = error_of(requests["open"], 507)
        assert error["code"] == "storage_failed"
        assert "damaged" in error["message"]
        found = get(client, "conversations")
        listed = [each["id"] for each in found["conversations"]]
        assert good in listed
        assert found["total"] == len(listed)
        assert get(client, f"conversations/{good}")["tokens"]
        assert not [r for r in caplog.records if r.exc_info and r.levelno >= logging.ERROR]


def test_tables_of_another_program_are_told_in_one_line(
    own_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    Path(own_database.removeprefix("sqlite:///")).parent.mkdir(parents=True)
    execute(own_database, "CREATE TABLE conversations (song TEXT)")
    with make_client(FakeEngine()) as client:
        wait_until_ready(client)
        for response in (
            client.get("/api/conversations"),
            client.get("/api/conversations/x"),
            client.post("/api/chat", json=chat("x")),
        ):
            error = error_of(response, 507)
            assert "tables of another program" in error["message"]
            assert "of their own" in error["hint"]
        assert client.post("/api/lens", json={"prompt": "abc"}).status_code == 200
    assert not [record for record in caplog.records if record.exc_info]


def test_tables_that_are_missing_are_told_in_one_line(
    own_database: str, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    say(client)
    execute(own_database, "DROP TABLE notes")
    error = error_of(client.get("/api/conversations?query=x"), 507)

    assert "lacks some" in error["message"]
    assert not [record for record in caplog.records if record.exc_info]
