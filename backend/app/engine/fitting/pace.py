"""Turns of a fit: how they are taken, how fast they go, and when it is time to say so or to save."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def differentiable() -> Iterator[None]:
    """For one turn on a thread whose other turns may compute under `inference_mode`."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


class Every:
    """True once in so many seconds; the first time after that many."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = time.monotonic()

    def is_due(self) -> bool:
        """Whether the time has passed since this last said so."""
        now = time.monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True


def time_left(fraction_done: float, fraction_at_start: float, seconds: float) -> str:
    """What is left of a run that took `seconds` from `fraction_at_start`, as `3.2 min left`."""
    done = fraction_done - fraction_at_start
    if done <= 0.0:
        return "time left unknown"
    return f"{seconds / done * (1.0 - fraction_done) / 60.0:.1f} min left"
