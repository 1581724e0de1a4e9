"""What crosses the boundary between a fit and the services: no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FittedKind = Literal["tuned", "jacobian"]


@dataclass(frozen=True, slots=True)
class FitWanted:
    """A fit, and where what it needs is kept."""

    kind: FittedKind
    seconds: float
    """Of computing, over all resumes; a step that has begun is finished."""
    work: Path
    """Folder of its text and its checkpoint."""
    lenses: Path
    """Folder of the lenses of this model, where the result is kept."""
    text: str
    """What the text is called."""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class FitText:
    """How much text there is, in tokens."""

    fit_tokens: int
    held_out_tokens: int


@dataclass(frozen=True, slots=True)
class FitPoint:
    """How far a fit has come."""

    progress: float
    """In [0, 1], the verdict included."""
    seconds: float
    tokens: int
    values: tuple[float, ...]
    """Of each layer. Tuned: KL(final ‖ lens) in nats on the text that is fitted, the mean since the point
    before. Jacobian: how far the two halves of the text are apart, as a share of their mean. Empty where
    nothing is new."""


@dataclass(frozen=True, slots=True)
class LayerVerdict:
    """One layer on held-out text: mean KL(final ‖ lens) in nats of the lens and its controls."""

    layer: int
    kl_nats: float
    logit_kl_nats: float
    scaled_kl_nats: float
    """The logit lens with its logits times `scale`, the best of eight on this very text."""
    scale: float
    permuted_kl_nats: float
    """The map of another layer."""
    in_use_kl_nats: float | None
    """The lens of this kind that the model had; None where it had none."""
    standard_error_nats: float
    """Of the difference to the logit lens, position by position."""
    beats_controls: bool
    """Nearer to the model than each control by more than two standard errors."""


@dataclass(frozen=True, slots=True)
class LensVerdict:
    """A fitted lens on text that it was not fitted to."""

    layers: tuple[LayerVerdict, ...]
    n_positions: int

    @property
    def beats_controls(self) -> bool:
        """At every layer below the last two, which are near the output with no lens at all."""
        below = self.layers[:-1] or self.layers
        return all(layer.beats_controls for layer in below)

    @property
    def is_better_than_in_use(self) -> bool:
        """Whether it should take the place of the lens of its kind: nearer to the model on the whole."""
        theirs = [layer.in_use_kl_nats for layer in self.layers]
        ours = [layer.kl_nats for layer in self.layers]
        known = [value for value in theirs if value is not None]
        return len(known) < len(ours) or sum(ours) < sum(known)


@dataclass(frozen=True, slots=True)
class FitResult:
    """The end of a fit."""

    verdict: LensVerdict
    is_in_use: bool
    """False where the model has a better lens of this kind, which stays."""
