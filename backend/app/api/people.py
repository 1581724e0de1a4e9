"""The people of a shared server: a file of names and of digests of their tokens.

One person a line, `NAME SHA256`, as `mechanistic-explorer token add NAME` writes it. Tokens are 256
random bits, so a plain digest of one cannot be turned back. The file is read again when it changes:
adding and removing people needs no restart.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import stat
from pathlib import Path

logger = logging.getLogger(__name__)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
DIGEST = re.compile(r"[0-9a-f]{64}")
MAX_BYTES = 2**20
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class BadTokensFile(Exception):
    """A file that cannot be relied on; the message is one line and says what to do."""


class People:
    """Who may use the server. Raises BadTokensFile when it is made from a file that cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digests: dict[str, bytes] = {}
        self._seen: tuple[int, ...] | None = None
        self._read()
        if not self._digests:
            raise BadTokensFile(
                f"{path} names nobody. Add a person: mechanistic-explorer token add NAME --file {path}"
            )

    def whose(self, token: bytes) -> str | None:
        """The person that a token belongs to, or None.

        Every digest is compared, whichever matches: how long it takes tells nothing.
        """
        self._refresh()
        given = hashlib.sha256(token).digest()
        found: str | None = None
        for name, digest in self._digests.items():
            if hmac.compare_digest(given, digest):
                found = name
        return found

    def _refresh(self) -> None:
        """Reads the file again if it has changed; until it is valid, every token is refused."""
        try:
            self._read()
        except BadTokensFile as failure:
            if self._digests:
                logger.error("%s Nobody is let in until then.", failure)
            self._digests = {}

    def _read(self) -> None:
        try:
            # The file that is checked is the one that is read, whatever is renamed meanwhile.
            with self._path.open("rb") as file:
                about = os.fstat(file.fileno())
                seen = (about.st_ino, about.st_mtime_ns, about.st_ctime_ns, about.st_size)
                if seen == self._seen:
                    return
                self._seen = None
                require_private(self._path, about.st_mode)
                content = file.read(MAX_BYTES + 1)
        except OSError as failure:
            self._seen = None
            raise BadTokensFile(
                f"The file of tokens cannot be read ({self._path}: {failure.strerror}). Make it with: "
                f"mechanistic-explorer token add NAME --file {self._path}"
            ) from failure
        self._digests = parsed(content, self._path)
        self._seen = seen


def require_private(path: Path, mode: int) -> None:
    """Raises BadTokensFile where others than the owner may read or change the file."""
    if not stat.S_ISREG(mode):
        raise BadTokensFile(f"{path} is no file.")
    # Windows has no such bits: who may read is said by access lists there.
    if os.name == "posix" and mode & OTHERS:
        raise BadTokensFile(
            f"Others can read or change the file of tokens ({path} has mode {stat.S_IMODE(mode):04o}). "
            f"Run: chmod 600 {path}"
        )


def parsed(content: bytes, path: Path) -> dict[str, bytes]:
    """Names and digests; raises BadTokensFile, which never repeats what the line holds."""
    if len(content) > MAX_BYTES:
        raise BadTokensFile(f"{path} is no file of tokens: it is larger than 1 MiB.")
    found: dict[str, bytes] = {}
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or not NAME.fullmatch(words[0]) or not DIGEST.fullmatch(words[1]):
            raise BadTokensFile(
                f"Line {number} of {path} is no name and digest. Take it out, and add the person with: "
                "mechanistic-explorer token add NAME"
            )
        if words[0] in found:
            raise BadTokensFile(f"Line {number} of {path} names {words[0]} a second time.")
        found[words[0]] = bytes.fromhex(words[1])
    return found
