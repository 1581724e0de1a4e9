"""A map that is cancelled on the embedded model, counted in blocks that run and not in seconds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.engine.engine import NnsightEngine
from app.main import create_app
from app.services.background import BackgroundJob
from app.settings import Settings
from tests.api.conftest import get, wait_until_ready

WAIT_S = 120
"""For what comes on any machine, however slow."""


class Blocks:
    """Counts blocks that run, and holds the model thread in one of them."""

    def __init__(self) -> None:
        self.n = 0
        self.held_at = 0
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self, *_: object) -> None:
        self.n += 1
        if self.n == self.held_at:
            self.reached.set()
            assert self.go_on.wait(WAIT_S)

    def hold_in(self, n: int) -> None:
        self.n, self.held_at = 0, n
        self.reached.clear()
        self.go_on.clear()


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = create_app(Settings(model="embedded", database="memory", threads=1))
    with TestClient(app, base_url="http://localhost") as client:
        wait_until_ready(client)
        yield client


@pytest.fixture
def blocks(client: TestClient) -> Iterator[Blocks]:
    assert isinstance(client.app, FastAPI)
    engine = client.app.state.services.worker.engine
    assert isinstance(engine, NnsightEngine)
    found = Blocks()
    with ExitStack() as undo:
        for block in engine.decoder.structure.blocks:
            # A block that is skipped is called as well, its parts are not.
            part = next(block.children())
            undo.callback(part.register_forward_pre_hook(found).remove)
        yield found
        found.go_on.set()


def start_map(client: TestClient, number: int) -> str:
    """Of texts that no map before had."""
    clean, corrupt = (
        {"prompt": f"{name} has {number} old towns and many rivers. The capital of {name} is"}
        for name in ("Italy", "France")
    )
    body = {"kind": "patch_map", "clean": clean, "corrupt": corrupt, "answer": 500, "foil": 600}
    response = client.post("/api/jobs", json=body)
    assert response.status_code == 202, response.text
    job_id: str = response.json()["id"]
    return job_id


def test_a_cancelled_map_runs_no_more_than_one_pass_of_the_model(
    client: TestClient, blocks: Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    finish = BackgroundJob.finish

    def finish_and_tell(job: BackgroundJob, failure: object) -> None:
        finish(job, failure)  # type: ignore[arg-type]
        ended.set()

    monkeypatch.setattr(BackgroundJob, "finish", finish_and_tell)
    n_blocks = get(client, "model_info")["num_layers"]
    job_id = start_map(client, 10)
    assert ended.wait(WAIT_S)
    whole = blocks.n
    assert get(client, f"jobs/{job_id}")["state"] == "done"
    # The first map also measures whether blocks can be run by themselves, the later ones do not.
    shortest = whole - 3 * n_blocks
    assert shortest > 6 * n_blocks
    after = {}
    # In the runs of both texts, in the estimate, and among the cells.
    for held_at in range(1, shortest, n_blocks - 1):
        ended.clear()
        blocks.hold_in(held_at)
        job_id = start_map(client, 10 + held_at)
        assert blocks.reached.wait(WAIT_S)
        before = blocks.n
        assert client.delete(f"/api/jobs/{job_id}").json()["state"] == "cancelled"
        blocks.go_on.set()
        assert ended.wait(WAIT_S)
        after[held_at] = blocks.n - before
    assert max(after.values()) < n_blocks, after
