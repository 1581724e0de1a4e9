"""Jobs: work that outlives the request that asked for it, kept in the database while it goes on.

One runs at a time, in the turns of the model that replies leave; the others wait, round-robin over
clients. Of several servers that share a database, one works on a job: it has claimed it, until the job
is over or the server ends. A job belongs to the model that it was made for, and waits while another one
runs. A pause ends the run and keeps what it found, from which a later run goes on; so does the end
of the server. Only the event loop touches this object.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path

from app.engine.protocols import LensEngine
from app.errors import (
    Conflict,
    Draining,
    ExplorerError,
    JobElsewhere,
    JobLost,
    JobNotFound,
    ModelSwitched,
    QueueFull,
    StorageFailed,
)
from app.models.jobs import (
    AnyJob,
    JobEvent,
    JobList,
    JobRequest,
    JobState,
    JobStreamEvent,
    ProgressEvent,
)
from app.models.wire import ErrorBody
from app.services.background import BackgroundJob
from app.services.conversations import ConversationStore
from app.services.fit_lens import LensFits
from app.services.identity import ModelIdentity, require_same_model
from app.services.patch_map import PatchMap, plan_map
from app.services.person import person
from app.services.storage import job_rows
from app.services.storage.database import Database
from app.services.storage.failures import DAMAGE, naming_damaged_job
from app.services.storage.records import JobRecord
from app.services.stored_job import JobKind, StoredJob
from app.services.timelines import new_id
from app.services.worker import ModelWorker

logger = logging.getLogger(__name__)

MAX_WAITING = 4
"""Jobs of one client that wait or are paused."""
MAX_ACTIVE = 64
LISTED = 100
SAVE_EVERY_S = 2.0
SAVE_SHARE = 20
"""A checkpoint is written this many times its own duration apart at least."""
KEEP_ALIVE_S = 10.0
FOLLOW_S = 1.0
"""A job of another server is read again this often while it is followed."""
CLOSE_SECONDS = 5.0
"""How long the run that is ended by a shutdown is waited for."""


PATCH_MAP = JobKind(plan_map, PatchMap)


def kinds_of_jobs(lenses: Path) -> Mapping[str, JobKind]:
    """Every kind of job; fitted lenses are kept in the folder `lenses`."""
    fits = LensFits(lenses)
    return {"patch_map": PATCH_MAP, "fit_lens": JobKind(fits.plan, fits.restore)}


class JobsService:
    """Makes, runs, tells and keeps jobs."""

    def __init__(
        self,
        worker: ModelWorker,
        conversations: ConversationStore,
        database: Database,
        kinds: Mapping[str, JobKind],
    ) -> None:
        self._worker = worker
        self._conversations = conversations
        self._database = database
        self._kinds = kinds
        self._active: dict[str, StoredJob] = {}
        """Those that are not over, the oldest first."""
        self._preparing: Counter[str] = Counter()
        self._running: StoredJob | None = None
        self._served: dict[str, int] = {}
        """When each client had a run last, counted in runs."""
        self._n_runs = 0
        self._has_read = asyncio.Event()
        """Set once the jobs of earlier servers are read: what is made later is never taken for one of them."""
        self._is_closing = False
        self._streams_end = False
        self._is_closed = False
        self._taking_up = asyncio.Lock()
        self._saves: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        worker.on_model(self._on_model)

    # --- life ------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Takes up what an earlier server was busy with, once the model is loaded."""
        self._loop = asyncio.get_running_loop()
        try:
            records = await self._database.read(job_rows.unfinished)
        except StorageFailed as failure:
            logger.error("jobs are not taken up: %s", failure.message)
            return
        finally:
            self._has_read.set()
        try:
            for record in records:
                if self._undamaged(record) is not None:
                    await self._take_up(record.id)
        except StorageFailed as failure:
            logger.error("jobs are not taken up: %s", failure.message)
        self._schedule()

    async def _take_up(self, job_id: str) -> StoredJob | None:
        """Makes an unfinished job this server's, as it is in the database; None where another has it.

        Raises StorageFailed.
        """
        # One after the other: of two that had read the same state, the second would run the job again.
        async with self._taking_up:
            if job_id in self._active:
                return self._active[job_id]
            return await self._claimed(job_id)

    async def _claimed(self, job_id: str) -> StoredJob | None:
        """Claimed first and read then: meanwhile another server may have ended it."""
        if not await self._database.claim(job_id):
            return None
        record = await self._database.write(lambda connection: job_rows.current(connection, job_id))
        job = None if record is None else self._undamaged(record)
        if job is None or job.is_over:
            self._database.begin_giving_up(job_id)
            return job
        if job.state == "running" and not self._kinds[job.kind].has_checkpoints:
            lost = JobLost(
                "The server ended while this job ran, and it had no checkpoint to go on from.",
                hint="Start it again.",
            )
            self._end(job, "lost", lost)
            return job
        job.state = "paused" if job.state == "paused" else "waiting"
        self._active[job.id] = job
        return job

    async def close(self) -> None:
        """Ends the run and keeps what it found; the worker has been told to stop."""
        self._is_closing = True
        until = time.monotonic() + CLOSE_SECONDS
        while self._running is not None and time.monotonic() < until:
            await asyncio.sleep(0.01)
        for job in self._active.values():
            self._save(job)
        self._is_closed = True
        while self._saves:
            await asyncio.wait(self._saves)

    def end_streams(self) -> None:
        """Ends the streams of all jobs that are not over, before their connections are cut."""
        self._streams_end = True
        for job in self._active.values():
            job.tell()

    # --- what is asked ---------------------------------------------------------------------------

    @property
    def n_busy(self) -> int:
        """Jobs that run or wait for their turn."""
        return sum(job.state in ("running", "waiting") for job in self._active.values())

    async def create(self, request: JobRequest, client: str) -> str:
        """The id of a new job. Raises QueueFull and whatever is wrong with the request."""
        engine = self._worker.engine
        self._require_place(client, ModelIdentity.of(engine.facts))
        self._preparing[client] += 1
        try:
            kind = self._kinds[request.kind]
            plan, branch_id = await kind.prepare(engine, self._conversations, request)
            now = _now_ms()
            job = StoredJob(
                id=new_id(),
                kind=request.kind,
                client=client,
                owner=person.get(),
                branch_id=branch_id,
                model=ModelIdentity.of(engine.facts),
                work=kind.restore(plan, {}),
                created_at_ms=now,
                updated_at_ms=now,
            )
            record = job.record(is_new=True)
            await self._has_read.wait()
            await self._database.claim(job.id)
            await self._database.write(lambda connection: job_rows.save(connection, record))
        finally:
            self._preparing[client] -= 1
        self._active[job.id] = job
        self._schedule()
        return job.id

    async def listed(self) -> JobList:
        """The newest jobs of this person; raises StorageFailed."""
        records = await self._database.write(lambda connection: job_rows.newest(connection, LISTED))
        found = [self._active.get(record.id) or self._undamaged(record) for record in records]
        return JobList(jobs=[job.summary() for job in found if job is not None])

    async def get(self, job_id: str) -> AnyJob:
        """Raises JobNotFound, or ModelMismatch where its ids are not of the running model."""
        return self._info(await self._find(job_id))

    async def pause(self, job_id: str) -> AnyJob:
        """Ends the run for now; raises Conflict for a job that is over."""
        job = await self._unfinished(job_id)
        if job.state != "paused":
            self._change(job, "paused")
        return self._info(job)

    async def resume(self, job_id: str) -> AnyJob:
        """Lets a paused job go on; raises Conflict for one that is over, and QueueFull."""
        job = await self._unfinished(job_id)
        if job.state == "paused":
            self._change(job, "waiting")
            self._schedule()
        return self._info(job)

    async def delete(self, job_id: str) -> AnyJob:
        """Cancels a job that is not over, and forgets one that is; raises JobElsewhere."""
        job = await self._find(job_id)
        self._require_here(job)
        if job.is_over:
            await self._database.write(lambda connection: job_rows.remove(connection, job_id))
            return self._info(job)
        self._change(job, "cancelled")
        self._active.pop(job.id, None)
        return self._info(job)

    async def events(self, job_id: str) -> AsyncGenerator[JobStreamEvent | None]:
        """The job, then what changes of it, then how it ended; None from time to time when nothing does.

        Raises Draining when the server ends before the job does.
        """
        job = await self._find(job_id)
        if job.is_elsewhere:
            async for event in self._events_elsewhere(job):
                yield event
            return
        news = asyncio.Event()
        job.listeners.add(news)
        loop = asyncio.get_running_loop()
        try:
            described, n_told, told = -1, 0, (job.state, -1.0)
            while True:
                news.clear()
                if job.described != described:
                    described, n_told = job.described, job.work.n_logged
                    told = (job.state, job.work.progress)
                    yield JobEvent(type="job", job=self._info(job))
                    continue
                if job.work.n_logged > n_told:
                    start, n_told = n_told, job.work.n_logged
                    for event in job.work.cells_since(start):
                        yield event
                    continue
                if (job.state, job.work.progress) != told and not job.is_over:
                    told = (job.state, job.work.progress)
                    yield ProgressEvent(
                        type="progress",
                        state=job.state,
                        progress=job.work.progress,
                        seconds_left=job.seconds_left,
                    )
                    continue
                if job.is_over:
                    yield job.last_event(self._engine_of(job))
                    return
                if self._streams_end:
                    raise draining()
                timer = loop.call_later(KEEP_ALIVE_S, news.set)
                await news.wait()
                if timer.when() <= loop.time():
                    yield None
                timer.cancel()
        finally:
            job.listeners.discard(news)

    async def _events_elsewhere(self, job: StoredJob) -> AsyncGenerator[JobStreamEvent | None]:
        """As `events`, of a job that another server runs: what that one saves, as often as it saves it."""
        told = -1
        while not job.is_over:
            if job.updated_at_ms != told:
                told = job.updated_at_ms
                yield JobEvent(type="job", job=self._info(job))
            else:
                yield None
            if self._streams_end:
                raise draining()
            await asyncio.sleep(FOLLOW_S)
            job = await self._find(job.id)
            if not job.is_elsewhere and not job.is_over:
                # The other server has ended, and this one goes on with the job.
                async for event in self.events(job.id):
                    yield event
                return
        yield job.last_event(self._engine_of(job))

    # --- runs ------------------------------------------------------------------------------------

    def _on_model(self) -> None:
        """A model is ready: its jobs can go on. Called on the worker thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # a closed loop: the server has ended
                self._loop.call_soon_threadsafe(self._schedule)

    def _engine_of(self, job: StoredJob) -> LensEngine:
        """The running engine; raises ModelMismatch where the job's ids are not of its vocabulary."""
        engine = self._worker.engine
        require_same_model(job.model, engine.facts)
        return engine

    def _info(self, job: StoredJob) -> AnyJob:
        return job.info(self._engine_of(job))

    def _require_place(self, client: str, model: ModelIdentity) -> None:
        waiting = self._preparing[client] + sum(
            job.client == client and job.state in ("waiting", "paused") and job.model == model
            for job in self._active.values()
        )
        if waiting >= MAX_WAITING or len(self._active) >= MAX_ACTIVE:
            raise QueueFull(
                f"{waiting} of your jobs wait, which is the limit for one client."
                if waiting >= MAX_WAITING
                else f"{len(self._active)} jobs wait, which is the limit.",
                hint="Wait for one of them, or cancel it.",
                retry_after_s=self._wait_estimate_s(),
            )

    def _wait_estimate_s(self) -> float:
        left = None if self._running is None else self._running.seconds_left
        return min(60.0, max(1.0, left or 5.0))

    def _schedule(self) -> None:
        """Begins the next run, where none goes on."""
        if self._running is not None or self._is_closing:
            return
        facts = self._worker.known_facts
        if facts is None:
            return
        running = ModelIdentity.of(facts)
        waiting = [
            job
            for job in self._active.values()
            if job.state == "waiting" and job.model.is_same(running)
        ]
        if not waiting:
            return
        # The sort is stable: of one client the oldest first.
        job = min(waiting, key=lambda job: self._served.get(job.client, -1))
        loop = asyncio.get_running_loop()

        def posted() -> Iterator[None]:
            turns = job.work.turns(self._engine_of(job))
            with contextlib.ExitStack() as end:
                if isinstance(turns, Generator):
                    end.callback(turns.close)
                for item in turns:
                    if item is not None:
                        loop.call_soon_threadsafe(self._take, job, item)
                    yield

        def on_finish(failure: ExplorerError | None, _was_stopped: bool) -> None:
            with contextlib.suppress(RuntimeError):  # a closed loop: the server has ended
                loop.call_soon_threadsafe(self._finished, job, failure)

        run = BackgroundJob(job.id, posted, on_finish)
        try:
            self._worker.add_background(run)
        except (Draining, ModelSwitched):
            return
        self._n_runs += 1
        self._served[job.client] = self._n_runs
        job.run, self._running = run, job
        job.began = (time.monotonic(), job.work.progress)
        self._change(job, "running")

    def _take(self, job: StoredJob, item: object) -> None:
        if job.is_over:
            return
        before = job.work.progress
        if job.work.take(item):
            job.described += 1
        if before == job.began[1] and job.work.progress > before:
            # What was known without a run came at once and tells nothing of the pace.
            job.began = (time.monotonic(), job.work.progress)
        job.tell()
        if not job.is_saving:
            job.is_saving = True
            asyncio.get_running_loop().call_later(self._pause_s(job), self._save, job)

    def _finished(self, job: StoredJob, failure: ExplorerError | None) -> None:
        """A run has ended: the work is done, has failed, or was stopped."""
        job.run = None
        if self._running is job:
            self._running = None
        if not job.is_over:
            if failure is not None:
                self._end(job, "error", failure)
            elif job.work.is_complete:
                self._end(job, "done", None)
            elif job.state == "running":
                # Stopped by a shutdown.
                self._change(job, "waiting")
        self._forget_work(job)
        self._schedule()

    def _end(self, job: StoredJob, state: JobState, failure: ExplorerError | None) -> None:
        if failure is not None:
            job.failure = ErrorBody(
                code=failure.code,
                message=failure.message,
                hint=failure.hint,
                param=failure.param,
                request_id=job.id,
            )
        self._active.pop(job.id, None)
        self._change(job, state)

    def _change(self, job: StoredJob, state: JobState) -> None:
        job.state = state
        job.updated_at_ms = _now_ms()
        if state != "running" and job.run is not None:
            job.run.stop()
        job.tell()
        self._save(job)
        if job.is_over:
            self._database.begin_giving_up(job.id)

    # --- what is kept ----------------------------------------------------------------------------

    def _pause_s(self, job: StoredJob) -> float:
        """How long until the next checkpoint."""
        due = job.saved_at + max(SAVE_EVERY_S, SAVE_SHARE * job.saving_s)
        return max(0.0, due - time.monotonic())

    def _save(self, job: StoredJob) -> None:
        """Puts a job into the line of writes."""
        if self._is_closed:
            return
        job.is_saving = False
        record, is_over = job.record(), job.is_over
        writing = self._database.begin_write(lambda connection: job_rows.save(connection, record))
        task = asyncio.ensure_future(self._saved(job, is_over, writing))
        self._saves.add(task)
        task.add_done_callback(self._saves.discard)

    async def _saved(self, job: StoredJob, is_over: bool, writing: Future[None]) -> None:
        began = time.monotonic()
        try:
            await asyncio.wrap_future(writing)
            job.is_end_saved = is_over
        except StorageFailed as failure:
            logger.error("job %s was not saved: %s", job.id, failure.message)
        job.saved_at = time.monotonic()
        job.saving_s = job.saved_at - began
        self._forget_work(job)

    @staticmethod
    def _forget_work(job: StoredJob) -> None:
        """Deletes what a run works with, once the database says that none will go on from it."""
        if job.is_end_saved and job.run is None:
            job.work.forget()

    async def _find(self, job_id: str) -> StoredJob:
        job = self._active.get(job_id)
        if job is not None and job.owner == person.get():
            self._engine_of(job)
            return job
        # In the line of writes, because one that has just ended may still be on its way to the disk.
        with naming_damaged_job(job_id, self._database.where):
            record = await self._database.write(
                lambda connection: job_rows.load(connection, job_id)
            )
            job = None if record is None else self._restored(record)
        if job is None:
            raise JobNotFound(f"There is no job {job_id}.", hint="It may have been deleted.")
        self._engine_of(job)
        if not job.is_over:
            await self._has_read.wait()
            taken_up = await self._take_up(job_id)
            self._schedule()
            job.is_elsewhere = taken_up is None
            return taken_up or job
        return job

    @staticmethod
    def _require_here(job: StoredJob) -> None:
        if job.is_elsewhere and not job.is_over:
            raise JobElsewhere(
                "Another replica of this server runs this job, so it cannot be changed from here.",
                hint="Pause or cancel it in the tab or the script that started it, or wait for its end.",
            )

    async def _unfinished(self, job_id: str) -> StoredJob:
        job = await self._find(job_id)
        if job.is_over:
            raise Conflict(f"This job is over ({job.state}).", hint="Start it again.")
        self._require_here(job)
        return job

    def _undamaged(self, record: JobRecord) -> StoredJob | None:
        """As `_restored`; None, and a line in the log, for a job that is damaged."""
        try:
            return self._restored(record)
        except DAMAGE as failure:
            logger.warning("job %s is damaged and left out: %s", record.id, failure)
            return None

    def _restored(self, record: JobRecord) -> StoredJob | None:
        """A job of the database; None for one of a kind that this version does not know."""
        kind = self._kinds.get(record.kind)
        if kind is None:
            return None
        state: JobState = record.state  # type: ignore[assignment]
        return StoredJob(
            id=record.id,
            kind=record.kind,
            client=record.client,
            owner=record.owner,
            branch_id=record.branch_id,
            model=record.model,
            work=kind.restore(record.plan, record.found),
            created_at_ms=record.created_at_ms,
            state=state,
            failure=None if record.failure is None else ErrorBody(**record.failure),
            updated_at_ms=record.updated_at_ms,
        )


def draining() -> Draining:
    return Draining(
        "The server is shutting down before this job is over.",
        hint="The job goes on when the server is back: follow it again then.",
    )


def _now_ms() -> int:
    return int(time.time() * 1000)
