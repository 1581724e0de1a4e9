"""Learning rate and row length, as functions of how far the run has come.

Progress is the larger of tokens read over the token target and seconds spent over the time limit.
A run on a shared machine is bounded by time, and its learning rate must have decayed when the time
is up, however many tokens that was; a run bounded by tokens is the same on every machine.

The rate stays at its peak until the last part of the run and only then decays (Hägele et al. 2024,
arXiv:2405.18392). So a run whose length is not known beforehand can be ended at any time: resume it
with a bound of four thirds of the tokens read, and the decay begins. Rows get their full length when the decay begins, while
the rate is still high enough to learn long contexts from them.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """How a run is bounded and how its learning rate and row length follow."""

    target_tokens: int | None = None
    """Tokens after which the run is complete; None when only time bounds it."""
    limit_seconds: float | None = None
    """Training seconds after which the run is complete, over all resumes; None for no limit."""
    final_fraction: float = 0.01
    """Learning rate at the end, as a share of the peak."""
    warmup_fraction: float = 0.01
    """Share of the run in which the learning rate rises linearly."""
    decay_from: float = 0.75
    """Progress from which the learning rate decays."""
    short_row_length: int = 256
    full_row_length: int = 1024
    full_length_from: float = 0.75
    """Progress from which rows have the full length; before, attention is cheaper."""

    def __post_init__(self) -> None:
        if self.target_tokens is None and self.limit_seconds is None:
            raise ValueError("A run needs a bound: give a number of tokens or of minutes.")

    def progress(self, tokens_seen: int, seconds: float) -> float:
        """Share of the run that is done, in [0, 1]."""
        done = 0.0
        if self.target_tokens is not None:
            done = tokens_seen / self.target_tokens
        if self.limit_seconds is not None:
            done = max(done, seconds / self.limit_seconds)
        return min(done, 1.0)

    def rate_share(self, progress: float) -> float:
        """Share of the peak learning rate: linear warm-up, a plateau, then `1 - sqrt` to its end."""
        if progress < self.warmup_fraction:
            return max(progress / self.warmup_fraction, 0.01)
        if progress < self.decay_from:
            return 1.0
        decay = (progress - self.decay_from) / (1.0 - self.decay_from)
        return self.final_fraction + (1.0 - self.final_fraction) * (1.0 - math.sqrt(decay))

    def row_length(self, progress: float) -> int:
        """Tokens in a row: short at first, full in the last part."""
        return self.full_row_length if progress >= self.full_length_from else self.short_row_length
