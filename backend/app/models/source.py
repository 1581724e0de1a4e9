"""Which timeline a request is about."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.models.wire import MAX_MESSAGES, MAX_TOKENS, Flag, Text, TokenId, Wire

SOURCE_FIELDS = ("prompt", "token_ids", "conversation_id", "messages")


class ChatMessage(Wire):
    role: Literal["system", "user", "assistant"]
    content: Text


class TimelineSource(Wire):
    """Which timeline is read: exactly one of `prompt`, `token_ids`, `conversation_id` and `messages`."""

    prompt: Text | None = None
    token_ids: list[TokenId] | None = Field(None, min_length=1, max_length=MAX_TOKENS)
    conversation_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    messages: list[ChatMessage] | None = Field(None, min_length=1, max_length=MAX_MESSAGES)
    """A history, the user's message last: rendered by the model's template up to where the reply begins, as `/api/chat` does for a new conversation."""
    bos: Flag | None = None
    """For `prompt` and `messages`: whether it starts with the beginning-of-sequence token; null does what the tokenizer does."""

    @model_validator(mode="after")
    def one_source(self) -> TimelineSource:
        given = [name for name in SOURCE_FIELDS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                "give exactly one of prompt, token_ids, conversation_id and messages"
                + (f", not {' and '.join(given)}" if given else "")
            )
        return self

    @property
    def source_field(self) -> str:
        """Name of the field that was given."""
        return next(name for name in SOURCE_FIELDS if getattr(self, name) is not None)
