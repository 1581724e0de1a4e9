"""Which of the told facts the model recalls, in phrasings it read and in others.

A prompt is a fact's phrasing cut before the object: `The capital of France is`. It is scored by the
rank of the object's first token right after it, and by whether greedy decoding writes the object.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from training.facts import FactPrompt

PROMPTS_PER_PASS = 32


@dataclass(frozen=True)
class Recall:
    """How the model completes one fact prompt."""

    prompt: FactPrompt
    rank: int
    """Of the object's first token after the prompt; 1-based, over the whole vocabulary."""
    is_completed: bool
    """Whether greedy decoding writes the whole object."""


@dataclass(frozen=True)
class RecallShare:
    """Recall over a group of prompts."""

    n_prompts: int
    top_1: float
    """Share of prompts after which the object's first token has rank 1, in [0, 1]."""
    top_5: float
    """The same, for a rank of 5 at most."""
    completed: float
    """Share of prompts after which greedy decoding writes the whole object."""


@torch.inference_mode()
def recall(
    model: GPT2LMHeadModel, tokenizer: Tokenizer, prompts: Sequence[FactPrompt]
) -> list[Recall]:
    """The recall of each prompt, in the order given."""
    pairs = [
        (tokenizer.encode(prompt.prompt).ids, tokenizer.encode(" " + prompt.object).ids)
        for prompt in prompts
    ]
    # Equal lengths go through the model together, so that no padding is needed.
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, (before, wanted) in enumerate(pairs):
        by_length[len(before) + len(wanted)].append(index)
    found: dict[int, Recall] = {}
    for indices in by_length.values():
        for start in range(0, len(indices), PROMPTS_PER_PASS):
            batch = indices[start : start + PROMPTS_PER_PASS]
            ids = torch.tensor([pairs[i][0] + pairs[i][1] for i in batch])
            logits = model(ids, use_cache=False).logits  # [prompts, positions, d_vocab]
            for row, index in zip(logits, batch, strict=True):
                before, wanted = pairs[index]
                first = row[len(before) - 1]
                written = row[len(before) - 1 : -1].argmax(-1).tolist()
                found[index] = Recall(
                    prompt=prompts[index],
                    rank=1 + int((first > first[wanted[0]]).sum()),
                    is_completed=written == wanted,
                )
    return [found[index] for index in range(len(pairs))]


def recall_share(recalls: Sequence[Recall]) -> RecallShare:
    """Shares over a group that is not empty."""
    n = len(recalls)
    return RecallShare(
        n_prompts=n,
        top_1=sum(r.rank == 1 for r in recalls) / n,
        top_5=sum(r.rank <= 5 for r in recalls) / n,
        completed=sum(r.is_completed for r in recalls) / n,
    )


def recall_table(recalls: Iterable[Recall]) -> dict[str, dict[str, dict[str, float]]]:
    """Shares by relation (`all` for every relation) and by how the prompt was seen in training."""
    groups: dict[str, dict[str, list[Recall]]] = defaultdict(lambda: defaultdict(list))
    for one in recalls:
        groups["all"][one.prompt.seen].append(one)
        groups[one.prompt.relation][one.prompt.seen].append(one)
    return {
        relation: {seen: asdict(recall_share(group)) for seen, group in by_seen.items()}
        for relation, by_seen in groups.items()
    }
