"""One file that holds all a run needs to go on as if it had not stopped.

The data position is the number of tokens read: rows, their order and their offsets are functions of
it and the seed. The generator state is kept as well, for architectures with dropout.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel

CHECKPOINT_FILE = "checkpoint.pt"


@dataclass
class Progress:
    """Where a run stands."""

    step: int = 0
    tokens_seen: int = 0
    seconds: float = 0.0
    """Seconds spent training, over all resumes, without start-up."""


def save_checkpoint(
    path: Path,
    model: GPT2LMHeadModel,
    optimizers: Sequence[torch.optim.Optimizer],
    progress: Progress,
) -> None:
    """Write the checkpoint beside its final name first, so that a crash leaves the old one."""
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "config": model.config.to_dict(),
            "model": model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in optimizers],
            "progress": vars(progress),
            "rng_state": torch.get_rng_state(),
        },
        partial,
    )
    partial.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The stored dictionary, on the CPU; only tensors and plain values are unpickled."""
    stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return stored


def restore_model(stored: dict[str, Any]) -> GPT2LMHeadModel:
    """The model of a checkpoint, in float32, on the CPU."""
    config = GPT2Config.from_dict(stored["config"])
    model = GPT2LMHeadModel(config)
    model.load_state_dict(stored["model"])
    return model
