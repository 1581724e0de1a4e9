"""One thread owns the model.

nnsight is bound to one thread per model, and torch would freeze the event loop, so a single thread
loads the engine, runs every job and nothing else touches it. Jobs run in turns (`lineup.py`). A place
in the queue is claimed before anything expensive is done. Between two turns a closed connection, a
deadline or a shutdown ends a job.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

from app.engine.model_names import shown_name
from app.engine.protocols import LensEngine
from app.engine.types import LoadStep, ModelFacts
from app.errors import (
    Draining,
    ExplorerError,
    InternalError,
    ModelFailed,
    ModelLoadError,
    ModelLoading,
    Unavailable,
)
from app.services.background import BackgroundJob
from app.services.job import Job
from app.services.lineup import InBackground, Lineup, Running
from app.services.turns import take_turn
from app.settings import Settings

logger = logging.getLogger(__name__)

Status = Literal["ready", "loading", "draining", "stalled", "failed"]

LOAD_STEPS: tuple[LoadStep, ...] = get_args(LoadStep)

LAST_WORDS_S = 1.0
"""After a job was told to stop because the server shuts down: time to send its last event."""

FULL_OUTBOX_WAIT_S = 0.05
"""How long to wait before looking again, when every running job waits for its reader."""


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """What loading is busy with."""

    detail: str
    done_bytes: int | None = None
    """Of the files that are downloaded, or the weights that are read; None where it is not known."""
    total_bytes: int | None = None
    step: LoadStep = "import"


@dataclass(frozen=True, slots=True)
class StepState:
    """How far one step of loading is."""

    step: LoadStep
    status: Literal["done", "running", "waiting"]
    seconds: float | None
    """How long it took, or has taken so far; None while it waits, and where it was skipped."""
    done_bytes: int | None
    total_bytes: int | None


class LoadEngine(Protocol):
    """Makes the engine, on the worker thread; raises ModelLoadError when it cannot be had."""

    def __call__(
        self, settings: Settings, on_progress: Callable[[LoadProgress], None]
    ) -> LensEngine: ...


@dataclass(frozen=True, slots=True)
class WorkerState:
    """What health tells, read without touching the model."""

    status: Status
    model: str
    revision: str | None
    instance: str
    detail: str | None
    progress: LoadProgress | None
    loading: tuple[StepState, ...] | None
    """The steps while the model loads."""
    running: int
    waiting: int
    capacity: int


class ModelWorker:
    """The thread that owns the model, and the queue in front of it."""

    def __init__(self, settings: Settings, load_engine: LoadEngine) -> None:
        self._settings = settings
        self._load_engine = load_engine
        self._thread = threading.Thread(target=self._main, name="model", daemon=True)
        self._condition = threading.Condition()
        self._lineup = Lineup(settings)
        """Looked at and changed under the condition only."""
        self._current: Job[Any] | BackgroundJob | None = None
        """Whose turn it is right now."""
        self._engine: LensEngine | None = None
        self._failure: ExplorerError | None = None
        self._progress = LoadProgress("Starting.")
        self._progress_at = time.monotonic()
        self._begun: dict[LoadStep, float] = {"import": self._progress_at}
        """When each step of loading began."""
        self._is_draining = False
        self._is_stopping = False
        self._instance = secrets.token_hex(8)

    # --- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins to load the model; returns at once."""
        self._thread.start()

    def drain(self) -> None:
        """From now on new work is refused; what is claimed goes on. From any thread."""
        self._is_draining = True
        with self._condition:
            background = self._lineup.background()
        for job in background:
            job.stop()

    async def drained(self, seconds: float) -> None:
        """Returns when no job is left; after `seconds` those that are left are told to stop."""
        self.drain()
        if await self._idle(seconds):
            return
        for job in self._jobs():
            job.stop(
                Draining(
                    "The server is shutting down and ended this request.",
                    hint="Send it again when the server is back.",
                )
            )
        await self._idle(LAST_WORDS_S)

    def stop(self) -> None:
        """Ends the thread after the step it is in."""
        self.drain()
        for job in self._jobs():
            job.stop(Draining("The server is shutting down."))
        with self._condition:
            self._is_stopping = True
            self._condition.notify_all()

    def join(self, seconds: float) -> bool:
        """Waits for the thread; False when it is still busy, with a load that cannot be broken off."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    async def _idle(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while self._jobs():
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(0.02)
        return True

    def _jobs(self) -> list[Job[Any]]:
        with self._condition:
            return self._lineup.jobs()

    # --- what others may know --------------------------------------------------------------------

    @property
    def engine(self) -> LensEngine:
        """The engine, of which other threads may use what says so, facts, vocabulary and template.

        Raises ModelLoading or ModelFailed.
        """
        if self._engine is not None:
            return self._engine
        if self._failure is not None:
            raise ModelFailed(
                f"The model could not be loaded: {self._failure.message}", hint=self._failure.hint
            )
        raise ModelLoading(
            f"The model is still being loaded: {self._progress.detail}",
            hint="Try again in a moment; GET /api/health tells when it is ready.",
        )

    @property
    def known_facts(self) -> ModelFacts | None:
        """Facts of the running model; None while there is none."""
        return None if self._engine is None else self._engine.facts

    @property
    def wanted(self) -> str:
        """The model that was asked for."""
        return self._settings.model

    def state(self) -> WorkerState:
        """Never waits for the model."""
        with self._condition:
            running, waiting = self._lineup.n_running, self._lineup.n_waiting
        status, detail = self._status(running, waiting)
        return WorkerState(
            status=status,
            model=self._engine.facts.name if self._engine else shown_name(self._settings.model),
            revision=self._engine.facts.revision if self._engine else None,
            instance=self._instance,
            detail=detail,
            progress=self._progress if status == "loading" else None,
            loading=self._steps() if status == "loading" else None,
            running=running,
            waiting=waiting,
            capacity=self._lineup.capacity,
        )

    def _steps(self) -> tuple[StepState, ...]:
        progress, begun, now = self._progress, dict(self._begun), time.monotonic()
        at = LOAD_STEPS.index(progress.step)
        ends = {
            step: min((t for t in begun.values() if t > begun[step]), default=now) for step in begun
        }
        return tuple(
            StepState(
                step=step,
                status="done" if place < at else "running" if place == at else "waiting",
                seconds=ends[step] - begun[step] if place <= at and step in begun else None,
                done_bytes=progress.done_bytes if place == at else None,
                total_bytes=progress.total_bytes if place == at else None,
            )
            for place, step in enumerate(LOAD_STEPS)
        )

    def _status(self, running: int, waiting: int) -> tuple[Status, str | None]:
        if self._is_draining:
            left = waiting + running
            return "draining", f"The server is shutting down; {left} requests are left."
        if self._failure is not None:
            return "failed", " ".join(filter(None, (self._failure.message, self._failure.hint)))
        if self._engine is None:
            silent_s = time.monotonic() - self._progress_at
            if silent_s > self._settings.stalled_seconds:
                return "stalled", (
                    f"{self._progress.detail} Loading has given no sign of life for {silent_s:.0f} s. "
                    "A large model may need longer; if this stays so, restart the server."
                )
            return "loading", self._progress.detail
        if stalled_s := self._stalled_s():
            return "stalled", (
                f"The model has given no sign of life for {stalled_s:.0f} s. "
                "If this stays so, restart the server."
            )
        return "ready", None

    def _stalled_s(self) -> float | None:
        current = self._current
        silent_s = time.monotonic() - current.beat_at if current else 0.0
        return silent_s if silent_s > self._settings.stalled_seconds else None

    # --- the queue -------------------------------------------------------------------------------

    def claim(self, job_id: str, client: str) -> Job[Any]:
        """A place in the queue, taken before any work is done for the request.

        The caller starts the job or closes it. Raises ModelLoading, ModelFailed, Draining,
        Unavailable (the model hangs) or QueueFull.
        """
        if self._is_draining:
            raise Draining(
                "The server is shutting down and takes no new work.",
                hint="Send the request again when the server is back.",
            )
        self.engine  # noqa: B018  (raises while there is none)
        with self._condition:
            if stalled_s := self._stalled_s():
                raise Unavailable(
                    f"The model has given no sign of life for {stalled_s:.0f} s.",
                    hint="Restart the server if this stays so.",
                )
            self._lineup.require_place(client)
            job: Job[Any] = Job(
                job_id,
                client,
                request_seconds=self._settings.request_seconds,
                queue_seconds=self._settings.queue_seconds,
                on_change=self._on_change,
                on_close=self._on_close,
            )
            self._lineup.add(job)
        return job

    def add_background(self, job: BackgroundJob) -> None:
        """Lets a job have the turns that no request wants. Raises Draining."""
        with self._condition:
            if self._is_draining:
                raise Draining("The server is shutting down and takes no new work.")
            self._lineup.add_background(job)
            self._condition.notify_all()

    def _on_change(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def _on_close(self, job: Job[Any]) -> None:
        with self._condition:
            self._condition.notify_all()
            self._lineup.remove(job)

    # --- on the worker thread --------------------------------------------------------------------

    def _main(self) -> None:
        try:
            self._load()
            while self._take_turn():
                pass
        finally:
            self._engine = None
            if not self._is_stopping:
                # Only what is no Exception gets here, such as a library that calls sys.exit().
                ended = InternalError(
                    "The thread that runs the model has ended.", hint="Restart the server."
                )
                self._failure = ended
                for job in self._jobs():
                    job.finish(ended)
                for one in self._lineup.background():
                    one.finish(ended)

    def _load(self) -> None:
        started = time.monotonic()
        try:
            self._engine = self._load_engine(self._settings, self._set_progress)
        except ExplorerError as failure:
            logger.error("model %s: %s", self._settings.model, failure.message)
            self._failure = failure
        except MemoryError:
            logger.exception("model %s does not fit into memory", self._settings.model)
            self._failure = ModelLoadError(
                f"There is not enough memory to load {shown_name(self._settings.model)}.",
                hint="Choose a smaller model.",
            )
        except Exception:
            logger.exception("model %s could not be loaded", self._settings.model)
            self._failure = ModelLoadError(
                f"Loading {shown_name(self._settings.model)} failed for an unexpected reason.",
                hint="The server's log has the details.",
            )
        else:
            logger.info(
                "model %s is ready after %.1f s",
                self._engine.facts.name,
                time.monotonic() - started,
            )

    def _set_progress(self, progress: LoadProgress) -> None:
        if self._is_stopping:
            raise Draining("The server is shutting down.")
        self._progress_at = time.monotonic()
        self._begun.setdefault(progress.step, self._progress_at)
        self._progress = progress

    def _take_turn(self) -> bool:
        """One turn of one job; False when the thread is to end."""
        running = self._wait_for_turn()
        if running is None:
            return False
        job = running.job
        job.beat_at = time.monotonic()
        self._current = job
        is_over, failure = take_turn(running)
        self._current = None
        if is_over:
            with self._condition:
                self._lineup.leave(running)
            job.finish(failure)
        return True

    def _wait_for_turn(self) -> Running | InBackground | None:
        with self._condition:
            while True:
                self._lineup.admit()
                running = self._lineup.next()
                if running is not None:
                    self._lineup.begin_turn(running)
                    return running
                if self._is_stopping and not self._lineup.is_busy:
                    return None
                self._condition.wait(FULL_OUTBOX_WAIT_S if self._lineup.n_running else None)
