"""Jobs that fail or take too long, and the worker that outlives them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from app.errors import DeadlineExceeded, InternalError, ModelNotFound, OutOfMemory, Unavailable
from app.services.job import Job
from tests.fakes import Pause
from tests.services.jobs import collected, emits, loops, running_worker, until, waits


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (ValueError("x"), InternalError),
        (MemoryError(), OutOfMemory),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), OutOfMemory),
        (RuntimeError("other"), InternalError),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory"), OutOfMemory),
        (ModelNotFound("typed"), ModelNotFound),
    ],
)
def test_worker_survives_what_a_job_raises(
    failure: Exception, kind: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        def work(_job: Job[Any]) -> Iterator[None]:
            yield
            raise failure

        async with running_worker() as worker:
            job = worker.claim("run-7", "a")
            job.start(work)
            with pytest.raises(kind):
                await collected(job)
            after = worker.claim("1", "a")
            after.start(emits("fine"))
            assert await collected(after) == ["fine"]

    asyncio.run(scenario())
    is_logged = any("run-7" in record.message and record.exc_info for record in caplog.records)
    assert is_logged == (kind is not ModelNotFound)


def test_deadline_ends_running_and_waiting_jobs() -> None:
    async def scenario() -> None:
        async with running_worker(request_seconds=0.05) as worker:
            job = worker.claim("0", "a")
            waiting = worker.claim("1", "b")
            job.start(loops)
            waiting.start(loops)
            for each in (job, waiting):
                with pytest.raises(DeadlineExceeded, match=r"0\.05 s"):
                    await collected(each)
            await until(lambda: worker.state().running == 0)

    asyncio.run(scenario())


def test_deadline_does_not_wait_for_a_model_that_hangs() -> None:
    async def scenario() -> None:
        pause = Pause()
        async with running_worker(request_seconds=0.05, stalled_seconds=0.05) as worker:
            job = worker.claim("0", "a")
            job.start(waits(pause))
            with pytest.raises(DeadlineExceeded):
                await collected(job)
            await until(lambda: worker.state().status == "stalled")
            with pytest.raises(Unavailable):
                worker.claim("1", "a")
            pause.go_on.set()
            await until(lambda: worker.state().status == "ready")

    asyncio.run(scenario())
