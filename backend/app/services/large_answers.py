"""Large answers become JSON one after the other: each takes up to 100 MiB of memory meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LARGE_CELLS = 100_000
"""Values from which an answer waits for others that are large."""


class LargeAnswers:
    """Runs the work on a thread, that of large answers one at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def made(self, cells: int, make: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `make` gives for an answer of so many values."""
        if cells < LARGE_CELLS:
            return await asyncio.to_thread(make, *args, **kwargs)
        async with self._turn:
            return await asyncio.to_thread(make, *args, **kwargs)
