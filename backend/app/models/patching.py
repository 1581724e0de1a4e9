"""States of one run put into another."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.models.causes import HeadIndex, NamedToken
from app.models.source import TimelineSource
from app.models.wire import (
    MAX_TOKENS,
    LayerIndex,
    ModelIdentity,
    TokenId,
    TokenIndex,
    Wire,
)

Site = Literal["resid", "attn", "mlp", "head"]
Direction = Literal["denoise", "noise"]
Heads = Annotated[list[HeadIndex], Field(min_length=1, max_length=1024)]
PositionPair = tuple[TokenIndex, TokenIndex]


class PatchQuestion(Wire):
    """Two texts, and what is carried from one to the other."""

    clean: TimelineSource
    corrupt: TimelineSource
    clean_length: TokenIndex | None = Field(None, ge=1)
    """Only so many tokens of `clean`, such as those up to its reply; null reads all. The metric is read at the last one."""
    corrupt_length: TokenIndex | None = Field(None, ge=1)
    site: Site = "resid"
    """`resid`: the residual stream at a layer. `attn`, `mlp`: what a block's attention or MLP puts out. `head`: what a head gives to the output projection."""
    direction: Direction = "denoise"
    """`denoise`: states of the clean run are put into the corrupt one (are they enough?). `noise`: states of the corrupt run are put into the clean one (are they needed?)."""
    answer: TokenId | None = None
    """Null: the most probable token at the end of the clean text."""
    foil: TokenId | None = None
    """Null: the most probable token at the end of the corrupt text."""


class PatchRequest(PatchQuestion):
    """One patched run."""

    layer: LayerIndex
    """For `resid` a layer, 0 (embed) to the number of layers; for the others a block, from 1."""
    positions: list[PositionPair] = Field(min_length=1, max_length=MAX_TOKENS)
    """Pairs of positions, of `clean` and of `corrupt`, all patched at once."""
    heads: Heads | None = None
    """With `head`: which, patched together; null patches all heads of the block."""

    @model_validator(mode="after")
    def heads_of_heads(self) -> PatchRequest:
        if self.heads is not None and self.site != "head":
            raise ValueError(f"heads is for the site head, not for {self.site}")
        return self


class PredictedToken(NamedToken):
    probability: float


class PatchPredictions(Wire):
    """The most probable next tokens of each run."""

    clean: list[PredictedToken]
    corrupt: list[PredictedToken]
    patched: list[PredictedToken]


class PatchResponse(Wire):
    """A patched run, read at its last position, with the two runs between which it lies."""

    model: str
    model_identity: ModelIdentity
    site: Site
    layer: int
    heads: list[int] | None
    positions: list[tuple[int, int]]
    direction: Direction
    answer: NamedToken
    foil: NamedToken
    clean: float
    """Logit of the answer less that of the foil, at the last position of the clean run."""
    corrupt: float
    """The same of the corrupt run."""
    patched: float
    """The same of the patched run."""
    score: float
    """0 where the patch changes nothing, 1 where it carries the whole difference over; may lie outside. `denoise`: `(patched - corrupt) / (clean - corrupt)`; `noise`: `(patched - clean) / (corrupt - clean)`."""
    kl_to_clean_nats: float
    """KL(clean ‖ patched)."""
    predictions: PatchPredictions
    computed_tokens: int
    """Tokens run through blocks for this answer: from the first patched position on where both texts are held, the whole text for a model whose cache cannot be cut."""
