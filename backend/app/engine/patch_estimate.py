"""What the cells of a map would be if the model were linear between its two runs.

Attribution patching (Syed et al. 2023, arXiv:2310.10348): the change of a stream times the slope of the
metric along it. The slope goes from block to block downwards, each differentiated by itself from the
stored stream that enters it, so that a turn is one block and not a whole backward pass.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
import torch

from app.engine.capture import TracedDecoder
from app.engine.cone import run_blocks
from app.engine.gradients import HookedDecoder
from app.engine.patch_pair import Pair
from app.engine.patching_types import MapEstimate, MapWanted

MAX_GRADIENT_TOKENS = 512
"""A backward pass through a block holds what it computed for each token."""


def estimated(
    decoder: TracedDecoder, pair: Pair, wanted: MapWanted
) -> Generator[None, None, MapEstimate]:
    """Scores of all cells of residual streams. An item stands between two blocks."""
    ends = pair.ends
    gradients = yield from stream_gradients(
        decoder, pair.base.ids, pair.base.rows, ends.answer, ends.foil
    )
    scores = np.zeros((len(wanted.rows), len(pair.positions)))
    bases = [base for base, _ in pair.positions]
    sources = [source for _, source in pair.positions]
    for number, row in enumerate(wanted.rows):
        change = pair.source_rows(row.layer, sources) - pair.base.rows[bases, row.layer]
        effect = (change.double() * gradients[bases, row.layer].double()).sum(-1)
        scores[number] = effect.numpy() / (pair.source_value - pair.base_value)
    return MapEstimate(scores.astype(np.float32), None)


def stream_gradients(
    decoder: TracedDecoder, ids: Sequence[int], rows: torch.Tensor, answer: int, foil: int
) -> Generator[None, None, torch.Tensor]:
    """How the last position's logit of `answer` less that of `foil` depends on each residual stream.

    `rows` are the streams, float32 `[len(ids), n_layers + 1, d_model]`; so is what is returned.
    """
    n_layers = decoder.n_layers
    gradients = torch.zeros_like(rows)
    gradients[-1, n_layers] = _through_tail(decoder, rows[-1, n_layers], answer, foil)
    for block in range(n_layers, 0, -1):
        yield
        gradients[:, block - 1] = _through_block(
            decoder, ids, rows[:, block - 1], block, gradients[:, block]
        )
    return gradients


def _through_tail(
    decoder: TracedDecoder, row: torch.Tensor, answer: int, foil: int
) -> torch.Tensor:
    with torch.inference_mode(False), torch.enable_grad():
        hooked = HookedDecoder(decoder.model, decoder.structure)
        leaf = row.to(decoder.device, copy=True).requires_grad_()
        logits = hooked.decode(leaf[None])[0]
        return torch.autograd.grad(logits[answer] - logits[foil], leaf)[0].float().cpu()


def _through_block(
    decoder: TracedDecoder,
    ids: Sequence[int],
    stream: torch.Tensor,
    block: int,
    after: torch.Tensor,
) -> torch.Tensor:
    """From the slope along what a block puts out to that along what enters it, `[len(ids), d_model]`."""
    with torch.inference_mode(False), torch.enable_grad():
        leaf = stream.to(decoder.device, decoder.residual_dtype, copy=True).requires_grad_()
        # Counted as one pass of the text through all blocks.
        n_new = int(block == decoder.n_layers)
        out = run_blocks(decoder, ids, leaf[None], (block, block), n_new=n_new)[0]
        slope = after.to(out.device, out.dtype, copy=True)
        return torch.autograd.grad(out, leaf, slope)[0].float().cpu()
