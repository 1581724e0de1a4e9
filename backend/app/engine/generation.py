"""Generation: one traced pass per token, its residual streams kept as it is fed.

A token is known from the logits before it, so it is yielded before the model runs on it; the pass
that feeds it happens only when the next token is asked for. Grad mode is thread-local and would
leak out of a suspended generator, so each piece of work enters `inference_mode` for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from app.engine.memory import naming_out_of_memory
from app.engine.residuals import ResidualStore, Timeline
from app.engine.sampling import Sampler
from app.engine.stopping import StopMatcher
from app.engine.types import Finish, FinishReason, Sampling, ShouldStop, Step, Vocabulary
from app.engine.unembed import require_finite, score


def generate(
    store: ResidualStore,
    vocabulary: Vocabulary,
    ids: Sequence[int],
    sampling: Sampling,
    *,
    n_layers: int,
    n_ctx: int,
    end_ids: frozenset[int],
    should_stop: ShouldStop,
) -> Iterator[Step | Finish]:
    """Yields each new token as a `Step`, then one `Finish`. `ids` leave room for at least one.

    The timeline in the store ends with what was fed: the last token that was yielded is run when
    something asks for its residual stream.
    """
    started = _start(store, ids, should_stop)
    if started is None:
        yield Finish("cancelled")
        return
    timeline, logits = started
    reply = _Reply(vocabulary, sampling, n_layers=n_layers, start=len(ids), end_ids=end_ids)
    with store.pinned(timeline):
        try:
            while True:
                yield from reply.take(logits)
                reason = reply.reason(n_ctx)
                if reason is not None:
                    yield from reply.finish(reason)
                    return
                following = _feed(store, timeline, reply.last_id, should_stop)
                if following is None:
                    yield from reply.finish("cancelled")
                    return
                logits = following
        finally:
            store.cut(timeline, len(ids) + reply.n_kept)


@naming_out_of_memory("running the model on the prompt")
@torch.inference_mode()
def _start(
    store: ResidualStore, ids: Sequence[int], should_stop: ShouldStop
) -> tuple[Timeline, torch.Tensor] | None:
    return store.exactly(ids, should_stop)


@naming_out_of_memory("a further token")
@torch.inference_mode()
def _feed(
    store: ResidualStore, timeline: Timeline, token_id: int, should_stop: ShouldStop
) -> torch.Tensor | None:
    return store.extend(timeline, (token_id,), should_stop)


class _Reply:
    """The reply so far: what was sampled, what of it is decided, and how it ends."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        sampling: Sampling,
        *,
        n_layers: int,
        start: int,
        end_ids: frozenset[int],
    ) -> None:
        self.last_id = -1
        self.n_kept = 0
        """Tokens that belong to the reply for certain."""
        self._vocabulary = vocabulary
        self._sampling = sampling
        self._sampler = Sampler(sampling)
        self._stops = StopMatcher(sampling.stop)
        self._n_layers = n_layers
        self._start = start
        self._end_ids = end_ids
        self._n_sampled = 0
        self._met: Finish | None = None

    def take(self, logits: torch.Tensor) -> Iterator[Step]:
        """Sample the next token; yields the tokens that are thereby decided."""
        step = self._sample(logits)
        if step.token_id in self._end_ids:
            self._met = Finish("stop", dropped_ids=(step.token_id,))
            return
        released = self._stops.feed(step, self._vocabulary.token_bytes(step.token_id))
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

    def finish(self, reason: FinishReason) -> Iterator[Step | Finish]:
        """The tokens still held back, unless they spell the stop string, and the end."""
        if self._met is not None and self._met.stop is not None:
            yield self._met
            return
        yield from self._keep(self._stops.flush())
        yield self._met or Finish(reason)

    @torch.inference_mode()
    def _sample(self, logits: torch.Tensor) -> Step:
        index = self._start + self._n_sampled
        require_finite(logits[None], [(self._n_layers, index - 1)])
        self.last_id = self._sampler.choose(logits)
        self._n_sampled += 1
        return score(logits[None], [index], [self.last_id])[0]

    def _keep(self, steps: Sequence[Step]) -> Iterator[Step]:
        for step in steps:
            self.n_kept += 1
            yield step
