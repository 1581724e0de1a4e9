"""Small models saved as folders, as `save_pretrained` writes them."""

from pathlib import Path
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from tests.engine.small_tokenizers import byte_level


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
