"""A branch, or a whole conversation, as it is stored.

Like every module of statements here: each function works on a connection inside a transaction of
`Database`, and sees only what belongs to the person whose transaction it is, and what was not deleted
unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from app.errors import ConversationNotFound
from app.services.storage.failures import damaged, naming_damage
from app.services.storage.records import BranchFacts, ConversationFacts, StoredBranch
from app.services.storage.rows import (
    known_model_of,
    mode_of,
    note_of,
    parsed_ids,
    parsed_pins,
    parsed_roles,
    steering_of,
    text_of,
    turn_of,
)
from app.services.storage.tables import branches, conversations, notes, turns
from app.services.timelines import Conversation


def load(connection: Connection, branch_id: str, where: str) -> Conversation:
    """One timeline; raises ConversationNotFound, or StorageFailed when it is damaged."""
    with naming_damage(branch_id, where):
        return branch_of(connection, branch_row(connection, branch_id), where).timeline


def open_branch(
    connection: Connection, branch_id: str, where: str
) -> tuple[ConversationFacts, StoredBranch]:
    """A branch and the conversation it is of."""
    found = branch_id_of(connection, branch_id)
    with naming_damage(found, where):
        row = branch_row(connection, found)
        return facts_of(connection, row.conversation_id), branch_of(connection, row, where)


def all_branches(
    connection: Connection, branch_id: str, where: str
) -> tuple[ConversationFacts, list[StoredBranch]]:
    """A whole conversation, its branches in the order in which they were begun."""
    found = open_branch(connection, branch_id, where)[0]
    whole = []
    for branch in found.branches:
        with naming_damage(branch.id, where):
            whole.append(branch_of(connection, branch_row(connection, branch.id), where))
    return found, whole


def branch_id_of(connection: Connection, some_id: str) -> str:
    """The branch that an id of a branch or of a conversation stands for; raises
    ConversationNotFound.

    A conversation has the id of its first branch. When that one was deleted, its id stands for the
    branch that was written last.
    """
    try:
        found: str = branch_row(connection, some_id, branches.c.id)[0]
    except ConversationNotFound:
        last = last_branches(connection, [some_id])
        if some_id not in last or not is_kept(connection, some_id):
            raise
        found = last[some_id][0].id
    return found


def ancestors_of(connection: Connection, row: Row[Any]) -> tuple[str, ...]:
    """The branches that one came from, the nearest first; also deleted ones, up to one that is gone."""
    if row.parent_id is None:
        return ()
    parents = dict(
        connection.execute(
            select(branches.c.id, branches.c.parent_id).where(
                branches.c.conversation_id == row.conversation_id
            )
        )
        .tuples()
        .all()
    )
    found: list[str] = []
    parent = row.parent_id
    while parent is not None and parent not in found:
        found.append(parent)
        parent = parents.get(parent)
    return tuple(found)


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
        title=text_of(row.title),
        model=known_model_of(row),
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
                is_steered=branch.steering is not None,
                created_at_ms=branch.created_at_ms,
                updated_at_ms=branch.updated_at_ms,
            )
            for branch in found
        ),
    )


def count_tokens(connection: Connection, branch_id: str) -> int:
    """Of a branch; raises ConversationNotFound."""
    n_tokens: int = branch_row(connection, branch_id, branches.c.n_tokens)[0]
    return n_tokens


def conversation_id_of(connection: Connection, branch_id: str) -> str:
    """Which conversation a branch is of; raises ConversationNotFound."""
    conversation_id: str = branch_row(connection, branch_id, branches.c.conversation_id)[0]
    return conversation_id


WHOLE_BRANCH = (
    branches,
    conversations.c.model_name,
    conversations.c.model_revision,
    conversations.c.model_source,
)
"""A branch with the model of its conversation."""


def branch_row(connection: Connection, branch_id: str, *columns: ColumnElement[Any]) -> Row[Any]:
    """These columns of a branch, or the whole of it; raises ConversationNotFound."""
    row = connection.execute(
        select(*(columns or WHOLE_BRANCH))
        .select_from(branches)
        .join(conversations, conversations.c.id == branches.c.conversation_id)
        .where(
            branches.c.id == branch_id,
            branches.c.deleted_at_ms.is_(None),
            conversations.c.deleted_at_ms.is_(None),
            is_owned(connection),
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
    # After the row that tells their revision: notes that are newer than it are refused as outdated,
    # while older ones would pass for current.
    note_rows = connection.execute(
        select(notes).where(notes.c.branch_id == row.id).order_by(notes.c.number)
    ).all()
    timeline = Conversation(
        id=row.id,
        ids=parsed_ids(ids),
        roles=parsed_roles(roles),
        turns=tuple(map(turn_of, turn_rows)),
        version=row.version,
        parent_id=row.parent_id,
        from_index=row.from_index,
        model=known_model_of(row),
        mode=mode_of(row),
        ancestors=ancestors_of(connection, row),
        steering=steering_of(row),
    )
    return StoredBranch(
        timeline=timeline,
        name=row.name,
        text=text_of(row.text),
        preview=text_of(row.preview),
        pins=parsed_pins(row.pins),
        notes=tuple(map(note_of, note_rows)),
        created_at_ms=row.created_at_ms,
        updated_at_ms=row.updated_at_ms,
        annotations_revision=row.annotations_revision,
    )


def last_branches(
    connection: Connection, conversation_ids: Sequence[str]
) -> dict[str, tuple[Row[Any], tuple[str, ...]]]:
    """By conversation: the branch that was written last, and the ids of all, that one last."""
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
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.conversation_id, []).append(row.id)
    return {row.conversation_id: (row, tuple(found[row.conversation_id])) for row in rows}


def conversation_of(connection: Connection, branch_id: str) -> str | None:
    """The conversation that a branch is of, deleted or not."""
    return connection.execute(
        select(branches.c.conversation_id)
        .join(conversations, conversations.c.id == branches.c.conversation_id)
        .where(branches.c.id == branch_id, is_owned(connection))
    ).scalar_one_or_none()


def is_kept(connection: Connection, conversation_id: str, *, locks: bool = False) -> bool:
    """Whether a conversation is there. `locks` keeps every other request that locks it waiting.

    Whatever changes a conversation or its branches locks the conversation's row first: PostgreSQL
    would otherwise let two requests see what they exclude, or wait for each other.
    """
    wanted = select(conversations.c.id).where(
        conversations.c.id == conversation_id,
        conversations.c.deleted_at_ms.is_(None),
        is_owned(connection),
    )
    if locks:
        wanted = wanted.with_for_update()
    return connection.execute(wanted).one_or_none() is not None


def lock_conversation_of(connection: Connection, branch_id: str) -> None:
    """Locks the conversation that a branch is of, see `is_kept`; raises ConversationNotFound."""
    if not is_kept(connection, conversation_id_of(connection, branch_id), locks=True):
        raise not_found()


def owner_of(connection: Connection) -> str | None:
    """The person whose transaction it is; None on a server with a single user."""
    owner: str | None = connection.get_execution_options()["owner"]
    return owner


def is_owned(connection: Connection) -> ColumnElement[bool]:
    """Whether a conversation belongs to the person whose transaction it is."""
    # SQLAlchemy writes IS NULL for None.
    return conversations.c.owner == owner_of(connection)


def not_found() -> ConversationNotFound:
    return ConversationNotFound(
        "There is no conversation with this id: it never existed, or it was deleted.",
        hint="GET /api/conversations lists those that there are; or send the whole history in "
        "messages, without conversation_id.",
        param="conversation_id",
    )
