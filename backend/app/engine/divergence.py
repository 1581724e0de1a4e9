"""How far apart two next-token distributions are, from their logits.

Everything is in float32 over the whole vocabulary at temperature 1, in nats.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from app.engine.capture import TracedDecoder
from app.engine.types import Comparison, Pairs
from app.errors import ModelComputationError


def compare(
    decoder: TracedDecoder,
    a_rows: torch.Tensor,
    b_rows: torch.Tensor,
    positions: tuple[int, int],
    pairs: Pairs,
) -> Comparison:
    """One pair of positions; rows to decode are `[layer pairs, d_model]`."""
    columns: list[list[Any]] = []
    for layer_pair, *both in zip(pairs.layers, a_rows, b_rows, strict=True):
        a, b = decoder.decode(torch.stack(both))
        for side, logits, layer, position in zip("ab", (a, b), layer_pair, positions, strict=True):
            if not bool(torch.isfinite(logits).all()):
                raise ModelComputationError(
                    f"The logits of {side} read at layer {layer}, position {position}, are not all "
                    "finite numbers.",
                    hint="The weights of this model are damaged or overflow in its dtype.",
                )
        kl_ab, kl_ba, js = divergences(a.log_softmax(-1), b.log_softmax(-1))
        columns.append(
            [x.numpy() for x in (kl_ab, kl_ba, js, *scores(a, pairs), *scores(b, pairs))]
        )
    d_ab, d_ba, d_js, a_id, a_p, a_tp, a_tr, b_id, b_p, b_tp, b_tr = (
        np.stack(values, axis=-1)[..., None] for values in zip(*columns, strict=True)
    )
    return Comparison(
        pairs.layers, (positions,), d_ab, d_ba, d_js, a_id, a_p, b_id, b_p,
        pairs.targets, a_tp, a_tr, b_tp, b_tr,
    )  # fmt: skip


def divergences(
    a: torch.Tensor, b: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """KL(a ‖ b), KL(b ‖ a) and Jensen-Shannon divergence of log-probabilities `[..., d_vocab]`."""
    p, q, difference = a.exp(), b.exp(), a - b
    half = torch.log1p(torch.tanh(difference.abs() / 2))
    js = ((p + q) * half - torch.minimum(p, q) * difference.abs()).sum(-1) / 2
    return (
        (p * difference).sum(-1).clamp(min=0.0),
        -(q * difference).sum(-1).clamp(max=0.0),
        js.clamp(0.0, math.log(2)),
    )


def scores(logits: torch.Tensor, pairs: Pairs) -> tuple[torch.Tensor, ...]:
    """Top id, its probability; probability and rank of each target."""
    p = logits.softmax(-1)
    targets = torch.tensor(pairs.targets, dtype=torch.long)
    top = logits.argmax(-1)
    ranks = 1 + (logits[None] > logits[targets][:, None]).sum(-1)
    return top, p[top], p[targets], ranks
