"""A timeline read layer by layer, without generating."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field, model_validator

from app.models.interventions import Intervened
from app.models.source import TimelineSource
from app.models.tokens import Token
from app.models.wire import (
    Flag,
    Layer,
    LensKind,
    ModelIdentity,
    ReadLayer,
    TokenId,
    TokenIndex,
    Whole,
    Wire,
)


class LensReadRequest(TimelineSource, Intervened):
    """Exactly one of `prompt`, `token_ids`, `conversation_id` and `messages`, and what to read of it."""

    kind: LensKind = "logit"
    """One of those that `/api/model_info` lists for the model."""
    layers: list[ReadLayer] | None = Field(None, min_length=1, max_length=1024)
    """Null reads every whole layer. Half layers are named by numbers such as 6.5."""
    half_layers: Flag = False
    """With `layers` null: half layers as well, each before the layer that its block ends with."""
    positions: tuple[TokenIndex, TokenIndex] | None = None
    """[start, end): the positions that are read; null reads all."""
    top_k: Whole = Field(5, ge=1, le=50)
    targets: list[TokenId] = Field([], max_length=32)
    """Token ids whose probability and rank are wanted at every layer and position."""
    include_tokens: Flag = True
    """False leaves `tokens` empty: shorter and sooner, for a reader that already holds the timeline."""

    @model_validator(mode="after")
    def one_choice_of_layers(self) -> LensReadRequest:
        require_one_choice(self.layers, self.half_layers)
        return self

    @property
    def half_layers_field(self) -> str | None:
        """The field that asks for half layers, if one does."""
        return half_layers_field(self.layers or (), self.half_layers)


def require_one_choice(layers: Sequence[object] | None, half_layers: bool) -> None:
    """Raises ValueError where layers are listed and all half layers are asked for as well."""
    if layers is not None and half_layers:
        raise ValueError("half_layers is for layers: null; name half layers among the layers")


def half_layers_field(layers: Iterable[Layer], half_layers: bool) -> str | None:
    if half_layers:
        return "half_layers"
    return "layers" if any(layer % 1 for layer in layers) else None


class TargetColumns(Wire):
    token_id: int
    text: str
    bytes: str | None
    """Base64 of the token's bytes where they are no whole characters; else null."""
    probability: list[list[float]]
    """[layer][position]"""
    rank: list[list[int]]
    """[layer][position]"""


class LensReadResponse(Wire):
    """Read-outs in columns. Position `t` predicts the token at `t + 1`."""

    model: str
    model_identity: ModelIdentity
    kind: LensKind
    layers: list[Layer]
    labels: list[str]
    tokens: list[Token]
    """The whole timeline; empty where `include_tokens` is false."""
    positions: list[int]
    top_ids: list[list[list[int]]]
    """[layer][position][k], most probable first."""
    top_probabilities: list[list[list[float]]]
    vocabulary: dict[str, str]
    """Text of every id in `top_ids`, by id; U+FFFD stands for bytes that are no whole character."""
    vocabulary_bytes: dict[str, str]
    """Base64 of the bytes, by id, of those ids whose bytes are no whole characters."""
    entropy_nats: list[list[float]]
    """[layer][position]"""
    kl_to_final_nats: list[list[float]]
    next_probability: list[list[float | None]]
    """[layer][position]: of the token that follows in the timeline; null at its end."""
    next_rank: list[list[int | None]]
    targets: list[TargetColumns]
    fired: list[int]
    """For each intervention: at how many layers, over all positions up to the last one read, it changed the computation."""
