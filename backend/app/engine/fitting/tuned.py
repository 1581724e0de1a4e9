"""Fits the tuned lens (Belrose et al. 2023, arXiv:2303.08112): `lens(h) = unembed(h + W h + b)`.

Every layer has a translator of its own, which starts at zero and so as the logit lens, and learns
to bring the lens's next-token distribution near the model's: it minimises KL(final ‖ lens), averaged
over positions. The unembedding is the model's own tail, frozen.

The paper uses SGD with momentum over 65 M tokens. Here Adam, which needs a hundredth of them: on a
CPU the logits of every layer are what takes the time, and they are made for a chunk of rows and one
layer at a time, so that they stay small.
"""

import logging
import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from app.engine.fitting.files import load_checkpoint, save_checkpoint, settings_that_count
from app.engine.fitting.pace import Every, differentiable, time_left
from app.engine.gradients import Columns, HookedDecoder
from app.engine.metrics import exponentials_of, most_probable

logger = logging.getLogger(__name__)

TOP_OF_ROW = 32
"""Of a sampled vocabulary: tokens that the model finds most probable at a row, which are always read."""
TOP_OF_LAYER = 32
ROWS_OF_LAYER = 4
"""And those that each layer's lens does at a few rows: what a lens wrongly expects is learned there."""


@dataclass(frozen=True)
class TunedSettings:
    """How translators are fitted, apart from the text."""

    steps: int | None = None
    """Steps after which the fit is complete; None when only time bounds it."""
    limit_seconds: float | None = None
    """Fitting seconds after which it is complete, over all resumes; None for no limit."""
    sequences_per_step: int = 4
    weight_rate: float = 0.4
    """Peak rate of `W` times d_model: Adam moves every number by about its rate, and a row of `W`
    adds up d_model of them. Measured on the embedded model, 60 steps: 0.2 and 0.6 end near each
    other, 2 ends higher in all layers but the first."""
    bias_rate: float = 0.01
    """Peak rate of `b` as a share of the layer's root mean square."""
    calm_below_nats: float | None = None
    """A layer whose lens begins nearer to the output than this gets a rate in proportion, a tenth at
    least: near the output few large steps lead away from it. None: one rate for all."""
    warmup_fraction: float = 0.05
    chunk_bytes: int = 2**24
    """Bytes of one float32 array of logits; a few are alive at once."""
    is_bfloat16: bool = False
    """Whether products run in bfloat16; translators, optimiser and distributions stay float32."""
    vocabulary_sample: int | None = None
    """Tokens drawn at random of a vocabulary too large to be read whole in each step, beside those
    that matter; None reads all of it. What is drawn counts for what is not: each with the weight of
    those it stands for, in the model's distribution and in the lens's (importance sampling)."""
    seed: int = 1
    log_every_seconds: float = 5.0
    save_every_seconds: float = 20.0

    def __post_init__(self) -> None:
        if self.steps is None and self.limit_seconds is None:
            raise ValueError("A fit needs a bound: give a number of steps or of minutes.")

    def fraction_done(self, step: int, seconds: float) -> float:
        """Share of the fit that is done, in [0, 1]."""
        done = 0.0 if self.steps is None else step / self.steps
        if self.limit_seconds is not None:
            done = max(done, seconds / self.limit_seconds)
        return min(done, 1.0)

    def rate_share(self, fraction: float) -> float:
        """Share of the peak rate: a linear rise, then a linear decay to nothing, as in the paper."""
        if fraction < self.warmup_fraction:
            return max(fraction / self.warmup_fraction, 0.01)
        return (1.0 - fraction) / (1.0 - self.warmup_fraction)


class Translator(nn.Module):
    """The affine map of one layer: rows of `h` -> rows of `h + W h + b`."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(d_model, d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return rows + F.linear(rows, self.weight, self.bias)


class FinalDistribution(NamedTuple):
    """The model's own next-token distributions, which every layer is compared with."""

    p: torch.Tensor
    """Probabilities, `[rows, d_vocab]`."""
    entropy_nats: torch.Tensor
    """`[rows]`"""


def kl_and_gradient(
    logits: torch.Tensor, final: FinalDistribution
) -> tuple[torch.Tensor, torch.Tensor]:
    """KL(final ‖ lens) in nats, `[rows]`, and its gradient `q - p` with respect to the logits.

    `logits`: `[rows, d_vocab]`. Written out because autograd takes about twice as many passes over
    arrays of the vocabulary's width, and these passes are what a fit spends much of its time on.
    """
    log_q = logits.log_softmax(dim=-1)
    kl = -row_products(final.p, log_q) - final.entropy_nats
    return kl, exponentials_of(log_q, out=log_q).sub_(final.p)


