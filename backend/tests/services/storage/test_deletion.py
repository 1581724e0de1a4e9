"""What is deleted can be brought back for a day, and nothing else goes or stays with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, update

from app.errors import ConversationNotFound, ExplorerError
from app.services.conversations import ConversationStore
from app.services.storage import annotating, deletion, growing, listing, opening
from app.services.storage.database import Database
from app.services.storage.records import Pins, Words
from app.services.storage.tables import branches as branch_table
from app.services.storage.tables import conversations
from tests.services.storage.conftest import (
    MODEL,
    age_deletions,
    grown,
    loaded,
    read,
    saved,
    write,
)


def test_what_was_deleted_a_day_ago_cannot_be_restored_even_where_it_was_not_removed(
    database: Database,
) -> None:
    name = saved(database)
    branch = loaded(database, name).before(4)
    saved(database, conversation=branch)
    write(database, lambda c: deletion.delete_branch(c, branch.id))
    age_deletions(database)
    with pytest.raises(ConversationNotFound):
        write(database, lambda c: deletion.restore_branch(c, branch.id))
    write(database, lambda c: deletion.delete_conversation(c, name))
    age_deletions(database)
    with pytest.raises(ConversationNotFound):
        write(database, lambda c: deletion.restore_conversation(c, name))


def test_opening_removes_what_was_deleted_long_ago(url: str) -> None:
    """A server that nobody deletes anything on would keep it for ever."""
    first = Database(url)
    name = saved(first)
    write(first, lambda c: deletion.delete_conversation(c, name))
    age_deletions(first)
    first.close()

    async def opened() -> int:
        store = ConversationStore(again)
        await store.open()
        return len(await again.read(lambda c: c.execute(conversations.select()).all()))

    again = Database(url)
    assert asyncio.run(opened()) == 0
    again.close()


@pytest.mark.parametrize("is_removed", [True, False])
def test_id_of_a_conversation_whose_first_branch_is_gone_stands_for_the_conversation(
    database: Database, is_removed: bool
) -> None:
    name = saved(database)
    branch = loaded(database, name).before(4)
    saved(database, conversation=branch)
    write(database, lambda c: deletion.delete_branch(c, name))
    if is_removed:
        age_deletions(database)
        write(database, deletion.purge)

    assert (
        read(database, lambda c: opening.open_branch(c, name, "here")[1].timeline.id) == branch.id
    )
    assert read(database, lambda c: listing.summary(c, name)).id == branch.id
    write(database, lambda c: deletion.delete_conversation(c, name))
    assert read(database, listing.count) == 0
    write(database, lambda c: deletion.restore_conversation(c, name))
    assert read(database, listing.count) == 1
    # Its ids are those of another branch than the one that the reader may be showing.
    with pytest.raises(ConversationNotFound):
        loaded(database, name)


def test_ancestors_of_a_branch_are_all_that_it_came_from(database: Database) -> None:
    name = saved(database)
    middle = loaded(database, name).before(6)
    saved(database, conversation=middle)
    last = loaded(database, middle.id).before(5)
    saved(database, conversation=last)
    write(database, lambda c: deletion.delete_branch(c, middle.id))

    assert last.lineage == (last.id, middle.id, name)
    assert loaded(database, last.id).lineage == last.lineage
    assert loaded(database, name).lineage == (name,)


def at_once(
    first: Database,
    second: Database,
    begin: Callable[[Connection], None],
    go_on: Callable[[Connection], None],
    other: Callable[[Connection], None],
) -> list[str]:
    """What two requests end with, of which the second comes in the middle of the first."""
    has_begun, is_other_done = threading.Event(), threading.Event()

    def in_two_steps(connection: Connection) -> None:
        begin(connection)
        has_begun.set()
        # The other one ends first where nothing keeps it.
        is_other_done.wait(0.5)
        go_on(connection)

    def result_of(database: Database, work: Callable[[Connection], None]) -> str:
        try:
            asyncio.run(database.write(work))
        except ExplorerError as failure:
            return failure.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(result_of, first, in_two_steps)
        assert has_begun.wait(10)
        two = pool.submit(result_of, second, other)
        two.add_done_callback(lambda _: is_other_done.set())
        return [one.result(), two.result()]


@pytest.fixture
def other(url: str, database: Database) -> Iterator[Database]:
    """A second server on the same database."""
    del database
    opened = Database(url)
    yield opened
    opened.close()


def test_two_servers_cannot_delete_the_last_two_branches(
    database: Database, other: Database
) -> None:
    name = saved(database)
    branch = loaded(database, name).before(4)
    saved(database, conversation=branch)
    saved(other, title="Other")
    results = at_once(
        database,
        other,
        lambda c: deletion.delete_branch(c, name),
        lambda _: None,
        lambda c: deletion.delete_branch(c, branch.id),
    )

    assert results == ["done", "conflict"]
    summaries, total = read(database, lambda c: listing.find(c, "", 9, 0))
    assert (len(summaries), total) == (2, 2)


def test_a_reply_and_a_change_of_its_conversation_do_not_wait_for_each_other(
    database: Database, other: Database
) -> None:
    """Each locks a branch and its conversation; in opposite orders neither could go on."""
    base = loaded(database, saved(database))
    saved(database, conversation=base.before(4))
    reply = grown(base, 1, 2)
    words = Words("t", "x", "x")
    results = at_once(
        database,
        other,
        lambda c: opening.lock_conversation_of(c, base.id),
        lambda c: annotating.annotate(c, base.id, Pins(((5,),))),
        lambda c: growing.save_turn(c, reply, MODEL, words),
    )

    assert results == ["done", "done"]


def test_conversation_without_any_branch_is_neither_listed_nor_counted(database: Database) -> None:
    """Earlier versions could delete the last two branches at once."""
    name, kept = saved(database), saved(database, title="Kept")
    statement = update(branch_table).where(branch_table.c.id == name)
    write(database, lambda c: c.execute(statement.values(deleted_at_ms=1)))

    summaries, total = read(database, lambda c: listing.find(c, "", 9, 0))
    assert ([each.id for each in summaries], total) == ([kept], 1)
    assert read(database, listing.count) == 1
    with pytest.raises(ConversationNotFound):
        read(database, lambda c: listing.summary(c, name))
