"""Two timelines compared prediction by prediction: what is asked for, checked; the work; the answer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.intervention_types import Interventions
from app.engine.protocols import LensEngine
from app.engine.types import Comparison, Layer, ModelFacts, Pairs, Side
from app.errors import ExplorerError, InvalidRequest, LayerOutOfRange, PositionOutOfRange
from app.models.compare import ComparedTarget, CompareRequest, CompareResponse
from app.services.identity import ModelIdentity, wire_model
from app.services.job import Job
from app.services.json_pieces import json_pieces
from app.services.reading import MAX_CELLS, every_layer, gathered
from app.services.readouts import (
    fragment_bytes,
    fragments_by_id,
    layer_label,
    make_tokens,
    require_finite_comparison,
    shortest,
    texts_by_id,
)
from app.services.timeline_source import SourceTimeline
from app.services.timelines import require_known

VALUES_PER_PAIR = 7
"""Three divergences, and id and probability of the most probable token of both sides."""
VALUES_PER_TARGET = 4


@dataclass(frozen=True, slots=True)
class ComparisonPlan:
    """What a request asks for, checked against the model."""

    a: SourceTimeline
    b: SourceTimeline
    pairs: Pairs
    request: CompareRequest
    interventions: tuple[Interventions | None, Interventions | None] = (None, None)
    """Of both sides."""

    @property
    def cells(self) -> int:
        """Values of the answer."""
        per_pair = VALUES_PER_PAIR + VALUES_PER_TARGET * len(self.pairs.targets)
        return len(self.pairs.layers) * len(self.pairs.positions) * per_pair


Chunks = list[Comparison]
"""What the engine found, in the order of the pairs of positions."""


@contextlib.contextmanager
def naming_side(side: str) -> Iterator[None]:
    """What fails inside names the side of the request, in the message and before the field."""
    try:
        yield
    except ExplorerError as failure:
        if failure.param is not None:
            failure.message = f"Side {side}: {failure.message}"
            failure.param = f"{side}.{failure.param}"
        raise


def plan_comparison(
    facts: ModelFacts,
    request: CompareRequest,
    a: SourceTimeline,
    b: SourceTimeline,
    interventions: tuple[Interventions | None, Interventions | None] = (None, None),
) -> ComparisonPlan:
    """Everything else about a comparison that can be wrong, found before the model is asked."""
    require_known(request.targets, facts.d_vocab, "targets")
    layers = (
        tuple((layer, layer) for layer in every_layer(facts.n_layers, request.half_layers))
        if request.layers is None
        else checked_layer_pairs(request.layers, facts.n_layers)
    )
    n_positions = min(len(a.ids), len(b.ids))
    if request.positions is None:
        positions = tuple((index, index) for index in range(n_positions))
    else:
        positions = checked_position_pairs(request.positions, len(a.ids), len(b.ids))
    require_reasonable(layers, positions, len(request.targets))
    return ComparisonPlan(
        a, b, Pairs(layers, positions, tuple(request.targets)), request, interventions
    )


def checked_layer_pairs(
    asked: Sequence[tuple[Layer, Layer]], n_layers: int
) -> tuple[tuple[Layer, Layer], ...]:
    """Pairs of layers in the order asked for, each once."""
    for pair in asked:
        for side, layer in zip("ab", pair, strict=True):
            if layer > n_layers:
                raise LayerOutOfRange(
                    f"Layer {layer} of {side} does not exist; this model's layers are 0 (embed) "
                    f"to {n_layers}.",
                    param="layers",
                )
    if len(set(asked)) < len(asked):
        raise InvalidRequest("A pair of layers is asked for twice.", param="layers")
    return tuple(asked)


def checked_position_pairs(
    asked: Sequence[tuple[int, int]], n_a: int, n_b: int
) -> tuple[tuple[int, int], ...]:
    """Pairs of positions in the order asked for."""
    for pair in asked:
        for side, position, n_ids in zip("ab", pair, (n_a, n_b), strict=True):
            if position >= n_ids:
                raise PositionOutOfRange(
                    f"There is no position {position} in {side}, which has {n_ids} tokens.",
                    hint=f"Give positions of {side} from 0 to {n_ids - 1}.",
                    param="positions",
                )
    return tuple(asked)


def require_reasonable(
    layers: Sequence[tuple[Layer, Layer]], positions: Sequence[tuple[int, int]], n_targets: int
) -> None:
    """Raises InvalidRequest where one answer would be too long, with a way to split it."""
    per_pair = VALUES_PER_PAIR + VALUES_PER_TARGET * n_targets
    cells = len(layers) * len(positions) * per_pair
    if cells > MAX_CELLS:
        fitting = max(1, MAX_CELLS // (len(layers) * per_pair))
        raise InvalidRequest(
            f"{len(layers):,} pairs of layers x {len(positions):,} pairs of positions x {per_pair} "
            f"values are {cells:,} values; one answer holds {MAX_CELLS:,}.",
            hint=f"Ask for {fitting:,} positions at a time, or for fewer layers or targets.",
            param="positions",
        )


def run_comparison(job: Job[Chunks], engine: LensEngine, plan: ComparisonPlan) -> Iterator[None]:
    """Work of a job: one turn for each chunk that the engine compares."""
    of_a, of_b = plan.interventions
    a = Side(plan.a.ids, plan.request.a.kind, plan.a.lineage, of_a)
    b = Side(plan.b.ids, plan.request.b.kind, plan.b.lineage, of_b)
    chunks: Chunks = []
    yield from gathered(engine.comparing(a, b, plan.pairs), require_finite_comparison, chunks)
    job.emit(chunks, 8 * plan.cells)


def compare_json(engine: LensEngine, plan: ComparisonPlan, chunks: Chunks) -> list[bytes]:
    """The answer as JSON, in pieces."""
    vocabulary = engine.vocabulary

    def joined(name: str) -> np.ndarray[Any, Any]:
        """[…, L, P] of all chunks."""
        return np.concatenate([getattr(chunk, name) for chunk in chunks], axis=-1)

    a_top_id, b_top_id = joined("a_top_id"), joined("b_top_id")
    told = np.union1d(a_top_id, b_top_id).tolist()
    probabilities = [shortest(joined(f"{side}_target_probability")) for side in "ab"]
    ranks = [joined(f"{side}_target_rank").tolist() for side in "ab"]
    with_tokens = plan.request.include_tokens
    response = CompareResponse(
        model=engine.facts.name,
        model_identity=wire_model(ModelIdentity.of(engine.facts)),
        layers=list(plan.pairs.layers),
        labels=[(layer_label(a), layer_label(b)) for a, b in plan.pairs.layers],
        a_tokens=make_tokens(vocabulary, plan.a.ids, plan.a.roles) if with_tokens else [],
        b_tokens=make_tokens(vocabulary, plan.b.ids, plan.b.roles) if with_tokens else [],
        positions=list(plan.pairs.positions),
        kl_a_to_b_nats=shortest(joined("kl_a_to_b_nats")),
        kl_b_to_a_nats=shortest(joined("kl_b_to_a_nats")),
        js_nats=shortest(joined("js_nats")),
        a_top_id=a_top_id.tolist(),
        a_top_probability=shortest(joined("a_top_probability")),
        b_top_id=b_top_id.tolist(),
        b_top_probability=shortest(joined("b_top_probability")),
        vocabulary=texts_by_id(vocabulary, told),
        vocabulary_bytes=fragments_by_id(vocabulary, told),
        targets=[
            ComparedTarget(
                token_id=token_id,
                text=vocabulary.token_text(token_id),
                bytes=fragment_bytes(vocabulary, token_id),
                a_probability=probabilities[0][place],
                a_rank=ranks[0][place],
                b_probability=probabilities[1][place],
                b_rank=ranks[1][place],
            )
            for place, token_id in enumerate(plan.pairs.targets)
        ],
        a_fired=list(chunks[-1].a_fired),
        b_fired=list(chunks[-1].b_fired),
    )
    return list(json_pieces(response))
