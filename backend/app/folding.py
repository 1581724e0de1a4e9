"""One spelling for texts that people read as the same, so that a search finds each by the other."""

from __future__ import annotations

import unicodedata

DOTLESS_I, DOT_ABOVE = "\u0131", "\u0307"


def folded(text: str) -> str:
    """`text` without regard to case, width and normal form (Unicode's NFKC case folding).

    `É` is found in either normal form, `straße` as STRASSE, `ΟΔΟΣ` as οδος, and full-width letters as
    plain ones. The Turkish i's are one letter here: a keyboard may have only one of them.
    """
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    # Folding can undo composition and composition can make upper case again, each at most once.
    twice = unicodedata.normalize("NFKC", once.casefold())
    return twice.replace(DOTLESS_I, "i").replace(f"i{DOT_ABOVE}", "i")
