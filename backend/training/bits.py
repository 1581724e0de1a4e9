"""Bits per byte on held-out text.

Not perplexity, because bits per byte do not depend on the tokenizer: the total surprisal of the
text in bits over its length in UTF-8 bytes.
"""

import math

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from training.packing import encode_documents
from training.tokenizer import END_OF_TEXT_ID


@torch.inference_mode()
def total_nats(model: GPT2LMHeadModel, ids: torch.Tensor, stride: int) -> float:
    """Surprisal of `ids[1:]` in nats, each id given up to `n_ctx - 1` ids before it.

    Windows of `n_ctx` advance by `stride` and score only what is new, so that past the first window
    every id is scored with at least `n_ctx - stride` ids of context.
    """
    n_ctx = model.config.n_positions
    total, scored = 0.0, 1
    start = 0
    while scored < len(ids):
        window = ids[start : start + n_ctx].unsqueeze(0)  # [1, positions]
        first = scored - start
        logits = model(window[:, :-1], use_cache=False).logits[0, first - 1 :].float()
        total += F.cross_entropy(logits, window[0, first:], reduction="sum").item()
        scored = start + window.shape[1]
        start += stride
    return total


def bits_per_byte(
    model: GPT2LMHeadModel, tokenizer: Tokenizer, documents: list[str], max_bytes: int
) -> tuple[float, int]:
    """Bits per byte over whole documents up to `max_bytes`, and the number of bytes scored.

    Every document is followed by `<|endoftext|>`, whose surprisal counts while it adds no byte.
    """
    chosen: list[str] = []
    n_bytes = 0
    for document in documents:
        size = len(document.encode("utf-8"))
        if n_bytes + size <= max_bytes:
            chosen.append(document)
            n_bytes += size
    ids = [END_OF_TEXT_ID]
    for array in encode_documents(tokenizer, chosen):
        ids.extend(array.tolist())
    nats = total_nats(model, torch.tensor(ids), stride=model.config.n_positions // 2)
    return nats / math.log(2.0) / n_bytes, n_bytes
