"""What interventions do to a run, in every family, and that they leave no trace in the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from app.engine.engine import NnsightEngine
from app.engine.intervention_types import (
    Add,
    Exchange,
    Interventions,
    ProjectOut,
    RandomDirection,
    TokenDirection,
    Zero,
)
from app.engine.kv_cache import GrowingCache
from app.engine.types import Finish, LensColumns, Sampling, Step, Wanted
from tests.engine.changes import change, under
from tests.engine.small_models import (
    FAMILIES,
    drained,
    engine_of,
    fresh,
    random_ids,
    random_model,
)

N = 14
IDS = random_ids(N)
FIRST = 5
"""The first position that is changed."""
TOUCHED = (FIRST, 9, N - 1)
MADRID, PARIS = TokenDirection(17), TokenDirection(23)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def loaded(family: str) -> NnsightEngine:
    return engine_of(random_model(FAMILIES[family].config()))


@pytest.fixture
def engine(loaded: NnsightEngine) -> NnsightEngine:
    return fresh(loaded)


def streams(
    engine: NnsightEngine, interventions: Interventions | None = None, ids: Sequence[int] = IDS
) -> np.ndarray:
    """Residual streams `[len(ids), n_layers + 1, d_model]` of a run under interventions."""

    def work():
        edits = yield from engine._maker.made(interventions, engine._store)
        return (yield from engine._store.covering(ids, len(ids), (), edits))

    with torch.inference_mode():
        return drained(work()).rows[: len(ids)].numpy().copy()


def size(rows: np.ndarray) -> np.ndarray:
    return np.linalg.norm(rows, axis=-1)


def same_bits(a: LensColumns, b: LensColumns) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True)
        for name in ("top_ids", "top_probabilities", "entropy_nats", "kl_to_final_nats")
    )


def test_strength_0_changes_no_bit(engine: NnsightEngine) -> None:
    plain = engine.read(IDS)
    nothing = under(change(Add(MADRID, 0.0), [0, 1, 3], range(N)))

    found = fresh(engine).read(IDS, interventions=nothing)

    assert same_bits(found, plain)
    assert found.fired == (0,)


def test_what_lies_before_the_first_touched_token_and_below_the_layer_keeps_its_bits(
    engine: NnsightEngine,
) -> None:
    plain = streams(engine)
    found = streams(fresh(engine), under(change(Add(MADRID, 0.7), [2], TOUCHED)))

    assert np.array_equal(found[:FIRST], plain[:FIRST])
    assert np.array_equal(found[:, :2], plain[:, :2])
    assert not np.allclose(found[FIRST:, 3], plain[FIRST:, 3])
    untouched = [p for p in range(N) if p not in TOUCHED]
    assert np.array_equal(found[untouched, 2], plain[untouched, 2])


def test_add_moves_by_a_share_of_the_length_along_the_direction(engine: NnsightEngine) -> None:
    plain = streams(engine)
    found = streams(fresh(engine), under(change(Add(RandomDirection(3), -0.5), [2], TOUCHED)))

    moved = (found - plain)[list(TOUCHED), 2]
    assert size(moved) == pytest.approx(0.5 * size(plain[list(TOUCHED), 2]), rel=1e-4)
    drawn = torch.randn(moved.shape[-1], generator=torch.Generator().manual_seed(3)).numpy()
    assert moved @ drawn / size(moved) / size(drawn) == pytest.approx(-1, abs=1e-4)


def test_adding_a_token_at_the_last_layer_raises_its_logit_and_the_model_says_so(
    engine: NnsightEngine,
) -> None:
    """The reading of the last layer and the model's own score are of the changed stream."""
    ids = [*IDS, 17]
    plain = engine.read(ids)
    steered = engine.read(ids, interventions=under(change(Add(MADRID, 3.0), [3], [N - 1])))

    assert steered.next_probability[-1, N - 1] > plain.next_probability[-1, N - 1]
    assert steered.scores[N - 1].logprob_nats == pytest.approx(
        np.log(steered.next_probability[-1, N - 1]), abs=1e-5
    )
    assert steered.next_probability[0, N - 1] == plain.next_probability[0, N - 1]


def test_zero_at_the_embedding_leaves_nothing_there(engine: NnsightEngine) -> None:
    found = streams(engine, under(change(Zero(), [0], TOUCHED)))
    assert not found[list(TOUCHED), 0].any()
    assert found[:FIRST, 0].any()


