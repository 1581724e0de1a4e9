"""`/api/jobs` over HTTP, on the fake model: maps, their turns, and what is kept of them."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.services import jobs as jobs_module
from app.services.patch_map import spearman
from app.services.storage.database import Database
from app.services.worker import ModelWorker
from tests.api.conftest import error_of, events_of, get, make_client, say, wait_until_ready
from tests.fakes import FakeEngine, Pause

MAP = {"kind": "patch_map", "clean": {"prompt": "abcd"}, "corrupt": {"prompt": "abxd"}}
ENDED = ("done", "error", "cancelled", "lost")


def start(client: TestClient, headers: dict[str, str] | None = None, **more: Any) -> str:
    response = client.post("/api/jobs", json={**MAP, **more}, headers=headers)
    assert response.status_code == 202, response.text
    job_id: str = response.json()["id"]
    return job_id


def until(client: TestClient, job_id: str, *states: str) -> dict[str, Any]:
    end = time.monotonic() + 30
    while (job := get(client, f"jobs/{job_id}"))["state"] not in states:
        assert time.monotonic() < end, job
        time.sleep(0.005)
    return job


@pytest.fixture
def held(engine: FakeEngine) -> Iterator[Pause]:
    """The first cell of a map waits here."""
    pause = engine.faults.pause("cell")
    yield pause
    pause.go_on.set()


def test_a_map_is_computed_without_anybody_waiting(client: TestClient) -> None:
    job = until(client, start(client), *ENDED)
    assert (job["state"], job["progress"], job["seconds_left"]) == ("done", 1.0, None)
    result = job["result"]
    assert result["layers"] == [0, 1, 2, 3]
    assert result["heads"] == [None] * 4
    assert result["positions"] == [[0, 0], [1, 1], [2, 2], [3, 3]]
    assert (result["clean"], result["corrupt"]) == (4.0, -2.0)
    assert result["scores"][1] == pytest.approx([2 / 4, 2 / 5, 2 / 6, 2 / 7])
    assert result["cells"][1][2] == pytest.approx(-2 + 6 * 2 / 6)
    assert result["estimate"][1][0] == pytest.approx(1.0, rel=1e-4)
    assert result["rank_correlation"] == pytest.approx(1.0)
    assert (result["n_cells"], result["n_done"]) == (16, 16)
    assert result["computed_tokens"] == 16 * 5
    assert (result["answer"]["text"], result["foil"]["text"]) == ("A", "B")


def test_a_job_says_what_it_assumed(client: TestClient) -> None:
    conversation_id = say(client, "Hi")["conversation_id"]
    corrupt = {"conversation_id": conversation_id}
    job = until(client, start(client, corrupt=corrupt, direction="noise"), *ENDED)
    assert job["model_identity"]["name"] == "fake"
    assert job["conversation_id"] == conversation_id
    assumed = job["assumed"]
    assert [token["text"] for token in assumed["clean"]["tokens"]] == ["a", "b", "c", "d"]
    assert assumed["corrupt"]["conversation_id"] == conversation_id
    assert (assumed["site"], assumed["direction"]) == ("resid", "noise")
    assert "abcd" in job["title"]


@pytest.mark.parametrize(
    ("clean", "corrupt", "title"),
    [
        ("in Rome", "in Nice", "in Rome → in Nice"),
        (
            "People who live in the north of France drink tea in the afternoon",
            "People who live in the north of Norway drink tea in the afternoon",
            "…in the north of France drink tea… → …in the north of Norway drink tea…",
        ),
        (
            "France" + " is a country with many old towns" * 2,
            "Norway" + " is a country with many old towns" * 2,
            "France is a country with many… → Norway is a country with many…",
        ),
        ("a" * 60 + "x", "a" * 60 + "y", f"…{'a' * 31}x → …{'a' * 31}y"),
    ],
)
def test_the_title_shows_the_word_in_which_the_texts_differ(
    client: TestClient, clean: str, corrupt: str, title: str
) -> None:
    job_id = start(client, clean={"prompt": clean}, corrupt={"prompt": corrupt}, layers=[0])
    assert get(client, f"jobs/{job_id}")["title"] == title


def test_texts_of_different_lengths_are_aligned_and_gaps_have_no_cell(client: TestClient) -> None:
    texts = {"clean": {"prompt": "the old cat"}, "corrupt": {"prompt": "the cat"}}
    result = until(client, start(client, **texts), *ENDED)["result"]
    assert result["positions"] == [*([n, n] for n in range(4)), *([n + 4, n] for n in range(4, 7))]
    texts = {"clean": {"prompt": "a12z"}, "corrupt": {"prompt": "a9z"}}
    result = until(client, start(client, **texts), *ENDED)["result"]
    assert result["positions"] == [[0, 0], [1, 1], [3, 2]]


def test_a_text_is_read_up_to_its_reply(client: TestClient) -> None:
    conversation_id = say(client, "Hi")["conversation_id"]
    body = {"clean": {"conversation_id": conversation_id}, "clean_length": 3, "corrupt_length": 2}
    result = until(client, start(client, **body), *ENDED)
    assert len(result["assumed"]["clean"]["tokens"]) == 3
    assert result["result"]["positions"] == [[0, 0], [1, 1]]
    assert result["conversation_id"] == conversation_id


def test_heads_have_a_row_each(client: TestClient) -> None:
    job_id = start(client, site="head", layers=[2], positions=[[3, 3]])
    result = until(client, job_id, *ENDED)["result"]
    assert (result["layers"], result["heads"]) == ([2, 2], [0, 1])
    job_id = start(client, site="head", layers=[3], heads=[1], positions=[[3, 3]])
    result = until(client, job_id, *ENDED)["result"]
    assert (result["layers"], result["heads"]) == ([3], [1])


def test_events_tell_the_job_then_cells_then_how_it_ended(client: TestClient) -> None:
    job_id = start(client)
    events = events_of(client.get(f"/api/jobs/{job_id}/events").text)
    assert events[0]["type"] == "job"
    assert events[-1]["type"] == "done"
    assert events[-1]["job"]["result"]["n_done"] == 16
    # A job that is over is listed as well.
    events = events_of(client.get(f"/api/jobs/{job_id}/events").text)
    assert [event["type"] for event in events] == ["job", "done"]


def test_events_while_a_job_runs_hold_each_cell_once(client: TestClient, held: Pause) -> None:
    job_id = start(client)
    assert held.reached.wait(30)
    seen = []
    with client.stream("GET", f"/api/jobs/{job_id}/events") as response:
        text = ""
        for piece in response.iter_text():
            text += piece
            held.go_on.set()
        seen = events_of(text)
    kinds = [event["type"] for event in seen]
    assert kinds[0] == "job"
    assert "cells" in kinds
    told = {
        (row, pair): score
        for event in seen
        if event["type"] == "job"
        for row, scores in enumerate(event["job"]["result"]["scores"])
        for pair, score in enumerate(scores)
        if score is not None
    }
    cells = [cell for event in seen if event["type"] == "cells" for cell in event["cells"]]
    for cell in cells:
        assert (cell["row"], cell["pair"]) not in told
        told[cell["row"], cell["pair"]] = cell["score"]
    scores = seen[-1]["job"]["result"]["scores"]
    assert told == {(row, pair): scores[row][pair] for row in range(4) for pair in range(4)}


def test_a_paused_job_goes_on_where_it_was(
    client: TestClient, engine: FakeEngine, held: Pause
) -> None:
    job_id = start(client)
    assert held.reached.wait(30)
    assert client.post(f"/api/jobs/{job_id}/pause").json()["state"] == "paused"
    held.go_on.set()
    # The model is free: another job runs to its end meanwhile.
    until(client, start(client, layers=[0]), "done")
    paused = get(client, f"jobs/{job_id}")
    assert paused["state"] == "paused"
    assert 0 < paused["result"]["n_done"] < 16
    cells = engine.faults.calls["cell"]
    assert client.post(f"/api/jobs/{job_id}/resume").json()["state"] in ("waiting", "running")
    job = until(client, job_id, *ENDED)
    assert (job["state"], job["result"]["n_done"]) == ("done", 16)
    assert engine.faults.calls["cell"] - cells == 16 - paused["result"]["n_done"]


def test_a_cancelled_job_frees_the_model_within_one_turn(
    client: TestClient, engine: FakeEngine, held: Pause
) -> None:
    job_id = start(client)
    assert held.reached.wait(30)
    job = client.delete(f"/api/jobs/{job_id}").json()
    assert job["state"] == "cancelled"
    held.go_on.set()
    say(client, "Hi")
    assert engine.faults.calls["cell"] == 1
    events = events_of(client.get(f"/api/jobs/{job_id}/events").text)
    assert events[-1] == {"type": "cancelled"}
    # Once more deletes it.
    client.delete(f"/api/jobs/{job_id}")
    assert error_of(client.get(f"/api/jobs/{job_id}"), 404)["code"] == "job_not_found"


def test_four_jobs_of_a_client_may_wait(client: TestClient, held: Pause) -> None:
    mine, other = {"X-Client-Id": "mine"}, {"X-Client-Id": "other"}
    running = start(client, mine)
    assert held.reached.wait(30)
    waiting = [start(client, mine) for _ in range(4)]
    response = client.post("/api/jobs", json=MAP, headers=mine)
    assert error_of(response, 429)["code"] == "queue_full"
    assert int(response.headers["retry-after"]) >= 1
    late = start(client, other)
    assert [job["id"] for job in get(client, "jobs")["jobs"]] == [late, *reversed(waiting), running]
    held.go_on.set()
    jobs = {job_id: until(client, job_id, "done") for job_id in (running, *waiting, late)}
    # Round-robin: the other client's only job is not the last.
    assert jobs[late]["updated_at_ms"] <= jobs[waiting[-1]]["updated_at_ms"]


def test_runs_that_answer_alike_end_the_job_with_their_error(client: TestClient) -> None:
    job_id = start(client, corrupt={"prompt": "abcd"})
    job = until(client, job_id, *ENDED)
    assert (job["state"], job["error"]["code"]) == ("error", "undefined_effect")
    events = events_of(client.get(f"/api/jobs/{job_id}/events").text)
    assert events[-1]["error"]["code"] == "undefined_effect"
    error = error_of(client.post(f"/api/jobs/{job_id}/resume"), 409)
    assert error["code"] == "conflict"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"kind": "magic"}, "invalid_request", "kind"),
        ({"layers": [4]}, "layer_out_of_range", "layers"),
        ({"site": "attn", "layers": [0]}, "layer_out_of_range", "layers"),
        ({"site": "mlp"}, "identity_failed", "site"),
        ({"site": "head", "heads": [2]}, "invalid_request", "heads"),
        ({"heads": [0]}, "invalid_request", None),
        ({"positions": [[0, 4]]}, "position_out_of_range", "positions"),
        ({"positions": [[0, 0], [1, 0]]}, "invalid_request", "positions"),
        ({"positions": []}, "invalid_request", "positions"),
        ({"answer": 65, "foil": 65}, "invalid_request", "foil"),
        ({"clean": {"prompt": ""}}, "empty_prompt", "clean.prompt"),
    ],
)
def test_wrong_maps_are_refused_and_nothing_is_kept(
    body: dict[str, Any], code: str, param: str | None, client: TestClient
) -> None:
    error = error_of(client.post("/api/jobs", json={**MAP, **body}), 422)
    assert error["code"] == code
    if param is not None:
        assert error["param"] == param
    assert get(client, "jobs")["jobs"] == []


def test_a_map_that_is_too_large_says_how_much_fits(client: TestClient) -> None:
    pairs = [[n, n] for n in range(500)]
    text = {"prompt": "a" * 500}
    body = {"clean": text, "corrupt": {"prompt": "b" * 500}, "positions": pairs}
    start(client, **body)
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr("app.services.patch_map.MAX_CELLS", 100)
        error = error_of(client.post("/api/jobs", json={**MAP, **body}), 422)
    assert "2,000 cells" in error["message"]
    assert "25 pairs" in error["hint"]


def test_jobs_that_never_were_are_not_found(client: TestClient) -> None:
    for method, path in (
        ("GET", "jobs/x"),
        ("GET", "jobs/x/events"),
        ("POST", "jobs/x/pause"),
        ("POST", "jobs/x/resume"),
        ("DELETE", "jobs/x"),
    ):
        assert error_of(client.request(method, f"/api/{path}"), 404)["code"] == "job_not_found"


def test_a_server_that_ends_goes_on_with_its_jobs_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = f"sqlite:///{tmp_path / 'jobs.db'}"
    engine = FakeEngine()
    pause = engine.faults.pause("cell")
    with make_client(engine, database=database) as client:
        wait_until_ready(client)
        job_id, other = start(client), start(client, layers=[1])
        assert pause.reached.wait(30)
        paused = client.post(f"/api/jobs/{other}/pause").json()
        assert paused["state"] == "paused"
        stop = ModelWorker.stop

        def stop_and_go_on(worker: ModelWorker) -> None:
            stop(worker)
            pause.go_on.set()

        monkeypatch.setattr(ModelWorker, "stop", stop_and_go_on)
    done_before = engine.faults.calls["cell"]
    assert done_before == 1
    engine = FakeEngine()
    with make_client(engine, database=database) as client:
        wait_until_ready(client)
        job = until(client, job_id, "done")
        assert job["result"]["n_done"] == 16
        assert engine.faults.calls["cell"] == 16 - done_before
        assert get(client, f"jobs/{other}")["state"] == "paused"


async def is_of_another_server(_database: Database, _name: str) -> bool:
    """What a claim finds that another process holds."""
    return False


def test_a_job_of_another_server_is_read_and_followed_but_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "FOLLOW_S", 0.01)
    database = f"sqlite:///{tmp_path / 'jobs.db'}"
    with make_client(FakeEngine(), database=database) as client:
        wait_until_ready(client)
        job_id = start(client)
        until(client, job_id, "done")
    with sqlite3.connect(tmp_path / "jobs.db") as file:
        file.execute("UPDATE jobs SET state = 'running'")
    engine = FakeEngine()
    monkeypatch.setattr(Database, "claim", is_of_another_server)
    with make_client(engine, database=database) as client:
        wait_until_ready(client)
        assert get(client, f"jobs/{job_id}")["state"] == "running"
        for method, path in (("POST", "/pause"), ("POST", "/resume"), ("DELETE", "")):
            refused = client.request(method, f"/api/jobs/{job_id}{path}")
            assert error_of(refused, 409)["code"] == "job_elsewhere"
        events = followed(client, job_id, tmp_path / "jobs.db")
    assert [event["type"] for event in events] == ["job", "cancelled"]
    assert "cell" not in engine.faults.calls


def followed(client: TestClient, job_id: str, file: Path) -> list[dict[str, Any]]:
    """The events of a job that the other server cancels once it is being followed."""
    found = []
    with client.stream("GET", f"/api/jobs/{job_id}/events") as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
                with sqlite3.connect(file) as other:
                    other.execute("UPDATE jobs SET state = 'cancelled'")
    return found


def test_a_job_goes_on_with_another_server_when_the_one_that_ran_it_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = f"sqlite:///{tmp_path / 'jobs.db'}"
    with make_client(FakeEngine(), database=database) as client:
        wait_until_ready(client)
        job_id = start(client)
        until(client, job_id, "done")
    with sqlite3.connect(tmp_path / "jobs.db") as file:
        file.execute("UPDATE jobs SET state = 'running', found = '{}'")
    claim = Database.claim
    monkeypatch.setattr(Database, "claim", is_of_another_server)
    with make_client(FakeEngine(), database=database) as client:
        wait_until_ready(client)
        assert get(client, f"jobs/{job_id}")["state"] == "running"
        assert get(client, "health")["jobs"] == 0
        monkeypatch.setattr(Database, "claim", claim)
        assert until(client, job_id, *ENDED)["state"] == "done"


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1, 2, 3, 4], [10, 20, 30, 40], 1.0),
        ([1, 2, 3, 4], [4, 3, 2, 1], -1.0),
        ([1, 1, 2, 3], [5, 5, 6, 7], 1.0),
        # 0.5 * (1 - ...): by hand with mean ranks 1.5, 1.5, 3 against 1, 2, 3.
        ([1, 1, 2], [1, 2, 3], 0.8660254),
        ([1, 1, 1], [1, 2, 3], None),
    ],
)
def test_rank_correlation(a: list[float], b: list[float], expected: float | None) -> None:
    import numpy as np

    found = spearman(np.array(a), np.array(b))
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    "damage",
    [
        "found = 'garbage'",
        "found = '{\"cells\": [[99, 0, 1.0]]}'",
        "found = '[]'",
        "plan = '{}'",
        "plan = 'x'",
        "model = '[]'",
        "failure = '{}'",
        "failure = 'x'",
        "state = 'bored'",
        "created_at_ms = 'x'",
    ],
)
def test_a_damaged_job_has_a_typed_answer_and_fails_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    path = tmp_path / "jobs.db"
    with make_client(FakeEngine(), database=f"sqlite:///{path}") as client:
        wait_until_ready(client)
        bad, good = start(client), start(client)
        for job_id in (bad, good):
            until(client, job_id, "done")
        # What waits for nothing but the disk is on it once the list has been read.
        get(client, "jobs")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE jobs SET {damage} WHERE id = ?", (bad,))
        connection.execute("UPDATE jobs SET state = 'running' WHERE id = ?", (good,))
        if not damage.startswith("state"):
            connection.execute("UPDATE jobs SET state = 'waiting' WHERE id = ?", (bad,))
    with make_client(FakeEngine(), database=f"sqlite:///{path}") as client:
        wait_until_ready(client)
        assert until(client, good, "done")["result"]["n_done"] == 16
        for method, way in (("GET", ""), ("GET", "/events"), ("POST", "/pause")):
            error = error_of(client.request(method, f"/api/jobs/{bad}{way}"), 507)
            assert error["code"] == "storage_failed"
            assert f"job {bad}" in error["message"]
        assert [job["id"] for job in get(client, "jobs")["jobs"]] == [good]
    assert not [r for r in caplog.records if r.exc_info]
