"""Statistics against loops in float64 that share no code with them."""

from __future__ import annotations

import math

import pytest
import torch

from app.engine import metrics

LOGITS = {
    "ordinary": torch.randn(6, 200, generator=torch.Generator().manual_seed(0)) * 3,
    "sharp": torch.randn(6, 200, generator=torch.Generator().manual_seed(1)) * 60,
    "far from zero": torch.randn(6, 200, generator=torch.Generator().manual_seed(2)) - 4000.0,
    "flat": torch.zeros(6, 200),
    "tied": torch.tensor([[1.0, 3.0, 3.0, 2.0, 3.0, -1.0]] * 6),
}


@pytest.fixture(params=LOGITS)
def logits(request: pytest.FixtureRequest) -> torch.Tensor:
    return LOGITS[request.param]


def probabilities(row: list[float]) -> list[float]:
    weights = [math.exp(x - max(row)) for x in row]
    return [w / math.fsum(weights) for w in weights]


def test_log_probs_equal_a_float64_loop(logits: torch.Tensor):
    for row, log_p in zip(logits.tolist(), metrics.log_probs(logits).tolist(), strict=True):
        assert [math.exp(x) for x in log_p] == pytest.approx(probabilities(row), abs=1e-5)
        assert math.fsum(math.exp(x) for x in log_p) == pytest.approx(1.0, abs=1e-5)


def test_entropy_equals_a_float64_loop(logits: torch.Tensor):
    entropies = metrics.entropy_nats(metrics.log_probs(logits)).tolist()
    for row, entropy in zip(logits.tolist(), entropies, strict=True):
        expected = -math.fsum(p * math.log(p) for p in probabilities(row) if p > 0)
        assert entropy == pytest.approx(expected, abs=1e-3)
        assert 0.0 <= entropy <= math.log(len(row)) + 1e-5


def test_kl_equals_a_float64_loop(logits: torch.Tensor):
    final = logits.roll(1, dims=0)
    measured = metrics.kl_nats(metrics.log_probs(final), metrics.log_probs(logits)).tolist()
    for p_row, q_row, kl in zip(final.tolist(), logits.tolist(), measured, strict=True):
        largest = max(q_row)
        log_total = math.log(math.fsum(math.exp(x - largest) for x in q_row))
        p = probabilities(p_row)
        expected = math.fsum(
            x * (math.log(x) - (y - largest - log_total))
            for x, y in zip(p, q_row, strict=True)
            if x > 0
        )
        assert kl == pytest.approx(expected, abs=1e-3, rel=1e-5)


def test_kl_is_never_negative():
    generator = torch.Generator().manual_seed(3)
    final = torch.randn(500, 50, generator=generator)
    nearly = final + 1e-6 * torch.randn(500, 50, generator=generator)
    kl = metrics.kl_nats(metrics.log_probs(final), metrics.log_probs(nearly))
    assert bool((kl >= 0).all())


def test_ranks_count_the_larger_logits(logits: torch.Tensor):
    for token in (0, 1, logits.shape[1] - 1):
        tokens = torch.full((len(logits),), token)
        for row, rank in zip(logits.tolist(), metrics.ranks(logits, tokens).tolist(), strict=True):
            assert rank == 1 + sum(1 for x in row if x > row[token])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_rows_with_a_bad_number_are_found(bad: float):
    logits = torch.randn(4, 30)
    logits[2, 7] = bad
    assert metrics.finite_rows(logits).tolist() == [True, True, False, True]


def test_an_overflowing_sum_is_not_taken_for_a_bad_number():
    assert metrics.finite_rows(torch.full((2, 30), 3e38)).tolist() == [True, True]
