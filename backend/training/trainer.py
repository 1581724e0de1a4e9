"""The training loop: one step at a time, bounded by tokens or time, resumable."""

import csv
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import GPT2LMHeadModel

from training.checkpoint import CHECKPOINT_FILE, Progress, load_checkpoint, save_checkpoint
from training.model import next_token_loss
from training.packing import TokenArray, row_offsets, rows_at
from training.schedule import Schedule

logger = logging.getLogger(__name__)

LOG_FIELDS = (
    "step",
    "tokens_seen",
    "seconds",
    "loss_nats",
    "validation_loss_nats",
    "learning_rate",
    "tokens_per_second",
)


@dataclass(frozen=True)
class TrainingSettings:
    """Everything about a run that is not the model, the data or the schedule."""

    seed: int = 1
    tokens_per_step: int = 4096
    weight_decay: float = 0.1
    gradient_norm: float = 1.0
    log_every_steps: int = 10
    validate_every_steps: int = 200
    checkpoint_every_seconds: float = 240.0
    is_compiled: bool = False
    """Whether the loss runs through torch.compile: 15 % faster on a CPU, needs a C++ compiler."""


def build_optimizer(model: GPT2LMHeadModel, weight_decay: float) -> torch.optim.AdamW:
    """AdamW with weight decay on matrices only; biases, norms and nothing else are spared."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.95), fused=True)


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
        self.optimizer = build_optimizer(self.model, settings.weight_decay)
        self.progress = Progress()
        self.loss_function: Callable[..., torch.Tensor] = (
            torch.compile(next_token_loss, dynamic=False)
            if settings.is_compiled
            else next_token_loss
        )

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint of the same model and data."""
        stored = load_checkpoint(path)
        self.model.load_state_dict(stored["model"])
        self.optimizer.load_state_dict(stored["optimizer"])
        self.progress = Progress(**stored["progress"])
        torch.set_rng_state(stored["rng_state"])
        logger.info("resumed at step %d, %d tokens", self.progress.step, self.progress.tokens_seen)

    def fraction_done(self) -> float:
        """Share of the run that is done, in [0, 1]."""
        return self.schedule.progress(self.progress.tokens_seen, self.progress.seconds)

    def step(self) -> float:
        """One optimiser step. Returns the loss before it, in nats a token."""
        started = time.monotonic()
        fraction = self.fraction_done()
        row_length = self.schedule.row_length(fraction)
        loss = self.loss_at(self.training_stream, self.progress.tokens_seen, row_length)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.gradient_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.learning_rate(fraction)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        value = loss.item()
        n_rows = self.settings.tokens_per_step // row_length
        self.progress.step += 1
        self.progress.tokens_seen += n_rows * row_length
        self.progress.seconds += time.monotonic() - started
        return value

    def loss_at(self, stream: TokenArray, tokens_seen: int, row_length: int) -> torch.Tensor:
        """Loss on the rows that follow `tokens_seen` tokens of a stream; bfloat16 on a GPU."""
        n_rows = self.settings.tokens_per_step // row_length
        seed = self.settings.seed
        rows = rows_at(stream, tokens_seen, n_rows, row_length, seed)
        n_ctx = self.model.config.n_positions
        offsets = row_offsets(n_rows, row_length, n_ctx, seed, tokens_seen)
        is_gpu = self.device != "cpu"
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=is_gpu):
            return self.loss_function(self.model, rows.to(self.device), offsets.to(self.device))

    @torch.no_grad()
    def validation_loss(self, n_steps: int = 2) -> float:
        """Loss in nats a token on the first rows of the validation stream, always the same rows."""
        row_length = self.schedule.row_length(self.fraction_done())
        size = self.settings.tokens_per_step
        losses = [
            self.loss_at(self.validation_stream, index * size, row_length).item()
            for index in range(n_steps)
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
                save_checkpoint(checkpoint, self.model, self.optimizer, progress)
                saved_at = time.monotonic()
        save_checkpoint(checkpoint, self.model, self.optimizer, self.progress)

    def log(self, loss: float, validation_loss: float | None, tokens_per_second: float) -> None:
        """Append one line to `loss.csv` and to the log."""
        path = self.work / "loss.csv"
        is_new = not path.exists()
        rate = self.schedule.learning_rate(self.fraction_done())
        values = (
            self.progress.step,
            self.progress.tokens_seen,
            round(self.progress.seconds, 1),
            round(loss, 4),
            "" if validation_loss is None else round(validation_loss, 4),
            f"{rate:.3e}",
            round(tokens_per_second),
        )
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(LOG_FIELDS)
            writer.writerow(values)
        logger.info(" ".join(f"{k} {v}" for k, v in zip(LOG_FIELDS, values, strict=True)))
