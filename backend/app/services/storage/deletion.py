"""Conversations and branches are deleted, and brought back for a day."""

from __future__ import annotations

from sqlalchemy import Connection, delete, update

from app.errors import Conflict
from app.services.storage.opening import (
    conversation_id_of,
    conversation_of,
    is_kept,
    last_branches,
    not_found,
)
from app.services.storage.rows import now_ms
from app.services.storage.tables import branches, conversations

KEPT_DELETED_MS = 24 * 3_600_000
"""How long what was deleted can be brought back."""


def delete_conversation(connection: Connection, branch_id: str) -> None:
    """Deletes the whole conversation that a branch is of; it can be brought back for a day."""
    purge(connection)
    found = conversation_id_of(connection, branch_id)
    connection.execute(
        update(conversations).where(conversations.c.id == found).values(deleted_at_ms=now_ms())
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
    found = conversation_id_of(connection, branch_id)
    if last_branches(connection, [found])[found][1] == 1:
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
