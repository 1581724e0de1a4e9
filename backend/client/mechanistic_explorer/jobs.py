"""Jobs: work that outlives its request, started, followed and waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from mechanistic_explorer import answers
from mechanistic_explorer.errors import CannotConnect, JobEnded, ServerError, StreamCut

if TYPE_CHECKING:
    from mechanistic_explorer.operations import Operations
    from mechanistic_explorer.streams import JobEvents

RETRY_SECONDS = 2.0
MAX_CUTS = 30
"""A server that is started again goes on with its jobs, and takes up to a minute until it listens."""


AnyJob: TypeAlias = "answers.JobInfo | answers.FitJobInfo"


class Job:
    """One job on the server. Python may end meanwhile: `Explorer.job(id)` finds it again."""

    def __init__(self, job_id: str, explorer: Operations) -> None:
        self.id = job_id
        self._explorer = explorer

    def __repr__(self) -> str:
        return f"Job({self.id!r})"

    def info(self) -> AnyJob:
        """Its state, what it assumed, and what it has found so far."""
        return self._explorer.get_job(self.id)

    def events(self) -> JobEvents:
        """What it finds, as it finds it."""
        return self._explorer.job_events(self.id)

    def wait(self, on_progress: Callable[[float], object] | None = None) -> AnyJob:
        """The job, once it is done. `on_progress` is given its progress in [0, 1].

        A server that is started again meanwhile goes on with the job. Raises ServerError where the
        job failed, JobEnded where it was cancelled, and StreamCut or CannotConnect where the server
        stays away for a minute.
        """
        cuts = 0
        while True:
            try:
                return self._followed(on_progress)
            except (StreamCut, CannotConnect, ServerError) as failure:
                if isinstance(failure, ServerError) and failure.code != "draining":
                    raise
                cuts += 1
                if cuts == MAX_CUTS:
                    raise
                self._explorer._sleep(RETRY_SECONDS)

    def _followed(self, on_progress: Callable[[float], object] | None) -> AnyJob:
        with self.events() as events:
            for event in events:
                if isinstance(event, answers.JobDoneEvent):
                    return event.job
                if isinstance(event, answers.JobCancelledEvent):
                    raise JobEnded(f"Job {self.id} was cancelled.")
                if isinstance(event, answers.ProgressEvent) and on_progress:
                    on_progress(event.progress)
        raise AssertionError("a stream of events that ends has raised")

    def pause(self) -> AnyJob:
        """Stops it within one pass; it keeps what it found."""
        return self._explorer.pause_job(self.id)

    def resume(self) -> AnyJob:
        """Lets it go on with what is left."""
        return self._explorer.resume_job(self.id)

    def cancel(self) -> AnyJob:
        """Cancels it within one pass. One that is over is deleted."""
        return self._explorer.delete_job(self.id)
