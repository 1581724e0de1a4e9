"""One request's way through the model: claimed, queued, run, and read while it runs.

A job's work is an iterator: each item of it is one turn at the model, and between two turns the
worker serves other jobs. What the work computes goes into the job's outbox; the event loop takes it
out. A job whose outbox is full gets no turn, so that a client that does not read costs a bounded
amount of memory, no time of others, and after some patience its own reply.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Generic, TypeVar

from app.engine.protocols import LensEngine
from app.errors import DeadlineExceeded, ExplorerError, QueueTimeout, ReaderTooSlow

T = TypeVar("T")

OUTBOX_BYTES = 8 * 2**20
"""Computed but not yet sent, for one job; it gets no turn while it has more."""
READER_PATIENCE_S = 20.0
"""How long, over its whole life, a job may go without turns because its outbox is full."""
KEEP_ALIVE_S = 10.0
"""After this long without anything to send, the reader is told that the job still lives."""
QUEUE_NEWS_S = 0.5
"""Seconds between two reports to the reader while a job waits for its turn."""


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
        engine: LensEngine,
        *,
        request_seconds: float,
        queue_seconds: float,
        on_change: Callable[[], None],
        on_close: Callable[[Job[T]], None],
    ) -> None:
        """Made on the event loop. `on_change` tells the worker to look at the job again, `on_close`
        gives its place back."""
        self.id = job_id
        self.client = client
        self.engine = engine
        """The one that it was claimed from; it is never run with another."""
        self.work: Callable[[Job[T]], Iterator[None]] | None = None
        """Iterated on the worker thread; None while the job is still being prepared."""
        self.claimed_at = time.monotonic()
        self.queued_at: float | None = None
        """When the job could have begun, had the model been free."""
        self.started_at: float | None = None
        self.beat_at = self.claimed_at
        """Last sign of life from the worker thread."""
        self._request_seconds = request_seconds
        self._queue_seconds = queue_seconds
        self._on_change = on_change
        self._on_close = on_close
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._lock = threading.Lock()
        self._outbox: deque[tuple[T, int]] = deque()
        self._outbox_bytes = 0
        self._patience_s = READER_PATIENCE_S
        self._full_since: float | None = None
        self._is_stopped = False
        self._stop_reason: ExplorerError | None = None
        self._is_finished = False
        self._failure: ExplorerError | None = None

    # --- on the event loop -----------------------------------------------------------------------

    def start(self, work: Callable[[Job[T]], Iterator[None]]) -> None:
        """Lets the job be run when its turn comes."""
        self.queued_at = time.monotonic()
        self.work = work
        self._on_change()

    async def items(self) -> AsyncGenerator[T | None]:
        """What the work emits, as it comes; None from time to time while nothing does.

        Raises what the work failed with. Closing the iterator ends the work.
        """
        try:
            quiet_since = time.monotonic()
            was_queued = False
            while True:
                self._news.clear()
                with self._lock:
                    taken, has_room_again = self._take()
                    ended = self._is_finished or self._stop_reason is not None
                    failure = self._failure or self._stop_reason
                if has_room_again:
                    self._on_change()
                if taken:
                    yield taken[0]
                    quiet_since = time.monotonic()
                elif ended:
                    if failure:
                        raise failure
                    return
                elif time.monotonic() - quiet_since >= self._quiet_s() or (
                    was_queued and not self.is_queued
                ):
                    was_queued = self.is_queued
                    yield None
                    quiet_since = time.monotonic()
                else:
                    self._check_deadline()
                    self._check_queue()
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
        self._on_change()
        self._tell_reader()

    def _take(self) -> tuple[tuple[T, int] | None, bool]:
        """The next item, and whether the outbox has room again. Under the lock."""
        if not self._outbox:
            return None, False
        taken = self._outbox.popleft()
        self._outbox_bytes -= taken[1]
        if self._full_since is None or self._outbox_bytes >= OUTBOX_BYTES:
            return taken, False
        self._patience_s -= time.monotonic() - self._full_since
        self._full_since = None
        return taken, True

    async def _wait_for_news(self) -> None:
        """Returns at news, at a deadline, or when the reader is to hear that the job lives.

        Not asyncio.wait_for: up to Python 3.11 it forgets a cancellation that comes together with
        the news, and the model would go on for a client that has gone.
        """
        ends = [self.claimed_at + self._request_seconds]
        if self.started_at is None and self.queued_at is not None:
            ends.append(self.queued_at + self._queue_seconds)
        left = min(ends) - time.monotonic()
        quiet_s = max(0.0, min(self._quiet_s(), left))
        timer = self._loop.call_later(quiet_s, self._news.set)
        try:
            await self._news.wait()
        finally:
            timer.cancel()

    @property
    def is_queued(self) -> bool:
        """Whether it could run and waits for others."""
        return self.queued_at is not None and self.started_at is None

    def _quiet_s(self) -> float:
        return QUEUE_NEWS_S if self.is_queued else KEEP_ALIVE_S

    def _check_queue(self) -> None:
        if self.queued_at is None or not self.is_queued:
            return
        if time.monotonic() - self.queued_at >= self._queue_seconds:
            raise QueueTimeout(
                f"The request waited for the model for {self._queue_seconds:g} s, which is the "
                "limit; other requests kept it busy.",
                hint="Send it again later, or start the server with a larger "
                "EXPLORER_QUEUE_SECONDS.",
                retry_after_s=self._queue_seconds / 2,
            )

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

    def can_go_on(self) -> bool:
        """Whether the job is to get a turn: it has room for what it computes, or is to end."""
        with self._lock:
            if self._is_stopped or self._outbox_bytes < OUTBOX_BYTES:
                return True
            now = time.monotonic()
            self._full_since = self._full_since or now
            if now - self._full_since < self._patience_s:
                return False
        self.stop(
            ReaderTooSlow(
                "The reply was ended because the client did not read its stream.",
                hint="Read the stream as it comes, or ask for fewer read-outs.",
            )
        )
        return True

    def emit(self, item: T, size_bytes: int) -> None:
        """Hands an item to the reader. Raises JobStopped when the work is to end."""
        self.check()
        with self._lock:
            self._outbox.append((item, size_bytes))
            self._outbox_bytes += size_bytes
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
