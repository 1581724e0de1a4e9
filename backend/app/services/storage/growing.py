"""Timelines are added: turn by turn as they are written, or a whole conversation at once."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from app.errors import Conflict
from app.folding import folded
from app.services.identity import ModelIdentity
from app.services.storage.annotating import add_notes, inherit_notes, inherited_pins
from app.services.storage.opening import conversation_of, is_kept, owner_of
from app.services.storage.records import StoredBranch, Words
from app.services.storage.rows import branch_columns, now_ms, written_pins
from app.services.storage.tables import branches, conversations, turns
from app.services.timelines import Conversation


def save_turn(
    connection: Connection, timeline: Conversation, model: ModelIdentity, words: Words
) -> None:
    """Stores a timeline whose last turn is new or goes on, or a new timeline.

    Raises Conflict when another server has continued it meanwhile, or when it was deleted.
    """
    now = now_ms()
    fresh = {
        **branch_columns(timeline, words.text, words.preview),
        "version": timeline.version + 1,
        "updated_at_ms": now,
    }
    if timeline.version > 0:
        conversation_id = grow(connection, timeline, fresh)
        last = len(timeline.turns) - 1
        connection.execute(
            delete(turns).where(turns.c.branch_id == timeline.id, turns.c.number >= last)
        )
        add_turns(connection, timeline, first=last)
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
    conversation_id = conversation_of(connection, timeline.id)
    if conversation_id and is_kept(connection, conversation_id, locks=True):
        grown = connection.execute(
            update(branches)
            .where(
                branches.c.id == timeline.id,
                branches.c.version == timeline.version,
                branches.c.deleted_at_ms.is_(None),
            )
            .values(**fresh)
        )
        if grown.rowcount == 1:
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
        if found is None or not is_kept(connection, found, locks=True):
            raise lost_to_another("of this branch is no longer there")
        return found
    insert_conversation(connection, timeline.id, title, model, now)
    return timeline.id


def insert_conversation(
    connection: Connection, conversation_id: str, title: str, model: ModelIdentity, now: int
) -> None:
    """Makes a conversation that has no branch yet."""
    connection.execute(
        insert(conversations).values(
            id=conversation_id,
            title=title,
            title_folded=folded(title),
            model_name=model.name,
            model_revision=model.revision,
            model_source=model.source,
            owner=owner_of(connection),
            created_at_ms=now,
            updated_at_ms=now,
        )
    )


def lost_to_another(what: str) -> Conflict:
    return Conflict(
        f"This turn was not saved: the conversation {what}. It was deleted meanwhile, or continued "
        "by another server.",
        hint="Copy what you want to keep, open the conversation again, and repeat the message.",
        param="conversation_id",
    )


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


def add_conversation(
    connection: Connection, title: str, model: ModelIdentity, added: Sequence[StoredBranch]
) -> None:
    """Stores a whole conversation under the id of its first branch; all ids must be new."""
    now = now_ms()
    first = added[0].timeline.id
    insert_conversation(connection, first, title, model, now)
    connection.execute(
        insert(branches),
        [
            {
                "id": branch.timeline.id,
                "conversation_id": first,
                "name": branch.name,
                "parent_id": branch.timeline.parent_id,
                "from_index": branch.timeline.from_index,
                "version": 1,
                "pins": written_pins(branch.pins),
                # Their order is the order in which they were begun.
                "created_at_ms": now + place,
                "updated_at_ms": now + place,
                **branch_columns(branch.timeline, branch.text, branch.preview),
            }
            for place, branch in enumerate(added)
        ],
    )
    for branch in added:
        add_turns(connection, branch.timeline, first=0)
        add_notes(connection, branch.timeline.id, branch.notes)
