"""Several people share a server, and nobody learns of the others' conversations and jobs."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from mechanistic_explorer import people
from starlette.websockets import WebSocketDisconnect

from app.api.people import BadTokensFile, People
from app.main import create_app
from app.settings import Settings
from tests.api.conftest import JSON, branch_off, chat, get, make_client, say, wait_until_ready
from tests.api.test_jobs import start, until
from tests.fakes import FakeEngine

UNKNOWN = "0123456789abcdefghijkl"
"""As long as an id, and none."""
ADAS_WORD = "Wallaby"


@dataclass
class Team:
    """One server and two of its people."""

    ada: TestClient
    bob: TestClient
    file: Path
    engine: FakeEngine


@pytest.fixture
def team(tmp_path: Path, own_database: str) -> Iterator[Team]:
    file = tmp_path / "people"
    ada_token, bob_token = (people.add_person(file, name) for name in ("ada", "bob"))
    engine = FakeEngine()
    with make_client(engine, tokens_file=file, database=own_database) as ada:
        wait_until_ready(ada)
        ada.headers["authorization"] = f"Bearer {ada_token}"
        # The same application, on the event loop that the first client runs.
        bob = TestClient(ada.app, base_url="http://localhost", raise_server_exceptions=False)
        bob.portal = ada.portal
        bob.headers["authorization"] = f"Bearer {bob_token}"
        yield Team(ada, bob, file, engine)


READERS: dict[str, Callable[[JSON], JSON]] = {
    "/api/chat": lambda source: {**chat("More"), **source},
    "/api/lens": lambda source: source,
    "/api/compare": lambda source: {"a": {"prompt": "abc"}, "b": source},
    "/api/attribution": lambda source: {**source, "position": 1},
    "/api/attention": lambda source: {**source, "position": 1},
    "/api/writes": lambda source: {**source, "position": 1, "block": 1},
    "/api/dose": lambda source: {**source, **DOSE},
    "/api/patch": lambda source: {**PATCH, "clean": {"prompt": "abcd"}, "corrupt": source},
    "/api/jobs": lambda source: {
        "kind": "patch_map",
        "clean": source,
        "corrupt": {"prompt": "abxd"},
    },
}
"""A body of each endpoint that can name a conversation."""
ADD: JSON = {"kind": "add", "direction": {"kind": "token", "token_id": 65}, "strength": 1}
RESID: JSON = {"site": "resid", "layers": [1], "positions": [0]}
DOSE: JSON = {"strengths": [0, 1], "targets": [65], "interventions": [{**RESID, "op": ADD}]}
PATCH: JSON = {"layer": 1, "positions": [[0, 0]]}


def replaced_from(source: JSON) -> JSON:
    """A read-out under states of another text."""
    operation = {"kind": "replace", "from": source, "positions": [0]}
    return {"prompt": "abc", "interventions": [{**RESID, "op": operation}]}


def attempts(client: TestClient) -> list[tuple[str, str, JSON | None]]:
    """Every request that can name somebody's conversation, branch or job, with ID where it is named."""
    app: Any = client.app
    found: list[tuple[str, str, JSON | None]] = []
    for path, item in app.openapi()["paths"].items():
        for method, operation in item.items():
            named = [p for p in ("conversation_id", "branch_id", "job_id") if f"{{{p}}}" in path]
            if named:
                body = {"title": "Mine"} if "requestBody" in operation else None
                found.append((method, path.replace(f"{{{named[0]}}}", "ID"), body))
    source = {"conversation_id": "ID"}
    found += [("post", path, body(source)) for path, body in READERS.items()]
    found.append(("post", "/api/chat", {**chat("More"), **source, "stream": True}))
    found.append(("post", "/api/chat", {**chat("More"), **source, "from_index": 2}))
    found.append(("post", "/api/lens", replaced_from(source)))
    return found


def answer(client: TestClient, attempt: tuple[str, str, JSON | None], name: str) -> tuple[Any, ...]:
    """Status, headers and body of an answer, but for what is random in each."""
    method, path, body = attempt
    sent = None if body is None else json.loads(json.dumps(body).replace('"ID"', f'"{name}"'))
    response = client.request(method, path.replace("ID", name), json=sent)
    request_id = response.headers.pop("x-request-id")
    text = response.text.replace(request_id, "REQUEST").replace(name, "ID")
    return response.status_code, sorted(response.headers.items()), text


