"""The `train` step: settings from the command line, data and checkpoint from the work directory."""

import argparse
import logging
from pathlib import Path

import torch
from transformers import GPT2LMHeadModel

from training.checkpoint import CHECKPOINT_FILE
from training.model import build_model, model_config
from training.optimizers import PeakRates
from training.packing import read_stream
from training.schedule import Schedule
from training.tokenizer import load_tokenizer
from training.trainer import Trainer, TrainingSettings

logger = logging.getLogger(__name__)


def exported_model(folder: Path, work: Path) -> GPT2LMHeadModel:
    """The weights of an exported folder, in float32, for a run that goes on from them.

    Raises ValueError when the data in `work` was made with another tokenizer: its ids would mean
    other words to these weights.
    """
    if load_tokenizer(folder).get_vocab() != load_tokenizer(work).get_vocab():
        raise ValueError(
            f"The data in {work} was made with another tokenizer than that of {folder}: run "
            f"`prepare` with --tokenizer {folder}."
        )
    model: GPT2LMHeadModel = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32)
    return model


def train(options: argparse.Namespace) -> None:
    """Train until the bound, from the checkpoint in the work directory when there is one."""
    torch.set_num_threads(options.threads)
    schedule = Schedule(
        target_tokens=options.tokens,
        limit_seconds=None if options.minutes is None else options.minutes * 60.0,
        decay_from=options.decay_from,
    )
    settings = TrainingSettings(
        seed=options.seed,
        tokens_per_step=options.tokens_per_step,
        tokens_per_pass=options.tokens_per_pass,
        peak_rates=PeakRates(muon=options.muon_rate, adamw=options.adamw_rate),
        exit_weight=options.exit_weight,
        is_compiled=options.compile,
        is_bfloat16=options.bfloat16,
    )
    model = (
        build_model(model_config(options.d_model), options.seed)
        if options.start_from is None
        else exported_model(options.start_from, options.work)
    )
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
