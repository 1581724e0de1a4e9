"""How conversations are stored and found again: every SQL statement of the product.

Each function works on a connection inside a transaction of `Database`, and sees only what was not
deleted unless it says otherwise.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from app.errors import Conflict, ConversationNotFound
from app.services.storage.failures import damaged
from app.services.storage.records import (
    BranchFacts,
    ConversationFacts,
    Note,
    Pins,
    StoredBranch,
    Summary,
    Words,
)
from app.services.storage.rows import (
    model_of,
    note_of,
    packed_ids,
    packed_roles,
    parsed_ids,
    parsed_pins,
    parsed_roles,
    summary_of,
    turn_of,
    written_pins,
)
from app.services.storage.tables import branches, conversations, notes, turns
from app.services.timelines import Conversation, ModelIdentity

KEPT_DELETED_MS = 24 * 3_600_000
"""How long what was deleted can be brought back."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


# --- timelines -----------------------------------------------------------------------------------


def load(connection: Connection, branch_id: str, where: str) -> Conversation:
    """One timeline; raises ConversationNotFound, or StorageFailed when it is damaged."""
    return branch_of(connection, branch_row(connection, branch_id), where).timeline


def save_turn(
    connection: Connection, timeline: Conversation, model: ModelIdentity, words: Words
) -> None:
    """Stores a timeline that has grown by a turn, or a new one.

    Raises Conflict when another server has continued it meanwhile, or when it was deleted.
    """
    now = now_ms()
    fresh = {
        "token_ids": packed_ids(timeline.ids),
        "roles": packed_roles(timeline.roles),
        "n_tokens": len(timeline.ids),
        "text": words.text,
        "text_folded": words.text.casefold(),
        "preview": words.preview,
        "version": timeline.version + 1,
        "updated_at_ms": now,
    }
    if timeline.version > 0:
        conversation_id = grow(connection, timeline, fresh)
        add_turns(connection, timeline, first=len(timeline.turns) - 1)
    else:
        conversation_id = begin(connection, timeline, model, words.title, now)
        connection.execute(
            insert(branches).values(
                id=timeline.id,
                conversation_id=conversation_id,
                parent_id=timeline.parent_id,
                from_index=timeline.from_index,
                pins=inherited_pins(connection, timeline),
                created_at_ms=now,
                **fresh,
            )
        )
        add_turns(connection, timeline, first=0)
        inherit_notes(connection, timeline)
    connection.execute(
        update(conversations).where(conversations.c.id == conversation_id).values(updated_at_ms=now)
    )


def grow(connection: Connection, timeline: Conversation, fresh: dict[str, Any]) -> str:
    """Replaces a stored timeline by its continuation; gives the conversation it is of."""
    grown = connection.execute(
        update(branches)
        .where(
            branches.c.id == timeline.id,
            branches.c.version == timeline.version,
            branches.c.deleted_at_ms.is_(None),
        )
        .values(**fresh)
    )
    conversation_id = conversation_of(connection, timeline.id)
    if grown.rowcount == 1 and conversation_id and is_kept(connection, conversation_id):
        return conversation_id
    raise lost_to_another("is no longer what this reply continues")


def begin(
    connection: Connection,
    timeline: Conversation,
    model: ModelIdentity,
    title: str,
    now: int,
) -> str:
    """Finds the conversation that a new branch belongs to, or makes one; gives its id."""
    if timeline.parent_id is not None:
        found = conversation_of(connection, timeline.parent_id)
        if found is None or not is_kept(connection, found):
            raise lost_to_another("of this branch is no longer there")
        return found
    connection.execute(
        insert(conversations).values(
            id=timeline.id,
            title=title,
            title_folded=title.casefold(),
            model_name=model.name,
            model_revision=model.revision,
            model_source=model.source,
            created_at_ms=now,
            updated_at_ms=now,
        )
    )
    return timeline.id


def conversation_of(connection: Connection, branch_id: str) -> str | None:
    """The conversation that a branch is of, deleted or not."""
    return connection.execute(
        select(branches.c.conversation_id).where(branches.c.id == branch_id)
    ).scalar_one_or_none()


def is_kept(connection: Connection, conversation_id: str) -> bool:
    return (
        connection.execute(
            select(conversations.c.id).where(
                conversations.c.id == conversation_id, conversations.c.deleted_at_ms.is_(None)
            )
        ).one_or_none()
        is not None
    )


