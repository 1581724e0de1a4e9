"""Interventions of tests, in short."""

from __future__ import annotations

from collections.abc import Sequence

from app.engine.intervention_types import (
    Intervention,
    Interventions,
    Operation,
    Site,
    Touched,
)


def change(
    operation: Operation,
    layers: Sequence[int],
    positions: Sequence[int] = (),
    *,
    site: Site = "resid",
    heads: Sequence[int] | None = None,
    open_from: int | None = None,
) -> Intervention:
    """One intervention."""
    touched = Touched(tuple(positions), open_from)
    of_heads = None if heads is None else tuple(heads)
    return Intervention(site, tuple(layers), of_heads, touched, operation)


def under(*items: Intervention) -> Interventions:
    """All of these together; the digest is what they say."""
    return Interventions(items, repr(items))
