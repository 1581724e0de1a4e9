"""States of one run put into another, in every family, against plain forward hooks."""

from __future__ import annotations

import dataclasses
import gc

import numpy as np
import pytest
import torch

from app.engine.cone import run_blocks
from app.engine.engine import NnsightEngine
from app.engine.gradients import HookedDecoder
from app.engine.kv_cache import GrowingCache
from app.engine.patching_types import (
    Ends,
    MapCells,
    MapEstimate,
    MapRow,
    MapWanted,
    Metric,
    Patched,
    PatchSide,
    PatchWanted,
    Site,
)
from app.engine.types import Capability, Step
from app.errors import (
    IdentityFailed,
    InvalidRequest,
    LayerOutOfRange,
    ModelComputationError,
    PositionOutOfRange,
    UndefinedEffect,
)
from tests.engine.linear_model import linear_decoder
from tests.engine.patched_by_hand import logits_with_module, logits_with_stream
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

N_TOKENS = 14
"""Beyond the sliding windows of the small models."""
ANSWER, FOIL = 20, 43
METRIC = Metric(ANSWER, FOIL)
FIRST_DIFFERENT = 5

CLEAN = random_ids(N_TOKENS, seed=3)
CORRUPT = [*CLEAN[:FIRST_DIFFERENT], 77, *CLEAN[6:9], 31, *CLEAN[10:]]
A, B = PatchSide(tuple(CLEAN)), PatchSide(tuple(CORRUPT))
PAIRS = tuple((position, position) for position in range(N_TOKENS))


class Loaded:
    def __init__(self, name: str) -> None:
        family = FAMILIES[name]
        model = random_model(family.config())
        self.plain = PlainModel(model, family.blocks)
        self.engine = engine_of(model)

    @property
    def n_layers(self) -> int:
        return self.engine.facts.n_layers


@pytest.fixture(scope="module", params=FAMILIES)
def loaded(request: pytest.FixtureRequest) -> Loaded:
    return Loaded(request.param)


def patched(
    engine: NnsightEngine, wanted: PatchWanted, a: PatchSide = A, b: PatchSide = B
) -> Patched:
    (found,) = [item for item in engine.patching.patching(a, b, wanted) if item is not None]
    return found


def mapped(
    engine: NnsightEngine, wanted: MapWanted, a: PatchSide = A, b: PatchSide = B
) -> tuple[Ends, MapEstimate, np.ndarray]:
    """The ends, the estimate and logit differences `[rows, pairs]`."""
    ends, estimate, *chunks = [x for x in engine.patching.mapping(a, b, wanted) if x is not None]
    values = np.full((len(wanted.rows), len(wanted.positions)), np.nan)
    for chunk in chunks:
        for row, place, value in chunk.cells:
            assert np.isnan(values[row, place]), "a cell was computed twice"
            values[row, place] = value
    assert not np.isnan(values).any()
    assert chunks[-1].progress == 1
    return ends, estimate, values


def whole_map(n_layers: int, **more: object) -> MapWanted:
    rows = tuple(MapRow(layer) for layer in range(n_layers + 1))
    return MapWanted("resid", rows, PAIRS, metric=METRIC, **more)


def difference(logits: torch.Tensor) -> float:
    return float(logits[ANSWER].double() - logits[FOIL].double())


@pytest.mark.parametrize("direction", ["denoise", "noise"])
def test_a_map_is_what_hooks_on_the_plain_model_give(loaded: Loaded, direction: str) -> None:
    before = loaded.engine.decoder.full_logits(CORRUPT)
    ends, estimate, values = mapped(loaded.engine, whole_map(loaded.n_layers, direction=direction))
    base, source = (CORRUPT, CLEAN) if direction == "denoise" else (CLEAN, CORRUPT)
    streams = loaded.plain.residuals(source)
    at_base, at_source = (
        (ends.corrupt, ends.clean) if direction == "denoise" else (ends.clean, ends.corrupt)
    )
    assert at_base == pytest.approx(difference(loaded.plain.logits(base)[-1]), abs=1e-4)
    assert at_source == pytest.approx(difference(loaded.plain.logits(source)[-1]), abs=1e-4)
    for layer in range(loaded.n_layers):
        for position in (5, 7, 9, 13) if direction == "denoise" else (9,):
            row = streams[layer][0, position]
            expected = logits_with_stream(loaded.plain, base, layer, {position: row})
            assert values[layer, position] == pytest.approx(difference(expected), abs=1e-4)
    # Nothing differs before the first different token, and of the last layer only the end is read.
    assert (values[:, :FIRST_DIFFERENT] == at_base).all()
    assert (values[-1, :-1] == at_base).all()
    assert values[-1, -1] == at_source
    assert estimate.scores is not None
    assert torch.equal(loaded.engine.decoder.full_logits(CORRUPT), before)