def lost_to_another(what: str) -> Conflict:
    return Conflict(
        f"The reply was not saved: the conversation {what}. It was deleted meanwhile, or continued "
        "by another server.",
        hint="Copy what you want to keep, open the conversation again, and repeat the message.",
        param="conversation_id",
    )


def inherited_pins(connection: Connection, timeline: Conversation) -> str:
    """Pins of the parent, of which a branch keeps those that lie in what they share."""
    found = connection.execute(
        select(branches.c.pins).where(branches.c.id == timeline.parent_id)
    ).scalar_one_or_none()
    pins = parsed_pins(found) if found else Pins()
    shared = timeline.from_index or 0
    return written_pins(Pins(pins.token_ids, tuple(p for p in pins.positions if p < shared)))


def inherit_notes(connection: Connection, timeline: Conversation) -> None:
    parent = connection.execute(
        select(notes)
        .where(
            notes.c.branch_id == timeline.parent_id,
            notes.c.end_index <= (timeline.from_index or 0),
        )
        .order_by(notes.c.number)
    ).all()
    add_notes(connection, timeline.id, map(note_of, parent))


def add_turns(connection: Connection, timeline: Conversation, first: int) -> None:
    rows = [
        {
            "branch_id": timeline.id,
            "number": number,
            "start_index": turn.start,
            "reply_start": turn.reply_start,
            "end_index": turn.end,
            "finish_reason": turn.finish_reason,
            "sampling": json.dumps(dataclasses.asdict(turn.sampling)) if turn.sampling else None,
        }
        for number, turn in enumerate(timeline.turns)
        if number >= first
    ]
    if rows:
        connection.execute(insert(turns), rows)


# --- conversations -------------------------------------------------------------------------------


def count(connection: Connection) -> int:
    """Conversations that were not deleted."""
    return connection.execute(
        select(func.count())
        .select_from(conversations)
        .where(conversations.c.deleted_at_ms.is_(None))
    ).scalar_one()


def find(connection: Connection, query: str, limit: int, offset: int) -> tuple[list[Summary], int]:
    """Conversations whose title or text contains `query`, the last written first, and how many."""
    shown: ColumnElement[bool] = conversations.c.deleted_at_ms.is_(None)
    if query:
        wanted = query.casefold()
        in_text = exists().where(
            branches.c.conversation_id == conversations.c.id,
            branches.c.deleted_at_ms.is_(None),
            branches.c.text_folded.contains(wanted, autoescape=True),
        )
        in_title = conversations.c.title_folded.contains(wanted, autoescape=True)
        shown = and_(shown, or_(in_title, in_text))
    total = connection.execute(
        select(func.count()).select_from(conversations).where(shown)
    ).scalar_one()
    page = connection.execute(
        select(conversations)
        .where(shown)
        .order_by(conversations.c.updated_at_ms.desc(), conversations.c.id)
        .limit(limit)
        .offset(offset)
    ).all()
    last = last_branches(connection, [row.id for row in page])
    return [summary_of(row, *last[row.id]) for row in page if row.id in last], total


def summary(connection: Connection, branch_id: str) -> Summary:
    """The conversation that a branch is of, as in the list; raises ConversationNotFound."""
    conversation_id = branch_row(connection, branch_id).conversation_id
    row = connection.execute(
        select(conversations).where(conversations.c.id == conversation_id)
    ).one()
    return summary_of(row, *last_branches(connection, [conversation_id])[conversation_id])


def last_branches(
    connection: Connection, conversation_ids: Sequence[str]
) -> dict[str, tuple[Row[Any], int]]:
    """By conversation: the branch that was written last, and how many there are."""
    rows = connection.execute(
        select(
            branches.c.conversation_id,
            branches.c.id,
            branches.c.n_tokens,
            branches.c.updated_at_ms,
        )
        .where(branches.c.conversation_id.in_(conversation_ids), branches.c.deleted_at_ms.is_(None))
        .order_by(branches.c.updated_at_ms, branches.c.id)
    ).all()
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.conversation_id] = counts.get(row.conversation_id, 0) + 1
    return {row.conversation_id: (row, counts[row.conversation_id]) for row in rows}


