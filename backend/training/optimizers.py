"""The optimisers of a run: Muon for the matrices inside the blocks, AdamW for everything else.

Muon (Jordan 2024; Liu et al. 2025, arXiv:2502.16982) steps along the orthogonalised momentum, so
that all directions of a matrix learn at the same pace. A CPU run reads few tokens, and Muon needs
about half as many as AdamW for the same loss. It is defined for matrices that map one space to
another; embeddings, biases and norms stay with AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101).
"""

from dataclasses import dataclass

import torch
from transformers import GPT2LMHeadModel


@dataclass(frozen=True)
class PeakRates:
    """Learning rates at the top of the schedule."""

    muon: float = 5e-3
    """For matrices in the blocks; scaled per matrix to the size of AdamW's updates."""
    adamw: float = 3e-3
    """For embeddings, biases and norms."""


def build_optimizers(
    model: GPT2LMHeadModel, rates: PeakRates, weight_decay: float
) -> list[torch.optim.Optimizer]:
    """Muon and AdamW over all parameters, each once; every group keeps its rate in `peak_lr`.

    Weight decay acts on the matrices in the blocks only.
    """
    matrices = [p for p in model.transformer.h.parameters() if p.dim() == 2]
    known = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in known]
    muon = torch.optim.Muon(
        [{"params": matrices, "peak_lr": rates.muon}],
        lr=0.0,
        weight_decay=weight_decay,
        momentum=0.95,
        adjust_lr_fn="match_rms_adamw",
    )
    adamw = torch.optim.AdamW(
        [{"params": others, "peak_lr": rates.adamw}],
        lr=0.0,
        weight_decay=0.0,
        betas=(0.9, 0.98),
        fused=True,
    )
    return [muon, adamw]
