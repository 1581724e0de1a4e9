"""Token timelines: what a conversation is to the services.

A timeline is what the model was fed, id by id; a later turn continues exactly these ids, so that
no text is ever decoded and tokenised again. A timeline that was cut and continued differently is a
branch: a timeline of its own that knows where it left its parent.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from app.engine.types import FinishReason, ModelFacts, Role, Sampling
from app.errors import PositionOutOfRange, UnknownToken
from app.models.interventions import Steering
from app.models.wire import Mode
from app.services.identity import ModelIdentity, require_same_model


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange: indices of its first token, of the first token of the reply, and past its end."""

    start: int
    reply_start: int
    end: int
    finish_reason: FinishReason
    sampling: Sampling | None = None
    """How the reply's tokens were chosen; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A timeline that grew turn by turn; each turn makes a new value of it."""

    id: str
    ids: tuple[int, ...]
    roles: tuple[Role, ...]
    turns: tuple[Turn, ...]
    version: int = 0
    """How often it was stored; 0 for one that never was."""
    parent_id: str | None = None
    """The timeline that it is a branch of."""
    from_index: int | None = None
    """Index of the first token that is not the parent's."""
    model: ModelIdentity | None = None
    """The model that wrote it; None for one that never was stored."""
    mode: Mode = "chat"
    """How the last request continued it."""
    ancestors: tuple[str, ...] = ()
    """The timelines that it branched from, the nearest first."""
    steering: Steering | None = None
    """What it is computed under; None for a plain one."""

    @property
    def lineage(self) -> tuple[str, ...]:
        """As the engine takes it: this timeline, then those that it branched from."""
        return (self.id, *self.ancestors)

    def before(self, index: int) -> Conversation:
        """The part before a token index, as a new branch; raises PositionOutOfRange."""
        if index > len(self.ids):
            raise PositionOutOfRange(
                f"from_index is {index}, but the conversation has {len(self.ids)} tokens.",
                hint=f"Give an index from 0 to {len(self.ids)}.",
                param="from_index",
            )
        kept = (turn for turn in self.turns if turn.start < index)
        turns = tuple(
            Turn(
                turn.start,
                min(turn.reply_start, index),
                min(turn.end, index),
                turn.finish_reason if turn.end <= index else "cancelled",
                turn.sampling,
            )
            for turn in kept
        )
        return Conversation(
            new_id(),
            self.ids[:index],
            self.roles[:index],
            turns,
            parent_id=self.id,
            from_index=index,
            mode=self.mode,
            ancestors=self.lineage,
        )

    def with_turn(
        self,
        ids: tuple[int, ...],
        roles: tuple[Role, ...],
        reply_start: int,
        finish_reason: FinishReason,
        sampling: Sampling,
        mode: Mode,
    ) -> Conversation:
        """This timeline grown to `ids` by one more turn.

        A reply that was not begun before this one becomes it: its turn holds the message.
        """
        turns, start = self.turns, len(self.ids)
        if turns and turns[-1].reply_start == turns[-1].end == start == reply_start:
            turns, start, reply_start = turns[:-1], turns[-1].start, turns[-1].reply_start
        turn = Turn(start, reply_start, len(ids), finish_reason, sampling)
        return dataclasses.replace(self, ids=ids, roles=roles, turns=(*turns, turn), mode=mode)


def inferred_mode(roles: Sequence[Role]) -> Mode:
    """The mode of a timeline of which it is not known: a template writes more than a BOS token."""
    return "chat" if roles.count("template") > 1 else "completion"


def new_id() -> str:
    """An id that cannot be guessed."""
    return secrets.token_urlsafe(16)


def require_readable(conversation: Conversation, facts: ModelFacts) -> None:
    """Raises ModelMismatch or UnknownToken where the running model cannot read these ids.

    The ids of another model's vocabulary would give numbers too, and every one of them wrong.
    """
    if conversation.model is not None:
        require_same_model(conversation.model, facts)
    largest = max(conversation.ids, default=0)
    if largest >= facts.d_vocab:
        raise UnknownToken(
            f"The conversation holds token id {largest}; {facts.name} has the ids 0 to "
            f"{facts.d_vocab - 1}.",
            hint="The file that it was imported from does not belong to this model.",
            param="conversation_id",
        )


def require_known(ids: Sequence[int], d_vocab: int, param: str) -> None:
    """Raises UnknownToken, naming the field `param`, for an id that the model has no logits for."""
    for token_id in ids:
        if token_id >= d_vocab:
            raise UnknownToken(
                f"Token id {token_id} does not exist; this model's ids are 0 to {d_vocab - 1}.",
                hint="GET /api/tokens finds ids by text.",
                param=param,
            )
