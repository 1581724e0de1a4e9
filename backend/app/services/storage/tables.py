"""The tables, as the newest migration leaves them.

A conversation is a title, a model and a tree of branches. A branch holds its whole timeline, also
what it shares with its parent: 5 bytes a token are cheap, and so any branch can go without another.
Numbers are never stored with them; they are computed again from the ids. A job holds what it was asked
for and what it has found, as JSON: that takes longer to compute than anybody waits. Times are milliseconds since 1970.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("title", Text, nullable=False),
    Column("title_folded", Text, nullable=False),
    Column("model_name", Text, nullable=False),
    Column("model_revision", Text),
    Column("model_source", String(16), nullable=False),
    # The person whose it is on a shared server; nothing on one with a single user.
    Column("owner", String(64)),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
    Column("deleted_at_ms", BigInteger),
    Index("conversations_by_update", "deleted_at_ms", "updated_at_ms"),
)

branches = Table(
    "branches",
    metadata,
    Column("id", String(64), primary_key=True),
    Column(
        "conversation_id",
        String(64),
        ForeignKey("conversations.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("name", Text),
    # No foreign key: a branch outlives the one that it came from.
    Column("parent_id", String(64)),
    Column("from_index", Integer),
    Column("version", Integer, nullable=False),
    # How the last request continued it: chat or completion.
    Column("mode", String(16), nullable=False, server_default="chat"),
    # JSON of the interventions that it is computed under; nothing for a plain one.
    Column("steering", Text),
    Column("token_ids", LargeBinary, nullable=False),
    Column("roles", LargeBinary, nullable=False),
    Column("n_tokens", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("text_folded", Text, nullable=False),
    Column("preview", Text, nullable=False),
    Column("pins", Text, nullable=False),
    # How often pins or notes were replaced.
    Column("annotations_revision", Integer, nullable=False, server_default="0"),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
    Column("deleted_at_ms", BigInteger),
    Index("branches_of_conversation", "conversation_id", "created_at_ms"),
)

turns = Table(
    "turns",
    metadata,
    Column(
        "branch_id", String(64), ForeignKey("branches.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("start_index", Integer, nullable=False),
    Column("reply_start", Integer, nullable=False),
    Column("end_index", Integer, nullable=False),
    Column("finish_reason", String(16), nullable=False),
    Column("sampling", Text),
)

notes = Table(
    "notes",
    metadata,
    Column(
        "branch_id", String(64), ForeignKey("branches.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("start_index", Integer, nullable=False),
    Column("end_index", Integer, nullable=False),
    Column("layer", Integer),
    Column("text", Text, nullable=False),
    Column("text_folded", Text, nullable=False, server_default=""),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("client", Text, nullable=False),
    Column("owner", String(64)),
    # Of the timeline that it is about, where that is stored: both go together.
    Column("branch_id", String(64), ForeignKey("branches.id", ondelete="CASCADE")),
    Column("model", Text, nullable=False),
    Column("plan", Text, nullable=False),
    # What it has found so far, from which it goes on.
    Column("found", Text, nullable=False),
    Column("failure", Text),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
    Index("jobs_by_time", "created_at_ms"),
)
