"""A lens fitted to the running model, as a job."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.engine.fitting.sample import documents_of, sample_text
from app.engine.fitting.types import FitPoint, FitResult, FitWanted, LayerVerdict, LensVerdict
from app.engine.lens_folder import lens_folder_name
from app.engine.protocols import LensEngine
from app.errors import InvalidRequest
from app.models import jobs as wire
from app.services.conversations import ConversationStore
from app.services.timelines import new_id

WORK_FOLDER = "unfinished"
MOST_CHARS = 8_000_000
"""Of saved conversations."""
SAMPLE_NAME = "World Factbook (sample)"
CONVERSATIONS_NAME = "saved conversations"

Plan = dict[str, Any]
"""What is fitted, how long, and the folder that holds its text and its checkpoint."""


class LensFits:
    """Makes the jobs that fit lenses."""

    def __init__(self, folder: Path) -> None:
        """`folder` keeps the lenses of every model, and fits that are not over."""
        self._folder = folder

    async def plan(
        self,
        engine: LensEngine,
        conversations: ConversationStore,
        request: wire.FitLensRequest,
    ) -> tuple[Plan, str | None]:
        """A fit that can be begun; its text is tokenised and kept."""
        engine.fitting.require_fit(request.lens)
        text = request.text
        if isinstance(text, wire.OwnText):
            name, documents = " ".join(text.name.split()), documents_of(text.text)
        elif isinstance(text, wire.ConversationsText):
            name, documents = CONVERSATIONS_NAME, await conversations.texts(MOST_CHARS)
            if not documents:
                raise InvalidRequest(
                    "There are no saved conversations to fit a lens to.",
                    hint="Choose the sample, or give a text.",
                    param="text",
                )
        else:
            name, documents = SAMPLE_NAME, documents_of(sample_text())
        work = new_id()
        there = await asyncio.to_thread(
            engine.fitting.write_text, documents, self._folder / WORK_FOLDER / work
        )
        facts = engine.facts
        plan = {
            "lens": request.lens,
            "seconds": request.seconds,
            "text": name,
            "work": work,
            "lenses": lens_folder_name(facts.source, facts.revision),
            "title": f"{request.lens} lens of {facts.name}",
            **dataclasses.asdict(there),
        }
        return plan, None

    def restore(self, plan: Plan, found: dict[str, Any]) -> LensFit:
        """A fit as far as it has come."""
        return LensFit(plan, found, self._folder)


class LensFit:
    """A fit as far as it has come. Belongs to the event loop, but for the work itself."""

    def __init__(self, plan: Plan, found: dict[str, Any], folder: Path) -> None:
        """`found` is what `found()` gave, or empty."""
        self.plan = plan
        self.progress: float = found.get("progress", 0.0)
        self._folder = folder
        self._curve = [
            FitPoint(p["progress"], p["seconds"], p["tokens"], tuple(p["values"]))
            for p in found.get("curve", [])
        ]
        self._result: FitResult | None = None
        if "verdict" in found:
            layers = tuple(LayerVerdict(**layer) for layer in found["verdict"]["layers"])
            verdict = LensVerdict(layers, found["verdict"]["n_positions"])
            self._result = FitResult(verdict, found["is_in_use"])

    @property
    def _work(self) -> Path:
        return self._folder / WORK_FOLDER / str(self.plan["work"])

    def turns(self, engine: LensEngine) -> Iterator[object]:
        """Items to `take`; begun on the event loop, iterated on the worker thread."""
        plan = self.plan
        return engine.fitting.fitting(
            FitWanted(
                plan["lens"],
                plan["seconds"],
                self._work,
                self._folder / str(plan["lenses"]),
                plan["text"],
            )
        )

    def take(self, item: object) -> bool:
        """Notes what was computed; whether the curve or the verdict has grown."""
        if isinstance(item, FitResult):
            self._result, self.progress = item, 1.0
            return True
        assert isinstance(item, FitPoint)
        self.progress = max(self.progress, item.progress)
        if not item.values:
            return False
        # After a kill the fit goes on from its checkpoint, which is older than what was told.
        self._curve = [point for point in self._curve if point.tokens < item.tokens]
        self._curve.append(item)
        return True

    def forget(self) -> None:
        shutil.rmtree(self._work, ignore_errors=True)

    @property
    def is_complete(self) -> bool:
        return self._result is not None

    def found(self) -> dict[str, Any]:
        """All that is known, to be kept."""
        found: dict[str, Any] = {
            "progress": self.progress,
            "curve": [dataclasses.asdict(point) for point in self._curve],
        }
        if self._result is not None:
            found["verdict"] = dataclasses.asdict(self._result.verdict)
            found["is_in_use"] = self._result.is_in_use
        return found

    # --- as JSON ---------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        title: str = self.plan["title"]
        return title

    @property
    def n_logged(self) -> int:
        return 0

    def cells_since(self, _n: int) -> Iterator[wire.CellsEvent]:
        """A fit has no cells."""
        return iter(())

    def assumed(self, _engine: LensEngine) -> wire.FitAssumptions:
        names = ("lens", "seconds", "text", "fit_tokens", "held_out_tokens")
        return wire.FitAssumptions(**{name: self.plan[name] for name in names})

    def result(self, _engine: LensEngine) -> wire.FitResult:
        curve = [
            wire.FitPoint(seconds=p.seconds, tokens=p.tokens, values=list(p.values))
            for p in self._curve
        ]
        if self._result is None:
            return wire.FitResult(curve=curve, verdict=None)
        verdict = self._result.verdict
        return wire.FitResult(
            curve=curve,
            verdict=wire.LensVerdict(
                n_positions=verdict.n_positions,
                beats_controls=verdict.beats_controls,
                is_in_use=self._result.is_in_use,
                layers=[wire.LayerVerdict(**dataclasses.asdict(layer)) for layer in verdict.layers],
            ),
        )