def facts_of(connection: Connection, conversation_id: str) -> ConversationFacts:
    row = connection.execute(
        select(conversations).where(conversations.c.id == conversation_id)
    ).one()
    found = connection.execute(
        select(branches)
        .where(branches.c.conversation_id == conversation_id, branches.c.deleted_at_ms.is_(None))
        .order_by(branches.c.created_at_ms, branches.c.id)
    ).all()
    return ConversationFacts(
        id=row.id,
        title=row.title,
        model=model_of(row),
        created_at_ms=row.created_at_ms,
        updated_at_ms=row.updated_at_ms,
        branches=tuple(
            BranchFacts(
                id=branch.id,
                name=branch.name,
                parent_id=branch.parent_id,
                from_index=branch.from_index,
                n_tokens=branch.n_tokens,
                preview=branch.preview,
                created_at_ms=branch.created_at_ms,
                updated_at_ms=branch.updated_at_ms,
            )
            for branch in found
        ),
    )


def open_branch(
    connection: Connection, branch_id: str, where: str
) -> tuple[ConversationFacts, StoredBranch]:
    """A branch and the conversation it is of.

    The id of a conversation whose first branch was deleted opens the one that was written last.
    """
    try:
        row = branch_row(connection, branch_id)
    except ConversationNotFound:
        last = last_branches(connection, [branch_id])
        if branch_id not in last:
            raise
        row = branch_row(connection, last[branch_id][0].id)
    return facts_of(connection, row.conversation_id), branch_of(connection, row, where)


def all_branches(
    connection: Connection, branch_id: str, where: str
) -> tuple[ConversationFacts, list[StoredBranch]]:
    """A whole conversation, its branches in the order in which they were begun."""
    found = open_branch(connection, branch_id, where)[0]
    rows = [branch_row(connection, branch.id) for branch in found.branches]
    return found, [branch_of(connection, row, where) for row in rows]


def add_conversation(
    connection: Connection, title: str, model: ModelIdentity, added: Sequence[StoredBranch]
) -> None:
    """Stores a whole conversation under the id of its first branch; all ids must be new."""
    now = now_ms()
    first = added[0].timeline.id
    connection.execute(
        insert(conversations).values(
            id=first,
            title=title,
            title_folded=title.casefold(),
            model_name=model.name,
            model_revision=model.revision,
            model_source=model.source,
            created_at_ms=now,
            updated_at_ms=now,
        )
    )
    for place, branch in enumerate(added):
        timeline = branch.timeline
        connection.execute(
            insert(branches).values(
                id=timeline.id,
                conversation_id=first,
                name=branch.name,
                parent_id=timeline.parent_id,
                from_index=timeline.from_index,
                version=1,
                token_ids=packed_ids(timeline.ids),
                roles=packed_roles(timeline.roles),
                n_tokens=len(timeline.ids),
                text=branch.text,
                text_folded=branch.text.casefold(),
                preview=branch.preview,
                pins=written_pins(branch.pins),
                # Their order is the order in which they were begun.
                created_at_ms=now + place,
                updated_at_ms=now + place,
            )
        )
        add_turns(connection, timeline, first=0)
        add_notes(connection, timeline.id, branch.notes)


# --- changes -------------------------------------------------------------------------------------


def rename(connection: Connection, branch_id: str, title: str) -> None:
    """Gives the conversation that a branch is of another title."""
    row = branch_row(connection, branch_id)
    connection.execute(
        update(conversations)
        .where(conversations.c.id == row.conversation_id)
        .values(title=title, title_folded=title.casefold())
    )


def name_branch(connection: Connection, branch_id: str, name: str | None) -> None:
    branch_row(connection, branch_id)
    connection.execute(update(branches).where(branches.c.id == branch_id).values(name=name))


def pin(connection: Connection, branch_id: str, pins: Pins) -> None:
    branch_row(connection, branch_id)
    connection.execute(
        update(branches).where(branches.c.id == branch_id).values(pins=written_pins(pins))
    )


def replace_notes(connection: Connection, branch_id: str, replaced: Sequence[Note]) -> None:
    branch_row(connection, branch_id)
    connection.execute(delete(notes).where(notes.c.branch_id == branch_id))
    add_notes(connection, branch_id, replaced)


def add_notes(connection: Connection, branch_id: str, added: Iterable[Note]) -> None:
    rows = [
        {
            "branch_id": branch_id,
            "number": number,
            "start_index": note.start,
            "end_index": note.end,
            "layer": note.layer,
            "text": note.text,
        }
        for number, note in enumerate(added)
    ]
    if rows:
        connection.execute(insert(notes), rows)


