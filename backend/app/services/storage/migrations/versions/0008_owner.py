"""Whose a conversation or a job is, on a server that several people share; nobody's before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("conversations", "jobs"):
        op.add_column(table, sa.Column("owner", sa.String(64)))
