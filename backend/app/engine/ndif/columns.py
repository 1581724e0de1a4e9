"""What a job printed, as read-outs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.engine.ndif.plans import Shape, layers_to_read
from app.engine.types import Comparison, LensColumns, Pairs, Step, Wanted
from app.engine.unembed import not_finite

FLOATS = ("probabilities", "entropy", "kl", "token_logprobs")


def columns_of(
    found: Sequence[dict[str, Any]],
    positions: Sequence[int],
    following: Sequence[int | None],
    wanted: Wanted,
    shape: Shape,
) -> LensColumns:
    """Read-outs from what `shipped.numbers` found at each position.

    Raises ModelComputationError naming the first layer that is not finite.
    """
    layers = layers_to_read(shape, wanted.layers)
    place = [layers.index(int(layer)) for layer in wanted.layers]
    arrays = {
        name: np.array([each[name] for each in found], np.float32 if name in FLOATS else np.int64)
        for name in (*FLOATS, "ids", "ranks", "token_ranks")
    }
    bad = np.argwhere(~np.isfinite(arrays["entropy"]))
    if len(bad):
        raise not_finite(layers[bad[0][1]], positions[bad[0][0]])

    def by_layer(values: Any) -> Any:
        """[P, layers, …] -> [L, P, …]"""
        return np.moveaxis(values, 1, 0)[place]

    known = np.array([token is not None for token in following], dtype=bool)
    logprobs, ranks = by_layer(arrays["token_logprobs"]), by_layer(arrays["token_ranks"])
    with np.errstate(under="ignore"):
        probabilities = np.exp(logprobs)
    return LensColumns(
        layers=tuple(wanted.layers),
        positions=tuple(positions),
        top_ids=by_layer(arrays["ids"]),
        top_probabilities=by_layer(arrays["probabilities"]),
        top_ranks=by_layer(arrays["ranks"]),
        entropy_nats=by_layer(arrays["entropy"]),
        kl_to_final_nats=by_layer(arrays["kl"]),
        next_probability=np.where(known, probabilities[..., 0], np.float32("nan")),
        next_rank=np.where(known, ranks[..., 0], 0),
        targets=tuple(wanted.targets),
        target_probability=np.moveaxis(probabilities[..., 1:], 2, 0),
        target_rank=np.moveaxis(ranks[..., 1:], 2, 0),
        scores=tuple(
            step_of(each, position + 1, token)
            for each, position, token in zip(found, positions, following, strict=True)
            if token is not None
        ),
    )


def comparison_of(
    found: dict[str, Any], pairs: Pairs, positions: Sequence[tuple[int, int]]
) -> Comparison:
    """A comparison from what `shipped.compared` found. Raises ModelComputationError where one is not finite."""

    def by_layer(name: str, kind: Any = np.float32) -> Any:
        """[P, L] -> [L, P]"""
        return np.array(found[name], kind).T

    def of_targets(name: str, kind: Any = np.float32) -> Any:
        """[T, P, L] -> [T, L, P]"""
        shape = (len(pairs.targets), len(positions), len(pairs.layers))
        return np.array(found[name], kind).reshape(shape).transpose(0, 2, 1)

    divergence = by_layer("js")
    bad = np.argwhere(~np.isfinite(divergence))
    if len(bad):
        raise not_finite(pairs.layers[bad[0][0]][0], positions[bad[0][1]][0])
    return Comparison(
        layers=pairs.layers,
        positions=tuple(positions),
        kl_a_to_b_nats=by_layer("kl_a_to_b"),
        kl_b_to_a_nats=by_layer("kl_b_to_a"),
        js_nats=divergence,
        a_top_id=by_layer("a_ids", np.int64),
        a_top_probability=by_layer("a_probabilities"),
        b_top_id=by_layer("b_ids", np.int64),
        b_top_probability=by_layer("b_probabilities"),
        targets=pairs.targets,
        a_target_probability=of_targets("a_target_probabilities"),
        a_target_rank=of_targets("a_target_ranks", np.int64),
        b_target_probability=of_targets("b_target_probabilities"),
        b_target_rank=of_targets("b_target_ranks", np.int64),
    )


def step_of(found: dict[str, Any], index: int, token_id: int) -> Step:
    """How the model itself scored the token at `index`: the last layer's row is the first."""
    return Step(
        index,
        token_id,
        found["token_logprobs"][0][0],
        found["token_ranks"][0][0],
        max(0.0, found["entropy"][0]),
    )
