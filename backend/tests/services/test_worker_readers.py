"""What the reader of a job gets, and what its pace or its leaving does to the job."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app.errors import ReaderTooSlow
from app.services import job as job_module
from app.services.job import Job
from tests.fakes import Pause
from tests.services.jobs import collected, emits, loops, running_worker, until, waits


def test_items_come_in_order_and_from_one_thread() -> None:
    async def scenario() -> None:
        threads: set[int] = set()
        async with running_worker() as worker:
            for n in range(3):
                job = worker.claim(str(n), "a")

                def work(job: Job[Any], n: int = n) -> Iterator[None]:
                    threads.add(threading.get_ident())
                    yield from emits(n, n + 1)(job)

                job.start(work)
                assert await collected(job) == [n, n + 1]
        assert len(threads) == 1
        assert threading.get_ident() not in threads

    asyncio.run(scenario())


def test_closed_reader_ends_the_work() -> None:
    async def scenario() -> None:
        async with running_worker() as worker:
            job = worker.claim("0", "a")

            def work(job: Job[Any]) -> Iterator[None]:
                job.emit("first", 1)
                yield from loops(job)

            job.start(work)
            items = job.items()
            assert await anext(items) == "first"
            await items.aclose()
            await until(lambda: worker.state().running == 0)

    asyncio.run(scenario())


def test_work_that_is_ended_gives_back_what_it_holds() -> None:
    async def scenario() -> None:
        freed: list[str] = []

        def work(job: Job[Any]) -> Iterator[None]:
            try:
                yield from loops(job)
            finally:
                freed.append(job.id)

        async with running_worker() as worker:
            job = worker.claim("held", "a")
            job.start(work)
            await until(lambda: worker.state().running == 1)
            job.close()
            await until(lambda: worker.state().running == 0)
            assert freed == ["held"]

    asyncio.run(scenario())


def test_reader_that_stays_behind_ends_its_own_job_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_module, "OUTBOX_BYTES", 1000)
    monkeypatch.setattr(job_module, "READER_PATIENCE_S", 0.05)

    async def scenario() -> None:
        emitted = 0

        def work(job: Job[Any]) -> Iterator[None]:
            nonlocal emitted
            while True:
                job.emit(emitted, 100)
                emitted += 1
                yield

        async with running_worker() as worker:
            slow = worker.claim("0", "a")
            slow.start(work)
            other = worker.claim("1", "b")
            other.start(emits("fine"))
            assert await collected(other) == ["fine"]
            await until(lambda: emitted >= 10)
            assert emitted == 10
            with pytest.raises(ReaderTooSlow):
                await collected(slow)

    asyncio.run(scenario())


def test_reader_that_catches_up_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_module, "OUTBOX_BYTES", 1000)

    async def scenario() -> None:
        async with running_worker() as worker:
            job = worker.claim("0", "a")

            def work(job: Job[Any]) -> Iterator[None]:
                for n in range(200):
                    job.emit(n, 100)
                    yield

            job.start(work)
            assert await collected(job) == list(range(200))

    asyncio.run(scenario())


def test_idle_reader_hears_that_the_job_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_module, "KEEP_ALIVE_S", 0.01)

    async def scenario() -> None:
        pause = Pause()
        async with running_worker() as worker:
            job = worker.claim("0", "a")
            job.start(waits(pause))
            items = job.items()
            assert await anext(items) is None
            pause.go_on.set()
            assert [item async for item in items if item is not None] == ["done"]

    asyncio.run(scenario())
