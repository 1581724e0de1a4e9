"""Half layers: the stream inside a block, after attention and before the MLP, in every family."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from app.engine.engine import NnsightEngine
from app.engine.half_rows import HalfRows
from app.engine.types import LensColumns, Pairs, Side, Step, Wanted
from app.errors import IdentityFailed, LayerOutOfRange
from tests.engine.reference import PlainModel, assert_lens_is_right
from tests.engine.small_models import (
    FAMILIES,
    engine_of,
    fresh,
    greedy,
    random_ids,
    random_model,
    rows_of,
)

SIDE_BY_SIDE = {"gpt_neox", "gptj", "cohere", "phi", "falcon"}
ONE_PART = {"mamba", "mamba2"}
NOT_SPLIT = {"rwkv"}
REFUSED = SIDE_BY_SIDE | ONE_PART | NOT_SPLIT
EVERY_LAYER = (0, 0.5, 1, 1.5, 2, 2.5, 3)
WHOLE = [EVERY_LAYER.index(layer) for layer in (0, 1, 2, 3)]


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def loaded(family: str) -> NnsightEngine:
    return engine_of(random_model(FAMILIES[family].config()))


def generated(engine: NnsightEngine, ids: Sequence[int], n: int, lineage: str) -> list[int]:
    steps = engine.generate(ids, greedy(n), lineage=[lineage])
    return [*ids, *(step.token_id for step in steps if isinstance(step, Step))]


def half_rows(
    engine: NnsightEngine, ids: Sequence[int], positions: Sequence[int], lineage: Sequence[str] = ()
) -> np.ndarray:
    """Half rows that the engine reads, `[positions, n_layers, d_model]`."""

    def work():
        timeline = yield from engine._store.covering(ids, max(positions) + 1, lineage)
        reader = HalfRows(engine._decoder, engine._causes.splits, engine._store.reuse)
        return (yield from reader.at(timeline, positions))

    turns = work()
    with torch.inference_mode():
        while True:
            try:
                next(turns)
            except StopIteration as end:
                return end.value.numpy()


def plain_writes(
    plain: PlainModel, engine: NnsightEngine, ids: Sequence[int]
) -> list[list[np.ndarray]]:
    """What each block's modules write in a pass of the plain model, `[len(ids), d_model]` each."""
    found: list[list[np.ndarray]] = []
    handles = []
    for block, split in zip(plain._blocks, engine._causes.splits, strict=True):
        found.append([np.empty(0)] * len(split.writes))
        for place, write in enumerate(split.writes):

            def after(_m, _args, output, own=found[-1], place=place, scale=write.scale):
                value = output[0] if isinstance(output, tuple) else output
                own[place] = scale * value.detach().reshape(len(ids), -1).numpy().copy()

            handles.append(block.get_submodule(write.path).register_forward_hook(after))
    plain.logits(ids)
    for handle in handles:
        handle.remove()
    return found


def test_a_half_row_is_the_stream_plus_attention_and_with_the_mlp_the_next_layer(
    family: str, loaded: NnsightEngine
) -> None:
    """Over a conversation with a prompt run in one pass and tokens generated one by one."""
    engine = fresh(loaded)
    if family in REFUSED:
        with pytest.raises(IdentityFailed) as refusal:
            engine.read(random_ids(8), layers=[0.5])
        reason = {"side by side": SIDE_BY_SIDE, "one part": ONE_PART, "no sum of": NOT_SPLIT}
        (words,) = (words for words, families in reason.items() if family in families)
        assert words in refusal.value.message
        assert not engine.facts.capabilities.half_layers.is_available
        return
    ids = generated(engine, random_ids(20), 6, "mine")
    positions = [24, 3, 19, 20, 21, 25 if len(ids) > 25 else 0]
    positions = [position for position in positions if position < len(ids) - 1]
    found = half_rows(engine, ids, positions, ["mine"])
    plain = PlainModel(random_model(FAMILIES[family].config()), FAMILIES[family].blocks)
    streams = plain.rows(ids)[positions]
    for number, writes in enumerate(plain_writes(plain, engine, ids), start=1):
        *mixed, mlp = (write[positions] for write in writes)
        middle = found[:, number - 1]
        size = np.abs(streams[:, number]).max()
        before = streams[:, number - 1] + sum(mixed)
        np.testing.assert_allclose(middle, before, atol=1e-5 * size)
        np.testing.assert_allclose(middle + mlp, streams[:, number], atol=1e-5 * size)
        assert np.abs(mlp).max() > 1e-2
        assert np.abs(sum(mixed)).max() > 1e-2


@pytest.mark.parametrize(
    "family", [name for name in FAMILIES if name not in REFUSED], indirect=True
)
def test_reading_half_layers_changes_no_bit_of_anything_else(
    family: str, loaded: NnsightEngine
) -> None:
    del family
    ids = random_ids(20)
    untouched = fresh(loaded)
    without = generated(untouched, ids, 4, "a")
    expected = untouched.read(without, lineage=["a"])
    longer = generated(untouched, without, 4, "a")
    engine = fresh(loaded)
    wanted = Wanted(EVERY_LAYER)
    items = list(engine.generate(ids, greedy(4), wanted=wanted, lineage=["a"]))
    reply = [item.token_id for item in items if isinstance(item, Step)]
    assert [*ids, *reply] == without
    found = engine.read(without, layers=EVERY_LAYER, lineage=["a"])
    for name in ("top_ids", "top_probabilities", "entropy_nats", "next_rank"):
        np.testing.assert_array_equal(getattr(found, name)[WHOLE], getattr(expected, name))
    assert generated(engine, without, 4, "a") == longer
    np.testing.assert_array_equal(
        rows_of(engine, longer[:-1], ["a"]), rows_of(untouched, longer[:-1], ["a"])
    )


