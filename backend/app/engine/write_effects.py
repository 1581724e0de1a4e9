"""What the attention and the MLP of a block promote and suppress.

What is added to the stream is decoded as a part of the last stream: through the final norm with the
scale that it has at this token, and the unembedding. Through the norm with statistics of its own a
small write would look as large as the whole stream. So each number is the same direct effect as a
part of an attribution against the mean of all logits, for every token of the vocabulary at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from app.engine.capture import TracedDecoder
from app.engine.causes_types import WriteEffect
from app.engine.frozen_tail import FrozenTail, freeze_tail
from app.engine.replay import TokenRecord


def write_effects(
    decoder: TracedDecoder, record: TokenRecord, block: int, top_k: int
) -> tuple[FrozenTail, tuple[WriteEffect, ...]]:
    """The `top_k` tokens that each write of a block raises and lowers most. Raises NotLinear."""
    tail = freeze_tail(decoder, record.streams[-1])
    writes = record.blocks[block - 1]
    device = tail.logits.device
    vectors = [write.write.scale * write.output.double().to(device) for write in writes]
    effects = tail.effects(torch.stack(vectors))
    return tail, tuple(
        WriteEffect(write.write.kind, _listed(row, top_k, True), _listed(row, top_k, False))
        for write, row in zip(writes, effects, strict=True)
    )


def _listed(row: torch.Tensor, top_k: int, largest: bool) -> tuple[tuple[int, float], ...]:
    found = row.topk(min(top_k, len(row)), largest=largest)
    ids: Sequence[int] = found.indices.tolist()
    return tuple(zip(ids, found.values.tolist(), strict=True))
