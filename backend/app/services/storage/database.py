"""The database: opening it, bringing it up to date, and running work on threads of its own.

Nothing here runs on the event loop or on the model's thread. Writes go through one thread, so that
this process never waits for its own lock; reads have a few. A write that has begun is finished even
when the request that wanted it is cancelled. What cannot be opened is tried again at the next use,
so that freed space or a started server needs no restart.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from app.errors import StorageFailed
from app.services.person import person
from app.services.storage.claims import Claims
from app.services.storage.failures import ELSEWHERE, explained, too_new

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOCK_SECONDS = 5
"""How long another program's lock is waited for."""
CONNECT_SECONDS = 5
READERS = 4
MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x6D657870
"""Any number that others do not take: only one server at a time brings PostgreSQL's tables up to date."""

SQLITE_OPTIONS = re.compile(
    r"\?(timeout|detect_types|isolation_level|check_same_thread|cached_statements"
    r"|uri|mode|cache|immutable|nolock|vfs)="
)
"""What follows the path of an SQLite URL when it is more than a `?` in the name of a file."""


class Database:
    """One database; opened at the first use."""

    def __init__(self, url: str) -> None:
        """`url` is an SQLAlchemy URL of SQLite or PostgreSQL; `sqlite://` alone keeps all in memory."""
        self._url = url_of(url)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        self._is_in_memory = self._is_sqlite and not self._url.database
        self._engine: Engine | None = None
        self._claims = Claims()
        self._opening = threading.Lock()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="database-write")
        # A database in memory is one connection, which only one thread may use at a time.
        self._reader = (
            self._writer
            if self._is_in_memory
            else ThreadPoolExecutor(READERS, thread_name_prefix="database-read")
        )

    @property
    def where(self) -> str:
        """The file or the server, to show to people; without the password."""
        if self._is_in_memory:
            return "memory"
        if self._is_sqlite:
            return str(self._url.database)
        return self._url.set(drivername="postgresql").render_as_string(hide_password=True)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """The result of `work` in a transaction that writes nothing; raises StorageFailed.

        As every transaction it sees what belongs to the person whose request it is for.
        """
        return await asyncio.wrap_future(self._reader.submit(self._run, work, False, person.get()))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """The result of `work` after its COMMIT; raises StorageFailed, and then nothing was written.

        Cancelling the caller does not undo it: what was begun is written.
        """
        return await asyncio.shield(asyncio.wrap_future(self.begin_write(work)))

    def begin_write(self, work: Callable[[Connection], T]) -> Future[T]:
        """Puts `work` into the line of writes; never waits. Work is done in the order it came."""
        return self._writer.submit(self._run, work, True, person.get())

    async def open(self) -> None:
        """Opens the database now; raises StorageFailed."""
        await self.write(lambda _connection: None)

    async def claim(self, name: str) -> bool:
        """Whether this process works on `name`, and no other that shares the database; raises StorageFailed."""
        return await asyncio.wrap_future(self._writer.submit(self._claim, name))

    def begin_giving_up(self, name: str) -> None:
        """Ends a claim once the writes that were begun are done; never waits."""
        self._writer.submit(self._give_up, name)

    def close(self) -> None:
        """Waits for the writes that were begun, then closes."""
        self._writer.submit(self._claims.close)
        self._writer.shutdown()
        self._reader.shutdown()
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    # --- on the database's threads ---------------------------------------------------------------

    def _run(self, work: Callable[[Connection], T], writes: bool, owner: str | None) -> T:
        engine = self._opened().execution_options(writes=writes, owner=owner)
        try:
            with engine.begin() as connection:
                return work(connection)
        except DBAPIError as failure:
            raise explained(failure, self.where) from failure

    def _claim(self, name: str) -> bool:
        try:
            return self._claims.claim(self._opened(), name)
        except DBAPIError as failure:
            raise explained(failure, self.where) from failure

    def _give_up(self, name: str) -> None:
        try:
            self._claims.give_up(name)
        except DBAPIError as failure:
            logger.warning("a claim was lost: %s", explained(failure, self.where).message)

    def _opened(self) -> Engine:
        with self._opening:
            if self._engine is None:
                engine = self._create()
                try:
                    self._bring_up_to_date(engine)
                except DBAPIError as failure:
                    engine.dispose()
                    raise explained(failure, self.where) from failure
                except StorageFailed:
                    engine.dispose()
                    raise
                self._engine = engine
                logger.info("conversations are kept in %s", self.where)
            return self._engine

    def _create(self) -> Engine:
        if not self._is_sqlite:
            return create_engine(
                self._url,
                hide_parameters=True,
                pool_pre_ping=True,
                connect_args={
                    "connect_timeout": CONNECT_SECONDS,
                    "options": f"-c lock_timeout={LOCK_SECONDS * 1000}",
                },
            )
        if not self._is_in_memory:
            make_private_file(self._url, self.where)
        # Hidden: a failure that is logged must not tell what was written to the model.
        options: dict[str, Any] = {
            "hide_parameters": True,
            "connect_args": {"timeout": LOCK_SECONDS},
        }
        if self._is_in_memory:
            options["poolclass"] = StaticPool
            options["connect_args"]["check_same_thread"] = False
        engine = create_engine(self._url, **options)
        event.listen(engine, "connect", prepare_sqlite)
        event.listen(engine, "begin", begin_sqlite)
        return engine

    def _bring_up_to_date(self, engine: Engine) -> None:
        """Runs the migrations that are missing; raises StorageFailed for tables from the future.

        Tables that are current are only read, so that what lies on a read-only disk can be read.
        """
        # Imported here: only this needs it, and it takes a fifth of a second.
        from alembic.config import Config
        from alembic.runtime.environment import EnvironmentContext
        from alembic.runtime.migration import MigrationContext

        scripts = migrations()
        with engine.begin() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        if current == scripts.get_current_head():
            return
        if current is not None and current not in {s.revision for s in scripts.walk_revisions()}:
            raise too_new(current, self.where)
        with engine.execution_options(writes=True).begin() as connection:
            if not self._is_sqlite:
                lock = text("SELECT pg_advisory_xact_lock(:key)")
                connection.execute(lock, {"key": MIGRATION_LOCK})
            # As `alembic.command.upgrade` does, which would read every script again.
            config = Config(attributes={"connection": connection})
            with EnvironmentContext(
                config,
                scripts,
                fn=lambda revision, _context: scripts._upgrade_revs("head", revision),
                destination_rev="head",
            ):
                scripts.run_env()


@functools.cache
def migrations() -> ScriptDirectory:
    """The scripts that make the tables; read once a process."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return ScriptDirectory.from_config(config)


def url_of(text: str) -> URL:
    """The URL that `text` spells; the path of an SQLite file may hold any character."""
    scheme, _, path = text.partition(":///")
    if scheme == "sqlite" and not path.startswith("file:") and not SQLITE_OPTIONS.search(path):
        return URL.create("sqlite", database=path or None)
    return make_url(text)


def make_private_file(url: URL, where: str) -> None:
    """Makes the file and its folder so that only their owner can read what was written to the model."""
    if not url.database or url.database.startswith("file:"):
        return
    path = Path(url.database)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
    except OSError as failure:
        raise StorageFailed(
            f"The file of the saved conversations cannot be made ({where}): {failure.strerror}.",
            hint=f"Check that its folder may be written, and try again. {ELSEWHERE}",
        ) from failure


def prepare_sqlite(connection: Any, _record: Any) -> None:
    """Each new connection: COMMIT means that it is on the disk, and references hold."""
    # The driver's own transactions begin too late for DDL and for reads; see `begin_sqlite`.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def begin_sqlite(connection: Connection) -> None:
    """Writers take their lock at once: to ask for it later fails instead of waiting."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
