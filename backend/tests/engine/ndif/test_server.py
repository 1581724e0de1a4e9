"""A server whose model runs on NDIF: what it answers, what it refuses, and what it never tells."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from app.main import create_app
from app.settings import Settings
from tests.api.conftest import chat, events_of, wait_until_ready
from tests.engine.ndif.conftest import KEY, Stub

BACKEND = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def client(stub: Stub) -> Iterator[TestClient]:
    settings = Settings(
        model="embedded",
        engine="ndif",
        ndif_host=stub.host,
        ndif_api_key=KEY,
        database="memory",
        page_dir=Path("/nowhere"),
    )
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        wait_until_ready(client)
        yield client


def test_a_reply_streams_its_states_tokens_and_read_outs(client: TestClient) -> None:
    body = chat("What is a fox?", stream=True, sampling={"max_new_tokens": 4})
    events = events_of(client.post("/api/chat", json=body).text)
    kinds = [event["type"] for event in events]
    assert kinds[0] == "start"
    assert kinds[-9:] == ["token", "lens"] * 4 + ["done"]
    states = [event["state"] for event in events if event["type"] == "remote"]
    assert states == ["queued", "deploying", "running"]
    lens = next(event["lens"] for event in events if event["type"] == "lens")
    assert [layer["layer"] for layer in lens] == list(range(13))
    token = next(event["token"] for event in events if event["type"] == "token")
    assert lens[-1]["actual"]["rank"] == token["rank"]


def test_one_answer_has_the_same_and_a_stored_token_is_read_there(client: TestClient) -> None:
    body = chat("What is a fox?", sampling={"max_new_tokens": 4})
    answer = client.post("/api/chat", json=body).json()
    assert len(answer["tokens"]) == 4
    last = answer["tokens"][-1]
    read = client.post(
        "/api/lens",
        json={
            "conversation_id": answer["conversation_id"],
            "positions": [last["index"] - 1, last["index"]],
            "layers": [0, 12],
        },
    ).json()
    own = [row["predictions"][0]["probability"] for row in last["lens"]]
    assert [rows[0][0] for rows in read["top_probabilities"]] == pytest.approx(
        [own[0], own[12]], abs=1e-5
    )


def test_facts_say_where_it_runs_and_why_the_rest_is_not_offered(client: TestClient) -> None:
    info = client.get("/api/model_info").json()
    assert info["device"] == "NDIF"
    assert info["note"] == "The model runs on an NDIF server."
    assert info["self_check"]["passed"]
    assert info["capabilities"]["attention"]["available"] is False
    assert "on NDIF a model is asked for replies" in info["capabilities"]["attention"]["reason"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("attention", {"position": 1}),
        ("attribution", {"position": 1}),
        ("lens", {"layers": [0.5]}),
    ],
)
def test_what_ndif_is_not_asked_for_is_refused(
    client: TestClient, path: str, body: dict[str, Any]
) -> None:
    answer = client.post(f"/api/{path}", json={"prompt": "a b c", **body})
    assert answer.status_code == 422, answer.text
    assert "on NDIF a model is asked for replies" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("refused", 502, "ndif_refused"),
        ("busy", 503, "ndif_unavailable"),
        ("raises", 502, "ndif_failed"),
    ],
)
def test_neither_key_nor_address_is_in_any_answer_or_log(
    client: TestClient,
    stub: Stub,
    caplog: pytest.LogCaptureFixture,
    fault: str,
    status: int,
    code: str,
) -> None:
    with caplog.at_level(logging.DEBUG):
        stub.next_fails(fault)
        failed = client.post("/api/chat", json=chat("Hi"))
        assert (failed.status_code, failed.json()["error"]["code"]) == (status, code)
        answers = [failed.text, client.get("/api/health").text, client.get("/api/model_info").text]
    told = "\n".join([*answers, caplog.text])
    assert KEY not in told
    assert stub.host.removeprefix("http://") not in told


def test_a_server_without_an_address_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_NDIF_API_KEY", KEY)
    for host in ("", "user:canary@ndif.example"):
        monkeypatch.setenv("EXPLORER_NDIF_HOST", host)
        with pytest.raises(ValidationError, match="EXPLORER_ENGINE=ndif needs") as raised:
            Settings(engine="ndif")
        assert "canary" not in str(raised.value)
        assert KEY not in str(raised.value)


def test_the_names_that_nnsight_reads_do_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NDIF_HOST", "https://ndif.example")
    monkeypatch.setenv("NDIF_API_KEY", KEY)
    settings = Settings(engine="ndif")
    assert settings.ndif_host is not None
    assert settings.ndif_api_key is not None
    assert settings.ndif_host.get_secret_value() == "https://ndif.example"
    assert settings.ndif_api_key.get_secret_value() == KEY
    assert KEY not in repr(settings)


def test_a_local_engine_imports_nothing_of_it() -> None:
    """Only one function of `main.py` does, and it is called for this engine alone."""
    importers = set()
    for path in sorted((BACKEND / "app").rglob("*.py")):
        if path.parent.name == "ndif":
            continue
        tree = ast.parse(path.read_text())
        of_module = {id(node) for node in tree.body}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom) and any(
                name in ast.unparse(node)
                for name in ("engine.ndif", "websocket", "backends.remote")
            ):
                importers.add((path.name, "at import" if id(node) in of_module else "when called"))
    assert importers == {("main.py", "when called")}
