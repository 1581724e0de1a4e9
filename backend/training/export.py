"""The folder that the server loads: config, float16 weights, tokenizer.

Float16 halves the repository's weight and is exact to about three digits; the server loads it as
float32. Files are written beside the target and moved one by one, so that a reader of the target
never meets half a file.
"""

import logging
import shutil
import tempfile
from pathlib import Path

import torch
from transformers import GenerationConfig, GPT2LMHeadModel

from training.checkpoint import CHECKPOINT_FILE, load_checkpoint, restore_model
from training.tokenizer import END_OF_TEXT_ID, as_transformers, load_tokenizer
from training.trainer import LOG_FILE

EXPORTED_LOG_FILE = "training_log.csv"
"""The run's log of loss against tokens, beside the weights."""

logger = logging.getLogger(__name__)


def write_folder(model: GPT2LMHeadModel, work: Path, folder: Path) -> None:
    """Write `model` in float16 with the tokenizer of `work` to `folder`; other files there stay."""
    folder.mkdir(parents=True, exist_ok=True)
    model = model.to(torch.float16)
    model.generation_config = GenerationConfig(
        bos_token_id=END_OF_TEXT_ID, eos_token_id=END_OF_TEXT_ID, pad_token_id=END_OF_TEXT_ID
    )
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        partial = Path(name)
        model.save_pretrained(partial, safe_serialization=True)
        as_transformers(load_tokenizer(work), model.config.n_positions).save_pretrained(partial)
        for path in sorted(partial.iterdir()):
            path.chmod(0o644)  # safetensors writes its file readable by the owner alone
            shutil.move(path, folder / path.name)


def export_model(work: Path, folder: Path) -> None:
    """Export the checkpoint in `work`."""
    stored = load_checkpoint(work / CHECKPOINT_FILE)
    write_folder(restore_model(stored), work, folder)
    if (work / LOG_FILE).exists():
        shutil.copyfile(work / LOG_FILE, folder / EXPORTED_LOG_FILE)
    n_bytes = sum(path.stat().st_size for path in folder.iterdir())
    logger.info("exported step %d: %d bytes", stored["progress"]["step"], n_bytes)
