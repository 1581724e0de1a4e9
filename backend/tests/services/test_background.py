"""Work in the background: it gets the turns that no request can use, and ends when it is stopped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from app.errors import Draining, ExplorerError, InternalError
from app.services.background import BackgroundJob
from tests.fakes import Pause
from tests.services.jobs import collected, emits, running_worker, until

Ended = list[tuple[ExplorerError | None, bool]]


def test_requests_come_first() -> None:
    order: list[str] = []
    pause = Pause()

    def background() -> Iterator[None]:
        for _ in range(3):
            order.append("background")
            pause.reached.set()
            assert pause.go_on.wait(30)
            yield

    async def scenario() -> None:
        ended: Ended = []
        async with running_worker() as worker:
            worker.add_background(BackgroundJob("b", background, lambda *end: ended.append(end)))
            assert await asyncio.to_thread(pause.reached.wait, 30)
            # Both came while the background had its first turn.
            for name in ("first", "second"):
                job = worker.claim(name, name)

                def work(_job: object, name: str = name) -> Iterator[None]:
                    for _ in range(4):
                        order.append(name)
                        yield

                job.start(work)
            pause.go_on.set()
            await until(lambda: bool(ended))
        assert ended == [(None, False)]

    asyncio.run(scenario())
    assert order[0] == "background"
    assert order[-2:] == ["background"] * 2
    assert sorted(order[1:-2]) == ["first"] * 4 + ["second"] * 4


def test_a_stopped_job_gives_back_what_it_holds_before_its_next_turn() -> None:
    turns: list[str] = []

    def background() -> Iterator[None]:
        try:
            while True:
                turns.append("turn")
                reached.set()
                assert go_on.wait(30)
                yield
        finally:
            turns.append("closed")

    reached, go_on = threading.Event(), threading.Event()

    async def scenario() -> None:
        ended: Ended = []
        async with running_worker() as worker:
            run = BackgroundJob("b", background, lambda *end: ended.append(end))
            worker.add_background(run)
            assert await asyncio.to_thread(reached.wait, 30)
            run.stop()
            go_on.set()
            await until(lambda: bool(ended))
            assert (turns, ended) == (["turn", "closed"], [(None, True)])
            job = worker.claim("next", "a")
            job.start(emits("free"))
            assert await collected(job) == ["free"]

    asyncio.run(scenario())


def test_a_failure_ends_the_job_and_not_the_worker() -> None:
    def background() -> Iterator[None]:
        yield
        raise ValueError("broken")

    async def scenario() -> None:
        ended: Ended = []
        async with running_worker() as worker:
            worker.add_background(BackgroundJob("b", background, lambda *end: ended.append(end)))
            await until(lambda: bool(ended))
            assert isinstance(ended[0][0], InternalError)
            job = worker.claim("next", "a")
            job.start(emits("alive"))
            assert await collected(job) == ["alive"]

    asyncio.run(scenario())


def test_a_server_that_shuts_down_waits_for_no_job_in_the_background() -> None:
    def background() -> Iterator[None]:
        while True:
            yield

    async def scenario() -> None:
        ended: Ended = []
        async with running_worker() as worker:
            worker.add_background(BackgroundJob("b", background, lambda *end: ended.append(end)))
            await worker.drained(30)
            await until(lambda: bool(ended))
            assert ended == [(None, True)]
            with pytest.raises(Draining):
                worker.add_background(BackgroundJob("c", background, lambda *_: None))

    asyncio.run(scenario())
