"""A lock that serves threads in the order in which they come.

While a second model is proven, two threads want to compute, and the libraries below keep state that
models share, such as the table of attention functions. With an ordinary lock the thread that gives it
back takes it again before the other wakes.
"""

from __future__ import annotations

import threading
from types import TracebackType


class OneByOne:
    """A fair lock, for `with`."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._next_ticket = 0
        self._served = 0

    def __enter__(self) -> None:
        with self._condition:
            ticket = self._next_ticket
            self._next_ticket += 1
            self._condition.wait_for(lambda: self._served == ticket)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._condition:
            self._served += 1
            self._condition.notify_all()
