"""From the engine's arrays to the wire: tokens and read-outs, the same for chat and heatmap.

A float32 is written with nine significant digits, which is lossless for it and half as long as the
float64 that it would otherwise be spelled as.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from app.engine.protocols import Vocabulary
from app.engine.types import Comparison, FloatArray, Layer, LensColumns, Role, Step
from app.errors import ModelComputationError
from app.models.tokens import ActualToken, LayerReadout, Prediction, Token

DAMAGED_HINT = "The weights of this model are damaged or overflow in its dtype."


def layer_label(layer: Layer) -> str:
    """`embed` for the residual stream after the embedding, else the number of the layer."""
    return "embed" if layer == 0 else str(layer)


def shortest(values: FloatArray) -> Any:
    """Nested lists of floats with nine significant digits each; non-finite values stay so."""
    exact = values.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = 8 - np.floor(np.log10(np.abs(exact)))
        # Powers of ten above 22 are not exact in float64; such small numbers stay as they are.
        scale = np.power(10.0, np.clip(digits, 0, 22))
        rounded = np.round(exact * scale) / scale
    return np.where(digits <= 22, rounded, exact).tolist()


def require_finite(columns: LensColumns) -> None:
    """Raises ModelComputationError naming the first layer with a value that is not a number."""
    has_next = columns.next_rank > 0
    for name, values, is_expected in (
        ("probability", columns.top_probabilities, True),
        ("entropy", columns.entropy_nats, True),
        ("KL divergence", columns.kl_to_final_nats, True),
        ("probability", columns.next_probability, has_next),
        ("probability", np.moveaxis(columns.target_probability, 0, -1), True),
    ):
        bad = np.argwhere(~np.isfinite(values) & is_expected)
        if len(bad):
            layer, position = columns.layers[bad[0][0]], columns.positions[bad[0][1]]
            raise not_finite(name, f"{layer} ({layer_label(layer)})", str(position))


def require_finite_comparison(columns: Comparison) -> None:
    """As `require_finite`, naming the first pair."""
    for name, values in (
        ("KL divergence", columns.kl_a_to_b_nats),
        ("KL divergence", columns.kl_b_to_a_nats),
        ("Jensen-Shannon divergence", columns.js_nats),
        ("probability", columns.a_top_probability),
        ("probability", columns.b_top_probability),
        ("probability", np.moveaxis(columns.a_target_probability, 0, -1)),
        ("probability", np.moveaxis(columns.b_target_probability, 0, -1)),
    ):
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            (a_layer, b_layer), (a, b) = columns.layers[bad[0][0]], columns.positions[bad[0][1]]
            raise not_finite(name, f"{a_layer} of a and {b_layer} of b", f"{a} of a and {b} of b")


def not_finite(value: str, layer: str, position: str) -> ModelComputationError:
    return ModelComputationError(
        f"The {value} at layer {layer}, position {position} is not a finite number.",
        hint=DAMAGED_HINT,
    )


def token_base64(vocabulary: Vocabulary, token_id: int) -> str:
    return base64.b64encode(vocabulary.token_bytes(token_id)).decode()


def fragment_bytes(vocabulary: Vocabulary, token_id: int) -> str | None:
    """Base64 of a token's bytes where they are no whole characters, which its text cannot tell; else None."""
    try:
        vocabulary.token_bytes(token_id).decode()
    except UnicodeDecodeError:
        return token_base64(vocabulary, token_id)
    return None


def texts_by_id(vocabulary: Vocabulary, ids: Sequence[int]) -> dict[str, str]:
    return {str(token_id): vocabulary.token_text(token_id) for token_id in ids}


def fragments_by_id(vocabulary: Vocabulary, ids: Sequence[int]) -> dict[str, str]:
    """`fragment_bytes` of those of the ids that have them."""
    found = {str(token_id): fragment_bytes(vocabulary, token_id) for token_id in ids}
    return {token_id: encoded for token_id, encoded in found.items() if encoded is not None}


def make_token(
    vocabulary: Vocabulary,
    index: int,
    token_id: int,
    role: Role,
    score: Step | None = None,
    lens: list[LayerReadout] | None = None,
) -> Token:
    """A token of the timeline, with how the model scored it where that is known."""
    return Token(
        index=index,
        id=token_id,
        text=vocabulary.token_text(token_id),
        bytes=token_base64(vocabulary, token_id),
        role=role,
        special=vocabulary.is_special(token_id),
        logprob_nats=score.logprob_nats if score else None,
        rank=score.rank if score else None,
        entropy_nats=score.entropy_nats if score else None,
        lens=lens,
    )


def make_tokens(vocabulary: Vocabulary, ids: Sequence[int], roles: Sequence[Role]) -> list[Token]:
    """Tokens of a whole timeline, without scores."""
    return [
        make_token(vocabulary, index, token_id, role)
        for index, (token_id, role) in enumerate(zip(ids, roles, strict=True))
    ]


def readouts_by_token(
    columns: LensColumns, vocabulary: Vocabulary
) -> list[tuple[int, list[LayerReadout]]]:
    """Per position read, the index of the token that it predicts and what each layer says of it.

    Every position must have a token after it.
    """
    require_finite(columns)
    assert (columns.next_rank > 0).all(), "a position without a next token was read for a token"
    top_ids = columns.top_ids.tolist()
    top_probabilities = shortest(columns.top_probabilities)
    top_ranks = columns.top_ranks.tolist()
    entropies = shortest(columns.entropy_nats)
    divergences = shortest(columns.kl_to_final_nats)
    actual_probabilities = shortest(columns.next_probability)
    actual_ranks = columns.next_rank.tolist()
    return [
        (
            position + 1,
            [
                LayerReadout(
                    layer=layer,
                    label=layer_label(layer),
                    predictions=[
                        Prediction(
                            token_id=token_id,
                            text=vocabulary.token_text(token_id),
                            bytes=fragment_bytes(vocabulary, token_id),
                            probability=probability,
                            rank=rank,
                        )
                        for token_id, probability, rank in zip(
                            top_ids[row][column],
                            top_probabilities[row][column],
                            top_ranks[row][column],
                            strict=True,
                        )
                    ],
                    entropy_nats=entropies[row][column],
                    kl_to_final_nats=divergences[row][column],
                    actual=ActualToken(
                        probability=actual_probabilities[row][column],
                        rank=actual_ranks[row][column],
                    ),
                )
                for row, layer in enumerate(columns.layers)
            ],
        )
        for column, position in enumerate(columns.positions)
    ]
