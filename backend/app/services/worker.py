"""One thread owns the model.

nnsight is bound to one thread per model, and torch would freeze the event loop, so a single thread
loads the engine, runs every job and nothing else touches it. Jobs run in turns (`lineup.py`). A place
in the queue is claimed before anything expensive is done. Between two turns a closed connection, a
deadline or a shutdown ends a job.

Another model is loaded by a thread of its own while the first goes on. Once it is proven, what was
claimed for the first one ends, and the new thread takes the lineup over: a job never meets another
engine than the one it was claimed from.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from app.engine.model_names import shown_name
from app.engine.protocols import LensEngine
from app.engine.types import ModelFacts
from app.errors import (
    Conflict,
    Draining,
    ExplorerError,
    InternalError,
    ModelFailed,
    ModelLoadError,
    ModelLoading,
    ModelSwitched,
    Unavailable,
)
from app.services.background import BackgroundJob
from app.services.job import Job
from app.services.lineup import InBackground, Lineup, Place, Running
from app.services.loading_progress import LoadingWatch, LoadProgress, StepState
from app.services.one_by_one import OneByOne
from app.services.switching import Switch, SwitchState
from app.services.turns import take_turn
from app.settings import Settings

logger = logging.getLogger(__name__)

Status = Literal["ready", "loading", "draining", "stalled", "failed"]

LAST_WORDS_S = 1.0
"""After a job was told to stop because the server shuts down: time to send its last event."""

FULL_OUTBOX_WAIT_S = 0.05
"""How long to wait before looking again, when every running job waits for its reader."""


class LoadEngine(Protocol):
    """Makes the engine, on the thread that will own it; raises ModelLoadError when it cannot be had.

    `is_beside`: another model stays in memory meanwhile, so there must be room for both.
    """

    def __call__(
        self, settings: Settings, on_progress: Callable[[LoadProgress], None], is_beside: bool
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
    switch: SwitchState | None
    """The change to another model that goes on, or the last one if it failed."""
    running: int
    waiting: int
    capacity: int


class ModelWorker:
    """The thread that owns the model, and the queue in front of it."""

    def __init__(self, settings: Settings, load_engine: LoadEngine) -> None:
        self._settings = settings
        """Those that the engine in use is made with."""
        self._load_engine = load_engine
        self._owner = threading.Thread(target=self._main, name="model", daemon=True)
        """The thread that owns the engine in use."""
        self._loader: threading.Thread | None = None
        """The thread that loads another model."""
        self._condition = threading.Condition()
        self._lineup = Lineup(settings)
        """Looked at and changed under the condition only."""
        self._computing = OneByOne()
        """Held by whichever thread computes with a model."""
        self._current: Job[Any] | BackgroundJob | None = None
        """Whose turn it is right now."""
        self._engine: LensEngine | None = None
        self._failure: ExplorerError | None = None
        self._watch = LoadingWatch(settings)
        self._switch: Switch | None = None
        """The change to another model that goes on, or the last one where it failed."""
        self._is_ending_replies = False
        """The lineup is emptied for another model: nothing is claimed."""
        self._listeners: list[Callable[[], None]] = []
        self._is_draining = False
        self._is_stopping = False
        self._instance = secrets.token_hex(8)

    # --- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins to load the model; returns at once."""
        self._owner.start()

    def on_model(self, listener: Callable[[], None]) -> None:
        """Has `listener` called each time a model becomes ready, on the thread that owns it."""
        self._listeners.append(listener)

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
        threads = [thread for thread in (self._owner, self._loader) if thread is not None]
        for thread in threads:
            if thread.ident is not None:
                thread.join(seconds)
        return not any(thread.is_alive() for thread in threads)

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
            f"The model is still being loaded: {self._watch.progress.detail}",
            hint="Try again in a moment; GET /api/health tells when it is ready.",
        )

    @property
    def known_facts(self) -> ModelFacts | None:
        """Facts of the running model; None while there is none."""
        return None if self._engine is None else self._engine.facts

    @property
    def wanted(self) -> str:
        """The model that runs or is loaded first, as it was asked for."""
        return self._settings.model

    def state(self) -> WorkerState:
        """Never waits for the model."""
        with self._condition:
            running, waiting = self._lineup.n_running, self._lineup.n_waiting
        status, detail = self._status(running, waiting)
        switch = self._switch
        return WorkerState(
            status=status,
            model=self._name() if self._engine or not switch else switch.name,
            revision=self._engine.facts.revision if self._engine else None,
            instance=self._instance,
            detail=detail,
            progress=self._watch.progress if status == "loading" else None,
            loading=self._watch.steps() if status == "loading" else None,
            switch=switch.state() if switch else None,
            running=running,
            waiting=waiting,
            capacity=self._lineup.capacity,
        )

    def _name(self) -> str:
        return self._engine.facts.name if self._engine else shown_name(self._settings.model)

    def _status(self, running: int, waiting: int) -> tuple[Status, str | None]:
        if self._is_draining:
            left = waiting + running
            return "draining", f"The server is shutting down; {left} requests are left."
        if self._failure is not None:
            return "failed", " ".join(filter(None, (self._failure.message, self._failure.hint)))
        if self._engine is None:
            silent_s = time.monotonic() - self._watch.heard_at
            if silent_s > self._settings.stalled_seconds:
                return "stalled", (
                    f"{self._watch.progress.detail} Loading has given no sign of life for {silent_s:.0f} s. "
                    "A large model may need longer; if this stays so, restart the server."
                )
            return "loading", self._watch.progress.detail
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

        The caller starts the job, with `job.engine`, or closes it. Raises ModelLoading, ModelFailed,
        Draining, ModelSwitched, Unavailable (the model hangs) or QueueFull.
        """
        if self._is_draining:
            raise Draining(
                "The server is shutting down and takes no new work.",
                hint="Send the request again when the server is back.",
            )
        with self._condition:
            engine = self.engine
            self._require_no_switch()
            if stalled_s := self._stalled_s():
                raise Unavailable(
                    f"The model has given no sign of life for {stalled_s:.0f} s.",
                    hint="Restart the server if this stays so.",
                )
            self._lineup.require_place(client)
            job: Job[Any] = Job(
                job_id,
                client,
                engine,
                request_seconds=self._settings.request_seconds,
                queue_seconds=self._settings.queue_seconds,
                on_change=self._on_change,
                on_close=self._on_close,
            )
            self._lineup.add(job)
        return job

    def place(self, job: Job[Any]) -> Place | None:
        """Where a job waits; None for one that has begun or is still prepared."""
        with self._condition:
            return self._lineup.place(job)

    def add_background(self, job: BackgroundJob) -> None:
        """Lets a job have the turns that no request wants. Raises Draining or ModelSwitched."""
        with self._condition:
            if self._is_draining:
                raise Draining("The server is shutting down and takes no new work.")
            self._require_no_switch()
            self._lineup.add_background(job)
            self._condition.notify_all()

    def _require_no_switch(self) -> None:
        if self._is_ending_replies and self._switch is not None:
            raise self._switched(self._switch)

    def _switched(self, switch: Switch) -> ModelSwitched:
        return ModelSwitched(
            f"The server changes from {self._name()} to {switch.name}, so this request ends.",
            hint="Send the request again for the new model, or load the former one again.",
        )

    def _on_change(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def _on_close(self, job: Job[Any]) -> None:
        with self._condition:
            self._condition.notify_all()
            self._lineup.remove(job)

    # --- another model ---------------------------------------------------------------------------

    def begin_switch(self, switch: Switch) -> None:
        """Begins to load another model; returns at once. Raises Draining, ModelLoading or Conflict."""
        with self._condition:
            if self._is_draining:
                raise Draining("The server is shutting down and loads no other model.")
            if self._switch is not None and self._switch.goes_on:
                raise Conflict(
                    f"{self._switch.name} is being loaded.", hint="Wait until that has ended."
                )
            if self._failure is None:
                self.engine  # noqa: B018  (raises while the first model loads)
            self._switch = switch
            self._loader = threading.Thread(
                target=self._change_to, args=(switch,), name="model", daemon=True
            )
        self._loader.start()

    def _change_to(self, switch: Switch) -> None:
        """On a thread of its own, which owns the new model afterwards."""
        former = self._settings
        try:
            if switch.unload_first and not self._take_over(switch, None, former):
                return
            engine, failure = self._attempt(
                switch.settings, switch.watch, is_beside=not switch.unload_first
            )
            if failure is not None:
                switch.fail(failure)
                if not switch.unload_first:
                    return
                self._watch = LoadingWatch(former)
                engine, self._failure = self._attempt(former, self._watch, is_beside=False)
                self._set_engine(engine, former)
            elif switch.unload_first:
                self._switch = None
                self._set_engine(engine, switch.settings)
            elif not self._take_over(switch, engine, switch.settings):
                return
        except BaseException:
            # Only what is no Exception gets here from loading, such as a library that calls sys.exit().
            switch.fail(InternalError(f"Loading {switch.name} has ended.", hint="See the log."))
            if self._owner is threading.current_thread():
                self._fail_all()
            raise
        self._serve()

    def _take_over(self, switch: Switch, engine: LensEngine | None, settings: Settings) -> bool:
        """Ends what was claimed, then owns the lineup, with a new engine or with none for now.

        False where the server stops meanwhile.
        """
        with self._condition:
            switch.stage = "ending_replies"
            self._is_ending_replies = True
            background = self._lineup.background()
        for one in background:
            one.stop()
        self._until_empty(self._settings.shutdown_seconds)
        for job in self._jobs():
            job.stop(self._switched(switch))
        self._until_empty(None)
        with self._condition:
            self._is_ending_replies = False
            if self._is_stopping:
                return False
            former, self._owner = self._owner, threading.current_thread()
            self._loader = None
            if engine is None:
                self._engine, self._failure, self._watch = None, None, switch.watch
                switch.stage = "loading"
            else:
                self._switch = None
                self._use(engine, settings)
            self._condition.notify_all()
        former.join()
        forget_garbage()
        if engine is not None:
            self._tell_listeners()
        return True

    def _until_empty(self, seconds: float | None) -> None:
        with self._condition:
            self._condition.wait_for(
                lambda: self._is_stopping or not (self._lineup.jobs() or self._lineup.is_busy),
                seconds,
            )

    def _set_engine(self, engine: LensEngine | None, settings: Settings) -> None:
        with self._condition:
            self._use(engine, settings)
        self._tell_listeners()

    def _use(self, engine: LensEngine | None, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        if engine is not None:
            self._failure = None
        self._instance = secrets.token_hex(8)

    def _tell_listeners(self) -> None:
        for listener in self._listeners:
            listener()

    # --- on the worker thread --------------------------------------------------------------------

    def _main(self) -> None:
        engine, self._failure = self._attempt(self._settings, self._watch, is_beside=False)
        self._engine = engine
        self._tell_listeners()
        self._serve()

    def _serve(self) -> None:
        """Runs jobs until the server stops, or another thread takes the lineup over."""
        try:
            while self._take_turn():
                pass
        finally:
            is_owner = self._owner is threading.current_thread()
            if is_owner:
                self._engine = None
            if is_owner and not self._is_stopping:
                self._fail_all()

    def _fail_all(self) -> None:
        ended = InternalError(
            "The thread that runs the model has ended.", hint="Restart the server."
        )
        self._failure = ended
        for job in self._jobs():
            job.finish(ended)
        for one in self._lineup.background():
            one.finish(ended)

    def _attempt(
        self, settings: Settings, watch: LoadingWatch, *, is_beside: bool
    ) -> tuple[LensEngine | None, ExplorerError | None]:
        """A new engine, or why there is none."""
        started = time.monotonic()
        shown = shown_name(settings.model)
        with ComputingAlone(self._computing) as alone:

            def on_progress(progress: LoadProgress) -> None:
                if self._is_stopping:
                    raise Draining("The server is shutting down.")
                watch.note(progress)
                alone.for_step(progress, self._engine)

            try:
                engine = self._load_engine(settings, on_progress, is_beside)
            except ExplorerError as failure:
                logger.error("model %s: %s", settings.model, failure.message)
                return None, failure
            except MemoryError:
                logger.exception("model %s does not fit into memory", settings.model)
                return None, ModelLoadError(
                    f"There is not enough memory to load {shown}.", hint="Choose a smaller model."
                )
            except Exception:
                logger.exception("model %s could not be loaded", settings.model)
                return None, ModelLoadError(
                    f"Loading {shown} failed for an unexpected reason.",
                    hint="The server's log has the details.",
                )
        logger.info("model %s is ready after %.1f s", engine.facts.name, time.monotonic() - started)
        return engine, None

    def _take_turn(self) -> bool:
        """One turn of one job; False when the thread is to end."""
        running = self._wait_for_turn()
        if running is None:
            return False
        job = running.job
        with self._computing:
            job.beat_at = time.monotonic()
            self._current = job
            is_over, failure = take_turn(running)
            self._current = None
        if is_over:
            with self._condition:
                self._lineup.leave(running)
                self._condition.notify_all()
            job.finish(failure)
        return True

    def _wait_for_turn(self) -> Running | InBackground | None:
        with self._condition:
            while True:
                if self._owner is not threading.current_thread():
                    return None
                self._lineup.admit()
                running = self._lineup.next()
                if running is not None:
                    self._lineup.begin_turn(running)
                    return running
                if self._is_stopping and not self._lineup.is_busy:
                    return None
                self._condition.wait(FULL_OUTBOX_WAIT_S if self._lineup.n_running else None)


class ComputingAlone:
    """Lets a thread that loads a model compute while no other model does, and others in between."""

    def __init__(self, computing: OneByOne) -> None:
        self._computing = computing
        self._is_held = False

    def __enter__(self) -> ComputingAlone:
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go()

    def for_step(self, progress: LoadProgress, other: LensEngine | None) -> None:
        """To be called at every sign of life: waits for a turn where the next step needs one."""
        self._let_go()
        # transformers makes the stored type torch's default while it builds a model, for every thread.
        changes_default = other is not None and other.facts.device != "cpu"
        if progress.step == "check" or (progress.step == "weights" and changes_default):
            self._computing.__enter__()
            self._is_held = True

    def _let_go(self) -> None:
        if self._is_held:
            self._is_held = False
            self._computing.__exit__(None, None, None)


def forget_garbage() -> None:
    """Frees what a former model leaves; its objects may have been put out of the collector's sight."""
    was_frozen = gc.get_freeze_count() > 0
    gc.unfreeze()
    gc.collect()
    if was_frozen:
        gc.freeze()
