"""The model that ships with the project: real weights, real text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from app.engine.engine import NnsightEngine
from app.engine.loading import load_engine
from app.engine.types import Sampling, Step
from tests.engine.reference import PlainModel, assert_lens_is_right
from tests.engine.small_models import fresh, greedy

FOLDER = Path(__file__).resolve().parents[2] / "embedded_model"
TEXT = "Paris is the capital of France. It has many museums, and people there speak French."


@pytest.fixture(scope="module")
def loaded() -> NnsightEngine:
    return load_engine("embedded", device="cpu", threads=1, store_bytes=2**26, readout_bytes=2**22)


@pytest.fixture
def embedded(loaded: NnsightEngine) -> NnsightEngine:
    return fresh(loaded)


@pytest.fixture(scope="module")
def plain() -> PlainModel:
    model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()
    return PlainModel(model, "transformer.h")


def test_self_check_passes(loaded: NnsightEngine):
    check = loaded.facts.self_check
    assert check.max_abs_diff <= 1e-4
    assert check.cache_max_abs_diff <= 1e-3
    assert check.edit_max_abs_change > 1.0
    assert loaded._store._reuse == "chunks"


def test_lens_equals_an_independent_computation(embedded: NnsightEngine, plain: PlainModel):
    ids = embedded.vocabulary.encode(TEXT)
    positions = [0, 1, 5, len(ids) - 1]
    columns = embedded.read(ids, positions=positions, top_k=10, targets=[ids[3]])
    assert_lens_is_right(columns, plain, ids)


def test_greedy_reply_equals_hugging_face_generate(embedded: NnsightEngine, plain: PlainModel):
    ids = embedded.vocabulary.encode(TEXT)
    (end_id,) = embedded.facts.eos_token_ids
    reply = [s.token_id for s in embedded.generate(ids, greedy(32)) if isinstance(s, Step)]
    assert reply == plain.greedy_ids(ids, 32, end_id)
    assert reply


def test_a_read_of_the_reply_runs_no_pass_and_is_right(embedded: NnsightEngine, plain: PlainModel):
    ids = list(embedded.vocabulary.encode(TEXT))
    steps = list(embedded.generate(ids, greedy(12), lineage=["mine"]))
    ids += [step.token_id for step in steps if isinstance(step, Step)]
    passes = embedded.forward_passes()
    columns = embedded.read(ids, positions=[len(ids) - 4, len(ids) - 2], lineage=["mine"])
    assert embedded.forward_passes() == passes
    assert_lens_is_right(columns, plain, ids)


def test_a_conversation_computed_by_its_replies_is_a_fresh_run_but_for_rounding(
    embedded: NnsightEngine, loaded: NnsightEngine
):
    """The bound that docs/architecture.md names: how far its rows are from those after a restart."""
    ids = list(embedded.vocabulary.encode(TEXT))
    while len(ids) < 170:
        steps = embedded.generate(ids, Sampling(40, 1.0, 0, 1.0, 7, ()), lineage=["mine"])
        ids += [step.token_id for step in steps if isinstance(step, Step)]
        ids += embedded.vocabulary.encode(" And then the city was")
    positions = range(len(ids) - 1)
    own = embedded.read(ids, positions=positions, lineage=["mine"])
    again = fresh(loaded).read(ids, positions=positions)
    assert not np.array_equal(own.entropy_nats, again.entropy_nats), "they are computed differently"
    for name, bound in {
        "entropy_nats": 1e-4,
        "kl_to_final_nats": 1e-4,
        "next_probability": 1e-5,
        "top_probabilities": 1e-5,
    }.items():
        np.testing.assert_allclose(
            getattr(own, name), getattr(again, name), atol=bound, rtol=0, err_msg=name
        )
