"""Whose job runs when, and who has to wait or is turned away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from app.errors import QueueFull, QueueTimeout
from app.services.job import Job
from tests.fakes import Pause
from tests.services.jobs import Work, collected, emits, loops, notes, running_worker, until, waits


def test_queue_is_bounded_in_all_and_per_client() -> None:
    async def scenario() -> None:
        async with running_worker(concurrency=1, queue_capacity=3, queue_per_client=2) as worker:
            pause = Pause()
            first = worker.claim("0", "a")
            first.start(waits(pause))
            await until(pause.reached.is_set)
            waiting = [worker.claim(str(n), "a") for n in (1, 2)]
            with pytest.raises(QueueFull) as mine:
                worker.claim("3", "a")
            waiting.append(worker.claim("4", "b"))
            with pytest.raises(QueueFull) as all_full:
                worker.claim("5", "c")
            assert (mine.value.retry_after_s or 0) >= 1
            assert (all_full.value.retry_after_s or 0) >= 1
            assert worker.state().waiting == 3
            waiting[0].close()
            again = worker.claim("6", "c")
            for job in [*waiting, again]:
                job.close()
            assert worker.state().waiting == 0
            pause.go_on.set()
            assert await collected(first) == ["done"]

    asyncio.run(scenario())


def test_clients_take_turns() -> None:
    async def scenario() -> list[str]:
        order: list[str] = []
        async with running_worker(concurrency=1, queue_per_client=3) as worker:
            pause = Pause()
            first = worker.claim("a0", "a")
            first.start(waits(pause))
            await until(pause.reached.is_set)
            jobs = []
            for name in ("a1", "a2", "a3", "b1", "b2", "c1"):
                job = worker.claim(name, name[0])
                job.start(notes(order))
                jobs.append(job)
            pause.go_on.set()
            await asyncio.gather(*(collected(job) for job in (first, *jobs)))
        return order

    assert asyncio.run(scenario()) == ["b1", "a1", "c1", "b2", "a2", "a3"]


def test_jobs_run_in_turns_and_clients_get_equal_shares() -> None:
    def counts(order: list[str], n: int) -> Work:
        def work(job: Job[Any]) -> Iterator[None]:
            for _ in range(n):
                order.append(job.id)
                yield

        return work

    async def scenario() -> list[str]:
        order: list[str] = []
        pause = Pause()
        async with running_worker() as worker:
            first = worker.claim("first", "z")
            first.start(waits(pause))
            await until(pause.reached.is_set)
            jobs = [worker.claim(name, name[0]) for name in ("a1", "a2", "b1", "c1")]
            for job, n in zip(jobs, (4, 4, 4, 1), strict=True):
                job.start(counts(order, n))
            pause.go_on.set()
            await asyncio.gather(*(collected(job) for job in (first, *jobs)))
        return order

    order = asyncio.run(scenario())
    # Two jobs of one client get together what another client's one job gets; the short one is soon over.
    assert order[:8] == ["a1", "b1", "c1", "a2", "b1", "a1", "b1", "a2"]
    assert order[8:] == ["b1", "a1", "a2", "a1", "a2"]


def test_no_more_jobs_run_at_once_than_allowed() -> None:
    async def scenario() -> None:
        async with running_worker(concurrency=2, queue_per_client=1) as worker:
            jobs = [worker.claim(str(n), client) for n, client in enumerate("abc")]
            for job in jobs:
                job.start(loops)
            await until(lambda: worker.state().running == 2)
            assert worker.state().waiting == 1
            mine = worker.claim("3", "a")
            mine.start(loops)
            jobs[1].close()
            await until(lambda: (worker.state().running, worker.state().waiting) == (2, 1))
            jobs[2].close()
            # The client that runs one already waits, though there is room.
            await until(lambda: (worker.state().running, worker.state().waiting) == (1, 1))
            jobs[0].close()
            await until(lambda: (worker.state().running, worker.state().waiting) == (1, 0))
            mine.close()

    asyncio.run(scenario())


def test_job_that_is_still_prepared_holds_nobody_up() -> None:
    async def scenario() -> None:
        async with running_worker() as worker:
            prepared = worker.claim("0", "a")
            other = worker.claim("1", "b")
            other.start(emits("x"))
            assert await collected(other) == ["x"]
            prepared.start(emits("y"))
            assert await collected(prepared) == ["y"]

    asyncio.run(scenario())


def test_queued_job_of_a_gone_client_never_runs() -> None:
    async def scenario() -> None:
        ran: list[str] = []
        async with running_worker(concurrency=1) as worker:
            pause = Pause()
            first = worker.claim("0", "a")
            first.start(waits(pause))
            await until(pause.reached.is_set)
            queued = worker.claim("1", "b")
            queued.start(notes(ran))
            queued.close()
            assert worker.state().waiting == 0
            pause.go_on.set()
            await collected(first)
        assert ran == []

    asyncio.run(scenario())


def test_waiting_for_the_model_has_a_limit_and_running_has_another() -> None:
    order: list[str] = []

    async def scenario() -> None:
        async with running_worker(concurrency=1, queue_seconds=0.05) as worker:
            pause = Pause()
            first = worker.claim("first", "a")
            first.start(waits(pause))
            await until(pause.reached.is_set)
            waiting = worker.claim("waiting", "b")
            waiting.start(notes(order))
            with pytest.raises(QueueTimeout) as refused:
                await collected(waiting)
            assert (refused.value.retry_after_s or 0) > 0
            assert worker.state().waiting == 0
            pause.go_on.set()
            assert await collected(first) == ["done"]
            later = worker.claim("later", "b")
            later.start(notes(order))
            await collected(later)

    asyncio.run(scenario())
    assert order == ["later"]


def test_time_in_which_a_request_is_prepared_is_not_time_in_the_queue() -> None:
    async def scenario() -> None:
        async with running_worker(queue_seconds=0.05) as worker:
            job = worker.claim("a", "a")
            items = job.items()
            reading = asyncio.ensure_future(anext(items))
            # Three times the limit of waiting, and then the model is free.
            await asyncio.wait([reading], timeout=0.15)
            assert not reading.done()
            job.start(emits("done"))
            assert await reading == "done"
            await items.aclose()

    asyncio.run(scenario())
