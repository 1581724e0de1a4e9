"""What becomes of jobs that an earlier server was busy with."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from app.engine.protocols import LensEngine
from app.errors import Draining, ModelMismatch
from app.models.jobs import PatchMapRequest
from app.services.background import BackgroundJob
from app.services.conversations import ConversationStore
from app.services.identity import ModelIdentity
from app.services.jobs import JobsService
from app.services.patch_map import PatchMap, plan_map
from app.services.storage import job_rows
from app.services.storage.database import Database
from app.services.storage.records import JobRecord
from app.services.stored_job import JobKind, StoredJob
from tests.fakes import fake_facts
from tests.services.jobs import running_worker, until

T = TypeVar("T")

KINDS = {"patch_map": JobKind(plan_map, PatchMap)}

SIDE = {"roles": ["user"] * 2, "lineage": [], "conversation_id": None}
PLAN = {
    "clean": {"ids": [97, 98], **SIDE},
    "corrupt": {"ids": [97, 99], **SIDE},
    "site": "resid",
    "direction": "denoise",
    "rows": [[0, None], [1, None]],
    "positions": [[0, 0], [1, 1]],
    "answer": 65,
    "foil": 66,
    "title": "ab → ac",
}
LEFT = JobRecord(
    id="left",
    kind="patch_map",
    state="running",
    client="me",
    branch_id=None,
    model=ModelIdentity.of(fake_facts(512)),
    plan=PLAN,
    found={},
    failure=None,
    created_at_ms=1,
    updated_at_ms=1,
    is_new=True,
)


@pytest.mark.parametrize(
    ("state", "has_checkpoints", "becomes"),
    [
        ("running", True, "done"),
        ("waiting", True, "done"),
        ("running", False, "lost"),
        ("waiting", False, "done"),
        ("paused", True, "paused"),
    ],
)
def test_a_job_goes_on_or_says_that_it_was_lost(
    state: str, has_checkpoints: bool, becomes: str
) -> None:
    async def scenario() -> None:
        database = Database("sqlite://")
        record = dataclasses.replace(LEFT, state=state)
        await database.write(lambda c: job_rows.save(c, record))
        kinds = {"patch_map": JobKind(plan_map, PatchMap, has_checkpoints)}
        async with running_worker() as worker:
            jobs = JobsService(worker, ConversationStore(database), database, kinds)
            await jobs.open()
            await until(lambda: not jobs._active or becomes == "paused")
            job = await jobs.get("left")
            assert job.state == becomes
            if becomes == "lost":
                assert job.error is not None
                assert job.error.code == "job_lost"
                *_, last = [event async for event in jobs.events("left")]
                assert last is not None
                assert last.type == "error"
            worker.stop()
            await jobs.close()
        database.close()

    asyncio.run(scenario())


def test_a_job_of_another_model_waits_for_that_model() -> None:
    async def scenario() -> None:
        database = Database("sqlite://")
        other = dataclasses.replace(LEFT, model=ModelIdentity("other", "2", "hub"))
        await database.write(lambda c: job_rows.save(c, other))
        async with running_worker() as worker:
            jobs = JobsService(worker, ConversationStore(database), database, KINDS)
            await jobs.open()
            (listed,) = (await jobs.listed()).jobs
            assert listed.state == "waiting"
            # Its ids would be read as other words.
            with pytest.raises(ModelMismatch):
                await jobs.get("left")
            worker.stop()
            await jobs.close()
        database.close()

    asyncio.run(scenario())


class LateDatabase(Database):
    """Reads after a write where one is on its way, and tells of a write after `reader` is done."""

    written: asyncio.Event
    reader: asyncio.Task[None]

    async def read(self, work: Callable[[Connection], T]) -> T:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.written.wait(), 0.2)
        return await super().read(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        result = await super().write(work)
        self.written.set()
        await self.reader
        return result


def test_a_job_made_while_earlier_ones_are_taken_up_is_not_one_of_them() -> None:
    async def prepare(*_args: object) -> tuple[dict[str, object], None]:
        return PLAN, None

    async def scenario() -> None:
        database = LateDatabase("sqlite://")
        database.written = asyncio.Event()
        async with running_worker() as worker:
            kinds = {"patch_map": JobKind(prepare, PatchMap)}
            jobs = JobsService(worker, ConversationStore(database), database, kinds)
            database.reader = asyncio.ensure_future(jobs.open())
            side = {"prompt": "ab"}
            request = PatchMapRequest(kind="patch_map", clean=side, corrupt=side)
            job_id = await jobs.create(request, "me")
            # One that both took up would run as the one, and be shown as the other, which waits.
            assert jobs._running is jobs._active[job_id]
            worker.stop()
            await jobs.close()
        database.close()

    asyncio.run(scenario())


def test_streams_of_jobs_that_are_not_over_end_with_the_reason_when_the_server_ends() -> None:
    async def scenario() -> None:
        database = Database("sqlite://")
        await database.write(lambda c: job_rows.save(c, dataclasses.replace(LEFT, state="paused")))
        async with running_worker() as worker:
            jobs = JobsService(worker, ConversationStore(database), database, KINDS)
            await jobs.open()
            events = jobs.events("left")
            first = await anext(events)
            assert first is not None
            assert first.type == "job"
            following = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0)
            jobs.end_streams()
            with pytest.raises(Draining, match="before this job is over"):
                await following
            worker.stop()
            await jobs.close()
        database.close()

    asyncio.run(scenario())


def test_nothing_of_a_map_is_held_once_it_is_over() -> None:
    async def prepare(*_args: object) -> tuple[dict[str, object], None]:
        return PLAN, None

    async def scenario() -> None:
        database = Database("sqlite://")
        async with running_worker() as worker:
            kinds = {"patch_map": JobKind(prepare, PatchMap)}
            jobs = JobsService(worker, ConversationStore(database), database, kinds)
            await jobs.open()
            request = PatchMapRequest(
                kind="patch_map", clean={"prompt": "a"}, corrupt={"prompt": "b"}
            )
            for _ in range(4):
                job_id = await jobs.create(request, "me")
                async for event in jobs.events(job_id):
                    last = event
                assert last is not None
                assert last.type == "done"
            held = (PatchMap, StoredJob, BackgroundJob)
            # The worker's loop keeps the frame of its last job until the next one.
            await until(lambda: sum(type(each) in held for each in _objects()) <= 3)
            worker.stop()
            await jobs.close()
        database.close()

    asyncio.run(scenario())


def test_a_job_that_is_asked_for_while_it_is_taken_up_runs_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads: list[str] = []
    current = job_rows.current
    n_runs = 0

    def watched(connection: Connection, job_id: str) -> JobRecord | None:
        reads.append(job_id)
        return current(connection, job_id)

    monkeypatch.setattr(job_rows, "current", watched)

    class Late(Database):
        async def write(self, work: Callable[[Connection], T]) -> T:
            """What is read a second time arrives when the job is over."""
            order: list[int] = []

            def noted(connection: Connection) -> T:
                before = len(reads)
                found = work(connection)
                order.extend(range(before, len(reads)))
                return found

            found = await super().write(noted)
            if order and order[0] > 0:
                await asyncio.sleep(0.3)
            return found

    class Counted(PatchMap):
        def turns(self, engine: LensEngine) -> Iterator[object]:
            nonlocal n_runs
            n_runs += 1
            return super().turns(engine)

    async def scenario() -> None:
        database = Late("sqlite://")
        await database.write(lambda c: job_rows.save(c, LEFT))
        async with running_worker() as worker:
            kinds = {"patch_map": JobKind(plan_map, Counted)}
            jobs = JobsService(worker, ConversationStore(database), database, kinds)
            await asyncio.gather(jobs.open(), jobs.get("left"))
            await until(lambda: jobs.n_busy == 0)
            worker.stop()
            await jobs.close()
        database.close()

    asyncio.run(scenario())
    assert n_runs == 1


def test_what_a_run_works_with_is_kept_until_its_end_is_saved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forgotten: list[bool] = []

    class Watched(PatchMap):
        def forget(self) -> None:
            forgotten.append(is_saved.is_set())

    is_saved = threading.Event()
    save = job_rows.save

    def slowly(connection: Connection, record: JobRecord) -> None:
        save(connection, record)
        if record.state == "done":
            time.sleep(0.05)
            is_saved.set()

    monkeypatch.setattr(job_rows, "save", slowly)

    async def scenario() -> None:
        database = Database("sqlite://")
        await database.write(lambda c: save(c, LEFT))
        async with running_worker() as worker:
            kinds = {"patch_map": JobKind(plan_map, Watched)}
            jobs = JobsService(worker, ConversationStore(database), database, kinds)
            await jobs.open()
            await until(lambda: bool(forgotten))
            worker.stop()
            await jobs.close()
        database.close()

    asyncio.run(scenario())
    assert set(forgotten) == {True}


def _objects() -> list[object]:
    gc.collect()
    return gc.get_objects()
