"""Timelines that were computed: token ids, their residual streams and the KV cache behind them.

The store finds a timeline by the ids themselves. Whoever needs the residual streams of some ids
gets those of the longest prefix that is held, and the model runs only on what is missing. A
continuation grows the timeline in place; a branch (an edited or regenerated turn) copies the common
prefix. What does not fit the byte bound is forgotten, least recently used first, and computed again
when it is asked for: forgetting shows in nothing but time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import numpy as np
import torch
from transformers.cache_utils import Cache

from app.engine.capture import TracedDecoder
from app.engine.kv_cache import GrowingCache, cache_bytes
from app.engine.types import IntArray, ShouldStop

PREFILL_TOKENS = 128
"""Tokens of one forward pass over a prompt: between two passes a cancelled request is noticed."""

FIRST_CAPACITY_TOKENS = 64

CacheReuse = Literal["chunks", "steps", "none"]
"""What the self-check found exact. `chunks`: any number of tokens may follow a cache. `steps`: one
token at a time (the scan of Mamba starts from nothing when it is given several). `none`: the cache
gives other numbers, so every pass starts from the first token."""


class Timeline:
    """Ids that the model was fed, the residual stream of each, and the cache to continue from.

    Buffers double when they are full, so that appending a token costs the same at any length.
    """

    def __init__(self, n_rows: int, d_model: int, cache: Cache | None) -> None:
        self.length = 0
        self.cache = cache
        """Holds exactly the ids of the timeline; None when the model has to run from the start again."""
        self._ids = np.empty(FIRST_CAPACITY_TOKENS, dtype=np.int64)
        self._rows = torch.empty(FIRST_CAPACITY_TOKENS, n_rows, d_model)

    @property
    def ids(self) -> IntArray:
        return self._ids[: self.length]

    @property
    def rows(self) -> torch.Tensor:
        """Residual streams, float32 `[length, n_layers + 1, d_model]`."""
        return self._rows[: self.length]

    @property
    def n_bytes(self) -> int:
        held = self._rows.nbytes + self._ids.nbytes
        return held if self.cache is None else held + cache_bytes(self.cache)

    def room(self, n_tokens: int) -> torch.Tensor:
        """Where the residual streams of the next `n_tokens` go, before `commit`."""
        end = self.length + n_tokens
        if end > len(self._ids):
            capacity = max(end, 2 * len(self._ids))
            ids = np.empty(capacity, dtype=np.int64)
            ids[: self.length] = self.ids
            rows = torch.empty(capacity, *self._rows.shape[1:])
            rows[: self.length] = self.rows
            self._ids, self._rows = ids, rows
        return self._rows[self.length : end]

    def commit(self, ids: Sequence[int] | IntArray) -> None:
        """The rows given by `room` are filled: they belong to these ids."""
        self._ids[self.length : self.length + len(ids)] = ids
        self.length += len(ids)

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
            self.roll_back()

    def prefix(self, length: int) -> Timeline:
        """A copy of the first `length` tokens; without a cache where this one cannot be cut."""
        cache = self.cache.prefix(length) if isinstance(self.cache, GrowingCache) else None
        copy = Timeline(self._rows.shape[1], self._rows.shape[2], cache)
        copy.room(length).copy_(self._rows[:length])
        copy.commit(self._ids[:length])
        return copy


class ResidualStore:
    """Recent timelines of one model, within a bound in bytes.

    A running call pins the timeline that it extends: it stays however large it grows, others make
    room for it, and no other call extends it. The bound holds again when the call ends.
    """

    def __init__(self, decoder: TracedDecoder, max_bytes: int, reuse: CacheReuse) -> None:
        self.max_bytes = max_bytes
        self._decoder = decoder
        self._reuse = reuse
        self._timelines: OrderedDict[int, Timeline] = OrderedDict()
        """Least recently used first, keyed by identity."""
        self._sizes: dict[int, int] = {}
        self._pinned: set[int] = set()
        self.n_bytes = 0
        """Memory held by the timelines, pinned ones included."""

    def __len__(self) -> int:
        return len(self._timelines)

    def covering(self, ids: Sequence[int], should_stop: ShouldStop) -> Timeline | None:
        """A timeline that begins with `ids`; None when `should_stop` ended the work.

        It may go on differently after them. What was computed before a stop stays in the store.
        """
        wanted = np.asarray(ids, dtype=np.int64)
        timeline, shared = self._longest_prefix(wanted)
        if timeline is not None and shared == len(wanted):
            self._touch(timeline)
            return timeline
        timeline = self._continued(timeline, shared)
        with self.pinned(timeline):
            logits = self.extend(timeline, wanted[shared:].tolist(), should_stop)
        return None if logits is None else timeline

    def exactly(
        self, ids: Sequence[int], should_stop: ShouldStop
    ) -> tuple[Timeline, torch.Tensor] | None:
        """A timeline of just `ids`, to be extended, and the logits at its end, float32 `[d_vocab]`."""
        wanted = np.asarray(ids, dtype=np.int64)
        timeline, shared = self._longest_prefix(wanted)
        timeline = self._continued(timeline, shared)
        with self.pinned(timeline):
            if shared == len(wanted):
                # The last residual stream is held, and decoding it runs no block.
                return timeline, self._decoder.decode(timeline.rows[-1:, -1])[0]
            logits = self.extend(timeline, wanted[shared:].tolist(), should_stop)
        return None if logits is None else (timeline, logits)

    def extend(
        self, timeline: Timeline, ids: Sequence[int], should_stop: ShouldStop
    ) -> torch.Tensor | None:
        """Run the model on further ids of a timeline; the logits at its new end, None when stopped."""
        if timeline.cache is None:
            return None if should_stop() else self._run_from_start(timeline, ids)
        logits: torch.Tensor | None = None
        done = 0
        while done < len(ids):
            if should_stop():
                return None
            chunk = ids[done : done + self._chunk_tokens(timeline, len(ids))]
            rows = timeline.room(len(chunk))
            try:
                logits = self._decoder.forward(chunk, timeline.cache, rows, timeline.length)
            except BaseException:
                timeline.roll_back()
                raise
            timeline.commit(chunk)
            self._account(timeline)
            done += len(chunk)
        return logits

    def cut(self, timeline: Timeline, length: int) -> None:
        """Forget the end of a timeline, where its cache allows that without a new run."""
        if isinstance(timeline.cache, GrowingCache):
            timeline.cut(length)

    @contextmanager
    def pinned(self, timeline: Timeline) -> Iterator[None]:
        """Reserves a timeline for the running call."""
        key = id(timeline)
        self._pinned.add(key)
        self._touch(timeline)
        try:
            yield
        finally:
            self._pinned.discard(key)
            self._account(timeline)

    def _chunk_tokens(self, timeline: Timeline, n_tokens: int) -> int:
        if self._reuse == "chunks":
            return PREFILL_TOKENS
        return n_tokens if timeline.length == 0 else 1

    def _run_from_start(self, timeline: Timeline, ids: Sequence[int]) -> torch.Tensor:
        """Extend a timeline that has no usable cache, by one pass over all of it.

        The rows that it has stay as they are; only those of the new ids are added.
        """
        every_id = [*timeline.ids.tolist(), *ids]
        cache = self._new_cache()
        rows = torch.empty(len(every_id), *timeline.rows.shape[1:])
        logits = self._decoder.forward(every_id, cache, rows)
        timeline.room(len(ids)).copy_(rows[timeline.length :])
        timeline.commit(ids)
        timeline.cache = cache
        self._account(timeline)
        return logits

    def _new_cache(self) -> Cache | None:
        return None if self._reuse == "none" else self._decoder.new_cache()

    def _longest_prefix(self, wanted: IntArray) -> tuple[Timeline | None, int]:
        best: Timeline | None = None
        longest = 0
        # Newest first, and an older one must share more: ties go to the most recently used.
        for timeline in reversed(self._timelines.values()):
            n = min(len(wanted), timeline.length)
            different = np.flatnonzero(timeline.ids[:n] != wanted[:n])
            shared = int(different[0]) if len(different) else n
            if shared > longest:
                best, longest = timeline, shared
        return best, longest

    def _continued(self, timeline: Timeline | None, length: int) -> Timeline:
        """A timeline that ends at `length`: the one found, if it does and is free, or a copy."""
        if timeline is None:
            return Timeline(self._decoder.n_layers + 1, self._decoder.d_model, self._new_cache())
        if timeline.length == length and id(timeline) not in self._pinned:
            return timeline
        return timeline.prefix(length)

    def _touch(self, timeline: Timeline) -> None:
        self._timelines[id(timeline)] = timeline
        self._timelines.move_to_end(id(timeline))
        self._account(timeline)

    def _account(self, timeline: Timeline) -> None:
        """Note the size of a timeline that may have grown, and forget others if that is too much."""
        key = id(timeline)
        size = timeline.n_bytes
        self.n_bytes += size - self._sizes.get(key, 0)
        self._sizes[key] = size
        if self.n_bytes <= self.max_bytes:
            return
        for old in list(self._timelines):
            if old not in self._pinned:
                del self._timelines[old]
                self.n_bytes -= self._sizes.pop(old)
                if self.n_bytes <= self.max_bytes:
                    return
