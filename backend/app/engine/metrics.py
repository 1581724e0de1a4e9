"""Statistics of next-token distributions.

Everything is computed in float32 over the whole vocabulary at temperature 1. Entropy and KL
divergence are in nats; ranks are exact and 1-based: 1 + the number of larger logits.
"""

from __future__ import annotations

import torch


def log_probs(logits: torch.Tensor) -> torch.Tensor:
    """Natural-log probabilities. `logits`: float32 `[..., d_vocab]`."""
    return torch.log_softmax(logits, dim=-1)


def entropy_nats(log_p: torch.Tensor) -> torch.Tensor:
    """Entropy of distributions given as log-probabilities `[..., d_vocab]`, in [0, ln d_vocab]."""
    return -(log_p.exp() * log_p).sum(dim=-1).clamp(max=0.0)


def kl_nats(final_log_p: torch.Tensor, log_p: torch.Tensor) -> torch.Tensor:
    """KL(final ‖ layer) of log-probabilities `[..., d_vocab]`; at least 0, also after rounding."""
    return (final_log_p.exp() * (final_log_p - log_p)).sum(dim=-1).clamp(min=0.0)


def ranks(logits: torch.Tensor, token_ids: torch.Tensor) -> torch.Tensor:
    """Exact rank of one token in each row. `logits` `[rows, d_vocab]`, `token_ids` `[rows]`."""
    own = logits.gather(-1, token_ids[:, None])
    return 1 + (logits > own).sum(dim=-1)


def finite_rows(logits: torch.Tensor) -> torch.Tensor:
    """Which rows hold only finite numbers. `[rows, d_vocab]` -> bool `[rows]`."""
    # A sum is not finite when an addend is not, and takes a fraction of the time of isfinite.
    suspect = ~torch.isfinite(logits.sum(dim=-1))
    if not bool(suspect.any()):
        return ~suspect
    return torch.isfinite(logits).all(dim=-1)
