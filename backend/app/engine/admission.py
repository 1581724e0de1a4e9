"""Whether a request's residual streams and KV cache will fit in memory, before it begins.

Linux grants memory that it does not have, and kills the process when it is used. So a running request
counts here with what its timeline will hold at its end, and a further one that would need more than
is free is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.engine.capture import TracedDecoder
from app.engine.kv_cache import FIRST_CAPACITY_TOKENS, GrowingCache
from app.engine.memory import free_memory
from app.engine.residuals import CacheReuse, ResidualStore
from app.errors import OutOfMemory


class Admission:
    """Admits requests by the memory that they and those that run will need."""

    def __init__(self, store: ResidualStore, bytes_per_token: int) -> None:
        self._store = store
        self._bytes_per_token = bytes_per_token
        self._promised_bytes = 0
        """What the timelines of running requests hold at their ends."""

    @contextmanager
    def admitted(self, n_tokens: int) -> Iterator[None]:
        """While a request runs whose timelines grow to `n_tokens`. Raises OutOfMemory before it."""
        needed = n_tokens * self._bytes_per_token
        free = free_memory()
        # What the store holds already is used again, or forgotten to make room.
        if free is not None and self._promised_bytes + needed - self._store.n_bytes > free:
            raise OutOfMemory(
                f"{n_tokens:,} tokens of this model take {_size(needed)} of memory;"
                f" {_size(free)} are free, and running requests still need"
                f" {_size(max(0, self._promised_bytes - self._store.n_bytes))}.",
                hint="Ask for fewer tokens, or try again when other requests have ended.",
            )
        self._promised_bytes += needed
        try:
            yield
        finally:
            self._promised_bytes -= needed


def bytes_per_token(decoder: TracedDecoder, row_bytes: int, reuse: CacheReuse) -> int:
    """Main memory that a token of a timeline takes: its residual streams, and keys and values.

    Runs the model on one token, unless it is run without a cache. A recurrent state does not grow with the text and counts as nothing.
    `row_bytes`: of one number of a residual stream.
    """
    cache = None if reuse == "none" else decoder.new_cache()
    of_streams = (decoder.n_layers + 1) * decoder.d_model * row_bytes
    if not isinstance(cache, GrowingCache) or decoder.device.type != "cpu":
        return of_streams
    decoder.forward((0,), cache, decoder.empty_rows(1))
    return of_streams + cache.n_bytes // FIRST_CAPACITY_TOKENS


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 2**30:.1f} GiB" if n_bytes >= 2**30 else f"{n_bytes / 2**20:.1f} MiB"
