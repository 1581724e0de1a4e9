"""Token texts for people: every character can be seen, and none can act on a terminal or a page."""

from __future__ import annotations

import base64

SIGNS = {
    " ": "·",
    "\n": "⏎",
    "\t": "⇥",
    "\r": "‹CR›",
    "\u00a0": "‹NBSP›",
    "\u00ad": "‹SHY›",
    "\u200b": "‹ZWSP›",
    "\u200c": "‹ZWNJ›",
    "\u200d": "‹ZWJ›",
    "\ufe0f": "‹VS16›",
}


def visible(text: str, encoded: str | None = None) -> str:
    """The text with signs for what cannot be seen, as the page has them.

    `encoded`: Base64 of the token's bytes, where the text alone does not tell them; those that are
    no whole character are written `\\xE2`.
    """
    if encoded is not None:
        text = base64.b64decode(encoded).decode("utf-8", "surrogateescape")
    return "".join(map(visible_character, text))


def visible_character(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02X}"
    if character in SIGNS:
        return SIGNS[character]
    return character if character.isprintable() else f"‹U+{ord(character):04X}›"


def harmless(text: str) -> str:
    """Running text for a terminal: line breaks and tabs stay, other control characters are shown."""
    return "".join(
        character
        if character in "\n\t " or character.isprintable()
        else visible_character(character)
        for character in text
    )
