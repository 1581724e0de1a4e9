"""What went wrong with the database, in words that say what to do.

SQLite and its driver tell the reason in the message only (up to Python 3.10 there is no code
beside it); PostgreSQL gives a five-letter state.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from app.errors import StorageFailed

logger = logging.getLogger(__name__)

ELSEWHERE = (
    "Or keep the conversations elsewhere: EXPLORER_DATABASE takes another file or server, or "
    "`memory` to keep nothing."
)

SQLITE_REASONS: tuple[tuple[str, str, str], ...] = (
    (
        "disk is full",
        "The disk that holds the saved conversations is full",
        "Free some space and try again; the server need not be restarted.",
    ),
    (
        "readonly database",
        "The saved conversations cannot be written, because their file is read-only",
        "Give the file and its folder write permission and try again.",
    ),
    (
        "locked",
        "Another program holds the saved conversations locked",
        "Close it (a database browser, a backup, a stopped server) and try again.",
    ),
    (
        "unable to open",
        "The file of the saved conversations cannot be opened",
        "Check that its folder exists and may be written, and try again.",
    ),
    (
        "not a database",
        "The file of the saved conversations is damaged or is no database",
        "Move it away, put a backup in its place, and try again.",
    ),
    (
        "malformed",
        "The file of the saved conversations is damaged",
        "Stop the server, move the file away, and put a backup in its place.",
    ),
    *(
        (
            part,
            "The file of the saved conversations holds the tables of another program, or lacks some",
            "Give the conversations a file of their own.",
        )
        for part in ("no such table", "no such column", "already exists")
    ),
    (
        "disk I/O error",
        "The disk that holds the saved conversations cannot be read or written",
        "Check the disk and try again.",
    ),
)
"""Part of SQLite's message; what happened; what to do."""

POSTGRESQL_REASONS: tuple[tuple[str, str, str], ...] = (
    (
        "53100",
        "The disk of the PostgreSQL server is full",
        "Free some space there and try again.",
    ),
    (
        "25006",
        "The PostgreSQL server takes no writes now",
        "Connect to its primary, and try again.",
    ),
    (
        "42501",
        "The PostgreSQL server does not let this user write",
        "Give the user rights on the database's schema.",
    ),
    (
        "55P03",
        "Another program holds the saved conversations locked",
        "End it and try again.",
    ),
    (
        "57014",
        "The PostgreSQL server did not answer in time",
        "Try again; its log may say what holds it up.",
    ),
    *(
        (
            state,
            "The PostgreSQL database holds the tables of another program, or lacks some",
            "Give the conversations a database of their own.",
        )
        for state in ("42P01", "42703", "42P07")
    ),
    ("28", "The PostgreSQL server refuses the user or the password", "Check EXPLORER_DATABASE."),
    ("3D", "The PostgreSQL server has no such database", "Create it, or check EXPLORER_DATABASE."),
)
"""Beginning of the state; what happened; what to do."""


def explained(failure: DBAPIError, where: str) -> StorageFailed:
    """The failure as the person is told it; `where` names the file or server, without a password."""
    state = getattr(failure.orig, "sqlstate", None)
    if "sqlite" in type(failure.orig).__module__:
        message = str(failure.orig)
        reason = next((r for r in SQLITE_REASONS if r[0] in message), None)
    elif state is None:
        # The driver raises failures of the connection without a state.
        reason = (
            "",
            "The PostgreSQL server that keeps the conversations does not answer",
            "Start it, or check EXPLORER_DATABASE, and try again.",
        )
    else:
        reason = next((r for r in POSTGRESQL_REASONS if state.startswith(r[0])), None)
    if reason is None:
        logger.error("the database failed", exc_info=failure)
        reason = ("", "The database failed", "The server's log has the details.")
    return StorageFailed(f"{reason[1]} ({where}).", hint=f"{reason[2]} {ELSEWHERE}")


def too_new(revision: str, where: str) -> StorageFailed:
    return StorageFailed(
        "The saved conversations were written by a later version of Mechanistic Explorer "
        f"(tables {revision}, in {where}).",
        hint=f"Update this one. {ELSEWHERE}",
    )


DAMAGE = (ValueError, TypeError, LookupError)
"""What is raised where a row is read that was never written like this."""


@contextmanager
def naming_damage(branch_id: str, where: str) -> Iterator[None]:
    """Turns what a row that was never written like this raises into StorageFailed."""
    try:
        yield
    except DAMAGE as failure:
        raise damaged(f"{branch_id} holds what was never written", where) from failure


def damaged(what: str, where: str) -> StorageFailed:
    return StorageFailed(
        f"A saved conversation is damaged: {what} ({where}).",
        hint="The others can still be opened. Put a backup in the file's place, or delete this one.",
    )


@contextmanager
def naming_damaged_job(job_id: str, where: str) -> Iterator[None]:
    """As `naming_damage`, of a job."""
    try:
        yield
    except DAMAGE as failure:
        raise StorageFailed(
            f"Saved job {job_id} is damaged: it holds what was never written ({where}).",
            hint="Other jobs are not affected. Start this one again.",
        ) from failure
