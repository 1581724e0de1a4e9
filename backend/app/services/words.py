"""What people find a conversation by: a title, the text, and where a branch begins to differ."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from app.engine.protocols import Vocabulary
from app.services.storage.records import Words
from app.services.timelines import Conversation

TITLE_CHARS = 60
PREVIEW_CHARS = 80


def words_of(conversation: Conversation, vocabulary: Vocabulary) -> Words:
    """Made from the ids alone, so that they say what the model was fed."""
    runs = [
        (role, decoded([token_id for token_id, _ in run], vocabulary))
        for role, run in itertools.groupby(
            zip(conversation.ids, conversation.roles, strict=True), key=lambda token: token[1]
        )
    ]
    said = [text for role, text in runs if role == "user" and text.strip()]
    written = [text for role, text in runs if role not in ("template", "system") and text.strip()]
    start = conversation.from_index or 0
    differing = [
        token_id
        for token_id, role in zip(conversation.ids[start:], conversation.roles[start:], strict=True)
        if role != "template"
    ][:PREVIEW_CHARS]
    return Words(
        title=cut(" ".join(said[:1] or written[:1]), TITLE_CHARS) or "Untitled",
        text="\n".join(text for role, text in runs if role != "template"),
        preview=cut(decoded(differing, vocabulary), PREVIEW_CHARS),
    )


def decoded(ids: Sequence[int], vocabulary: Vocabulary) -> str:
    """Text of ids; U+FFFD for what is no whole character, and for NUL, which PostgreSQL cannot hold."""
    text = b"".join(map(vocabulary.token_bytes, ids)).decode("utf-8", "replace")
    return text.replace("\x00", "\ufffd")


def cut(text: str, n_chars: int) -> str:
    """One line of at most so many characters; what was left out is marked."""
    line = " ".join(text.split())
    return line if len(line) <= n_chars else line[: n_chars - 1].rstrip() + "…"
