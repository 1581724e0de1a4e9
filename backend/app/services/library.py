"""Saved conversations: listed, opened, changed, deleted and brought back, copied, exported, imported."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Callable, Sequence

from pydantic import ValidationError
from sqlalchemy import Connection

from app.engine.protocols import LensEngine
from app.errors import Conflict, ConversationNotFound, Unavailable
from app.models.conversations import (
    Branch,
    ConversationChanges,
    ConversationFile,
    ConversationList,
    ConversationSummary,
    Deleted,
    SavedConversation,
)
from app.models.tokens import Token
from app.services.conversation_file import (
    branches_of_file,
    file_of,
    notes_of,
    pins_of,
    require_file_bytes,
    require_pinned_within,
    require_within,
    wire_note,
    wire_pins,
    wire_turn,
)
from app.services.conversations import ConversationStore
from app.services.identity import ModelIdentity, wire_model
from app.services.json_pieces import json_pieces
from app.services.readouts import make_tokens
from app.services.storage import annotating, deletion, growing, listing, opening, rows
from app.services.storage.database import Database
from app.services.storage.failures import naming_damage
from app.services.storage.records import ConversationFacts, StoredBranch, Summary
from app.services.timelines import new_id, require_readable
from app.services.words import TITLE_CHARS, cut, words_of
from app.services.worker import ModelWorker

logger = logging.getLogger(__name__)

OPENING_PATIENCE_S = 0.5
"""How long an opened conversation is waited for while it is continued."""


class LibraryService:
    """What can be done with conversations besides continuing and reading them."""

    def __init__(
        self, worker: ModelWorker, conversations: ConversationStore, database: Database
    ) -> None:
        self._worker = worker
        self._conversations = conversations
        self._database = database

    async def find(self, query: str, limit: int, offset: int) -> ConversationList:
        """One page of those whose title, text or notes contain `query`, the last written first."""
        found, total = await self._database.read(
            lambda connection: listing.find(connection, query, limit, offset)
        )
        listed = []
        for each in found:
            try:
                listed.append(self._summary(each))
            except ValidationError:
                logger.warning("conversation %s is damaged, so it is not listed", each.id)
        return ConversationList(conversations=listed, total=total - len(found) + len(listed))

    async def open(self, branch_id: str, include_tokens: bool = True) -> SavedConversation:
        """A branch with its tokens, where the running model can read them."""
        engine = self._worker.engine
        # Who ends a reply and opens it at once may be heard before its end is noticed; then it is stored.
        with contextlib.suppress(Conflict):
            await self._conversations.until_free(branch_id, OPENING_PATIENCE_S)
        await self._conversations.until_written(branch_id)
        # Asked before the read: what ends meanwhile is not yet in what is read.
        is_running = self._conversations.is_running([branch_id])
        facts, branch = await self._database.read(
            lambda connection: opening.open_branch(connection, branch_id, self._database.where)
        )
        with naming_damage(branch.timeline.id, self._database.where):
            return await asyncio.to_thread(
                opened, engine, facts, branch, include_tokens, is_running
            )

    def _summary(self, found: Summary) -> ConversationSummary:
        return summary(found, self._conversations.is_running(found.branch_ids))

    async def change(self, branch_id: str, changes: ConversationChanges) -> ConversationSummary:
        """Renames, pins or notes: all of it or nothing.

        Raises AnnotationsChanged when the request names another `annotations_revision` than the
        current one. To name none is allowed: who sets a list in one line of a shell wants that list
        and has read none before, and would only be made to read one and throw it away. The page
        changes what it has read and names it, but for pins that are changed just before it is
        left: then there is no time to read, and they replace what is there.

        Raises InvalidRequest for a pinned position or a note outside of the timeline.
        """

        def work(connection: Connection) -> Summary:
            found = opening.branch_id_of(connection, branch_id)
            opening.lock_conversation_of(connection, found)
            if found != branch_id and changes.of_branch():
                raise first_branch_gone(found)
            if changes.pins is not None or changes.notes is not None:
                annotate(connection, found, changes)
            if changes.branch_name is not None:
                name = " ".join(changes.branch_name.split())
                annotating.name_branch(connection, found, name or None)
            if changes.title is not None:
                annotating.rename(connection, found, " ".join(changes.title.split()))
            return listing.summary(connection, found)

        return self._summary(await self._database.write(work))

    async def delete(self, branch_id: str) -> Deleted:
        """Deletes a whole conversation; for a day it can be restored."""
        return await self._delete(branch_id, deletion.delete_conversation)

    async def restore(self, branch_id: str) -> ConversationSummary:
        return await self._restore(branch_id, deletion.restore_conversation)

    async def delete_branch(self, branch_id: str) -> Deleted:
        """Deletes one branch of several; for a day it can be restored."""
        return await self._delete(branch_id, deletion.delete_branch)

    async def restore_branch(self, branch_id: str) -> ConversationSummary:
        return await self._restore(branch_id, deletion.restore_branch)

    async def _delete(self, branch_id: str, delete: Callable[[Connection, str], None]) -> Deleted:
        await self._database.write(lambda connection: delete(connection, branch_id))
        return Deleted(id=branch_id, restorable_until_ms=rows.now_ms() + deletion.KEPT_DELETED_MS)

    async def _restore(
        self, branch_id: str, restore: Callable[[Connection, str], None]
    ) -> ConversationSummary:
        def work(connection: Connection) -> Summary:
            restore(connection, branch_id)
            return listing.summary(connection, branch_id)

        return self._summary(await self._database.write(work))

    async def duplicate(self, branch_id: str) -> ConversationSummary:
        """A copy with all branches, under ids of its own."""

        def work(connection: Connection) -> Summary:
            facts, found = opening.all_branches(connection, branch_id, self._database.where)
            title = cut(facts.title, TITLE_CHARS * 3) + " (copy)"
            copies = renamed(found)
            growing.add_conversation(connection, title, facts.model, copies)
            return listing.summary(connection, copies[0].timeline.id)

        return self._summary(await self._database.write(work))

    async def export(self, branch_id: str) -> list[bytes]:
        """A whole conversation as a file: pieces of the JSON of a ConversationFile.

        Raises PayloadTooLarge for one that this server would not import.
        """
        facts, found = await self._database.read(
            lambda connection: opening.all_branches(connection, branch_id, self._database.where)
        )

        def written() -> list[bytes]:
            pieces = list(json_pieces(file_of(facts, found)))
            require_file_bytes(sum(map(len, pieces)))
            return pieces

        with naming_damage(facts.id, self._database.where):
            return await asyncio.to_thread(written)

    async def add(self, file: ConversationFile) -> ConversationSummary:
        """Stores a file under new ids. Its ids are checked against a vocabulary when it is opened."""
        model = ModelIdentity(file.model.name, file.model.revision, file.model.source)
        try:
            engine = self._worker.engine
        except Unavailable:
            engine = None
        imported = await asyncio.to_thread(read_file, file, model, engine)

        def work(connection: Connection) -> Summary:
            title = " ".join(file.title.split())
            growing.add_conversation(connection, title, model, imported)
            return listing.summary(connection, imported[0].timeline.id)

        return self._summary(await self._database.write(work))


def first_branch_gone(other: str) -> ConversationNotFound:
    """For what is said of a branch: a conversation's id must not stand for another one of them."""
    return ConversationNotFound(
        "The branch with this id was deleted, and it is that branch's name, pins or notes which "
        "would be changed.",
        hint=f"Name a branch that is there, such as {other}; the title can be changed by this id.",
        param="conversation_id",
    )


