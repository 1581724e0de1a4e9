"""Dose curves: what tokens' probabilities become as the strength of an intervention grows.

For each strength only what is touched is run again: the tokens from the first one that is changed, behind
a copy of the plain run's cache. At strength 0 the numbers are the plain run's own, bit for bit.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

import numpy as np
import torch

from app.engine.edits import Edits
from app.engine.intervention_types import (
    Curves,
    Dose,
    DoseWanted,
    Interventions,
    at_strength,
    controlled,
)
from app.engine.kv_cache import GrowingCache
from app.engine.memory import naming_out_of_memory
from app.engine.reading import Parts
from app.engine.unembed import require_finite


@torch.inference_mode()
def dose(
    parts: Parts, ids: Sequence[int], wanted: DoseWanted, lineage: Sequence[str]
) -> Iterator[Dose | None]:
    """See `LensEngine.dosing`."""
    with naming_out_of_memory("a dose curve"):
        runs = _Runs(parts, ids, wanted, lineage)
        found = yield from runs.curves(wanted.interventions)
        fired = runs.fired
        control = None
        if wanted.has_control:
            control = yield from runs.curves(controlled(wanted.interventions))
        yield Dose(found, control, fired)


class _Runs:
    """The runs of one request."""

    def __init__(
        self, parts: Parts, ids: Sequence[int], wanted: DoseWanted, lineage: Sequence[str]
    ) -> None:
        self.fired = (0,) * len(wanted.interventions.items)
        """Of the last run at a strength other than 0."""
        self._parts = parts
        self._whole = ids
        """So that the plain run has the passes that a reading of it has."""
        self._ids = ids[: wanted.position + 1]
        self._wanted = wanted
        self._lineage = lineage
        self._first = at_strength(wanted.interventions, 1.0).first_touched
        self._cache: GrowingCache | None = None
        """The plain run's, up to the first token that is changed."""

    def curves(self, interventions: Interventions) -> Generator[None, None, Curves]:
        """One run for each strength."""
        streams = []
        for strength in self._wanted.strengths:
            edits = yield from self._parts.maker.made(
                at_strength(interventions, strength), self._parts.store
            )
            assert edits is not None
            stream = yield from self._stream(edits)
            streams.append(stream.to(self._parts.decoder.device))
            yield
        size = self._parts.unembedding.chunk_rows
        columns = []
        for start in range(0, len(streams), size):
            columns.append(self._read(torch.stack(streams[start : start + size])))
            yield
        found = (np.concatenate(each, axis=1) for each in zip(*columns, strict=True))
        return Curves(*found)

    def _stream(self, edits: Edits) -> Generator[None, None, torch.Tensor]:
        """The last stream at the position, `[d_model]`."""
        store, n_needed = self._parts.store, len(self._ids)
        if edits.first_touched >= n_needed:
            timeline = yield from store.covering(self._whole, n_needed, self._lineage)
            return timeline.streams([n_needed - 1])[0, -1]
        first = yield from self._rewound()
        counts = np.zeros(len(edits), dtype=np.int64)
        running = store.running_apart(self._ids, n_needed, edits, self._cache, first)
        while True:
            try:
                next(running)
            except StopIteration as end:
                rows: torch.Tensor = end.value
                counts += edits.counts.sum(0)
                break
            counts += edits.counts.sum(0)
            yield
        self.fired = tuple(counts.tolist())
        return rows[-1, -1]

    def _rewound(self) -> Generator[None, None, int]:
        """How many tokens the cache holds for the next run; none where a model's cache cannot be cut."""
        first = int(self._first)
        if self._cache is None and first and is_cuttable(self._parts):
            timeline = yield from self._parts.store.covering(self._whole, first, self._lineage)
            if isinstance(timeline.cache, GrowingCache):
                self._cache = timeline.cache.prefix(first)
        if self._cache is None:
            return 0
        self._cache.cut(first)
        return first

    def _read(self, streams: torch.Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Probability, log-probability and rank of each token after last streams `[runs, d_model]`, by the
        model's own tail: `[tokens, runs]` each."""
        unembedding = self._parts.unembedding
        logits = unembedding.decode(streams)
        for row in logits:
            require_finite(row, self._parts.decoder.n_layers, len(self._ids) - 1)
        tokens = torch.tensor(self._wanted.targets, device=logits.device)
        tokens = tokens[:, None].expand(-1, len(streams))
        numbers = unembedding.reader.read(logits[:, None], tokens, 1)
        logprobs = numbers.token_logprobs_nats[..., 0]
        return (
            logprobs.exp().cpu().numpy(),
            logprobs.cpu().numpy(),
            numbers.token_ranks[..., 0].cpu().numpy(),
        )


def is_cuttable(parts: Parts) -> bool:
    """Whether the store's timelines have caches that can be cut, and that take several tokens."""
    return parts.store.reuse == "chunks" and isinstance(parts.decoder.new_cache(), GrowingCache)