def test_all_positions_of_a_layer_carry_the_whole_answer(loaded: Loaded) -> None:
    for layer in range(loaded.n_layers + 1):
        for direction in ("denoise", "noise"):
            found = patched(loaded.engine, PatchWanted("resid", layer, PAIRS, direction, METRIC))
            assert found.ends.score(found.patched, direction) == pytest.approx(1, abs=1e-5)
            if direction == "denoise":
                assert found.kl_to_clean_nats <= 1e-9


def test_a_cell_alone_is_the_cell_of_the_map(loaded: Loaded) -> None:
    engine = fresh(loaded.engine)
    _, _, values = mapped(engine, whole_map(loaded.n_layers))
    for layer, position in ((0, 5), (1, 9), (2, 13)):
        wanted = PatchWanted("resid", layer, ((position, position),), metric=METRIC)
        found = patched(engine, wanted)
        assert found.patched == pytest.approx(values[layer, position], abs=1e-5)
        is_cut = (
            isinstance(engine.decoder.new_cache(), GrowingCache) and engine._store.reuse == "chunks"
        )
        assert found.computed_tokens == (N_TOKENS - position if is_cut else N_TOKENS)


def test_patching_leaves_the_stored_runs_as_they_were(loaded: Loaded) -> None:
    engine = fresh(loaded.engine)
    mapped(engine, whole_map(loaded.n_layers))
    held = list(engine._store._timelines.values())
    kept = [timeline.rows.clone() for timeline in held]
    caches = [
        layer.keys.clone()
        for t in held
        if isinstance(t.cache, GrowingCache)
        for layer in t.cache.layers
    ]
    mapped(engine, whole_map(loaded.n_layers, direction="noise"))
    assert all(torch.equal(timeline.rows, rows) for timeline, rows in zip(held, kept, strict=True))
    after = [
        layer.keys for t in held if isinstance(t.cache, GrowingCache) for layer in t.cache.layers
    ]
    assert all(torch.equal(a, b) for a, b in zip(after, caches, strict=True))
    assert not engine._store._pinned


def test_a_run_patched_into_itself_has_no_score(loaded: Loaded) -> None:
    with pytest.raises(UndefinedEffect, match="nothing to carry over"):
        patched(loaded.engine, PatchWanted("resid", 1, PAIRS, metric=METRIC), A, A)
    with pytest.raises(UndefinedEffect):
        mapped(loaded.engine, whole_map(loaded.n_layers), A, A)


@pytest.mark.parametrize("token", [ANSWER, FOIL])
def test_an_answer_without_a_finite_logit_is_told_with_what_to_do(token: int) -> None:
    model = random_model(FAMILIES["gpt2"].config())
    engine = engine_of(model)

    def masked(_module: torch.nn.Module, _args: object, out: torch.Tensor) -> torch.Tensor:
        return out.index_fill(-1, torch.tensor([token]), -np.inf)

    model.lm_head.register_forward_hook(masked)
    with pytest.raises(UndefinedEffect, match="in the clean and the corrupt run") as failure:
        patched(engine, PatchWanted("resid", 1, PAIRS, metric=METRIC))
    assert f"id {token}" in failure.value.message
    assert "another answer and foil" in failure.value.hint


def test_runs_that_have_the_same_top_1_token_name_it(loaded: Loaded) -> None:
    with pytest.raises(UndefinedEffect, match="same top-1 token"):
        patched(loaded.engine, PatchWanted("resid", 1, PAIRS), A, A)


