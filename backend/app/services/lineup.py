"""Whose turn it is: the queue in front of the model, and the jobs that have begun.

Jobs run in turns: a turn is one token of a reply, one part of a long prompt or one chunk of a
read-out, and goes to the client that was served longest ago, so that a long answer makes nobody wait
for its end. In front of the running jobs stands a bounded queue that is fair between clients too:
round-robin over them, first come first served within one. Jobs in the background get the turns that no
request can use, so a reply waits for the end of one of their turns at most.
"""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.errors import QueueFull
from app.services.background import BackgroundJob
from app.services.job import Job
from app.settings import Settings


@dataclass(slots=True)
class Running:
    """A job that has begun."""

    job: Job[Any]
    turns: Iterator[None]
    last_turn: int
    """Number of the turn that it had last."""
    started_at: float


@dataclass(slots=True)
class InBackground:
    """A job that takes what turns are left."""

    job: BackgroundJob
    turns: Iterator[None]
    last_turn: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request waits."""

    position: int
    """1 is next."""
    seconds_left: float


class Lineup:
    """Waiting and running jobs. Not safe for threads: who holds it holds a lock around every call."""

    def __init__(self, settings: Settings) -> None:
        self.capacity = settings.queue_capacity
        self._per_client = settings.queue_per_client
        self._concurrency = settings.concurrency
        self._queues: dict[str, deque[Job[Any]]] = {}
        """Waiting jobs by client, in the order in which the clients get their turns."""
        self._last_client: str | None = None
        self._running: list[Running] = []
        self._background: list[InBackground] = []
        self._n_turns = 0
        self._last_turns: dict[str, int] = {}
        """Number of the turn that each client with a running job had last."""
        self._job_seconds = 2.0
        """Moving average over finished jobs; what a client is told to wait is a guess from it."""

    @property
    def n_running(self) -> int:
        return len(self._running)

    @property
    def n_waiting(self) -> int:
        return sum(map(len, self._queues.values()))

    @property
    def is_busy(self) -> bool:
        """Whether anything has begun and is not over."""
        return bool(self._running or self._background)

    def jobs(self) -> list[Job[Any]]:
        """Those of requests, those that run first."""
        waiting = [job for queue in self._queues.values() for job in queue]
        return [*(running.job for running in self._running), *waiting]

    def background(self) -> list[BackgroundJob]:
        """Those in the background."""
        return [one.job for one in self._background]

    def add_background(self, job: BackgroundJob) -> None:
        """Lets a job take the turns that no request can use."""
        self._background.append(InBackground(job, job.work(), self._n_turns))

    def place(self, job: Job[Any]) -> Place | None:
        """Where a job waits for its turn to begin; None for one that does not.

        Clients begin in turns, so what a client sends after its first request waits for the others.
        """
        mine = self._queues.get(job.client)
        if job.work is None or mine is None or job not in mine:
            return None
        index, is_before, ahead = mine.index(job), True, 0
        for client, queue in self._queues.items():
            if client == job.client:
                is_before = False
                ahead += index
            else:
                ahead += min(len(queue), index + is_before)
        seconds = (ahead + 1) * self._job_seconds / max(1, len(self._running))
        return Place(ahead + 1, seconds)

    def require_place(self, client: str) -> None:
        """Raises QueueFull. Places are those in the queue, and those of running jobs that are free."""
        waiting = self.n_waiting
        mine = len(self._queues.get(client, ()))
        free = self._concurrency - len(self._running)
        free_for_me = min(free, self._per_client - self._running_by_client()[client])
        if waiting >= self.capacity + free:
            raise QueueFull(
                f"{waiting} requests wait for the model, which is the limit.",
                hint="Send the request again after the time in Retry-After.",
                retry_after_s=self._wait_estimate_s(waiting),
            )
        if mine >= self._per_client + free_for_me:
            raise QueueFull(
                f"{mine} of your requests wait for the model, which is the limit for one client.",
                hint="Wait for one of them, or close it.",
                retry_after_s=self._wait_estimate_s(mine),
            )

    def add(self, job: Job[Any]) -> None:
        """Puts a job at the end of its client's queue."""
        self._queues.setdefault(job.client, deque()).append(job)

    def remove(self, job: Job[Any]) -> None:
        """Takes a job out that has not begun; nothing for any other."""
        queue = self._queues.get(job.client)
        if queue and job in queue:
            queue.remove(job)
            if not queue:
                del self._queues[job.client]

    def admit(self) -> None:
        """Lets waiting jobs begin while there is room for them."""
        while len(self._running) < self._concurrency:
            job = self._take()
            if job is None:
                return
            assert job.work is not None
            now = time.monotonic()
            job.started_at = job.beat_at = now
            self._running.append(Running(job, job.work(job), self._n_turns, now))

    def next(self) -> Running | InBackground | None:
        """Whose turn it is: the client that was served longest ago, and of its jobs again that.

        One in the background only where no request's job can use the turn.
        """
        able = [running for running in self._running if running.job.can_go_on()]
        if not able:
            return min(self._background, key=lambda r: r.last_turn, default=None)
        return min(able, key=lambda r: (self._last_turns.get(r.job.client, -1), r.last_turn))

    def begin_turn(self, running: Running | InBackground) -> None:
        self._n_turns += 1
        running.last_turn = self._n_turns
        if isinstance(running, Running):
            self._last_turns[running.job.client] = self._n_turns

    def leave(self, running: Running | InBackground) -> None:
        """A running job is over."""
        if isinstance(running, InBackground):
            self._background.remove(running)
            return
        self._running.remove(running)
        if not self._running_by_client()[running.job.client]:
            del self._last_turns[running.job.client]
        took = time.monotonic() - running.started_at
        self._job_seconds += 0.2 * (took - self._job_seconds)

    def _take(self) -> Job[Any] | None:
        """The next job that can begin; its client goes to the end of the line.

        Whoever was served last waits for the others, also when its next request came first.
        """
        n_running = self._running_by_client()
        for client in sorted(self._queues, key=lambda client: client == self._last_client):
            queue = self._queues[client]
            if queue[0].work is None or n_running[client] >= self._per_client:
                continue
            job = queue.popleft()
            del self._queues[client]
            if queue:
                self._queues[client] = queue
            self._last_client = client
            return job
        return None

    def _running_by_client(self) -> Counter[str]:
        return Counter(running.job.client for running in self._running)

    def _wait_estimate_s(self, waiting: int) -> float:
        return min(60.0, max(1.0, math.ceil(waiting * self._job_seconds / 2)))
