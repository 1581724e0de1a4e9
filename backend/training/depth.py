"""What the logit lens shows over the depth of the model: entropy, rank of the final token, facts.

Computed with plain transformers and not with the product's engine, so that the card's numbers are a
second opinion on what the page shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from training.recall import Recall

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LensRow:
    """The logit lens at one layer, over many positions of held-out text."""

    layer: int
    median_entropy_nats: float
    median_rank: float
    """Of the token that the last layer ranks first."""
    share_rank_1: float
    """Share of positions at which the layer already ranks that token first."""


@dataclass(frozen=True)
class FactDepth:
    """How one recalled fact forms, layer by layer."""

    prompt: str
    object: str
    token: str
    """The object's first token."""
    ranks: tuple[int, ...]
    """Of that token after the prompt, from layer 0 to the last."""
    decided_at: int
    """The layer from which on its rank is 1."""
    probability: float
    """At the last layer."""


@torch.inference_mode()
def lens_logits(model: GPT2LMHeadModel, ids: Sequence[int]) -> torch.Tensor:
    """Logits of every layer and position: `[n_layers + 1, positions, d_vocab]`."""
    output = model(torch.tensor([list(ids)]), use_cache=False, output_hidden_states=True)
    # The last of the hidden states is normed already; it is replaced by the model's own logits.
    earlier = torch.stack([hidden[0] for hidden in output.hidden_states[:-1]])
    logits = model.lm_head(model.transformer.ln_f(earlier))
    return torch.cat([logits, output.logits])


def lens_rows(model: GPT2LMHeadModel, rows: Sequence[Sequence[int]]) -> list[LensRow]:
    """The lens over depth, on rows of token ids."""
    entropies: list[Array] = []
    ranks: list[Array] = []
    for ids in rows:
        logits = lens_logits(model, ids)  # [layers, positions, d_vocab]
        log_p = logits.log_softmax(-1)
        entropies.append((-(log_p.exp() * log_p).sum(-1)).double().numpy())
        final = logits[-1].argmax(-1)[None, :, None].expand(len(logits), -1, -1)
        ranks.append((1 + (logits > logits.gather(-1, final)).sum(-1)).double().numpy())
    entropy, rank = np.concatenate(entropies, axis=1), np.concatenate(ranks, axis=1)
    return [
        LensRow(
            layer=layer,
            median_entropy_nats=float(np.median(entropy[layer])),
            median_rank=float(np.median(rank[layer])),
            share_rank_1=float((rank[layer] == 1).mean()),
        )
        for layer in range(len(entropy))
    ]


def fact_depth(
    model: GPT2LMHeadModel, tokenizer: Tokenizer, prompt: str, object_: str
) -> FactDepth:
    """The layers of `object_` after `prompt`."""
    token = tokenizer.encode(" " + object_).ids[0]
    logits = lens_logits(model, tokenizer.encode(prompt).ids)[:, -1]  # [layers, d_vocab]
    ranks = (1 + (logits > logits[:, token, None]).sum(-1)).tolist()
    return FactDepth(
        prompt=prompt,
        object=object_,
        token=tokenizer.decode([token]),
        ranks=tuple(ranks),
        decided_at=decided_at(ranks),
        probability=float(logits[-1].softmax(-1)[token]),
    )


def decided_at(ranks: Sequence[int]) -> int:
    """The first layer from which on the rank is 1; one past the last layer when it ends above."""
    layer = len(ranks)
    while layer > 0 and ranks[layer - 1] == 1:
        layer -= 1
    return layer


def varied(recalls: Sequence[Recall], wanted: int, per_relation: int = 2) -> list[Recall]:
    """Up to `wanted` completed prompts in told phrasings, of different subjects and relations."""
    chosen: list[Recall] = []
    for one in recalls:
        same = [c for c in chosen if c.prompt.relation == one.prompt.relation]
        is_known = any(c.prompt.subject == one.prompt.subject for c in chosen)
        is_good = one.is_completed and one.prompt.seen == "told"
        if is_good and not is_known and len(same) < per_relation and len(chosen) < wanted:
            chosen.append(one)
    return chosen
