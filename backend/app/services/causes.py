"""Attribution and attention of one token: what is asked for, checked; the work; the answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from app.engine.causes_types import (
    AttentionRows,
    AttentionWanted,
    Attribution,
    AttributionWanted,
    BlockEffects,
    Part,
    Reading,
)
from app.engine.intervention_types import InterventionSites as MeasuredSites
from app.engine.protocols import LensEngine
from app.engine.types import Capabilities, Capability, ModelFacts
from app.errors import InvalidRequest, ModelComputationError, PositionOutOfRange
from app.models.causes import (
    AttentionRequest,
    AttentionResponse,
    AttributionPart,
    AttributionRequest,
    AttributionResponse,
    CapabilitiesInfo,
    CapabilityInfo,
    FoilKind,
    InterventionSites,
    LogitQuestion,
    NamedToken,
    TokenEffect,
    WriteEffect,
    WritesRequest,
    WritesResponse,
)
from app.services.identity import ModelIdentity, wire_model
from app.services.job import Job
from app.services.json_pieces import float32_json, json_pieces
from app.services.reading import MAX_CELLS
from app.services.readouts import DAMAGED_HINT, fragment_bytes, shortest
from app.services.timeline_source import SourceTimeline
from app.services.timelines import require_known

Asked = TypeVar("Asked", bound=LogitQuestion)


@dataclass(frozen=True, slots=True)
class Plan(Generic[Asked]):
    """What a request asks for, checked against the model."""

    timeline: SourceTimeline
    request: Asked
    target: int | None
    """Null where the most probable token is meant."""


def require_position(position: int, timeline: SourceTimeline) -> None:
    """Raises PositionOutOfRange."""
    n_ids = len(timeline.ids)
    if position >= n_ids:
        raise PositionOutOfRange(
            f"There is no position {position}: the text has positions 0 to {n_ids - 1}.",
            param="position",
        )


def plan_question(facts: ModelFacts, request: Asked, timeline: SourceTimeline) -> Plan[Asked]:
    """Everything about a question that can be wrong, found before the model is asked."""
    require_position(request.position, timeline)
    n_ids = len(timeline.ids)
    for field in ("target", "foil"):
        token_id = getattr(request, field)
        if isinstance(token_id, int):
            require_known([token_id], facts.d_vocab, field)
    following = timeline.ids[request.position + 1] if request.position + 1 < n_ids else None
    target = following if request.target is None else request.target
    if target is not None and target == request.foil:
        raise InvalidRequest(
            f"Target and foil are the same token, {target}: their difference is 0.",
            hint="Choose another foil, or none.",
            param="foil",
        )
    return Plan(timeline, request, target)


def plan_attention(
    facts: ModelFacts, request: AttentionRequest, timeline: SourceTimeline
) -> Plan[AttentionRequest]:
    """As `plan_question`, and the size of the answer."""
    is_read_by = request.direction == "read_by"
    if is_read_by and request.kind != "weight":
        raise InvalidRequest(
            "What a token is read by is known in weights only.",
            hint="Leave out kind, or ask what the token reads.",
            param="kind",
        )
    n_blocks = facts.n_layers if request.blocks is None else len(request.blocks)
    n_others = len(timeline.ids) - request.position if is_read_by else request.position + 1
    cells = n_blocks * (facts.n_heads or 0) * n_others
    if cells > MAX_CELLS:
        fitting = max(1, MAX_CELLS // ((facts.n_heads or 1) * n_others))
        raise InvalidRequest(
            f"{n_blocks} blocks x {facts.n_heads} heads x {n_others:,} tokens are"
            f" {cells:,} values; one answer holds {MAX_CELLS:,}.",
            hint=f"Ask for {fitting} blocks at a time.",
            param="blocks",
        )
    return plan_question(facts, request, timeline)


def run_attribution(
    job: Job[Attribution], engine: LensEngine, plan: Plan[AttributionRequest]
) -> Iterator[None]:
    """Work of a job: one turn for each pass."""
    request = plan.request
    wanted = AttributionWanted(
        plan.target, request.foil, request.unit, request.block, request.head, request.top_k
    )
    ids, lineage = plan.timeline.ids, plan.timeline.lineage
    for found in engine.attributing(ids, request.position, wanted, lineage=lineage):
        if found is not None:
            job.emit(found, 200 * len(found.parts))
        yield


def run_attention(
    job: Job[AttentionRows], engine: LensEngine, plan: Plan[AttentionRequest]
) -> Iterator[None]:
    """Work of a job: one turn for each pass."""
    request = plan.request
    blocks = None if request.blocks is None else tuple(dict.fromkeys(request.blocks))
    wanted = AttentionWanted(blocks, request.kind, plan.target, request.foil, request.direction)
    ids, lineage = plan.timeline.ids, plan.timeline.lineage
    for found in engine.attending(ids, request.position, wanted, lineage=lineage):
        if found is not None:
            job.emit(found, 16 * found.values.size)
        yield


def run_writes(
    job: Job[BlockEffects], engine: LensEngine, request: WritesRequest, timeline: SourceTimeline
) -> Iterator[None]:
    """Work of a job: one turn for each pass."""
    for found in engine.decoding_writes(
        timeline.ids, request.position, request.block, request.top_k, lineage=timeline.lineage
    ):
        if found is not None:
            job.emit(found, 400 * request.top_k)
        yield


def attribution_json(
    engine: LensEngine, plan: Plan[AttributionRequest], found: Attribution
) -> list[bytes]:
    """The answer as JSON, in pieces."""
    response = AttributionResponse(
        model=engine.facts.name,
        model_identity=wire_model(ModelIdentity.of(engine.facts)),
        position=found.position,
        predicts_index=found.position + 1,
        target=named(engine, found.target),
        foil_kind=foil_kind_of(plan.request),
        foil=named(engine, found.foil) if isinstance(found.foil, int) else None,
        unit=plan.request.unit,
        target_logit=found.target_logit,
        foil_logit=found.foil_logit,
        difference=found.difference,
        parts=[wire_part(part) for part in found.parts],
        sum=found.sum,
        residue=found.difference - found.sum,
        softcap=found.softcap,
        computed_tokens=found.computed_tokens,
    )
    return list(json_pieces(response))


def attention_json(
    engine: LensEngine, plan: Plan[AttentionRequest], found: AttentionRows
) -> list[bytes]:
    """The answer as JSON, in pieces. Raises ModelComputationError where a value is not finite."""
    require_finite_rows(found)
    response = AttentionResponse(
        model=engine.facts.name,
        model_identity=wire_model(ModelIdentity.of(engine.facts)),
        position=found.position,
        kind=plan.request.kind,
        direction=plan.request.direction,
        blocks=list(found.blocks),
        n_heads=engine.facts.n_heads or 0,
        sources=_others(plan.request.direction, found),
        values=[],
        sink=None if found.sink is None else shortest(found.sink),
        without_pattern=list(found.without_pattern),
        target=None if found.target is None else named(engine, found.target),
        foil_kind=foil_kind_of(plan.request) if plan.request.kind == "logit" else None,
        foil=named(engine, found.foil) if isinstance(found.foil, int) else None,
        computed_tokens=found.computed_tokens,
    )
    return list(json_pieces(response, {"values": map(float32_json, found.values)}))


def _others(direction: Reading, found: AttentionRows) -> list[int]:
    """The tokens at the other end of the attention, in the order of the values."""
    first = found.position if direction == "read_by" else 0
    return list(range(first, first + found.values.shape[-1]))


def require_finite_rows(found: AttentionRows) -> None:
    """Raises ModelComputationError naming the first head with a value that is not a number."""
    bad = np.argwhere(~np.isfinite(found.values))
    if len(bad):
        block, head, source = bad[0]
        raise ModelComputationError(
            f"What head {head} of block {found.blocks[block]} reads from token {source} is not a"
            " finite number.",
            hint=DAMAGED_HINT,
        )


def wire_part(part: Part) -> AttributionPart:
    return AttributionPart(
        part=part.part,
        block=part.block,
        head=part.head,
        source=part.source,
        neuron=part.neuron,
        target=part.target,
        foil=part.foil,
        contribution=part.target - (part.foil or 0.0),
    )


def writes_json(engine: LensEngine, found: BlockEffects) -> list[bytes]:
    """The answer as JSON, in pieces."""

    def listed(effects: Sequence[tuple[int, float]]) -> list[TokenEffect]:
        return [
            TokenEffect(**named(engine, token_id).model_dump(), contribution=contribution)
            for token_id, contribution in effects
        ]

    response = WritesResponse(
        model=engine.facts.name,
        model_identity=wire_model(ModelIdentity.of(engine.facts)),
        position=found.position,
        predicts_index=found.position + 1,
        block=found.block,
        writes=[
            WriteEffect(
                part=write.part,
                promoted=listed(write.promoted),
                suppressed=listed(write.suppressed),
            )
            for write in found.writes
        ],
        softcap=found.softcap,
        computed_tokens=found.computed_tokens,
    )
    return list(json_pieces(response))


def foil_kind_of(asked: LogitQuestion) -> FoilKind:
    return "token" if isinstance(asked.foil, int) else asked.foil


def named(engine: LensEngine, token_id: int) -> NamedToken:
    vocabulary = engine.vocabulary
    return NamedToken(
        token_id=token_id,
        text=vocabulary.token_text(token_id),
        bytes=fragment_bytes(vocabulary, token_id),
    )


def capabilities_info(facts: ModelFacts) -> CapabilitiesInfo:
    """What was measured, as the API gives it."""
    resid = capability_info(facts.intervention_sites.resid)
    return CapabilitiesInfo(**each_capability(facts.capabilities), interventions=resid)


def sites_info(facts: ModelFacts) -> InterventionSites:
    return InterventionSites(**each_capability(facts.intervention_sites))


def each_capability(found: Capabilities | MeasuredSites) -> dict[str, CapabilityInfo]:
    names = [field.name for field in dataclasses.fields(found)]
    return {name: capability_info(getattr(found, name)) for name in names}


def capability_info(one: Capability) -> CapabilityInfo:
    return CapabilityInfo(
        available=one.is_available, reason=one.reason, max_abs_diff=one.max_abs_diff
    )
