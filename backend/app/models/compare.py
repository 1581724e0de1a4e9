"""Two timelines, prediction by prediction."""

from __future__ import annotations

import itertools

from pydantic import Field, model_validator

from app.models.interventions import Intervened
from app.models.lens import half_layers_field, require_one_choice
from app.models.source import TimelineSource
from app.models.tokens import Token
from app.models.wire import (
    MAX_TOKENS,
    Flag,
    Layer,
    LensKind,
    ModelIdentity,
    ReadLayer,
    TokenId,
    TokenIndex,
    Wire,
)


class CompareSide(TimelineSource, Intervened):
    """One of the two timelines: exactly one of `prompt`, `token_ids`, `conversation_id` and `messages`."""

    kind: LensKind = "logit"
    """One of those that `/api/model_info` lists for the model."""


class CompareRequest(Wire):
    a: CompareSide
    b: CompareSide
    layers: list[tuple[ReadLayer, ReadLayer]] | None = Field(None, min_length=1, max_length=16_384)
    """Pairs of layers, of `a` and of `b`; null compares every whole layer with itself. Half layers are named by numbers such as 6.5."""
    half_layers: Flag = False
    """With `layers` null: half layers as well."""
    positions: list[tuple[TokenIndex, TokenIndex]] | None = Field(
        None, min_length=1, max_length=MAX_TOKENS
    )
    """Pairs of positions, of `a` and of `b`, in any order; null pairs equal indices up to the end of the shorter timeline. Position `t` predicts the token at `t + 1`."""
    targets: list[TokenId] = Field([], max_length=32)
    """Token ids whose probability and rank are wanted on both sides."""
    include_tokens: Flag = True
    """False leaves `a_tokens` and `b_tokens` empty, for a reader that already holds the timelines."""

    @model_validator(mode="after")
    def one_choice_of_layers(self) -> CompareRequest:
        require_one_choice(self.layers, self.half_layers)
        return self

    @property
    def half_layers_field(self) -> str | None:
        """The field that asks for half layers, if one does."""
        return half_layers_field(itertools.chain(*self.layers or ()), self.half_layers)


class ComparedTarget(Wire):
    """One token on both sides; each list is [layer pair][position pair]."""

    token_id: int
    text: str
    bytes: str | None
    """Base64 of the token's bytes where they are no whole characters; else null."""
    a_probability: list[list[float]]
    a_rank: list[list[int]]
    b_probability: list[list[float]]
    b_rank: list[list[int]]


class CompareResponse(Wire):
    """Two timelines, prediction by prediction, in columns `[layer pair][position pair]`."""

    model: str
    model_identity: ModelIdentity
    layers: list[tuple[Layer, Layer]]
    labels: list[tuple[str, str]]
    a_tokens: list[Token]
    """The whole timeline, without scores; empty where `include_tokens` is false."""
    b_tokens: list[Token]
    positions: list[tuple[int, int]]
    kl_a_to_b_nats: list[list[float]]
    """KL(a ‖ b), over the full vocabulary."""
    kl_b_to_a_nats: list[list[float]]
    """KL(b ‖ a)."""
    js_nats: list[list[float]]
    """Jensen-Shannon divergence, at most ln 2: the same both ways, to rounding."""
    a_top_id: list[list[int]]
    """The most probable token."""
    a_top_probability: list[list[float]]
    b_top_id: list[list[int]]
    b_top_probability: list[list[float]]
    vocabulary: dict[str, str]
    """Text of every id in `a_top_id` and `b_top_id`, by id; U+FFFD stands for bytes that are no whole character."""
    vocabulary_bytes: dict[str, str]
    """Base64 of the bytes, by id, of those ids whose bytes are no whole characters."""
    targets: list[ComparedTarget]
    a_fired: list[int]
    """For each intervention of `a`: at how many layers, over all positions up to the last one compared, it changed the computation."""
    b_fired: list[int]
