"""Interventions as the engine takes them: plain data, checked by the services, without torch.

Positions are indices of tokens, blocks are counted from 1, heads from 0.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal

from app.engine.types import Capability, FloatArray, IntArray, LensKind

Site = Literal["resid", "attn", "mlp", "head"]
"""`resid`: the residual stream at a layer; `attn`, `mlp`: what a block's attention or MLP adds to it;
`head`: what heads put into the attention's output."""


@dataclass(frozen=True, slots=True)
class TokenDirection:
    """The direction that raises a token's logit, through a lens that is fitted or the logit lens."""

    token_id: int
    lens: LensKind = "logit"


@dataclass(frozen=True, slots=True)
class ContrastDirection:
    """The mean of what the last tokens of some texts have at the site, less that of others."""

    plus: tuple[tuple[int, ...], ...]
    minus: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class RandomDirection:
    seed: int


Direction = TokenDirection | ContrastDirection | RandomDirection


@dataclass(frozen=True, slots=True)
class Zero:
    """Nothing is left."""


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean over these positions of a text, in its plain run."""

    ids: tuple[int, ...]
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Add:
    """`h + strength · ‖h‖ · d`"""

    direction: Direction
    strength: float


@dataclass(frozen=True, slots=True)
class ProjectOut:
    """`h - (h·d) d`"""

    direction: Direction


@dataclass(frozen=True, slots=True)
class Exchange:
    """The coordinates along two directions, exchanged."""

    first: Direction
    second: Direction


@dataclass(frozen=True, slots=True)
class Replace:
    """The same site of the plain run of another text, position by position."""

    ids: tuple[int, ...]
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KnockOut:
    """Attention edges to these positions, removed before the softmax."""

    sources: tuple[int, ...]


Operation = Zero | Mean | Add | ProjectOut | Exchange | Replace | KnockOut


@dataclass(frozen=True, slots=True)
class Touched:
    """The positions that an intervention acts at."""

    named: tuple[int, ...] = ()
    """In the order in which they were named."""
    open_from: int | None = None
    """All positions from here on as well, as while a reply is written."""

    @property
    def first(self) -> float:
        """The first of them; infinite where there is none."""
        opening = math.inf if self.open_from is None else self.open_from
        return min(min(self.named, default=math.inf), opening)


@dataclass(frozen=True, slots=True)
class Intervention:
    """One change of the computation."""

    site: Site
    layers: tuple[int, ...]
    """Layers for `resid`, blocks for the other sites."""
    heads: tuple[int, ...] | None
    """None: all."""
    touched: Touched
    operation: Operation
    param: str = "interventions"
    """The field of the request that it came from."""

    @property
    def is_inert(self) -> bool:
        """Whether it changes no bit by what it is."""
        return isinstance(self.operation, Add) and self.operation.strength == 0


@dataclass(frozen=True, slots=True)
class Interventions:
    """All changes of one run, in the order in which they act."""

    items: tuple[Intervention, ...]
    digest: str
    """Stands for all that decides what is computed; a timeline computed under other changes, or under
    none, is never taken for one of these."""

    @property
    def first_touched(self) -> float:
        """Before this position nothing differs from the plain run; infinite where nothing does at all."""
        return min(
            (item.touched.first for item in self.items if not item.is_inert), default=math.inf
        )


@dataclass(frozen=True, slots=True)
class InterventionSites:
    """What was measured, when the model was loaded, to change what it should and nothing else."""

    resid: Capability
    attn: Capability
    mlp: Capability
    head: Capability
    knock_out: Capability
    """Attention edges."""


@dataclass(frozen=True, slots=True)
class DoseWanted:
    """A dose curve: what a token's probability becomes as the strength grows."""

    interventions: Interventions
    """Each `Add` among them gets each of the strengths."""
    strengths: tuple[float, ...]
    targets: tuple[int, ...]
    position: int
    has_control: bool
    """Whether a random direction is measured beside them."""


@dataclass(frozen=True, slots=True)
class Curves:
    """For each token and strength, `[T, S]`."""

    probability: FloatArray
    logprob_nats: FloatArray
    rank: IntArray


@dataclass(frozen=True, slots=True)
class Dose:
    """Dose curves of some tokens at one position."""

    found: Curves
    control: Curves | None
    fired: tuple[int, ...]
    """For each intervention: at how many layers, over all positions up to the one that is read, it changed the computation at a strength other than 0."""


CONTROL_SEED = 0
"""Draws the random direction that dose curves are measured beside."""


def at_strength(interventions: Interventions, strength: float) -> Interventions:
    """The same with this strength at each direction that is added."""
    items = tuple(
        dataclasses.replace(item, operation=dataclasses.replace(item.operation, strength=strength))
        if isinstance(item.operation, Add)
        else item
        for item in interventions.items
    )
    return Interventions(items, f"{interventions.digest} at {strength}")


def controlled(interventions: Interventions) -> Interventions:
    """The same with a random direction in the place of each that is added."""
    items = tuple(
        dataclasses.replace(
            item, operation=Add(RandomDirection(CONTROL_SEED), item.operation.strength)
        )
        if isinstance(item.operation, Add)
        else item
        for item in interventions.items
    )
    return Interventions(items, f"control of {interventions.digest}")
