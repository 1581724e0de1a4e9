"""Fits of lenses to the fake model: numbers that follow from the request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from app.engine.fitting.types import (
    FitPoint,
    FitResult,
    FittedKind,
    FitText,
    FitWanted,
    LayerVerdict,
    LensVerdict,
)
from app.errors import InvalidRequest

N_BLOCKS = 3
STEPS = 4


class FakeFitting:
    """Implements `FittingEngine`: a fit takes four steps, and keeps the last one in its folder."""

    def __init__(self, reach: Callable[[str], None], on_lens: Callable[[FittedKind], None]) -> None:
        self._reach = reach
        self._on_lens = on_lens
        self.texts: list[tuple[str, ...]] = []
        """Documents of each fit."""
        self.first_steps: list[int] = []
        """Where each run of a fit began."""

    def require_fit(self, kind: FittedKind) -> None:
        del kind

    def write_text(self, documents: Sequence[str], work: Path) -> FitText:
        n_tokens = sum(map(len, documents))
        if n_tokens < 10:
            raise InvalidRequest("The text is too short.", param="text")
        self.texts.append(tuple(documents))
        work.mkdir(parents=True)
        (work / "step").write_text("0")
        return FitText(n_tokens, 5)

    def fitting(self, wanted: FitWanted) -> Iterator[FitPoint | FitResult | None]:
        first = int((wanted.work / "step").read_text())
        self.first_steps.append(first)
        for step in range(first, STEPS):
            yield None
            self._reach("fit")
            (wanted.work / "step").write_text(str(step + 1))
            values = tuple(float(layer + STEPS - step) for layer in range(N_BLOCKS))
            yield FitPoint((step + 1) / 5, wanted.seconds * (step + 1) / 4, 10 * (step + 1), values)
        layers = tuple(
            LayerVerdict(layer, 1.0, 2.0, 1.5, 0.6, 3.0, None, 0.1, layer < 2)
            for layer in range(N_BLOCKS)
        )
        self._on_lens(wanted.kind)
        yield FitResult(LensVerdict(layers, 96), True)
