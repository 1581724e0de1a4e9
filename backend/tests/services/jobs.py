"""A worker that runs without a model, and work for its jobs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from app.services.job import Job
from app.services.worker import ModelWorker
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
