"""Jobs in the database."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any, get_args

from sqlalchemy import Connection, and_, delete, insert, select, update
from sqlalchemy.engine import Row

from app.engine.types import ModelSource
from app.models.jobs import JobState
from app.services.identity import ModelIdentity
from app.services.storage.failures import DAMAGE
from app.services.storage.opening import owner_of
from app.services.storage.records import JobRecord
from app.services.storage.tables import branches, jobs

logger = logging.getLogger(__name__)

MAX_KEPT = 200
"""Jobs of one person that belong to no saved conversation; older ones that have ended are forgotten."""
ENDED = ("done", "error", "cancelled", "lost")


def save(connection: Connection, record: JobRecord) -> None:
    """Writes a job, new or known; one whose timeline was deleted meanwhile stays away."""
    values = {
        "state": record.state,
        "found": json.dumps(record.found),
        "failure": None if record.failure is None else json.dumps(record.failure),
        "updated_at_ms": record.updated_at_ms,
    }
    known = connection.execute(update(jobs).where(jobs.c.id == record.id).values(values))
    if known.rowcount or not record.is_new:
        return
    model = record.model
    branch_id = record.branch_id
    if branch_id is not None:
        found = connection.execute(select(branches.c.id).where(branches.c.id == branch_id)).first()
        branch_id = None if found is None else branch_id
    connection.execute(
        insert(jobs).values(
            id=record.id,
            kind=record.kind,
            client=record.client,
            owner=record.owner,
            branch_id=branch_id,
            model=json.dumps([model.name, model.revision, model.source]),
            plan=json.dumps(record.plan),
            created_at_ms=record.created_at_ms,
            **values,
        )
    )
    loose = and_(jobs.c.branch_id.is_(None), jobs.c.owner == record.owner)
    kept = select(jobs.c.id).where(loose).order_by(jobs.c.created_at_ms.desc()).limit(MAX_KEPT)
    connection.execute(delete(jobs).where(loose, jobs.c.state.in_(ENDED), jobs.c.id.not_in(kept)))


def load(connection: Connection, job_id: str) -> JobRecord | None:
    """A job of this person. Raises one of DAMAGE for a row that was never written like this."""
    row = connection.execute(
        select(jobs).where(jobs.c.id == job_id, jobs.c.owner == owner_of(connection))
    ).first()
    return None if row is None else _record(row)


def current(connection: Connection, job_id: str) -> JobRecord | None:
    """As `load`, for any owner. Only for the server's own work, never for a request."""
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
    return None if row is None else _record(row)


def newest(connection: Connection, limit: int) -> list[JobRecord]:
    """Those of this person, the newest first, without those that are damaged."""
    rows = connection.execute(
        select(jobs)
        .where(jobs.c.owner == owner_of(connection))
        .order_by(jobs.c.created_at_ms.desc())
        .limit(limit)
    )
    return _undamaged(rows)


def unfinished(connection: Connection) -> list[JobRecord]:
    """Everybody's that a server was busy with when it ended, the oldest first, without damaged ones."""
    rows = connection.execute(
        select(jobs).where(jobs.c.state.not_in(ENDED)).order_by(jobs.c.created_at_ms)
    )
    return _undamaged(rows)


def remove(connection: Connection, job_id: str) -> None:
    connection.execute(delete(jobs).where(jobs.c.id == job_id))


def _undamaged(rows: Iterable[Row[Any]]) -> list[JobRecord]:
    found = []
    for row in rows:
        try:
            found.append(_record(row))
        except DAMAGE as failure:
            logger.warning("job %s is damaged and left out: %s", row.id, failure)
    return found


def _record(row: Row[Any]) -> JobRecord:
    name, revision, source = json.loads(row.model)
    plan, found = json.loads(row.plan), json.loads(row.found)
    failure = None if row.failure is None else json.loads(row.failure)
    if not isinstance(plan, dict) or not isinstance(found, dict):
        raise TypeError("its plan or what it has found is no JSON object")
    if row.state not in get_args(JobState) or source not in get_args(ModelSource):
        raise ValueError("there is no such state, or no such source of models")
    return JobRecord(
        id=row.id,
        kind=row.kind,
        state=row.state,
        client=row.client,
        owner=row.owner,
        branch_id=row.branch_id,
        model=ModelIdentity(name, revision, source),
        plan=plan,
        found=found,
        failure=failure,
        created_at_ms=int(row.created_at_ms),
        updated_at_ms=int(row.updated_at_ms),
    )
