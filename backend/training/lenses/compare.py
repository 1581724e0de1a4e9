"""How near each lens comes to the model's own output, on text that no fit has read.

Rows, lenses and logits come from the engine, as they do when the server shows a lens, not from the
code that fits: a mistake there would show here.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from app.engine.capture import TracedDecoder
from app.engine.fitting.pace import Every
from app.engine.lenses import Lens
from app.engine.metrics import LogitsReader

logger = logging.getLogger(__name__)

COMPARISON_FILE = "comparison.json"
"""Beside the lenses."""
CHUNK_BYTES = 2**25
"""Of one float32 array of logits; a few are alive at once."""


@dataclass(frozen=True)
class LayerScore:
    """One lens at one layer, over all positions."""

    lens: str
    layer: int
    mean_kl_nats: float
    """KL(final ‖ lens)"""
    median_rank: float
    """Of the final token, the argmax of the model's output; 1 is the lens's own argmax."""
    mean_rank: float


@torch.inference_mode()
def score_lenses(
    decoder: TracedDecoder, sequences: torch.Tensor, lenses: dict[str, Lens]
) -> list[LayerScore]:
    """Scores of every lens at every layer but the last, over all positions of all sequences.

    `sequences`: int64 `[sequences, positions]`.
    """
    reads = [(name, layer) for name in lenses for layer in range(decoder.n_layers)]
    kls: dict[tuple[str, int], list[torch.Tensor]] = {read: [] for read in reads}
    final_ranks: dict[tuple[str, int], list[torch.Tensor]] = {read: [] for read in reads}
    size = max(1, CHUNK_BYTES // (4 * decoder.d_vocab))
    reader = LogitsReader(decoder.d_vocab, decoder.device)
    log = Every(5.0)
    for number, ids in enumerate(sequences.tolist()):
        rows = decoder.empty_rows(len(ids))
        decoder.forward(ids, None, rows)
        for chunk in rows.to(decoder.device).split(size):  # [positions, n_layers + 1, d_model]
            final_logits = decoder.decode(chunk[:, -1])
            final, final_ids = reader.reference(final_logits), final_logits.argmax(dim=-1)
            for name, layer in reads:
                logits = decoder.decode(lenses[name](chunk[:, layer], layer))
                found = reader.read(logits[:, None], final_ids[None], 1, final)
                kls[name, layer].append(found.kl_to_final_nats[:, 0].cpu())
                final_ranks[name, layer].append(found.token_ranks[0, :, 0].cpu())
        if log.is_due():
            logger.info("compared on sequence %d of %d", number + 1, len(sequences))
    return [
        LayerScore(
            lens=name,
            layer=layer,
            mean_kl_nats=float(torch.cat(kls[name, layer]).mean()),
            median_rank=float(np.median(torch.cat(final_ranks[name, layer]).numpy())),
            mean_rank=float(torch.cat(final_ranks[name, layer]).double().mean()),
        )
        for name, layer in reads
    ]


def markdown_table(scores: Sequence[LayerScore]) -> str:
    """A row for each layer: divergence, then median and mean rank, of each lens."""
    names = list(dict.fromkeys(score.lens for score in scores))
    cells = {(score.lens, score.layer): score for score in scores}
    heads = [f"{name} KL (nats)" for name in names]
    heads += [f"{name} rank, median (mean)" for name in names]
    lines = [f"| layer | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    for layer in sorted({score.layer for score in scores}):
        of_layer = [cells[name, layer] for name in names]
        values = [f"{score.mean_kl_nats:.3f}" for score in of_layer]
        values += [f"{score.median_rank:g} ({score.mean_rank:,.1f})" for score in of_layer]
        lines.append(f"| {layer} | {' | '.join(values)} |")
    return "\n".join(lines)


def write_comparison(path: Path, facts: dict[str, Any], scores: Sequence[LayerScore]) -> None:
    """Store scores with what they were measured on."""
    content = {**facts, "scores": [asdict(score) for score in scores]}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
