"""Statistics against loops in float64 that share no code with them."""

from __future__ import annotations

import math

import pytest
import torch

from app.engine import metrics
from app.engine.metrics import LogitsReader, Numbers, exponentials_of
from tests.engine.reference import log_probabilities

CPU = torch.device("cpu")
N_POSITIONS, N_LAYERS, D_VOCAB = 3, 4, 200
SHAPE = (N_POSITIONS, N_LAYERS, D_VOCAB)


def random_logits(seed: int, scale: float) -> torch.Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed)) * scale


LOGITS = {
    "ordinary": random_logits(0, 3),
    "sharp": random_logits(1, 60),
    "far from zero": random_logits(2, 1) - 4000.0,
    "flat": torch.zeros(SHAPE),
    "tied": random_logits(4, 1).round(),
}
TOKENS = torch.tensor([[0, 7, 199], [3, 3, 3]])


@pytest.fixture(params=LOGITS)
def logits(request: pytest.FixtureRequest) -> torch.Tensor:
    return LOGITS[request.param]


def read(logits: torch.Tensor, top_k: int = 5) -> Numbers:
    n_positions, _, d_vocab = logits.shape
    tokens = TOKENS[:, :n_positions].clamp(max=d_vocab - 1)
    return LogitsReader(d_vocab, CPU).read(logits.clone(), tokens, top_k)


def each_row(logits: torch.Tensor) -> list[tuple[int, int, list[float]]]:
    return [
        (p, layer, row) for p, rows in enumerate(logits.tolist()) for layer, row in enumerate(rows)
    ]


def test_entropy_equals_a_float64_loop(logits: torch.Tensor):
    entropies = read(logits).entropy_nats
    for p, layer, row in each_row(logits):
        expected = -math.fsum(math.exp(x) * x for x in log_probabilities(row))
        assert float(entropies[p, layer]) == pytest.approx(expected, abs=1e-5)
        assert 0.0 <= float(entropies[p, layer]) <= math.log(D_VOCAB) + 1e-5


def test_no_exponential_is_below_full_precision_where_it_takes_long():
    logits = LOGITS["sharp"].flatten(0, 1)
    shifted = logits - logits.amax(-1, keepdim=True)
    smallest = torch.finfo(torch.float32).tiny
    assert bool(((shifted.exp() > 0) & (shifted.exp() < smallest)).any()), "nothing would be tested"
    found = exponentials_of(shifted)
    assert float(found.min()) >= smallest
    # Nothing is added to a distribution: what is largest in it has 1.
    assert torch.equal(found.sum(-1), shifted.exp().sum(-1))
    reader = LogitsReader(D_VOCAB, CPU)
    assert float(reader.reference(logits).exponentials.min()) >= smallest


def test_divergence_from_the_first_row_equals_a_float64_loop(logits: torch.Tensor):
    divergences = read(logits).kl_to_final_nats
    for p, layer, row in each_row(logits):
        final = log_probabilities(logits[p, 0].tolist())
        pairs = zip(final, log_probabilities(row), strict=True)
        expected = math.fsum(math.exp(a) * (a - b) for a, b in pairs)
        assert float(divergences[p, layer]) == pytest.approx(expected, abs=1e-5, rel=1e-5)


def test_divergence_from_a_reference_has_the_same_bits(logits: torch.Tensor):
    reader = LogitsReader(D_VOCAB, CPU)
    reference = reader.reference(logits[:, 0].clone())
    apart = reader.read(logits[:, 1:].clone(), TOKENS, 1, reference)
    together = read(logits).kl_to_final_nats[:, 1:]
    assert torch.equal(apart.kl_to_final_nats, together)


def test_divergence_is_never_negative():
    generator = torch.Generator().manual_seed(3)
    nearly = torch.randn(200, 1, 50, generator=generator).repeat(1, 2, 1)
    nearly += 1e-6 * torch.randn(200, 2, 50, generator=generator)
    found = LogitsReader(50, CPU).read(nearly, torch.zeros(1, 200, dtype=torch.long), 1)
    assert bool((found.kl_to_final_nats >= 0).all())


def test_tokens_have_their_log_probability_and_rank(logits: torch.Tensor):
    found = read(logits)
    for t, ids in enumerate(TOKENS.tolist()):
        for p, layer, row in each_row(logits):
            token = ids[p]
            expected = log_probabilities(row)[token]
            assert float(found.token_logprobs_nats[t, p, layer]) == pytest.approx(
                expected, abs=1e-5, rel=1e-6
            )
            assert int(found.token_ranks[t, p, layer]) == 1 + sum(x > row[token] for x in row)


