"""What people say of a conversation: its title, and name, pins and notes of each branch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from app.errors import AnnotationsChanged
from app.folding import folded
from app.services.storage.opening import branch_row, conversation_id_of
from app.services.storage.records import Note, Pins
from app.services.storage.rows import note_of, parsed_pins, written_pins
from app.services.storage.tables import branches, conversations, notes
from app.services.timelines import Conversation


def rename(connection: Connection, branch_id: str, title: str) -> None:
    """Gives the conversation that a branch is of another title."""
    found = conversation_id_of(connection, branch_id)
    connection.execute(
        update(conversations)
        .where(conversations.c.id == found)
        .values(title=title, title_folded=folded(title))
    )


def name_branch(connection: Connection, branch_id: str, name: str | None) -> None:
    branch_row(connection, branch_id, branches.c.id)
    connection.execute(update(branches).where(branches.c.id == branch_id).values(name=name))


def annotate(
    connection: Connection,
    branch_id: str,
    pins: Pins | None = None,
    noted: Sequence[Note] | None = None,
    annotations_revision: int | None = None,
) -> None:
    """Replaces the pins or the notes of a branch, or both; what is None stays.

    `annotations_revision` is the one that the change was made to. Raises AnnotationsChanged when the
    branch is at another one by now. The check is part of the UPDATE that claims the next revision:
    it locks the row, so that of two that continue the same one the second waits for the first to
    commit, and then finds that it came too late. Without it whatever is there is replaced, still one
    change after the other.
    """
    branch_row(connection, branch_id, branches.c.id)
    at = branches.c.annotations_revision
    fresh: dict[str, Any] = {"annotations_revision": at + 1}
    if pins is not None:
        fresh["pins"] = written_pins(pins)
    change = update(branches).where(branches.c.id == branch_id).values(**fresh)
    if annotations_revision is not None:
        change = change.where(at == annotations_revision)
    if connection.execute(change).rowcount != 1:
        raise AnnotationsChanged(
            "The pins or notes of this branch were changed meanwhile, so nothing was changed: the "
            f"request continues revision {annotations_revision}, which is no longer the current one.",
            hint="GET the conversation again, make the change to what it holds now, and send that "
            "with its annotations_revision.",
            param="annotations_revision",
        )
    if noted is not None:
        connection.execute(delete(notes).where(notes.c.branch_id == branch_id))
        add_notes(connection, branch_id, noted)


def add_notes(connection: Connection, branch_id: str, added: Iterable[Note]) -> None:
    rows = [
        {
            "branch_id": branch_id,
            "number": number,
            "start_index": note.start,
            "end_index": note.end,
            "layer": note.layer,
            "text": note.text,
            "text_folded": folded(note.text),
        }
        for number, note in enumerate(added)
    ]
    if rows:
        connection.execute(insert(notes), rows)


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
