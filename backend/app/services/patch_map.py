"""A causal map as a job: every layer at every pair of positions, patched one by one."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from app.engine.patching_types import (
    Ends,
    MapCells,
    MapEstimate,
    MapRow,
    MapWanted,
    Metric,
    PatchSide,
)
from app.engine.protocols import LensEngine
from app.engine.types import ModelFacts
from app.errors import InvalidRequest, LayerOutOfRange
from app.models.jobs import (
    CellsEvent,
    MapCell,
    MapSide,
    PatchMapAssumptions,
    PatchMapRequest,
    PatchMapResult,
)
from app.services.aligning import aligned_pairs
from app.services.causes import named
from app.services.conversations import ConversationStore
from app.services.patching import checked_pairs, find_sides, metric_of
from app.services.readouts import make_tokens
from app.services.timeline_source import SourceTimeline

MAX_CELLS = 20_000
EVENT_CELLS = 500
TITLE_CHARS = 32

Plan = dict[str, Any]
"""What is asked for, as it is kept: ids of both texts, site, rows, pairs of positions and metric."""


async def plan_map(
    engine: LensEngine, conversations: ConversationStore, request: PatchMapRequest
) -> tuple[Plan, str | None]:
    """A map that can be computed, and the saved timeline that it is kept with."""
    clean, corrupt = await find_sides(engine, conversations, request)
    metric = metric_of(engine.facts, request)
    pairs: Sequence[tuple[int, int]]
    if request.positions is None:
        pairs = aligned_pairs(clean.ids, corrupt.ids)
    else:
        pairs = checked_pairs(request.positions, clean, corrupt, request.direction)
    rows = rows_of(engine, request)
    if len(rows) * len(pairs) > MAX_CELLS:
        fitting = max(1, MAX_CELLS // len(rows))
        raise InvalidRequest(
            f"{len(rows):,} rows x {len(pairs):,} pairs of positions are"
            f" {len(rows) * len(pairs):,} cells; one map has up to {MAX_CELLS:,}.",
            hint=f"Ask for {fitting:,} pairs of positions, or for fewer layers.",
            param="positions",
        )
    plan = {
        "clean": _side(clean, request.clean.conversation_id),
        "corrupt": _side(corrupt, request.corrupt.conversation_id),
        "site": request.site,
        "direction": request.direction,
        "rows": [[row.layer, row.head] for row in rows],
        "positions": [list(pair) for pair in pairs],
        "answer": metric.answer,
        "foil": metric.foil,
        "title": _title(_text_of(engine, clean), _text_of(engine, corrupt)),
    }
    return plan, request.corrupt.conversation_id or request.clean.conversation_id


def rows_of(engine: LensEngine, request: PatchMapRequest) -> tuple[MapRow, ...]:
    """The rows of a map, checked against the model."""
    facts = engine.facts
    offered = engine.patching.blocks_with(request.site)
    if request.layers is None:
        layers = list(offered)
    else:
        layers = list(dict.fromkeys(request.layers))
        for layer in layers:
            _require_layer(facts, request.site, layer, offered)
    if not layers:
        raise InvalidRequest(f"No block of this model has a site {request.site}.", param="site")
    if request.site != "head":
        return tuple(MapRow(layer) for layer in layers)
    n_heads = facts.n_heads or 0
    heads = range(n_heads) if request.heads is None else dict.fromkeys(request.heads)
    for head in heads:
        if head >= n_heads:
            raise InvalidRequest(
                f"There is no head {head}: each block has heads 0 to {n_heads - 1}.", param="heads"
            )
    return tuple(MapRow(layer, head) for layer in layers for head in heads)


def _require_layer(facts: ModelFacts, site: str, layer: int, offered: Sequence[int]) -> None:
    if layer in offered:
        return
    first = 0 if site == "resid" else 1
    if not first <= layer <= facts.n_layers:
        noun = "layers" if site == "resid" else "blocks"
        raise LayerOutOfRange(
            f"There is no {noun[:-1]} {layer} for the site {site}: {facts.name} has {noun} {first}"
            f" to {facts.n_layers}.",
            param="layers",
        )
    raise InvalidRequest(
        f"Block {layer} has no site {site}.",
        hint=f"These blocks have it: {', '.join(map(str, offered)) or 'none'}.",
        param="layers",
    )


def _side(timeline: SourceTimeline, conversation_id: str | None) -> dict[str, Any]:
    return {
        "ids": list(timeline.ids),
        "roles": list(timeline.roles),
        "lineage": list(timeline.lineage),
        "conversation_id": conversation_id,
    }


def _text_of(engine: LensEngine, timeline: SourceTimeline) -> str:
    written = b"".join(map(engine.vocabulary.token_bytes, timeline.ids))
    return " ".join(written.decode(errors="replace").split())


def _title(clean: str, corrupt: str) -> str:
    """Both texts, of long ones what stands around the first word in which they differ."""
    differing = (n for n, (a, b) in enumerate(zip(clean, corrupt, strict=False)) if a != b)
    at = next(differing, min(len(clean), len(corrupt)))
    word = clean.rfind(" ", 0, at) + 1
    # In a script without spaces a word may be the whole text.
    at = word if at - word < TITLE_CHARS // 2 else at
    return f"{_around(clean, at)} → {_around(corrupt, at)}"


def _around(text: str, at: int) -> str:
    """At most TITLE_CHARS of a text, `at` among them, cut between words where there are any."""
    if len(text) <= TITLE_CHARS:
        return text
    start = max(0, min(at - TITLE_CHARS // 2, len(text) - TITLE_CHARS))
    end = start + TITLE_CHARS
    if start > 0:
        start = text.find(" ", start - 1, at) + 1 or start
    if end < len(text):
        space = text.rfind(" ", at, end + 1)
        end = end if space < 0 else space
    return f"{'…' if start > 0 else ''}{text[start:end]}{'…' if end < len(text) else ''}"


class PatchMap:
    """A map as far as it is computed. Belongs to the event loop, but for the work itself."""

    def __init__(self, plan: Plan, found: dict[str, Any]) -> None:
        """`found` is what `found()` gave, or empty."""
        self.plan = plan
        self.progress: float = found.get("progress", 0.0)
        ends = found.get("ends")
        self._ends = None if ends is None else Ends(**ends)
        self._estimate: MapEstimate | None = None
        if "estimate" in found:
            scores = found["estimate"]
            array = None if scores is None else np.array(scores, dtype=np.float32)
            self._estimate = MapEstimate(array, found["no_estimate"])
        shape = (len(plan["rows"]), len(plan["positions"]))
        self._values = np.full(shape, np.nan)
        self._computed_tokens: int = found.get("computed_tokens", 0)
        self._log: list[tuple[int, int, float]] = []
        """Cells in the order in which they were computed."""
        self._record([tuple(cell) for cell in found.get("cells", [])])

    # --- the work --------------------------------------------------------------------------------

    def turns(self, engine: LensEngine) -> Iterator[object]:
        """Items to `take`; begun on the event loop, iterated on the worker thread."""
        plan = self.plan
        wanted = MapWanted(
            plan["site"],
            tuple(MapRow(*row) for row in plan["rows"]),
            tuple((clean, corrupt) for clean, corrupt in plan["positions"]),
            plan["direction"],
            Metric(plan["answer"], plan["foil"]),
        )
        sides = [
            PatchSide(tuple(plan[side]["ids"]), tuple(plan[side]["lineage"]))
            for side in ("clean", "corrupt")
        ]
        done = frozenset((row, pair) for row, pair, _ in self._log)
        return engine.patching.mapping(sides[0], sides[1], wanted, done, self._estimate)

    def take(self, item: object) -> bool:
        """Notes what was computed; whether it is more than cells."""
        if isinstance(item, MapCells):
            self._record(item.cells)
            self.progress = max(self.progress, item.progress)
            self._computed_tokens += item.computed_tokens
            return False
        if isinstance(item, Ends):
            self._ends = item
        elif isinstance(item, MapEstimate):
            self._estimate = item
        return True

    def _record(self, cells: Sequence[tuple[int, int, float]]) -> None:
        for row, pair, value in cells:
            self._values[row, pair] = value
        self._log.extend(cells)

    @property
    def is_complete(self) -> bool:
        return len(self._log) == self._values.size

    def forget(self) -> None:
        """All of it is in the database."""

    def found(self) -> dict[str, Any]:
        """All that was computed, to be kept."""
        found: dict[str, Any] = {
            "progress": self.progress,
            "cells": self._log.copy(),
            "computed_tokens": self._computed_tokens,
        }
        if self._ends is not None:
            found["ends"] = dataclasses.asdict(self._ends)
        if self._estimate is not None:
            found["estimate"] = _rounded(self._estimate.scores)
            found["no_estimate"] = self._estimate.reason
        return found

    # --- as JSON ---------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        title: str = self.plan["title"]
        return title

    @property
    def n_logged(self) -> int:
        return len(self._log)

    def cells_since(self, n: int) -> Iterator[CellsEvent]:
        """Cells that were computed after the first `n`."""
        for start in range(n, len(self._log), EVENT_CELLS):
            yield CellsEvent(
                type="cells",
                cells=[
                    MapCell(row=row, pair=pair, value=value, score=self._score(value))
                    for row, pair, value in self._log[start : start + EVENT_CELLS]
                ],
            )

    def assumed(self, engine: LensEngine) -> PatchMapAssumptions:
        sides = {
            name: MapSide(
                conversation_id=self.plan[name]["conversation_id"],
                tokens=make_tokens(
                    engine.vocabulary, self.plan[name]["ids"], self.plan[name]["roles"]
                ),
            )
            for name in ("clean", "corrupt")
        }
        return PatchMapAssumptions(
            clean=sides["clean"],
            corrupt=sides["corrupt"],
            site=self.plan["site"],
            direction=self.plan["direction"],
            metric="logit_difference",
        )

    def result(self, engine: LensEngine) -> PatchMapResult:
        ends, estimate = self._ends, self._estimate
        answer = self.plan["answer"] if ends is None else ends.answer
        foil = self.plan["foil"] if ends is None else ends.foil
        cells = [[None if math.isnan(value) else value for value in row] for row in self._values]
        return PatchMapResult(
            layers=[layer for layer, _ in self.plan["rows"]],
            heads=[head for _, head in self.plan["rows"]],
            positions=[(clean, corrupt) for clean, corrupt in self.plan["positions"]],
            answer=None if answer is None else named(engine, answer),
            foil=None if foil is None else named(engine, foil),
            clean=None if ends is None else ends.clean,
            corrupt=None if ends is None else ends.corrupt,
            cells=cells,
            scores=[
                [None if value is None else self._score(value) for value in row] for row in cells
            ],
            estimate=None if estimate is None else _rounded(estimate.scores),
            no_estimate=None if estimate is None else estimate.reason,
            rank_correlation=self._rank_correlation(),
            n_cells=self._values.size,
            n_done=len(self._log),
            computed_tokens=self._computed_tokens,
        )

    def _score(self, value: float) -> float:
        assert self._ends is not None, "cells come after the ends"
        return self._ends.score(value, self.plan["direction"])

    def _rank_correlation(self) -> float | None:
        """Of the cells that were run: those that are 0 by construction would agree for nothing."""
        if self._ends is None or self._estimate is None or self._estimate.scores is None:
            return None
        base = self._ends.corrupt if self.plan["direction"] == "denoise" else self._ends.clean
        run = [(row, pair, value) for row, pair, value in self._log if value != base]
        if len(run) < 3:
            return None
        exact = np.array([self._score(value) for _, _, value in run])
        guessed = np.array([self._estimate.scores[row, pair] for row, pair, _ in run])
        return spearman(exact, guessed)


def spearman(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float | None:
    """Rank correlation, equal values sharing their mean rank; None where one side is all equal."""
    ranks = []
    for values in (a, b):
        _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(counts) - (counts - 1) / 2)[group])
    if any(rank.std() == 0 for rank in ranks):
        return None
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _rounded(scores: np.ndarray[Any, Any] | None) -> list[list[float]] | None:
    """An estimate needs no more than five digits."""
    if scores is None:
        return None
    return [[float(f"{value:.5g}") for value in row] for row in scores.tolist()]
