"""Fits the Jacobian lens ("Verbalizable Representations Form a Global Workspace in Language Models",
Transformer Circuits 2026): `lens(h) = unembed(J h)`.

`J` of a layer is the average Jacobian of the final residual stream (before the final norm) with
respect to the residual stream of that layer. For a source position, the derivatives of the target
positions at and after it are summed; this is averaged over source positions, then over sequences.

A one-hot cotangent of output dimension `i` at all target positions gives row `i` of every layer at
once, because a causal model has no derivative at earlier targets. So a sequence takes one forward
and `d_model` backward passes. It is repeated along the batch axis, which serves several dimensions
with one pass; that works for every architecture, where a vectorised gradient needs support by each
operation.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from app.engine.fitting.files import load_checkpoint, save_checkpoint, settings_that_count
from app.engine.fitting.pace import Every, differentiable, time_left
from app.engine.gradients import HookedDecoder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class JacobianSettings:
    """How Jacobians are taken, apart from the text."""

    first_position: int = 16
    """Positions before this one, and the last, are neither sources nor targets, as in the authors'
    code (anthropics/jacobian-lens): the first attract attention as no others do."""
    dimensions_per_pass: int = 8
    """Output dimensions of one backward pass. On a CPU few, to stay in cache."""
    is_bfloat16: bool = False
    """Whether products run in bfloat16; the residual streams and sums stay as they are."""
    log_every_seconds: float = 5.0
    save_every_seconds: float = 20.0


@dataclass
class JacobianSums:
    """Sums over the sequences done so far, apart for even and odd ones, so that they can be compared."""

    halves: torch.Tensor
    """float32 `[2, n_layers, d_model, d_model]`, on the CPU."""
    n_sequences: int = 0

    def add(self, jacobians: torch.Tensor) -> None:
        """Count one more sequence in, `[n_layers, d_model, d_model]`."""
        self.halves[self.n_sequences % 2] += jacobians
        self.n_sequences += 1

    def mean(self) -> torch.Tensor:
        """`[n_layers, d_model, d_model]`"""
        return self.halves.sum(dim=0) / self.n_sequences

    def relative_difference(self) -> torch.Tensor:
        """Frobenius norm of the difference of the halves' means over that of the mean: `[n_layers]`.

        NaN before two sequences. The mean itself is off by about half as much.
        """
        odd = self.n_sequences // 2
        counts = torch.tensor([self.n_sequences - odd, odd]).view(2, 1, 1, 1)
        even_mean, odd_mean = self.halves / counts
        difference: torch.Tensor = (even_mean - odd_mean).norm(dim=(1, 2))
        size: torch.Tensor = self.mean().norm(dim=(1, 2))
        return difference / size


def sequence_jacobians(
    decoder: HookedDecoder, ids: torch.Tensor, settings: JacobianSettings
) -> torch.Tensor:
    """Jacobians of one sequence, averaged over source positions.

    `ids`: int64 `[positions]`. Returns float32 `[n_layers, d_model, d_model]` on the CPU.
    """
    partial = PartialJacobians(torch.empty(decoder.n_layers, decoder.d_model, decoder.d_model))
    with torch.enable_grad():
        for _ in adding_dimensions(decoder, ids, settings, partial):
            pass
    return partial.jacobians


@dataclass
class PartialJacobians:
    """Jacobians of one sequence, as far as they are known."""

    jacobians: torch.Tensor
    """float32 `[n_layers, d_model, d_model]`, on the CPU."""
    n_dimensions: int = 0
    """Rows that are known, from the first on."""


def adding_dimensions(
    decoder: HookedDecoder,
    ids: torch.Tensor,
    settings: JacobianSettings,
    partial: PartialJacobians,
) -> Iterator[None]:
    """Completes the Jacobians of one sequence, in turns of one pass each; gradients must be enabled."""
    d_model, n_rows = decoder.d_model, min(settings.dimensions_per_pass, decoder.d_model)
    used = slice(settings.first_position, len(ids) - 1)
    with _products(decoder, settings):
        *sources, target = decoder.residual_streams(ids.expand(n_rows, -1))
    yield
    while partial.n_dimensions < d_model:
        first = partial.n_dimensions
        dimensions = range(first, min(first + n_rows, d_model))
        cotangent = torch.zeros_like(target)  # [n_rows, positions, d_model]
        for row, dimension in enumerate(dimensions):
            cotangent[row, used, dimension] = 1.0
        is_last = dimensions.stop == d_model
        gradients = torch.autograd.grad(target, sources, cotangent, retain_graph=not is_last)
        for layer, gradient in enumerate(gradients):
            means = gradient[: len(dimensions), used].float().mean(dim=1)
            partial.jacobians[layer, first : dimensions.stop] = means
        partial.n_dimensions = dimensions.stop
        yield


class JacobianFit:
    """Jacobians being summed for a bounded time, and how far they have come."""

    def __init__(
        self,
        decoder: HookedDecoder,
        sequences: torch.Tensor,
        settings: JacobianSettings,
        limit_seconds: float,
    ) -> None:
        """`sequences`: int64 `[sequences, positions]`, each read once at most."""
        require_length(sequences, settings)
        self._decoder = decoder
        self._sequences = sequences
        self._settings = settings
        self._limit_seconds = limit_seconds
        shape = (decoder.n_layers, decoder.d_model, decoder.d_model)
        self.sums = JacobianSums(torch.zeros(2, *shape))
        self._partial = PartialJacobians(torch.zeros(shape))
        self.seconds = 0.0
        """Spent fitting, over all resumes."""

    @property
    def tokens(self) -> int:
        """Of the sequences that are done."""
        return self.sums.n_sequences * self._sequences.shape[1]

    @property
    def is_over(self) -> bool:
        """The time is over and one sequence is done, or all are."""
        n_done = self.sums.n_sequences
        return n_done == len(self._sequences) or (
            n_done > 0 and self.seconds >= self._limit_seconds
        )

    def fraction_done(self) -> float:
        """In [0, 1]."""
        if self.is_over:
            return 1.0
        of_all = self.sums.n_sequences / len(self._sequences)
        return min(0.99, max(of_all, self.seconds / self._limit_seconds))

    def stepping(self) -> Iterator[None]:
        """One sequence in turns of one pass; a sequence that was left goes on where it was."""
        work = adding_dimensions(
            self._decoder,
            self._sequences[self.sums.n_sequences],
            self._settings,
            self._partial,
        )
        while True:
            started = time.monotonic()
            try:
                with differentiable():
                    next(work)
            except StopIteration:
                break
            finally:
                self.seconds += time.monotonic() - started
            yield
            if self.is_over:
                return  # Half a sequence is not worth waiting for.
        self.sums.add(self._partial.jacobians)
        self._partial.n_dimensions = 0

    def state(self) -> dict[str, Any]:
        """All that a fit needs to go on where it was."""
        return {
            **vars(self.sums),
            "partial": self._partial.jacobians,
            "n_dimensions": self._partial.n_dimensions,
            "seconds": self.seconds,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.sums = JacobianSums(state["halves"], state["n_sequences"])
        self._partial = PartialJacobians(state["partial"], state["n_dimensions"])
        self.seconds = state["seconds"]


def require_length(sequences: torch.Tensor, settings: JacobianSettings) -> None:
    """Raises ValueError for sequences that have no position to use."""
    if sequences.shape[1] < settings.first_position + 2:
        raise ValueError(
            f"Sequences of {sequences.shape[1]} tokens are too short: the first"
            f" {settings.first_position} and the last are left out."
        )


def fit_jacobian_lens(
    decoder: HookedDecoder,
    sequences: torch.Tensor,
    settings: JacobianSettings,
    checkpoint: Path,
    belongs_to: dict[str, Any],
    should_stop: Callable[[int], bool] = lambda _n_done: False,
) -> JacobianSums:
    """Sums over all `sequences` `[sequences, positions]`, or until `should_stop(n_done)`.

    Goes on from `checkpoint`, which is written on the way and at the end. Raises ValueError for that
    of a fit that `belongs_to` something else or has other settings.
    """
    belongs_to = belongs_to | settings_that_count(settings)
    require_length(sequences, settings)
    sums = JacobianSums(torch.zeros(2, decoder.n_layers, decoder.d_model, decoder.d_model))
    if (state := load_checkpoint(checkpoint, belongs_to)) is not None:
        sums = JacobianSums(**state)
        logger.info("went on after %d sequences", sums.n_sequences)
    started, done_before = time.monotonic(), sums.n_sequences
    log, save = Every(settings.log_every_seconds), Every(settings.save_every_seconds)
    while sums.n_sequences < len(sequences) and not should_stop(sums.n_sequences):
        sums.add(sequence_jacobians(decoder, sequences[sums.n_sequences], settings))
        if log.is_due():
            _log_progress(sums, sequences, done_before, time.monotonic() - started)
        if save.is_due():
            save_checkpoint(checkpoint, belongs_to, vars(sums))
    save_checkpoint(checkpoint, belongs_to, vars(sums))
    return sums


def _products(decoder: HookedDecoder, settings: JacobianSettings) -> torch.autocast:
    return torch.autocast(decoder.device.type, dtype=torch.bfloat16, enabled=settings.is_bfloat16)


def _log_progress(
    sums: JacobianSums, sequences: torch.Tensor, done_before: int, seconds: float
) -> None:
    total = len(sequences)
    logger.info(
        "sequence %d of %d: %s, %.0f tokens/s, %s",
        sums.n_sequences,
        total,
        _convergence(sums),
        (sums.n_sequences - done_before) * sequences.shape[1] / seconds,
        time_left(sums.n_sequences / total, done_before / total, seconds),
    )


def _convergence(sums: JacobianSums) -> str:
    if sums.n_sequences < 2:
        return "no halves to compare yet"
    differences = sums.relative_difference()
    layers = sorted({0, len(differences) // 2, len(differences) - 1})
    shown = " / ".join(f"{differences[layer]:.1%}" for layer in layers)
    return f"halves differ by {shown} at layers {' / '.join(map(str, layers))}"
