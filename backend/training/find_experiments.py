"""The `find-experiments` step: interventions that change an answer, each tried on the shipped weights.

For every kind there is a list of candidates, and the first one whose answer really changes is taken.
The runs are plain transformers with hooks, not the product's engine, so that the engine's own numbers
for an experiment are held to these by a test.
"""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, GPT2LMHeadModel

from training.depth import fact_depth
from training.find_examples import note
from training.tokenizer import END_OF_TEXT_ID, load_tokenizer

logger = logging.getLogger(__name__)

EXPERIMENTS_FILE = "experiments.json"
MIN_BEFORE = 0.5
"""Probability of the first choice of the plain run: below that, little is needed to change it."""
MIN_AFTER = 0.4
"""Probability of what takes its place: below that, the answer is gone and no other has come."""
REPLY_TOKENS = 16

Experiment = dict[str, Any]
Change = Callable[[torch.Tensor], torch.Tensor]
"""From what a module puts out, `[1, n_tokens, d_model]`, to what it is to put out."""


@dataclass(frozen=True)
class Choice:
    """What the model would say next."""

    token: str
    probability: float


PATCHES = (("Spain", "France"), ("Italy", "Japan"), ("Japan", "Russia"), ("Greece", "Cuba"))
"""Whose country goes where: the text of the second is run with a vector of the first."""
PATCH_LAYERS = (6, 5, 4, 7)
ABLATED = ("The opposite of hot is", "The opposite of up is", "People in Brazil speak")
STEERED = ("What do you like?", "What do you want?", "Tell me a story.")
DIRECTIONS = (" music", " fish", " snow", " dog")
STEERED_LAYERS = (6, 8, 5)
STRENGTHS = (0.3, 0.2, 0.4)


