"""Documents from the corpus files, and which of them the model must never see.

The split hashes the document itself: it needs no list of names, does not change when a file is
reordered or extended, and sends two copies of one text to the same side.
"""

import hashlib
import lzma
from collections.abc import Iterator
from pathlib import Path

END_OF_TEXT = "<|endoftext|>"
HELD_OUT_PERCENT = 1


def stable_hash(text: str) -> int:
    """A 64-bit hash of `text` that is the same on every machine, run and Python version."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big")


def is_held_out(document: str, percent: int = HELD_OUT_PERCENT) -> bool:
    """Whether `document` belongs to the validation split, which holds `percent` of documents."""
    return stable_hash(document) % 100 < percent


def read_documents(path: Path) -> Iterator[str]:
    """Documents of a text file, plain or compressed with xz: each ends with a line `<|endoftext|>`."""
    lines: list[str] = []
    open_text = lzma.open if path.suffix == ".xz" else open
    with open_text(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in file:
            if line.rstrip("\n") == END_OF_TEXT:
                yield "".join(lines)
                lines = []
            else:
                lines.append(line)
    if lines:
        yield "".join(lines)


def split_documents(path: Path) -> tuple[list[str], list[str]]:
    """Training documents and held-out documents of one corpus file, in file order."""
    training: list[str] = []
    held_out: list[str] = []
    for document in read_documents(path):
        if document.strip():
            (held_out if is_held_out(document) else training).append(document)
    return training, held_out
