"""What is kept of a run under interventions, and that it is taken for nothing else."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from app.engine.engine import NnsightEngine
from app.engine.intervention_types import Add, Interventions, TokenDirection, Zero
from app.engine.lenses import jacobian_lens
from app.engine.types import Finish, LensColumns, Pairs, Side, Step, Wanted
from app.errors import UnsupportedIntervention
from tests.engine.changes import change, under
from tests.engine.small_models import fresh, greedy, random_ids

N = 14
IDS = random_ids(N)
FIRST = 5
PUSH = Add(TokenDirection(17), 0.8)
STEERED = under(change(PUSH, [1, 2], [FIRST, 9]))
OF_ONE = ["conversation"]


def entropies(
    engine: NnsightEngine, interventions: Interventions | None = None, **more: object
) -> np.ndarray:
    return engine.read(IDS, interventions=interventions, **more).entropy_nats  # type: ignore[arg-type]


def test_a_conversation_is_read_plainly_or_steered_whatever_is_held_of_it(
    engine: NnsightEngine,
) -> None:
    plain = entropies(fresh(engine))
    steered = entropies(fresh(engine), STEERED)
    assert not np.array_equal(plain, steered)
    for first, second in ((None, STEERED), (STEERED, None)):
        one = fresh(engine)
        expected = {id(None): plain, id(STEERED): steered}
        for interventions in (first, second, first):
            found = entropies(one, interventions, lineage=OF_ONE)
            assert found == pytest.approx(expected[id(interventions)], abs=1e-6)


def test_a_steered_run_is_compared_with_the_plain_one_from_the_first_change_on(
    engine: NnsightEngine,
) -> None:
    pairs = Pairs(tuple((layer, layer) for layer in range(4)), tuple((p, p) for p in range(N)))

    def apart(a: Interventions | None, b: Interventions | None) -> np.ndarray:
        sides = (Side(tuple(IDS), interventions=each) for each in (a, b))
        found = [each for each in engine.comparing(*sides, pairs) if each is not None]
        assert (found[0].a_fired, found[0].b_fired) == tuple(
            () if each is None else (4,) for each in (a, b)
        )
        return np.concatenate([each.js_nats for each in found], axis=-1)

    for a, b in ((None, STEERED), (STEERED, None)):
        js = apart(a, b)
        assert not js[:, :FIRST].any()
        assert (js[1:, FIRST] > 1e-6).all()
        assert not js[0].any()
    assert not apart(STEERED, STEERED).any()


def test_an_operation_that_never_runs_is_refused_and_nothing_is_kept(
    engine: NnsightEngine,
) -> None:
    maker = copy.copy(engine._maker)
    modules = maker._sites.modules["mlp", 2]
    never_run = dataclasses.replace(modules, written=nn.Identity())
    maker._sites = dataclasses.replace(
        maker._sites, modules={**maker._sites.modules, ("mlp", 2): never_run}
    )
    engine._maker = maker
    with pytest.raises(UnsupportedIntervention, match="acted 0 times"):
        entropies(engine, under(change(Zero(), [2], [FIRST], site="mlp")))
    assert all(timeline.length == 0 for timeline in engine._store._timelines.values())


def test_the_last_token_of_a_steered_reply_is_not_one_that_chooses_the_reply(
    engine: NnsightEngine,
) -> None:
    """The token that ended the reply was chosen from it, and is no part of the reply."""
    writing = change(PUSH, [1, 2], open_from=N - 1)
    digest = "steered"
    steps = engine.generate(
        IDS, greedy(6), interventions=Interventions((writing,), digest), lineage=OF_ONE
    )
    tokens = [item.token_id for item in steps if isinstance(item, Step)]
    stop = engine.vocabulary.token_text(tokens[-1])
    other = fresh(engine)
    items = list(
        other.generate(
            IDS,
            greedy(6, [stop]),
            interventions=Interventions((writing,), digest),
            lineage=OF_ONE,
        )
    )
    kept = [item.token_id for item in items if isinstance(item, Step)]
    finish = items[-1]
    assert isinstance(finish, Finish)
    assert finish.reason == "stop"
    assert finish.dropped_ids
    whole = [*IDS, *kept]
    written = Interventions((change(PUSH, [1, 2], range(N - 1, len(whole) - 1)),), digest)
    held = other.read(whole, lineage=OF_ONE, interventions=written)
    anew = fresh(engine).read(whole, interventions=written)
    assert held.entropy_nats == pytest.approx(anew.entropy_nats, abs=1e-4)


def test_half_layers_are_those_of_the_changed_run(engine: NnsightEngine) -> None:
    nothing = under(change(Zero(), [2], range(N), site="attn"))
    layers = (1, 1.5)
    below, between = entropies(engine, nothing, layers=layers)
    assert np.array_equal(below, between)
    below, between = entropies(engine, None, layers=layers)
    assert not np.array_equal(below, between)

    wanted = Wanted(layers, 1)
    everywhere = under(change(Zero(), [2], range(N), site="attn", open_from=N))
    items = engine.generate(IDS, greedy(3), wanted=wanted, interventions=everywhere)
    for columns in (item for item in items if isinstance(item, LensColumns)):
        assert np.array_equal(columns.entropy_nats[0], columns.entropy_nats[1])


def test_the_direction_of_a_lens_is_the_tokens_taken_back_to_the_layer(
    engine: NnsightEngine,
) -> None:
    width = engine.facts.d_model
    matrix = torch.randn(width, width, generator=torch.Generator().manual_seed(0))
    engine._lenses = copy.copy(engine._lenses)
    engine._lenses._lenses = {
        **engine._lenses._lenses,
        "jacobian": jacobian_lens({f"jacobian.{layer}": matrix for layer in range(3)}),
    }
    engine._maker = copy.copy(engine._maker)
    engine._maker._lenses = engine._lenses
    with torch.inference_mode():
        token = engine._maker._tokens.of(17, None, 1, "")
        lens = engine._lenses.get("jacobian", "", "")
        found = engine._maker._tokens.of(17, lens, 1, "")
        at_the_end = engine._maker._tokens.of(17, lens, 3, "")
    # What it adds to the reading `d · (J h)` of the lens is the most that a step of length 1 can add.
    expected = matrix.T @ token
    assert torch.allclose(found, expected / expected.norm(), atol=1e-5)
    assert torch.allclose(at_the_end, token, atol=1e-6)
    lensed = under(change(Add(TokenDirection(17, "jacobian"), 0.5), [1], [9]))
    assert not np.array_equal(entropies(engine, lensed), entropies(engine))
