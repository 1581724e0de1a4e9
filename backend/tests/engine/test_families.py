"""Every family: the parts are found, the numbers are those of the plain model."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine.engine import NnsightEngine
from app.engine.structure import find_structure
from app.engine.types import Finish, Step
from tests.engine.reference import PlainModel, assert_lens_is_right
from tests.engine.small_models import (
    END_ID,
    FAMILIES,
    Family,
    engine_of,
    greedy,
    random_ids,
    random_model,
    rows_of,
)

TEXT_TOKENS = 16
REPLY_TOKENS = 16


class Loaded:
    def __init__(self, family: Family) -> None:
        model = random_model(family.config())
        self.family = family
        self.plain = PlainModel(model, family.blocks)
        self.structure = find_structure(model)
        self.engine: NnsightEngine = engine_of(model)


@pytest.fixture(scope="module", params=FAMILIES)
def loaded(request: pytest.FixtureRequest) -> Loaded:
    return Loaded(FAMILIES[request.param])


def test_parts_are_found(loaded: Loaded):
    assert loaded.structure.block_paths[0] == f"{loaded.family.blocks}.0"
    assert loaded.structure.final_norm_path == loaded.family.final_norm
    assert loaded.engine.facts.n_layers == 3


def test_self_check_passes(loaded: Loaded):
    check = loaded.engine.facts.self_check
    assert check.max_abs_diff <= 1e-4
    assert check.cache_max_abs_diff <= 1e-4
    assert check.edit_max_abs_change > 1e-3
    assert loaded.engine._store._reuse == loaded.family.reuse


def test_lens_equals_an_independent_computation(loaded: Loaded):
    ids = random_ids(TEXT_TOKENS)
    columns = loaded.engine.read(ids, top_k=5, targets=[33, 60])
    assert_lens_is_right(columns, loaded.plain, ids)


def test_last_layer_lens_equals_model_logits(loaded: Loaded):
    ids = random_ids(TEXT_TOKENS, seed=2)
    log_p = loaded.plain.logits(ids).log_softmax(-1)
    scores = loaded.engine.read(ids, layers=[0]).scores
    expected = [float(log_p[i - 1, ids[i]]) for i in range(1, TEXT_TOKENS)]
    np.testing.assert_allclose([s.logprob_nats for s in scores], expected, atol=1e-4)


def test_greedy_reply_equals_hugging_face_generate_and_one_uncached_pass(loaded: Loaded):
    ids = random_ids(12, seed=3)
    *steps, finish = loaded.engine.generate(ids, greedy(REPLY_TOKENS), lineage=["mine"])
    reply = [step.token_id for step in steps if isinstance(step, Step)]
    assert reply == loaded.plain.greedy_ids(
        ids, REPLY_TOKENS, END_ID, use_cache=loaded.family.generates_with_cache
    )
    assert isinstance(finish, Finish)
    assert finish.reason == ("length" if len(reply) == REPLY_TOKENS else "stop")
    every_id = [*ids, *reply]
    rows = rows_of(loaded.engine, every_id, ["mine"])
    for layer, stream in enumerate(loaded.plain.residuals(every_id)):
        # Rounding of float32 in another order, in proportion to the stream.
        tolerance = 1e-5 * float(stream.abs().max())
        np.testing.assert_allclose(rows[:, layer], stream[0], atol=tolerance, rtol=0)