def test_maps_leave_no_tensors_behind_but_the_store(engine: NnsightEngine) -> None:
    small = fresh(engine, store_bytes=2**18)

    def after_map(seed: int) -> int:
        ids = random_ids(N_TOKENS, seed=seed)
        sides = PatchSide(tuple(ids)), PatchSide((*ids[:5], 77, *ids[6:]))
        mapped(small, whole_map(small.facts.n_layers), *sides)
        gc.collect()
        # Packed weights have no storage of their own that could be told.
        tensors = (o for o in gc.get_objects() if type(o) is torch.Tensor)
        found = [tensor for tensor in tensors if tensor.layout == torch.strided]
        held = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in found}
        return sum(held.values()) - small._store.n_bytes

    first, *later = [after_map(seed) for seed in range(20, 26)]
    assert max(later) <= first + 2**12, (first, later)


def test_what_both_begin_with_is_one_text_however_it_was_computed(engine: NnsightEngine) -> None:
    steps = [
        x for x in engine.generate(CLEAN[:2], greedy(10), lineage=["talk"]) if isinstance(x, Step)
    ]
    written = [*CLEAN[:2], *(step.token_id for step in steps)]
    other = [*written[:8], *CORRUPT[8:12]]
    a, b = PatchSide(tuple(written), ("talk",)), PatchSide(tuple(other))
    own, fresh_rows = (
        rows_of(engine, ids, lineage)[:8] for ids, lineage in ((written, ["talk"]), (other, []))
    )
    assert not np.array_equal(own, fresh_rows), "the test needs rows of other passes"
    pairs = tuple((position, position) for position in range(8))
    for site in ("resid", "mlp"):
        found = patched(engine, PatchWanted(site, 1, pairs, metric=METRIC), a, b)
        assert found.patched == found.ends.corrupt


MODULES = {
    "gpt2": {"attn": "attn.c_proj", "mlp": "mlp.c_proj", "head": "attn.c_proj"},
    # A norm after each sub-layer, and fewer key-value heads.
    "gemma2": {
        "attn": "post_attention_layernorm",
        "mlp": "post_feedforward_layernorm",
        "head": "self_attn.o_proj",
    },
    # Attention and MLP side by side.
    "gpt_neox": {"attn": "attention.dense", "mlp": "mlp", "head": "attention.dense"},
    # The residual stream is added inside.
    "bloom": {
        "attn": "self_attention.dense",
        "mlp": "mlp.dense_4h_to_h",
        "head": "self_attention.dense",
    },
    # A cache that cannot be cut.
    "falcon_h1": {"mlp": "feed_forward.down_proj"},
}


@pytest.mark.parametrize("name", MODULES)
def test_parts_of_blocks_are_what_hooks_on_the_plain_model_give(name: str) -> None:
    loaded = Loaded(name)
    blocks = FAMILIES[name].blocks
    places = ((5, 5), (9, 9), (13, 13))
    for site, path in MODULES[name].items():
        heads = (0, 3) if site == "head" else (None,)
        rows = tuple(MapRow(block, head) for block in (1, 3) for head in heads)
        _, _, values = mapped(loaded.engine, MapWanted(site, rows, places, metric=METRIC))
        for number, row in enumerate(rows):
            module = f"{blocks}.{row.layer - 1}.{path}"
            width = None if row.head is None else (8 * row.head, 8 * row.head + 8)
            for place, (position, _) in enumerate(places):
                logits = logits_with_module(loaded.plain, CORRUPT, CLEAN, module, [position], width)
                assert values[number, place] == pytest.approx(difference(logits), abs=1e-4), row
        at_once = patched(loaded.engine, PatchWanted(site, 1, places, metric=METRIC))
        logits = logits_with_module(
            loaded.plain,
            CORRUPT,
            CLEAN,
            f"{blocks}.0.{path}",
            [5, 9, 13],
            (0, 32) if heads[0] == 0 else None,
        )
        assert at_once.patched == pytest.approx(difference(logits), abs=1e-4)


