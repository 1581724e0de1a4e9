"""States of one run put into another, and how far that carries its answer over.

Interchange of activations: Vig et al. 2020 (arXiv:2004.12265), Meng et al. 2022 (arXiv:2202.05262),
with the logit difference of two answers as the metric (Zhang & Nanda 2023, arXiv:2309.16042). Only
what a change can reach is run (`cone.py`). What both texts begin with is one text, so there is
nothing to carry over there: such cells are exactly the base run, and so is every cell of the last
layer but the last position.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from typing import Any

import numpy as np
import torch

from app.engine.admission import Admission
from app.engine.bounds import require_ids, require_positions, require_readable
from app.engine.capture import TracedDecoder
from app.engine.causes import Causes
from app.engine.failures import MODEL_FAILURES
from app.engine.memory import naming_out_of_memory, return_free_memory
from app.engine.patch_batches import Batch, batches_of, cost_of
from app.engine.patch_estimate import MAX_GRADIENT_TOKENS, estimated
from app.engine.patch_pair import Pair, require_effect
from app.engine.patch_runs import Entering, Run, Runs
from app.engine.patching_types import (
    Ends,
    MapCells,
    MapEstimate,
    MapWanted,
    Patched,
    PatchSide,
    PatchWanted,
    Site,
)
from app.engine.residuals import ResidualStore, n_shared
from app.engine.types import ModelFacts
from app.errors import IdentityFailed, InvalidRequest, LayerOutOfRange

N_TOP = 5
MAX_CONE_DIFFERENCE = 1e-4
"""Of logits, between the blocks above a layer run by themselves and the whole pass."""


class Patching:
    """Patches runs of one model."""

    def __init__(
        self,
        decoder: TracedDecoder,
        store: ResidualStore,
        admission: Admission,
        causes: Causes,
        facts: ModelFacts,
    ) -> None:
        self._decoder = decoder
        self._runs = Runs(decoder, store, causes.splits, facts.n_heads)
        self._admission = admission
        self._causes = causes
        self._facts = facts
        self._cone_difference: float | None = None

    def blocks_with(self, site: Site) -> tuple[int, ...]:
        """See `PatchingEngine.blocks_with`."""
        if site == "resid":
            return tuple(range(self._facts.n_layers + 1))
        self._causes.require("head" if site == "head" else "component")
        return self._runs.blocks_with(site)

    # --- one patch -------------------------------------------------------------------------------

    def patching(
        self, clean: PatchSide, corrupt: PatchSide, wanted: PatchWanted
    ) -> Iterator[Patched | None]:
        """See `PatchingEngine.patching`. What is wrong with the request is raised by the call itself."""
        self._require_sides(clean, corrupt, wanted.positions)
        self._require_place(wanted.site, wanted.layer, wanted.heads or ())
        work = self._patching(clean, corrupt, wanted)
        return self._admitted(clean, corrupt, work)

    @torch.inference_mode()
    def _patching(
        self, clean: PatchSide, corrupt: PatchSide, wanted: PatchWanted
    ) -> Iterator[Patched | None]:
        counted = _Counted(self._decoder)
        with naming_out_of_memory("patching this text"), ExitStack() as pins:
            pair = yield from counted(self._pair(clean, corrupt, wanted, pins))
            require_effect(pair.ends)
            logits = yield from counted(self._patched_at_once(pair, wanted))
            log_clean = pair.logits[0].double().log_softmax(-1)
            log_patched = logits.double().log_softmax(-1)
            kl = (log_clean.exp() * (log_clean - log_patched)).sum()
            yield Patched(
                pair.ends,
                pair.value(logits[None])[0],
                max(0.0, float(kl)),
                tuple(_top(row) for row in (*pair.logits, logits)),
                counted.tokens,
            )

    def _patched_at_once(
        self, pair: Pair, wanted: PatchWanted
    ) -> Generator[None, None, torch.Tensor]:
        """Logits `[d_vocab]` at the end of the base with all positions patched together."""
        is_denoise = wanted.direction == "denoise"
        base_logits, source_logits = pair.logits[int(is_denoise)], pair.logits[int(not is_denoise)]
        bases = [base for base, _ in pair.positions]
        if wanted.site == "resid":
            rows = pair.source_rows(wanted.layer, [source for _, source in pair.positions])
            if torch.equal(rows, pair.base.rows[bases, wanted.layer]):
                return base_logits
            if wanted.layer == self._decoder.n_layers:
                last = len(pair.base.ids) - 1
                if last not in bases:
                    return base_logits
                row = rows[bases.index(last)]
                if torch.equal(row, pair.source.last):
                    return source_logits
                return self._decoder.decode(row[None])[0]
            stream = pair.base.rows[:, wanted.layer].clone()
            stream[bases] = rows
            start = pair.base.start_at(min(bases))
            entering = {wanted.layer + 1: Entering(stream[None, start:])}
            last_row = yield from self._runs.above(pair.base, start, entering)
            return self._decoder.decode(last_row)[0]
        heads = [None] if wanted.heads is None else list(wanted.heads)
        if all(source == base and source < pair.n_common for base, source in pair.positions):
            return base_logits
        values = yield from self._runs.writes(
            pair.source, wanted.site, [(wanted.layer, source) for _, source in pair.positions]
        )
        changes = [[(base, values[place], heads) for place, base in enumerate(bases)]]
        start = pair.base.start_at(min(bases))
        entering = {
            wanted.layer: self._runs.with_writes(
                pair.base, start, wanted.site, wanted.layer, changes
            )
        }
        last_row = yield from self._runs.above(pair.base, start, entering)
        return self._decoder.decode(last_row)[0]

    # --- a map -----------------------------------------------------------------------------------

    def mapping(
        self,
        clean: PatchSide,
        corrupt: PatchSide,
        wanted: MapWanted,
        done: frozenset[tuple[int, int]] = frozenset(),
        estimate: MapEstimate | None = None,
    ) -> Iterator[Ends | MapEstimate | MapCells | None]:
        """See `PatchingEngine.mapping`. What is wrong with the request is raised by the call itself."""
        self._require_sides(clean, corrupt, wanted.positions)
        for row in wanted.rows:
            self._require_place(wanted.site, row.layer, () if row.head is None else (row.head,))
        work = self._mapping(clean, corrupt, wanted, done, estimate)
        return self._admitted(clean, corrupt, work)

    @torch.inference_mode()
    def _mapping(
        self,
        clean: PatchSide,
        corrupt: PatchSide,
        wanted: MapWanted,
        done: frozenset[tuple[int, int]],
        estimate: MapEstimate | None,
    ) -> Iterator[Ends | MapEstimate | MapCells | None]:
        with naming_out_of_memory("mapping these texts"), ExitStack() as pins:
            pins.callback(return_free_memory)
            pair = yield from self._pair(clean, corrupt, wanted, pins)
            require_effect(pair.ends)
            yield pair.ends
            if estimate is None:
                estimate = yield from self._estimate(pair, wanted)
                yield estimate
            known = _known(pair, wanted)
            to_run = [cell for cell in _cells(wanted) if cell not in known]
            total = sum(cost_of(pair, wanted, cell) for cell in to_run) or 1
            batches = batches_of(pair, wanted, [cell for cell in to_run if cell not in done])
            left = sum(batch.cost for batch in batches)
            told = tuple((*cell, value) for cell, value in known.items() if cell not in done)
            if told or not batches:
                yield MapCells(told, max(0.0, 1 - left / total), 0)
            scores = estimate.scores
            if scores is not None:
                found = np.abs(scores)
                batches.sort(key=lambda batch: -max(found[cell] for cell in batch.cells))
            for batch in batches:
                counted = _Counted(self._decoder)
                values = yield from counted(self._run_batch(pair, wanted, batch))
                left -= batch.cost
                cells = tuple(
                    (*cell, value) for cell, value in zip(batch.cells, values, strict=True)
                )
                yield MapCells(cells, max(0.0, 1 - left / total), counted.tokens)

    def _run_batch(
        self, pair: Pair, wanted: MapWanted, batch: Batch
    ) -> Generator[None, None, list[float]]:
        def source_of(cell: tuple[int, int]) -> int:
            return pair.positions[cell[1]][1]

        start = pair.base.start_at(min(pair.positions[place][0] for _, place in batch.cells))
        by_layer = {
            layer: list(cells)
            for layer, cells in groupby(batch.cells, key=lambda cell: wanted.rows[cell[0]].layer)
        }
        entering = {}
        if wanted.site == "resid":
            for layer, cells in by_layer.items():
                rows = pair.source_rows(layer, [source_of(cell) for cell in cells])
                stream = pair.base.rows[start:, layer].repeat(len(cells), 1, 1)
                for number, (_, place) in enumerate(cells):
                    stream[number, pair.positions[place][0] - start] = rows[number]
                entering[layer + 1] = Entering(stream)
        else:
            places = [(wanted.rows[cell[0]].layer, source_of(cell)) for cell in batch.cells]
            values = yield from self._runs.writes(pair.source, wanted.site, places)
            value_of = dict(zip(batch.cells, values, strict=True))
            yield
            for layer, cells in by_layer.items():
                changes = [
                    [(pair.positions[place][0], value_of[row, place], [wanted.rows[row].head])]
                    for row, place in cells
                ]
                entering[layer] = self._runs.with_writes(
                    pair.base, start, wanted.site, layer, changes
                )
        last = yield from self._runs.above(pair.base, start, entering)
        return pair.value(self._decoder.decode(last))

    def _estimate(self, pair: Pair, wanted: MapWanted) -> Generator[None, None, MapEstimate]:
        reason = self._no_estimate(pair, wanted)
        if reason is not None:
            return MapEstimate(None, reason)
        return (yield from estimated(self._decoder, pair, wanted))

    def _no_estimate(self, pair: Pair, wanted: MapWanted) -> str | None:
        """Why the cells of a map are not estimated."""
        if wanted.site != "resid":
            return "Only whole residual streams are estimated."
        capability = self._facts.capabilities.gradients
        if not capability.is_available:
            return capability.reason
        n_tokens = len(pair.base.ids)
        if n_tokens > MAX_GRADIENT_TOKENS:
            return (
                f"The text has {n_tokens:,} tokens; up to {MAX_GRADIENT_TOKENS} are differentiated."
            )
        return None

    # --- runs ------------------------------------------------------------------------------------

    def _pair(
        self,
        clean: PatchSide,
        corrupt: PatchSide,
        wanted: PatchWanted | MapWanted,
        pins: ExitStack,
    ) -> Generator[None, None, Pair]:
        """Both runs, held until `pins` is closed, and what they answer."""
        clean_run = yield from self._runs.run(clean, pins)
        # A turn is at most one pass of the model, so that a cancel takes no longer.
        yield
        corrupt_run = yield from self._runs.run(corrupt, pins)
        yield
        runs = (clean_run, corrupt_run)
        yield from self._require_cone(corrupt_run)
        logits = self._decoder.decode(torch.stack([runs[0].last, runs[1].last]))
        answer, foil = wanted.metric.answer, wanted.metric.foil
        answer = int(logits[0].argmax()) if answer is None else answer
        foil = int(logits[1].argmax()) if foil is None else foil
        values = (logits[:, answer].double() - logits[:, foil].double()).tolist()
        n_common = n_shared(np.asarray(clean.ids), np.asarray(corrupt.ids))
        is_denoise = wanted.direction == "denoise"
        positions = tuple((pair[1], pair[0]) if is_denoise else pair for pair in wanted.positions)
        ends = Ends(answer, foil, values[0], values[1], 0)
        return Pair(runs[0], runs[1], wanted.direction, n_common, positions, logits, ends)

    # --- what may be asked -----------------------------------------------------------------------

    def _require_sides(
        self, clean: PatchSide, corrupt: PatchSide, positions: Sequence[tuple[int, int]]
    ) -> None:
        for place, side in enumerate((clean, corrupt)):
            require_ids(self._facts, side.ids, self._decoder.n_embeddings)
            require_readable(self._facts, side.ids)
            require_positions([pair[place] for pair in positions], len(side.ids))

    def _require_place(self, site: Site, layer: int, heads: Sequence[int]) -> None:
        facts = self._facts
        if not (0 if site == "resid" else 1) <= layer <= facts.n_layers:
            raise LayerOutOfRange(
                f"There is no layer {layer}: {facts.name} has layers 0 to {facts.n_layers}."
                if site == "resid"
                else f"There is no block {layer}: {facts.name} has blocks 1 to {facts.n_layers},"
                f" and {'heads' if site == 'head' else site} are in blocks.",
                param="layer",
            )
        if site == "resid":
            return
        self._causes.require("head" if site == "head" else "component")
        self._runs.module(site, layer)
        for head in heads:
            if not 0 <= head < (facts.n_heads or 0):
                raise InvalidRequest(
                    f"There is no head {head}: each block has heads 0 to {(facts.n_heads or 0) - 1}.",
                    param="heads",
                )

    def _require_cone(self, run: Run) -> Iterator[None]:
        """Measures once that the upper blocks by themselves give what the whole pass gave."""
        if self._cone_difference is None:
            self._cone_difference = yield from self._cone_difference_of(run)
            self._runs.ends_early = len(run.ids) > 2
            try:
                early = yield from self._cone_difference_of(run)
            except MODEL_FAILURES:
                early = float("inf")
            self._runs.ends_early &= early <= self._most_cone_difference()
        if self._cone_difference > self._most_cone_difference():
            raise IdentityFailed(
                "The upper blocks of this model run by themselves give other logits than in a whole"
                f" pass, by {self._cone_difference:.3g}.",
                hint="It cannot be patched.",
                param="site",
            )

    def _cone_difference_of(self, run: Run) -> Generator[None, None, float]:
        """Between logits of the whole pass and of upper blocks, which two rows enter one by one."""
        layer, start = self._decoder.n_layers // 2, run.start_at(len(run.ids) // 2)
        entering = {
            each + 1: Entering(run.rows[None, start:, each])
            for each in {layer, min(layer + 1, self._decoder.n_layers)}
        }
        last = yield from self._runs.above(run, start, entering)
        found = self._decoder.decode(last)
        expected = self._decoder.decode(run.last[None])
        largest = max(1.0, float(expected.abs().max()) / 50)
        return float((found - expected).abs().max()) / largest

    def _most_cone_difference(self) -> float:
        return MAX_CONE_DIFFERENCE if self._decoder.dtype == torch.float32 else 2.5

    def _admitted(self, clean: PatchSide, corrupt: PatchSide, work: Iterator[Any]) -> Iterator[Any]:
        with self._admission.admitted(len(clean.ids) + len(corrupt.ids)):
            yield from work


def _cells(wanted: MapWanted) -> Iterator[tuple[int, int]]:
    return np.ndindex(len(wanted.rows), len(wanted.positions))


def _known(pair: Pair, wanted: MapWanted) -> dict[tuple[int, int], float]:
    """Cells that nothing has to be run for."""
    found = {}
    for cell in _cells(wanted):
        value = pair.known_value(wanted.site, wanted.rows[cell[0]], *pair.positions[cell[1]])
        if value is not None:
            found[cell] = value
    return found


class _Counted:
    """Counts the tokens that work runs through blocks, apart from those of others between its turns."""

    def __init__(self, decoder: TracedDecoder) -> None:
        self._decoder = decoder
        self.tokens = 0

    def __call__(self, work: Generator[None, None, Any]) -> Generator[None, None, Any]:
        while True:
            before = self._decoder.computed_tokens
            try:
                next(work)
            except StopIteration as end:
                return end.value
            finally:
                self.tokens += self._decoder.computed_tokens - before
            yield


def _top(logits: torch.Tensor) -> tuple[tuple[int, float], ...]:
    found = logits.double().softmax(-1).topk(min(N_TOP, len(logits)))
    return tuple(zip(found.indices.tolist(), found.values.tolist(), strict=True))