def row_products(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Dot product of each row of `a` with that of `b`, `[rows]`, without an array of the products."""
    return torch.einsum("rv,rv->r", a, b)


def row_order(n_rows: int, seed: int, epoch: int) -> Sequence[int]:
    """The order in which the sequences of one pass over the text are read."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    order: list[int] = torch.randperm(n_rows, generator=generator).tolist()
    return order


class TunedLensFit:
    """Translators being fitted, their optimiser, and how far they have come."""

    def __init__(
        self, decoder: HookedDecoder, sequences: torch.Tensor, settings: TunedSettings
    ) -> None:
        """`sequences`: int64 `[sequences, positions]`, read in an order drawn anew each pass."""
        self.decoder = decoder
        self.sequences = sequences
        self.settings = settings
        self.translators = nn.ModuleList(
            Translator(decoder.d_model) for _ in range(decoder.n_layers)
        ).to(decoder.device)
        self.optimizer = self._new_optimizer()
        self.step = 0
        self.seconds = 0.0
        """Spent fitting, over all resumes."""

    @property
    def tokens_per_step(self) -> int:
        return self.settings.sequences_per_step * self.sequences.shape[1]

    def fraction_done(self) -> float:
        return self.settings.fraction_done(self.step, self.seconds)

    def take_step(self) -> list[float]:
        """One optimiser step. Returns KL(final ‖ lens) of every layer before it, in nats a position."""
        turns = self.stepping()
        while True:
            try:
                next(turns)
            except StopIteration as stop:
                losses: list[float] = stop.value
                return losses

    def stepping(self) -> Generator[None, None, list[float]]:
        """`take_step` in turns of bounded work; nothing has changed where it is left in between."""
        took = 0.0
        work = self._step()
        while True:
            started = time.monotonic()
            try:
                with differentiable():
                    next(work)
            except StopIteration as stop:
                self.step += 1
                self.seconds += took + time.monotonic() - started
                losses: list[float] = stop.value
                return losses
            took += time.monotonic() - started
            yield

    def _step(self) -> Generator[None, None, list[float]]:
        share = self.settings.rate_share(self.fraction_done())
        self.optimizer.zero_grad(set_to_none=True)
        streams: list[list[torch.Tensor]] = []
        for ids in self._sequences_of_step():
            streams.append(self.rows_of_layers(ids[None]))
            yield
        rows = [torch.cat(of_layer) for of_layer in zip(*streams, strict=True)]
        if self.step == 0:
            self._suit_bias_rates(rows)
        columns = None
        if self.settings.vocabulary_sample is not None:
            columns = yield from self._drawn_columns(rows, self.settings.vocabulary_sample)
        losses = yield from self._adding_gradients(rows, columns)
        if self.step == 0 and (calm := self.settings.calm_below_nats) is not None:
            for number, group in enumerate(self.optimizer.param_groups):
                group["peak_lr"] *= min(1.0, max(0.1, losses[number // 2] / calm))
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak_lr"] * share
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return losses

    @torch.no_grad()
    def rows_of_layers(self, ids: torch.Tensor) -> list[torch.Tensor]:
        """Residual rows of every layer for sequences of ids, float32 `[rows, d_model]` each."""
        return [stream.flatten(0, 1).float() for stream in self.decoder.residual_streams(ids)]

    def state(self) -> dict[str, Any]:
        """All that a fit needs to go on as if it had not stopped."""
        return {
            "translators": self.translators.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.translators.load_state_dict(state["translators"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]

    def _new_optimizer(self) -> torch.optim.Optimizer:
        """Adam over the weight and the bias of each layer, in groups of their own."""
        groups: list[dict[str, Any]] = []
        for translator in self.translators:
            weight_rate = self.settings.weight_rate / self.decoder.d_model
            groups.append({"params": [translator.weight], "peak_lr": weight_rate})
            groups.append({"params": [translator.bias], "peak_lr": self.settings.bias_rate})
        return torch.optim.Adam(groups, lr=0.0, betas=(0.9, 0.99))

    def _suit_bias_rates(self, streams: list[torch.Tensor]) -> None:
        """Makes the rate of each layer's bias suit the size of its residual stream."""
        of_biases = self.optimizer.param_groups[1::2]
        for group, rows in zip(of_biases, streams, strict=False):
            group["peak_lr"] = self.settings.bias_rate * float(rows.square().mean().sqrt())

    def _sequences_of_step(self) -> torch.Tensor:
        size = self.settings.sequences_per_step
        available = len(self.sequences)
        chosen = []
        for number in range(self.step * size, (self.step + 1) * size):
            order = row_order(available, self.settings.seed, number // available)
            chosen.append(order[number % available])
        return self.sequences[chosen]

    def _adding_gradients(
        self, streams: list[torch.Tensor], columns: Columns | None = None
    ) -> Generator[None, None, list[float]]:
        """Adds the gradients of every translator, a chunk of rows and a layer at a time."""
        n_rows = len(streams[0])
        losses = [0.0] * self.decoder.n_layers
        for chunk in self._chunks(n_rows, columns):
            final = self.final_distribution(streams[-1][chunk], columns)
            yield
            for layer in range(self.decoder.n_layers):
                logits = self.lens_logits(layer, streams[layer][chunk], columns)
                kl, gradient = kl_and_gradient(logits.detach(), final)
                torch.autograd.backward(logits, gradient.div_(n_rows))
                losses[layer] += kl.sum().item() / n_rows
                yield
        return losses

    def _drawn_columns(
        self, streams: list[torch.Tensor], n_random: int
    ) -> Generator[None, None, Columns]:
        """The tokens that this step reads: those that the model or the lens of a layer finds most
        probable at these rows, and `n_random` others, each for as many as it stands for."""
        d_vocab = self.decoder.d_vocab
        matter = torch.zeros(d_vocab, dtype=torch.bool)
        # Gradients are off within a turn only: the next one begins with them on (`differentiable`).
        for chunk in self._chunks(len(streams[0]), None):
            with torch.no_grad():
                self._note_top(matter, self.decoder.decode(streams[-1][chunk]), TOP_OF_ROW)
            yield
        draw = torch.Generator().manual_seed(self.settings.seed * 1_000_003 + self.step)
        few = torch.randperm(len(streams[0]), generator=draw)[:ROWS_OF_LAYER]
        for layer in range(self.decoder.n_layers):
            with torch.no_grad():
                logits = self.lens_logits(layer, streams[layer][few])
                self._note_top(matter, logits, TOP_OF_LAYER)
            yield
        chosen, others = matter.nonzero()[:, 0], (~matter).nonzero()[:, 0]
        drawn = others[torch.randperm(len(others), generator=draw)[:n_random]]
        stands_for = len(others) / max(1, len(drawn))
        log_weights = torch.zeros(len(chosen) + len(drawn))
        log_weights[len(chosen) :] = math.log(max(1.0, stands_for))
        return self.decoder.columns(torch.cat([chosen, drawn]), log_weights)

    def _note_top(self, matter: torch.Tensor, logits: torch.Tensor, n_top: int) -> None:
        """Marks the `n_top` tokens that are most probable at each row of `logits`."""
        top = most_probable(logits, min(n_top, self.decoder.d_vocab))[1]
        matter[top.flatten().cpu()] = True

    def _chunks(self, n_rows: int, columns: Columns | None) -> Iterator[slice]:
        width = self.decoder.d_vocab if columns is None else len(columns.log_weights)
        size = max(1, self.settings.chunk_bytes // (4 * width))
        for start in range(0, n_rows, size):
            yield slice(start, start + size)

    @torch.no_grad()
    def final_distribution(
        self, rows: torch.Tensor, columns: Columns | None = None
    ) -> FinalDistribution:
        """The model's own distributions at rows of the last layer `[rows, d_model]`."""
        log_p = self.decoder.decode(rows, columns).log_softmax(dim=-1)
        p = exponentials_of(log_p)
        return FinalDistribution(p, -row_products(p, log_p))

    def lens_logits(
        self, layer: int, rows: torch.Tensor, columns: Columns | None = None
    ) -> torch.Tensor:
        """Logits of the lens at rows `[rows, d_model]` of one layer, float32 `[rows, d_vocab]`."""
        with torch.autocast(
            self.decoder.device.type, dtype=torch.bfloat16, enabled=self.settings.is_bfloat16
        ):
            return self.decoder.decode(self.translators[layer](rows), columns)


def fit_tuned_lens(
    fit: TunedLensFit,
    checkpoint: Path,
    belongs_to: dict[str, Any],
    should_stop: Callable[[int], bool] = lambda _step: False,
) -> None:
    """Steps until the bound, or until `should_stop(step)`.

    Goes on from `checkpoint`, which is written on the way and at the end. Raises ValueError for that
    of a fit that `belongs_to` something else or has other settings.
    """
    settings = fit.settings
    belongs_to = belongs_to | settings_that_count(settings)
    if (state := load_checkpoint(checkpoint, belongs_to)) is not None:
        fit.restore(state)
        logger.info("went on after %d steps", fit.step)
    step_before, seconds_before = fit.step, fit.seconds
    fraction_before = fit.fraction_done()
    log, save = Every(settings.log_every_seconds), Every(settings.save_every_seconds)
    while fit.fraction_done() < 1.0 and not should_stop(fit.step):
        losses = fit.take_step()
        if log.is_due():
            seconds = fit.seconds - seconds_before
            _log_progress(
                fit,
                losses,
                (fit.step - step_before) * fit.tokens_per_step / seconds,
                time_left(fit.fraction_done(), fraction_before, seconds),
            )
        if save.is_due():
            save_checkpoint(checkpoint, belongs_to, fit.state())
    save_checkpoint(checkpoint, belongs_to, fit.state())


def _log_progress(
    fit: TunedLensFit, losses: list[float], tokens_per_second: float, left: str
) -> None:
    layers = sorted({0, len(losses) // 2, len(losses) - 1})
    logger.info(
        "step %d: KL %s nats at layers %s, %.0f tokens/s, %s",
        fit.step,
        " / ".join(f"{losses[layer]:.3f}" for layer in layers),
        " / ".join(map(str, layers)),
        tokens_per_second,
        left,
    )
