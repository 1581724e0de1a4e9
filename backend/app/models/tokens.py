"""Tokens, what the layers predict for them, and ids found by their text."""

from __future__ import annotations

from pydantic import Field

from app.models.wire import Layer, Role, Wire


class Prediction(Wire):
    token_id: int
    text: str
    # By a factory the schema names no default, as FastAPI's own schemas do for None.
    bytes: str | None = Field(default_factory=lambda: None, exclude_if=lambda it: it is None)
    """Base64 of the token's bytes where they are no whole characters, so that `text` cannot tell them; else it is left out."""
    probability: float
    rank: int
    """1 is the most probable."""


class ActualToken(Wire):
    probability: float
    rank: int


class LayerReadout(Wire):
    """What one layer predicts for the token it is attached to; read at the position before it."""

    layer: Layer
    label: str
    """`embed`, then `1` to `n`; of half layers `0.5` to `n - 0.5`."""
    predictions: list[Prediction]
    entropy_nats: float
    kl_to_final_nats: float
    """KL(final ‖ layer)."""
    actual: ActualToken
    """How this layer scored the token that is really there."""


class Token(Wire):
    index: int
    """Position in the timeline, from 0."""
    id: int
    text: str
    """Text of this token alone; U+FFFD stands for bytes that are no whole character."""
    bytes: str
    """Base64 of the token's bytes; joined over the timeline they are the exact text."""
    role: Role
    special: bool
    logprob_nats: float | None
    """The model's log-probability of this token given those before it; null where it was not computed, and for the first token."""
    rank: int | None
    entropy_nats: float | None
    """Entropy of the distribution this token was drawn from, at temperature 1."""
    lens: list[LayerReadout] | None
    """How this token was predicted, layer by layer (read at `index - 1`); null for the first token and where it was not asked for."""


class VocabularyToken(Wire):
    token_id: int
    text: str
    """U+FFFD stands for bytes that are no whole character."""
    bytes: str
    """Base64 of the token's bytes."""


class TokenMatch(VocabularyToken):
    exact: bool
    """The text is the query in any normal form of Unicode, with or without a leading space; otherwise it begins with it, or differs in case or width."""
    is_byte_token: bool
    """A token such as `<0x0A>`, for a byte of what no other token has. A token of the same text without this mark is the one that texts have."""


class TokenSearchResponse(Wire):
    query: str
    matches: list[TokenMatch]
    encoded_ids: list[int]
    """The query as the tokenizer splits it: more than one id means that it is not one token."""
    encoded_texts: list[str]
    encoded_bytes: list[str]
    """Base64 of the bytes of each."""
