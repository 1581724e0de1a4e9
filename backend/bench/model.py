"""The model that is measured: GPT-2 small's shape with random weights, which cost what real ones cost."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from app.engine.model_names import EMBEDDED_FOLDER

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


def make_gpt2_shape(folder: Path) -> Path:
    """A folder with a model of GPT-2 small's shape, and the embedded model's tokenizer for its text."""
    torch.manual_seed(0)
    # No end token: every reply is as long as it is asked to be.
    config = GPT2Config(bos_token_id=None, eos_token_id=None)
    GPT2LMHeadModel(config).save_pretrained(folder)
    for name in TOKENIZER_FILES:
        shutil.copy(EMBEDDED_FOLDER / name, folder)
    return folder
