"""The token timelines of conversations, in memory.

A timeline is what the model was fed, id by id; a later turn continues exactly these ids, so that
no text is ever decoded and tokenised again. Only the event loop touches the store. The least
recently used conversation is forgotten first, by count and by total length; one that is being
continued right now is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from app.engine.types import FinishReason, Role
from app.errors import Conflict, ConversationNotFound, PositionOutOfRange

MAX_STORED_TOKENS = 4_000_000
"""Over all conversations; ids and roles of a token take some 50 bytes."""

PATIENCE_S = 1.0
"""How long a turn waits for the end of the one before it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange: indices of its first token, of the first token of the reply, and past its end."""

    start: int
    reply_start: int
    end: int
    finish_reason: FinishReason


@dataclass(frozen=True, slots=True)
class Conversation:
    """A timeline that grew turn by turn; each turn makes a new value of it."""

    id: str
    ids: tuple[int, ...]
    roles: tuple[Role, ...]
    turns: tuple[Turn, ...]

    def before(self, index: int) -> Conversation:
        """The part before a token index, as a new conversation; raises PositionOutOfRange."""
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
            )
            for turn in kept
        )
        return Conversation(new_id(), self.ids[:index], self.roles[:index], turns)


def new_id() -> str:
    """An id that cannot be guessed."""
    return secrets.token_urlsafe(16)


class ConversationStore:
    """Conversations by id, the most recently used last."""

    def __init__(self, max_conversations: int, max_tokens: int = MAX_STORED_TOKENS) -> None:
        self._max_conversations = max_conversations
        self._max_tokens = max_tokens
        self._conversations: OrderedDict[str, Conversation] = OrderedDict()
        self._n_tokens = 0
        self._in_use: set[str] = set()

    def get(self, conversation_id: str) -> Conversation:
        """A stored conversation, now the most recently used; raises ConversationNotFound."""
        try:
            conversation = self._conversations[conversation_id]
        except KeyError:
            raise ConversationNotFound(
                "There is no conversation with this id: it never existed, its first turn failed, "
                "or it was forgotten because the server restarted or made room for newer ones.",
                hint="Send the whole history in messages, without conversation_id.",
                param="conversation_id",
            ) from None
        self._conversations.move_to_end(conversation_id)
        return conversation

    def put(self, conversation: Conversation) -> None:
        """Stores a conversation, in place of the one with the same id, and forgets the oldest."""
        self._remove(conversation.id)
        self._conversations[conversation.id] = conversation
        self._n_tokens += len(conversation.ids)
        for oldest in list(self._conversations):
            if not self._is_too_full():
                break
            if oldest != conversation.id and oldest not in self._in_use:
                self._remove(oldest)

    async def until_free(self, conversation_id: str, patience_s: float = PATIENCE_S) -> None:
        """Returns when nobody continues the conversation; raises Conflict when that lasts.

        Who stops a reply and at once sends the next turn may be heard in the opposite order, since
        the two come on different connections.
        """
        until = time.monotonic() + patience_s
        while conversation_id in self._in_use:
            if time.monotonic() >= until:
                raise Conflict(
                    "This conversation is being continued by another request.",
                    hint="Wait until that reply has ended, or stop it.",
                    param="conversation_id",
                )
            await asyncio.sleep(0.01)

    @contextlib.contextmanager
    def in_use(self, conversation_id: str) -> Iterator[None]:
        """Keeps a conversation, which must be free, from being continued twice at once."""
        assert conversation_id not in self._in_use
        self._in_use.add(conversation_id)
        try:
            yield
        finally:
            self._in_use.discard(conversation_id)

    def __len__(self) -> int:
        return len(self._conversations)

    def _is_too_full(self) -> bool:
        return (
            len(self._conversations) > self._max_conversations or self._n_tokens > self._max_tokens
        )

    def _remove(self, conversation_id: str) -> None:
        removed = self._conversations.pop(conversation_id, None)
        if removed is not None:
            self._n_tokens -= len(removed.ids)
