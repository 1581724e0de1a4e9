"""What wrote an answer, on real weights; the expected numbers are from plain hooks on transformers."""

import pytest

from app.engine.causes_types import AttributionWanted, Unit
from app.engine.engine import NnsightEngine

QUESTIONS = {
    "gemma": ("Monday, Tuesday, Wednesday,", " Thursday", " and"),
    "qwen": ("The capital of France is", " Paris", " Lyon"),
}
DIFFERENCE = {"gemma": 1.518604, "qwen": 7.210494}
LARGEST_HEADS = {
    "gemma": {(14, 0): 4.9, (12, 3): -3.7},
    "qwen": {(23, 8): -0.7, (24, 0): 0.7},
}


def test_parts_of_every_unit_add_up_to_the_independent_difference(engine: NnsightEngine) -> None:
    name = engine.facts.name
    which = "gemma" if "gemma" in name.lower() else "qwen"
    text, answer, foil = QUESTIONS[which]
    ids = list(engine.vocabulary.encode(text))
    if engine.facts.bos_check is not None and engine.facts.bos_check.is_needed:
        assert engine.facts.bos_token_id is not None
        ids = [engine.facts.bos_token_id, *ids]
    (target,), (other,) = (engine.vocabulary.encode(word) for word in (answer, foil))
    last = engine.facts.n_layers
    capabilities = engine.facts.capabilities
    assert capabilities.sublayers.is_available
    assert capabilities.attention.is_available
    units: tuple[tuple[Unit, int | None], ...] = (
        ("component", None),
        ("head", None),
        ("neuron", last),
        ("source", last),
    )
    for unit, block in units:
        wanted = AttributionWanted(target, other, unit, block)
        (found,) = (x for x in engine.attributing(ids, len(ids) - 1, wanted) if x is not None)
        assert found.difference == pytest.approx(DIFFERENCE[which], abs=1e-3)
        assert found.sum == pytest.approx(found.difference, abs=1e-3)
        if unit == "head":
            heads = {
                (p.block, p.head): p.target - (p.foil or 0.0)
                for p in found.parts
                if p.part == "head"
            }
            largest = sorted(heads, key=lambda place: -abs(heads[place]))[:2]
            assert set(largest) == set(LARGEST_HEADS[which])
            for place, value in LARGEST_HEADS[which].items():
                assert heads[place] == pytest.approx(value, abs=0.05)
