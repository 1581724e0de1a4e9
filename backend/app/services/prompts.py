"""From a chat request to the token ids that the model is fed.

A new conversation renders the whole history; a stored one is continued from its exact ids. Nothing
is dropped or cut: what does not fit is refused with the numbers. Tokenising needs no model, so this
runs on any thread.
"""

from __future__ import annotations

import dataclasses
import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from app.engine.intervention_types import Interventions
from app.engine.protocols import LensEngine
from app.engine.types import (
    EncodedPrompt,
    ModelFacts,
    Role,
    Sampling,
    TextSpan,
    TooManyTokens,
)
from app.errors import ContextExceeded, EmptyPrompt, InvalidRequest
from app.models.chat import ChatRequest, LensRequest, SamplingRequest
from app.models.wire import Mode
from app.services.encoding import (
    encode_history,
    encode_text,
    require_user_last,
    template_messages,
)
from app.services.interventions import resolved, under
from app.services.timelines import Conversation, new_id, require_known

TIMELINE_END_BYTES = 64
"""How much of a stored timeline's end the template sees."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What one turn feeds to the model, and how the reply is made."""

    base: Conversation
    """What the turn continues; empty for a new conversation. The turn begins at its end."""
    ids: tuple[int, ...]
    roles: tuple[Role, ...]
    forced: tuple[int, ...]
    """The last of `ids`, when the reply is to begin with tokens that were chosen for it."""
    sampling: Sampling
    lens: LensRequest
    mode: Mode
    """How the timeline goes on: that of the request, or of what it continues without a message."""
    interventions: Interventions | None = None
    """What the reply is computed under, as `base.steering` says it."""

    @property
    def n_prompt(self) -> int:
        """Where the reply begins."""
        return len(self.ids) - len(self.forced)

    @property
    def adds_tokens(self) -> bool:
        """Whether a person has added something: messages, or tokens that the reply begins with."""
        return len(self.ids) > len(self.base.ids)


def require_sense(request: ChatRequest) -> None:
    """What the fields must be to one another; raises InvalidRequest. Needs no model."""
    continues = request.conversation_id is not None
    if request.from_index is not None and not continues:
        raise InvalidRequest(
            "from_index cuts a stored conversation, but no conversation_id is given.",
            hint="Name the conversation, or leave from_index out.",
            param="from_index",
        )
    if request.continue_with and (request.messages or request.from_index is None):
        raise InvalidRequest(
            "continue_with begins a reply at from_index, with no message between.",
            hint="Give conversation_id and from_index, and an empty list of messages.",
            param="continue_with",
        )
    if not request.messages:
        if request.from_index is None:
            raise InvalidRequest(
                "There is no message.",
                hint="Give at least the user's message; an empty list goes together with "
                "from_index only.",
                param="messages",
            )
        return
    require_user_last(request.messages)
    if request.mode == "completion" and len(request.messages) > 1:
        raise InvalidRequest(
            f"Completion mode takes one message as raw text; {len(request.messages)} were given.",
            hint="Join them into one text, or use chat mode.",
            param="messages",
        )


def make_prompt(engine: LensEngine, request: ChatRequest, stored: Conversation | None) -> Prompt:
    """The ids of one turn; raises EmptyPrompt, ContextExceeded, LensUnavailable or InvalidRequest.

    The timelines that interventions take from must be named by their ids (`settled`).
    """
    engine.require_lens(request.lens.kind, "lens.kind")
    if request.lens.half_layers:
        engine.require_half_layers(request.lens.kind, "lens.half_layers")
    base = stored
    if stored is not None and branches_off(request, stored):
        require_turn_border(stored, request)
        base = stored.before(request.from_index or 0)
    elif stored is not None and changes_steering(request, stored):
        base = stored.before(len(stored.ids))
    forced = tuple(request.continue_with)
    require_known(forced, engine.facts.d_vocab, "continue_with")
    n_given = len(forced) + (len(base.ids) if base else 0)
    room = max(engine.facts.n_ctx - 1 - n_given, 0)
    try:
        if base is None or not base.ids:
            encoded = encode_start(engine, request, room)
            base = base or Conversation(new_id(), (), (), ())
        else:
            require_same_bos(engine.facts, request, base)
            encoded = encode_continuation(engine, request, base, room)
    except TooManyTokens as failure:
        raise no_room(engine.facts, n_given, failure) from None
    ids = base.ids + encoded.ids + forced
    if not ids:
        raise EmptyPrompt(
            "There is no token to begin with: the text is empty.",
            hint="Write something, or start with the beginning-of-sequence token (bos: true).",
            param="messages",
        )
    if len(ids) >= engine.facts.n_ctx:
        raise no_room(engine.facts, len(ids))
    steering = None if stored is None else stored.steering
    if request.interventions is not None:
        steering = under(request.interventions, len(ids) - len(forced), steering)
    if steering is not None and steering.reply_start > len(base.ids):
        # The first reply under them was cut off: this one is the first.
        steering = steering.model_copy(update={"reply_start": len(ids) - len(forced)})
    base = dataclasses.replace(base, steering=steering)
    roles = base.roles + encoded.roles + tuple("assistant" for _ in forced)
    return Prompt(
        base=base,
        ids=ids,
        roles=roles,
        forced=forced,
        sampling=make_sampling(engine.facts, request),
        lens=request.lens,
        mode=request.mode if request.messages or not base.ids else base.mode,
        interventions=None
        if steering is None
        else resolved(engine, steering, ids, roles, is_growing=True),
    )


