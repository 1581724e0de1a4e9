"""Lenses: what is done to the residual rows of a layer before the model's own tail decodes them.

The logit lens does nothing: it asks what the model would say if the remaining blocks added nothing.
A further lens is one more entry here; unembedding, metrics and memory bounds are shared.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from app.engine.types import LensKind

Lens = Callable[[torch.Tensor, int], torch.Tensor]
"""Rows of one layer, float32 `[rows, d_model]`, and the layer index -> rows to decode, same shape."""


def logit_lens(rows: torch.Tensor, _layer: int) -> torch.Tensor:
    """The rows as they are (nostalgebraist 2020)."""
    return rows


LENSES: dict[LensKind, Lens] = {"logit": logit_lens}
