"""Requests are admitted by the memory that they will need at their end."""

from __future__ import annotations

import pytest

from app.engine import admission
from app.engine.engine import NnsightEngine
from app.engine.types import Finish, Pairs, Side, Step, Wanted
from app.errors import OutOfMemory
from tests.engine.small_models import FAMILIES, engine_of, fresh, greedy, random_ids, random_model

N_BLOCKS, D_MODEL = 3, 32
TOKEN_BYTES = 4 * (N_BLOCKS + 1) * D_MODEL + 4 * 2 * N_BLOCKS * D_MODEL
"""Four residual streams, and a key and a value of each block, of the small GPT-2."""


@pytest.fixture
def small(loaded_gpt2: NnsightEngine) -> NnsightEngine:
    return fresh(loaded_gpt2)


def set_free(monkeypatch: pytest.MonkeyPatch, n_tokens: int) -> None:
    monkeypatch.setattr(admission, "free_memory", lambda: n_tokens * TOKEN_BYTES)


def test_a_token_takes_its_streams_its_keys_and_its_values(small: NnsightEngine):
    assert small._decoder.d_model == D_MODEL
    assert small._admission._bytes_per_token == TOKEN_BYTES
    tokens = 64  # as many as the first buffers hold
    small.read(random_ids(tokens), positions=[tokens - 1])
    ids_bytes = 8 * tokens
    assert small._store.n_bytes == tokens * TOKEN_BYTES + ids_bytes


def test_half_precision_and_recurrent_states_take_less():
    gpt2 = engine_of(random_model(FAMILIES["gpt2"].config()), store_dtype="float16")
    assert gpt2._admission._bytes_per_token == TOKEN_BYTES - 2 * (N_BLOCKS + 1) * D_MODEL
    mamba = engine_of(random_model(FAMILIES["mamba"].config()))
    facts = mamba.facts
    assert mamba._admission._bytes_per_token == 4 * (facts.n_layers + 1) * facts.d_model


def test_a_reply_that_would_not_fit_is_refused_with_the_numbers(
    small: NnsightEngine, monkeypatch: pytest.MonkeyPatch
):
    """The kernel would kill the server when the memory that it was granted is used."""
    set_free(monkeypatch, 29)
    passes = small.forward_passes()
    with pytest.raises(
        OutOfMemory, match=r"30 tokens of this model take 0\.0 MiB .* 0\.0 MiB are free"
    ):
        next(small.generate(random_ids(10), greedy(20)))
    assert small.forward_passes() == passes
    set_free(monkeypatch, 30)
    items = list(small.generate(random_ids(10), greedy(20)))
    assert isinstance(items[-1], Finish)


def test_running_requests_count_with_what_they_still_need(
    small: NnsightEngine, monkeypatch: pytest.MonkeyPatch
):
    set_free(monkeypatch, 30)
    first = small.generate(random_ids(10), greedy(20))
    assert isinstance(next(first), Step)
    # Its buffers, which hold 64 tokens, are there now; together the two need 70.
    set_free(monkeypatch, 5)
    second = small.reading(random_ids(40, seed=9), [39], Wanted((0,)))
    with pytest.raises(OutOfMemory, match="running requests still need"):
        next(second)
    first.close()
    assert list(small.reading(random_ids(40, seed=9), [39], Wanted((0,))))


def test_a_comparison_needs_both_timelines(small: NnsightEngine, monkeypatch: pytest.MonkeyPatch):
    set_free(monkeypatch, 30)
    sides = Side(random_ids(20)), Side(random_ids(20, seed=2))
    pairs = Pairs(((3, 3),), ((19, 19),))
    with pytest.raises(OutOfMemory, match="40 tokens"):
        list(small.comparing(*sides, pairs))


def test_what_is_held_already_needs_no_further_memory(
    small: NnsightEngine, monkeypatch: pytest.MonkeyPatch
):
    ids = random_ids(60)
    small.read(ids)
    set_free(monkeypatch, 1)
    assert small.read(ids, positions=[59], layers=[0]).positions == (59,)
