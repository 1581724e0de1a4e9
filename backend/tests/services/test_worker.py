"""The worker from its loading to its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.errors import Draining, InternalError, ModelFailed, ModelLoading, ModelNotFound
from app.services.job import Job
from app.services.loading_progress import LoadProgress
from app.services.worker import ModelWorker
from app.settings import Settings
from tests.fakes import FakeEngine, Pause
from tests.services.jobs import collected, loops, running_worker, until, waits


def test_loading_is_told_with_its_progress() -> None:
    go_on = threading.Event()

    def load(
        _settings: Settings, on_progress: Callable[[LoadProgress], None], _is_beside: bool
    ) -> FakeEngine:
        on_progress(LoadProgress("Downloading gpt2.", 10, 100, "find"))
        assert go_on.wait(10)
        return FakeEngine()

    async def scenario() -> None:
        worker = ModelWorker(Settings(model="gpt2"), load)
        worker.start()
        await until(lambda: worker.state().detail == "Downloading gpt2.")
        state = worker.state()
        assert (state.status, state.model) == ("loading", "gpt2")
        assert state.progress == LoadProgress("Downloading gpt2.", 10, 100, "find")
        assert state.loading is not None
        assert [(each.step, each.status) for each in state.loading] == [
            ("import", "done"),
            ("find", "running"),
            ("weights", "waiting"),
            ("pack", "waiting"),
            ("check", "waiting"),
        ]
        imported, found, *later = state.loading
        assert imported.seconds is not None
        assert found.seconds is not None
        assert (found.done_bytes, found.total_bytes) == (10, 100)
        assert {(each.seconds, each.done_bytes) for each in later} == {(None, None)}
        with pytest.raises(ModelLoading, match="Downloading gpt2"):
            worker.claim("0", "a")
        go_on.set()
        await until(lambda: worker.state().status == "ready")
        assert worker.state().model == "fake"
        assert worker.state().loading is None
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

    def load(
        _settings: Settings, on_progress: Callable[[LoadProgress], None], _is_beside: bool
    ) -> FakeEngine:
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


def test_loading_that_gives_no_sign_of_life_is_stalled_until_it_does() -> None:
    async def scenario() -> None:
        goes_on, ends = threading.Event(), threading.Event()

        def load(
            _settings: Settings, on_progress: Callable[[LoadProgress], None], _is_beside: bool
        ) -> FakeEngine:
            on_progress(LoadProgress("Checking tiny."))
            goes_on.wait(10)
            on_progress(LoadProgress("Nearly done."))
            ends.wait(10)
            return FakeEngine()

        worker = ModelWorker(Settings(stalled_seconds=0.2), load)
        worker.start()
        await until(lambda: worker.state().detail == "Checking tiny.")
        assert worker.state().status == "loading"
        await until(lambda: worker.state().status == "stalled")
        detail = worker.state().detail or ""
        assert detail.startswith("Checking tiny. Loading has given no sign of life")
        with pytest.raises(ModelLoading):
            worker.claim("0", "a")
        goes_on.set()
        await until(lambda: worker.state().status == "loading")
        ends.set()
        await until(lambda: worker.state().status == "ready")
        worker.stop()
        assert await asyncio.to_thread(worker.join, 60)

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
