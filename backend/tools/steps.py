"""Steps of set-up: each shows one line, keeps a log, and is remembered by what it depended on."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BACKEND = ROOT / "backend"
FRONTEND = ROOT / "frontend"
STATE = ROOT / ".state"
OFFLINE_SIGNS = (
    "Temporary failure in name resolution",
    "Failed to establish a new connection",
    "NewConnectionError",
    "NameResolutionError",
    "Network is unreachable",
    "nodename nor servname provided",
    "Could not resolve host",
    "ConnectTimeoutError",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ENETUNREACH",
    "ETIMEDOUT",
)


class SetupError(Exception):
    """Something the person at the terminal must change; the message says what, in one line."""


class StepFailed(SetupError):
    """A program that a step ran ended badly."""

    def __init__(self, title: str, log: Path) -> None:
        self.log = log
        self.output = log.read_text(errors="replace")
        self.is_offline = any(sign in self.output for sign in OFFLINE_SIGNS)
        super().__init__(f"{title} failed; its output stands above and in {relative(log)}")


@dataclass(frozen=True)
class Stamp:
    """Remembers that a step was done, and for what: it is done again when the key differs.

    It lies inside what the step made, where that is possible, and so goes with it.
    """

    path: Path

    def matches(self, key: str) -> bool:
        try:
            return self.path.read_text() == key
        except FileNotFoundError:
            return False

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)

    def record(self, key: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.write_text(key)
        fresh.replace(self.path)


def digest(*parts: str, files: Iterable[Path] = ()) -> str:
    """One key for texts and for the names and contents of files."""
    sums = [hashlib.sha256(part.encode()).hexdigest() for part in parts]
    for file in sorted(files):
        sums.append(hashlib.sha256(str(file.relative_to(ROOT)).encode()).hexdigest())
        sums.append(hashlib.sha256(file.read_bytes()).hexdigest())
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def run_step(
    title: str,
    argv: Sequence[str | Path],
    *,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    quiet_failure: bool = False,
) -> None:
    """Runs a program behind one line with its time; on failure prints its whole output."""
    log = STATE / f"{title.lower().replace(' ', '-')}.log"
    log.parent.mkdir(exist_ok=True)
    line = ProgressLine(title)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in argv],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.5)
                    break
                line.update(log)
        except BaseException:
            process.terminate()
            process.wait()
            line.finish("interrupted")
            raise
    line.finish("" if process.returncode == 0 else "failed")
    if process.returncode != 0:
        failure = StepFailed(title, log)
        if not quiet_failure and not failure.is_offline:
            print(failure.output, file=sys.stderr)
        raise failure


class ProgressLine:
    """`title … 12.3 s`, rewritten twice a second on a terminal with the program's last words."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = time.monotonic()
        self.is_terminal = sys.stdout.isatty()
        print(f"  {title:<28}", end="", flush=True)

    def update(self, log: Path) -> None:
        if not self.is_terminal:
            return
        width = shutil.get_terminal_size().columns
        text = f"  {self.title:<28}{self.seconds():>7.0f} s  {last_line(log)}"
        print(f"\r\x1b[K{text[: width - 1]}", end="", flush=True)

    def finish(self, note: str) -> None:
        if self.is_terminal:
            print(f"\r\x1b[K  {self.title:<28}", end="")
        print(f"{self.seconds():>7.1f} s  {note}".rstrip(), flush=True)

    def seconds(self) -> float:
        return time.monotonic() - self.started


def last_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 400))
        tail = file.read().decode(errors="replace")
    lines = [line.strip() for line in tail.replace("\r", "\n").splitlines() if line.strip()]
    return "".join(ch for ch in lines[-1] if ch.isprintable()) if lines else ""


@contextlib.contextmanager
def only_one_setup() -> Iterator[None]:
    """Keeps two `make` commands from installing into the same folders at the same time."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("  Waiting for the set-up of another make command …", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
