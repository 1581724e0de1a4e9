"""The training loop: one step at a time, bounded by tokens or time, resumable."""

import csv
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from transformers import GPT2LMHeadModel

from training.checkpoint import CHECKPOINT_FILE, Progress, load_checkpoint, save_checkpoint
from training.model import training_losses
from training.optimizers import PeakRates, build_optimizers
from training.packing import TokenArray, exit_places, row_offsets, rows_at
from training.schedule import Schedule

logger = logging.getLogger(__name__)

LOG_FILE = "loss.csv"
LOG_FIELDS = (
    "step",
    "tokens_seen",
    "seconds",
    "loss_nats",
    "validation_loss_nats",
    "rate_share",
    "tokens_per_second",
)


@dataclass(frozen=True)
class TrainingSettings:
    """Everything about a run that is not the model, the data or the schedule."""

    seed: int = 1
    tokens_per_step: int = 8192
    tokens_per_pass: int = 1024
    """Tokens of one pass; gradients of several add up to a step. On a CPU few, to stay in cache."""
    peak_rates: PeakRates = field(default_factory=PeakRates)
    exit_weight: float = 0.2
    """Weight of the early-exit loss, which keeps the layers readable for the logit lens. Without it
    the middle layers of this model are surer of themselves than its output is."""
    exit_share: float = 0.125
    """Share of the places at which it is computed, each at one layer."""
    weight_decay: float = 0.05
    gradient_norm: float = 1.0
    log_every_steps: int = 10
    validate_every_steps: int = 200
    checkpoint_every_seconds: float = 240.0
    is_compiled: bool = False
    """Whether the loss runs through torch.compile: faster, but needs a C++ compiler on a CPU."""
    is_bfloat16: bool = False
    """Whether products run in bfloat16: twice as fast where the processor has instructions for it,
    many times slower where it has not. Weights and optimiser stay float32."""


