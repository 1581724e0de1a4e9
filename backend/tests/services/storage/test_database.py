"""What can go wrong with a file or a server is told in words, and is over when it is over."""

from __future__ import annotations

import dataclasses
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.errors import ConversationNotFound, StorageFailed
from app.services.storage import annotating, listing, opening
from app.services.storage import database as database_module
from app.services.storage.database import Database
from app.services.storage.records import Note, Pins
from app.services.storage.tables import branches as branch_table
from app.services.storage.tables import notes as notes_table
from tests.services.storage.conftest import as_person, loaded, read, saved, timeline, write


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def pragma(database: Database, name: str) -> Any:
    return read(database, lambda c: c.exec_driver_sql(f"PRAGMA {name}").scalar_one())


def test_commit_means_that_it_is_on_the_disk(sqlite_database: Database) -> None:
    assert pragma(sqlite_database, "journal_mode") == "wal"
    assert pragma(sqlite_database, "synchronous") == 2  # FULL
    assert pragma(sqlite_database, "foreign_keys") == 1


def test_file_and_folder_are_the_owners_alone(sqlite_database: Database, own_database: str) -> None:
    saved(sqlite_database)
    path = file_of(own_database)

    for each in (path, *path.parent.iterdir()):
        assert stat.S_IMODE(each.stat().st_mode) == 0o600, each
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_second_opening_finds_what_the_first_has_written(url: str) -> None:
    first = Database(url)
    name = saved(first)
    first.close()
    second = Database(url)

    assert loaded(second, name).id == name
    second.close()


