"""A limit on how long a chat template may run.

A template is a program that came with the model, in a sandbox that keeps it from files and modules
but not from loops: two nested ones over 100,000 items each run for hours and fill the memory with
their output. Jinja has no limit of its own, and a thread cannot be ended from outside, so the lines
that the template runs are counted where they run.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

TEMPLATE_FILE = "<template>"
"""What jinja2 names as the file of a template's own code."""

LOOK_EVERY = 256
"""Lines between two looks at the clock."""


class RenderingTooLong(Exception):
    """A template ran for longer than it may."""


@contextmanager
def limited_rendering(seconds: float) -> Iterator[None]:
    """Raises RenderingTooLong inside a template that takes more than `seconds` of this thread's time.

    The thread's own time, so that other programs on the processor do not make a template slow.
    """
    until = time.thread_time() + seconds
    n_lines = 0

    def on_line(_frame: FrameType, _event: str, _value: Any) -> Any:
        nonlocal n_lines
        n_lines += 1
        if n_lines % LOOK_EVERY == 0 and time.thread_time() > until:
            raise RenderingTooLong
        return on_line

    def on_call(frame: FrameType, event: str, value: Any) -> Any:
        on_line(frame, event, value)
        return on_line if frame.f_code.co_filename == TEMPLATE_FILE else None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        yield
    finally:
        sys.settrace(before)
