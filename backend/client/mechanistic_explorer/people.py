"""The people of a shared server: names and digests of their tokens, one a line.

The server reads this file (`EXPLORER_TOKENS_FILE`). It holds no token: a digest of 256 random bits
cannot be turned back, so a token is shown once, when it is made.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from pathlib import Path

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
HEADING = "# People of a Mechanistic Explorer server: NAME, SHA-256 of the token.\n"


def add_person(path: Path, name: str) -> str:
    """The new token of a person; raises ValueError for a name that is taken or cannot be one."""
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name: write up to 64 letters, digits and _ . @ - without spaces"
        )
    lines = lines_of(path) or [HEADING]
    if name in map(name_of, lines):
        raise ValueError(f"{name} has a token already; remove it first to make another one")
    token = secrets.token_urlsafe(32)
    write_lines(path, [*lines, f"{name} {hashlib.sha256(token.encode()).hexdigest()}\n"])
    return token


def remove_person(path: Path, name: str) -> None:
    """Takes a person's token away; raises ValueError where there is no such person."""
    lines = lines_of(path)
    kept = [line for line in lines if name_of(line) != name]
    if len(kept) == len(lines):
        raise ValueError(f"{path} names no {name}")
    write_lines(path, kept)


def people_of(path: Path) -> list[str]:
    return [name for line in lines_of(path) if (name := name_of(line)) is not None]


def lines_of(path: Path) -> list[str]:
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    return [f"{line}\n" for line in text.splitlines()]


def name_of(line: str) -> str | None:
    """Whom a line names; None for a comment."""
    words = line.split()
    return None if not words or words[0].startswith("#") else words[0]


def write_lines(path: Path, lines: list[str]) -> None:
    """Replaces the file at once, readable by its owner only. Raises OSError.

    The new file is made under a name that a second command at the same time finds taken.
    """
    new = path.with_name(f"{path.name}.new")
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise OSError(f"{path} is being changed; if no other command runs, remove {new}") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)
        if path.exists() and hasattr(os, "chown"):
            # Changed by root, it still belongs to the user that the server runs as.
            about = path.stat()
            os.chown(new, about.st_uid, about.st_gid)
        os.replace(new, path)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
