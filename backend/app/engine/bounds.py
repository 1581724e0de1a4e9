"""What may be asked of a model: checked by the call itself, before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

from app.engine.types import Layer, LensKind, ModelFacts
from app.errors import (
    ContextExceeded,
    EmptyPrompt,
    IdentityFailed,
    LayerOutOfRange,
    LensUnavailable,
    PositionOutOfRange,
    UnknownToken,
)


def require_ids(facts: ModelFacts, ids: Sequence[int], n_embeddings: int) -> None:
    """Raises EmptyPrompt, or UnknownToken for an id that the model has no embedding for."""
    if not ids:
        raise EmptyPrompt("There is nothing to read: the text has no tokens.")
    for position, token_id in enumerate(ids):
        if not 0 <= token_id < n_embeddings:
            raise UnknownToken(
                f"There is no token {token_id} (at position {position}): {facts.name} knows"
                f" ids 0 to {n_embeddings - 1:,}."
            )


def require_readable(facts: ModelFacts, ids: Sequence[int]) -> None:
    """Raises ContextExceeded where the model cannot read so many tokens."""
    if len(ids) > facts.n_ctx:
        raise ContextExceeded(
            f"The text has {len(ids):,} tokens; {facts.name} reads at most {facts.n_ctx:,}.",
            hint="Shorten the text.",
        )


def require_room(facts: ModelFacts, ids: Sequence[int]) -> None:
    """Raises ContextExceeded where no token fits behind the prompt."""
    if len(ids) >= facts.n_ctx:
        raise ContextExceeded(
            f"The prompt has {len(ids):,} tokens; {facts.name} holds {facts.n_ctx:,},"
            " the reply included.",
            hint="Shorten the prompt or start a new conversation.",
        )


def require_positions(positions: Sequence[int], end: int) -> None:
    """Raises PositionOutOfRange for one outside a text of `end` tokens."""
    for position in positions:
        if not 0 <= position < end:
            raise PositionOutOfRange(
                f"There is no position {position} here: the text has positions 0 to {end - 1}.",
                param="positions",
            )


def require_layers(facts: ModelFacts, layers: Sequence[Layer]) -> None:
    """Raises LayerOutOfRange for a layer that the model has not."""
    for layer in layers:
        if not 0 <= layer <= facts.n_layers or layer % 0.5:
            raise LayerOutOfRange(
                f"There is no layer {layer}: {facts.name} has layers 0 to {facts.n_layers}.",
                param="layers",
            )


def require_half_layers(facts: ModelFacts, kind: LensKind, param: str) -> None:
    """Raises IdentityFailed where the model has no half layers, LensUnavailable for a lens without them."""
    capability = facts.capabilities.half_layers
    if not capability.is_available:
        raise IdentityFailed(
            f"{facts.name} has no half layers: {capability.reason}",
            hint="See capabilities in /api/model_info for what can be asked of it.",
            param=param,
        )
    if kind != "logit":
        raise LensUnavailable(
            f"The {kind} lens has no half layers: it is fitted to whole ones.",
            hint="Read half layers with the logit lens.",
            param=param,
        )


def require_targets(facts: ModelFacts, targets: Sequence[int]) -> None:
    """Raises UnknownToken for an id that the model has no logits for."""
    for target in targets:
        if not 0 <= target < facts.d_vocab:
            raise UnknownToken(
                f"There is no token {target}: {facts.name} has logits for ids 0 to"
                f" {facts.d_vocab - 1:,}.",
                param="targets",
            )
