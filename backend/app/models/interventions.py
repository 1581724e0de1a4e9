"""Changes of the model's computation, as data: where, at which tokens, and what is done there."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from app.models.source import TimelineSource
from app.models.wire import LayerIndex, Number, TokenId, TokenIndex, Whole, Wire

MAX_INTERVENTIONS = 16
MAX_STRENGTH = 10_000.0
HeadIndex = Annotated[Whole, Field(ge=0, le=10_000)]
ContrastText = Annotated[str, Field(min_length=1, max_length=4000)]
Positions = Annotated[list[TokenIndex], Field(min_length=1, max_length=16_384)]


class TokenDirection(Wire):
    """The direction that raises a token's logit: its row of the unembedding, through the weight of the final norm."""

    kind: Literal["token"]
    token_id: TokenId


class LensDirection(Wire):
    """The direction that raises a token's logit by the lens at that layer: `Jᵀ` times the token's direction."""

    kind: Literal["lens"]
    lens: Literal["jacobian"] = "jacobian"
    token_id: TokenId


class ContrastDirection(Wire):
    """What the last tokens of `plus` have at the site, on average, less what those of `minus` have (Rimsky et al. 2023, arXiv:2312.06681)."""

    kind: Literal["contrast"]
    plus: list[ContrastText] = Field(min_length=1, max_length=32)
    minus: list[ContrastText] = Field(min_length=1, max_length=32)


class RandomDirection(Wire):
    """A direction drawn at random, the control for the others: all directions have length 1."""

    kind: Literal["random"]
    seed: Whole = Field(ge=0, le=2**53 - 1)


Direction = Annotated[
    TokenDirection | LensDirection | ContrastDirection | RandomDirection,
    Field(discriminator="kind"),
]


class ZeroOperation(Wire):
    """Nothing is left."""

    kind: Literal["zero"]


class MeanOperation(Wire):
    """The mean of the site over the tokens before the reply, in the plain run: without the first token and special ones."""

    kind: Literal["mean"]


class AddOperation(Wire):
    """`h + strength · ‖h‖ · d`, with the length of each position's own `h` (Turner et al. 2023, arXiv:2308.10248)."""

    kind: Literal["add"]
    direction: Direction
    strength: Number = Field(ge=-MAX_STRENGTH, le=MAX_STRENGTH)
    """A share of the length of `h`; negative pushes away. 0 changes no bit."""


class ProjectOutOperation(Wire):
    """`h - (h·d) d`: nothing is left of the direction."""

    kind: Literal["project_out"]
    direction: Direction


class ExchangeOperation(Wire):
    """What `h` has of one direction and of the other, exchanged; what it has of neither stays."""

    kind: Literal["exchange"]
    directions: list[Direction] = Field(min_length=2, max_length=2)


class ReplaceOperation(Wire):
    """The same site of another run, position by position."""

    model_config = ConfigDict(serialize_by_alias=True)

    kind: Literal["replace"]
    source: TimelineSource = Field(alias="from")
    positions: Positions
    """Of the other run, in the order of the intervention's own positions."""


class KnockOutOperation(Wire):
    """Attention to these tokens is removed before the softmax, so that the weights of the others sum to 1."""

    kind: Literal["knock_out"]
    sources: Positions


Operation = Annotated[
    ZeroOperation
    | MeanOperation
    | AddOperation
    | ProjectOutOperation
    | ExchangeOperation
    | ReplaceOperation
    | KnockOutOperation,
    Field(discriminator="kind"),
]


class Intervention(Wire):
    """One change of the computation, made in every pass over the tokens that it touches."""

    site: Literal["resid", "attn", "mlp", "head"]
    """`resid`: the residual stream at a layer. `attn`, `mlp`: what a block's attention or MLP adds to it. `head`: what single heads put into the attention's output."""
    layers: list[LayerIndex] = Field(min_length=1, max_length=1024)
    """`resid`: layers 0 to `n`. The other sites: blocks 1 to `n`."""
    heads: list[HeadIndex] | None = Field(None, min_length=1, max_length=1024)
    """With site `head`: which heads, from 0; null is all of them."""
    positions: Literal["all", "prompt", "reply"] | Positions
    """`reply`: the positions that choose the reply's tokens, from the last token before it to its last but one. `prompt`: the content of messages, without the template, special tokens and the reply. `all`: both. A list: exactly these tokens."""
    op: Operation


Interventions = Annotated[list[Intervention], Field(max_length=MAX_INTERVENTIONS)]


class Steering(Wire):
    """What a stored branch is computed under."""

    interventions: list[Intervention] = Field(min_length=1, max_length=MAX_INTERVENTIONS)
    """In the order in which they act."""
    reply_start: TokenIndex
    """Where the first reply under them begins: what `reply` and `prompt` among their positions are measured from."""


class Intervened(Wire):
    """A timeline that may be computed under interventions."""

    interventions: Interventions | None = None
    """In the order in which they act. Null: those that the stored branch was written under, none for any other timeline; an empty list: none."""
