"""Two runs, one of which is changed by the other, and what they answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from app.engine.patch_runs import Run
from app.engine.patching_types import MIN_EFFECT, Direction, Ends, MapRow, Site
from app.errors import UndefinedEffect


@dataclass(frozen=True, slots=True)
class Pair:
    """Base and source of one request."""

    clean: Run
    corrupt: Run
    direction: Direction
    n_common: int
    """Tokens that both texts begin with."""
    positions: tuple[tuple[int, int], ...]
    """Of the base and of the source."""
    logits: torch.Tensor
    """float32 `[2, d_vocab]` of the clean and the corrupt run at their ends."""
    ends: Ends

    @property
    def base(self) -> Run:
        return self.corrupt if self.direction == "denoise" else self.clean

    @property
    def source(self) -> Run:
        return self.clean if self.direction == "denoise" else self.corrupt

    @property
    def base_value(self) -> float:
        return self.ends.corrupt if self.direction == "denoise" else self.ends.clean

    @property
    def source_value(self) -> float:
        return self.ends.clean if self.direction == "denoise" else self.ends.corrupt

    def source_rows(self, layer: int, positions: Sequence[int]) -> torch.Tensor:
        """`[positions, d_model]`; of what both begin with the base's, which differ in no more than bits."""
        rows = self.source.rows[list(positions), layer].clone()
        for place, position in enumerate(positions):
            if position < self.n_common:
                rows[place] = self.base.rows[position, layer]
        return rows

    def value(self, logits: torch.Tensor) -> list[float]:
        """Logit differences of rows `[n, d_vocab]`."""
        ends = self.ends
        return (logits[:, ends.answer].double() - logits[:, ends.foil].double()).tolist()

    @property
    def n_layers(self) -> int:
        return self.clean.rows.shape[1] - 1

    def known_value(self, site: Site, row: MapRow, base: int, source: int) -> float | None:
        """What a cell is where nothing has to be run to know it: the value of an end."""
        is_last = base == len(self.base.ids) - 1
        if source < self.n_common and source == base:
            return self.base_value
        if site == "resid":
            if row.layer == self.n_layers:
                if not is_last:
                    return self.base_value
                if source == len(self.source.ids) - 1:
                    return self.source_value
            rows = self.source_rows(row.layer, [source])[0]
            if torch.equal(rows, self.base.rows[base, row.layer]):
                return self.base_value
        elif row.layer == self.n_layers and not is_last:
            return self.base_value
        return None


def require_effect(ends: Ends) -> None:
    """Raises UndefinedEffect where there is no score between the two runs."""
    if ends.answer == ends.foil:
        raise UndefinedEffect(
            f"Both runs have the same top-1 token (id {ends.answer}), so there is nothing to carry over.",
            hint="Choose an answer and a foil that the two texts tell apart, or other texts.",
            param="answer",
        )
    runs = {"clean": ends.clean, "corrupt": ends.corrupt}
    broken = [name for name, value in runs.items() if not math.isfinite(value)]
    if broken:
        raise UndefinedEffect(
            f"The logits of the answer (id {ends.answer}) and the foil (id {ends.foil}) have no finite"
            f" difference in the {' and the '.join(broken)} run, so there is no scale for a score.",
            hint="Choose another answer and foil. Where no pair of tokens works, the weights of this"
            " model are damaged or overflow in its dtype: load it with EXPLORER_DTYPE=float32.",
            param="answer",
        )
    if abs(ends.clean - ends.corrupt) < MIN_EFFECT:
        raise UndefinedEffect(
            f"Both runs answer alike: the logit difference is {ends.clean:.4g} in the clean and"
            f" {ends.corrupt:.4g} in the corrupt run, so there is nothing to carry over.",
            hint="Choose an answer and a foil that the two texts tell apart, or other texts.",
            param="answer",
        )
