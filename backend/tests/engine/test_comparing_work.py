"""What a comparison takes: chunks and blocks, forward passes, and what is held."""

from __future__ import annotations

import pytest
import torch

from app.engine.engine import NnsightEngine
from app.engine.metrics import LogitsReader
from app.engine.types import Finish, Pairs
from tests.engine.comparisons import (
    EVERY,
    LAYERS,
    N_LAYERS,
    ODD,
    A,
    B,
    assert_close,
    assert_same_bits,
    compare,
    joined,
)
from tests.engine.small_models import count_rows, fresh, greedy, random_ids

CPU = torch.device("cpu")


# --- chunks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("pairs", [EVERY, ODD], ids=["every layer with itself", "odd pairs"])
@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 5, 7, 8, 9, 16, 1000])
def test_chunks_change_nothing_and_are_never_larger(
    engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch, pairs: Pairs, chunk_rows: int
):
    expected = compare(engine, A, B, pairs)
    decoded = count_rows(engine, monkeypatch)
    engine._unembedding.chunk_rows = chunk_rows
    items = list(engine.comparing(A, B, pairs))
    assert_close(joined([item for item in items if item is not None]), expected)
    assert max(decoded) <= max(2, chunk_rows)
    assert len(items) == len(decoded), "each product is a turn of its own"


@pytest.mark.parametrize("block_rows", [1, 2, 5, 12])
def test_blocks_change_no_bit(engine: NnsightEngine, block_rows: int):
    expected = compare(engine, A, B, EVERY)
    reader = LogitsReader(engine.facts.d_vocab, CPU)
    reader.rows_at_once = block_rows
    engine._unembedding.reader = reader
    assert_same_bits(compare(engine, A, B, EVERY), expected)
    assert reader.n_bytes <= 4 * engine.facts.d_vocab * max(5, 2 * max(block_rows, 2))


def test_each_row_is_decoded_once(engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch):
    """However many pairs it is in: all layers with all layers are no more rows than the layers."""
    layers = tuple((i, j) for i in range(N_LAYERS + 1) for j in range(N_LAYERS + 1))
    compare(engine, A, B, EVERY)
    decoded = count_rows(engine, monkeypatch)
    one = compare(engine, A, B, Pairs(layers, ((9, 8),)))
    assert decoded == [2 * (N_LAYERS + 1)]
    assert one.js_nats.shape == (16, 1)
    many = compare(engine, A, B, Pairs(LAYERS, tuple((i, 16) for i in range(20))))
    assert decoded[1:] == [(N_LAYERS + 1) * (20 + 1)]
    assert many.js_nats.shape == (4, 20)


# --- what is run and kept ------------------------------------------------------------------------


def test_held_timelines_are_compared_without_a_forward_pass(engine: NnsightEngine):
    *_, end = engine.generate(A.ids, greedy(5), lineage=A.lineage)
    assert isinstance(end, Finish)
    engine.read(B.ids, lineage=B.lineage)
    passes, tokens = engine.forward_passes(), engine.computed_tokens()
    compare(engine, A, B, EVERY)
    compare(engine, A, B, ODD)
    assert (engine.forward_passes(), engine.computed_tokens()) == (passes, tokens)


def test_only_the_passes_that_matter_are_run(
    engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.engine.residuals.PREFILL_TOKENS", 4)
    tokens = engine.computed_tokens()
    compare(engine, A, B, Pairs(LAYERS, ((9, 3), (2, 7))))
    # The second has the first pass in common with the first.
    assert engine.computed_tokens() - tokens == 12 + 4


def test_a_store_that_cannot_hold_both_does_not_run_them_again(loaded_gpt2: NnsightEngine):
    """Each chunk would have forgotten one timeline for the other."""
    engine = fresh(loaded_gpt2, store_bytes=1)
    engine._unembedding.chunk_rows = 8
    tokens = engine.computed_tokens()
    found = compare(engine, A, B, EVERY)
    assert engine.computed_tokens() - tokens == 20 + 17
    assert (engine._store.n_bytes, len(engine._store)) == (0, 0)
    assert_close(found, compare(fresh(loaded_gpt2), A, B, EVERY))


def test_what_was_reserved_is_free_after_the_end_and_after_a_stop(engine: NnsightEngine):
    engine._unembedding.chunk_rows = 8
    comparing = engine.comparing(A, B, EVERY)
    while next(comparing) is None:
        pass
    assert len(engine._store._pinned) == 2
    comparing.close()
    assert not engine._store._pinned
    compare(engine, A, B, EVERY)
    assert not engine._store._pinned


def test_a_reply_keeps_its_timeline_when_a_comparison_with_it_ends(loaded_gpt2: NnsightEngine):
    engine = fresh(loaded_gpt2, store_bytes=1)
    reply = engine.generate(A.ids, greedy(6), lineage=A.lineage)
    while next(reply) is None:
        pass
    passes = engine.forward_passes()
    compare(engine, A, A, EVERY)
    assert engine.forward_passes() == passes, "the reply's own timeline is read"
    assert len(engine._store) == 1
    list(reply)
    held = sum(timeline.n_bytes for timeline in engine._store._timelines.values())
    assert (engine._store.n_bytes, held) == (0, 0)


@pytest.mark.parametrize("n_shared", [3, 10, 16])
def test_the_bits_do_not_depend_on_what_others_asked(
    loaded_gpt2: NnsightEngine, monkeypatch: pytest.MonkeyPatch, n_shared: int
):
    monkeypatch.setattr("app.engine.residuals.PREFILL_TOKENS", 10)
    alone = compare(fresh(loaded_gpt2), A, B, EVERY)
    engine = fresh(loaded_gpt2)
    others = [*A.ids[:n_shared], *random_ids(12, seed=33)]
    list(engine.generate(others, greedy(4), lineage=["another"]))
    engine.read(B.ids[:n_shared], lineage=["a third"])
    assert_same_bits(compare(engine, A, B, EVERY), alone)
