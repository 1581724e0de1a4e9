"""Pins and notes are replaced as a whole, and what another has written meanwhile is not lost by it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy import Connection

from app.errors import AnnotationsChanged
from app.services.storage.annotating import annotate
from app.services.storage.database import Database
from app.services.storage.opening import open_branch
from app.services.storage.records import Note, Pins, StoredBranch
from tests.services.storage.conftest import read, saved, write


@pytest.fixture
def other(url: str, database: Database) -> Iterator[Database]:
    """A second server on the same database."""
    del database
    opened = Database(url)
    yield opened
    opened.close()


def held(database: Database, branch_id: str) -> StoredBranch:
    return read(database, lambda c: open_branch(c, branch_id, "here")[1])


def note(text: str) -> Note:
    return Note(0, 1, None, text)


def add(database: Database, branch_id: str, text: str) -> None:
    """Adds a note to those that are held, again until nobody was faster."""
    for _ in range(1000):
        base = held(database, branch_id)
        notes = [*base.notes, note(text)]
        try:
            write(
                database,
                lambda c, n=notes, at=base.annotations_revision: annotate(
                    c, branch_id, noted=n, annotations_revision=at
                ),
            )
        except AnnotationsChanged:
            continue
        return
    raise AssertionError("a writer never gets through")


def test_each_change_of_pins_or_notes_is_a_revision(database: Database) -> None:
    name = saved(database)
    revisions = [held(database, name).annotations_revision]
    for change in ({"pins": Pins(((5,),))}, {"noted": [note("a")]}, {"noted": []}):
        write(
            database,
            lambda c, how=change: annotate(c, name, **how, annotations_revision=revisions[-1]),
        )
        revisions.append(held(database, name).annotations_revision)

    assert revisions == [0, 1, 2, 3]


@pytest.mark.parametrize("is_same_server", [True, False])
def test_interleaved_writers_lose_no_note(
    database: Database, other: Database, is_same_server: bool
) -> None:
    """Each reads, adds and writes in a thread, and again where it is told that it came too late."""
    name = saved(database)
    servers = [database, database if is_same_server else other]
    start = threading.Barrier(2)

    def run(place: int) -> None:
        start.wait()
        for number in range(12):
            add(servers[place], name, f"{place} {number}")

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(run, range(2)))

    found = held(database, name)
    assert {n.text for n in found.notes} == {f"{p} {n}" for p in range(2) for n in range(12)}
    assert len(found.notes) == found.annotations_revision == 24


def test_change_to_an_older_list_is_refused_and_changes_nothing(database: Database) -> None:
    name = saved(database)
    write(
        database,
        lambda c: annotate(c, name, Pins(((1,),)), [note("first")], annotations_revision=0),
    )
    before = held(database, name)
    for revision in (0, 2):
        with pytest.raises(AnnotationsChanged, match="nothing was changed") as failure:
            write(
                database,
                lambda c, at=revision: annotate(c, name, Pins(), [note("late")], at),
            )
        assert failure.value.param == "annotations_revision"

    assert held(database, name) == before


def test_who_comes_during_another_change_waits_for_it_and_is_then_too_late(
    database: Database, other: Database
) -> None:
    """The check and the change are one: nothing fits between them, whichever server it is."""
    name = saved(database)
    held(other, name)  # its tables are looked at now, and not behind the lock below
    late: list[Future[None]] = []

    def change(connection: Connection) -> None:
        annotate(connection, name, noted=[note("first")], annotations_revision=0)
        late.append(
            other.begin_write(
                lambda c: annotate(c, name, noted=[note("late")], annotations_revision=0)
            )
        )
        with pytest.raises(TimeoutError):
            late[0].result(timeout=0.2)

    write(database, change)

    with pytest.raises(AnnotationsChanged):
        late[0].result(timeout=10)
    assert [n.text for n in held(database, name).notes] == ["first"]


def test_who_names_no_revision_replaces_what_is_there(database: Database, other: Database) -> None:
    """Also while another does the same: one list follows the other, and they are never mixed."""
    name = saved(database)
    late: list[Future[None]] = []

    def change(connection: Connection) -> None:
        annotate(connection, name, noted=[note("a"), note("b")])
        late.append(other.begin_write(lambda c: annotate(c, name, noted=[note("c")])))

    held(other, name)
    write(database, change)
    late[0].result(timeout=10)

    found = held(database, name)
    assert ([n.text for n in found.notes], found.annotations_revision) == (["c"], 2)
