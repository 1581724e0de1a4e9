"""Lens columns of any timeline: what is asked for, checked; the work; the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from app.engine.intervention_types import Interventions
from app.engine.protocols import LensEngine
from app.engine.types import Comparison, Layer, LensColumns, ModelFacts, Wanted
from app.errors import InvalidRequest, LayerOutOfRange, PositionOutOfRange
from app.models.lens import LensReadRequest, LensReadResponse, TargetColumns
from app.models.tokens import Token
from app.services.identity import ModelIdentity, wire_model
from app.services.job import Job
from app.services.json_pieces import json_pieces
from app.services.readouts import (
    fragment_bytes,
    fragments_by_id,
    layer_label,
    make_token,
    require_finite,
    shortest,
    texts_by_id,
)
from app.services.timeline_source import SourceTimeline
from app.services.timelines import require_known

MAX_CELLS = 1_000_000
"""Values of one answer, such as layers x positions x (top_k + targets): about 20 MB of JSON."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a lens request asks for, checked against the model."""

    timeline: SourceTimeline
    layers: tuple[Layer, ...]
    positions: range
    request: LensReadRequest
    interventions: Interventions | None = None

    @property
    def cells(self) -> int:
        """Values of the answer."""
        per_place = self.request.top_k + len(self.request.targets)
        return len(self.layers) * len(self.positions) * per_place


Chunks = list[LensColumns]
"""What the engine found, in the order of positions."""


def plan_reading(
    facts: ModelFacts,
    request: LensReadRequest,
    timeline: SourceTimeline,
    interventions: Interventions | None = None,
) -> Reading:
    """Everything else about a reading that can be wrong, found before the model is asked."""
    require_known(request.targets, facts.d_vocab, "targets")
    layers = (
        every_layer(facts.n_layers, request.half_layers)
        if request.layers is None
        else checked_layers(request.layers, facts.n_layers)
    )
    positions = checked_positions(request.positions, len(timeline.ids))
    require_reasonable(request, layers, positions)
    return Reading(timeline, layers, positions, request, interventions)


def every_layer(n_layers: int, with_half: bool) -> tuple[Layer, ...]:
    """All whole layers, with half ones between them where these are wanted."""
    whole = range(n_layers + 1)
    if not with_half:
        return tuple(whole)
    return tuple(layer for n in whole for layer in ((n - 0.5, n) if n else (n,)))


def checked_layers(layers: Sequence[Layer], n_layers: int) -> tuple[Layer, ...]:
    """Layers in the order asked for, each once."""
    for layer in layers:
        if layer > n_layers:
            raise LayerOutOfRange(
                f"Layer {layer} does not exist; this model's layers are 0 (embed) to {n_layers}.",
                param="layers",
            )
    if len(set(layers)) < len(layers):
        raise InvalidRequest("A layer is asked for twice.", param="layers")
    return tuple(layers)


def checked_positions(asked: tuple[int, int] | None, n_ids: int) -> range:
    """The positions [start, end) of a request, all of them by default."""
    if asked is None:
        return range(n_ids)
    start, end = asked
    if not start < end <= n_ids:
        raise PositionOutOfRange(
            f"positions [{start}, {end}) are not within the text, which has {n_ids} tokens.",
            hint=f"Give [start, end) with 0 <= start < end <= {n_ids}.",
            param="positions",
        )
    return range(start, end)


