"""Which of the servers that share a PostgreSQL database works on what.

A claim is an advisory lock of one connection: it ends with the process that holds it, however that
ends, so there are no clocks and no leases. An SQLite file or a database in memory has one server, which
gets every claim. Used by the writing thread only.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

CLAIM = text("SELECT pg_try_advisory_lock(:key)")
GIVE_UP = text("SELECT pg_advisory_unlock(:key)")


class Claims:
    """The claims of this process. A connection that breaks ends them all."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._held: set[str] = set()

    def claim(self, engine: Engine, name: str) -> bool:
        """Whether `name` is this process's from now on, or was; raises DBAPIError."""
        if name in self._held or engine.dialect.name != "postgresql":
            return True
        try:
            if self._connection is None:
                self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            is_ours = bool(self._connection.execute(CLAIM, {"key": key_of(name)}).scalar_one())
        except DBAPIError:
            self.close()
            raise
        if is_ours:
            self._held.add(name)
        return is_ours

    def give_up(self, name: str) -> None:
        """Lets others have it; raises DBAPIError."""
        if name not in self._held:
            return
        self._held.discard(name)
        assert self._connection is not None
        try:
            self._connection.execute(GIVE_UP, {"key": key_of(name)})
        except DBAPIError:
            self.close()
            raise

    def close(self) -> None:
        """Gives everything up."""
        self._held.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def key_of(name: str) -> int:
    """A number of 64 bits for a name; PostgreSQL's locks have no names."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
