"""The store: what is reused, what is run again, and how much is kept."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from app.engine.engine import NnsightEngine
from app.engine.timeline import Timeline
from app.engine.types import Step, Wanted
from app.errors import ModelComputationError
from tests.engine.reference import PlainModel
from tests.engine.small_models import (
    END_ID,
    FAMILIES,
    engine_of,
    fresh,
    greedy,
    random_ids,
    random_model,
    rows_of,
)

IDS = random_ids(30, seed=21)


def test_a_stored_timeline_is_read_without_a_forward_pass(engine: NnsightEngine):
    *steps, _ = engine.generate(IDS[:12], greedy(8), lineage=["mine"])
    reply = [s.token_id for s in steps if isinstance(s, Step)]
    passes = engine.forward_passes()
    timeline = [*IDS[:12], *reply]
    engine.read(timeline, positions=range(len(timeline) - 1), lineage=["mine"])
    engine.read(timeline[:5], lineage=["mine"])
    assert engine.forward_passes() == passes


def test_a_continuation_runs_only_what_is_new(engine: NnsightEngine):
    engine.read(IDS[:20], lineage=["mine"])
    tokens = engine.computed_tokens()
    engine.read(IDS, lineage=["mine"])
    assert engine.computed_tokens() - tokens == 10
    assert len(engine._store) == 1


def test_a_branch_reuses_the_prefix_and_equals_a_fresh_run(
    engine: NnsightEngine, plain_gpt2: PlainModel
):
    engine.read(IDS, lineage=["first"])
    before = rows_of(engine, IDS)
    tokens = engine.computed_tokens()
    branch = [*IDS[:18], *random_ids(9, seed=22)]
    np.testing.assert_allclose(
        rows_of(engine, branch, ["second", "first"]),
        plain_gpt2.rows(branch),
        atol=1e-4,
        rtol=1e-4,
    )
    assert engine.computed_tokens() - tokens == 9
    np.testing.assert_array_equal(rows_of(engine, IDS), before)
    assert engine.computed_tokens() - tokens == 9


def test_a_reply_to_a_stored_prompt_needs_no_pass_for_its_first_token(
    engine: NnsightEngine, plain_gpt2: PlainModel
):
    engine.read(IDS, lineage=["mine"])
    passes = engine.forward_passes()
    *steps, _ = engine.generate(IDS[:20], greedy(1), lineage=["mine"])
    assert [s.token_id for s in steps] == plain_gpt2.greedy_ids(IDS[:20], 1, END_ID)
    assert engine.forward_passes() == passes


@pytest.mark.parametrize("family", ["gpt2", "gemma2", "gpt_oss", "mamba", "falcon_h1", "bamba"])
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
                rows_of(engine, ids, ["mine"]), plain.rows(ids), atol=1e-3, rtol=1e-3
            )
        else:
            *steps, _ = engine.generate(ids, greedy(4), lineage=["mine"])
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
    *steps, _ = engine.generate(IDS, greedy(10))
    assert engine.forward_passes() - passes == len(steps)
    assert engine._store.n_bytes == 0


def test_what_was_computed_before_a_stop_is_kept(
    engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.engine.residuals.PREFILL_TOKENS", 10)
    reading = engine.reading(IDS, range(30), Wanted((0,)), lineage=["mine"])
    assert [next(reading), next(reading)] == [None, None]
    reading.close()
    assert not engine._store._pinned
    tokens = engine.computed_tokens()
    engine.read(IDS, lineage=["mine"])
    assert engine.computed_tokens() - tokens == 10


def test_appending_copies_only_when_a_buffer_doubles():
    timeline = Timeline(4, 8, None)
    moved = 0
    address = timeline.room(1).data_ptr()
    for i in range(2000):
        room = timeline.room(1)
        timeline.commit([i], room.fill_(i))
        moved += timeline.rows.data_ptr() != address
        address = timeline.rows.data_ptr()
    assert moved == 5  # 64 → 2,048
    assert timeline.ids.tolist() == list(range(2000))
    assert torch.equal(timeline.rows[:, 0, 0], torch.arange(2000.0))


def test_a_step_copies_no_cache(engine: NnsightEngine):
    """The keys of one block stay where they are while tokens are appended."""
    reply = engine.generate(IDS[:4], greedy(40))
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


def test_a_text_is_run_once_however_it_is_read(
    engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.engine.residuals.PREFILL_TOKENS", 10)
    tokens = engine.computed_tokens()
    computed = []
    for last in (3, 9, 10, 15, 2, 29, 11):
        engine.read(IDS, positions=[last])
        computed.append(engine.computed_tokens() - tokens)
    assert computed == [10, 10, 20, 20, 20, 30, 30]


def test_a_cut_within_a_pass_is_remembered():
    timeline = Timeline(4, 8, None)
    for n in (10, 10, 1):
        timeline.commit(range(n), timeline.room(n))
    assert timeline.pass_ends == [10, 20, 21]
    assert timeline.prefix(20).pass_ends == [10, 20]
    assert timeline.prefix(15).pass_ends == [10, -15]
    timeline.cut(5)
    timeline.commit(range(5), timeline.room(5))
    assert timeline.pass_ends == [-5, 10]


def test_half_precision_streams_take_half_the_memory_and_are_near(gpt2: torch.nn.Module):
    exact, half = engine_of(gpt2), engine_of(gpt2, store_dtype="float16")
    one, two = exact.read(IDS, targets=[33]), half.read(IDS, targets=[33])
    # A float16 is off by 5e-4 of its size at most. Measured here: 0.0008 nats of entropy, 0.0016 of
    # divergences that reach 13, 0.0003 of a probability, and one rank.
    np.testing.assert_allclose(one.entropy_nats, two.entropy_nats, atol=2e-3)
    np.testing.assert_allclose(one.kl_to_final_nats, two.kl_to_final_nats, atol=4e-3)
    np.testing.assert_allclose(one.top_probabilities, two.top_probabilities, atol=1e-3)
    np.testing.assert_array_equal(one.top_ids[..., 0], two.top_ids[..., 0])
    assert np.abs(one.next_rank - two.next_rank).max() <= 1
    assert np.abs(one.target_rank - two.target_rank).max() <= 1
    assert not np.array_equal(one.entropy_nats, two.entropy_nats)
    rows = [t.rows for e in (exact, half) for t in e._store._timelines.values()]
    assert rows[0].nbytes == 2 * rows[1].nbytes


def test_half_precision_streams_change_no_reply(gpt2: torch.nn.Module):
    exact, half = engine_of(gpt2), engine_of(gpt2, store_dtype="float16")

    def reply(engine: NnsightEngine) -> tuple[list[int], list[float]]:
        steps = [s for s in engine.generate(IDS, greedy(8), lineage=["mine"]) if s is not None]
        steps = [s for s in steps if isinstance(s, Step)]
        return [s.token_id for s in steps], [s.logprob_nats for s in steps]

    ids, logprobs = reply(exact)
    half.read(IDS, lineage=["mine"])
    for _ in range(2):
        found = reply(half)
        assert found[0] == ids
        # The last token of the prompt is run again, for its stored stream is a rounded one.
        assert found[1] == pytest.approx(logprobs, abs=1e-5)


def test_a_stream_too_large_for_half_precision_is_a_typed_error():
    timeline = Timeline(1, 2, None, torch.float16)
    room = timeline.room(1)
    with pytest.raises(ModelComputationError, match="float16") as caught:
        timeline.commit([1], room.fill_(1e5))
    assert "EXPLORER_STORE_DTYPE=float32" in (caught.value.hint or "")
    assert timeline.length == 0
