"""What a model may raise when it is run in a way that its authors did not think of."""

from __future__ import annotations

MODEL_FAILURES = (
    RuntimeError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    AssertionError,
    ImportError,
)
"""A model's code is foreign code: any of these may come out of it."""


def first_line(error: BaseException) -> str:
    """The first line of an error's text without its full stop, or its kind where it has none."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
