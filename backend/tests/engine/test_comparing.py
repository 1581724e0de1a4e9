"""Two timelines compared: against the model's own logits, and what is refused."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from app.engine.engine import NnsightEngine
from app.engine.types import Pairs, Side, Step
from app.errors import (
    ContextExceeded,
    EmptyPrompt,
    LayerOutOfRange,
    LensUnavailable,
    ModelComputationError,
    OutOfMemory,
    PositionOutOfRange,
    UnknownToken,
)
from tests.engine.comparisons import EVERY, LAYERS, N_LAYERS, ODD, A, B, columns_of, compare
from tests.engine.reference import PlainModel, log_probabilities, slow_divergences
from tests.engine.small_models import N_CTX, greedy, random_ids

KL_NAMES = ("kl_a_to_b_nats", "kl_b_to_a_nats")


def plain_logits(plain: PlainModel, ids: Sequence[int]) -> list[np.ndarray]:
    """Of each layer, `[len(ids), d_vocab]` in float64."""
    return [
        plain.lens_logits(ids, stream).double().numpy() for stream in plain.residuals(list(ids))
    ]


@pytest.mark.parametrize("pairs", [EVERY, ODD], ids=["every layer with itself", "odd pairs"])
def test_comparison_is_that_of_the_models_own_logits(
    engine: NnsightEngine, plain_gpt2: PlainModel, pairs: Pairs
):
    found = compare(engine, A, B, pairs)
    assert (found.layers, found.positions) == (pairs.layers, pairs.positions)
    logits = [plain_logits(plain_gpt2, side.ids) for side in (A, B)]
    for row, layers in enumerate(pairs.layers):
        for column, positions in enumerate(pairs.positions):
            at = (row, column)
            rows = [logits[s][layers[s]][positions[s]] for s in (0, 1)]
            kl_a_to_b, kl_b_to_a, js = slow_divergences(*(x.tolist() for x in rows))
            assert found.kl_a_to_b_nats[at] == pytest.approx(kl_a_to_b, abs=1e-4, rel=1e-4)
            assert found.kl_b_to_a_nats[at] == pytest.approx(kl_b_to_a, abs=1e-4, rel=1e-4)
            assert found.js_nats[at] == pytest.approx(js, abs=1e-5)
            for side, values in zip("ab", rows, strict=True):
                log_p = log_probabilities(values.tolist())
                best = int(values.argmax())
                assert getattr(found, f"{side}_top_id")[at] == best
                assert getattr(found, f"{side}_top_probability")[at] == pytest.approx(
                    math.exp(log_p[best]), abs=1e-5
                )
                for t, target in enumerate(pairs.targets):
                    assert getattr(found, f"{side}_target_probability")[t][at] == pytest.approx(
                        math.exp(log_p[target]), abs=1e-5
                    )
                    rank = 1 + int((values > values[target]).sum())
                    assert getattr(found, f"{side}_target_rank")[t][at] == rank


def test_first_choices_and_targets_are_those_of_a_read_out(engine: NnsightEngine):
    found = compare(engine, A, B, EVERY)
    reads = [
        engine.read(side.ids, positions=range(17), targets=EVERY.targets, top_k=1)
        for side in (A, B)
    ]
    for name, own in zip("ab", reads, strict=True):
        for what, of in {
            "top_id": lambda read: read.top_ids[..., 0],
            "top_probability": lambda read: read.top_probabilities[..., 0],
            "target_probability": lambda read: read.target_probability,
            "target_rank": lambda read: read.target_rank,
        }.items():
            # What both begin with is read once, on the side of `a`.
            expected = np.concatenate([of(reads[0])[..., :6], of(own)[..., 6:]], axis=-1)
            np.testing.assert_array_equal(getattr(found, f"{name}_{what}"), expected)


def test_divergence_from_the_last_layer_is_that_of_a_read_out(engine: NnsightEngine):
    pairs = Pairs(tuple((N_LAYERS, layer) for layer in range(N_LAYERS + 1)), EVERY.positions)
    found = compare(engine, A, A, pairs)
    read = engine.read(A.ids, positions=range(17))
    np.testing.assert_allclose(found.kl_a_to_b_nats, read.kl_to_final_nats, atol=1e-5, rtol=1e-5)
    assert (found.kl_a_to_b_nats[-1] == 0).all()
    assert (found.kl_a_to_b_nats[:-1] > 0).all()


def test_what_both_begin_with_is_nothing_apart(engine: NnsightEngine):
    found = compare(engine, A, B, EVERY)
    for name in (*KL_NAMES, "js_nats"):
        values = getattr(found, name)
        assert (values[:, :6] == 0).all()
        assert (values[:, 6:] > 0).all()


def test_what_both_begin_with_is_one_text_however_each_side_was_computed(
    engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch
):
    """One side by the steps of its reply, the other by the passes of a text."""
    monkeypatch.setattr("app.engine.residuals.PREFILL_TOKENS", 4)
    *steps, _ = engine.generate(A.ids[:3], greedy(14), lineage=A.lineage)
    a = (*A.ids[:3], *(step.token_id for step in steps if isinstance(step, Step)))
    b = (*a[:9], *random_ids(11, seed=33))
    pairs = Pairs(LAYERS, tuple((i, i) for i in (12, 8, 3, 0, 9)))
    for one, two in ((Side(a, lineage=A.lineage), Side(b)), (Side(b), Side(a, lineage=A.lineage))):
        found = compare(engine, one, two, pairs)
        for name in (*KL_NAMES, "js_nats"):
            values = getattr(found, name)
            assert (values[:, 1:4] == 0).all()
            assert (values[:, [0, 4]] > 0).all()


def test_the_bits_of_a_pair_do_not_depend_on_the_other_pairs(engine: NnsightEngine):
    """Both sides hold their beginning as rows of their own, by steps and by one pass."""
    *steps, _ = engine.generate(A.ids[:3], greedy(47), lineage=A.lineage)
    ids = (*A.ids[:3], *(step.token_id for step in steps if isinstance(step, Step)))
    a = Side(ids, lineage=A.lineage)
    b = Side((*ids[:45], *random_ids(8, seed=34)), lineage=B.lineage)
    engine.read(b.ids, lineage=B.lineage)
    engine._unembedding.chunk_rows = 2 * len(LAYERS)  # each pair is decoded by itself
    alone = compare(engine, a, b, Pairs(LAYERS, ((3, 40),)))
    for others in (((48, 48),), ((0, 44), (2, 52)), ((40, 3),)):
        beside = compare(engine, a, b, Pairs(LAYERS, ((3, 40), *others)))
        for name, values in columns_of(alone).items():
            found = columns_of(beside)[name][..., :1]
            np.testing.assert_array_equal(found, values, err_msg=f"{name} beside {others}")


@pytest.mark.parametrize("n_kept", [4, 6])
def test_a_side_that_is_the_beginning_of_the_other_is_all_in_common(
    engine: NnsightEngine, n_kept: int
):
    short = Side(A.ids[:n_kept], lineage=("short",))
    for one, two in ((short, A), (A, short)):
        found = compare(engine, one, two, Pairs(LAYERS, ((0, 0), (n_kept - 1, n_kept - 1))))
        assert (found.js_nats == 0).all()


def test_sides_can_be_swapped(engine: NnsightEngine):
    found = compare(engine, A, B, ODD)
    swapped = compare(
        engine,
        B,
        A,
        Pairs(
            tuple((y, x) for x, y in ODD.layers),
            tuple((y, x) for x, y in ODD.positions),
            ODD.targets,
        ),
    )
    np.testing.assert_allclose(found.js_nats, swapped.js_nats, atol=1e-6)
    np.testing.assert_allclose(found.kl_a_to_b_nats, swapped.kl_b_to_a_nats, atol=1e-5, rtol=1e-5)
    np.testing.assert_array_equal(found.a_target_rank, swapped.b_target_rank)


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "changes", "message"),
    [
        (EmptyPrompt, {"a": Side(())}, "no tokens"),
        (UnknownToken, {"b": Side((3, 97))}, r"no token 97 \(at position 1\)"),
        (ContextExceeded, {"b": Side((3,) * (N_CTX + 1))}, "65 tokens; small reads at most 64"),
        (LensUnavailable, {"a": Side(A.ids, "tuned")}, "no tuned lens"),
        (LayerOutOfRange, {"layers": ((0, 4),)}, "no layer 4: small has layers 0 to 3"),
        (PositionOutOfRange, {"positions": ((0, 17),)}, "no position 17 here"),
        (PositionOutOfRange, {"positions": ((20, 0),)}, "no position 20 here"),
        (PositionOutOfRange, {"positions": ((0, -1),)}, "no position -1 here"),
        (UnknownToken, {"targets": (97,)}, "no token 97"),
    ],
)
def test_what_is_not_there_is_refused(
    engine: NnsightEngine, error: type[Exception], changes: dict, message: str
):
    sides = {"a": A, "b": B} | {k: v for k, v in changes.items() if k in "ab"}
    pairs = {k: v for k, v in changes.items() if k not in "ab"}
    with pytest.raises(error, match=message):
        engine.comparing(**sides, pairs=dataclasses.replace(ODD, **pairs))


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ((5, 2), "logits of a, read at layer 2, position 5"),
        ((9, 5), "logits of b, read at layer 1, position 5"),
        ((5, 5), "logits of a, read at layer 2, position 5"),
    ],
)
def test_a_bad_row_is_named_by_its_side(engine: NnsightEngine, pair: tuple[int, int], message: str):
    engine.read(A.ids)
    (timeline,) = engine._store._timelines.values()
    with torch.inference_mode():
        timeline.rows[5, 1:3] = math.nan
    beside = compare(engine, A, A, Pairs(((2, 1), (0, 3)), ((1, 2), (4, 6))))
    assert np.isfinite(beside.js_nats).all()
    with pytest.raises(ModelComputationError, match=message):
        compare(engine, A, A, Pairs(((0, 0), (2, 1)), ((0, 0), pair)))


def test_failed_allocations_are_typed(engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        torch.empty(2**60)

    monkeypatch.setattr(engine._decoder, "decode", fail)
    with pytest.raises(OutOfMemory, match="comparing these texts"):
        compare(engine, A, B, ODD)
    assert not engine._store._pinned
