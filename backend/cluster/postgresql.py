"""A PostgreSQL server of this user's own, which only its socket leads to."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

BIN_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
USER = "explorer"


def postgresql_program(name: str) -> str | None:
    """Path of one of the server's programs, which Debian keeps out of PATH; None without it."""
    if found := shutil.which(name):
        return found
    folders = (folder for pattern in BIN_FOLDERS for folder in Path("/").glob(pattern[1:]))
    return next((str(folder / name) for folder in folders if (folder / name).exists()), None)


@contextlib.contextmanager
def running_postgresql(folder: Path, *, fsync: bool = True) -> Iterator[str]:
    """URL of a server, with DATABASE in place of a name, that keeps its files in `folder`.

    It stops at the end. Raises FileNotFoundError where PostgreSQL is not installed.
    """
    initdb, pg_ctl = postgresql_program("initdb"), postgresql_program("pg_ctl")
    if initdb is None or pg_ctl is None:
        raise FileNotFoundError("PostgreSQL's initdb and pg_ctl")
    # PostgreSQL does not run as root.
    user = next((n for n in ("postgres", "nobody") if has_user(n)), None) if is_root() else None
    # A short path: that of a socket has at most 107 bytes.
    sockets = Path(tempfile.mkdtemp(prefix="pg"))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (sockets, folder):
        if user is not None:
            shutil.chown(path, user)

    def run(*argv: str) -> None:
        subprocess.run(argv, check=True, user=user, cwd=sockets, stdout=subprocess.DEVNULL)

    data = str(folder / "data")
    is_new = not (folder / "data" / "PG_VERSION").exists()
    if is_new:
        sync = [] if fsync else ["--no-sync"]
        run(initdb, "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", *sync)
    options = f"-c listen_addresses= -c unix_socket_directories={sockets}"
    if not fsync:
        options += " -c fsync=off"
    try:
        run(pg_ctl, "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://{USER}@/DATABASE?host={sockets}"
        finally:
            run(pg_ctl, "-D", data, "-w", "-m", "fast" if fsync else "immediate", "stop")
    finally:
        shutil.rmtree(sockets)


def create_database(url: str, name: str) -> str:
    """URL of the database `name` on that server, which is made if it is not there."""
    from sqlalchemy import create_engine, text

    engine = create_engine(
        url.replace("DATABASE", "postgres").replace("postgresql:", "postgresql+psycopg:"),
        isolation_level="AUTOCOMMIT",
    )
    with engine.connect() as connection:
        known = text("SELECT 1 FROM pg_database WHERE datname = :name")
        if connection.execute(known, {"name": name}).first() is None:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return url.replace("DATABASE", name)


def is_root() -> bool:
    return os.geteuid() == 0


def has_user(name: str) -> bool:
    return any(entry.pw_name == name for entry in pwd.getpwall())
