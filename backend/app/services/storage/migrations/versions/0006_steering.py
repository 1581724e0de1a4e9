"""What a branch was computed under, where that is not the plain model."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("branches", sa.Column("steering", sa.Text))
