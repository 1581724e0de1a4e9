"""Rows of half layers: layer `n - 0.5` is the stream inside block `n`, after attention, before the MLP.

The store keeps the rows of whole layers. Half rows are read from the module that is given the stream
between the two, in the pass that generates a token, or by running tokens of a stored timeline again:
the passes that computed them, so that the bits are the same, except that tokens that were generated
one by one run together where a cache takes several. The timeline and its cache keep their bits.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers.cache_utils import Cache

from app.engine.capture import TracedDecoder
from app.engine.components import BlockWrites
from app.engine.edits import Edits
from app.engine.kv_cache import GrowingCache
from app.engine.residuals import PREFILL_TOKENS, CacheReuse
from app.engine.timeline import Timeline
from app.engine.types import Layer

Middles = Callable[[], torch.Tensor]
"""Half rows of the pass that ran last: float32 `[tokens, n_layers, d_model]`, in main memory."""


def has_half(layers: Sequence[Layer]) -> bool:
    """Whether any of these is a half layer."""
    return any(layer % 1 for layer in layers)


def interleaved(streams: torch.Tensor, middles: torch.Tensor) -> torch.Tensor:
    """Whole layers `[..., n_layers + 1, d_model]` and half ones `[..., n_layers, d_model]` in their order."""
    *places, n_whole, d_model = streams.shape
    both = streams.new_empty(*places, 2 * n_whole - 1, d_model)
    both[..., 0::2, :] = streams
    both[..., 1::2, :] = middles
    return both


@contextmanager
def recording_middles(decoder: TracedDecoder, splits: Sequence[BlockWrites]) -> Iterator[Middles]:
    """Hooks on the module after attention of every block. All blocks must have one."""
    d_model = decoder.d_model
    seen: list[torch.Tensor | None] = [None] * len(splits)

    def recording(place: int) -> Callable[..., None]:
        def before(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            stream = next(
                value
                for value in (*args, *kwargs.values())
                if isinstance(value, torch.Tensor) and value.shape[-1:] == (d_model,)
            )
            # A copy, because modules may work in place.
            seen[place] = stream.reshape(-1, d_model).float().clone()

        return before

    def middles() -> torch.Tensor:
        found = [stream for stream in seen if stream is not None]
        assert len(found) == len(seen)
        return torch.stack(found, dim=1).cpu()

    with ExitStack() as hooks:
        for place, (block, split) in enumerate(zip(decoder.structure.blocks, splits, strict=True)):
            assert split.middle_path is not None
            module = block.get_submodule(split.middle_path)
            hook = module.register_forward_pre_hook(recording(place), with_kwargs=True)
            hooks.callback(hook.remove)
        yield middles


class HalfRows:
    """Half rows of one timeline, for one request.

    What was run last is kept, so that positions read in their order are run once.
    """

    def __init__(
        self,
        decoder: TracedDecoder,
        splits: Sequence[BlockWrites],
        reuse: CacheReuse,
        edits: Edits | None = None,
    ) -> None:
        """`edits` are those that the timelines were computed under."""
        self._decoder = decoder
        self._splits = splits
        self._reuse = reuse
        self._edits = edits
        self._timeline: Timeline | None = None
        self._span = range(0)
        self._rows = torch.empty(0)
        """Half rows of the span, `[tokens, n_layers, d_model]`."""
        self._cache: Cache | None = None
        """A cache of this request's own that ends where the span ends, for caches that cannot be wound
        back."""

    def at(
        self, timeline: Timeline, positions: Sequence[int]
    ) -> Generator[None, None, torch.Tensor]:
        """Half rows of positions, float32 `[positions, n_layers, d_model]`.

        An item stands between two passes. The timeline must hold the positions while this runs.
        """
        if timeline is not self._timeline:
            self._timeline, self._span, self._cache = timeline, range(0), None
        found = torch.empty(len(positions), self._decoder.n_layers, self._decoder.d_model)
        each = np.asarray(positions)
        has_run = False
        for span in self._spans(timeline, sorted(set(positions))):
            if span != self._span:
                if has_run:
                    yield
                yield from self._run(timeline, span)
                has_run = True
            inside = (each >= span.start) & (each < span.stop)
            found[inside.nonzero()[0]] = self._rows[each[inside] - span.start]
        return found

    @contextmanager
    def of_next_token(self) -> Iterator[Callable[[torch.Tensor], torch.Tensor]]:
        """Inside, the function puts half rows between the streams of the last token of a pass."""
        with recording_middles(self._decoder, self._splits) as middles:
            yield lambda streams: interleaved(streams, middles()[-1].to(streams.device))

    def _spans(self, timeline: Timeline, positions: Sequence[int]) -> list[range]:
        """What has to be run, in order: the pass of each position."""
        ends = np.abs(timeline.pass_ends)
        places = np.unique(np.searchsorted(ends, positions, side="right")).tolist()
        spans = [range(int(ends[place - 1]) if place else 0, int(ends[place])) for place in places]
        return self._joined(spans)

    def _joined(self, spans: Sequence[range]) -> list[range]:
        """Tokens that were generated one by one, together where a cache takes several."""
        joined: list[range] = []
        were_single = False
        for span in spans:
            is_single = len(span) == 1 and self._reuse == "chunks"
            if (
                is_single
                and were_single
                and joined[-1].stop == span.start
                and len(joined[-1]) < PREFILL_TOKENS
            ):
                joined[-1] = range(joined[-1].start, span.stop)
            else:
                joined.append(span)
            were_single = is_single
        return joined

    def _run(self, timeline: Timeline, span: range) -> Iterator[None]:
        """Run the tokens of a span again; an item stands between two passes."""
        ids = timeline.ids[: span.stop].tolist()
        cache = timeline.cache
        with ExitStack() as rewound:
            first = span.start
            if isinstance(cache, GrowingCache):
                rewound.enter_context(cache.rewound(span.start, span.stop))
            elif cache is None or self._reuse == "none":
                cache, first = None, 0
            else:
                cache = yield from self._caught_up(timeline, span.start)
            self._span = range(0)
            rows = self._decoder.empty_rows(span.stop - first)
            with recording_middles(self._decoder, self._splits) as middles:
                self._decoder.forward(ids[first:], cache, rows, first, self._edits)
            self._rows = middles()[span.start - first :]
        self._span = span

    def _caught_up(self, timeline: Timeline, start: int) -> Generator[None, None, Cache | None]:
        """The cache of its own that holds everything before `start`."""
        done = self._span.stop
        if self._cache is None or done > start:
            self._cache, done = self._decoder.new_cache(), 0
        while done < start:
            end = timeline.pass_of(done).stop
            if self._reuse == "chunks":
                end = max(end, done + PREFILL_TOKENS)
            end = min(end, start)
            ids = timeline.ids[done:end].tolist()
            self._span = range(end, end)
            rows = self._decoder.empty_rows(len(ids))
            self._decoder.forward(ids, self._cache, rows, done, self._edits)
            done = end
            yield
        return self._cache
