"""Divergences of rows of logits: against loops in float64, with their properties, bit for bit."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from app.engine.divergence import divergences
from app.engine.metrics import LogitsReader
from tests.engine.reference import slow_divergences

CPU = torch.device("cpu")


def of_logits(a: torch.Tensor, b: torch.Tensor) -> np.ndarray:
    """Both KL divergences and the Jensen-Shannon divergence of rows `[n, d_vocab]`, `[3, n]`."""
    n, d_vocab = a.shape
    rows = torch.cat([a, b])
    LogitsReader(d_vocab, CPU).normalise(rows, torch.tensor([], dtype=torch.long), 1)
    buffers = torch.empty(5, n, d_vocab)
    buffers[0], buffers[1] = rows[:n], rows[n:]
    return divergences(buffers).numpy()


def random_logits(seed: int, scale: float, n: int = 6, d_vocab: int = 2003) -> torch.Tensor:
    return torch.randn(n, d_vocab, generator=torch.Generator().manual_seed(seed)) * scale


FLAT = torch.zeros(6, 2003)
ROWS = {
    "ordinary": (random_logits(0, 3), random_logits(1, 3)),
    "sharp": (random_logits(2, 60), random_logits(3, 60)),
    "far from zero": (random_logits(4, 1) - 4000, random_logits(5, 1) + 3000),
    "nearly the same": (random_logits(6, 3), random_logits(6, 3) + random_logits(7, 1e-4)),
    "sharp and flat": (random_logits(8, 300), FLAT),
    "tied": (random_logits(9, 1).round(), random_logits(10, 1).round()),
}


@pytest.mark.parametrize("name", ROWS)
def test_divergences_equal_a_float64_loop(name: str):
    a, b = ROWS[name]
    found = of_logits(a, b)
    for place, rows in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        expected = slow_divergences(*rows)
        assert found[:2, place] == pytest.approx(expected[:2], abs=1e-5, rel=2e-6)
        assert found[2, place] == pytest.approx(expected[2], abs=1e-6)


@pytest.mark.parametrize("name", ROWS)
def test_divergences_have_their_properties(name: str):
    a, b = ROWS[name]
    kl_a_to_b, kl_b_to_a, js = of_logits(a, b)
    swapped = of_logits(b, a)
    assert (kl_a_to_b >= 0).all()
    assert (kl_b_to_a >= 0).all()
    assert (js >= 0).all()
    assert (js.astype(np.float64) <= math.log(2)).all()
    np.testing.assert_array_equal(swapped, [kl_b_to_a, kl_a_to_b, js])
    # Pinsker's inequality and the bound of the mean of both divergences.
    assert (js <= (kl_a_to_b + kl_b_to_a) / 4 + 1e-6).all()


@pytest.mark.parametrize("name", ROWS)
def test_equal_rows_are_exactly_nothing_apart(name: str):
    for rows in ROWS[name]:
        found = of_logits(rows, rows.clone())
        assert (found == 0).all()
        assert not np.signbit(found).any()


def test_rows_with_nothing_in_common_are_ln_2_apart():
    a, b = FLAT.clone(), FLAT.clone()
    a[:, :1000] = b[:, 1000:] = 2000.0
    kl_a_to_b, _, js = of_logits(a, b)
    assert kl_a_to_b == pytest.approx(2000.0, rel=1e-5)
    assert js == pytest.approx(math.log(2), abs=1e-6)
    assert (js.astype(np.float64) <= math.log(2)).all()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("side", [0, 1])
def test_a_bad_logit_shows_in_the_divergence_of_its_pair(bad: float, side: int):
    rows = [rows.clone() for rows in ROWS["sharp"]]
    rows[side][2, int(rows[side][2].argmin())] = bad
    finite = np.isfinite(of_logits(rows[0], rows[1])[0])
    assert finite.tolist() == [True, True, False, True, True, True]


def test_a_pair_has_the_same_bits_in_any_company():
    """On several threads too, which share out the rows, and would share out a long one alone."""
    a, b = random_logits(11, 3, n=30, d_vocab=40_003), random_logits(12, 3, n=30, d_vocab=40_003)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        every = of_logits(a, b)
        for place in (0, 7, 29):
            alone = of_logits(a[place : place + 1], b[place : place + 1])
            np.testing.assert_array_equal(every[:, place], alone[:, 0])
        np.testing.assert_array_equal(every[:, 3:10], of_logits(a[3:10], b[3:10]))
    finally:
        torch.set_num_threads(n_threads)
