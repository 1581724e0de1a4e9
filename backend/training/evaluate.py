"""What the model can do: bits per byte on held-out text, recalled facts, sample turns.

Bits per byte, not perplexity, because it does not depend on the tokenizer: the total surprisal of
the text in bits over its length in UTF-8 bytes.
"""

import json
import logging
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, GPT2LMHeadModel, set_seed

from training.checkpoint import CHECKPOINT_FILE, load_checkpoint, restore_model
from training.mix import MAIN_SOURCE, SOURCES
from training.packing import encode_documents
from training.tokenizer import END_OF_TEXT_ID, load_tokenizer

logger = logging.getLogger(__name__)

SAMPLE_PROMPTS: tuple[str, ...] = (
    "Hello!",
    "What is the capital of France?",
    "What is a volcano?",
    "Do you like movies?",
    "Tell me about the Moon.",
)
FACTS_PER_GROUP = 400


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


@torch.inference_mode()
def continues_with(model: GPT2LMHeadModel, prompt: list[int], expected: list[int]) -> bool:
    """Whether greedy decoding from `prompt` gives exactly `expected`."""
    logits = model(torch.tensor([prompt + expected]), use_cache=False).logits[0]
    predicted = logits[len(prompt) - 1 : -1].argmax(-1).tolist()
    return bool(predicted == expected)


def recalled_facts(model: GPT2LMHeadModel, tokenizer: Tokenizer, path: Path) -> dict[str, str]:
    """Share of fact prompts completed greedily, for told and for held-out phrasings."""
    prompts = json.loads(path.read_text(encoding="utf-8"))
    shares: dict[str, str] = {}
    for is_held_out, label in ((False, "told phrasings"), (True, "held-out phrasings")):
        group = [prompt for prompt in prompts if prompt["is_held_out"] is is_held_out]
        group = group[:: max(1, len(group) // FACTS_PER_GROUP)]
        correct = sum(
            continues_with(
                model,
                tokenizer.encode(prompt["prompt"]).ids,
                tokenizer.encode(" " + prompt["object"]).ids,
            )
            for prompt in group
        )
        shares[label] = f"{correct} of {len(group)}"
    return shares


@torch.inference_mode()
def chat_reply(
    model: GPT2LMHeadModel, tokenizer: Tokenizer, text: str, seed: int, temperature: float
) -> str:
    """The reply to one message in the built-in template, as generated, cut at `\\nUser:`."""
    set_seed(seed)
    ids = torch.tensor([tokenizer.encode(f"User: {text}\nAssistant:").ids])
    output = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=80,
        do_sample=temperature > 0.0,
        temperature=temperature if temperature > 0.0 else None,
        pad_token_id=END_OF_TEXT_ID,
    )
    reply = tokenizer.decode(output[0, ids.shape[1] :].tolist(), skip_special_tokens=True)
    return reply.split("\nUser:")[0]


def evaluate(work: Path, folder: Path | None, max_bytes: int, seed: int) -> None:
    """Log bits per byte of every held-out source, recalled facts and sample turns."""
    if folder is None:
        stored = load_checkpoint(work / CHECKPOINT_FILE)
        logger.info("checkpoint: %s", stored["progress"])
        model = restore_model(stored)
    else:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model.eval()
    tokenizer = load_tokenizer(work)
    for text in SAMPLE_PROMPTS:
        logger.info("User: %s", text)
        logger.info("  greedy: %r", chat_reply(model, tokenizer, text, seed, temperature=0.0))
        logger.info("  0.7:    %r", chat_reply(model, tokenizer, text, seed, temperature=0.7))
    for label, share in recalled_facts(model, tokenizer, work / "fact_prompts.json").items():
        logger.info("facts, %s: %s", label, share)
    for source in SOURCES:
        path = work / "held_out" / f"{source.name}.json"
        if path.exists():
            limit = max_bytes if source.name == MAIN_SOURCE else min(max_bytes, 100_000)
            documents = json.loads(path.read_text(encoding="utf-8"))
            value, n_bytes = bits_per_byte(model, tokenizer, documents, limit)
            logger.info("%s: %.4f bits per byte over %d bytes", source.name, value, n_bytes)
