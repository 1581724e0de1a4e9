"""Which cells of a map are run together: few enough for one turn, and of like length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.engine.patch_pair import Pair
from app.engine.patching_types import MapWanted

TURN_TOKENS = 384
"""Tokens times blocks of one batch of cells, so that a reply that comes meanwhile waits for little."""
MAX_PADDING = 1.4
"""A batch runs every cell from its first position on; at most this times what each needs by itself."""
COPIED_TOKENS = 16_384
"""Tokens times blocks of the KV cache that a batch may copy."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Cells of one layer that are run together."""

    layer: int
    cells: tuple[tuple[int, int], ...]
    cost: int
    """Tokens times blocks."""


def batches_of(pair: Pair, wanted: MapWanted, done: frozenset[tuple[int, int]]) -> list[Batch]:
    """All cells that have to be run: of a layer each, with neighbouring positions."""
    batches = []
    n_tokens, n_layers = len(pair.base.ids), pair.n_layers
    by_place = sorted(range(len(pair.positions)), key=lambda place: pair.positions[place][0])
    # Heads of a block are run together as positions of a layer are.
    layers = sorted({row.layer for row in wanted.rows})
    for layer in layers:
        n_blocks = n_layers - layer + (wanted.site != "resid")
        cells = [
            (number, place)
            for place in by_place
            for number, row in enumerate(wanted.rows)
            if row.layer == layer
            and (number, place) not in done
            and pair.known_value(wanted.site, row, *pair.positions[place]) is None
        ]
        lengths = [
            n_tokens - pair.positions[place][0] if pair.base.cache is not None else n_tokens
            for _, place in cells
        ]
        start = 0
        for end in range(1, len(cells) + 1):
            if end == len(cells) or not _fits(lengths[start : end + 1], n_tokens, n_blocks):
                cost = (end - start) * lengths[start] * max(1, n_blocks)
                batches.append(Batch(layer, tuple(cells[start:end]), cost))
                start = end
    return batches


def _fits(lengths: Sequence[int], n_tokens: int, n_blocks: int) -> bool:
    """Whether cells of these lengths, longest first, are one batch."""
    if len(lengths) == 1:
        return True
    run = len(lengths) * lengths[0]
    return (
        run * n_blocks <= TURN_TOKENS
        and run <= MAX_PADDING * sum(lengths)
        and len(lengths) * n_tokens * n_blocks <= COPIED_TOKENS
    )
