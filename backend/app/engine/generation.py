"""Generation: one traced pass per token, its residual streams kept as it is fed.

A token is known from the logits before it, so it is yielded before the model runs on it; the pass
that feeds it happens only when the next token is asked for. The read-outs of a token come out of the
same product as the logits it was sampled from, so that the unembedding is read from memory once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import torch

from app.engine.capture import RowsToDecode
from app.engine.half_rows import interleaved
from app.engine.intervention_types import Interventions
from app.engine.memory import naming_out_of_memory
from app.engine.protocols import Vocabulary
from app.engine.reading import Parts
from app.engine.sampling import Sampler
from app.engine.stopping import StopMatcher
from app.engine.types import (
    Finish,
    FinishReason,
    Layer,
    LensColumns,
    Sampling,
    Step,
    Wanted,
)
from app.engine.unembed import Unembedding, require_finite


# On a generator, torch enters the mode for each item: grad mode is thread-local and must not leak
# out of one that is suspended.
@torch.inference_mode()
def generate(
    parts: Parts,
    vocabulary: Vocabulary,
    ids: Sequence[int],
    sampling: Sampling,
    *,
    wanted: Wanted | None,
    lineage: Sequence[str],
    interventions: Interventions | None,
    n_layers: int,
    n_ctx: int,
    end_ids: frozenset[int],
) -> Iterator[Step | LensColumns | Finish | None]:
    """Yields each new token as a `Step`, with `wanted` its read-out after it, then one `Finish`.

    Where half layers are wanted, the last pass of the prompt is run twice.

    None stands between the passes over the prompt, of which `ids` leave room for at least one token.
    The timeline in the store ends with what was fed: the last token that was yielded is run when
    something asks for its residual stream.
    """
    store, unembedding = parts.store, parts.unembedding
    layers: Sequence[Layer] = [n_layers] if wanted is None else unembedding.layers_to_read(wanted)
    lens = parts.lenses.get("logit" if wanted is None else wanted.kind, parts.name, "kind")

    def to_decode(streams: torch.Tensor) -> torch.Tensor:
        return unembedding.rows(streams, layers, lens)

    def composed(whole_and_half: RowsToDecode) -> RowsToDecode:
        return lambda streams: to_decode(whole_and_half(streams))

    with naming_out_of_memory("running the model on the prompt"):
        edits = yield from parts.maker.made(interventions, store)
        half_rows = parts.half_rows(layers, edits)
        timeline = yield from store.exactly(ids, lineage, edits)
        streams = timeline.last_stream()
        if half_rows is not None:
            with store.pinned(timeline, lineage):
                middles = yield from half_rows.at(timeline, [len(ids) - 1])
            streams = interleaved(streams, middles[0].to(streams.device))
        logits = unembedding.decode(to_decode(streams))
    reply = _Reply(
        unembedding,
        vocabulary,
        sampling,
        wanted=wanted,
        n_layers=n_layers,
        start=len(ids),
        end_ids=end_ids,
    )
    with store.pinned(timeline, lineage), naming_out_of_memory("a further token"):
        try:
            while True:
                yield from reply.take(logits)
                reason = reply.reason(n_ctx)
                if reason is not None:
                    fired = () if edits is None else timeline.fired(timeline.length, len(edits))
                    yield from reply.finish(reason, fired)
                    return
                if half_rows is None:
                    logits = store.step(timeline, reply.last_id, to_decode, edits)
                    continue
                with half_rows.of_next_token() as whole_and_half:
                    decoding = composed(whole_and_half)
                    logits = store.step(timeline, reply.last_id, decoding, edits)
        finally:
            # Under interventions on a reply, the last token counts as one of it only when another follows.
            store.cut(timeline, len(ids) + reply.n_kept - (edits is not None))


class _Reply:
    """The reply so far: what was sampled, what of it is decided, and how it ends."""

    def __init__(
        self,
        unembedding: Unembedding,
        vocabulary: Vocabulary,
        sampling: Sampling,
        *,
        wanted: Wanted | None,
        n_layers: int,
        start: int,
        end_ids: frozenset[int],
    ) -> None:
        self.last_id = -1
        self.n_kept = 0
        """Tokens that belong to the reply for certain."""
        self._unembedding = unembedding
        self._vocabulary = vocabulary
        self._sampling = sampling
        self._wanted = wanted
        self._sampler = Sampler(sampling)
        self._stops = StopMatcher(sampling.stop)
        self._n_layers = n_layers
        self._start = start
        self._end_ids = end_ids
        self._n_sampled = 0
        self._met: Finish | None = None
        self._columns: dict[int, LensColumns] = {}
        """Read-outs, by token index, of tokens that were not yielded yet."""

    def take(self, logits: torch.Tensor) -> Iterator[Step | LensColumns]:
        """Sample the next token from logits `[rows, d_vocab]`, the model's own first.

        Yields the tokens that are thereby decided, and their read-outs.
        """
        index = self._start + self._n_sampled
        require_finite(logits[0], self._n_layers, index - 1)
        token_id = self.last_id = self._sampler.choose(logits[0])
        self._n_sampled += 1
        if token_id in self._end_ids:
            self._met = Finish("stop", dropped_ids=(token_id,))
            return
        released = self._stops.feed(
            self._read(logits, index, token_id), self._vocabulary.token_bytes(token_id)
        )
        if released.stop is not None:
            dropped = tuple(s.token_id for s in released.dropped)
            self._met = Finish("stop", released.stop, dropped)
        yield from self._keep(released.steps)

    def reason(self, n_ctx: int) -> FinishReason | None:
        """Why the reply ends here, or None."""
        if self._met is not None:
            return "stop"
        if self._n_sampled >= self._sampling.max_new_tokens:
            return "length"
        return "context" if self._start + self._n_sampled >= n_ctx else None

    def finish(
        self, reason: FinishReason, fired: tuple[int, ...]
    ) -> Iterator[Step | LensColumns | Finish]:
        """The tokens still held back, unless they spell the stop string, and the end."""
        if self._met is None or self._met.stop is None:
            yield from self._keep(self._stops.flush())
        yield dataclasses.replace(self._met or Finish(reason), fired=fired)

    def _read(self, logits: torch.Tensor, index: int, token_id: int) -> Step:
        if self._wanted is None:
            return self._unembedding.score(logits[0], index, token_id)
        columns = self._unembedding.columns(logits[None], [index - 1], [token_id], self._wanted)
        self._columns[index] = columns
        return columns.scores[0]

    def _keep(self, steps: Sequence[Step]) -> Iterator[Step | LensColumns]:
        for step in steps:
            self.n_kept += 1
            yield step
            if step.index in self._columns:
                yield self._columns.pop(step.index)
