"""Parts of a logit and rows of attention, as they cross from the engine to the services.

Blocks are counted from 1, as layers are; heads, neurons and sources from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.engine.types import FloatArray

PartKind = Literal[
    "embed", "position", "attn", "mlp", "mixer", "head", "source", "neuron", "rest", "bias"
]
"""`mixer`: what mixes positions without attention, such as a state space."""
Unit = Literal["component", "head", "source", "neuron"]
Mean = Literal["mean"]
"""The mean of all logits."""
Foil = int | Literal["best", "mean", "none"]
RowKind = Literal["weight", "norm", "logit"]


@dataclass(frozen=True, slots=True)
class Part:
    """One signed part of the logits of target and foil."""

    part: PartKind
    block: int | None
    """None for what is in no block."""
    head: int | None
    source: int | None
    neuron: int | None
    target: float
    foil: float | None


@dataclass(frozen=True, slots=True)
class Attribution:
    """Parts of a logit, or of the difference of two."""

    position: int
    target: int
    foil: int | Mean | None
    target_logit: float
    foil_logit: float | None
    parts: tuple[Part, ...]
    softcap: float | None
    """The model caps its logits at this; the parts are of the logits before that."""
    computed_tokens: int
    """Tokens run through the blocks for this answer."""

    @property
    def difference(self) -> float:
        return self.target_logit - (self.foil_logit or 0.0)

    @property
    def sum(self) -> float:
        return sum(part.target - (part.foil or 0.0) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AttributionWanted:
    """What to take apart, and how far."""

    target: int | None = None
    """None: the most probable token."""
    foil: Foil = "best"
    unit: Unit = "component"
    block: int | None = None
    """The block that is opened to sources or neurons."""
    head: int | None = None
    """With `source`: this head only."""
    top_k: int = 20
    """With `neuron`: the largest by absolute value; the others are one `rest`."""


Reading = Literal["reads", "read_by"]
"""The tokens that a token reads, or those that read it: itself and later ones."""


@dataclass(frozen=True, slots=True)
class AttentionWanted:
    """Which rows to read, and in which terms."""

    blocks: tuple[int, ...] | None = None
    kind: RowKind = "weight"
    target: int | None = None
    """With `logit`; None: the most probable token."""
    foil: Foil = "best"
    direction: Reading = "reads"
    """`read_by` is of weights only."""


@dataclass(frozen=True, slots=True)
class AttentionRows:
    """What a token reads, `B` blocks, `H` heads, `S` sources `0 … position`.

    Or what it is read by: `S` tokens from `position` to the end of the text.
    """

    position: int
    blocks: tuple[int, ...]
    """Those with attention, of the blocks that were asked for."""
    without_pattern: tuple[int, ...]
    """Those without."""
    values: FloatArray
    """[B, H, S]"""
    sink: FloatArray | None
    """[B, H]: weight that goes to no token; None where no head has any, and for other kinds."""
    target: int | None
    """With `logit`: the token whose logit it is; None for other kinds."""
    foil: int | Mean | None
    """With `logit`: what it is compared with."""
    computed_tokens: int


WritePart = Literal["attn", "mlp", "mixer"]


@dataclass(frozen=True, slots=True)
class WriteEffect:
    """The tokens whose logits one write of a block changes most, by id with the change."""

    part: WritePart
    promoted: tuple[tuple[int, float], ...]
    """The most raised first."""
    suppressed: tuple[tuple[int, float], ...]
    """The most lowered first."""


@dataclass(frozen=True, slots=True)
class BlockEffects:
    """What a block wrote at a position, decoded: its writes in running order."""

    position: int
    block: int
    writes: tuple[WriteEffect, ...]
    softcap: float | None
    """The model caps its logits at this; the changes are of the logits before that."""
    computed_tokens: int
