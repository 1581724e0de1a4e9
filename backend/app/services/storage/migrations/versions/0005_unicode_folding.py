"""Searchable texts without regard to normal form and width, and no longer to case alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.folding import folded

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SEARCHABLE = (
    ("conversations", ("id",), "title", "title_folded"),
    ("branches", ("id",), "text", "text_folded"),
    ("notes", ("branch_id", "number"), "text", "text_folded"),
)


def upgrade() -> None:
    connection = op.get_bind()
    for name, keys, text, text_folded in SEARCHABLE:
        table = sa.table(name, *map(sa.column, (*keys, text, text_folded)))
        for row in connection.execute(sa.select(table)).all():
            written = row._mapping
            if written[text_folded] == (found := folded(written[text])):
                continue
            connection.execute(
                sa.update(table)
                .where(*(table.c[key] == written[key] for key in keys))
                .values({text_folded: found})
            )
