"""Dose curves: probabilities of tokens over the strength of an intervention."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.models.causes import NamedToken
from app.models.interventions import MAX_STRENGTH, Intervened
from app.models.source import TimelineSource
from app.models.wire import Flag, ModelIdentity, Number, TokenId, TokenIndex, Wire

Strength = Annotated[Number, Field(ge=-MAX_STRENGTH, le=MAX_STRENGTH)]


class DoseRequest(TimelineSource, Intervened):
    """Exactly one of `prompt`, `token_ids`, `conversation_id` and `messages`; what is changed, and how strongly."""

    strengths: list[Strength] = Field(min_length=1, max_length=41)
    """Each replaces the strength of every `add` among the interventions."""
    targets: list[TokenId] = Field(min_length=1, max_length=8)
    """The tokens whose probability is wanted."""
    position: TokenIndex | None = None
    """Where it is read; it predicts the token at `position + 1`. Null: the last position."""
    control: Flag = True
    """Whether a random direction of the same length is measured beside them: same layers, positions and strengths."""


class DosedToken(NamedToken):
    """One token, at each of the strengths."""

    probability: list[float]
    logprob: list[float]
    """In nats."""
    rank: list[int]


class DoseResponse(Wire):
    model: str
    model_identity: ModelIdentity
    position: int
    predicts_index: int
    strengths: list[float]
    tokens: list[DosedToken]
    control: list[DosedToken] | None
    """The same tokens under the random direction; null where it was not asked for."""
    fired: list[int]
    """For each intervention: at how many layers, over all positions up to the one read, it changed the computation at a strength other than 0."""
    computed_tokens: int
    """Tokens that were run for this answer."""