class Trainer:
    """A model in training: its optimiser, its place in the data, and its files in `work`."""

    def __init__(
        self,
        model: GPT2LMHeadModel,
        training_stream: TokenArray,
        validation_stream: TokenArray,
        schedule: Schedule,
        settings: TrainingSettings,
        work: Path,
        device: str = "cpu",
    ) -> None:
        self.model = model.to(device).train()
        self.training_stream = training_stream
        self.validation_stream = validation_stream
        self.schedule = schedule
        self.settings = settings
        self.work = work
        self.device = device
        if device == "cpu" and settings.is_bfloat16:
            self.model.set_attn_implementation("eager")
        self.optimizers = build_optimizers(self.model, settings.peak_rates, settings.weight_decay)
        self.progress = Progress()
        self.losses: Callable[..., tuple[torch.Tensor, torch.Tensor]] = (
            torch.compile(training_losses, dynamic=False)
            if settings.is_compiled
            else training_losses
        )

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint of the same model and data."""
        stored = load_checkpoint(path)
        self.model.load_state_dict(stored["model"])
        for optimizer, state in zip(self.optimizers, stored["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.progress = Progress(**stored["progress"])
        torch.set_rng_state(stored["rng_state"])
        logger.info("resumed at step %d, %d tokens", self.progress.step, self.progress.tokens_seen)

    def fraction_done(self) -> float:
        """Share of the run that is done, in [0, 1]."""
        return self.schedule.progress(self.progress.tokens_seen, self.progress.seconds)

    def step(self) -> float:
        """One optimiser step. Returns the loss of the output before it, in nats a token."""
        started = time.monotonic()
        fraction = self.fraction_done()
        row_length = self.schedule.row_length(fraction)
        value = 0.0
        n_passes = self.n_passes(row_length)
        for _ in range(n_passes):
            loss, exit_loss = self.losses_at(
                self.training_stream, self.progress.tokens_seen, row_length
            )
            weighted = loss + self.settings.exit_weight * exit_loss
            torch.autograd.backward(weighted / n_passes)
            value += loss.item() / n_passes
            self.progress.tokens_seen += self.rows_of_pass(row_length) * row_length
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.gradient_norm)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak_lr"] * self.schedule.rate_share(fraction)
            optimizer.step()
        self.model.zero_grad(set_to_none=True)
        self.progress.step += 1
        self.progress.seconds += time.monotonic() - started
        return value

    def rows_of_pass(self, row_length: int) -> int:
        """Rows that go through the model together."""
        return max(1, self.settings.tokens_per_pass // row_length)

    def n_passes(self, row_length: int) -> int:
        """Passes whose gradients make one step."""
        return max(1, self.settings.tokens_per_step // (self.rows_of_pass(row_length) * row_length))

    def losses_at(
        self, stream: TokenArray, tokens_seen: int, row_length: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Output loss and early-exit loss of one pass over the rows after `tokens_seen` tokens."""
        n_rows = self.rows_of_pass(row_length)
        seed, config = self.settings.seed, self.model.config
        rows = rows_at(stream, tokens_seen, n_rows, row_length, seed)
        offsets = row_offsets(n_rows, row_length, config.n_positions, seed, tokens_seen)
        n_places = n_rows * row_length
        n_exits = max(1, round(n_places * self.settings.exit_share))
        exits = exit_places(n_exits, config.n_layer, n_places, seed, tokens_seen)
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.settings.is_bfloat16):
            return self.losses(self.model, *(t.to(self.device) for t in (rows, offsets, exits)))

    @torch.no_grad()
    def validation_loss(self, n_tokens: int = 16_384) -> float:
        """Loss in nats a token on the first rows of the validation stream, always the same rows."""
        row_length = self.schedule.row_length(self.fraction_done())
        size = self.rows_of_pass(row_length) * row_length
        losses = [
            self.losses_at(self.validation_stream, start, row_length)[0].item()
            for start in range(0, n_tokens, size)
        ]
        return sum(losses) / len(losses)

    def run(self, max_steps: int | None = None) -> None:
        """Train until the schedule is complete, or for `max_steps` more steps."""
        checkpoint = self.work / CHECKPOINT_FILE
        last_step = None if max_steps is None else self.progress.step + max_steps
        saved_at = time.monotonic()
        losses: list[float] = []
        logged_seconds, logged_tokens = self.progress.seconds, self.progress.tokens_seen
        while self.fraction_done() < 1.0 and self.progress.step != last_step:
            losses.append(self.step())
            progress = self.progress
            if progress.step % self.settings.log_every_steps == 0:
                is_validated = progress.step % self.settings.validate_every_steps == 0
                elapsed = progress.seconds - logged_seconds
                self.log(
                    loss=sum(losses) / len(losses),
                    validation_loss=self.validation_loss() if is_validated else None,
                    tokens_per_second=(progress.tokens_seen - logged_tokens) / elapsed,
                )
                losses = []
                logged_seconds, logged_tokens = progress.seconds, progress.tokens_seen
            if time.monotonic() - saved_at > self.settings.checkpoint_every_seconds:
                save_checkpoint(checkpoint, self.model, self.optimizers, progress)
                saved_at = time.monotonic()
        save_checkpoint(checkpoint, self.model, self.optimizers, self.progress)

    def log(self, loss: float, validation_loss: float | None, tokens_per_second: float) -> None:
        """Append one line to the CSV of the run and to the log."""
        path = self.work / LOG_FILE
        is_new = not path.exists()
        rate = self.schedule.rate_share(self.fraction_done())
        values = (
            self.progress.step,
            self.progress.tokens_seen,
            round(self.progress.seconds, 1),
            round(loss, 4),
            "" if validation_loss is None else round(validation_loss, 4),
            f"{rate:.4f}",
            round(tokens_per_second),
        )
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(LOG_FIELDS)
            writer.writerow(values)
        logger.info(" ".join(f"{k} {v}" for k, v in zip(LOG_FIELDS, values, strict=True)))
