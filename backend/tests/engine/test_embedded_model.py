"""The model that ships with the project: real weights, real text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from app.engine.causes_types import AttributionWanted
from app.engine.engine import NnsightEngine
from app.engine.loading import load_engine
from app.engine.types import Sampling, Step
from app.services import opening
from tests.engine.by_hand import gpt2_parts, gpt2_write_effects
from tests.engine.reference import PlainModel, assert_lens_is_right
from tests.engine.small_models import fresh, greedy
from training.opening import make_opening

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


def test_half_layers_equal_an_independent_computation(embedded: NnsightEngine, plain: PlainModel):
    ids = embedded.vocabulary.encode(TEXT)
    layers = [n / 2 for n in range(2 * embedded.facts.n_layers + 1)]
    columns = embedded.read(ids, layers=layers, positions=[0, 5, len(ids) - 1], targets=[ids[3]])
    assert_lens_is_right(columns, plain, ids, middle="ln_2")


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


def test_shipped_opening_is_what_the_model_computes(embedded: NnsightEngine):
    """Ids and predictions exactly, numbers within the bound of docs/architecture.md for other passes."""
    shipped, fresh_one = opening.shipped(), make_opening(embedded)
    assert shipped is not None
    assert shipped.model == fresh_one.model
    assert shipped.turn == fresh_one.turn
    assert [(t.id, t.role, t.text) for t in shipped.tokens] == [
        (t.id, t.role, t.text) for t in fresh_one.tokens
    ]
    for ours, theirs in zip(shipped.tokens[1:], fresh_one.tokens[1:], strict=True):
        assert ours.logprob_nats == pytest.approx(theirs.logprob_nats, abs=1e-4)
        assert ours.lens is not None
        assert theirs.lens is not None
        for a, b in zip(ours.lens, theirs.lens, strict=True):
            assert a.actual.rank == b.actual.rank
            assert a.actual.probability == pytest.approx(b.actual.probability, abs=1e-5)
            assert a.entropy_nats == pytest.approx(b.entropy_nats, abs=1e-4)
            assert a.kl_to_final_nats == pytest.approx(b.kl_to_final_nats, abs=1e-4)
            assert [x.token_id for x in a.predictions] == [x.token_id for x in b.predictions]
            assert [x.probability for x in a.predictions] == pytest.approx(
                [x.probability for x in b.predictions], abs=1e-5
            )


def test_spain_writes_madrid(embedded: NnsightEngine) -> None:
    """Every head, MLP and bias against float64 from the weights; the country's name is what is read."""
    text = "User: What is the capital of Spain?\nAssistant: The capital of Spain is"
    ids = embedded.vocabulary.encode(text)
    (madrid,), (paris,) = (embedded.vocabulary.encode(word) for word in (" Madrid", " Paris"))
    model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()
    expected = gpt2_parts(model, ids, madrid, paris)
    place = len(ids) - 1

    def parts(
        wanted: AttributionWanted,
    ) -> dict[tuple[str, int | None, int | None, int | None], float]:
        (found,) = (x for x in embedded.attributing(ids, place, wanted) if x is not None)
        assert abs(found.difference - found.sum) <= 1e-4
        return {
            (p.part, p.block, p.head, p.source): p.target - (p.foil or 0.0) for p in found.parts
        }

    by_head = parts(AttributionWanted(madrid, paris, "head"))
    assert {(part, block, head) for part, block, head, _ in by_head} == set(expected)
    for (part, block, head, _), value in by_head.items():
        assert value == pytest.approx(expected[part, block, head], abs=1e-4)
    # What each earlier token gave, through all heads of all blocks.
    given = np.zeros(len(ids))
    for block in range(1, 13):
        for (part, _, _, source), value in parts(
            AttributionWanted(madrid, paris, "source", block)
        ).items():
            if part == "source" and source is not None:
                given[source] += value
    spain = [
        i for i, token_id in enumerate(ids) if embedded.vocabulary.token_text(token_id) == " Spain"
    ]
    assert sorted(np.argsort(-given)[:2].tolist()) == spain


@pytest.mark.parametrize("block", [1, 7, 12])
def test_what_a_block_promotes_equals_a_computation_from_the_weights(
    block: int, embedded: NnsightEngine
) -> None:
    """Both lists of attention and MLP against float64 over the whole vocabulary."""
    ids = embedded.vocabulary.encode("The capital of Spain is")
    model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()
    expected = gpt2_write_effects(model, ids, block)
    found = [x for x in embedded.decoding_writes(ids, len(ids) - 1, block, 12) if x is not None]
    (effects,) = found
    assert [write.part for write in effects.writes] == ["attn", "mlp"]
    for write in effects.writes:
        of = expected[write.part]
        highest, lowest = of.topk(12), of.topk(12, largest=False)
        for listed, by_hand in ((write.promoted, highest), (write.suppressed, lowest)):
            assert [value for _, value in listed] == pytest.approx(
                by_hand.values.tolist(), abs=1e-4
            )
            assert [value for _, value in listed] == pytest.approx(
                [float(of[token_id]) for token_id, _ in listed], abs=1e-4
            )
