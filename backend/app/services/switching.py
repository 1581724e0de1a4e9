"""A change to another model while the server runs: what was asked for, how far it is, how it failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.errors import ExplorerError
from app.services.loading_progress import LoadingWatch, StepState
from app.settings import Settings

SwitchStage = Literal["loading", "ending_replies", "failed"]


@dataclass(frozen=True, slots=True)
class SwitchState:
    """What health tells of a change to another model."""

    key: str
    """As it was asked for."""
    name: str
    stage: SwitchStage
    detail: str
    loading: tuple[StepState, ...]
    failure: ExplorerError | None


class Switch:
    """One change to another model. Written by the thread that loads it, read by any."""

    def __init__(self, key: str, name: str, settings: Settings, *, unload_first: bool) -> None:
        """`settings` are those that the new engine is made with."""
        self.key = key
        self.name = name
        self.settings = settings
        self.unload_first = unload_first
        self.stage: SwitchStage = "loading"
        self.watch = LoadingWatch(settings)
        self.failure: ExplorerError | None = None

    @property
    def goes_on(self) -> bool:
        return self.failure is None

    def fail(self, failure: ExplorerError) -> None:
        """The model cannot be had; the former one goes on."""
        self.failure = failure
        self.stage = "failed"

    def state(self) -> SwitchState:
        if self.failure is not None:
            detail = " ".join(filter(None, (self.failure.message, self.failure.hint)))
        elif self.stage == "ending_replies":
            detail = f"{self.name} is ready; running replies end first."
        else:
            detail = self.watch.progress.detail
        return SwitchState(
            self.key, self.name, self.stage, detail, self.watch.steps(), self.failure
        )
