"""`/api/jobs` with a lens to fit, on the fake model: what is asked, told, kept and taken up again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.services.worker import ModelWorker
from tests.api.conftest import error_of, events_of, get, make_client, say, wait_until_ready
from tests.fakes import FakeEngine, Pause

FIT = {"kind": "fit_lens", "lens": "tuned", "seconds": 40}
ENDED = ("done", "error", "cancelled", "lost")


def start(client: TestClient, **more: Any) -> str:
    response = client.post("/api/jobs", json={**FIT, **more})
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
    """The first step of a fit waits here."""
    pause = engine.faults.pause("fit")
    yield pause
    pause.go_on.set()


def unfinished(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "saved" / "lenses" / "unfinished").glob("*"))


def test_a_lens_is_fitted_judged_and_offered(client: TestClient, tmp_path: Path) -> None:
    job = until(client, start(client), *ENDED)
    assert (job["state"], job["progress"], job["kind"]) == ("done", 1.0, "fit_lens")
    assert job["title"] == "tuned lens of fake"
    assert job["assumed"]["seconds"] == 40
    assert job["assumed"]["held_out_tokens"] == 5
    curve = job["result"]["curve"]
    assert [point["seconds"] for point in curve] == [10, 20, 30, 40]
    assert curve[0]["values"] == [4, 5, 6]
    verdict = job["result"]["verdict"]
    assert (verdict["beats_controls"], verdict["is_in_use"]) == (True, True)
    assert [layer["beats_controls"] for layer in verdict["layers"]] == [True, True, False]
    offered = get(client, "model_info")["lenses"]
    assert offered[-1] == {
        "kind": "tuned",
        "fitted_tokens": 40,
        "origin": "fitted",
        "beats_controls": True,
        "unfitted_layers": [],
    }
    assert unfinished(tmp_path) == []


def test_the_text_is_the_sample_ones_own_or_what_was_said(
    client: TestClient, engine: FakeEngine
) -> None:
    until(client, start(client), *ENDED)
    own = {"source": "text", "name": "notes.txt", "text": "One of\ntwo.<|endoftext|>\nThe other.\n"}
    job = until(client, start(client, text=own), *ENDED)
    assert job["assumed"]["text"] == "notes.txt"
    say(client, "Where is the sea?")
    until(client, start(client, text={"source": "conversations"}), *ENDED)
    sample, mine, said = engine.fitting.texts
    assert len(sample) > 200
    assert mine == ("One of\ntwo.", "The other.\n")
    assert len(said) == 1
    assert said[0].startswith("Where is the sea?")


def test_a_text_that_is_too_short_or_missing_is_refused(client: TestClient) -> None:
    short = client.post("/api/jobs", json={**FIT, "text": {"source": "text", "text": "Hi"}})
    assert error_of(short, 422)["param"] == "text"
    none = client.post("/api/jobs", json={**FIT, "text": {"source": "conversations"}})
    assert "no saved conversations" in error_of(none, 422)["message"]
    assert get(client, "jobs")["jobs"] == []


def test_events_tell_the_curve_as_it_grows(client: TestClient, held: Pause) -> None:
    job_id = start(client)
    assert held.reached.wait(30)
    with client.stream("GET", f"/api/jobs/{job_id}/events") as response:
        text = ""
        for piece in response.iter_text():
            text += piece
            held.go_on.set()
    events = events_of(text)
    assert events[0]["job"]["result"] == {"curve": [], "verdict": None}
    assert events[-1]["type"] == "done"
    assert len(events[-1]["job"]["result"]["curve"]) == 4


def test_a_paused_fit_goes_on_from_its_checkpoint(
    client: TestClient, engine: FakeEngine, held: Pause
) -> None:
    job_id = start(client)
    assert held.reached.wait(30)
    assert client.post(f"/api/jobs/{job_id}/pause").json()["state"] == "paused"
    held.go_on.set()
    end = time.monotonic() + 30
    while get(client, f"jobs/{job_id}")["progress"] < 0.2:
        assert time.monotonic() < end
        time.sleep(0.005)
    client.post(f"/api/jobs/{job_id}/resume")
    job = until(client, job_id, *ENDED)
    assert engine.fitting.first_steps == [0, 1]
    assert [point["tokens"] for point in job["result"]["curve"]] == [10, 20, 30, 40]


def test_a_server_that_is_started_again_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    first = FakeEngine()
    pause = first.faults.pause("fit")
    with make_client(first) as client:
        wait_until_ready(client)
        job_id = start(client)
        assert pause.reached.wait(30)
        stop = ModelWorker.stop

        def stop_in_the_middle(worker: ModelWorker) -> None:
            stop(worker)
            pause.go_on.set()

        monkeypatch.setattr(ModelWorker, "stop", stop_in_the_middle)
    second = FakeEngine()
    with make_client(second) as client:
        wait_until_ready(client)
        assert until(client, job_id, *ENDED)["state"] == "done"
    assert second.fitting.first_steps[0] >= 1


def test_a_cancelled_fit_leaves_nothing(client: TestClient, held: Pause, tmp_path: Path) -> None:
    job_id = start(client)
    assert held.reached.wait(30)
    assert len(unfinished(tmp_path)) == 1
    assert client.delete(f"/api/jobs/{job_id}").json()["state"] == "cancelled"
    held.go_on.set()
    end = time.monotonic() + 30
    while unfinished(tmp_path):
        assert time.monotonic() < end
        time.sleep(0.005)
    assert [lens["kind"] for lens in get(client, "model_info")["lenses"]] == ["logit"]
