"""Conversations by id: read from the database, stored in it turn by turn, one turn at a time.

The database is the truth; nothing of it is held here but which conversations are being continued.
Only the event loop touches this object, and it never waits for the disk: the database has threads
of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator

from app.engine.types import Vocabulary
from app.errors import Conflict, ConversationNotFound, ExplorerError
from app.services.identity import ModelIdentity
from app.services.storage import growing, listing, opening
from app.services.storage.database import Database
from app.services.timelines import Conversation
from app.services.words import words_of

logger = logging.getLogger(__name__)

PATIENCE_S = 1.0
"""How long a turn waits for the end of the one before it."""


class ConversationStore:
    """The conversations that are kept, and which of them are in use."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._in_use: set[str] = set()
        self._writing: dict[str, asyncio.Task[None]] = {}

    async def open(self) -> None:
        """Raises StorageFailed while conversations cannot be kept."""
        await self._database.open()

    async def get(self, conversation_id: str) -> Conversation:
        """A stored conversation; raises ConversationNotFound or StorageFailed.

        Who stops a reply and at once reads it may be heard before the end of the reply's own
        connection: what is not there yet is waited for.
        """
        if writing := self._writing.get(conversation_id):
            await asyncio.wait([writing])
        try:
            return await self.load(conversation_id)
        except ConversationNotFound:
            if conversation_id not in self._in_use:
                raise
        with contextlib.suppress(Conflict):
            await self.until_free(conversation_id)
        return await self.load(conversation_id)

    async def load(self, conversation_id: str) -> Conversation:
        """As `get`, of one that is known to be free."""
        where = self._database.where
        return await self._database.read(
            lambda connection: opening.load(connection, conversation_id, where)
        )

    def put(
        self, conversation: Conversation, model: ModelIdentity, vocabulary: Vocabulary
    ) -> asyncio.Task[None]:
        """Begins to store a conversation with a new turn; it is stored when the task has ended.

        The task is not the caller's: a request that is cancelled is stored all the same. It raises
        StorageFailed, or Conflict when the conversation was deleted or continued elsewhere.
        """
        task = asyncio.ensure_future(self._put(conversation, model, vocabulary))
        self._writing[conversation.id] = task
        task.add_done_callback(lambda done: self._on_written(conversation.id, done))
        return task

    async def _put(
        self, conversation: Conversation, model: ModelIdentity, vocabulary: Vocabulary
    ) -> None:
        words = await asyncio.to_thread(words_of, conversation, vocabulary)
        await self._database.write(
            lambda connection: growing.save_turn(connection, conversation, model, words)
        )

    def _on_written(self, conversation_id: str, done: asyncio.Task[None]) -> None:
        if self._writing.get(conversation_id) is done:
            del self._writing[conversation_id]
        if not done.cancelled() and (failure := done.exception()):
            said = failure.message if isinstance(failure, ExplorerError) else repr(failure)
            logger.error("a turn was not saved: %s", said)

    async def until_free(self, conversation_id: str, patience_s: float = PATIENCE_S) -> None:
        """Returns when nobody continues the conversation; raises Conflict when that lasts.

        Who stops a reply and at once sends the next turn may be heard in the opposite order, since
        the two come on different connections.
        """
        until = time.monotonic() + patience_s
        while conversation_id in self._in_use or conversation_id in self._writing:
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

    async def count(self) -> int:
        """Conversations that are kept."""
        return await self._database.read(listing.count)

    async def close(self) -> None:
        """Waits until what was begun is stored, then closes the database."""
        while self._writing:
            await asyncio.wait(self._writing.values())
            await asyncio.sleep(0)
        await asyncio.to_thread(self._database.close)
