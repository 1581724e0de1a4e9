"""One timeline that was computed: its ids, the residual stream of each, and the cache behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from transformers.cache_utils import Cache

from app.engine.edits import Edits
from app.engine.kv_cache import GrowingCache, cache_bytes
from app.engine.types import IntArray
from app.errors import ModelComputationError

FIRST_CAPACITY_TOKENS = 64


class Timeline:
    """Ids that the model was fed, the residual stream of each, and the cache to continue from.

    Buffers double when they are full, so that appending a token costs the same at any length.
    """

    def __init__(
        self,
        n_rows: int,
        d_model: int,
        cache: Cache | None,
        dtype: torch.dtype = torch.float32,
        digest: str = "",
    ) -> None:
        self.length = 0
        self.digest = digest
        """Of the interventions that it was computed under; empty for a plain one."""
        self.cache = cache
        """Holds exactly the ids of the timeline; None where the model has none that can be relied on, or
        where a pass failed and left it unknown."""
        self.pass_ends: list[int] = []
        """Where each pass that computed it ended; negated where the timeline was cut within that pass."""
        self.owners: set[str] = set()
        """The conversations that it belongs to."""
        self._fired: list[tuple[int, ...]] = []
        """Under interventions: at how many layers each acted, token by token."""
        self._ids = np.empty(FIRST_CAPACITY_TOKENS, dtype=np.int64)
        self._rows = torch.empty(FIRST_CAPACITY_TOKENS, n_rows, d_model, dtype=dtype)
        self._last: torch.Tensor | None = None
        """The stream of the token committed last, exact, where those kept are rounded."""

    @property
    def ids(self) -> IntArray:
        return self._ids[: self.length]

    @property
    def rows(self) -> torch.Tensor:
        """Residual streams as they are kept, `[length, n_layers + 1, d_model]`."""
        return self._rows[: self.length]

    def streams(self, positions: Sequence[int]) -> torch.Tensor:
        """A copy of the residual streams of positions, float32 `[positions, n_layers + 1, d_model]`."""
        return self._rows[list(positions)].float()

    def last_stream(self) -> torch.Tensor:
        """What the next token is predicted from, exact: `[n_layers + 1, d_model]`.

        Of a timeline that keeps rounded streams, only right after a pass.
        """
        return self.streams([self.length - 1])[0] if self._last is None else self._last

    def fired(self, n_tokens: int, n_interventions: int) -> tuple[int, ...]:
        """At how many layers each intervention acted, over the first tokens together."""
        each = self._fired[:n_tokens]
        return tuple(map(sum, zip(*each, strict=True))) if each else (0,) * n_interventions

    @property
    def n_bytes(self) -> int:
        held = self._rows.nbytes + self._ids.nbytes
        return held if self.cache is None else held + cache_bytes(self.cache)

    def pass_of(self, position: int) -> range:
        """The positions that were computed in one pass with this one, as far as they are kept."""
        start = 0
        for end in map(abs, self.pass_ends):
            if position < end:
                return range(start, end)
            start = end
        raise IndexError(f"Position {position} is not computed.")

    def room(self, n_tokens: int) -> torch.Tensor:
        """Where the residual streams of the next `n_tokens` go, float32, before `commit`."""
        end = self.length + n_tokens
        if end > len(self._ids):
            capacity = max(end, 2 * len(self._ids))
            ids = np.empty(capacity, dtype=np.int64)
            ids[: self.length] = self.ids
            rows = torch.empty(capacity, *self._rows.shape[1:], dtype=self._rows.dtype)
            rows[: self.length] = self.rows
            self._ids, self._rows = ids, rows
        room = self._rows[self.length : end]
        return room if room.dtype == torch.float32 else torch.empty(room.shape)

    def commit(
        self, ids: Sequence[int] | IntArray, rows: torch.Tensor, edits: Edits | None = None
    ) -> None:
        """`rows`, which `room` gave, are filled: they belong to these ids, as `edits` left them.

        Raises ModelComputationError where a value is too large for the dtype that is kept.
        """
        end = self.length + len(ids)
        if rows.dtype != self._rows.dtype:
            self._last = rows[-1].clone()
            kept = self._rows[self.length : end]
            kept.copy_(rows)
            if bool(torch.isinf(kept).any()):
                raise ModelComputationError(
                    "A residual stream of this model is too large for float16.",
                    hint="Start the server with EXPLORER_STORE_DTYPE=float32.",
                )
        self._ids[self.length : end] = ids
        if edits is not None:
            self._fired += map(tuple, edits.counts[-len(ids) :].tolist())
        self.length = end
        self.pass_ends.append(end)

    def roll_back(self) -> None:
        """Bring the cache back to the committed ids after a pass that did not end well."""
        if isinstance(self.cache, GrowingCache):
            self.cache.cut(self.length)
        else:
            self.cache = None

    def cut(self, length: int) -> None:
        """Forget everything from index `length` on."""
        if length < self.length:
            self.length = length
            del self._fired[length:]
            self.pass_ends = _ends_until(self.pass_ends, length)
            self.roll_back()

    def prefix(self, length: int, edits: Edits | None = None) -> Timeline:
        """A copy of the first `length` tokens, of a timeline with a cache that can be cut or with none.

        `edits` go on from there; in a plain timeline they have changed none of these tokens.
        """
        assert self.cache is None or isinstance(self.cache, GrowingCache)
        cache = None if self.cache is None else self.cache.prefix(length)
        _, n_rows, d_model = self._rows.shape
        copy = Timeline(
            n_rows, d_model, cache, self._rows.dtype, "" if edits is None else edits.digest
        )
        if edits is not None:
            copy._fired = self._fired[:length] if self.digest else [(0,) * len(edits)] * length
        copy.room(length)
        copy._rows[:length] = self._rows[:length]
        copy._ids[:length] = self._ids[:length]
        copy.length = length
        copy.pass_ends = _ends_until(self.pass_ends, length)
        return copy


def _ends_until(ends: Sequence[int], length: int) -> list[int]:
    """Ends up to a length; the length itself, negated, where that is within a pass."""
    kept = [end for end in ends if abs(end) <= length]
    if length and (not kept or abs(kept[-1]) != length):
        kept.append(-length)
    return kept
