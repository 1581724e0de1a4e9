"""The models that are measured: known shapes with random weights, which cost what real ones cost."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
)

from app.engine.model_names import EMBEDDED_FOLDER

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


def make_gpt2_shape(folder: Path) -> Path:
    """A folder with a model of GPT-2 small's shape, and the embedded model's tokenizer for its text."""
    torch.manual_seed(0)
    # No end token: every reply is as long as it is asked to be.
    config = GPT2Config(bos_token_id=None, eos_token_id=None)
    return _saved(GPT2LMHeadModel(config), folder)


def make_gemma_shape(folder: Path) -> Path:
    """The same of Gemma 3 270M's shape: 18 blocks and a vocabulary of 262,144 ids."""
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=262_144,
        hidden_size=640,
        intermediate_size=2048,
        num_hidden_layers=18,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=256,
        sliding_window=512,
        max_position_embeddings=32_768,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
    )
    return _saved(Gemma3ForCausalLM(config), folder)


def _saved(model: PreTrainedModel, folder: Path) -> Path:
    model.save_pretrained(folder)
    for name in TOKENIZER_FILES:
        shutil.copy(EMBEDDED_FOLDER / name, folder)
    return folder
