"""Documents of a text, and the text that ships with the program. No torch."""

from __future__ import annotations

import lzma
from pathlib import Path

SAMPLE = Path(__file__).with_name("sample.txt.xz")
"""Passages of the World Factbook of the CIA, which is in the public domain."""
END_OF_TEXT = "<|endoftext|>"


def sample_text() -> str:
    """The text that ships with the program."""
    return lzma.decompress(SAMPLE.read_bytes()).decode("utf-8")


def documents_of(text: str) -> list[str]:
    """Documents that end with a line `<|endoftext|>`; without such lines, the whole text."""
    parts = text.replace("\r\n", "\n").split(f"{END_OF_TEXT}\n")
    return [part for part in parts if part.strip()]
