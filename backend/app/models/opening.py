"""The worked example that a first visit opens with, before and after the model is loaded."""

from __future__ import annotations

from app.models.conversations import SavedTurn
from app.models.facts import ExamplePrompt
from app.models.tokens import Token
from app.models.wire import ModelIdentity, Wire


class OpeningExample(Wire):
    """A prompt with its greedy reply and every read-out, as one model computed them."""

    model: ModelIdentity
    """Only this model's page may show it."""
    example: ExamplePrompt
    tokens: list[Token]
    """The whole timeline; each token but the first with its read-outs through the logit lens."""
    turn: SavedTurn


class Opening(Wire):
    opening: OpeningExample | None
    """Null unless the server runs, or is loading, exactly the model that computed it."""