def delete_conversation(connection: Connection, branch_id: str) -> None:
    """Deletes the whole conversation that a branch is of; it can be brought back for a day."""
    purge(connection)
    row = branch_row(connection, branch_id)
    connection.execute(
        update(conversations)
        .where(conversations.c.id == row.conversation_id)
        .values(deleted_at_ms=now_ms())
    )


def restore_conversation(connection: Connection, branch_id: str) -> None:
    """Brings a deleted conversation back; does nothing to one that is there."""
    found = conversation_of(connection, branch_id)
    if found is None:
        raise not_found()
    connection.execute(
        update(conversations).where(conversations.c.id == found).values(deleted_at_ms=None)
    )


def delete_branch(connection: Connection, branch_id: str) -> None:
    """Deletes one branch; raises Conflict for the last one of its conversation."""
    purge(connection)
    row = branch_row(connection, branch_id)
    if last_branches(connection, [row.conversation_id])[row.conversation_id][1] == 1:
        raise Conflict(
            "This is the only branch of its conversation.",
            hint="Delete the conversation instead.",
            param="branch_id",
        )
    connection.execute(
        update(branches).where(branches.c.id == branch_id).values(deleted_at_ms=now_ms())
    )


def restore_branch(connection: Connection, branch_id: str) -> None:
    """Brings a deleted branch back; does nothing to one that is there."""
    connection.execute(
        update(branches).where(branches.c.id == branch_id).values(deleted_at_ms=None)
    )
    restored = conversation_of(connection, branch_id)
    if restored is None or not is_kept(connection, restored):
        raise not_found()


def purge(connection: Connection) -> None:
    """Removes for good what was deleted more than a day ago."""
    before = now_ms() - KEPT_DELETED_MS
    for table in (conversations, branches):
        connection.execute(delete(table).where(table.c.deleted_at_ms < before))


# --- rows ----------------------------------------------------------------------------------------


def not_found() -> ConversationNotFound:
    return ConversationNotFound(
        "There is no conversation with this id: it never existed, its first turn failed, or it was "
        "deleted.",
        hint="GET /api/conversations lists those that there are; or send the whole history in "
        "messages, without conversation_id.",
        param="conversation_id",
    )


def branch_row(connection: Connection, branch_id: str) -> Row[Any]:
    """A branch with the model of its conversation; raises ConversationNotFound."""
    row = connection.execute(
        select(
            branches,
            conversations.c.model_name,
            conversations.c.model_revision,
            conversations.c.model_source,
        )
        .join(conversations, conversations.c.id == branches.c.conversation_id)
        .where(
            branches.c.id == branch_id,
            branches.c.deleted_at_ms.is_(None),
            conversations.c.deleted_at_ms.is_(None),
        )
    ).one_or_none()
    if row is None:
        raise not_found()
    return row


def branch_of(connection: Connection, row: Row[Any], where: str) -> StoredBranch:
    ids, roles = bytes(row.token_ids), bytes(row.roles)
    if len(ids) != 4 * row.n_tokens or len(roles) != row.n_tokens:
        raise damaged(f"the tokens of {row.id} are incomplete", where)
    turn_rows = connection.execute(
        select(turns).where(turns.c.branch_id == row.id).order_by(turns.c.number)
    ).all()
    note_rows = connection.execute(
        select(notes).where(notes.c.branch_id == row.id).order_by(notes.c.number)
    ).all()
    try:
        timeline = Conversation(
            id=row.id,
            ids=parsed_ids(ids),
            roles=parsed_roles(roles),
            turns=tuple(map(turn_of, turn_rows)),
            version=row.version,
            parent_id=row.parent_id,
            from_index=row.from_index,
            model=model_of(row),
        )
        pins = parsed_pins(row.pins)
    except (ValueError, IndexError, KeyError, TypeError) as failure:
        raise damaged(f"{row.id} holds what was never written", where) from failure
    return StoredBranch(
        timeline=timeline,
        name=row.name,
        text=row.text,
        preview=row.preview,
        pins=pins,
        notes=tuple(map(note_of, note_rows)),
        created_at_ms=row.created_at_ms,
        updated_at_ms=row.updated_at_ms,
    )