def test_project_out_twice_is_once(engine: NnsightEngine) -> None:
    once = change(ProjectOut(MADRID), [1], TOUCHED)
    plain = streams(engine)
    first = streams(fresh(engine), under(once))
    again = streams(fresh(engine), under(once, once))

    assert np.abs(again - first).max() <= 1e-5 * np.abs(plain).max()
    assert np.abs(first[list(TOUCHED), 1] - plain[list(TOUCHED), 1]).max() > 1e-3


def test_exchanging_twice_is_nothing(engine: NnsightEngine) -> None:
    once = change(Exchange(MADRID, PARIS), [2], TOUCHED)
    plain = streams(engine)
    first = streams(fresh(engine), under(once))
    again = streams(fresh(engine), under(once, once))

    assert np.abs(again - plain).max() <= 2e-5 * np.abs(plain).max()
    assert np.abs(first[list(TOUCHED), 2] - plain[list(TOUCHED), 2]).max() > 1e-3


def test_a_run_is_counted_and_the_plain_run_after_it_has_its_bits(engine: NnsightEngine) -> None:
    plain = engine.read(IDS)
    steered = engine.read(
        IDS,
        interventions=under(
            change(Add(MADRID, 0.7), [1, 3], TOUCHED), change(Zero(), [2], [FIRST])
        ),
    )
    assert steered.fired == (2 * len(TOUCHED), 1)
    assert not same_bits(steered, plain)

    assert same_bits(engine.read(IDS), plain)
    assert same_bits(fresh(engine).read(IDS), plain)
    assert engine.read(IDS).fired == ()


def reply(
    engine: NnsightEngine, interventions: Interventions | None, n: int = 4
) -> tuple[list[int], list[LensColumns], Finish]:
    """A sampled reply to the text: its ids, the read-out of each token, and how it ended."""
    sampling = Sampling(n, 1.0, 0, 1.0, 7, ())
    wanted = Wanted((0, 1, 2, 3))
    items = list(
        engine.generate(
            IDS, sampling, wanted=wanted, lineage=["reply"], interventions=interventions
        )
    )
    ids = [item.token_id for item in items if isinstance(item, Step)]
    columns = [item for item in items if isinstance(item, LensColumns)]
    finish = items[-1]
    assert isinstance(finish, Finish)
    return ids, columns, finish


def test_a_reply_at_strength_0_is_the_plain_one_with_the_same_seed(engine: NnsightEngine) -> None:
    ids, columns, _ = reply(engine, None)
    nothing = under(change(Add(MADRID, 0.0), [1, 3], range(N), open_from=N - 1))

    for other in (fresh(engine), engine):
        ids_under, columns_under, finish = reply(other, nothing)
        assert ids_under == ids
        assert all(map(same_bits, columns_under, columns))
        assert finish.fired == (0,)


def test_a_steered_reply_is_what_a_run_over_all_of_it_at_once_gives(engine: NnsightEngine) -> None:
    """Decode steps behind a cache against one pass over the text and the reply."""
    steered = change(Add(MADRID, 0.8), [0, 2, 3], open_from=N - 1)
    plain_ids, *_ = reply(engine, None)
    ids, columns, finish = reply(engine, under(steered))
    assert finish.fired == (3 * (len(ids) + (finish.reason == "stop")),)
    if len(ids) == len(plain_ids):
        assert ids != plain_ids

    whole = [*IDS, *ids]
    at_once = fresh(engine).read(
        whole,
        layers=range(4),
        interventions=under(change(Add(MADRID, 0.8), [0, 2, 3], range(N - 1, len(whole) - 1))),
    )
    for place, found in enumerate(columns):
        expected = at_once.next_probability[:, N - 1 + place]
        assert found.next_probability[:, 0] == pytest.approx(expected, abs=1e-5)
    assert reply(engine, None)[0] == plain_ids


def test_a_steered_reply_is_read_from_what_its_own_passes_computed(engine: NnsightEngine) -> None:
    steered = under(change(Add(MADRID, 0.8), [1, 3], open_from=N - 1))
    ids, columns, _ = reply(engine, steered)
    before = engine.computed_tokens()
    whole = [*IDS, *ids]
    found = engine.read(
        whole,
        positions=range(N - 1, len(whole) - 1),
        lineage=["reply"],
        interventions=steered,
    )
    for place, column in enumerate(columns):
        assert np.array_equal(found.entropy_nats[:, place], column.entropy_nats[:, 0])
    if engine._store.reuse == "chunks" and engine.decoder.new_cache().__class__ is GrowingCache:
        assert engine.computed_tokens() == before
