"""Stop strings, matched on bytes across token borders.

A token is held back while what it brought may still become a stop string. When one is complete,
the tokens that begin at or after its first byte are dropped. A token that straddles that byte is
kept whole: cutting it would put bytes on the page that are no token of the timeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.engine.types import Step


@dataclass(frozen=True, slots=True)
class Released:
    """What is decided after a token."""

    steps: tuple[Step, ...]
    """Tokens that belong to the reply for certain."""
    stop: str | None = None
    """The stop string that is complete; the reply ends here."""
    dropped: tuple[Step, ...] = ()
    """Tokens that spell it."""


class StopMatcher:
    """Feeds on tokens in order and says which of them belong to the reply."""

    def __init__(self, stop: Sequence[str]) -> None:
        # A lone surrogate cannot come out of a model; it must not end the request either.
        self._stops = [(s.encode("utf-8", "surrogatepass"), s) for s in stop if s]
        self._open = b""
        """Bytes from the first that may begin a stop string on."""
        self._held: list[tuple[int, Step]] = []
        """Tokens that begin within `_open`, with the place of their first byte there."""

    def feed(self, step: Step, token: bytes) -> Released:
        self._held.append((len(self._open), step))
        self._open += token
        found = [
            (place, -len(pattern), stop)
            for pattern, stop in self._stops
            if (place := self._open.find(pattern)) >= 0
        ]
        if found:
            place, _, stop = min(found)
            kept = tuple(s for start, s in self._held if start < place)
            dropped = tuple(s for start, s in self._held if start >= place)
            return Released(kept, stop, dropped)
        first = min((self._first_open_byte(p) for p, _ in self._stops), default=len(self._open))
        if first == len(self._open):
            return Released(self.flush())
        released = tuple(s for start, s in self._held if start < first)
        self._held = [(start - first, s) for start, s in self._held if start >= first]
        self._open = self._open[first:]
        return Released(released)

    def flush(self) -> tuple[Step, ...]:
        """The tokens still held back, when the reply ends for another reason."""
        steps = tuple(step for _, step in self._held)
        self._held, self._open = [], b""
        return steps

    def _first_open_byte(self, pattern: bytes) -> int:
        """Where the longest end of the open bytes begins that begins the pattern."""
        longest = min(len(pattern) - 1, len(self._open))
        for n in range(longest, 0, -1):
            if pattern.startswith(self._open[-n:]):
                return len(self._open) - n
        return len(self._open)