def test_the_lens_of_half_layers_equals_plain_hooks(
    engine: NnsightEngine, plain_gpt2: PlainModel
) -> None:
    ids = random_ids(12)
    columns = engine.read(ids, layers=EVERY_LAYER, targets=[7])
    assert_lens_is_right(columns, plain_gpt2, ids, middle="ln_2")


def test_a_cache_that_takes_one_token_at_a_time_gives_the_same_half_rows() -> None:
    loaded = engine_of(random_model(FAMILIES["falcon_h1"].config()))
    ids = random_ids(20)
    expected = half_rows(fresh(loaded), ids, [3, 17, 18, 19])
    engine = fresh(loaded)
    engine._store._reuse = "steps"
    timeline = generated(engine, ids[:18], 1, "a")[:18] + ids[18:]
    before = engine.computed_tokens()
    found = half_rows(engine, timeline, [3, 17, 18, 19], ["a"])
    assert engine.computed_tokens() - before == 2 + 20
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_half_rows_of_a_reply_come_with_its_tokens(engine: NnsightEngine) -> None:
    ids = random_ids(20)
    items = list(engine.generate(ids, greedy(5), wanted=Wanted(EVERY_LAYER), lineage=["a"]))
    columns = [item for item in items if isinstance(item, LensColumns)]
    timeline = [*ids, *(item.token_id for item in items if isinstance(item, Step))]
    assert len(columns) == 5
    for column in columns:
        assert column.layers == EVERY_LAYER
        (position,) = column.positions
        later = engine.read(timeline, layers=EVERY_LAYER, positions=[position], lineage=["a"])
        np.testing.assert_array_equal(column.top_ids, later.top_ids)
        np.testing.assert_allclose(column.kl_to_final_nats, later.kl_to_final_nats, atol=1e-5)


def test_a_text_has_the_same_half_rows_whichever_positions_are_read(
    loaded_gpt2: NnsightEngine,
) -> None:
    ids = random_ids(60)
    whole = half_rows(fresh(loaded_gpt2), ids, range(60))
    one_by_one = fresh(loaded_gpt2)
    for position in (50, 3, 59, 0):
        own = half_rows(one_by_one, ids, [position])
        np.testing.assert_array_equal(own[0], whole[position])


def test_tokens_that_are_run_again_are_counted(engine: NnsightEngine) -> None:
    ids = generated(engine, random_ids(20), 6, "a")

    def cost(positions: Sequence[int]) -> int:
        before = engine.computed_tokens()
        engine.read(ids, layers=EVERY_LAYER, positions=positions, lineage=["a"])
        return engine.computed_tokens() - before

    assert cost([0]) == 20  # the pass over the prompt
    assert cost([22]) == 1  # a token that was generated alone
    passes = engine.forward_passes()
    assert cost(range(25)) == 25
    assert engine.forward_passes() - passes == 2
    assert cost([21, 22, 24]) == 3


def test_half_layers_are_compared_as_they_are_read(engine: NnsightEngine) -> None:
    a, b = random_ids(18), [*random_ids(9), *random_ids(9, seed=2)]
    layers = ((0.5, 0.5), (0.5, 2), (2.5, 1.5), (3, 3))
    pairs = Pairs(layers, ((4, 4), (10, 10), (12, 3), (17, 17)))
    (found,) = (x for x in engine.comparing(Side(tuple(a)), Side(tuple(b)), pairs) if x is not None)
    for name, ids, place in (("a", a, 0), ("b", b, 1)):
        own = engine.read(ids, layers=EVERY_LAYER)
        rows = [EVERY_LAYER.index(pair[place]) for pair in layers]
        columns = [pair[place] for pair in pairs.positions]
        np.testing.assert_array_equal(
            getattr(found, f"{name}_top_id"), own.top_ids[rows][:, columns, 0]
        )
    same = found.js_nats[:, 0]
    assert same[0] == 0 == same[3]
    assert same[1] > 0
    assert (found.js_nats[0, 1:] > 0).all()


@pytest.mark.parametrize("layer", [-0.5, 3.5, 1.25])
def test_a_layer_between_blocks_or_outside_is_refused(engine: NnsightEngine, layer: float) -> None:
    with pytest.raises(LayerOutOfRange):
        engine.read(random_ids(4), layers=[layer])


def test_streams_kept_in_half_precision_have_exact_half_rows(gpt2: torch.nn.Module) -> None:
    exact, rounded = engine_of(gpt2), engine_of(gpt2, store_dtype="float16")
    ids = random_ids(30)
    np.testing.assert_array_equal(
        half_rows(exact, ids, range(30)), half_rows(rounded, ids, range(30))
    )
