"""A real fit of a real model survives `kill -9` of the server."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engine.model_folders import save_tiny_gpt2
from tests.server.conftest import Process

SERVER = """
import sys
from app.engine.fitting import fits
from app.services import jobs
fits.SAVE_EVERY_SECONDS = jobs.SAVE_EVERY_S = 0.0
jobs.SAVE_SHARE = 0
import run
sys.exit(run.main())
"""
"""The server that people start, which writes its checkpoints at once."""
TEXT = [f"Sentence number {n} of a text {'about nothing ' * 8}at all.\n" for n in range(60)]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Process]]:
    """Starts the server on a tiny model."""
    save_tiny_gpt2(tmp_path / "tiny")
    started: list[Process] = []

    def start_one() -> Process:
        argv = [sys.executable, "-c", SERVER, "--model", str(tmp_path / "tiny"), "--port", "0"]
        started.append(Process(argv))
        started[-1].wait_until_ready()
        return started[-1]

    yield start_one
    for process in started:
        process.end()


def points_of(server: Process, job_id: str) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = server.get(f"/api/jobs/{job_id}").json()["result"]["curve"]
    return points


def test_kill_in_the_middle_of_a_fit_lets_it_go_on_from_its_checkpoint(
    start: Callable[[], Process], tmp_path: Path
) -> None:
    server = start()
    text = {"source": "text", "text": "<|endoftext|>\n".join(TEXT)}
    asked = {"kind": "fit_lens", "seconds": 100, "text": text}
    job_id = server.post("/api/jobs", asked).json()["id"]
    server.wait_until(lambda: len(points_of(server, job_id)) >= 2)
    # Writes are done in order, and this one waits for those before it.
    assert server.get("/api/jobs/none").status_code == 404
    before = points_of(server, job_id)[:2]
    server.signal(signal.SIGKILL)
    server.exit_code()
    (checkpoint,) = tmp_path.rglob("fit.checkpoint")
    left = torch.load(checkpoint, weights_only=True)["state"]
    assert left["seconds"] >= before[-1]["seconds"]

    again = start()

    again.wait_until(lambda: points_of(again, job_id)[-1]["seconds"] > left["seconds"])
    assert points_of(again, job_id)[:2] == before
