"""Jobs: work that takes longer than a request, with what it has found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column(
            "branch_id",
            sa.String(64),
            sa.ForeignKey("branches.id", ondelete="CASCADE"),
        ),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("found", sa.Text, nullable=False),
        sa.Column("failure", sa.Text),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger, nullable=False),
        sa.Index("jobs_by_time", "created_at_ms"),
    )
