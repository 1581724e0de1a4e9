"""One request's way through the model: claimed, queued, run, and read while it runs.

The worker thread puts what it computed into the job's outbox; the event loop takes it out. The
outbox is bounded by bytes, so that a client that does not read costs a bounded amount of memory
and, after a short patience, only its own reply.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Generic, TypeVar

from app.errors import DeadlineExceeded, ExplorerError, ReaderTooSlow

T = TypeVar("T")

OUTBOX_BYTES = 8 * 2**20
"""Computed but not yet sent, for one job."""
READER_PATIENCE_S = 2.0
"""How long, over its whole life, a job may hold up the model because its outbox is full."""
KEEP_ALIVE_S = 10.0
"""After this long without anything to send, the reader is told that the job still lives."""


class JobStopped(Exception):
    """Ends a job's work on the worker thread; `reason` is None when nobody waits for it any more."""

    def __init__(self, reason: ExplorerError | None) -> None:
        super().__init__(reason)
        self.reason = reason


class Job(Generic[T]):
    """Work for the model and the outbox of what it computed, items of type `T`."""

    def __init__(
        self,
        job_id: str,
        client: str,
        *,
        request_seconds: float,
        on_start: Callable[[], None],
        on_close: Callable[[Job[T]], None],
    ) -> None:
        """Made on the event loop. `on_start` queues the job, `on_close` gives its place back."""
        self.id = job_id
        self.client = client
        self.work: Callable[[Job[T]], None] | None = None
        """Runs on the worker thread; None while the job is still being prepared."""
        self.claimed_at = time.monotonic()
        self.started_at: float | None = None
        self.beat_at = self.claimed_at
        """Last sign of life from the worker thread."""
        self._request_seconds = request_seconds
        self._on_start = on_start
        self._on_close = on_close
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._lock = threading.Condition()
        self._outbox: deque[tuple[T, int]] = deque()
        self._outbox_bytes = 0
        self._patience_s = READER_PATIENCE_S
        self._is_stopped = False
        self._stop_reason: ExplorerError | None = None
        self._is_finished = False
        self._failure: ExplorerError | None = None

    # --- on the event loop -----------------------------------------------------------------------

    def start(self, work: Callable[[Job[T]], None]) -> None:
        """Lets the job be run when its turn comes."""
        self.work = work
        self._on_start()

    async def items(self) -> AsyncGenerator[T | None]:
        """What the work emits, as it comes; None from time to time while nothing does.

        Raises what the work failed with. Closing the iterator ends the work.
        """
        try:
            quiet_since = time.monotonic()
            while True:
                self._news.clear()
                with self._lock:
                    taken = self._outbox.popleft() if self._outbox else None
                    if taken:
                        self._outbox_bytes -= taken[1]
                        self._lock.notify_all()
                    ended = self._is_finished or self._stop_reason is not None
                    failure = self._failure or self._stop_reason
                if taken:
                    yield taken[0]
                    quiet_since = time.monotonic()
                elif ended:
                    if failure:
                        raise failure
                    return
                elif time.monotonic() - quiet_since >= KEEP_ALIVE_S:
                    yield None
                    quiet_since = time.monotonic()
                else:
                    self._check_deadline()
                    await self._wait_for_news()
        finally:
            self.close()

    def close(self) -> None:
        """Ends the work if it still runs and gives the place in the queue back."""
        self.stop(None)
        self._on_close(self)

    def stop(self, reason: ExplorerError | None) -> None:
        """Asks the work to end; from any thread. The first reason counts."""
        with self._lock:
            if self._is_finished or self._is_stopped:
                return
            self._is_stopped = True
            self._stop_reason = reason
            self._lock.notify_all()
        self._tell_reader()

    async def _wait_for_news(self) -> None:
        """Returns at news, at the deadline, or when the reader is to hear that the job lives.

        Not asyncio.wait_for: up to Python 3.11 it forgets a cancellation that comes together with
        the news, and the model would go on for a client that has gone.
        """
        left = self.claimed_at + self._request_seconds - time.monotonic()
        timer = self._loop.call_later(max(0.0, min(KEEP_ALIVE_S, left)), self._news.set)
        try:
            await self._news.wait()
        finally:
            timer.cancel()

    def _check_deadline(self) -> None:
        if time.monotonic() - self.claimed_at >= self._request_seconds:
            raise DeadlineExceeded(
                f"The request took longer than {self._request_seconds:g} s, which is the limit.",
                hint="Ask for fewer tokens, or start the server with a larger "
                "EXPLORER_REQUEST_SECONDS.",
            )

    # --- on the worker thread --------------------------------------------------------------------

    def should_stop(self) -> bool:
        """Whether the work is to end; asking is also the worker's sign of life."""
        self.beat_at = time.monotonic()
        if self._is_stopped:
            return True
        try:
            self._check_deadline()
        except DeadlineExceeded as reason:
            self.stop(reason)
            return True
        return False

    def check(self) -> None:
        """Raises JobStopped when the work is to end."""
        if self.should_stop():
            raise JobStopped(self._stop_reason)

    def emit(self, item: T, size_bytes: int) -> None:
        """Hands an item to the reader; waits a little for a reader that is behind.

        Raises JobStopped when the work is to end, also because the reader stays behind.
        """
        self.check()
        with self._lock:
            waited_from = time.monotonic()
            while self._outbox_bytes >= OUTBOX_BYTES and not self._is_stopped:
                left = self._patience_s - (time.monotonic() - waited_from)
                if left <= 0:
                    break
                self._lock.wait(left)
            self._patience_s -= time.monotonic() - waited_from
            is_full = self._outbox_bytes >= OUTBOX_BYTES
            if not is_full and not self._is_stopped:
                self._outbox.append((item, size_bytes))
                self._outbox_bytes += size_bytes
        if is_full:
            self.stop(
                ReaderTooSlow(
                    "The reply was ended because the client did not read its stream.",
                    hint="Read the stream as it comes, or ask for fewer read-outs.",
                )
            )
        self.check()
        self._tell_reader()

    def finish(self, failure: ExplorerError | None) -> None:
        """The work is over; nothing is emitted after this."""
        with self._lock:
            self._is_finished = True
            self._failure = failure
        self._tell_reader()

    def _tell_reader(self) -> None:
        # A closed loop means that the server has stopped and nobody reads any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._news.set)
