"""The same bits, whatever is held: by others, by oneself, and where a cache cannot be cut."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from app.engine.engine import NnsightEngine
from app.engine.residuals import CacheReuse
from app.engine.types import LensColumns, Sampling, Step, Wanted
from app.errors import ModelComputationError
from tests.engine.reference import PlainModel
from tests.engine.small_models import (
    FAMILIES,
    engine_of,
    fresh,
    greedy,
    random_ids,
    random_model,
    rows_of,
)

IDS = random_ids(30, seed=21)


def reply_bits(engine: NnsightEngine, ids: list[int], name: str) -> list[object]:
    """Everything that a reply tells, to the last bit."""
    items = engine.generate(ids, SAMPLED, wanted=Wanted((0, 1, 2, 3), 3), lineage=[name])
    return [
        item if isinstance(item, Step) else [getattr(item, f).tobytes() for f in ARRAYS]
        for item in items
        if isinstance(item, (Step, LensColumns))
    ]


SAMPLED = Sampling(6, 1.3, 0, 0.95, 7, ())
ARRAYS = ("top_ids", "top_probabilities", "entropy_nats", "kl_to_final_nats", "next_probability")


@pytest.mark.parametrize("n_shared", [3, 9, 10, 16, 20, 25, 30])
def test_the_bits_of_a_reply_do_not_depend_on_what_others_asked(
    loaded_gpt2: NnsightEngine, monkeypatch: pytest.MonkeyPatch, n_shared: int
):
    """Others hold a prefix of any length, by long passes, by short ones and by steps."""
    monkeypatch.setattr("app.engine.residuals.PREFILL_TOKENS", 10)
    alone = reply_bits(fresh(loaded_gpt2), IDS, "mine")
    engine = fresh(loaded_gpt2)
    others = [*IDS[:n_shared], *random_ids(12, seed=23)]
    reply_bits(engine, others, "another")
    reply_bits(engine, others[: n_shared + 2], "a third")
    computed = engine.computed_tokens()
    assert reply_bits(engine, IDS, "mine") == alone
    # What was cut alike is reused: whole passes of ten tokens.
    assert engine.computed_tokens() - computed == 30 - n_shared // 10 * 10 + 5


def test_the_same_prompt_of_another_is_reused_whole(loaded_gpt2: NnsightEngine):
    alone = reply_bits(fresh(loaded_gpt2), IDS, "mine")
    engine = fresh(loaded_gpt2)
    reply_bits(engine, IDS, "another")
    passes = engine.forward_passes()
    assert reply_bits(engine, IDS, "mine") == alone
    assert engine.forward_passes() - passes == 5


HISTORIES: dict[str, Callable[[NnsightEngine], object]] = {
    "a reply to a part of it": lambda e: reply_bits(e, IDS[:23], "another"),
    "a conversation that holds all of it": lambda e: rows_of(e, [*IDS, 5, 6, 7], ["another"]),
    "a conversation of two turns": lambda e: [
        rows_of(e, IDS[:n], ["another"]) for n in (7, 18, 29, 30)
    ],
    "a longer text": lambda e: rows_of(e, [*IDS, 5, 6, 7]),
    "a shorter text": lambda e: rows_of(e, IDS[:13]),
    "itself at its beginning": lambda e: e.read(IDS, positions=[2]),
    "itself in pieces": lambda e: [e.read(IDS, positions=[p]) for p in (12, 3, 25, 29)],
    "a reply to all of it": lambda e: reply_bits(e, IDS, "another"),
}

UNCUTTABLE = ["mamba2", "falcon_h1", "qwen3_next", "mamba"]
"""Families whose cache holds the state after its last token only: three take chunks, one takes steps."""


@pytest.fixture(scope="module", params=UNCUTTABLE)
def loaded_uncuttable(request: pytest.FixtureRequest) -> NnsightEngine:
    return engine_of(random_model(FAMILIES[request.param].config()))


@pytest.fixture
def short_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.engine.residuals.PREFILL_TOKENS", 10)
    monkeypatch.setattr("app.engine.residuals.FIRST_PASS_TOKENS", 20)


def assert_same_bits(one: NnsightEngine, fresh_one: NnsightEngine) -> None:
    np.testing.assert_array_equal(rows_of(one, IDS), rows_of(fresh_one, IDS))
    for position in (2, 14, 29):
        found = one.read(IDS, positions=[position])
        expected = fresh_one.read(IDS, positions=[position])
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.usefixtures("short_passes")
@pytest.mark.parametrize("history", HISTORIES)
def test_the_bits_of_a_text_do_not_depend_on_what_is_held_where_a_cache_cannot_be_cut(
    loaded_uncuttable: NnsightEngine, history: str
):
    engine = fresh(loaded_uncuttable)
    HISTORIES[history](engine)
    assert_same_bits(engine, fresh(loaded_uncuttable))


@pytest.mark.usefixtures("short_passes")
@pytest.mark.parametrize("n_shared", [9, 10, 16, 20, 30])
def test_the_bits_of_a_reply_do_not_depend_on_others_where_a_cache_cannot_be_cut(
    loaded_uncuttable: NnsightEngine, n_shared: int
):
    alone = reply_bits(fresh(loaded_uncuttable), IDS, "mine")
    engine = fresh(loaded_uncuttable)
    reply_bits(engine, [*IDS[:n_shared], *random_ids(12, seed=23)], "another")
    assert reply_bits(engine, IDS, "mine") == alone
    assert reply_bits(engine, IDS, "mine") == alone


@pytest.mark.usefixtures("short_passes")
def test_others_are_served_between_the_passes_over_a_text_that_is_held_in_part(
    loaded_uncuttable: NnsightEngine,
):
    """It used to be run again in one pass, however long."""
    engine = fresh(loaded_uncuttable)
    rows_of(engine, IDS[:20])
    rows_of(engine, IDS[:20] + [7, 8, 9], ["another"])
    passes, tokens = engine.forward_passes(), engine.computed_tokens()
    longest = 0
    for _ in engine.reading(IDS, [29], Wanted((0,))):
        longest = max(longest, engine.computed_tokens() - tokens)
        tokens = engine.computed_tokens()
    assert longest <= 20
    assert engine.forward_passes() - passes >= 2


@pytest.mark.usefixtures("short_passes")
def test_a_conversation_goes_on_from_its_cache_where_it_cannot_be_cut(
    loaded_uncuttable: NnsightEngine,
):
    engine = fresh(loaded_uncuttable)
    *steps, _ = engine.generate(IDS[:12], greedy(6), lineage=["mine"])
    reply = [step.token_id for step in steps if isinstance(step, Step)]
    tokens = engine.computed_tokens()
    *_, finish = engine.generate([*IDS[:12], *reply, 5, 6, 7], greedy(1), lineage=["mine"])
    assert finish.reason == "length"
    assert engine.computed_tokens() - tokens == 4  # the reply's last token and what is new


@pytest.mark.usefixtures("short_passes")
def test_a_failed_pass_leaves_nothing_to_go_on_from_where_a_cache_cannot_be_cut(
    loaded_uncuttable: NnsightEngine,
):
    alone = reply_bits(fresh(loaded_uncuttable), IDS, "mine")
    engine = fresh(loaded_uncuttable)
    reply = engine.generate(IDS, SAMPLED, lineage=["mine"])
    while not isinstance(next(reply), Step):
        pass

    def fail(*_: object) -> None:
        raise ModelComputationError("a fault")

    handle = engine.decoder.structure.blocks[1].register_forward_pre_hook(fail)
    with pytest.raises(ModelComputationError):
        list(reply)
    handle.remove()
    assert reply_bits(engine, IDS, "mine") == alone


def long_model(family: str) -> torch.nn.Module:
    config = FAMILIES[family].config()
    if hasattr(config, "max_position_embeddings"):
        config.max_position_embeddings = 512
    return random_model(config)


@pytest.mark.parametrize("family", ["gpt2", "mistral", "falcon_h1", "mamba2"])
def test_a_text_of_three_real_passes_has_the_bits_of_a_fresh_run_and_the_models_numbers(
    family: str,
):
    """With passes of 128 tokens, beside others who hold parts of it."""
    model = long_model(family)
    loaded = engine_of(model)
    ids = random_ids(300, seed=31)
    alone = rows_of(fresh(loaded), ids)
    streams = PlainModel(model, FAMILIES[family].blocks).residuals(ids)
    for layer, stream in enumerate(streams):
        tolerance = 1e-4 * float(stream.abs().max())
        np.testing.assert_allclose(alone[:, layer], stream[0], atol=tolerance, rtol=0)
    engine = fresh(loaded)
    passes = engine.forward_passes()
    rows_of(engine, [*ids[:200], 5, 6])
    assert engine.forward_passes() - passes == 2
    reply_bits(engine, ids[:140], "another")
    np.testing.assert_array_equal(rows_of(engine, ids), alone)
    mine = reply_bits(fresh(loaded), ids, "mine")
    assert reply_bits(engine, ids, "mine") == mine


def test_a_model_that_takes_no_chunks_reads_a_long_text_in_steps_after_its_first_pass(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("app.engine.residuals.FIRST_PASS_TOKENS", 12)
    model = random_model(FAMILIES["mamba"].config())
    engine = engine_of(model)
    items = list(engine.reading(IDS, [29], Wanted((0,))))
    assert items[:-1] == [None] * 18
    np.testing.assert_allclose(
        rows_of(engine, IDS),
        PlainModel(model, "backbone.layers").rows(IDS),
        atol=1e-3,
        rtol=1e-3,
    )


@pytest.mark.parametrize("reuse", ["chunks", "steps", "none"])
@pytest.mark.parametrize("history", HISTORIES)
def test_the_bits_of_a_text_do_not_depend_on_what_is_held(
    loaded_gpt2: NnsightEngine, monkeypatch: pytest.MonkeyPatch, history: str, reuse: CacheReuse
):
    """Neither on what others asked, nor on which of its positions were read before."""
    monkeypatch.setattr("app.engine.residuals.PREFILL_TOKENS", 10)

    def started() -> NnsightEngine:
        engine = fresh(loaded_gpt2)
        engine._store._reuse = reuse
        return engine

    engine = started()
    HISTORIES[history](engine)
    assert_same_bits(engine, started())
