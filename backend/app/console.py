"""Lines for the person at a terminal, whatever encoding it has and whether or not it still reads.

A Windows console in cp1252, `LANG=C` or `PYTHONIOENCODING=ascii` cannot hold every character of a
path, a model's name or a token, and a pipe may be closed before the program ends. Neither may end
the server.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TextIO


def prepare_console() -> None:
    """Escape characters that the terminal cannot show; give closed standard streams a place to go."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # Left free, it would be given to a socket, and C libraries would print into that.
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, _nowhere())
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(line: str) -> None:
    """Print one line at once; printing stops for good when nothing reads it any more."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except OSError:
        # Python itself flushes once more when it ends.
        sys.stdout = _nowhere()


def flush() -> None:
    """Write out what standard output and error still hold."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")