def annotate(connection: Connection, branch_id: str, changes: ConversationChanges) -> None:
    """Sets pins and notes of a branch; raises InvalidRequest for one outside of its timeline."""
    n_tokens = opening.count_tokens(connection, branch_id)
    if changes.pins is not None:
        require_pinned_within(changes.pins.positions, n_tokens)
    if changes.notes is not None:
        require_within(changes.notes, n_tokens)
    annotating.annotate(
        connection,
        branch_id,
        None if changes.pins is None else pins_of(changes.pins),
        None if changes.notes is None else notes_of(changes.notes),
        changes.annotations_revision,
    )


def opened(
    engine: LensEngine,
    facts: ConversationFacts,
    branch: StoredBranch,
    include_tokens: bool,
    is_running: bool,
) -> SavedConversation:
    """A branch as the wire has it; without tokens where the running model is another one."""
    timeline = branch.timeline
    is_readable = facts.model.is_same(ModelIdentity.of(engine.facts))
    tokens: list[Token] = []
    if is_readable:
        require_readable(timeline, engine.facts)
        if include_tokens:
            tokens = make_tokens(engine.vocabulary, timeline.ids, timeline.roles)
    return SavedConversation(
        id=timeline.id,
        conversation_id=facts.id,
        title=facts.title,
        model=wire_model(facts.model),
        is_readable=is_readable,
        is_running=is_running,
        mode=timeline.mode,
        created_at_ms=facts.created_at_ms,
        updated_at_ms=facts.updated_at_ms,
        branches=[Branch(**dataclasses.asdict(each)) for each in facts.branches],
        tokens=tokens,
        text=branch.text,
        turns=list(map(wire_turn, timeline.turns)),
        steering=timeline.steering,
        pins=wire_pins(branch.pins),
        notes=list(map(wire_note, branch.notes)),
        annotations_revision=branch.annotations_revision,
    )


def read_file(
    file: ConversationFile, model: ModelIdentity, engine: LensEngine | None
) -> list[StoredBranch]:
    """The branches of a file; where the running model can read their ids, with its own words."""
    found = branches_of_file(file)
    if engine is None or not model.is_same(ModelIdentity.of(engine.facts)):
        return found
    for branch in found:
        require_readable(branch.timeline, engine.facts)
    words = [words_of(branch.timeline, engine.vocabulary) for branch in found]
    return [
        dataclasses.replace(branch, text=said.text, preview=said.preview)
        for branch, said in zip(found, words, strict=True)
    ]


def renamed(found: Sequence[StoredBranch]) -> list[StoredBranch]:
    """The same branches under new ids."""
    new = {branch.timeline.id: new_id() for branch in found}
    return [
        dataclasses.replace(
            branch,
            timeline=dataclasses.replace(
                branch.timeline,
                id=new[branch.timeline.id],
                parent_id=new.get(branch.timeline.parent_id or ""),
            ),
        )
        for branch in found
    ]


def summary(found: Summary, is_running: bool) -> ConversationSummary:
    return ConversationSummary(
        id=found.id,
        conversation_id=found.conversation_id,
        title=found.title,
        model=wire_model(found.model),
        created_at_ms=found.created_at_ms,
        updated_at_ms=found.updated_at_ms,
        n_tokens=found.n_tokens,
        n_branches=len(found.branch_ids),
        is_running=is_running,
    )
