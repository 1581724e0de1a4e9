"""Whether a branch is a chat or a completion. Of those that there are it is read off their roles: a
template writes more than the one token (role 0) with which a completion may begin."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

branches = sa.table(
    "branches",
    sa.column("id", sa.String),
    sa.column("roles", sa.LargeBinary),
    sa.column("mode", sa.String),
)


def upgrade() -> None:
    op.add_column(
        "branches", sa.Column("mode", sa.String(16), nullable=False, server_default="chat")
    )
    connection = op.get_bind()
    # Sorted out here: bytes of a column are counted differently by each database.
    found = connection.execute(sa.select(branches.c.id, branches.c.roles)).all()
    completions = [
        row.id for row in found if isinstance(row.roles, bytes) and row.roles.count(0) <= 1
    ]
    for branch_id in completions:
        connection.execute(
            sa.update(branches).where(branches.c.id == branch_id).values(mode="completion")
        )
