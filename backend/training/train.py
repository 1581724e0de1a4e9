"""The `train` step: settings from the command line, data and checkpoint from the work directory."""

import argparse
import logging

import torch

from training.checkpoint import CHECKPOINT_FILE
from training.model import build_model, model_config
from training.packing import read_stream
from training.schedule import Schedule
from training.trainer import Trainer, TrainingSettings

logger = logging.getLogger(__name__)


def train(options: argparse.Namespace) -> None:
    """Train until the bound, from the checkpoint in the work directory when there is one."""
    torch.set_num_threads(options.threads)
    schedule = Schedule(
        target_tokens=options.tokens,
        limit_seconds=None if options.minutes is None else options.minutes * 60.0,
        peak_learning_rate=options.peak_learning_rate,
    )
    settings = TrainingSettings(
        seed=options.seed, tokens_per_step=options.tokens_per_step, is_compiled=options.compile
    )
    model = build_model(model_config(), options.seed)
    logger.info("%d parameters on %s", sum(p.numel() for p in model.parameters()), options.device)
    trainer = Trainer(
        model,
        read_stream(options.work / "training.bin"),
        read_stream(options.work / "validation.bin"),
        schedule,
        settings,
        options.work,
        options.device,
    )
    checkpoint = options.work / CHECKPOINT_FILE
    if checkpoint.exists():
        trainer.resume(checkpoint)
    trainer.run()
    logger.info(
        "finished at step %d, %d tokens", trainer.progress.step, trainer.progress.tokens_seen
    )