def test_the_matrix_names_every_endpoint_that_takes_an_id(team: Team) -> None:
    app: Any = team.ada.app
    schemas = app.openapi()["components"]["schemas"]

    def takes_a_source(schema: JSON) -> bool:
        text = json.dumps(schema.get("properties", {}))
        named = [other for other in schemas if f'/{other}"' in text]
        return "conversation_id" in schema.get("properties", {}) or any(
            takes_a_source(schemas[other]) for other in named
        )

    def names(path_item: JSON) -> set[str]:
        """The types of a body: one, or one for each kind of job."""
        body = path_item["post"]["requestBody"]["content"]["application/json"]["schema"]
        return {each["$ref"].split("/")[-1] for each in body.get("oneOf", [body])}

    bodies = {
        path: names(item)
        for path, item in app.openapi()["paths"].items()
        if "requestBody" in item.get("post", {})
    }
    # A file holds the ids of tokens, and an id that its interventions name is looked up when it is read.
    del bodies["/api/conversations/import"]
    able = {
        path
        for path, found in bodies.items()
        if any(takes_a_source(schemas[each]) for each in found)
    }
    assert able == set(READERS)


def test_what_is_anothers_is_answered_like_what_never_existed(team: Team) -> None:
    first = say(team.ada, ADAS_WORD)
    conversation = first["conversation_id"]
    branch = branch_off(team.ada, first, len(first["prompt_tokens"]) + 1, 70)["conversation_id"]
    deleted = say(team.ada, "Gone")["conversation_id"]
    assert team.ada.delete(f"/api/conversations/{deleted}").status_code == 200
    job = start(team.ada)
    until(team.ada, job, "done")
    before = get(team.ada, f"conversations/{conversation}/export")

    for attempt in attempts(team.ada):
        unknown = answer(team.bob, attempt, UNKNOWN)
        assert unknown[0] == 404, (attempt, unknown)
        for name in (conversation, branch, deleted, job):
            assert answer(team.bob, attempt, name) == unknown, attempt

    # Nor did any of it change what Ada has.
    assert get(team.ada, f"conversations/{conversation}/export") == before
    assert get(team.ada, f"jobs/{job}")["state"] == "done"
    assert team.ada.post(f"/api/conversations/{deleted}/restore").status_code == 200


def test_a_running_reply_and_a_running_job_are_not_noticed_by_others(team: Team) -> None:
    """They are in memory, where no database asks whose they are."""
    name = say(team.ada, ADAS_WORD)["conversation_id"]
    held = team.engine.faults.pause("decode:1")
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(say, team.ada, "More", conversation_id=name)
        assert held.reached.wait(30)
        for attempt in attempts(team.ada):
            assert answer(team.bob, attempt, name) == answer(team.bob, attempt, UNKNOWN), attempt
        held.go_on.set()
        reply.result()

    cell = team.engine.faults.pause("cell")
    job = start(team.ada)
    assert cell.reached.wait(30)
    for attempt in attempts(team.ada):
        assert answer(team.bob, attempt, job) == answer(team.bob, attempt, UNKNOWN), attempt
    assert get(team.ada, f"jobs/{job}")["state"] == "running"
    cell.go_on.set()
    until(team.ada, job, "done")


def test_lists_searches_and_counts_hold_ones_own_only(team: Team) -> None:
    mine = say(team.ada, ADAS_WORD)["conversation_id"]
    note = {"start": 0, "end": 1, "layer": None, "text": "Quokka"}
    assert team.ada.patch(f"/api/conversations/{mine}", json={"notes": [note]}).status_code == 200
    until(team.ada, start(team.ada), "done")
    theirs = say(team.bob, "Bandicoot")["conversation_id"]

    for query in ("", ADAS_WORD, "Quokka", "a"):
        found = get(team.bob, f"conversations?query={query}")
        assert mine not in json.dumps(found)
        assert found["total"] == len(found["conversations"])
    assert [each["id"] for each in get(team.bob, "conversations")["conversations"]] == [theirs]
    assert [
        each["id"] for each in get(team.ada, "conversations?query=Quokka")["conversations"]
    ] == [mine]
    assert get(team.bob, "jobs")["jobs"] == []
    assert len(get(team.ada, "jobs")["jobs"]) == 1
    for who in (team.ada, team.bob):
        assert get(who, "stats")["conversations"] == 1


def test_copies_and_imports_belong_to_whoever_makes_them(team: Team) -> None:
    mine = say(team.ada, ADAS_WORD)["conversation_id"]
    file = get(team.ada, f"conversations/{mine}/export")
    copy = team.ada.post(f"/api/conversations/{mine}/duplicate").json()["id"]
    imported = team.bob.post("/api/conversations/import", json=file).json()["id"]

    assert {each["id"] for each in get(team.ada, "conversations")["conversations"]} == {mine, copy}
    assert [each["id"] for each in get(team.bob, "conversations")["conversations"]] == [imported]


