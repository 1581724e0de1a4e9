"""From what a request names to the token ids that are read: a text, ids, messages or what is stored.

One way for every endpoint that reads without generating, so that all of them take the same sources
and refuse the same things in the same words.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from app.engine.protocols import LensEngine
from app.engine.types import EncodedPrompt, ModelFacts, Role, TooManyTokens
from app.errors import ContextExceeded, EmptyPrompt, UnsupportedIntervention
from app.models.interventions import Intervened, Steering
from app.models.source import TimelineSource
from app.services.conversations import ConversationStore
from app.services.encoding import encode_history, encode_text, require_user_last
from app.services.timelines import require_known, require_readable


@dataclass(frozen=True, slots=True)
class SourceTimeline:
    """Ids that the running model can read, at least one, and the role of each."""

    ids: tuple[int, ...]
    roles: tuple[Role, ...]
    lineage: tuple[str, ...] = ()
    """That of the conversation that they are, where they are stored."""
    reply_start: int | None = None
    """Where the last reply begins; None for a text without one."""
    steering: Steering | None = None
    """The interventions of the stored branch."""


async def find_timeline(
    engine: LensEngine, conversations: ConversationStore, source: TimelineSource
) -> SourceTimeline:
    """The timeline that a request names.

    Raises ConversationNotFound, ModelMismatch, UnknownToken, EmptyPrompt, ContextExceeded or
    InvalidRequest, each naming its field.
    """
    if source.conversation_id is None:
        try:
            timeline = await asyncio.to_thread(encoded_timeline, engine, source)
        except TooManyTokens as failure:
            raise too_long(engine.facts, source, failure.n_tokens, failure.n_chars) from None
    else:
        stored = await conversations.get(source.conversation_id)
        require_readable(stored, engine.facts)
        if stored.steering is not None and not isinstance(source, Intervened):
            raise UnsupportedIntervention(
                "This branch was computed under interventions, and this question is about the plain model.",
                hint="Give the branch's token_ids instead to ask about the plain run of the same tokens.",
                param="conversation_id",
            )
        start = stored.turns[-1].reply_start if stored.turns else None
        timeline = SourceTimeline(stored.ids, stored.roles, stored.lineage, start, stored.steering)
    if not timeline.ids:
        raise EmptyPrompt(
            "There is no token to read: the text is empty.",
            hint="Give at least one character, or bos: true.",
            param=source.source_field,
        )
    if len(timeline.ids) > engine.facts.n_ctx:
        raise too_long(engine.facts, source, len(timeline.ids))
    return timeline


def too_long(
    facts: ModelFacts, source: TimelineSource, n_tokens: int | None, n_chars: int = 0
) -> ContextExceeded:
    """A text over the context; `n_tokens` is None for one too long to be counted."""
    return ContextExceeded(
        (
            f"The text, {n_chars:,} characters, has more than twice the tokens that fit; "
            f"{facts.name} holds {facts.n_ctx:,}."
            if n_tokens is None
            else f"The text has {n_tokens:,} tokens; {facts.name} holds {facts.n_ctx:,}."
        ),
        hint="Read a shorter text.",
        param=source.source_field,
    )


def encoded_timeline(engine: LensEngine, source: TimelineSource) -> SourceTimeline:
    """What is not stored: ids as they are given, text and messages through the tokenizer."""
    if source.token_ids is not None:
        require_known(source.token_ids, engine.facts.d_vocab, "token_ids")
        return SourceTimeline(tuple(source.token_ids), tuple("user" for _ in source.token_ids))
    encoded = EncodedPrompt((), ())
    if source.messages is not None:
        require_user_last(source.messages)
        encoded = encode_history(engine, source.messages, source.bos, engine.facts.n_ctx)
    elif source.prompt is not None:
        encoded = encode_text(engine, source.prompt, source.bos, engine.facts.n_ctx)
    return SourceTimeline(encoded.ids, encoded.roles)
