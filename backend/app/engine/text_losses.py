"""What a tokenizer changes of a text before it becomes ids, in words."""

from __future__ import annotations

from collections.abc import Callable

PROBES = (
    ("a", "A space is put before the first word."),
    ("▁x", "The sign ▁ (U+2581) is read as a space."),
    ("e\u0301", "Decomposed characters are composed (NFC): e + U+0301 becomes é."),
    (
        "\ufb01 \u2460 \uff41",
        "Compatibility characters are replaced (NFKC): ﬁ, ①, full-width letters.",
    ),
    ("xAx", "Upper case becomes lower case."),
    ("x  x", "Spaces in a row are joined."),
    ("x\r\nx", "Line breaks are changed."),
    ("x\tx", "Tabulators are changed."),
    ("x ", "White space at the end is left out."),
    ("\u6f22 \U0001f389", "Characters outside the vocabulary are lost."),
)
"""Texts of which each is changed by one habit of a tokenizer."""
OTHER = "Some rare characters are changed."


def text_losses(is_byte_exact: bool, bytes_of: Callable[[str], bytes | None]) -> tuple[str, ...]:
    """Sentences about what is not given back; `bytes_of` is what a text's tokens stand for."""
    if is_byte_exact:
        return ()
    first_space = bytes_of("a") == b" a"

    def is_lost(text: str) -> bool:
        found = bytes_of(text)
        if found is not None and first_space and text != "a":
            found = found.removeprefix(b" ")
        return found != text.encode()

    return tuple(sentence for text, sentence in PROBES if is_lost(text)) or (OTHER,)
