"""The optimisers of a run: Muon for the matrices inside the blocks, AdamW for everything else.

Muon (Jordan 2024; Liu et al. 2025, arXiv:2502.16982) steps along the orthogonalised momentum, so
that all directions of a matrix learn at the same pace. A CPU run reads few tokens, and Muon needs
about half as many as AdamW for the same loss. It is defined for matrices that map one space to
another; embeddings, biases and norms stay with AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101).
"""

import math
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


def multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for products in bfloat16, and PyTorch uses them."""
    is_supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    return bool(is_supported())


class Float32Muon(torch.optim.Muon):
    """Muon whose momentum is orthogonalised in float32 in place of bfloat16.

    For processors without instructions for bfloat16: there the products of PyTorch's own take seven
    tenths of a whole step of a small model.
    """

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """One step along the gradients."""
        for group in self.param_groups:
            # Moonshot's rule (arXiv:2502.16982): updates as large as AdamW's usually are.
            assert group["adjust_lr_fn"] == "match_rms_adamw"
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(weight.grad)
                momentum = state["momentum_buffer"].lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(momentum, group["momentum"])
                update = orthogonalised(ahead, group["ns_coefficients"], group["ns_steps"])
                size = 0.2 * math.sqrt(max(weight.shape))
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(update, alpha=-group["lr"] * size)


def orthogonalised(
    matrix: torch.Tensor, coefficients: tuple[float, float, float], n_iterations: int
) -> torch.Tensor:
    """A matrix with all singular values near 1, between the same singular vectors.

    By the quintic Newton-Schulz iteration of Jordan 2024, in the dtype of the matrix.
    """
    a, b, c = coefficients
    is_tall = matrix.shape[0] > matrix.shape[1]
    found = matrix.T if is_tall else matrix
    found = found / found.norm().clamp(min=1e-7)
    for _ in range(n_iterations):
        gram = found @ found.T
        found = torch.addmm(found, torch.addmm(gram, gram, gram, beta=b, alpha=c), found, beta=a)
    return found.T if is_tall else found


def build_optimizers(
    model: GPT2LMHeadModel, rates: PeakRates, weight_decay: float
) -> list[torch.optim.Optimizer]:
    """Muon and AdamW over all parameters, each once; every group keeps its rate in `peak_lr`.

    Weight decay acts on the matrices in the blocks only.
    """
    matrices = [p for p in model.transformer.h.parameters() if p.dim() == 2]
    known = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in known]
    on_cpu = all(matrix.device.type == "cpu" for matrix in matrices)
    kind = Float32Muon if on_cpu and not multiplies_bfloat16() else torch.optim.Muon
    muon = kind(
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
