"""How far the loading of a model is, as health tells it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal, get_args

from app.engine.types import LoadStep
from app.settings import Settings

LOAD_STEPS: tuple[LoadStep, ...] = get_args(LoadStep)
REMOTE_STEPS: tuple[LoadStep, ...] = ("import", "find", "check")
"""Of a model on NDIF, whose weights are never here."""


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


class LoadingWatch:
    """The steps of one loading. Written by the thread that loads, read by any."""

    def __init__(self, settings: Settings) -> None:
        self._order = LOAD_STEPS if settings.engine == "local" else REMOTE_STEPS
        self.progress = LoadProgress("Starting.")
        self.heard_at = time.monotonic()
        """Last sign of life."""
        self._begun: dict[LoadStep, float] = {"import": self.heard_at}
        """When each step began."""

    def note(self, progress: LoadProgress) -> None:
        """Takes in what loading is busy with now."""
        self.heard_at = time.monotonic()
        self._begun.setdefault(progress.step, self.heard_at)
        self.progress = progress

    def steps(self) -> tuple[StepState, ...]:
        """Every step in its order."""
        progress, begun, now = self.progress, dict(self._begun), time.monotonic()
        at = self._order.index(progress.step)
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
            for place, step in enumerate(self._order)
        )