def test_texts_of_different_lengths_are_patched_pair_by_pair(
    loaded_gpt2: NnsightEngine, plain_gpt2: PlainModel
) -> None:
    short = [*CLEAN[:3], *CLEAN[5:]]
    pairs = ((0, 0), (6, 4), (13, 11))
    rows = (MapRow(0), MapRow(2), MapRow(3))
    wanted = MapWanted("resid", rows, pairs, metric=METRIC)
    _, _, values = mapped(loaded_gpt2, wanted, A, PatchSide(tuple(short)))
    streams = plain_gpt2.residuals(CLEAN)
    for number, row in enumerate(rows):
        for place, (clean, corrupt) in enumerate(pairs):
            change = {corrupt: streams[row.layer][0, clean]}
            expected = difference(logits_with_stream(plain_gpt2, short, row.layer, change))
            assert values[number, place] == pytest.approx(expected, abs=1e-4)


def test_long_texts_are_run_in_several_passes(
    loaded_gpt2: NnsightEngine, plain_gpt2: PlainModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.patch_runs.PREFILL_TOKENS", 4)
    monkeypatch.setattr("app.engine.patch_runs.TURN_TOKENS", 1)
    engine = fresh(loaded_gpt2)
    streams = plain_gpt2.residuals(CLEAN)
    for layer in (0, 1, 2):
        wanted = PatchWanted("resid", layer, ((5, 5),), metric=METRIC)
        items = list(engine.patching.patching(A, B, wanted))
        expected = logits_with_stream(plain_gpt2, CORRUPT, layer, {5: streams[layer][0, 5]})
        assert items[-1].patched == pytest.approx(difference(expected), abs=1e-4)
        assert items.count(None) >= 2, "others get a turn between two passes"
    wanted = PatchWanted("attn", 2, ((5, 5), (12, 12)), metric=METRIC)
    logits = logits_with_module(plain_gpt2, CORRUPT, CLEAN, "transformer.h.1.attn.c_proj", [5, 12])
    assert patched(engine, wanted).patched == pytest.approx(difference(logits), abs=1e-4)


def test_a_store_that_rounds_is_not_patched_from(
    gpt2: torch.nn.Module, plain_gpt2: PlainModel
) -> None:
    engine = engine_of(gpt2, store_dtype="float16")
    found = patched(engine, PatchWanted("resid", 1, PAIRS, metric=METRIC))
    assert found.ends.score(found.patched, "denoise") == pytest.approx(1, abs=1e-5)
    assert found.ends.clean == pytest.approx(difference(plain_gpt2.logits(CLEAN)[-1]), abs=1e-5)


def test_a_map_goes_on_with_the_cells_that_are_left(engine: NnsightEngine) -> None:
    wanted = whole_map(engine.facts.n_layers)
    _, estimate, values = mapped(engine, wanted)
    done = frozenset((row, place) for row in range(3) for place in range(3, 9))
    ends, *chunks = [
        x for x in engine.patching.mapping(A, B, wanted, done, estimate) if x is not None
    ]
    assert isinstance(ends, Ends)
    assert all(isinstance(chunk, MapCells) for chunk in chunks), "the estimate is not made again"
    found = {(row, place): value for chunk in chunks for row, place, value in chunk.cells}
    assert set(found) == {
        (row, place) for row in range(4) for place in range(N_TOKENS) if (row, place) not in done
    }
    for cell, value in found.items():
        assert value == pytest.approx(values[cell], abs=1e-5)
    assert 0 < chunks[0].progress < chunks[-1].progress == 1


def test_the_largest_estimates_are_computed_first(
    engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.patch_batches.BATCH_TOKENS", 1)
    work = engine.patching.mapping(A, B, whole_map(engine.facts.n_layers))
    _, estimate, *chunks = (item for item in work if item is not None)
    assert isinstance(estimate, MapEstimate)
    assert estimate.scores is not None
    sizes = [
        abs(estimate.scores[row, place]) for chunk in chunks[1:] for row, place, _ in chunk.cells
    ]
    assert len(sizes) > 10
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("site", ["resid", "mlp"])
def test_a_turn_of_a_map_is_bounded(
    site: Site, engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 50
    monkeypatch.setattr("app.engine.patch_runs.TURN_TOKENS", most)
    passes: list[int] = []

    def noting(decoder: object, ids: object, stream: torch.Tensor, blocks: object, **more: object):
        first, last = blocks
        passes.append(stream.shape[0] * stream.shape[1] * (last - first + 1))
        return run_blocks(decoder, ids, stream, blocks, **more)

    monkeypatch.setattr("app.engine.patch_runs.run_blocks", noting)
    rows = tuple(MapRow(layer) for layer in range(1, 4))
    turns = []
    for _ in engine.patching.mapping(A, B, MapWanted(site, rows, PAIRS, metric=METRIC)):
        turns.append(passes.copy())
        passes.clear()
    assert max(map(len, turns)) > 1, "short passes share a turn"
    assert all(sum(turn) <= most or len(turn) == 1 for turn in turns)


def test_all_layers_of_a_position_are_run_together(engine: NnsightEngine) -> None:
    wanted = whole_map(engine.facts.n_layers)
    _, _, known, *chunks = (x for x in engine.patching.mapping(A, B, wanted) if x is not None)
    assert isinstance(known, MapCells)
    positions = [{place for _, place, _ in chunk.cells} for chunk in chunks]
    assert set().union(*positions) == set(range(FIRST_DIFFERENT, N_TOKENS))
    assert sum(map(len, positions)) == N_TOKENS - FIRST_DIFFERENT, "a position is in two batches"


def test_an_mlp_that_needs_all_positions_gets_them(plain_gpt2: PlainModel) -> None:
    model = random_model(FAMILIES["gpt2"].config())
    engine = engine_of(model)
    wanted = PatchWanted("resid", 1, ((5, 5),), metric=METRIC)
    patched(engine, wanted)
    assert engine.patching._runs.ends_early

    def counting(_module: torch.nn.Module, _args: object, out: torch.Tensor) -> torch.Tensor:
        return out if out.shape[1] > 1 else 2 * out

    model.transformer.h[-1].mlp.register_forward_hook(counting)
    engine = fresh(engine)
    found = patched(engine, wanted)
    assert not engine.patching._runs.ends_early
    row = plain_gpt2.residuals(CLEAN)[1][0, 5]
    expected = difference(logits_with_stream(plain_gpt2, CORRUPT, 1, {5: row}))
    assert found.patched == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("is_closed", [False, True])
def test_what_a_map_frees_goes_back_to_the_system(
    is_closed: bool, engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It kept some two megabytes for each map."""
    pinned: list[int] = []
    monkeypatch.setattr(
        "app.engine.patching.return_free_memory", lambda: pinned.append(len(engine._store._pinned))
    )
    work = engine.patching.mapping(A, B, whole_map(engine.facts.n_layers))
    next(work)
    if is_closed:
        work.close()
    else:
        list(work)
    assert pinned == [0]


def test_closing_a_map_frees_the_runs_that_it_holds(engine: NnsightEngine) -> None:
    work = engine.patching.mapping(A, B, whole_map(engine.facts.n_layers))
    while not isinstance(next(work), MapCells):
        pass
    assert engine._store._pinned
    work.close()
    assert not engine._store._pinned


@pytest.mark.parametrize("site", ["resid", "mlp"])
def test_a_patched_run_that_is_no_number_is_an_error(site: Site) -> None:
    """It would be left blank in the map, as a cell that is not computed yet."""
    model = random_model(FAMILIES["gpt2"].config())
    engine = engine_of(model)
    wanted = PatchWanted(site, 1, ((5, 5),), metric=METRIC)
    patched(engine, wanted)  # both texts are held from now on, so that only patched runs are run
    model.transformer.h[1].mlp.register_forward_hook(lambda _module, _args, out: out * np.nan)
    with pytest.raises(ModelComputationError, match=r"patched run .* not a finite number"):
        patched(engine, wanted)
    rows = (MapRow(1), MapRow(2))
    with pytest.raises(ModelComputationError, match=r"patched run .* not a finite number"):
        mapped(engine, MapWanted(site, rows, PAIRS, metric=METRIC))


@pytest.mark.parametrize(
    ("wanted", "error", "words"),
    [
        (PatchWanted("resid", 4, PAIRS), LayerOutOfRange, "layers 0 to 3"),
        (PatchWanted("attn", 0, PAIRS), LayerOutOfRange, "attn are in blocks"),
        (PatchWanted("head", 1, PAIRS, heads=(4,)), InvalidRequest, "heads 0 to 3"),
        (PatchWanted("resid", 1, ((0, 14),)), PositionOutOfRange, "positions 0 to 13"),
    ],
)
def test_places_that_the_model_lacks_are_refused_by_the_call_itself(
    wanted: PatchWanted, error: type[Exception], words: str, engine: NnsightEngine
) -> None:
    with pytest.raises(error, match=words):
        engine.patching.patching(A, B, wanted)


def test_a_block_without_attention_is_refused() -> None:
    engine = engine_of(random_model(FAMILIES["qwen3_next"].config()))
    assert engine.patching.blocks_with("attn") == (2,)
    with pytest.raises(IdentityFailed, match="Block 1 has no attention"):
        engine.patching.patching(A, B, PatchWanted("attn", 1, PAIRS))


def test_blocks_that_do_not_give_what_the_whole_pass_gives_are_refused(
    engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.patching, "_cone_difference", 0.01)
    with pytest.raises(IdentityFailed, match=r"by 0\.01"):
        patched(engine, PatchWanted("resid", 1, PAIRS, metric=METRIC))


def test_the_estimate_is_exact_on_a_linear_model() -> None:
    engine = engine_of(linear_decoder())
    for direction in ("denoise", "noise"):
        wanted = whole_map(engine.facts.n_layers, direction=direction)
        ends, estimate, values = mapped(engine, wanted)
        exact = [[ends.score(value, direction) for value in row] for row in values]
        assert np.abs(values - values[0, 0]).max() > 0.1
        np.testing.assert_allclose(estimate.scores, exact, atol=1e-5)


def test_the_estimate_is_that_of_one_backward_pass(loaded: Loaded) -> None:
    engine = loaded.engine
    if not engine.facts.capabilities.gradients.is_available:
        return
    work = engine.patching.mapping(A, B, whole_map(loaded.n_layers))
    before = [next(work)]
    while not isinstance(before[-1], MapEstimate):
        before.append(next(work))
    work.close()
    n_turns = len(before) - 2 - next(n for n, x in enumerate(before) if isinstance(x, Ends))
    assert n_turns == loaded.n_layers, "others get a turn between two blocks"
    hooked = HookedDecoder(engine.decoder.model, engine.decoder.structure)
    streams = hooked.residual_streams(torch.tensor([CORRUPT]))
    logits = hooked.decode(streams[-1][0, -1:])[0]
    gradients = torch.autograd.grad(logits[ANSWER] - logits[FOIL], streams)
    ends = next(x for x in before if isinstance(x, Ends))
    changes = [a - b.detach() for a, b in zip(loaded.plain.residuals(CLEAN), streams, strict=True)]
    expected = [(g[0] * c[0]).sum(-1) for g, c in zip(gradients, changes, strict=True)]
    scores = torch.stack(expected) / (ends.clean - ends.corrupt)
    np.testing.assert_allclose(before[-1].scores, scores, atol=1e-3, rtol=1e-3)


def test_the_estimates_of_a_layer_add_up_to_its_slope(engine: NnsightEngine) -> None:
    _, estimate, _ = mapped(engine, whole_map(engine.facts.n_layers))
    assert estimate.scores is not None
    decoder = engine.decoder
    clean, corrupt = decoder.empty_rows(N_TOKENS), decoder.empty_rows(N_TOKENS)
    with torch.inference_mode():
        at_clean, at_corrupt = (
            difference(decoder.full_logits(ids, rows)[-1])
            for ids, rows in ((CLEAN, clean), (CORRUPT, corrupt))
        )
        for layer in (1, 2, 3):
            step = 1e-3 * (clean[:, layer] - corrupt[:, layer])
            ahead, behind = (
                difference(decoder.full_logits_replacing(CORRUPT, layer, corrupt[:, layer] + s)[-1])
                for s in (step, -step)
            )
            slope = (ahead - behind) / 2e-3 / (at_clean - at_corrupt)
            assert estimate.scores[layer].sum() == pytest.approx(slope, rel=1e-2, abs=1e-2)


def test_a_model_without_gradients_is_mapped_without_an_estimate(
    engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    capabilities = dataclasses.replace(
        engine.facts.capabilities, gradients=Capability(False, "It has no slope.")
    )
    facts = dataclasses.replace(engine.facts, capabilities=capabilities)
    monkeypatch.setattr(engine.patching, "_facts", facts)
    _, estimate, _ = mapped(engine, whole_map(3))
    assert estimate == MapEstimate(None, "It has no slope.")
