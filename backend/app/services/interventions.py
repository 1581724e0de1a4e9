"""From interventions on the wire to those that the engine takes.

Texts become ids, names of positions become indices, and a conversation that another run is taken from
becomes the ids that it has now, so that what is stored says for good what was computed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from app.engine import intervention_types as types
from app.engine.protocols import LensEngine
from app.engine.types import Role, TooManyTokens
from app.errors import (
    ContextExceeded,
    EmptyPrompt,
    ExplorerError,
    InvalidRequest,
    PositionOutOfRange,
)
from app.models import interventions as wire
from app.models.source import TimelineSource
from app.services.conversations import ConversationStore
from app.services.encoding import encode_text
from app.services.timeline_source import SourceTimeline, find_timeline
from app.services.timelines import require_known

PARAM = "interventions"


@dataclass(frozen=True, slots=True)
class Text:
    """The timeline that interventions act on."""

    ids: Sequence[int]
    roles: Sequence[Role]
    reply_start: int
    """Where the first reply under the interventions begins; its end where there is none yet."""
    is_growing: bool = False
    """Whether a reply is being written at its end."""
    may_grow: bool = False
    """Whether positions may be named that it has not yet, or has not come to."""


async def settled(
    engine: LensEngine,
    conversations: ConversationStore,
    asked: Sequence[wire.Intervention],
) -> tuple[wire.Intervention, ...]:
    """The same interventions, with other runs named by their ids."""
    found = []
    for place, one in enumerate(asked):
        if isinstance(one.op, wire.ReplaceOperation) and one.op.source.token_ids is None:
            try:
                other = await find_timeline(engine, conversations, one.op.source)
            except ExplorerError as failure:
                failure.param = f"{PARAM}.{place}.op.from.{failure.param}"
                raise
            source = TimelineSource(token_ids=list(other.ids))
            one = one.model_copy(update={"op": one.op.model_copy(update={"source": source})})
        found.append(one)
    return tuple(found)


async def asked_of(
    engine: LensEngine,
    conversations: ConversationStore,
    timeline: SourceTimeline,
    asked: Sequence[wire.Intervention] | None,
) -> types.Interventions | None:
    """What a request for a timeline is computed under; None for the plain run.

    Raises what `settled` and `LensEngine.require_interventions` raise, and InvalidRequest.
    """
    if asked is None:
        steering = timeline.steering
    else:
        end = len(timeline.ids)
        start = end if timeline.reply_start is None else timeline.reply_start
        steering = under(await settled(engine, conversations, asked), start, timeline.steering)
    if steering is None:
        return None
    return await asyncio.to_thread(
        resolved,
        engine,
        steering,
        timeline.ids,
        timeline.roles,
        is_stored=steering is timeline.steering,
    )


def under(
    asked: Sequence[wire.Intervention], reply_start: int, stored: wire.Steering | None
) -> wire.Steering | None:
    """What a run under these is; that of the stored branch where they are the same. None for a plain one."""
    if not asked:
        return None
    if stored is not None and stored.interventions == list(asked):
        return stored
    return wire.Steering(interventions=list(asked), reply_start=reply_start)


def resolved(
    engine: LensEngine,
    steering: wire.Steering,
    ids: Sequence[int],
    roles: Sequence[Role],
    *,
    is_growing: bool = False,
    is_stored: bool = False,
) -> types.Interventions:
    """Interventions as the engine takes them.

    `is_growing` says that a reply is being written at the end of the ids, `is_stored` that one was.
    """
    text = Text(ids, roles, steering.reply_start, is_growing, is_growing or is_stored)
    items = tuple(
        _resolved_one(engine, one, text, f"{PARAM}.{place}")
        for place, one in enumerate(steering.interventions)
    )
    found = types.Interventions(items, digest_of(steering, items))
    engine.require_interventions(found)
    return found


def digest_of(steering: wire.Steering, items: Sequence[types.Intervention]) -> str:
    """Stands for the interventions and the reply that they are about, however long it is by now."""
    said = [one.model_dump(mode="json") for one in steering.interventions]
    means = [item.operation for item in items if isinstance(item.operation, types.Mean)]
    whole = json.dumps([said, steering.reply_start, repr(means)], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def _resolved_one(
    engine: LensEngine, one: wire.Intervention, text: Text, param: str
) -> types.Intervention:
    for field in ("layers", "heads"):
        values = getattr(one, field) or ()
        if len(set(values)) < len(values):
            raise InvalidRequest(f"One of the {field} is named twice.", param=f"{param}.{field}")
    if one.heads is not None and one.site != "head":
        raise InvalidRequest(
            f"heads are of site head, and this is site {one.site}.",
            hint='Set site to "head", or leave heads out.',
            param=f"{param}.heads",
        )
    return types.Intervention(
        one.site,
        tuple(one.layers),
        None if one.heads is None else tuple(one.heads),
        _touched(engine, one, text, param),
        _operation(engine, one, text, f"{param}.op"),
        param,
    )


def _touched(engine: LensEngine, one: wire.Intervention, text: Text, param: str) -> types.Touched:
    end = len(text.ids)
    if not isinstance(one.positions, str):
        if len(set(one.positions)) < len(one.positions):
            raise InvalidRequest("A position is named twice.", param=f"{param}.positions")
        limit = engine.facts.n_ctx if text.may_grow else end
        beyond = [position for position in one.positions if position >= limit]
        if beyond:
            raise PositionOutOfRange(
                f"There is no position {beyond[0]}: the text has positions 0 to {limit - 1}.",
                param=f"{param}.positions",
            )
        return types.Touched(tuple(one.positions))
    for_reply = one.positions != "prompt"
    reply = _chooses_reply(text) if for_reply else ()
    prompt = _content(engine, text) if one.positions != "reply" else ()
    touched = tuple(sorted({*reply, *prompt}))
    if not touched:
        raise InvalidRequest(
            "No message has content that this could touch.",
            hint='Set positions to "reply", or list them.',
            param=f"{param}.positions",
        )
    return types.Touched(touched, end - 1 if text.is_growing and for_reply else None)


def _chooses_reply(text: Text) -> tuple[int, ...]:
    """The positions whose next token is of a reply under the interventions."""
    end = len(text.ids)
    start = max(text.reply_start, 1)
    if start >= end:
        return (end - 1,)
    return tuple(p for p in range(start - 1, end - 1) if text.roles[p + 1] == "assistant")


def _content(engine: LensEngine, text: Text) -> tuple[int, ...]:
    """Content tokens of messages: no template, no special tokens, and no reply under the interventions."""
    return tuple(
        p
        for p, (token_id, role) in enumerate(zip(text.ids, text.roles, strict=True))
        if role != "template"
        and not (role == "assistant" and p >= text.reply_start)
        and not engine.vocabulary.is_special(token_id)
    )


def _operation(
    engine: LensEngine, one: wire.Intervention, text: Text, param: str
) -> types.Operation:
    asked = one.op
    if isinstance(asked, wire.ZeroOperation):
        return types.Zero()
    if isinstance(asked, wire.MeanOperation):
        before = range(1, min(text.reply_start, len(text.ids)))
        positions = tuple(p for p in before if not engine.vocabulary.is_special(text.ids[p]))
        if not positions:
            raise InvalidRequest(
                "There is no text before the reply to take a mean over.",
                hint="Give a longer text, or use zero.",
                param=param,
            )
        return types.Mean(tuple(text.ids[: text.reply_start]), positions)
    if isinstance(asked, wire.AddOperation):
        return types.Add(_direction(engine, asked.direction, f"{param}.direction"), asked.strength)
    if isinstance(asked, wire.ProjectOutOperation):
        return types.ProjectOut(_direction(engine, asked.direction, f"{param}.direction"))
    if isinstance(asked, wire.ExchangeOperation):
        first, second = (
            _direction(engine, each, f"{param}.directions.{place}")
            for place, each in enumerate(asked.directions)
        )
        return types.Exchange(first, second)
    if isinstance(asked, wire.ReplaceOperation):
        return _replacement(engine, one, asked, param)
    return types.KnockOut(tuple(dict.fromkeys(asked.sources)))


def _replacement(
    engine: LensEngine, one: wire.Intervention, asked: wire.ReplaceOperation, param: str
) -> types.Replace:
    ids = tuple(asked.source.token_ids or ())
    require_known(ids, engine.facts.d_vocab, f"{param}.from.token_ids")
    if isinstance(one.positions, str):
        raise InvalidRequest(
            f"replace goes position by position, and {one.positions} names none.",
            hint="List the positions, and as many of the other run in op.positions.",
            param=param.removesuffix(".op") + ".positions",
        )
    if len(one.positions) != len(asked.positions):
        raise InvalidRequest(
            f"{len(one.positions)} positions are replaced by {len(asked.positions)} of the other run.",
            hint="Give as many of one as of the other.",
            param=f"{param}.positions",
        )
    beyond = [position for position in asked.positions if position >= len(ids)]
    if beyond:
        raise PositionOutOfRange(
            f"The other run has no position {beyond[0]}: its positions are 0 to {len(ids) - 1}.",
            param=f"{param}.positions",
        )
    return types.Replace(ids, tuple(asked.positions))


def _direction(engine: LensEngine, asked: wire.Direction, param: str) -> types.Direction:
    if isinstance(asked, wire.RandomDirection):
        return types.RandomDirection(asked.seed)
    if isinstance(asked, wire.ContrastDirection):
        return types.ContrastDirection(
            _texts(engine, asked.plus, f"{param}.plus"),
            _texts(engine, asked.minus, f"{param}.minus"),
        )
    require_known([asked.token_id], engine.facts.d_vocab, f"{param}.token_id")
    if isinstance(asked, wire.LensDirection):
        engine.require_lens(asked.lens, f"{param}.lens")
        return types.TokenDirection(asked.token_id, asked.lens)
    return types.TokenDirection(asked.token_id)


def _texts(engine: LensEngine, texts: Sequence[str], param: str) -> tuple[tuple[int, ...], ...]:
    """Texts as ids, with the beginning-of-sequence token where the tokenizer puts it."""
    found = []
    for place, text in enumerate(texts):
        try:
            encoded = encode_text(engine, text, None, engine.facts.n_ctx)
        except TooManyTokens:
            raise ContextExceeded(
                f"A text of a contrast has more tokens than {engine.facts.name} holds.",
                param=f"{param}.{place}",
            ) from None
        if not encoded.ids:
            raise EmptyPrompt(
                "A text of a contrast has no tokens, so it has no direction.",
                param=f"{param}.{place}",
            )
        found.append(encoded.ids)
    return tuple(found)
