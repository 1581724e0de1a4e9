"""Which tokens are drawn, and how often."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch

from app.engine.sampling import Sampler
from app.engine.types import Sampling

LOGITS = torch.tensor([0.5, 2.0, -1.0, 1.0, 0.0, -40.0])


def draws(n: int = 600, **changes: float) -> Counter[int]:
    settings = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "seed": 7} | changes
    sampler = Sampler(Sampling(max_new_tokens=1, stop=(), **settings))
    return Counter(sampler.choose(LOGITS) for _ in range(n))


def shares(temperature: float, allowed: list[int]) -> dict[int, float]:
    weights = {i: math.exp(float(LOGITS[i]) / temperature) for i in allowed}
    return {i: w / math.fsum(weights.values()) for i, w in weights.items()}


def test_temperature_zero_takes_the_most_probable():
    assert set(draws(5, temperature=0.0)) == {1}


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"temperature": 2.0}, [0, 1, 2, 3, 4]),
        ({"top_k": 2}, [1, 3]),
        ({"top_k": 100}, [0, 1, 2, 3, 4]),
        # Shares at temperature 1: 0.52 0.19 0.12 0.07 … in the order 1, 3, 0, 4.
        ({"top_p": 0.5}, [1]),
        ({"top_p": 0.7}, [1, 3]),
        ({"top_p": 0.9, "top_k": 3}, [1, 3, 0]),
        ({"top_p": 1e-9}, [1]),
    ],
)
def test_frequencies_are_those_of_the_settings(changes: dict[str, float], allowed: list[int]):
    n = 600
    counted = draws(n, **changes)
    expected = shares(changes.get("temperature", 1.0), allowed)
    assert set(counted) <= set(allowed)
    for token, share in expected.items():
        # Four standard deviations: with a fixed seed this is settled once for all.
        assert counted[token] / n == pytest.approx(share, abs=4 * math.sqrt(share / n) + 1e-9)


def test_one_seed_gives_one_sequence():
    one, two = (Sampler(Sampling(1, 1.0, 0, 0.95, 11, ())) for _ in range(2))
    assert [one.choose(LOGITS) for _ in range(50)] == [two.choose(LOGITS) for _ in range(50)]


def test_the_global_generator_is_neither_used_nor_moved():
    torch.manual_seed(1)
    first = draws(20)
    state = torch.get_rng_state()
    torch.manual_seed(2)
    assert draws(20) == first
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_tiny_temperature_is_greedy_and_finite():
    assert set(draws(20, temperature=1e-30)) == {1}


def test_top_p_of_a_flat_vocabulary_keeps_its_share():
    """Wider than the first look at the most probable tokens."""
    sampler = Sampler(Sampling(1, 1.0, 0, 0.5, 3, ()))
    drawn = {sampler.choose(torch.zeros(2000)) for _ in range(800)}
    assert 400 < len(drawn) <= 801
    assert max(drawn) < 2000


class OnAMacsGpu(torch.Tensor):
    """Logits on a device that has no float64; a copy in main memory is an ordinary tensor."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function is torch.Tensor.cpu:
            return args[0].as_subclass(torch.Tensor)
        given = (*args, *(kwargs or {}).values())
        if function is torch.Tensor.double or any(value is torch.float64 for value in given):
            raise TypeError("the MPS framework doesn't support float64")
        return super().__torch_function__(function, types, args, kwargs or {})


@pytest.mark.parametrize("temperature", [0.0, 1.3])
def test_sampling_needs_no_float64_on_the_models_device(temperature: float):
    settings = Sampling(1, temperature, 0, 0.9, 7, ())
    expected = Sampler(settings).choose(LOGITS)
    assert Sampler(settings).choose(LOGITS.as_subclass(OnAMacsGpu)) == expected
