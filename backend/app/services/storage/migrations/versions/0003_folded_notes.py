"""Texts of notes without regard to case, so that they can be searched as those of conversations are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

notes = sa.table(
    "notes",
    sa.column("branch_id", sa.String),
    sa.column("number", sa.Integer),
    sa.column("text", sa.Text),
    sa.column("text_folded", sa.Text),
)


def upgrade() -> None:
    op.add_column("notes", sa.Column("text_folded", sa.Text, nullable=False, server_default=""))
    connection = op.get_bind()
    for note in connection.execute(sa.select(notes)).all():
        connection.execute(
            sa.update(notes)
            .where(notes.c.branch_id == note.branch_id, notes.c.number == note.number)
            # The databases' own `lower` knows other letters, or only those of ASCII.
            .values(text_folded=note.text.casefold())
        )
