"""Which cells of a map are run together.

All rows of a map at one position need the same tokens, so they are one batch: a cell joins it at its
own layer, and each block reads its weights once for all that have joined. Short neighbouring positions
go together too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from app.engine.patch_pair import Pair
from app.engine.patching_types import MapWanted

BATCH_TOKENS = 384
"""Tokens of a batch in one block."""
BATCH_CELLS = 64
"""Cells of a batch: its logits are held at once."""
PADDED_TOKENS = 48
"""A batch runs every cell from its first position on; tokens that this may add in one block."""
COPIED_TOKENS = 16_384
"""Tokens of the KV cache that a batch may copy in one block."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Cells that are run together, by layer."""

    cells: tuple[tuple[int, int], ...]
    cost: int
    """Tokens times blocks."""


def batches_of(pair: Pair, wanted: MapWanted, cells: Collection[tuple[int, int]]) -> list[Batch]:
    """Cells `(row, pair)` in batches, the earliest positions first."""
    n_tokens = len(pair.base.ids)

    def base_of(cell: tuple[int, int]) -> int:
        return pair.positions[cell[1]][0]

    def layer_of(cell: tuple[int, int]) -> int:
        return wanted.rows[cell[0]].layer

    def length(cell: tuple[int, int]) -> int:
        return n_tokens - pair.base.start_at(base_of(cell))

    def fits(together: Sequence[tuple[int, int]]) -> bool:
        longest = length(together[0])
        return (
            len(together) <= BATCH_CELLS
            and len(together) * longest <= BATCH_TOKENS
            and len(together) * n_tokens <= COPIED_TOKENS
            and len(together) * longest - sum(map(length, together)) <= PADDED_TOKENS
        )

    def batch(together: Sequence[tuple[int, int]]) -> Batch:
        by_layer = tuple(sorted(together, key=layer_of))
        return Batch(by_layer, sum(cost_of(pair, wanted, cell) for cell in by_layer))

    batches = []
    open_: list[tuple[int, int]] = []
    in_order = sorted(cells, key=lambda cell: (base_of(cell), layer_of(cell)))
    for _, column in groupby(in_order, key=base_of):
        left = list(column)
        if open_ and fits([*open_, *left]):
            open_ += left
            continue
        if open_:
            batches.append(batch(open_))
        n_parts = next(n for n in range(1, len(left) + 1) if n == len(left) or fits(_part(left, n)))
        size = len(_part(left, n_parts))
        while len(left) > size:
            batches.append(batch(left[:size]))
            left = left[size:]
        open_ = left
    if open_:
        batches.append(batch(open_))
    return batches


def cost_of(pair: Pair, wanted: MapWanted, cell: tuple[int, int]) -> int:
    """Tokens times blocks that a cell needs by itself."""
    row, place = wanted.rows[cell[0]], pair.positions[cell[1]]
    n_blocks = pair.n_layers - row.layer + (wanted.site != "resid")
    return (len(pair.base.ids) - pair.base.start_at(place[0])) * max(1, n_blocks)


def _part(cells: list[tuple[int, int]], n_parts: int) -> list[tuple[int, int]]:
    """The largest of so many equal parts."""
    return cells[: -(-len(cells) // n_parts)]
