"""Plans of jobs: the names of the modules of a model and the request, as plain data."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from app.engine.structure import Structure
from app.engine.types import Layer, Pairs, Sampling, Side, Wanted
from app.errors import UnsupportedArchitecture

CHUNK_BYTES = 256 * 2**20
"""Logits, in float32, that a job decodes at once."""
STREAM_BYTES = 2**30
"""Residual streams, in float32, that a job holds."""
STOP_TOKENS = 32
"""Last tokens of a reply in which a job looks for stop strings."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What every plan says of the model."""

    blocks: tuple[str, ...]
    """Dotted paths."""
    cache_name: str
    """Of the argument and of the output that hold the cache."""
    keeps_last: bool
    """Whether a pass can be asked for the logits of the last position only."""
    d_model: int
    d_vocab: int

    @property
    def n_layers(self) -> int:
        return len(self.blocks)

    def described(self) -> dict[str, Any]:
        return {
            "blocks": list(self.blocks),
            "cache_name": self.cache_name,
            "keeps_last": self.keeps_last,
        }


def shape_of(model: nn.Module, structure: Structure, d_model: int, d_vocab: int) -> Shape:
    """Raises UnsupportedArchitecture for a model without a cache of keys and values."""
    parameters = inspect.signature(model.forward).parameters
    if "past_key_values" not in parameters:
        raise UnsupportedArchitecture(
            f"{type(model).__name__} has no cache of keys and values, which a reply on NDIF needs.",
            hint="Choose a model with attention.",
        )
    return Shape(
        structure.block_paths, "past_key_values", "logits_to_keep" in parameters, d_model, d_vocab
    )


def layers_to_read(shape: Shape, layers: Sequence[Layer]) -> list[int]:
    """The final layer, from which every divergence is measured, and the others asked for."""
    final = shape.n_layers
    return [final, *dict.fromkeys(int(layer) for layer in layers if layer != final)]


def reply_plan(
    shape: Shape,
    ids: Sequence[int],
    sampling: Sampling,
    wanted: Wanted,
    end_ids: Sequence[int],
    max_new_tokens: int,
) -> dict[str, Any]:
    return shape.described() | {
        "ids": list(ids),
        "layers": layers_to_read(shape, wanted.layers),
        "top_k": min(wanted.top_k, shape.d_vocab),
        "targets": list(wanted.targets),
        "temperature": sampling.temperature,
        "sample_top_k": sampling.top_k,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "max_new_tokens": max_new_tokens,
        "end_ids": list(end_ids),
        "stop": [stop for stop in sampling.stop if stop],
        "stop_tokens": STOP_TOKENS,
    }


def positions_per_job(shape: Shape, wanted: Wanted) -> int:
    n_rows = len(layers_to_read(shape, wanted.layers))
    return max(1, STREAM_BYTES // (4 * n_rows * shape.d_model))


def read_plan(
    shape: Shape, ids: Sequence[int], positions: Sequence[int], wanted: Wanted
) -> dict[str, Any]:
    layers = layers_to_read(shape, wanted.layers)
    last = max(positions)
    # Any id where nothing follows: what is found for it is left out.
    following = [ids[place + 1] if place + 1 < len(ids) else 0 for place in positions]
    return shape.described() | {
        "ids": list(ids[: last + 1]),
        "positions": list(positions),
        "tokens": [[token, *wanted.targets] for token in following],
        "layers": layers,
        "top_k": min(wanted.top_k, shape.d_vocab),
        "chunk": max(1, CHUNK_BYTES // (4 * len(layers) * shape.d_vocab)),
    }


def compare_plan(shape: Shape, a: Side, b: Side, pairs: Pairs) -> dict[str, Any]:
    """Both sides are read at the positions and layers that some pair names."""
    n_common = next(
        (n for n, (one, other) in enumerate(zip(a.ids, b.ids, strict=False)) if one != other),
        min(len(a.ids), len(b.ids)),
    )
    shared = [q for _, q in pairs.positions if q < n_common]
    of_a = sorted({*(p for p, _ in pairs.positions), *shared})
    of_b = sorted({q for _, q in pairs.positions})
    layers = sorted({int(layer) for pair in pairs.layers for layer in pair})
    n_rows = 2 * len(pairs.layers)
    return shape.described() | {
        "a": {"ids": list(a.ids[: of_a[-1] + 1]), "positions": of_a},
        "b": {"ids": list(b.ids[: of_b[-1] + 1]), "positions": of_b},
        "layers": layers,
        "layer_pairs": [[layers.index(int(layer)) for layer in pair] for pair in pairs.layers],
        # Rows of both sides, and that of `a` which stands for `b` as well.
        "pairs": [
            [of_a.index(p), of_b.index(q), of_a.index(q) if q < n_common else None]
            for p, q in pairs.positions
        ],
        "targets": list(pairs.targets),
        "chunk": max(1, CHUNK_BYTES // (4 * n_rows * shape.d_vocab)),
    }


def pairs_per_job(shape: Shape, pairs: Pairs) -> int:
    return max(1, STREAM_BYTES // (4 * 4 * len(pairs.layers) * shape.d_model))


def check_plan(shape: Shape, ids: Sequence[int]) -> dict[str, Any]:
    return shape.described() | {
        "ids": list(ids),
        "positions": list(range(len(ids))),
        "layers": [shape.n_layers],
        "middle": (shape.n_layers + 1) // 2,
    }
