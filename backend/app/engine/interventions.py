"""Interventions made ready: what they need of the model is computed, and what cannot act is refused.

The operations are in `edits.py`, the vectors in `directions.py`; `capture.py` is the one place where
they reach the model.
"""

from __future__ import annotations

from collections import OrderedDict
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
from app.engine.edits import Edit, Edits, Place, RowsOperation
from app.engine.intervention_types import (
    Add,
    ContrastDirection,
    Direction,
    Exchange,
    Intervention,
    Interventions,
    InterventionSites,
    KnockOut,
    Mean,
    ProjectOut,
    RandomDirection,
    Replace,
    Touched,
    Zero,
)
from app.engine.lenses import Lenses
from app.engine.residuals import ResidualStore
from app.engine.sites import Sites
from app.engine.types import ModelFacts
from app.errors import (
    IdentityFailed,
    InvalidRequest,
    LayerOutOfRange,
    PositionOutOfRange,
    UnsupportedIntervention,
)

SMALLEST_ANGLE = 1e-3
"""Distance of two unit directions below which they are one direction, and nothing can be exchanged."""

MOST_HELD = 16
MOST_HELD_NUMBERS = 500_000
"""Values of other runs that are held on to: so many sets of them, of up to 2 MB each."""

WITH_DIRECTION = (Add, ProjectOut, Exchange)