@pytest.mark.parametrize("top_k", [1, 5, 12, 50, D_VOCAB])
def test_most_probable_tokens_come_in_their_order(logits: torch.Tensor, top_k: int):
    found = read(logits, top_k)
    for p, layer, row in each_row(logits):
        ids = found.top_ids[p, layer].tolist()
        assert len(set(ids)) == top_k
        assert [row[i] for i in ids] == sorted(row, reverse=True)[:top_k]
        expected = [math.exp(log_probabilities(row)[i]) for i in ids]
        assert found.top_probabilities[p, layer].tolist() == pytest.approx(expected, abs=1e-6)
        ranks = [1 + sum(x > row[i] for x in row) for i in ids]
        assert found.top_ranks[p, layer].tolist() == ranks


def test_ranks_of_predictions_come_from_logits_where_probabilities_vanish():
    """Logits 110 and 120 below the best both have probability 0 in float32, and shared a rank."""
    logits = torch.tensor([[[0.0, -110.0, -120.0, -110.0]]])
    found = LogitsReader(4, CPU).read(logits, torch.zeros(1, 1, dtype=torch.long), 4)
    assert found.top_probabilities[0, 0, 1:].tolist() == [0.0, 0.0, 0.0]
    assert found.top_ranks[0, 0].tolist() == [1, 2, 2, 4]


@pytest.mark.parametrize("d_vocab", [1, 15, 16, 17, 33, 160, 161, 175])
def test_most_probable_tokens_of_vocabularies_of_any_size(d_vocab: int):
    logits = torch.randn(50, d_vocab, generator=torch.Generator().manual_seed(5))
    for k in {1, min(3, d_vocab), d_vocab}:
        largest, ids = metrics.most_probable(logits, k)
        assert torch.equal(largest, logits.sort(dim=-1, descending=True).values[:, :k])
        assert torch.equal(logits.gather(-1, ids), largest)


@pytest.mark.parametrize("block_rows", [13, 5, 3, 1], ids="{} rows in a block".format)
def test_a_row_has_the_same_bits_in_any_company(block_rows: int):
    """On several threads too, which share out the rows; the 13 of a position may be several blocks."""
    logits = torch.randn(40, 13, 5003, generator=torch.Generator().manual_seed(6)) * 3
    tokens = torch.arange(40)[None]
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        every = LogitsReader(5003, CPU).read(logits.clone(), tokens, 4)
        reader = LogitsReader(5003, CPU)
        reader.rows_at_once = block_rows
        in_blocks = reader.read(logits.clone(), tokens, 4)
        alone = LogitsReader(5003, CPU).read(logits[7:8, :1].clone(), tokens[:, 7:8], 4)
    finally:
        torch.set_num_threads(n_threads)
    for name in (*metrics.PER_POSITION, *metrics.PER_TOKEN):
        assert torch.equal(getattr(every, name), getattr(in_blocks, name)), name
    for name in metrics.PER_POSITION:
        assert torch.equal(getattr(every, name)[7, 0], getattr(alone, name)[0, 0]), name
    for name in metrics.PER_TOKEN:
        assert torch.equal(getattr(every, name)[0, 7, 0], getattr(alone, name)[0, 0, 0]), name


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_bad_logit_shows_in_the_entropy_of_its_row(bad: float):
    logits = LOGITS["ordinary"].clone()
    logits[2, 1, 7] = bad
    finite = torch.isfinite(read(logits).entropy_nats)
    assert not finite[2, 1]
    assert int(finite.sum()) == N_POSITIONS * N_LAYERS - 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_rows_with_a_bad_number_are_found(bad: float):
    logits = torch.randn(4, 30)
    logits[2, 7] = bad
    assert metrics.finite_rows(logits).tolist() == [True, True, False, True]


def test_an_overflowing_sum_is_not_taken_for_a_bad_number():
    assert metrics.finite_rows(torch.full((2, 30), 3e38)).tolist() == [True, True]


def test_log_probabilities_of_a_row_have_the_same_bits_in_any_company():
    """On several threads too, which would share out a long row that is alone."""
    logits = torch.randn(9, 40_003, generator=torch.Generator().manual_seed(7)) * 3
    tokens = torch.tensor([3, 5])
    every = logits.clone()
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        reader = LogitsReader(40_003, CPU)
        numbers = reader.normalise(every, tokens, 2)
        for size in (1, 4):
            reader.rows_at_once = size
            in_blocks = logits.clone()
            of_blocks = reader.normalise(in_blocks, tokens, 2)
            assert torch.equal(every, in_blocks)
            for name in (*metrics.PER_ROW, *metrics.PER_TOKEN):
                assert torch.equal(getattr(numbers, name), getattr(of_blocks, name)), name
    finally:
        torch.set_num_threads(n_threads)
    torch.testing.assert_close(every, logits.log_softmax(-1), atol=1e-5, rtol=0)
