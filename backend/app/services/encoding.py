"""Texts and messages as the ids that the model is fed."""

from __future__ import annotations

from collections.abc import Sequence

from app.engine.protocols import LensEngine
from app.engine.types import EncodedPrompt, Message, TextSpan
from app.errors import InvalidRequest
from app.models.source import ChatMessage


def require_user_last(messages: Sequence[ChatMessage]) -> None:
    """Raises InvalidRequest where the last message is not one that the model replies to."""
    if messages[-1].role != "user":
        raise InvalidRequest(
            f"The last message is the {messages[-1].role}'s; the model replies to a user.",
            hint="Put the user's message last.",
            param="messages",
        )


def encode_history(
    engine: LensEngine, messages: Sequence[ChatMessage], bos: bool | None, most: int
) -> EncodedPrompt:
    """Messages as the model's template writes them, up to where the reply begins.

    Unless `bos` says otherwise, a tokenizer's own template alone decides about the
    beginning-of-sequence token, as `apply_chat_template` has it; the built-in one leaves that to
    the tokenizer.
    """
    spans = engine.template.start(template_messages(messages))
    facts = engine.facts
    if bos is None and facts.chat_template.source == "built-in":
        bos = facts.chat_template.starts_with_bos
    return engine.vocabulary.encode_prompt(spans, bos=bos, most=most)


def encode_text(engine: LensEngine, text: str, bos: bool | None, most: int) -> EncodedPrompt:
    """Raw text, as if a user had written all of it."""
    spans = [TextSpan(text, "user")] if text else []
    starts_with = engine.facts.adds_bos if bos is None else bos
    return engine.vocabulary.encode_prompt(spans, bos=starts_with, most=most)


def template_messages(messages: Sequence[ChatMessage]) -> list[Message]:
    return [Message(message.role, message.content) for message in messages]