def branches_off(request: ChatRequest, stored: Conversation) -> bool:
    """Whether a request cuts a timeline; at its end there is nothing to cut, and it goes on in place."""
    return request.from_index is not None and request.from_index != len(stored.ids)


def changes_steering(request: ChatRequest, stored: Conversation) -> bool:
    """Whether a request goes on under other interventions: then it goes on as a branch."""
    held = stored.steering.interventions if stored.steering else []
    return request.interventions is not None and request.interventions != held


def require_turn_border(stored: Conversation, request: ChatRequest) -> None:
    """New messages may follow a reply or the start, not the middle of another message."""
    index = request.from_index
    if index is None or not request.messages or not 0 < index <= len(stored.ids):
        return
    starts = [turn.start for turn in stored.turns]
    is_border = index in starts or any(t.reply_start <= index <= t.end for t in stored.turns)
    if request.mode == "chat" and not is_border:
        raise InvalidRequest(
            f"Token {index} lies inside a message or the template, where no new message can begin.",
            hint="Cut where a turn starts ("
            + ", ".join(map(str, starts[-8:]))
            + ") or inside a reply.",
            param="from_index",
        )


def encode_start(engine: LensEngine, request: ChatRequest, most: int) -> EncodedPrompt:
    """The whole history of a new conversation; raises TooManyTokens."""
    if not request.messages:
        return encode_text(engine, "", request.bos, most)
    if request.mode == "chat":
        return encode_history(engine, request.messages, request.bos, most)
    return encode_text(engine, request.messages[0].content, request.bos, most)


def encode_continuation(
    engine: LensEngine, request: ChatRequest, base: Conversation, most: int
) -> EncodedPrompt:
    """What is new after a stored timeline; nothing when the reply is to begin right there."""
    if not request.messages:
        return EncodedPrompt((), ())
    spans: Sequence[TextSpan]
    if request.mode == "chat":
        spans = engine.template.continuation(
            template_messages(request.messages), timeline_end=timeline_end(engine, base)
        )
    else:
        spans = [TextSpan(message.content, "user") for message in request.messages]
    return engine.vocabulary.encode_prompt(spans, after=base.ids[-1], most=most)


def timeline_end(engine: LensEngine, base: Conversation) -> bytes:
    """The last bytes of a timeline."""
    tokens = map(engine.vocabulary.token_bytes, base.ids[-TIMELINE_END_BYTES:])
    return b"".join(tokens)[-TIMELINE_END_BYTES:]


def require_same_bos(facts: ModelFacts, request: ChatRequest, base: Conversation) -> None:
    """A stored timeline has its beginning already; asking for another one is a mistake."""
    if request.bos is None:
        return
    leading = itertools.takewhile(
        lambda token: token[1] == "template", zip(base.ids, base.roles, strict=True)
    )
    first_prompt = base.ids[: base.turns[0].reply_start if base.turns else None]
    # Some templates write it after a line break of their own, and some after the first message.
    if request.bos:
        is_so = facts.bos_token_id in first_prompt
    else:
        is_so = all(token_id != facts.bos_token_id for token_id, _ in leading)
    if not is_so:
        raise InvalidRequest(
            "This conversation "
            + ("does not start" if request.bos else "starts")
            + " with the beginning-of-sequence token, and that cannot be changed later.",
            hint="Start a new conversation, or leave bos out.",
            param="bos",
        )


def no_room(facts: ModelFacts, n_ids: int, failure: TooManyTokens | None = None) -> ContextExceeded:
    """A reply of at least one token does not fit behind `n_ids` and the text that was too long."""
    n_new = failure.n_tokens if failure else 0
    return ContextExceeded(
        (
            f"The messages, {failure.n_chars:,} characters, have more than twice the tokens that fit; "
            f"{facts.name} holds {facts.n_ctx:,}."
            if failure and n_new is None
            else f"The conversation has {n_ids + (n_new or 0):,} tokens with this message; "
            f"{facts.name} holds {facts.n_ctx:,}, and the reply needs at least one."
        ),
        hint="Shorten the message, or start a new conversation.",
        param="messages",
    )


def make_sampling(facts: ModelFacts, request: ChatRequest) -> Sampling:
    """How tokens are chosen; draws a seed where none is given."""
    asked: SamplingRequest = request.sampling
    template_stop = facts.chat_template.stop if request.mode == "chat" else ()
    return Sampling(
        max_new_tokens=asked.max_new_tokens,
        temperature=asked.temperature,
        top_k=asked.top_k,
        top_p=asked.top_p,
        seed=secrets.randbelow(2**32) if asked.seed is None else asked.seed,
        stop=tuple(dict.fromkeys((*asked.stop, *template_stop))),
    )
