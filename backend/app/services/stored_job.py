"""One job: what it computes, what clients see of it, and how it is kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.engine.protocols import LensEngine
from app.models.jobs import (
    AnyJob,
    CellsEvent,
    FitAssumptions,
    FitJobInfo,
    FitResult,
    JobCancelledEvent,
    JobDoneEvent,
    JobErrorEvent,
    JobInfo,
    JobState,
    JobStreamEvent,
    JobSummary,
    PatchMapAssumptions,
    PatchMapResult,
)
from app.models.wire import ErrorBody
from app.services.background import BackgroundJob
from app.services.conversations import ConversationStore
from app.services.identity import ModelIdentity, wire_model
from app.services.storage import job_rows
from app.services.storage.records import JobRecord


class Work(Protocol):
    """What a job computes and has found; each kind of job has its own."""

    plan: dict[str, Any]
    progress: float

    @property
    def is_complete(self) -> bool: ...
    @property
    def title(self) -> str: ...
    @property
    def n_logged(self) -> int: ...
    def turns(self, engine: LensEngine) -> Iterator[object]: ...
    def take(self, item: object) -> bool: ...
    def found(self) -> dict[str, Any]: ...
    def cells_since(self, n: int) -> Iterator[CellsEvent]: ...
    def assumed(self, engine: LensEngine) -> PatchMapAssumptions | FitAssumptions: ...
    def result(self, engine: LensEngine) -> PatchMapResult | FitResult: ...
    def forget(self) -> None:
        """Removes what is kept outside of the database; the job is over and its run has ended."""
        ...


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of job."""

    prepare: Callable[
        [LensEngine, ConversationStore, Any], Awaitable[tuple[dict[str, Any], str | None]]
    ]
    """From a request to a plan, and the saved timeline that the job is kept with."""
    restore: Callable[[dict[str, Any], dict[str, Any]], Work]
    """From a plan and what was found."""
    has_checkpoints: bool = True


@dataclass(eq=False, slots=True)
class StoredJob:
    """A job in memory: one that is not over, or one that was read from the database."""

    id: str
    kind: str
    client: str
    owner: str | None
    """The person whose it is on a shared server."""
    branch_id: str | None
    model: ModelIdentity
    work: Work
    created_at_ms: int
    state: JobState = "waiting"
    failure: ErrorBody | None = None
    updated_at_ms: int = 0
    run: BackgroundJob | None = None
    began: tuple[float, float] = (0.0, 0.0)
    """Time and progress when the present run began to advance."""
    described: int = 0
    """How often more than cells became known."""
    listeners: set[asyncio.Event] = field(default_factory=set)
    saved_at: float = 0.0
    saving_s: float = 0.0
    is_elsewhere: bool = False
    """Another server that shares the database runs it; this is what it saved last."""
    is_end_saved: bool = False
    """The database says that it is over."""
    is_saving: bool = False
    """A checkpoint is due."""

    @property
    def is_over(self) -> bool:
        return self.state in job_rows.ENDED

    @property
    def seconds_left(self) -> float | None:
        began_at, began_progress = self.began
        advanced = self.work.progress - began_progress
        if self.state != "running" or advanced <= 0:
            return None
        return (1 - self.work.progress) * (time.monotonic() - began_at) / advanced

    def tell(self) -> None:
        for listener in self.listeners:
            listener.set()

    def summary(self) -> JobSummary:
        """What a list tells of it."""
        return JobSummary(**self._told())

    def info(self, engine: LensEngine) -> AnyJob:
        """All that clients see of it."""
        info = FitJobInfo if self.kind == "fit_lens" else JobInfo
        return info(
            **self._told(), assumed=self.work.assumed(engine), result=self.work.result(engine)
        )

    def last_event(self, engine: LensEngine) -> JobStreamEvent:
        """How a stream about it ends, once it is over."""
        if self.state == "done":
            return JobDoneEvent(type="done", job=self.info(engine))
        if self.state == "cancelled":
            return JobCancelledEvent(type="cancelled")
        assert self.failure is not None
        return JobErrorEvent(type="error", error=self.failure)

    def record(self, *, is_new: bool = False) -> JobRecord:
        """As it is kept."""
        return JobRecord(
            id=self.id,
            kind=self.kind,
            state=self.state,
            client=self.client,
            owner=self.owner,
            branch_id=self.branch_id,
            model=self.model,
            plan=self.work.plan,
            found=self.work.found(),
            failure=None if self.failure is None else self.failure.model_dump(),
            created_at_ms=self.created_at_ms,
            updated_at_ms=self.updated_at_ms,
            is_new=is_new,
        )

    def _told(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "progress": self.work.progress,
            "seconds_left": self.seconds_left,
            "created_at_ms": self.created_at_ms,
            "updated_at_ms": self.updated_at_ms,
            "model": self.model.name,
            "model_identity": wire_model(self.model),
            "conversation_id": self.branch_id,
            "title": self.work.title,
            "error": self.failure,
        }
