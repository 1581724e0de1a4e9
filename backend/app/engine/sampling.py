"""Choosing the next token from logits.

Sampling runs in float64 on the CPU with a generator of its own, so that one seed gives one reply on
every device and whatever else runs beside it.
"""

from __future__ import annotations

import torch

from app.engine.types import Sampling

FIRST_LOOK = 256
"""Top-p is first decided among this many tokens, and over the sorted vocabulary only if they do not suffice."""


class Sampler:
    """Chooses token after token by one `Sampling`; temperature 0 is greedy."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._generator = torch.Generator(device="cpu").manual_seed(sampling.seed)

    def choose(self, logits: torch.Tensor) -> int:
        """The next token. `logits`: float32 `[d_vocab]`, finite."""
        sampling = self._sampling
        return chosen_token(
            logits, self._generator, sampling.temperature, sampling.top_k, sampling.top_p
        )


def chosen_token(
    logits: torch.Tensor, generator: torch.Generator, temperature: float, top_k: int, top_p: float
) -> int:
    """As `Sampler.choose`, without a type of ours: an NDIF server runs this function too."""
    if temperature == 0:
        return int(logits.argmax())
    # Moved first: the GPU of a Mac has no float64 to convert to.
    scaled = logits.cpu().double()
    # Before the division: a tiny temperature then gives -inf at worst, never inf - inf.
    scaled = (scaled - scaled.max()) / temperature
    probabilities = torch.softmax(scaled, dim=-1)
    candidates = torch.arange(len(probabilities))
    if 0 < top_k < len(probabilities):
        probabilities, candidates = probabilities.topk(top_k)
        probabilities = probabilities / probabilities.sum()
    if top_p < 1.0:
        probabilities, chosen = _nucleus(probabilities, top_p)
        candidates = candidates[chosen]
    drawn = torch.rand((), dtype=torch.float64, generator=generator)
    cumulative = probabilities.cumsum(dim=-1)
    place = int(torch.searchsorted(cumulative, drawn * cumulative[-1], right=True))
    return int(candidates[min(place, len(candidates) - 1)])


def _nucleus(probabilities: torch.Tensor, top_p: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The fewest most probable tokens that together hold `top_p`, and where they were; at least one."""
    ordered, places = probabilities.topk(min(FIRST_LOOK, len(probabilities)))
    if float(ordered.sum()) < top_p:
        ordered, places = probabilities.sort(descending=True)
    # A token belongs while those before it do not yet hold top_p.
    before = ordered.cumsum(dim=-1) - ordered
    n = max(1, int((before < top_p).sum()))
    return ordered[:n], places[:n]
