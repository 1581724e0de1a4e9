"""The digest that identifies a model which has no commit: one in a folder.

Two folders may share a name, and a folder may be trained further. Ids mean tokens only together with
the tokenizer, and numbers follow from configuration and weights, so all of these are hashed. That
reads the weights once more, on a thread of its own while they load: hashing releases the interpreter.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.engine.checkpoint import (
    CONFIG_FILE,
    DAMAGED_HINT,
    TOKENIZER_FILES,
    sha256_of,
    weight_files,
)
from app.errors import ModelLoadError


class ModelDigest:
    """SHA-256 over a model's configuration, tokenizer files and weights; computed from construction
    on, beside whatever the caller does."""

    def __init__(self, folder: Path, name: str, gguf: Path | None = None) -> None:
        """`gguf`: the one file that holds the model, where it is such a file."""
        self._name = name
        self._digest = ""
        self._files: list[Path] = []
        self._failure: ModelLoadError | None = None
        with self._keeping_failure():
            self._files = [gguf] if gguf else identifying_files(folder, name)
        self._states = states_of(self._files)
        self._thread = threading.Thread(target=self._compute, name="digest", daemon=True)
        self._thread.start()

    def result(self) -> str:
        """Wait for the digest, in hexadecimal; call it when the model is loaded.

        Raises ModelLoadError where files are missing or unreadable, or have changed meanwhile:
        what was loaded may then be neither the old model nor the new one.
        """
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        if self._states != states_of(self._files):
            raise ModelLoadError(
                f"The files of {self._name} changed while they were being loaded.",
                hint="Start again when they are complete.",
            )
        return self._digest

    def _compute(self) -> None:
        with self._keeping_failure():
            self._digest = digest_of(self._files)

    @contextmanager
    def _keeping_failure(self) -> Iterator[None]:
        try:
            yield
        except ModelLoadError as failure:
            self._failure = failure
        except OSError as error:
            self._failure = ModelLoadError(
                f"The files of {self._name} cannot be read: {error.strerror}.", hint=DAMAGED_HINT
            )


def identifying_files(folder: Path, name: str) -> list[Path]:
    """What decides a model's ids and numbers. Raises ModelLoadError where weights are missing."""
    small = (CONFIG_FILE, *sorted(TOKENIZER_FILES))
    present = [folder / file for file in small if (folder / file).is_file()]
    return present + sorted(weight_files(folder, name))


def digest_of(files: Sequence[Path]) -> str:
    """SHA-256 over the names of files and the SHA-256 of each."""
    lines = (f"{file.name} {sha256_of([file])}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def states_of(files: Sequence[Path]) -> list[tuple[int, int]]:
    """Size and time of change of each file; nothing for those that have gone."""
    states = []
    for file in files:
        try:
            found = file.stat()
        except OSError:
            continue
        states.append((found.st_size, found.st_mtime_ns))
    return states