class InterventionMaker:
    """Makes the edits of one model's passes from what is asked for."""

    def __init__(
        self, decoder: TracedDecoder, lenses: Lenses, sites: Sites, offered: InterventionSites
    ) -> None:
        """`offered` says what was measured to act."""
        self._decoder = decoder
        self._lenses = lenses
        self._sites = sites
        self._offered = offered
        self._tokens = TokenDirections(decoder)
        self._held: OrderedDict[object, dict[int, torch.Tensor]] = OrderedDict()
        """What sites had in plain runs, the least recently used first: a dose curve asks for it at each
        strength."""

    def require(self, wanted: Interventions, facts: ModelFacts) -> None:
        """Raises LayerOutOfRange, InvalidRequest, IdentityFailed or UnsupportedIntervention where one
        cannot act. Safe to call from any thread; nothing is computed.
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
            self._require_site(item)
            self._require_heads(item)
            if isinstance(item.operation, KnockOut):
                _require_edges(item, item.operation)

    def made(
        self, wanted: Interventions | None, store: ResidualStore
    ) -> Generator[None, None, Edits | None]:
        """The edits of a run; None where there are none. An item stands between two passes."""
        if wanted is None or not wanted.items:
            return None
        edits = []
        for item in wanted.items:
            operation = None
            if not item.is_inert and not isinstance(item.operation, KnockOut):
                operation = yield from self._operation(item, store)
            edits.append(self._edit(item, operation))
        return Edits(edits, wanted.digest, self._sites)

    def _edit(self, item: Intervention, operation: RowsOperation | None) -> Edit:
        place = _place(item)
        heads = item.heads
        if heads is None:
            heads = tuple(range(self._sites.n_heads))
        if operation is not None and place == "given":
            operation = self._of_heads(operation, heads)
        asked = item.operation
        return Edit(
            item.site,
            place,
            frozenset(item.layers),
            item.touched,
            operation,
            item.param,
            heads,
            asked.sources if isinstance(asked, KnockOut) else (),
        )

    def _of_heads(self, operation: RowsOperation, heads: Sequence[int]) -> RowsOperation:
        """The operation on some of the heads that lie side by side in a row."""
        n_heads = self._sites.n_heads

        def of_heads(block: int, rows: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
            changed = operation(block, rows, positions).view(len(rows), n_heads, -1)
            found = rows.clone().view(len(rows), n_heads, -1)
            found[:, list(heads)] = changed[:, list(heads)]
            return found.view(rows.shape)

        return of_heads

    def _operation(
        self, item: Intervention, store: ResidualStore
    ) -> Generator[None, None, RowsOperation]:
        asked = item.operation
        if isinstance(asked, Zero):
            return lambda _layer, rows, _positions: torch.zeros_like(rows)
        if isinstance(asked, Mean):
            values = yield from self._values(asked.ids, asked.positions, item, store)
            means = {layer: found.mean(0) for layer, found in values.items()}
            return lambda layer, rows, _positions: means[layer].expand_as(rows)
        if isinstance(asked, Replace):
            values = yield from self._values(asked.ids, asked.positions, item, store)
            return _replacing(values, item.touched.named)
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
            plus = yield from self._last_values(direction.plus, item, store)
            minus = yield from self._last_values(direction.minus, item, store)
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

    def _last_values(
        self, texts: Sequence[tuple[int, ...]], item: Intervention, store: ResidualStore
    ) -> Generator[None, None, dict[int, torch.Tensor]]:
        """The mean, over texts, of what the site has at their last token."""
        total: dict[int, torch.Tensor] = {}
        for ids in texts:
            found = yield from self._values(ids, [len(ids) - 1], item, store)
            yield
            for layer, values in found.items():
                total[layer] = total.get(layer, torch.zeros_like(values[0])) + values[0]
        return {layer: values / len(texts) for layer, values in total.items()}

    def _values(
        self,
        ids: Sequence[int],
        positions: Sequence[int],
        item: Intervention,
        store: ResidualStore,
    ) -> Generator[None, None, dict[int, torch.Tensor]]:
        """What a site has in the plain run of a text: by layer, float32 `[positions, width]`.

        The passes are those of a run over all of the ids, so that the bits are, too.
        """
        key = (tuple(ids), tuple(positions), _place(item), item.layers)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        found: dict[int, torch.Tensor] = {}
        place = {position: row for row, position in enumerate(positions)}

        def seen(layer: int, rows: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
            if layer not in found:
                found[layer] = rows.new_zeros(len(positions), rows.shape[-1])
            for row, position in enumerate(at.tolist()):
                found[layer][place[position]] = rows[row]
            return rows

        recording = Edit(
            item.site,
            _place(item),
            frozenset(item.layers),
            Touched(tuple(place)),
            seen,
            item.param,
        )
        edits = Edits([recording], "", self._sites)
        yield from store.running_apart(ids, max(positions) + 1, edits)
        rows = [place[position] for position in positions]
        taken = {layer: values[rows] for layer, values in found.items()}
        if sum(values.numel() for values in taken.values()) <= MOST_HELD_NUMBERS:
            self._held[key] = taken
            if len(self._held) > MOST_HELD:
                self._held.popitem(last=False)
        return taken

    def _require_site(self, item: Intervention) -> None:
        what: str = "knock_out" if isinstance(item.operation, KnockOut) else item.site
        if what == "knock_out" and item.site != "head":
            raise InvalidRequest(
                f"Attention edges are taken out at site head, not at {item.site}.",
                hint='Set site to "head".',
                param=f"{item.param}.site",
            )
        offered = getattr(self._offered, what)
        if not offered.is_available:
            error = UnsupportedIntervention if offered.max_abs_diff is None else IdentityFailed
            raise error(
                f"This model is not changed at {what}: {offered.reason}",
                hint="See intervention_sites in /api/model_info for what can be changed.",
                param=f"{item.param}.site",
            )
        for block in item.layers if item.site != "resid" else ():
            if (reason := self._sites.missing.get((item.site, block))) is not None:
                raise InvalidRequest(
                    reason,
                    hint=f"Blocks with site {item.site}:"
                    f" {', '.join(map(str, self._sites.blocks(item.site))) or 'none'}.",
                    param=f"{item.param}.layers",
                )

    def _require_heads(self, item: Intervention) -> None:
        if item.site != "head":
            return
        n_heads = self._sites.n_heads
        for head in item.heads or ():
            if head >= n_heads:
                raise InvalidRequest(
                    f"There is no head {head}: each block has heads 0 to {n_heads - 1}.",
                    param=f"{item.param}.heads",
                )
        if not isinstance(item.operation, WITH_DIRECTION):
            return
        normed = [b for b in item.layers if self._sites.modules["head", b].has_norm]
        if normed:
            raise UnsupportedIntervention(
                f"What a head of block {normed[0]} writes passes a norm together with the other heads,"
                " so it has no direction of its own in the stream.",
                hint="Use site attn, or zero, mean or replace.",
                param=f"{item.param}.op",
            )
        directions = (
            (item.operation.first, item.operation.second)
            if isinstance(item.operation, Exchange)
            else (item.operation.direction,)
        )
        if any(isinstance(each, ContrastDirection) for each in directions):
            raise UnsupportedIntervention(
                "A contrast is not taken at single heads.",
                hint="Use site attn, or the direction of a token.",
                param=f"{item.param}.op",
            )


def _place(item: Intervention) -> Place:
    if item.site != "head":
        return item.site
    if isinstance(item.operation, KnockOut):
        return "edges"
    return "written" if isinstance(item.operation, WITH_DIRECTION) else "given"


def _replacing(values: dict[int, torch.Tensor], named: Sequence[int]) -> RowsOperation:
    """Puts values of another run in the place of those at the named positions, in their order."""
    place = {position: row for row, position in enumerate(named)}

    def replace(layer: int, _rows: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        return values[layer][[place[position] for position in positions.tolist()]]

    return replace


def _require_edges(item: Intervention, asked: KnockOut) -> None:
    sources = set(asked.sources)
    for position in item.touched.named:
        if position < len(sources) and sources.issuperset(range(position + 1)):
            raise InvalidRequest(
                f"Nothing would be left for the token at position {position} to read.",
                hint="Leave it out of the positions, or keep one of its sources.",
                param=f"{item.param}.op.sources",
            )
    last = max(item.touched.named, default=0)
    if item.touched.open_from is None and min(sources) > last:
        raise PositionOutOfRange(
            f"No position up to {last} reads the token at {min(sources)}: it comes later.",
            param=f"{item.param}.op.sources",
        )
