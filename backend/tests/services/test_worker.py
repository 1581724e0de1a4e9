from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.errors import (
    DeadlineExceeded,
    Draining,
    InternalError,
    ModelFailed,
    ModelLoading,
    ModelNotFound,
    OutOfMemory,
    QueueFull,
    ReaderTooSlow,
    Unavailable,
)
from app.services import job as job_module
from app.services.job import Job
from app.services.worker import LoadProgress, ModelWorker
from app.settings import Settings
from tests.fakes import FakeEngine, Pause, loader

Work = Callable[[Job[Any]], Iterator[None]]


@asynccontextmanager
async def running_worker(**settings: Any) -> AsyncIterator[ModelWorker]:
    worker = ModelWorker(Settings(**settings), loader(FakeEngine()))
    worker.start()
    await until(lambda: worker.state().status == "ready")
    try:
        yield worker
    finally:
        worker.stop()
        assert await asyncio.to_thread(worker.join, 60)


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.002)


async def collected(job: Job[Any]) -> list[Any]:
    return [item async for item in job.items() if item is not None]


def emits(*items: Any) -> Work:
    def work(job: Job[Any]) -> Iterator[None]:
        for item in items:
            job.emit(item, 1)
            yield

    return work


def waits(pause: Pause) -> Work:
    def work(job: Job[Any]) -> Iterator[None]:
        pause.reached.set()
        assert pause.go_on.wait(10)
        yield
        job.emit("done", 1)

    return work


def loops(_job: Job[Any]) -> Iterator[None]:
    """Work that ends only when it is told to."""
    while True:
        threading.Event().wait(0.001)
        yield


def notes(order: list[str]) -> Work:
    """Work that writes down when it runs."""

    def work(job: Job[Any]) -> Iterator[None]:
        order.append(job.id)
        yield

    return work


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


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_thread_that_ends_is_told_and_not_waited_for() -> None:
    async def scenario() -> None:
        def work(_job: Job[Any]) -> Iterator[None]:
            yield
            raise SystemExit

        async with running_worker() as worker:
            job = worker.claim("0", "a")
            job.start(work)
            with pytest.raises(InternalError):
                await collected(job)
            await until(lambda: worker.state().status == "failed")
            with pytest.raises(ModelFailed):
                worker.claim("1", "a")

    asyncio.run(scenario())


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


def test_draining_lets_running_work_end_and_refuses_new() -> None:
    async def scenario() -> None:
        pause = Pause()
        async with running_worker() as worker:
            job = worker.claim("0", "a")
            job.start(waits(pause))
            drained = asyncio.ensure_future(worker.drained(10))
            await until(lambda: worker.state().status == "draining")
            with pytest.raises(Draining):
                worker.claim("1", "b")
            pause.go_on.set()
            assert await collected(job) == ["done"]
            await drained

    asyncio.run(scenario())


def test_draining_ends_what_takes_too_long() -> None:
    async def scenario() -> None:
        async with running_worker() as worker:
            job = worker.claim("0", "a")
            queued = worker.claim("1", "b")
            job.start(loops)
            queued.start(loops)
            reading = [asyncio.ensure_future(collected(each)) for each in (job, queued)]
            await worker.drained(0.05)
            for each in reading:
                with pytest.raises(Draining):
                    await each

    asyncio.run(scenario())


def test_loading_is_told_with_its_progress() -> None:
    go_on = threading.Event()

    def load(_settings: Settings, on_progress: Callable[[LoadProgress], None]) -> FakeEngine:
        on_progress(LoadProgress("Downloading gpt2.", 10, 100))
        assert go_on.wait(10)
        return FakeEngine()

    async def scenario() -> None:
        worker = ModelWorker(Settings(model="gpt2"), load)
        worker.start()
        await until(lambda: worker.state().detail == "Downloading gpt2.")
        state = worker.state()
        assert (state.status, state.model) == ("loading", "gpt2")
        assert state.progress == LoadProgress("Downloading gpt2.", 10, 100)
        with pytest.raises(ModelLoading, match="Downloading gpt2"):
            worker.claim("0", "a")
        go_on.set()
        await until(lambda: worker.state().status == "ready")
        assert worker.state().model == "fake"
        worker.stop()
        assert await asyncio.to_thread(worker.join, 60)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (ModelNotFound("There is no model x.", hint="Check it."), "There is no model x. Check it."),
        (MemoryError(), "not enough memory"),
        (ValueError("secret"), "unexpected"),
    ],
)
def test_failed_load_is_told(failure: Exception, message: str) -> None:
    def load(*_: Any) -> FakeEngine:
        raise failure

    async def scenario() -> None:
        worker = ModelWorker(Settings(), load)
        worker.start()
        await until(lambda: worker.state().status == "failed")
        assert message in (worker.state().detail or "")
        assert "secret" not in (worker.state().detail or "")
        with pytest.raises(ModelFailed):
            worker.claim("0", "a")
        worker.stop()
        assert await asyncio.to_thread(worker.join, 60)

    asyncio.run(scenario())


def test_stopping_breaks_a_download_off() -> None:
    started = threading.Event()

    def load(_settings: Settings, on_progress: Callable[[LoadProgress], None]) -> FakeEngine:
        for done in range(100_000):
            on_progress(LoadProgress("Downloading.", done, None))
            started.set()
            threading.Event().wait(0.001)
        return FakeEngine()

    worker = ModelWorker(Settings(), load)
    worker.start()
    assert started.wait(10)
    worker.stop()

    assert worker.join(5)
