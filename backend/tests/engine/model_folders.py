"""Small models saved as folders, as `save_pretrained` writes them, changed there, and loaded."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2LMHeadModel

from app.engine.loading import load_files
from app.engine.sources import find_model
from tests.engine.small_tokenizers import byte_level

SMALL: dict[str, Any] = {"store_bytes": 2**24, "readout_bytes": 2**20, "threads": 1}
"""Settings of an engine for them."""


def save_tiny_gpt2(folder: Path, **options: Any) -> GPT2LMHeadModel:
    """A seeded random GPT-2 of two blocks with its tokenizer, in safetensors."""
    tokenizer = byte_level(("<|endoftext|>",))
    torch.manual_seed(0)
    config = GPT2Config(
        n_layer=2,
        n_head=2,
        n_embd=16,
        n_positions=64,
        vocab_size=len(tokenizer),
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPT2LMHeadModel(config)
    model.save_pretrained(folder, **options)
    tokenizer.save_pretrained(folder)
    return model


def load(folder: Path) -> Any:
    return load_files(find_model(str(folder)), torch.device("cpu"))


def edit_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


def copy_without(saved: Path, folder: Path, *names: str) -> Path:
    """Copies a saved model, but for some of its files."""
    shutil.copytree(saved, folder)
    for name in names:
        (folder / name).unlink()
    return folder
