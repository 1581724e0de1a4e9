"""How often the pins and notes of a branch were replaced, so that a change can name what it continues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "branches",
        sa.Column("annotations_revision", sa.Integer, nullable=False, server_default="0"),
    )