def test_the_queue_is_shared_between_people_whatever_ids_their_tabs_have(team: Team) -> None:
    """Two requests of one person wait at most, from however many tabs."""
    held = team.engine.faults.pause("decode:0")
    with ThreadPoolExecutor(6) as pool:
        replies = [pool.submit(ask, team.ada, f"tab{n}") for n in range(6)]
        assert held.reached.wait(30)
        # Nothing is served yet, so those that come first are those that are refused.
        refused = list(itertools.islice(as_completed(replies, timeout=30), 2))
        bobs = pool.submit(ask, team.bob, "tab0")
        held.go_on.set()
        codes = [reply.result() for reply in replies]

        assert [reply.result() for reply in refused] == [429, 429]

        assert bobs.result() == 200
    assert codes.count(429) == 2
    assert codes.count(200) == 4


def ask(client: TestClient, tab: str) -> int:
    body = chat("Hi", sampling={"max_new_tokens": 2})
    return client.post("/api/chat", json=body, headers={"x-client-id": tab}).status_code


def test_a_wrong_token_tells_nothing(team: Team) -> None:
    right = team.ada.headers["authorization"]
    wrong = [
        "",
        "Bearer",
        "Bearer x",
        right[:-1],
        f"{right}x",
        "Bearer ada",
        right.replace(" ", ""),
    ]
    digest = hashlib.sha256(right.removeprefix("Bearer ").encode()).hexdigest()
    wrong += [f"Bearer {digest}", f"Basic {right.removeprefix('Bearer ')}"]
    answers = []
    for given in wrong:
        team.bob.headers["authorization"] = given
        answers.append(answer(team.bob, ("get", "/api/conversations", None), UNKNOWN))

    assert {each[0] for each in answers} == {401}
    assert len({each[2] for each in answers}) == 1
    assert len({str(each[1]) for each in answers}) == 1


def test_every_token_is_compared_whichever_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "people"
    tokens = [people.add_person(file, name) for name in ("ada", "bob", "cyd")]
    team = People(file)
    compared: list[int] = []

    def counted(a: bytes, b: bytes) -> bool:
        compared.append(1)
        return a == b

    monkeypatch.setattr(hmac, "compare_digest", counted)
    found = []
    for token in (*tokens, "wrong", ""):
        compared.clear()
        found.append((team.whose(token.encode()), len(compared)))

    assert found == [("ada", 3), ("bob", 3), ("cyd", 3), (None, 3), (None, 3)]


def test_websockets_are_refused_whoever_asks(team: Team) -> None:
    for who in (team.ada, team.bob):
        with pytest.raises(WebSocketDisconnect), who.websocket_connect("ws://localhost/api/chat"):
            pass


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o777])
def test_a_file_of_tokens_that_others_can_touch_is_refused_with_what_to_do(
    tmp_path: Path, mode: int
) -> None:
    file = tmp_path / "people"
    people.add_person(file, "ada")
    assert People(file)
    file.chmod(mode)

    with pytest.raises(BadTokensFile, match=f"chmod 600 {file}"):
        create_app(Settings(tokens_file=file, database="memory"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "names nobody"),
        ("ada\n", "Line 1"),
        ("ada " + "0" * 63 + "\n", "Line 1"),
        ("a/b " + "0" * 64 + "\n", "Line 1"),
        (f"ada {'0' * 64}\nada {'1' * 64}\n", "second time"),
        ("#" * 2**20 + "x", "1 MiB"),
    ],
)
def test_a_file_of_tokens_that_is_none_is_refused(
    tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "people"
    file.touch(0o600)
    file.write_text(content)

    with pytest.raises(BadTokensFile, match=message):
        People(file)


def test_a_missing_file_of_tokens_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BadTokensFile, match="token add NAME --file"):
        People(tmp_path / "nowhere")


def test_people_are_added_and_removed_while_the_server_runs(
    team: Team, caplog: pytest.LogCaptureFixture
) -> None:
    name = say(team.bob, "Bandicoot")["conversation_id"]
    people.remove_person(team.file, "bob")
    assert team.bob.get("/api/conversations").status_code == 401
    assert team.ada.get("/api/conversations").status_code == 200
    again = people.add_person(team.file, "bob")
    team.bob.headers["authorization"] = f"Bearer {again}"
    assert [each["id"] for each in get(team.bob, "conversations")["conversations"]] == [name]

    team.file.chmod(0o644)
    with caplog.at_level(logging.ERROR):
        assert team.ada.get("/api/conversations").status_code == 401
    assert "chmod 600" in caplog.text
    assert again not in caplog.text
    team.file.chmod(0o600)
    assert team.ada.get("/api/conversations").status_code == 200


def test_one_token_and_a_file_of_tokens_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="EXPLORER_TOKENS_FILE"):
        Settings(token="a-long-enough-token", tokens_file=tmp_path / "people")
    assert Settings(host="0.0.0.0", tokens_file=tmp_path / "people").token is None
