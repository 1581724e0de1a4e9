"""Read-outs and comparisons of timelines: from the store's streams to numbers, chunk by chunk."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch

from app.engine.capture import TracedDecoder
from app.engine.components import BlockWrites
from app.engine.divergence import DivergenceReader, SideStreams
from app.engine.edits import Edits
from app.engine.half_rows import HalfRows, has_half, interleaved
from app.engine.intervention_types import Interventions
from app.engine.interventions import InterventionMaker
from app.engine.lenses import Lenses
from app.engine.memory import naming_out_of_memory
from app.engine.residuals import ResidualStore, n_shared
from app.engine.timeline import Timeline
from app.engine.types import Comparison, Layer, LensColumns, Pairs, Side, Wanted
from app.engine.unembed import Unembedding


@dataclass(frozen=True, slots=True)
class Parts:
    """What reads a model."""

    name: str
    decoder: TracedDecoder
    store: ResidualStore
    unembedding: Unembedding
    lenses: Lenses
    maker: InterventionMaker
    splits: tuple[BlockWrites, ...]

    def half_rows(self, layers: Sequence[Layer], edits: Edits | None = None) -> HalfRows | None:
        """What reads half layers for one request; None where none is wanted."""
        if not has_half(layers):
            return None
        return HalfRows(self.decoder, self.splits, self.store.reuse, edits)


@torch.inference_mode()
def read_timeline(
    parts: Parts,
    ids: Sequence[int],
    positions: Sequence[int],
    wanted: Wanted,
    lineage: Sequence[str],
    interventions: Interventions | None,
) -> Iterator[LensColumns | None]:
    """See `LensEngine.reading`."""
    lens = parts.lenses.get(wanted.kind, parts.name, "kind")
    n_needed = max(positions, default=-1) + 1
    size = parts.unembedding.positions_per_chunk(wanted)
    with naming_out_of_memory("reading this text"):
        edits = yield from parts.maker.made(interventions, parts.store)
        half_rows = parts.half_rows(wanted.layers, edits)
        for start in range(0, len(positions), size):
            chunk = positions[start : start + size]
            # Looked up for each chunk: between two, the store may have forgotten the timeline.
            timeline = yield from parts.store.covering(ids, n_needed, lineage, edits)
            following = [ids[p + 1] if p + 1 < len(ids) else None for p in chunk]
            streams = yield from _streams(timeline, chunk, half_rows)
            columns = parts.unembedding.read(streams, chunk, following, wanted, lens)
            fired = _fired(timeline, n_needed, edits)
            yield dataclasses.replace(columns, fired=fired) if fired else columns


@torch.inference_mode()
def compare_timelines(parts: Parts, a: Side, b: Side, pairs: Pairs) -> Iterator[Comparison | None]:
    """See `LensEngine.comparing`."""
    of_a, of_b = zip(*pairs.positions, strict=True)
    reader = DivergenceReader(parts.unembedding)
    each_layer = [layer for pair in pairs.layers for layer in pair]
    with naming_out_of_memory("comparing these texts"), ExitStack() as pins:
        of_side_a = yield from parts.maker.made(a.interventions, parts.store)
        of_side_b = yield from parts.maker.made(b.interventions, parts.store)
        edits = (of_side_a, of_side_b)
        # What both begin with is one text. It may have been computed by passes of other lengths on the
        # two sides, so that its rows differ in their last bits: `b` takes those of `a`.
        n_common = _n_common(a, b, edits)
        taken = max((position for position in of_b if position < n_common), default=-1)
        half_rows = [parts.half_rows(each_layer, each) for each in edits]
        # A store that cannot hold both would forget, chunk by chunk, each for the other.
        timelines = []
        fired = []
        for side, last, each in ((a, max(*of_a, taken), edits[0]), (b, max(of_b), edits[1])):
            timeline = yield from parts.store.covering(side.ids, last + 1, side.lineage, each)
            pins.enter_context(parts.store.pinned(timeline, side.lineage))
            timelines.append(timeline)
            fired.append(_fired(timeline, last + 1, each))
        for chunk in reader.chunks(pairs):
            streams = []
            for side, timeline, positions, halves in zip(
                (a, b), timelines, zip(*chunk.positions, strict=True), half_rows, strict=True
            ):
                each_position = tuple(dict.fromkeys(positions))
                rows = yield from _streams(timeline, each_position, halves)
                if timeline is not timelines[0]:
                    common = [row for row, p in enumerate(each_position) if p < n_common]
                    of_both = [each_position[row] for row in common]
                    rows[common] = yield from _streams(timelines[0], of_both, half_rows[0])
                lens = parts.lenses.get(side.kind, parts.name, "kind")
                streams.append(SideStreams(each_position, rows, lens))
            for found in reader.compare(streams[0], streams[1], chunk):
                yield (
                    None
                    if found is None
                    else dataclasses.replace(found, a_fired=fired[0], b_fired=fired[1])
                )


def _n_common(a: Side, b: Side, edits: tuple[Edits | None, Edits | None]) -> int:
    """How many tokens of both sides are computed alike: the same ids, before either is changed."""
    n_common = n_shared(np.asarray(a.ids), np.asarray(b.ids))
    digests = {"" if each is None else each.digest for each in edits}
    if len(digests) == 1:
        return n_common
    return int(min(n_common, *(each.first_touched for each in edits if each is not None)))


def _fired(timeline: Timeline, n_tokens: int, edits: Edits | None) -> tuple[int, ...]:
    return () if edits is None else timeline.fired(n_tokens, len(edits))


def _streams(
    timeline: Timeline, positions: Sequence[int], half_rows: HalfRows | None
) -> Generator[None, None, torch.Tensor]:
    """Residual streams of positions, with `half_rows` those of half layers between them."""
    if half_rows is None:
        return timeline.streams(positions)
    middles = yield from half_rows.at(timeline, positions)
    return interleaved(timeline.streams(positions), middles)
