"""One patched run: what is asked for, checked; the work; the answer. A map of many is a job."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.engine.patching_types import Metric, Patched, PatchSide, PatchWanted
from app.engine.protocols import LensEngine
from app.engine.types import ModelFacts
from app.errors import InvalidRequest, PositionOutOfRange
from app.models.patching import (
    PatchPredictions,
    PatchQuestion,
    PatchRequest,
    PatchResponse,
    PredictedToken,
)
from app.services.causes import named
from app.services.comparing import naming_side
from app.services.conversations import ConversationStore
from app.services.identity import ModelIdentity, wire_model
from app.services.job import Job
from app.services.json_pieces import json_pieces
from app.services.timeline_source import SourceTimeline, find_timeline
from app.services.timelines import require_known

Pairs = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class PatchPlan:
    """What a request asks for, checked against the model."""

    clean: SourceTimeline
    corrupt: SourceTimeline
    wanted: PatchWanted


async def find_sides(
    engine: LensEngine, conversations: ConversationStore, request: PatchQuestion
) -> tuple[SourceTimeline, SourceTimeline]:
    """Both timelines; what is wrong with one names it."""
    sides = []
    for name, source, length in (
        ("clean", request.clean, request.clean_length),
        ("corrupt", request.corrupt, request.corrupt_length),
    ):
        with naming_side(name):
            timeline = await find_timeline(engine, conversations, source)
        sides.append(_cut(timeline, length, f"{name}_length"))
    return sides[0], sides[1]


def _cut(timeline: SourceTimeline, length: int | None, param: str) -> SourceTimeline:
    if length is None:
        return timeline
    if length > len(timeline.ids):
        raise PositionOutOfRange(
            f"The text has {len(timeline.ids)} tokens, which is fewer than {length}.", param=param
        )
    return dataclasses.replace(timeline, ids=timeline.ids[:length], roles=timeline.roles[:length])


def plan_patch(
    facts: ModelFacts, request: PatchRequest, clean: SourceTimeline, corrupt: SourceTimeline
) -> PatchPlan:
    """Everything about a patch that can be wrong, found before the model is asked."""
    wanted = PatchWanted(
        request.site,
        request.layer,
        checked_pairs(request.positions, clean, corrupt, request.direction),
        request.direction,
        metric_of(facts, request),
        None if request.heads is None else tuple(dict.fromkeys(request.heads)),
    )
    return PatchPlan(clean, corrupt, wanted)


def metric_of(facts: ModelFacts, request: PatchQuestion) -> Metric:
    for field in ("answer", "foil"):
        token_id = getattr(request, field)
        if token_id is not None:
            require_known([token_id], facts.d_vocab, field)
    if request.answer is not None and request.answer == request.foil:
        raise InvalidRequest(
            f"Answer and foil are the same token, {request.answer}: their difference is 0.",
            hint="Choose another foil.",
            param="foil",
        )
    return Metric(request.answer, request.foil)


def checked_pairs(
    asked: Pairs, clean: SourceTimeline, corrupt: SourceTimeline, direction: str
) -> tuple[tuple[int, int], ...]:
    """Pairs in the order asked for; each position of the run that is changed at most once."""
    for pair in asked:
        for name, timeline, position in zip(
            ("clean", "corrupt"), (clean, corrupt), pair, strict=True
        ):
            if position >= len(timeline.ids):
                raise PositionOutOfRange(
                    f"There is no position {position} in {name}, which has"
                    f" {len(timeline.ids)} tokens.",
                    hint="Pair positions of clean with those of corrupt; a token that has no"
                    " counterpart in the other text cannot be patched.",
                    param="positions",
                )
    changed = "corrupt" if direction == "denoise" else "clean"
    targets = [pair[1 if direction == "denoise" else 0] for pair in asked]
    twice = next((position for position in targets if targets.count(position) > 1), None)
    if len(set(targets)) < len(targets):
        raise InvalidRequest(
            f"Position {twice} of {changed} is to be patched twice.",
            hint="Give each of its positions one counterpart.",
            param="positions",
        )
    return tuple(asked)


def run_patch(job: Job[Patched], engine: LensEngine, plan: PatchPlan) -> Iterator[None]:
    """Work of a job: one turn for each pass."""
    sides = [PatchSide(side.ids, side.lineage) for side in (plan.clean, plan.corrupt)]
    for found in engine.patching.patching(sides[0], sides[1], plan.wanted):
        if found is not None:
            job.emit(found, 1000)
        yield


def patch_json(engine: LensEngine, plan: PatchPlan, found: Patched) -> list[bytes]:
    """The answer as JSON, in pieces."""
    wanted, ends = plan.wanted, found.ends
    clean, corrupt, patched = (
        [
            PredictedToken(**named(engine, token_id).model_dump(), probability=probability)
            for token_id, probability in top
        ]
        for top in found.top
    )
    response = PatchResponse(
        model=engine.facts.name,
        model_identity=wire_model(ModelIdentity.of(engine.facts)),
        site=wanted.site,
        layer=wanted.layer,
        heads=None if wanted.heads is None else list(wanted.heads),
        positions=list(wanted.positions),
        direction=wanted.direction,
        answer=named(engine, ends.answer),
        foil=named(engine, ends.foil),
        clean=ends.clean,
        corrupt=ends.corrupt,
        patched=found.patched,
        score=ends.score(found.patched, wanted.direction),
        kl_to_clean_nats=found.kl_to_clean_nats,
        predictions=PatchPredictions(clean=clean, corrupt=corrupt, patched=patched),
        computed_tokens=found.computed_tokens,
    )
    return list(json_pieces(response))
