"""Dose curves: what is asked for, checked; the work; the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.engine.intervention_types import Add, Curves, Dose, DoseWanted, Interventions
from app.engine.protocols import LensEngine
from app.engine.types import ModelFacts
from app.errors import InvalidRequest, PositionOutOfRange
from app.models.dosing import DosedToken, DoseRequest, DoseResponse
from app.services.causes import named
from app.services.identity import ModelIdentity, wire_model
from app.services.job import Job
from app.services.json_pieces import json_pieces
from app.services.readouts import shortest
from app.services.timeline_source import SourceTimeline
from app.services.timelines import require_known


@dataclass(frozen=True, slots=True)
class DosePlan:
    """What a request asks for, checked against the model."""

    timeline: SourceTimeline
    wanted: DoseWanted


@dataclass(frozen=True, slots=True)
class Dosed:
    """What the engine found, and what it cost."""

    dose: Dose
    computed_tokens: int


def plan_dose(
    facts: ModelFacts,
    request: DoseRequest,
    timeline: SourceTimeline,
    interventions: Interventions | None,
) -> DosePlan:
    """Everything about a dose curve that can be wrong, found before the model is asked."""
    require_known(request.targets, facts.d_vocab, "targets")
    n_ids = len(timeline.ids)
    position = n_ids - 1 if request.position is None else request.position
    if position >= n_ids:
        raise PositionOutOfRange(
            f"There is no position {position}: the text has positions 0 to {n_ids - 1}.",
            param="position",
        )
    added = [
        item
        for item in (interventions.items if interventions else ())
        if isinstance(item.operation, Add)
    ]
    if interventions is None or not added:
        raise InvalidRequest(
            "A dose curve needs an intervention whose strength can be changed, and there is none.",
            hint='Give at least one whose op is "add".',
            param="interventions",
        )
    untouched = [item for item in added if item.touched.first > position]
    if untouched:
        raise InvalidRequest(
            f"Nothing up to position {position} is touched, so its strength changes nothing there.",
            hint="Read a later position, or touch an earlier one.",
            param=f"{untouched[0].param}.positions",
        )
    wanted = DoseWanted(
        interventions,
        tuple(request.strengths),
        tuple(request.targets),
        position,
        request.control,
    )
    return DosePlan(timeline, wanted)


def run_dose(job: Job[Dosed], engine: LensEngine, plan: DosePlan) -> Iterator[None]:
    """Work of a job: one turn for each pass."""
    computed = 0
    turns = engine.dosing(plan.timeline.ids, plan.wanted, lineage=plan.timeline.lineage)
    while True:
        # Between two turns others run, and what they compute is not counted here.
        before = engine.computed_tokens()
        found = next(turns, "end")
        computed += engine.computed_tokens() - before
        if found == "end":
            return
        if isinstance(found, Dose):
            job.emit(Dosed(found, computed), 48 * found.found.rank.size)
        yield


def dose_json(engine: LensEngine, plan: DosePlan, found: Dosed) -> list[bytes]:
    """The answer as JSON, in pieces."""
    wanted, dose = plan.wanted, found.dose

    def tokens(curves: Curves) -> list[DosedToken]:
        probability, logprob = shortest(curves.probability), shortest(curves.logprob_nats)
        return [
            DosedToken(
                **named(engine, token_id).model_dump(),
                probability=probability[place],
                logprob=logprob[place],
                rank=curves.rank[place].tolist(),
            )
            for place, token_id in enumerate(wanted.targets)
        ]

    response = DoseResponse(
        model=engine.facts.name,
        model_identity=wire_model(ModelIdentity.of(engine.facts)),
        position=wanted.position,
        predicts_index=wanted.position + 1,
        strengths=list(wanted.strengths),
        tokens=tokens(dose.found),
        control=None if dose.control is None else tokens(dose.control),
        fired=list(dose.fired),
        computed_tokens=found.computed_tokens,
    )
    return list(json_pieces(response))
