"""The list of conversations: found, counted, and one of them as it stands there."""

from __future__ import annotations

from typing import get_args

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from app.engine.types import ModelSource
from app.folding import folded
from app.services.storage.opening import (
    branch_id_of,
    conversation_id_of,
    is_owned,
    last_branches,
    not_found,
)
from app.services.storage.records import Summary
from app.services.storage.rows import summary_of
from app.services.storage.tables import branches, conversations, notes


def count(connection: Connection) -> int:
    """Conversations that were not deleted."""
    return connection.execute(
        select(func.count()).select_from(conversations).where(is_shown(connection))
    ).scalar_one()


def is_shown(connection: Connection) -> ColumnElement[bool]:
    """Whether a conversation is there to be opened by this person: neither deleted nor without a branch."""
    has_branch = exists().where(
        branches.c.conversation_id == conversations.c.id, branches.c.deleted_at_ms.is_(None)
    )
    return and_(is_owned(connection), conversations.c.deleted_at_ms.is_(None), has_branch)


def is_sound(connection: Connection) -> ColumnElement[bool]:
    """Whether a conversation has all that a list tells of it; SQLite keeps whatever is put into a column."""
    c = conversations.c
    of_known_source = c.model_source.in_(get_args(ModelSource))
    if connection.dialect.name != "sqlite":
        return of_known_source
    of_type = [
        func.typeof(column) == kind
        for kind, columns in {
            "text": (c.title, c.model_name),
            "integer": (c.created_at_ms, c.updated_at_ms),
        }.items()
        for column in columns
    ]
    return and_(of_known_source, func.typeof(c.model_revision).in_(("text", "null")), *of_type)


def find(connection: Connection, query: str, limit: int, offset: int) -> tuple[list[Summary], int]:
    """Conversations whose title, text or notes contain `query`, the last written first, and how many.

    Without those that are damaged.
    """
    shown = and_(is_shown(connection), is_sound(connection))
    if query:
        wanted = folded(query)
        of_branch = and_(
            branches.c.conversation_id == conversations.c.id, branches.c.deleted_at_ms.is_(None)
        )
        in_title = conversations.c.title_folded.contains(wanted, autoescape=True)
        in_text = exists().where(
            of_branch, branches.c.text_folded.contains(wanted, autoescape=True)
        )
        in_notes = exists().where(
            of_branch,
            notes.c.branch_id == branches.c.id,
            notes.c.text_folded.contains(wanted, autoescape=True),
        )
        shown = and_(shown, or_(in_title, in_text, in_notes))
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


def texts(connection: Connection, n_chars: int) -> list[str]:
    """Texts of the branches written last, one of each conversation, the newest first, until they have
    `n_chars` characters."""
    rows = connection.execute(
        select(branches.c.conversation_id, branches.c.text)
        .join(conversations, conversations.c.id == branches.c.conversation_id)
        .where(conversations.c.deleted_at_ms.is_(None), branches.c.deleted_at_ms.is_(None))
        .order_by(conversations.c.updated_at_ms.desc(), branches.c.updated_at_ms.desc())
    )
    found: dict[str, str] = {}
    for conversation_id, text in rows:
        if conversation_id not in found and text.strip():
            n_chars -= len(text)
            if n_chars < 0:
                break
            found[conversation_id] = text
    return list(found.values())


def summary(connection: Connection, branch_id: str) -> Summary:
    """The conversation that a branch is of, as in the list; raises ConversationNotFound."""
    conversation_id = conversation_id_of(connection, branch_id_of(connection, branch_id))
    row = connection.execute(
        select(conversations).where(conversations.c.id == conversation_id)
    ).one()
    last = last_branches(connection, [conversation_id]).get(conversation_id)
    if last is None:
        raise not_found()
    return summary_of(row, *last)
