"""What a head does with the tokens that it reads: its weights say where it looks, not what it uses."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from app.engine.attention_rows import AttentionRow
from app.engine.attribution import Question, by_source, project
from app.engine.frozen import matrix_of
from app.engine.replay import WriteRecord


def used(
    writes: Sequence[WriteRecord], row: AttentionRow, question: Question | None
) -> torch.Tensor:
    """By head and source of one block, `[heads, sources]`: what is added to the logits that are asked
    about or, where none are, the length of what is written. Raises NotLinear."""
    record = next(write for write in writes if write.write.kind == "attn")
    if question is None:
        return row.weights * _written_norms(record, row)
    directions = question.found.directions[:1]
    if len(question.found.directions) > 1:
        directions = directions - question.found.directions[1:]
    return by_source(project(record, directions), row)[0]


def _written_norms(record: WriteRecord, row: AttentionRow) -> torch.Tensor:
    """Length of what each source's value would write through each head: `[heads, sources]`.

    Kobayashi et al. 2020, "Attention is Not Only a Weight" (arXiv:2004.10102), without the weight.
    """
    assert record.linear is not None
    assert row.values is not None
    n_heads = len(row.weights)
    values = row.values.float()
    matrix = record.write.scale * matrix_of(record.linear).float()
    if record.write.has_norm:
        identity = torch.eye(matrix.shape[0], dtype=torch.float64, device=matrix.device)
        matrix = project(record, identity).inputs().float()
    by_head = matrix.view(matrix.shape[0], n_heads, -1).permute(1, 2, 0)
    # |v W|^2 = v (W W') v': products of the size of a head, whatever the length of the text.
    grams = by_head @ by_head.transpose(1, 2)
    repeated = values.repeat_interleave(n_heads // len(values), 0)
    return ((repeated @ grams) * repeated).sum(-1).clamp(min=0).sqrt()
