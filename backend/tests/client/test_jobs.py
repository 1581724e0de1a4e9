"""Jobs of the client against a server process."""

from __future__ import annotations

import pytest
from mechanistic_explorer import (
    CannotConnect,
    Explorer,
    ExplorerError,
    JobEnded,
    JobEvents,
    ServerError,
    StreamCut,
)
from mechanistic_explorer.answers import ErrorBody

from tests.client.conftest import url_of
from tests.server.conftest import Start


def test_job_is_followed_to_its_end(explorer: Explorer) -> None:
    told: list[float] = []
    job = explorer.patch_map("abcd", "abxd")

    info = job.wait(told.append)

    assert info.state == "done"
    assert info.id == job.id
    assert told == sorted(told)
    assert info.result.n_done == info.result.n_cells
    assert explorer.job(job.id).wait() == job.info()


def test_job_pauses_goes_on_and_is_cancelled(start: Start) -> None:
    server = start(pauses=["cell:1"])
    server.wait_until_ready()
    with Explorer(url_of(server)) as explorer:
        job = explorer.patch_map("abcd", "abxd")
        second = explorer.patch_map("abcd", "axcd")
        assert second.cancel().state == "cancelled"
        assert job.pause().state == "paused"
        server.get("/go_on")
        assert job.resume().state in ("waiting", "running")
        assert job.wait().state == "done"
        with pytest.raises(JobEnded, match="was cancelled"):
            second.wait()
        second.cancel()
        with pytest.raises(ServerError, match="job_not_found"):
            second.wait()


def test_job_that_fails_raises_the_servers_error(explorer: Explorer) -> None:
    with pytest.raises(ServerError) as failed:
        explorer.patch_map("abcd", "abcd").wait()
    assert failed.value.code == "undefined_effect"


def test_waiting_goes_on_when_the_server_was_away(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = explorer.patch_map("abcd", "abxd")
    ending = ErrorBody("draining", "The server is shutting down.", None, None, "r")
    failures: list[ExplorerError] = [StreamCut("cut"), ServerError(ending), CannotConnect("away")]
    events = explorer.job_events

    def events_after_failures(job_id: str) -> JobEvents:
        if failures:
            raise failures.pop(0)
        return events(job_id)

    pauses: list[float] = []
    monkeypatch.setattr(explorer, "job_events", events_after_failures)
    monkeypatch.setattr(explorer, "_sleep", pauses.append)
    assert job.wait().state == "done"
    assert len(pauses) == 3


def test_waiting_for_a_server_that_stays_away_ends(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: str) -> JobEvents:
        raise CannotConnect("away")

    monkeypatch.setattr(explorer, "job_events", away)
    monkeypatch.setattr(explorer, "_sleep", lambda _: None)
    with pytest.raises(CannotConnect):
        explorer.job("x").wait()
