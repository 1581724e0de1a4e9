"""Work for the model that no request waits for: it gets the turns that replies leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from app.errors import ExplorerError
from app.services.job import JobStopped


class BackgroundJob:
    """One run of a job. It outlives every connection and ends when its work does, or when stopped."""

    def __init__(
        self,
        job_id: str,
        work: Callable[[], Iterator[None]],
        on_finish: Callable[[ExplorerError | None, bool], None],
    ) -> None:
        """`work` is iterated on the worker thread. `on_finish` is called there with what it failed with, and
        whether it was stopped before its end."""
        self.id = job_id
        self.work = work
        self.beat_at = time.monotonic()
        """Last sign of life from the worker thread."""
        self._on_finish = on_finish
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Ends the work before its next turn; from any thread."""
        self._stopped.set()

    def check(self) -> None:
        """Raises JobStopped when the work is to end."""
        self.beat_at = time.monotonic()
        if self._stopped.is_set():
            raise JobStopped(None)

    def finish(self, failure: ExplorerError | None) -> None:
        """The work is over."""
        self._on_finish(failure, self._stopped.is_set())
