"""Two timelines compared: against loops in float64, in any chunks, and from what is held."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from app.engine.divergence import divergences
from app.engine.engine import NnsightEngine
from app.engine.metrics import LogitsReader
from app.engine.types import Comparison, Finish, Pairs, Side, Step
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
from tests.engine.reference import PlainModel
from tests.engine.small_models import N_CTX, fresh, greedy, random_ids

A = Side(tuple(random_ids(20, seed=31)), lineage=("a",))
B = Side((*A.ids[:6], *random_ids(11, seed=32)), lineage=("b",))
N_LAYERS = 3
LAYERS = tuple((layer, layer) for layer in range(N_LAYERS + 1))
CROSSED = ((3, 0), (0, 3), (2, 2), (1, 3))
PLACES = ((19, 16), (0, 0), (5, 16), (5, 5), (12, 3), (19, 2), (19, 16))
EVERY = Pairs(LAYERS, tuple((i, i) for i in range(17)), (7, 40))
ODD = Pairs(CROSSED, PLACES, (7, 40, 96))
CPU = torch.device("cpu")
KL_NAMES = ("kl_a_to_b_nats", "kl_b_to_a_nats")


def joined(chunks: Sequence[Comparison]) -> Comparison:
    arrays = {
        field.name: np.concatenate([getattr(chunk, field.name) for chunk in chunks], axis=-1)
        for field in dataclasses.fields(Comparison)
        if isinstance(getattr(chunks[0], field.name), np.ndarray)
    }
    positions = tuple(pair for chunk in chunks for pair in chunk.positions)
    return dataclasses.replace(chunks[0], positions=positions, **arrays)


def compare(engine: NnsightEngine, a: Side, b: Side, pairs: Pairs) -> Comparison:
    return joined([chunk for chunk in engine.comparing(a, b, pairs) if chunk is not None])


def columns_of(comparison: Comparison) -> dict[str, np.ndarray]:
    values = {f.name: getattr(comparison, f.name) for f in dataclasses.fields(Comparison)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


def assert_same_bits(one: Comparison, two: Comparison) -> None:
    assert (one.layers, one.positions, one.targets) == (two.layers, two.positions, two.targets)
    for name, values in columns_of(one).items():
        np.testing.assert_array_equal(values, columns_of(two)[name], err_msg=name)


def assert_close(one: Comparison, two: Comparison) -> None:
    """Equal to rounding: rows decoded in another company may round otherwise in the last bit."""
    assert (one.layers, one.positions, one.targets) == (two.layers, two.positions, two.targets)
    for name, values in columns_of(one).items():
        tolerance = {"atol": 2e-6, "rtol": 1e-5} if values.dtype == np.float32 else {}
        np.testing.assert_allclose(values, columns_of(two)[name], err_msg=name, **tolerance)


def log_probabilities(row: Sequence[float]) -> list[float]:
    largest = max(row)
    log_total = largest + math.log(math.fsum(math.exp(x - largest) for x in row))
    return [x - log_total for x in row]


def slow_divergences(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    """KL(a ‖ b), KL(b ‖ a) and Jensen-Shannon divergence of two rows of logits, in float64."""
    log_a, log_b = log_probabilities(a), log_probabilities(b)
    log_m = [
        max(x, y) + math.log1p(math.exp(-abs(x - y))) - math.log(2)
        for x, y in zip(log_a, log_b, strict=True)
    ]

    def kl(log_p: Sequence[float], log_q: Sequence[float]) -> float:
        return math.fsum(math.exp(x) * (x - y) for x, y in zip(log_p, log_q, strict=True))

    return kl(log_a, log_b), kl(log_b, log_a), (kl(log_a, log_m) + kl(log_b, log_m)) / 2


# --- the arithmetic ------------------------------------------------------------------------------


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


# --- timelines -----------------------------------------------------------------------------------


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


# --- chunks --------------------------------------------------------------------------------------


def count_rows(engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of each product from here on."""
    decoded: list[int] = []
    decode = engine._decoder.decode

    def counted(rows: torch.Tensor) -> torch.Tensor:
        decoded.append(len(rows))
        return decode(rows)

    monkeypatch.setattr(engine._decoder, "decode", counted)
    return decoded


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
    assert compare(engine, A, A, Pairs(((2, 1), (0, 3)), ((1, 2), (4, 6)))) is not None
    with pytest.raises(ModelComputationError, match=message):
        compare(engine, A, A, Pairs(((0, 0), (2, 1)), ((0, 0), pair)))


def test_failed_allocations_are_typed(engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        torch.empty(2**60)

    monkeypatch.setattr(engine._decoder, "decode", fail)
    with pytest.raises(OutOfMemory, match="comparing these texts"):
        compare(engine, A, B, ODD)
    assert not engine._store._pinned