def test_full_disk_is_told_reads_go_on_and_writes_recover(sqlite_database: Database) -> None:
    name = saved(sqlite_database)
    pages = pragma(sqlite_database, "page_count")
    # The one thread that writes uses one connection, which keeps this limit.
    write(sqlite_database, lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={pages}").all())
    with pytest.raises(StorageFailed, match="full") as failure:
        saved(sqlite_database, "x" * 100_000)

    assert "EXPLORER_DATABASE" in (failure.value.hint or "")
    assert loaded(sqlite_database, name).id == name
    write(sqlite_database, lambda c: c.exec_driver_sql("PRAGMA max_page_count=1000000").all())
    saved(sqlite_database, "x" * 100_000)
    assert read(sqlite_database, listing.count) == 2


def test_lock_of_another_program_is_waited_for_and_then_told(
    sqlite_database: Database, own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "LOCK_SECONDS", 0.2)
    name = saved(sqlite_database)
    other = sqlite3.connect(file_of(own_database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageFailed, match="locked"):
        saved(sqlite_database)

    assert loaded(sqlite_database, name).id == name
    other.execute("ROLLBACK")
    other.close()
    saved(sqlite_database)


def test_read_only_file_can_still_be_read(own_database: str) -> None:
    writable = Database(own_database)
    name = saved(writable)
    read_only = Database(f"sqlite:///file:{file_of(own_database)}?mode=ro&uri=true")

    assert loaded(read_only, name).id == name
    with pytest.raises(StorageFailed, match="read-only"):
        saved(read_only)
    read_only.close()
    writable.close()


def test_damaged_file_is_told_and_left_as_it_is(own_database: str) -> None:
    path = file_of(own_database)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"This is no database. " * 500)
    database = Database(own_database)
    with pytest.raises(StorageFailed, match="damaged") as failure:
        saved(database)

    assert str(path) in failure.value.message
    assert path.read_bytes().startswith(b"This is no database.")
    path.unlink()
    saved(database)
    database.close()


def test_damaged_row_fails_alone(sqlite_database: Database) -> None:
    bad, good = saved(sqlite_database), saved(sqlite_database)
    for column, value in (("token_ids", b"abc"), ("roles", b"\x09" * 8), ("pins", "{")):
        whole = read(
            sqlite_database,
            lambda c: c.execute(branch_table.select().where(branch_table.c.id == bad)).one(),
        )
        write(
            sqlite_database,
            lambda c, n=column, v=value: c.execute(
                update(branch_table).where(branch_table.c.id == bad).values({n: v})
            ),
        )
        with pytest.raises(StorageFailed, match="damaged"):
            loaded(sqlite_database, bad)
        write(
            sqlite_database,
            lambda c, n=column, w=whole: c.execute(
                update(branch_table).where(branch_table.c.id == bad).values({n: getattr(w, n)})
            ),
        )
    assert loaded(sqlite_database, good).id == good
    assert loaded(sqlite_database, bad).id == bad


def test_tables_of_a_later_version_are_refused_and_left_alone(url: str) -> None:
    first = Database(url)
    name = saved(first)
    set_revision(first, "9999")
    first.close()
    second = Database(url)
    with pytest.raises(StorageFailed, match="later version"):
        loaded(second, name)
    second.close()


def set_back(database: Database, revision: str) -> None:
    """What later versions have added is taken away."""
    later = ["ALTER TABLE conversations DROP COLUMN owner", "DROP TABLE jobs"]
    later += ["ALTER TABLE branches DROP COLUMN steering"]
    if revision == "0001":
        later += [
            "ALTER TABLE branches DROP COLUMN annotations_revision",
            "ALTER TABLE notes DROP COLUMN text_folded",
            "ALTER TABLE branches DROP COLUMN mode",
        ]
    for statement in later:
        write(database, lambda c, at=statement: c.exec_driver_sql(at))
    set_revision(database, revision)


def set_revision(database: Database, revision: str) -> None:
    statement = f"UPDATE alembic_version SET version_num = '{revision}'"
    write(database, lambda c: c.exec_driver_sql(statement))


def test_tables_of_an_earlier_version_are_brought_up_to_date_with_what_they_hold(url: str) -> None:
    first = Database(url)
    name = saved(first)
    write(first, lambda c: annotating.annotate(c, name, Pins(((5,),)), [Note(0, 1, None, "ÄLTER")]))
    chat, completion = (
        saved(first, conversation=dataclasses.replace(timeline(), roles=roles, mode="chat"))
        for roles in (
            ("template", "user", "user", "template", *timeline().roles[4:]),
            ("template", "user", "user", "user", *timeline().roles[4:]),
        )
    )
    set_back(first, "0001")
    first.close()
    second = Database(url)

    branch = read(second, lambda c: opening.open_branch(c, name, "here")[1])
    assert branch.annotations_revision == 0
    # What was written before a server had several people belongs to none of them.
    with as_person("ada"), pytest.raises(ConversationNotFound):
        loaded(second, name)
    assert (branch.pins, branch.notes) == (Pins(((5,),)), (Note(0, 1, None, "ÄLTER"),))
    assert [each.id for each in read(second, lambda c: listing.find(c, "älter", 9, 0)[0])] == [name]
    assert [loaded(second, each).mode for each in (chat, completion)] == ["chat", "completion"]
    assert loaded(second, saved(second)).version == 1
    second.close()


def test_texts_that_were_folded_by_case_alone_are_folded_again(url: str) -> None:
    first = Database(url)
    name = saved(first)
    note = Note(0, 1, None, "Cafe\u0301")
    write(first, lambda c: annotating.annotate(c, name, Pins(()), [note]))
    write(first, lambda c: c.execute(update(notes_table).values(text_folded="cafe\u0301")))
    set_back(first, "0004")
    first.close()
    second = Database(url)

    assert [each.id for each in read(second, lambda c: listing.find(c, "CAF\u00c9", 9, 0)[0])] == [
        name
    ]
    second.close()


def test_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    database = Database(f"sqlite:///{tmp_path}/file/conversations.db")
    with pytest.raises(StorageFailed, match="cannot be made"):
        saved(database)
    (tmp_path / "file").unlink()
    saved(database)
    database.close()


def test_server_that_does_not_answer_is_told_without_the_password() -> None:
    database = Database("postgresql+psycopg://me:geheim@127.0.0.1:1/x")
    with pytest.raises(StorageFailed, match="does not answer") as failure:
        saved(database)

    assert "geheim" not in failure.value.message
    assert "127.0.0.1" in failure.value.message
    database.close()


def test_postgresql_says_what_is_wrong(postgresql_url: str) -> None:
    missing = Database(postgresql_url.replace("test_", "gone_"))
    with pytest.raises(StorageFailed, match="PostgreSQL"):
        saved(missing)
    missing.close()
    read_only = Database(postgresql_url)
    name = saved(read_only)
    write(read_only, lambda c: c.exec_driver_sql("SET default_transaction_read_only = on"))
    with pytest.raises(StorageFailed, match="takes no writes"):
        saved(read_only)
    assert loaded(read_only, name).id == name
    read_only.close()


def test_two_servers_may_start_at_once(url: str) -> None:
    """Both find no tables; one makes them, the other waits for it."""
    import threading

    opened = [Database(url) for _ in range(3)]
    failures: list[BaseException] = []

    def start(database: Database) -> None:
        try:
            saved(database)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=start, args=[database]) for database in opened]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert read(opened[0], listing.count) == 3
    for database in opened:
        database.close()


def test_memory_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database("sqlite://")
    name = saved(database)

    assert loaded(database, name).id == name
    database.close()
    assert list(tmp_path.iterdir()) == []
