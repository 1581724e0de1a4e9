"""The texts and pairs of the tests of comparing, and how two comparisons are held together."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from app.engine.engine import NnsightEngine
from app.engine.types import Comparison, Pairs, Side
from tests.engine.small_models import random_ids

A = Side(tuple(random_ids(20, seed=31)), lineage=("a",))
B = Side((*A.ids[:6], *random_ids(11, seed=32)), lineage=("b",))
N_LAYERS = 3
LAYERS = tuple((layer, layer) for layer in range(N_LAYERS + 1))
CROSSED = ((3, 0), (0, 3), (2, 2), (1, 3))
PLACES = ((19, 16), (0, 0), (5, 16), (5, 5), (12, 3), (19, 2), (19, 16))
EVERY = Pairs(LAYERS, tuple((i, i) for i in range(17)), (7, 40))
ODD = Pairs(CROSSED, PLACES, (7, 40, 96))


def joined(chunks: Sequence[Comparison]) -> Comparison:
    arrays = {
        field.name: np.concatenate([getattr(chunk, field.name) for chunk in chunks], axis=-1)
        for field in dataclasses.fields(Comparison)
        if isinstance(getattr(chunks[0], field.name), np.ndarray)
    }
    positions = tuple(pair for chunk in chunks for pair in chunk.positions)
    return dataclasses.replace(chunks[0], positions=positions, **arrays)


def compare(engine: NnsightEngine, a: Side, b: Side, pairs: Pairs) -> Comparison:
    return joined([chunk for chunk in engine.comparing(a, b, pairs) if chunk is not None])


def columns_of(comparison: Comparison) -> dict[str, np.ndarray]:
    values = {f.name: getattr(comparison, f.name) for f in dataclasses.fields(Comparison)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


def assert_same_bits(one: Comparison, two: Comparison) -> None:
    assert (one.layers, one.positions, one.targets) == (two.layers, two.positions, two.targets)
    for name, values in columns_of(one).items():
        np.testing.assert_array_equal(values, columns_of(two)[name], err_msg=name)


def assert_close(one: Comparison, two: Comparison) -> None:
    """Equal to rounding: rows decoded in another company may round otherwise in the last bit."""
    assert (one.layers, one.positions, one.targets) == (two.layers, two.positions, two.targets)
    for name, values in columns_of(one).items():
        tolerance = {"atol": 2e-6, "rtol": 1e-5} if values.dtype == np.float32 else {}
        np.testing.assert_allclose(values, columns_of(two)[name], err_msg=name, **tolerance)
