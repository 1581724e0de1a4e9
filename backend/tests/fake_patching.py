"""Patched runs of the fake model: numbers that follow from the request."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from app.engine.patching_types import (
    Ends,
    MapCells,
    MapEstimate,
    MapWanted,
    Patched,
    PatchSide,
    PatchWanted,
    Site,
)
from app.errors import IdentityFailed, LayerOutOfRange, UndefinedEffect

N_BLOCKS = 3


class FakePatching:
    """Implements `PatchingEngine`: a patch at layer `l` and position `t` is worth `(l + 1) / (t + 4)`."""

    def __init__(self, reach: Callable[[str], None]) -> None:
        self._reach = reach

    def blocks_with(self, site: Site) -> tuple[int, ...]:
        if site == "mlp":
            raise IdentityFailed("No MLP of this model can be had.", param="site")
        return tuple(range(0 if site == "resid" else 1, N_BLOCKS + 1))

    def ends(self, clean: PatchSide, corrupt: PatchSide, wanted: PatchWanted | MapWanted) -> Ends:
        if clean.ids == corrupt.ids:
            raise UndefinedEffect("Both runs answer alike.", param="answer")
        metric = wanted.metric
        answer = 65 if metric.answer is None else metric.answer
        foil = 66 if metric.foil is None else metric.foil
        return Ends(answer, foil, 4.0, -2.0, 0)

    def value(self, layer: int, head: int | None, clean: int, direction: str) -> float:
        share = (layer + 1 + (head or 0)) / (clean + 4)
        return -2.0 + 6.0 * share if direction == "denoise" else 4.0 - 6.0 * share

    def patching(
        self, clean: PatchSide, corrupt: PatchSide, wanted: PatchWanted
    ) -> Iterator[Patched | None]:
        if wanted.layer > N_BLOCKS:
            raise LayerOutOfRange(f"There is no layer {wanted.layer}.", param="layer")
        yield None
        ends = self.ends(clean, corrupt, wanted)
        value = self.value(wanted.layer, None, wanted.positions[0][0], wanted.direction)
        tops = tuple(((token_id, 0.5), (67, 0.25)) for token_id in (65, 66, 65))
        yield Patched(ends, value, 0.125, tops, 7)

    def mapping(
        self,
        clean: PatchSide,
        corrupt: PatchSide,
        wanted: MapWanted,
        done: frozenset[tuple[int, int]] = frozenset(),
        estimate: MapEstimate | None = None,
    ) -> Iterator[Ends | MapEstimate | MapCells | None]:
        self._reach("map")
        yield None
        ends = self.ends(clean, corrupt, wanted)
        yield ends
        shape = (len(wanted.rows), len(wanted.positions))
        values = np.array(
            [
                [
                    self.value(row.layer, row.head, pair[0], wanted.direction)
                    for pair in wanted.positions
                ]
                for row in wanted.rows
            ]
        )
        if estimate is None:
            # Twice what is found: another size, the same order.
            scores = 2 * np.vectorize(lambda v: ends.score(v, wanted.direction))(values)
            yield MapEstimate(scores.astype(np.float32), None)
        cells = [cell for cell in np.ndindex(*shape) if cell not in done]
        for n, (row, place) in enumerate(cells, start=1):
            self._reach("cell")
            self._reach(f"cell:{n}")
            yield MapCells(((row, place, values[row, place]),), n / len(cells), 5)
