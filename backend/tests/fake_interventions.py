"""Interventions of the fake model: they make other numbers, and count where they act."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from app.engine.intervention_types import (
    Curves,
    Dose,
    DoseWanted,
    Interventions,
    InterventionSites,
    at_strength,
    controlled,
)
from app.engine.types import Capability, FloatArray, ModelFacts
from app.errors import LayerOutOfRange, UnsupportedIntervention

NO_PARTS = Capability(False, "The fake has no parts.")
FAKE_SITES = InterventionSites(Capability(True, None, 5e-6), NO_PARTS, NO_PARTS, NO_PARTS, NO_PARTS)


def digest_of(interventions: Interventions | None) -> str:
    """Nothing for those that change no bit."""
    if interventions is None or all(item.is_inert for item in interventions.items):
        return ""
    return interventions.digest


def fired(interventions: Interventions | None, n_tokens: int) -> tuple[int, ...]:
    """Layers times tokens that each touches, of the first ones."""
    if interventions is None:
        return ()
    counts = []
    for item in interventions.items:
        opened = n_tokens if item.touched.open_from is None else item.touched.open_from
        touched = {p for p in item.touched.named if p < n_tokens} | set(range(opened, n_tokens))
        counts.append(0 if item.is_inert else len(item.layers) * len(touched))
    return tuple(counts)


def require_fake(wanted: Interventions | None, facts: ModelFacts) -> None:
    """Of the sites only `resid`, on layers that there are."""
    for item in () if wanted is None else wanted.items:
        if max(item.layers) > facts.n_layers:
            raise LayerOutOfRange(f"{item.layers}", param=f"{item.param}.layers")
        if item.site != "resid":
            raise UnsupportedIntervention("The fake has no parts.", param=item.param)


class Predicts(Protocol):
    facts: ModelFacts

    def probabilities(
        self, before: Sequence[int], layer: float, digest: str = ""
    ) -> FloatArray: ...


def fake_dose(engine: Predicts, ids: Sequence[int], wanted: DoseWanted) -> Dose:
    """Other numbers at each strength, and the plain ones at 0."""

    def curves(interventions: Interventions) -> Curves:
        before = ids[: wanted.position + 1]
        n_layers = engine.facts.n_layers
        each = [
            engine.probabilities(before, n_layers, digest_of(at_strength(interventions, strength)))
            for strength in wanted.strengths
        ]
        found = np.stack([p[list(wanted.targets)] for p in each], axis=1)
        ranks = np.stack([1 + (p > p[list(wanted.targets), None]).sum(-1) for p in each], axis=1)
        return Curves(found, np.log(found), ranks)

    control = curves(controlled(wanted.interventions)) if wanted.has_control else None
    at_one = at_strength(wanted.interventions, 1.0)
    return Dose(curves(wanted.interventions), control, fired(at_one, wanted.position + 1))
