"""Interventions made ready: what they need of the model is computed, and what cannot act is refused.

The operations are in `edits.py`, the vectors in `directions.py`; `capture.py` is the one place where
they reach the model.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import torch

from app.engine.capture import TracedDecoder
from app.engine.directions import (
    TokenDirections,
    added,
    exchanged,
    projected_out,
    random_direction,
    unit,
)
from app.engine.edits import Edit, Edits, RowsOperation
from app.engine.intervention_types import (
    Add,
    ContrastDirection,
    Direction,
    Exchange,
    Intervention,
    Interventions,
    ProjectOut,
    RandomDirection,
    Zero,
)
from app.engine.lenses import Lenses
from app.engine.residuals import ResidualStore
from app.engine.types import ModelFacts
from app.errors import InvalidRequest, LayerOutOfRange, UnsupportedIntervention

SMALLEST_ANGLE = 1e-3
"""Distance of two unit directions below which they are one direction, and nothing can be exchanged."""


class InterventionMaker:
    """Makes the edits of one model's passes from what is asked for."""

    def __init__(self, decoder: TracedDecoder, lenses: Lenses) -> None:
        self._decoder = decoder
        self._lenses = lenses
        self._tokens = TokenDirections(decoder)

    def require(self, wanted: Interventions, facts: ModelFacts) -> None:
        """Raises LayerOutOfRange, InvalidRequest or UnsupportedIntervention where one cannot act.

        Safe to call from any thread; nothing is computed.
        """
        for item in wanted.items:
            lowest = 0 if item.site == "resid" else 1
            for layer in item.layers:
                if not lowest <= layer <= facts.n_layers:
                    raise LayerOutOfRange(
                        f"Site {item.site} has {'layers' if lowest == 0 else 'blocks'} {lowest} to"
                        f" {facts.n_layers} in {facts.name}; {layer} is none of them.",
                        param=f"{item.param}.layers",
                    )
            if item.site != "resid" or not isinstance(
                item.operation, (Zero, Add, ProjectOut, Exchange)
            ):
                raise UnsupportedIntervention(
                    f"{type(item.operation).__name__} at site {item.site} is not offered.",
                    hint="Use zero, add, project_out or exchange at site resid.",
                    param=item.param,
                )

    def made(
        self, wanted: Interventions | None, store: ResidualStore
    ) -> Generator[None, None, Edits | None]:
        """The edits of a run; None where there are none. An item stands between two passes."""
        if wanted is None or not wanted.items:
            return None
        edits = []
        for item in wanted.items:
            operation = None
            if not item.is_inert:
                operation = yield from self._operation(item, store)
            edits.append(
                Edit(item.site, frozenset(item.layers), item.touched, operation, item.param)
            )
        return Edits(edits, wanted.digest)

    def _operation(
        self, item: Intervention, store: ResidualStore
    ) -> Generator[None, None, RowsOperation]:
        asked = item.operation
        if isinstance(asked, Zero):
            return lambda _layer, rows, _positions: torch.zeros_like(rows)
        if isinstance(asked, (Add, ProjectOut)):
            where = f"{item.param}.op.direction"
            by_layer = yield from self._directions(asked.direction, item, store, where)
            if isinstance(asked, ProjectOut):
                return lambda layer, rows, _positions: projected_out(rows, by_layer[layer])
            strength = asked.strength
            return lambda layer, rows, _positions: added(rows, by_layer[layer], strength)
        assert isinstance(asked, Exchange)
        where = f"{item.param}.op.directions"
        first = yield from self._directions(asked.first, item, store, f"{where}.0")
        second = yield from self._directions(asked.second, item, store, f"{where}.1")
        axes = {}
        for layer in item.layers:
            apart = first[layer] - second[layer]
            if not float(apart.norm()) > SMALLEST_ANGLE:
                raise InvalidRequest(
                    "The two directions are the same, so there is nothing to exchange.",
                    hint="Give two directions that differ.",
                    param=where,
                )
            axes[layer] = apart / apart.norm()
        return lambda layer, rows, _positions: exchanged(rows, axes[layer])

    def _directions(
        self, direction: Direction, item: Intervention, store: ResidualStore, param: str
    ) -> Generator[None, None, dict[int, torch.Tensor]]:
        """For each layer or block a unit vector, float32 `[d_model]`."""
        if isinstance(direction, RandomDirection):
            drawn = random_direction(self._decoder.d_model, direction.seed, self._decoder.device)
            return dict.fromkeys(item.layers, drawn)
        if isinstance(direction, ContrastDirection):
            plus = yield from self._last_rows(direction.plus, item.layers, store)
            minus = yield from self._last_rows(direction.minus, item.layers, store)
            return {
                layer: unit(
                    plus[layer] - minus[layer],
                    float(plus[layer].norm() + minus[layer].norm()),
                    param,
                )
                for layer in item.layers
            }
        lens = self._lenses.get(direction.lens, "This model", f"{param}.lens")
        return {
            layer: self._tokens.of(
                direction.token_id, None if direction.lens == "logit" else lens, layer, param
            )
            for layer in item.layers
        }

    def _last_rows(
        self, texts: Sequence[tuple[int, ...]], layers: Sequence[int], store: ResidualStore
    ) -> Generator[None, None, dict[int, torch.Tensor]]:
        """The mean, over texts, of the stream at their last token."""
        total = torch.zeros(self._decoder.n_layers + 1, self._decoder.d_model)
        for place, ids in enumerate(texts):
            if place:
                yield
            timeline = yield from store.covering(ids, len(ids))
            total += timeline.streams([len(ids) - 1])[0]
        mean = (total / len(texts)).to(self._decoder.device)
        return {layer: mean[layer] for layer in layers}
