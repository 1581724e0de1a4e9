"""Timelines that were computed: token ids, their residual streams and the KV cache behind them.

The store finds a timeline by the ids themselves. Whoever needs the residual streams of some ids
gets those of the longest prefix that may be reused, and the model runs only on what is missing. A
continuation grows the timeline in place; a branch (an edited or regenerated turn) copies the common
prefix. What does not fit the byte bound is forgotten, least recently used first, and computed again
when it is asked for: forgetting shows in nothing but time.

Sums over a pass depend in their last bits on how long the pass was. A timeline therefore remembers
where its passes ended and whose it is, and what another computed is reused only up to where a run
of one's own would have ended its passes too: beside others, one gets the bits that one gets alone.
What is read by its text or ids, with no lineage, so has the bits of a fresh store always.

A timeline that was computed under interventions bears their digest, and serves no run under others or
none. What lies before the first token that they change is the plain run's, and is taken from it.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import numpy as np
import torch
from transformers.cache_utils import Cache

from app.engine.capture import RowsToDecode, TracedDecoder
from app.engine.edits import Edits
from app.engine.kv_cache import GrowingCache
from app.engine.timeline import Timeline
from app.engine.types import IntArray

PREFILL_TOKENS = 128
"""Tokens of one forward pass over a prompt: between two passes others are served."""

FIRST_PASS_TOKENS = 1024
"""Tokens of the first pass where a cache takes one token at a time after it; a longer text goes on in
steps, so that others are served in between and memory stays bounded."""

CacheReuse = Literal["chunks", "steps", "none"]
"""What the self-check found exact. `chunks`: any number of tokens may follow a cache. `steps`: one
token at a time (the scan of Mamba starts from nothing when it is given several). `none`: the cache
gives other numbers, so every pass starts from the first token."""

ENDED = "ended"
"""Stands for the digest of a timeline that no run may continue or read."""

StoreDtype = Literal["float32", "float16"]


class ResidualStore:
    """Recent timelines of one model, within a bound in bytes.

    A running call pins the timeline that it extends, or goes back to: it stays however large it grows,
    others make room for it, and no other call extends it. The bound holds again when the call ends.
    """

    def __init__(
        self,
        decoder: TracedDecoder,
        max_bytes: int,
        reuse: CacheReuse,
        dtype: StoreDtype = "float32",
    ) -> None:
        self.max_bytes = max_bytes
        self._decoder = decoder
        self._reuse = reuse
        self._dtype: torch.dtype = getattr(torch, dtype)
        self._timelines: OrderedDict[int, Timeline] = OrderedDict()
        """Least recently used first, keyed by identity."""
        self._sizes: dict[int, int] = {}
        self._pinned: Counter[int] = Counter()
        """By how many running calls each is needed."""
        self.n_bytes = 0
        """Memory held by the timelines, pinned ones included."""

    def __len__(self) -> int:
        return len(self._timelines)

    @property
    def reuse(self) -> CacheReuse:
        """What of a cache may be relied on."""
        return self._reuse

    @property
    def keeps_every_bit(self) -> bool:
        """Whether rows are kept as they were computed."""
        return self._dtype == torch.float32

    def covering(
        self,
        ids: Sequence[int],
        n_needed: int,
        lineage: Sequence[str] = (),
        edits: Edits | None = None,
    ) -> Generator[None, None, Timeline]:
        """A timeline that begins with the first `n_needed` of `ids`, made by one pass for each item.

        It may go on differently. What is missing is run up to the end of a pass of a run over all of
        `ids`, so that the bits are the same whichever positions are read first: at most 127 tokens
        more; up to 1,024, or all of `ids`, where a cache takes no chunks. What was computed before the
        iterator is closed stays in the store.
        """
        wanted = np.asarray(ids, dtype=np.int64)
        own = self._held_of(lineage, wanted[:n_needed], _digest(edits))
        if own is not None:
            self._touch(own)
            return own
        wanted = wanted[: next(end for end in self._pass_ends(len(wanted)) if end >= n_needed)]
        found, shared = self._longest_prefix(wanted, lineage, len(wanted), edits)
        if found is not None and shared == len(wanted):
            self._touch(found)
            return found
        timeline = self._continued(found, shared, edits)
        with self.pinned(timeline, lineage):
            yield from self.extending(timeline, wanted[timeline.length :].tolist(), edits)
        return timeline

    def exactly(
        self, ids: Sequence[int], lineage: Sequence[str] = (), edits: Edits | None = None
    ) -> Generator[None, None, Timeline]:
        """A timeline of just `ids`, to be extended; made by one pass for each item."""
        wanted = np.asarray(ids, dtype=np.int64)
        # The logits of the next token are read from the last stream, which must not be a rounded one.
        limit = len(wanted) if self._dtype == torch.float32 else len(wanted) - 1
        found, shared = self._longest_prefix(wanted, lineage, limit, edits)
        timeline = self._continued(found, shared, edits)
        with self.pinned(timeline, lineage):
            yield from self.extending(timeline, wanted[timeline.length :].tolist(), edits)
        return timeline

    def running_apart(
        self,
        ids: Sequence[int],
        n_needed: int,
        edits: Edits | None,
        cache: GrowingCache | None = None,
        start: int = 0,
    ) -> Generator[None, None, torch.Tensor]:
        """Streams of the last pass of a run that nothing is kept of; an item stands between two passes.

        Without a cache the passes are those of a fresh run over `ids`, up to that of the last one needed.
        With one that holds the first `start` tokens the run goes on from there.
        """
        assert start < n_needed <= len(ids)
        used = self._new_cache() if cache is None else cache
        rows = torch.empty(0)
        first = start
        for length in self._pass_ends(len(ids) - first):
            if len(rows):
                yield
            end = first + length
            rows = self._decoder.empty_rows(end - start)
            self._decoder.forward(ids[start:end], used, rows, start, edits)
            if end >= n_needed:
                break
            start = end
        return rows

    def extending(
        self, timeline: Timeline, ids: Sequence[int], edits: Edits | None = None
    ) -> Iterator[None]:
        """Run the model on further ids of a timeline, one pass for each item and one for the end."""
        done = 0
        while done < len(ids):
            if done:
                yield
            if timeline.cache is None:
                self._run_from_start(timeline, ids, edits)
                return
            chunk = ids[done : done + self._chunk_tokens(timeline)]
            with self._growing(timeline, chunk, edits) as rows:
                self._decoder.forward(chunk, timeline.cache, rows, timeline.length, edits)
            done += len(chunk)

    def step(
        self,
        timeline: Timeline,
        token_id: int,
        to_decode: RowsToDecode,
        edits: Edits | None = None,
    ) -> torch.Tensor:
        """Run the model on one further id and decode rows of it: float32 `[rows, d_vocab]`."""
        if timeline.cache is None:
            streams = self._run_from_start(timeline, (token_id,), edits)
            return self._decoder.decode(to_decode(streams[-1]))
        with self._growing(timeline, (token_id,), edits) as rows:
            return self._decoder.step(
                token_id, timeline.cache, rows, timeline.length, to_decode, edits
            )

    def cut(self, timeline: Timeline, length: int) -> None:
        """Forget the end of a timeline, where its cache allows that without a new run.

        Where it does not, one that was computed under interventions is not used again.
        """
        if isinstance(timeline.cache, GrowingCache):
            timeline.cut(length)
        elif timeline.digest and timeline.length > length:
            timeline.digest = ENDED

    @contextmanager
    def pinned(self, timeline: Timeline, lineage: Sequence[str] = ()) -> Iterator[None]:
        """Reserves a timeline for the running call."""
        key = id(timeline)
        self._pinned[key] += 1
        self._touch(timeline, lineage)
        try:
            yield
        finally:
            self._pinned[key] -= 1
            if not self._pinned[key]:
                del self._pinned[key]
            self._account(timeline)

    def _chunk_tokens(self, timeline: Timeline) -> int:
        if self._reuse == "chunks":
            return PREFILL_TOKENS
        return FIRST_PASS_TOKENS if timeline.length == 0 else 1

    @contextmanager
    def _growing(
        self, timeline: Timeline, ids: Sequence[int], edits: Edits | None
    ) -> Iterator[torch.Tensor]:
        """Rows for a pass to fill; they belong to the timeline when it ended well."""
        assert timeline.digest == _digest(edits)
        rows = timeline.room(len(ids))
        try:
            yield rows
            timeline.commit(ids, rows, edits)
        except BaseException:
            timeline.roll_back()
            raise
        self._account(timeline)

    def _run_from_start(
        self, timeline: Timeline, ids: Sequence[int], edits: Edits | None
    ) -> torch.Tensor:
        """Extend a timeline of a model whose cache cannot be relied on, by one pass over all of it.

        The rows that it has stay as they are; only those of the new ids are added. Gives the streams
        of all, float32.
        """
        assert self._reuse == "none"
        assert timeline.digest == _digest(edits)
        every_id = [*timeline.ids.tolist(), *ids]
        rows = torch.empty(len(every_id), *timeline.rows.shape[1:])
        self._decoder.forward(every_id, None, rows, edits=edits)
        room = timeline.room(len(ids))
        room.copy_(rows[timeline.length :])
        timeline.commit(ids, room, edits)
        self._account(timeline)
        return rows

    def _new_cache(self) -> Cache | None:
        return None if self._reuse == "none" else self._decoder.new_cache()

    def _longest_prefix(
        self, wanted: IntArray, lineage: Sequence[str], limit: int, edits: Edits | None
    ) -> tuple[Timeline | None, int]:
        """The timeline of which most may be reused, and how many tokens that is, at most `limit`.

        That of the same interventions, or of a plain one what lies before the first token they change.
        """
        best: Timeline | None = None
        longest = 0
        digest = _digest(edits)
        unchanged = limit if edits is None else int(min(limit, edits.first_touched))
        # Newest first, and an older one must share more: ties go to the most recently used.
        for timeline in reversed(self._timelines.values()):
            if timeline.digest not in ("", digest):
                continue
            most = limit if timeline.digest == digest else unchanged
            shared = min(most, n_shared(timeline.ids, wanted))
            if shared > longest and timeline.owners.isdisjoint(lineage):
                shared = self._n_cut_alike(timeline, shared, len(wanted))
            if shared > longest:
                best, longest = timeline, shared
        return best, longest

    def _n_cut_alike(self, timeline: Timeline, shared: int, n_wanted: int) -> int:
        """How much of a shared prefix was computed by the passes that a fresh run would make."""
        reusable = 0
        for end, own_end in zip(timeline.pass_ends, self._pass_ends(n_wanted), strict=False):
            if end != own_end or end > shared:
                break
            reusable = end
        return reusable

    def _pass_ends(self, n_tokens: int) -> list[int]:
        """Where the passes of a fresh run over a prompt end."""
        if self._reuse == "none":
            return [n_tokens]
        if self._reuse == "steps":
            return [*range(FIRST_PASS_TOKENS, n_tokens), n_tokens]
        return [*range(PREFILL_TOKENS, n_tokens, PREFILL_TOKENS), n_tokens]

    def _held_of(self, lineage: Sequence[str], wanted: IntArray, digest: str) -> Timeline | None:
        """The most recently used timeline of a lineage that begins with all of the ids."""
        own = (
            timeline
            for timeline in reversed(self._timelines.values())
            if timeline.digest == digest and not timeline.owners.isdisjoint(lineage)
        )
        return next((t for t in own if n_shared(t.ids, wanted) == len(wanted)), None)

    def _continued(self, timeline: Timeline | None, length: int, edits: Edits | None) -> Timeline:
        """A timeline to extend, which ends at `length` or begins anew.

        It is the one found, if that ends there and is free, or else a copy of its beginning. Where a
        cache cannot be cut there is no copy to go on from: the passes of a fresh run are made again.
        """
        digest = _digest(edits)
        can_be_cut = self._reuse == "none" or isinstance(timeline and timeline.cache, GrowingCache)
        if timeline is not None and length > 0:
            is_usable = timeline.digest == digest and (can_be_cut or timeline.cache is not None)
            if timeline.length == length and is_usable and id(timeline) not in self._pinned:
                return timeline
            if can_be_cut:
                return timeline.prefix(length, edits)
        n_rows, d_model = self._decoder.n_layers + 1, self._decoder.d_model
        return Timeline(n_rows, d_model, self._new_cache(), self._dtype, digest)

    def _touch(self, timeline: Timeline, lineage: Sequence[str] = ()) -> None:
        timeline.owners.update(lineage[:1])
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


def _digest(edits: Edits | None) -> str:
    return "" if edits is None else edits.digest


def n_shared(held: IntArray, wanted: IntArray) -> int:
    """How many ids two timelines have in common from their start."""
    n = min(len(held), len(wanted))
    different = held[:n] != wanted[:n]
    first = int(different.argmax()) if n else 0
    return first if n and different[first] else n
