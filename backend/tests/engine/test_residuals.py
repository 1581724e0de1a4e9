"""The store: what is reused, what is run again, and how much is kept."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
import torch

from app.engine.engine import NnsightEngine
from app.engine.residuals import Timeline
from app.engine.types import Step
from tests.engine.reference import PlainModel
from tests.engine.small_models import (
    END_ID,
    FAMILIES,
    engine_of,
    fresh,
    greedy,
    random_ids,
    random_model,
)

IDS = random_ids(30, seed=21)


def never() -> bool:
    return False


def rows_of(engine: NnsightEngine, ids: list[int]) -> np.ndarray:
    with torch.inference_mode():
        rows = engine._residuals(ids, len(ids), never)
        assert rows is not None
        return rows[: len(ids)].numpy().copy()


def plain_rows(plain: PlainModel, ids: list[int]) -> np.ndarray:
    return np.stack([stream[0].numpy() for stream in plain.residuals(ids)], axis=1)


def test_a_stored_timeline_is_read_without_a_forward_pass(engine: NnsightEngine):
    *steps, _ = engine.generate(IDS[:12], greedy(8), never)
    reply = [s.token_id for s in steps if isinstance(s, Step)]
    passes = engine.forward_passes()
    timeline = [*IDS[:12], *reply]
    engine.read(timeline, positions=range(len(timeline) - 1))
    engine.scores(timeline, range(1, len(timeline)))
    engine.read(timeline[:5])
    assert engine.forward_passes() == passes


def test_a_continuation_runs_only_what_is_new(engine: NnsightEngine):
    engine.read(IDS[:20])
    tokens = engine.computed_tokens()
    engine.read(IDS)
    assert engine.computed_tokens() - tokens == 10
    assert len(engine._store) == 1


def test_a_branch_reuses_the_prefix_and_equals_a_fresh_run(
    engine: NnsightEngine, plain_gpt2: PlainModel
):
    engine.read(IDS)
    before = rows_of(engine, IDS)
    tokens = engine.computed_tokens()
    branch = [*IDS[:18], *random_ids(9, seed=22)]
    np.testing.assert_allclose(
        rows_of(engine, branch), plain_rows(plain_gpt2, branch), atol=1e-4, rtol=1e-4
    )
    assert engine.computed_tokens() - tokens == 9
    np.testing.assert_array_equal(rows_of(engine, IDS), before)
    assert engine.computed_tokens() - tokens == 9


def test_a_reply_to_a_stored_prompt_needs_no_pass_for_its_first_token(
    engine: NnsightEngine, plain_gpt2: PlainModel
):
    engine.read(IDS)
    passes = engine.forward_passes()
    *steps, _ = engine.generate(IDS[:20], greedy(1), never)
    assert [s.token_id for s in steps] == plain_gpt2.greedy_ids(IDS[:20], 1, END_ID)
    assert engine.forward_passes() == passes


@pytest.mark.parametrize("family", ["gpt2", "gemma2", "gpt_oss", "mamba"])
def test_any_history_of_calls_gives_the_numbers_of_a_fresh_run(family: str):
    """Branches, cuts, evictions and replies in random order, with windows and recurrent states."""
    model = random_model(FAMILIES[family].config())
    plain = PlainModel(model, FAMILIES[family].blocks)
    engine = engine_of(model, store_bytes=250_000)
    choice = random.Random(family)
    texts = [random_ids(8, seed=1), random_ids(8, seed=2)]
    for _ in range(10):
        ids = choice.choice(texts)[: choice.randint(3, 40)]
        if choice.random() < 0.5:
            ids = [*ids, *random_ids(choice.randint(1, 9), seed=choice.randint(0, 99))]
            ids = ids[:50]
            np.testing.assert_allclose(
                rows_of(engine, ids), plain_rows(plain, ids), atol=1e-3, rtol=1e-3
            )
        else:
            *steps, _ = engine.generate(ids, greedy(4), never)
            reply = [s.token_id for s in steps if isinstance(s, Step)]
            assert reply == plain.greedy_ids(ids, 4, END_ID)
            ids = [*ids, *reply]
        texts.append(ids)
        assert engine._store.n_bytes <= 250_000
        held = sum(t.n_bytes for t in engine._store._timelines.values())
        assert engine._store.n_bytes == held
    assert len(engine._store) > 1


def test_forgetting_costs_only_time(loaded_gpt2: NnsightEngine):
    texts = [random_ids(20, seed=s) for s in range(4)]

    def rows_and_cost(engine: NnsightEngine) -> tuple[list[np.ndarray], int]:
        before = engine.computed_tokens()
        rows = [rows_of(engine, ids) for ids in texts * 2]
        return rows, engine.computed_tokens() - before

    small = fresh(loaded_gpt2, store_bytes=1)
    forgetful, dear = rows_and_cost(small)
    remembered, cheap = rows_and_cost(fresh(loaded_gpt2))
    np.testing.assert_array_equal(forgetful, remembered)
    assert (dear, cheap) == (160, 80)
    assert small._store.n_bytes == 0


def test_the_least_recently_used_is_forgotten_first(loaded_gpt2: NnsightEngine):
    engine = fresh(loaded_gpt2)
    texts = [random_ids(20, seed=s) for s in range(3)]
    engine.read(texts[0])
    engine._store.max_bytes = engine._store.n_bytes * 2
    engine.read(texts[1])
    engine.read(texts[0])
    engine.read(texts[2])
    passes = engine.forward_passes()
    engine.read(texts[0])
    engine.read(texts[2])
    assert engine.forward_passes() == passes
    engine.read(texts[1])
    assert engine.forward_passes() == passes + 1


def test_a_reply_keeps_its_timeline_however_large(loaded_gpt2: NnsightEngine):
    engine = fresh(loaded_gpt2, store_bytes=1)
    passes = engine.forward_passes()
    *steps, _ = engine.generate(IDS, greedy(10), never)
    assert engine.forward_passes() - passes == len(steps)
    assert engine._store.n_bytes == 0


def test_what_was_computed_before_a_stop_is_kept(
    engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.engine.residuals.PREFILL_TOKENS", 10)
    asked = itertools.count(1)
    assert engine.read(IDS, should_stop=lambda: next(asked) >= 3) is None
    tokens = engine.computed_tokens()
    engine.read(IDS)
    assert engine.computed_tokens() - tokens == 10


def test_appending_copies_only_when_a_buffer_doubles():
    timeline = Timeline(4, 8, None)
    moved = 0
    address = timeline.room(1).data_ptr()
    for i in range(2000):
        timeline.room(1).fill_(i)
        timeline.commit([i])
        moved += timeline.rows.data_ptr() != address
        address = timeline.rows.data_ptr()
    assert moved == 5  # 64 → 2,048
    assert timeline.ids.tolist() == list(range(2000))
    assert torch.equal(timeline.rows[:, 0, 0], torch.arange(2000.0))


def test_a_step_copies_no_cache(engine: NnsightEngine):
    """The keys of one block stay where they are while tokens are appended."""
    reply = engine.generate(IDS[:4], greedy(40), never)
    addresses = set()
    for _ in range(40):
        next(reply)
        (timeline,) = engine._store._timelines.values()
        assert timeline.cache is not None
        addresses.add(timeline.cache.layers[0].keys.data_ptr())
    assert len(addresses) == 1


def test_stats_are_what_the_engine_did_and_holds(engine: NnsightEngine) -> None:
    before = engine.stats()

    engine.read([5, 6, 7], positions=[2])
    engine.read([5, 6, 7], positions=[0, 1], top_k=9)
    after = engine.stats()

    assert after.forward_passes == before.forward_passes + 1
    assert after.computed_tokens == before.computed_tokens + 3
    assert (before.stored_timelines, after.stored_timelines) == (0, 1)
    assert before.stored_bytes == 0 < after.stored_bytes <= after.max_stored_bytes