def require_reasonable(
    request: LensReadRequest, layers: Sequence[Layer], positions: Sequence[int]
) -> None:
    per_place = request.top_k + len(request.targets)
    cells = len(layers) * len(positions) * per_place
    if cells > MAX_CELLS:
        fitting = max(1, MAX_CELLS // (len(layers) * per_place))
        raise InvalidRequest(
            f"{len(layers)} layers x {len(positions):,} positions x {per_place} values are "
            f"{cells:,} values; one answer holds {MAX_CELLS:,}.",
            hint=f"Ask for {fitting:,} positions at a time, or for fewer layers or a smaller top_k.",
            param="positions",
        )


Found = TypeVar("Found", LensColumns, Comparison)


def gathered(
    turns: Iterator[Found | None], require: Callable[[Found], None], chunks: list[Found]
) -> Iterator[None]:
    """One turn for each chunk that the engine works through; `require` refuses what is no answer."""
    for found in turns:
        if found is not None:
            require(found)
            chunks.append(found)
        yield


def run_reading(job: Job[Chunks], engine: LensEngine, reading: Reading) -> Iterator[None]:
    """Work of a job: one turn for each chunk that the engine reads."""
    request = reading.request
    wanted = Wanted(
        layers=reading.layers,
        top_k=min(request.top_k, engine.facts.d_vocab),
        targets=tuple(request.targets),
        kind=request.kind,
    )
    ids, lineage = reading.timeline.ids, reading.timeline.lineage
    chunks: Chunks = []
    turns = engine.reading(
        ids, reading.positions, wanted, lineage=lineage, interventions=reading.interventions
    )
    yield from gathered(turns, require_finite, chunks)
    size = 16 * len(reading.layers) * len(reading.positions) * (request.top_k + 4)
    job.emit(chunks, size)


def lens_json(engine: LensEngine, reading: Reading, chunks: Chunks) -> list[bytes]:
    """The answer as JSON, in pieces."""
    vocabulary = engine.vocabulary
    top_ids = np.concatenate([c.top_ids for c in chunks], axis=1)
    told = np.unique(top_ids).tolist()
    next_rank = np.concatenate([c.next_rank for c in chunks], axis=1).tolist()
    next_probability = shortest(np.concatenate([c.next_probability for c in chunks], axis=1))
    target_probability = shortest(np.concatenate([c.target_probability for c in chunks], axis=2))
    target_rank = np.concatenate([c.target_rank for c in chunks], axis=2).tolist()
    response = LensReadResponse(
        model=engine.facts.name,
        model_identity=wire_model(ModelIdentity.of(engine.facts)),
        kind=reading.request.kind,
        layers=list(reading.layers),
        labels=[layer_label(layer) for layer in reading.layers],
        tokens=lens_tokens(engine, reading, chunks) if reading.request.include_tokens else [],
        positions=list(reading.positions),
        top_ids=top_ids.tolist(),
        top_probabilities=shortest(np.concatenate([c.top_probabilities for c in chunks], axis=1)),
        vocabulary=texts_by_id(vocabulary, told),
        vocabulary_bytes=fragments_by_id(vocabulary, told),
        entropy_nats=shortest(np.concatenate([c.entropy_nats for c in chunks], axis=1)),
        kl_to_final_nats=shortest(np.concatenate([c.kl_to_final_nats for c in chunks], axis=1)),
        next_probability=[
            [p if rank else None for p, rank in zip(ps, ranks, strict=True)]
            for ps, ranks in zip(next_probability, next_rank, strict=True)
        ],
        next_rank=[[rank or None for rank in ranks] for ranks in next_rank],
        targets=[
            TargetColumns(
                token_id=token_id,
                text=vocabulary.token_text(token_id),
                bytes=fragment_bytes(vocabulary, token_id),
                probability=target_probability[place],
                rank=target_rank[place],
            )
            for place, token_id in enumerate(reading.request.targets)
        ],
        fired=list(chunks[-1].fired),
    )
    return list(json_pieces(response))


def lens_tokens(engine: LensEngine, reading: Reading, chunks: Chunks) -> list[Token]:
    """The whole timeline, scored where the position before was read."""
    scores = {score.index: score for chunk in chunks for score in chunk.scores}
    return [
        make_token(engine.vocabulary, index, token_id, role, scores.get(index))
        for index, (token_id, role) in enumerate(
            zip(reading.timeline.ids, reading.timeline.roles, strict=True)
        )
    ]
