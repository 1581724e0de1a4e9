"""Conversations and branches are deleted, and brought back for a day."""

from __future__ import annotations

from sqlalchemy import Connection, delete, update

from app.errors import Conflict
from app.services.storage.opening import (
    branch_id_of,
    conversation_id_of,
    conversation_of,
    is_kept,
    is_owned,
    last_branches,
    not_found,
)
from app.services.storage.rows import now_ms
from app.services.storage.tables import branches, conversations

KEPT_DELETED_MS = 24 * 3_600_000
"""How long what was deleted can be brought back."""


def delete_conversation(connection: Connection, some_id: str) -> None:
    """Deletes the whole conversation that an id stands for; it can be brought back for a day."""
    purge(connection)
    found = conversation_id_of(connection, branch_id_of(connection, some_id))
    connection.execute(
        update(conversations).where(conversations.c.id == found).values(deleted_at_ms=now_ms())
    )


def restore_conversation(connection: Connection, some_id: str) -> None:
    """Brings a deleted conversation back; does nothing to one that is there."""
    found = conversation_of(connection, some_id) or some_id
    restored = connection.execute(
        update(conversations)
        .where(
            conversations.c.id == found,
            is_owned(connection),
            conversations.c.deleted_at_ms.is_(None)
            | (conversations.c.deleted_at_ms >= now_ms() - KEPT_DELETED_MS),
        )
        .values(deleted_at_ms=None)
    )
    if restored.rowcount != 1:
        raise not_found()


def delete_branch(connection: Connection, branch_id: str) -> None:
    """Deletes one branch; raises Conflict for the last one of its conversation."""
    purge(connection)
    found = conversation_id_of(connection, branch_id)
    # Locked before the branches are counted: two requests could delete the last two otherwise.
    if not is_kept(connection, found, locks=True):
        raise not_found()
    conversation_id_of(connection, branch_id)
    if len(last_branches(connection, [found])[found][1]) == 1:
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
    found = conversation_of(connection, branch_id)
    if found is None or not is_kept(connection, found, locks=True):
        raise not_found()
    restored = connection.execute(
        update(branches)
        .where(
            branches.c.id == branch_id,
            branches.c.deleted_at_ms.is_(None)
            | (branches.c.deleted_at_ms >= now_ms() - KEPT_DELETED_MS),
        )
        .values(deleted_at_ms=None)
    )
    if restored.rowcount != 1:
        raise not_found()


def purge(connection: Connection) -> None:
    """Removes for good what was deleted more than a day ago."""
    before = now_ms() - KEPT_DELETED_MS
    for table in (conversations, branches):
        connection.execute(delete(table).where(table.c.deleted_at_ms < before))
