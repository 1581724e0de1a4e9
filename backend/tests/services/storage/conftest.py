"""The same tests on SQLite and on a PostgreSQL server that they start themselves."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection, update

from app.engine.types import Role, Sampling
from app.services.person import person
from app.services.storage import deletion, growing, opening
from app.services.storage.database import Database
from app.services.storage.records import Words
from app.services.storage.tables import branches as branch_table
from app.services.storage.tables import conversations
from app.services.timelines import Conversation, ModelIdentity, Turn, new_id
from cluster.postgresql import create_database, running_postgresql

T = TypeVar("T")

MODEL = ModelIdentity("openai-community/gpt2", "607a30d", "hub")
SAMPLING = Sampling(16, 0.7, 0, 0.95, 2**53 - 1, ("\nUser:",))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a running server, without a database; only its socket's folder leads to it."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        with running_postgresql(folder, fsync=False) as url:
            yield url
    except FileNotFoundError:
        pytest.skip("no PostgreSQL server is installed here, so storage is tested on SQLite only")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def postgresql_url(postgresql: str) -> str:
    """An empty database on it."""
    url = create_database(postgresql, f"test_{os.urandom(6).hex()}")
    return url.replace("postgresql:", "postgresql+psycopg:")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, own_database: str) -> str:
    if request.param == "sqlite":
        return own_database
    found: str = request.getfixturevalue("postgresql_url")
    return found


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_database(own_database: str) -> Iterator[Database]:
    opened = Database(own_database)
    yield opened
    opened.close()


@contextlib.contextmanager
def as_person(name: str) -> Iterator[None]:
    """What is read and written meanwhile belongs to this person."""
    before = person.set(name)
    yield
    person.reset(before)


def read(database: Database, work: Callable[[Connection], T]) -> T:
    return asyncio.run(database.read(work))


def write(database: Database, work: Callable[[Connection], T]) -> T:
    return asyncio.run(database.write(work))


def timeline(text: str = "Hi there", name: str | None = None) -> Conversation:
    """A turn of which the first four tokens are the person's; ids are bytes."""
    ids = tuple(text.encode())
    roles: tuple[Role, ...] = ("user",) * 4 + ("assistant",) * (len(ids) - 4)
    turn = Turn(0, 4, len(ids), "stop", SAMPLING)
    return Conversation(name or new_id(), ids, roles, (turn,))


def saved(
    database: Database,
    text: str = "Hi there",
    title: str = "Greeting",
    conversation: Conversation | None = None,
) -> str:
    """Stores a conversation and gives its id."""
    new = conversation or timeline(text)
    words = Words(title, text, text[:5])
    write(database, lambda connection: growing.save_turn(connection, new, MODEL, words))
    return new.id


def grown(base: Conversation, *ids: int) -> Conversation:
    """The timeline with one more turn, of these ids."""
    start, end = len(base.ids), len(base.ids) + len(ids)
    roles: tuple[Role, ...] = ("user",) + ("assistant",) * (len(ids) - 1)
    return dataclasses.replace(
        base,
        ids=(*base.ids, *ids),
        roles=(*base.roles, *roles),
        turns=(*base.turns, Turn(start, start + 1, end, "stop")),
    )


def loaded(database: Database, branch_id: str) -> Conversation:
    return read(database, lambda connection: opening.load(connection, branch_id, "here"))


def age_deletions(database: Database) -> None:
    """As if a day had passed."""
    for table in (conversations, branch_table):
        earlier = table.c.deleted_at_ms - deletion.KEPT_DELETED_MS - 1
        write(database, lambda c, t=table, e=earlier: c.execute(update(t).values(deleted_at_ms=e)))
