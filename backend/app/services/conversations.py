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
from collections.abc import Iterable, Iterator

from app.engine.protocols import Vocabulary
from app.errors import Conflict, ConversationNotFound, ExplorerError, StorageFailed
from app.services.identity import ModelIdentity
from app.services.person import person
from app.services.storage import deletion, growing, listing, opening
from app.services.storage.database import Database
from app.services.timelines import Conversation
from app.services.words import words_of

logger = logging.getLogger(__name__)

PATIENCE_S = 1.0
"""How long a turn waits for the end of the one before it."""


PURGE_EVERY_S = 3600.0
"""While turns are stored, deleted conversations are removed for good about this often."""


Held = tuple[str | None, str]
"""A person and an id. With the id alone, somebody else's request could be told that it is in use."""


def held(conversation_id: str) -> Held:
    return person.get(), conversation_id


class ConversationStore:
    """The conversations that are kept, and which of them are in use."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._in_use: set[Held] = set()
        self._writing: dict[Held, asyncio.Task[None]] = {}
        self._purged_at = time.monotonic()

    async def open(self) -> None:
        """Opens the database and removes what was deleted long enough ago; raises StorageFailed."""
        self._purged_at = time.monotonic()
        await self._database.write(deletion.purge)

    async def get(self, conversation_id: str) -> Conversation:
        """A stored conversation; raises ConversationNotFound or StorageFailed.

        One that is being continued is given as it was before the reply. A new branch without a
        message is stored at its end only, which is waited for: a reader may come on another
        connection before the end of the reply's own is noticed.
        """
        await self.until_written(conversation_id)
        try:
            return await self.load(conversation_id)
        except ConversationNotFound:
            if not self._is_held(conversation_id):
                raise
        with contextlib.suppress(Conflict):
            await self.until_free(conversation_id)
        return await self.load(conversation_id)

    def is_running(self, branch_ids: Iterable[str]) -> bool:
        """Whether one of these timelines is being continued by a request."""
        return not self._in_use.isdisjoint(map(held, branch_ids))

    async def until_written(self, conversation_id: str) -> None:
        """Returns when a reply that has ended is stored, where one is on its way to the disk."""
        if writing := self._writing.get(held(conversation_id)):
            await asyncio.wait([writing])

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
        key = held(conversation.id)
        self._writing[key] = task
        task.add_done_callback(lambda done: self._on_written(key, done))
        return task

    async def _put(
        self, conversation: Conversation, model: ModelIdentity, vocabulary: Vocabulary
    ) -> None:
        words = await asyncio.to_thread(words_of, conversation, vocabulary)
        await self._database.write(
            lambda connection: growing.save_turn(connection, conversation, model, words)
        )
        if time.monotonic() - self._purged_at > PURGE_EVERY_S:
            try:
                await self.open()
            except StorageFailed as failure:  # the turn is stored all the same
                logger.warning("deleted conversations were not removed: %s", failure.message)

    def _on_written(self, key: Held, done: asyncio.Task[None]) -> None:
        if self._writing.get(key) is done:
            del self._writing[key]
        if not done.cancelled() and (failure := done.exception()):
            said = failure.message if isinstance(failure, ExplorerError) else repr(failure)
            logger.error("a turn was not saved: %s", said)

    async def until_free(self, conversation_id: str, patience_s: float = PATIENCE_S) -> None:
        """Returns when nobody continues the conversation; raises Conflict when that lasts.

        Who stops a reply and at once sends the next turn may be heard in the opposite order, since
        the two come on different connections.
        """
        until = time.monotonic() + patience_s
        while self._is_held(conversation_id):
            if time.monotonic() >= until:
                raise Conflict(
                    "This conversation is being continued by another request.",
                    hint="Wait until that reply has ended, or stop it.",
                    param="conversation_id",
                )
            await asyncio.sleep(0.01)

    def _is_held(self, conversation_id: str) -> bool:
        """Whether it is being continued or written."""
        key = held(conversation_id)
        return key in self._in_use or key in self._writing

    @contextlib.contextmanager
    def in_use(self, conversation_id: str) -> Iterator[None]:
        """Keeps a conversation, which must be free, from being continued twice at once."""
        key = held(conversation_id)
        assert key not in self._in_use
        self._in_use.add(key)
        try:
            yield
        finally:
            self._in_use.discard(key)

    async def texts(self, n_chars: int) -> list[str]:
        """What was said in each conversation, in its branch written last; the newest first, at most
        about `n_chars` characters in all."""
        return await self._database.read(lambda connection: listing.texts(connection, n_chars))

    async def count(self) -> int:
        """Conversations that are kept."""
        return await self._database.read(listing.count)

    async def close(self) -> None:
        """Waits until what was begun is stored, then closes the database."""
        while self._writing:
            await asyncio.wait(self._writing.values())
            await asyncio.sleep(0)
        await asyncio.to_thread(self._database.close)