@contextmanager
def changed(module: torch.nn.Module, change: Change) -> Iterator[None]:
    """While it is open, the module's output is what `change` makes of it."""

    def hook(_module: torch.nn.Module, _inputs: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return (change(output[0].clone()), *output[1:])
        return change(output.clone())

    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


@torch.inference_mode()
def first_choice(model: GPT2LMHeadModel, tokenizer: Tokenizer, ids: Sequence[int]) -> Choice:
    """The most probable next token."""
    probabilities = model(torch.tensor([list(ids)]), use_cache=False).logits[0, -1].softmax(-1)
    best = int(probabilities.argmax())
    return Choice(tokenizer.decode([best]), float(probabilities[best]))


@torch.inference_mode()
def rows_after(model: GPT2LMHeadModel, ids: Sequence[int], layer: int) -> torch.Tensor:
    """The residual stream after block `layer`: `[n_tokens, d_model]`."""
    kept: list[torch.Tensor] = []

    def keep(rows: torch.Tensor) -> torch.Tensor:
        kept.append(rows[0])
        return rows

    with changed(model.transformer.h[layer - 1], keep):
        model(torch.tensor([list(ids)]), use_cache=False)
    return kept[0]


def token_direction(model: GPT2LMHeadModel, token_id: int) -> torch.Tensor:
    """What raises a token's logit, of length 1: its unembedding row through the weight of the final norm, centred as the norm centres."""
    row: torch.Tensor = model.lm_head.weight.detach()[token_id]
    row = row * model.transformer.ln_f.weight.detach()
    row = row - row.mean()
    return torch.nn.functional.normalize(row, dim=0)


def patched_capital(model: GPT2LMHeadModel, tokenizer: Tokenizer) -> Experiment | None:
    """The vector of one country at the place of another, in the middle of the model."""
    for (source, target), layer in ((p, n) for p in PATCHES for n in PATCH_LAYERS):
        texts = [f"The capital of {country} is" for country in (source, target)]
        from_ids, ids = (tokenizer.encode(text).ids for text in texts)
        differing = [at for at, (a, b) in enumerate(zip(from_ids, ids, strict=False)) if a != b]
        if len(from_ids) != len(ids) or len(differing) != 1 or layer > len(model.transformer.h):
            continue
        at = differing[0]
        rows = rows_after(model, from_ids, layer)

        def put(output: torch.Tensor, at: int = at, rows: torch.Tensor = rows) -> torch.Tensor:
            output[0, at] = rows[at]
            return output

        other = first_choice(model, tokenizer, from_ids)
        before = first_choice(model, tokenizer, ids)
        with changed(model.transformer.h[layer - 1], put):
            after = first_choice(model, tokenizer, ids)
        if after.token != other.token or not is_clear(before, after):
            continue
        return {
            "title": "Move a capital",
            "question": "Can one vector move a capital?",
            "mode": "completion",
            "text": texts[1],
            "watch": before.token,
            "note": note(fact_depth(model, tokenizer, texts[1], before.token.strip())),
            "experiment": {
                "question": f"At layer {layer}, the vector of “ {target}” is replaced by that of “ {source}” "
                f"in “{texts[0]}”. Every other vector stays. What comes next?",
                "choices": [before.token, after.token, f" {source}"],
                **measured(before, after),
                "interventions": [
                    {
                        "site": "resid",
                        "layers": [layer],
                        "positions": [at],
                        "op": {
                            "kind": "replace",
                            "from": {"token_ids": from_ids},
                            "positions": [at],
                        },
                    }
                ],
                "note": f"One vector of {len(ids)} carries the country at layer {layer}: with that of “ {source}” "
                f"there, the answer is the capital of {source}.",
            },
        }
    return None


def ablated_mlp(model: GPT2LMHeadModel, tokenizer: Tokenizer) -> Experiment | None:
    """An MLP without which another answer wins; the first block's is left out, for nothing works without it."""
    for text in ABLATED:
        ids = tokenizer.encode(text).ids
        before = first_choice(model, tokenizer, ids)
        for block, module in list(enumerate(model.transformer.h, start=1))[1:]:
            with changed(module.mlp, torch.zeros_like):
                after = first_choice(model, tokenizer, ids)
            if not is_clear(before, after):
                continue
            subject = text.split()[-2] if after.token == f" {text.split()[-2]}" else None
            return {
                "title": "Take away an MLP",
                "question": "What if one MLP writes nothing?",
                "mode": "completion",
                "text": text,
                "watch": before.token,
                "note": note(fact_depth(model, tokenizer, text, before.token.strip())),
                "experiment": {
                    "question": f"The MLP of block {block} writes nothing, at every token. "
                    "What comes next?",
                    "choices": [before.token, after.token, " the"],
                    **measured(before, after),
                    "interventions": [
                        {
                            "site": "mlp",
                            "layers": [block],
                            "positions": "all",
                            "op": {"kind": "zero"},
                        }
                    ],
                    "note": f"This one MLP of {len(model.transformer.h)} is needed for the answer"
                    + (
                        f"; without it the model repeats “ {subject}”, the word that it was asked about."
                        if subject
                        else "."
                    ),
                },
            }
    return None


def steered_reply(model: GPT2LMHeadModel, tokenizer: Tokenizer) -> Experiment | None:
    """A direction added while the reply is written, weak enough that it stays a sentence."""
    cases = (
        (text, word, layer, strength)
        for text in STEERED
        for word in DIRECTIONS
        for layer in STEERED_LAYERS
        for strength in STRENGTHS
    )
    for text, word, layer, strength in cases:
        target = tokenizer.encode(word).ids
        if len(target) != 1 or layer > len(model.transformer.h):
            continue
        prompt = tokenizer.encode(f"User: {text}\nAssistant:").ids
        direction = token_direction(model, target[0])
        before, after, most = (
            steered_line(model, tokenizer, prompt, layer, direction * times)
            for times in (0.0, strength, 3 * strength)
        )
        if word in before or after.count(word) != 1 or not after.endswith("."):
            continue
        if not most.startswith(word * 4):
            continue
        # What the steered reply has in place of the word: where the two part.
        words = before.removesuffix(".").split(" ")
        said = f"User: {text}\nAssistant:" + " ".join(words[:-1])
        watch = f" {words[-1]}"
        return {
            "title": "Steer a reply",
            "question": f"Can a reply be steered to{word}?",
            "mode": "chat",
            "text": text,
            "watch": watch,
            "note": note(fact_depth(model, tokenizer, said, watch.strip())),
            "experiment": {
                "question": f"While the reply is written, the direction of “{word}” is added at layer {layer}, "
                f"{strength:g} times as long as the vector there. What is the reply?",
                "choices": [before, after, word * 4],
                "before": {"text": before, "probability": None},
                "after": {"text": after, "probability": None},
                "interventions": [
                    {
                        "site": "resid",
                        "layers": [layer],
                        "positions": "reply",
                        "op": {
                            "kind": "add",
                            "direction": {"kind": "token", "token_id": target[0]},
                            "strength": strength,
                        },
                    }
                ],
                "note": "A push at one layer chooses what the sentence is about, and the sentence stays whole. "
                "A push three times as strong leaves nothing but the word.",
            },
        }
    return None


def steered_line(
    model: GPT2LMHeadModel,
    tokenizer: Tokenizer,
    prompt: Sequence[int],
    layer: int,
    push: torch.Tensor,
) -> str:
    """The reply's first line, with `push` times the length of the stream added where it is chosen."""
    start = len(prompt) - 1

    def add(output: torch.Tensor) -> torch.Tensor:
        rows = output[:, start:]
        output[:, start:] = rows + rows.norm(dim=-1, keepdim=True) * push
        return output

    with changed(model.transformer.h[layer - 1], add):
        return greedy_line(model, tokenizer, prompt)


@torch.inference_mode()
def greedy_line(model: GPT2LMHeadModel, tokenizer: Tokenizer, prompt: Sequence[int]) -> str:
    """The first line of a greedy reply. Without a cache, so that hooks see every position."""
    ids = list(prompt)
    for _ in range(REPLY_TOKENS):
        best = int(model(torch.tensor([ids]), use_cache=False).logits[0, -1].argmax())
        if best == END_OF_TEXT_ID:
            break
        ids.append(best)
    reply: str = tokenizer.decode(ids[len(prompt) :])
    return reply.split("\n", 1)[0]


def is_clear(before: Choice, after: Choice) -> bool:
    """Whether a sure answer became another sure answer."""
    return (
        before.token != after.token
        and before.probability >= MIN_BEFORE
        and after.probability >= MIN_AFTER
    )


def measured(before: Choice, after: Choice) -> Experiment:
    return {
        name: {"text": choice.token, "probability": round(choice.probability, 4)}
        for name, choice in (("before", before), ("after", after))
    }


SEARCHES = (patched_capital, ablated_mlp, steered_reply)


def find_experiments(folder: Path) -> None:
    """Write `experiments.json` beside the weights."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = load_tokenizer(folder)
    found = []
    for search in SEARCHES:
        experiment = search(model, tokenizer)
        if experiment is None:
            logger.warning("%s: no candidate holds on these weights", search.__name__)
            continue
        found.append(experiment)
        logger.info("%s | %s", experiment["title"], experiment["experiment"]["note"])
    text = json.dumps(found, ensure_ascii=False, indent=2)
    (folder / EXPERIMENTS_FILE).write_text(f"{text}\n", encoding="utf-8")
