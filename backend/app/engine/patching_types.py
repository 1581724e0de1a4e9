"""What is patched and what comes of it, as it crosses from the engine to the services.

A run is the model on one text. In `denoise` states of the clean run are put into the corrupt one, in
`noise` those of the corrupt run into the clean one: the run that is changed is the *base*, the other
the *source*. Blocks are counted from 1, layers and heads from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.engine.types import FloatArray

Site = Literal["resid", "attn", "mlp", "head"]
Direction = Literal["denoise", "noise"]

MIN_EFFECT = 1e-3
"""Logit differences of the two runs that are nearer than this have no score between them."""


@dataclass(frozen=True, slots=True)
class PatchSide:
    """One of the two texts."""

    ids: tuple[int, ...]
    lineage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured at the last position: the logit of an answer less that of a foil."""

    answer: int | None = None
    """None: the most probable token of the clean run."""
    foil: int | None = None
    """None: the most probable token of the corrupt run."""


@dataclass(frozen=True, slots=True)
class PatchWanted:
    """What is put from one run into the other, all at once."""

    site: Site
    layer: int
    """A layer for `resid`, a block for the others."""
    positions: tuple[tuple[int, int], ...]
    """Pairs of positions, of the clean and of the corrupt run."""
    direction: Direction = "denoise"
    metric: Metric = Metric()
    heads: tuple[int, ...] | None = None
    """With `head`: which; None for all."""


@dataclass(frozen=True, slots=True)
class MapRow:
    """One row of a map: a layer, a block, or a head of it."""

    layer: int
    head: int | None = None


@dataclass(frozen=True, slots=True)
class MapWanted:
    """Cells that are patched one by one: every row at every pair of positions."""

    site: Site
    rows: tuple[MapRow, ...]
    positions: tuple[tuple[int, int], ...]
    direction: Direction = "denoise"
    metric: Metric = Metric()


@dataclass(frozen=True, slots=True)
class Ends:
    """The two runs without a patch, at their last positions."""

    answer: int
    foil: int
    clean: float
    """Logit of the answer less that of the foil."""
    corrupt: float
    computed_tokens: int

    def score(self, patched: float, direction: Direction) -> float:
        """Where a patched run lies between its base, 0, and its source, 1. The ends must differ."""
        base, source = self.clean, self.corrupt
        if direction == "denoise":
            base, source = source, base
        return (patched - base) / (source - base)


@dataclass(frozen=True, slots=True)
class Patched:
    """A patched run, read at its last position."""

    ends: Ends
    patched: float
    kl_to_clean_nats: float
    """KL(clean ‖ patched)."""
    top: tuple[tuple[tuple[int, float], ...], ...]
    """Most probable tokens with their probabilities: of the clean, the corrupt and the patched run."""
    computed_tokens: int


@dataclass(frozen=True, slots=True)
class MapEstimate:
    """Scores of all cells by attribution patching, `[rows, positions]`; an estimate.

    Syed et al. 2023, "Attribution Patching Outperforms Automated Circuit Discovery"
    (arXiv:2310.10348).
    """

    scores: FloatArray | None
    """None where there are none."""
    reason: str | None
    """Why there are none."""


@dataclass(frozen=True, slots=True)
class MapCells:
    """Cells that were computed exactly."""

    cells: tuple[tuple[int, int, float], ...]
    """Index of the row, index of the pair, logit difference of the patched run."""
    progress: float
    """Share of the work that is done, in `[0, 1]`."""
    computed_tokens: int
    """Tokens run through blocks for these, however few blocks."""
