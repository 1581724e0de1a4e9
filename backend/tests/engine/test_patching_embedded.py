"""The map of the shipped model, in every cell, against plain forward hooks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from app.engine.loading import load_engine
from app.engine.patching_types import MapRow, MapWanted, Metric, PatchSide
from tests.engine.patched_by_hand import logits_with_stream
from tests.engine.reference import PlainModel

FOLDER = Path(__file__).resolve().parents[2] / "embedded_model"
TEXT = "Madrid is the capital of Spain. The capital of {} is"


def test_every_cell_is_what_hooks_on_the_plain_model_give() -> None:
    engine = load_engine(
        "embedded", device="cpu", threads=1, store_bytes=2**26, readout_bytes=2**22
    )
    plain = PlainModel(
        AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval(), "transformer.h"
    )
    clean, corrupt = (engine.vocabulary.encode(TEXT.format(name)) for name in ("Italy", "France"))
    assert len(clean) == len(corrupt)
    answer, foil = (engine.vocabulary.encode(name)[0] for name in (" Rome", " Paris"))
    rows = tuple(MapRow(layer) for layer in range(engine.facts.n_layers + 1))
    pairs = tuple((position, position) for position in range(len(clean)))
    wanted = MapWanted("resid", rows, pairs, metric=Metric(answer, foil))

    ends, estimate, *chunks = (
        item
        for item in engine.patching.mapping(PatchSide(clean), PatchSide(corrupt), wanted)
        if item is not None
    )

    found = np.full((len(rows), len(pairs)), np.nan)
    for chunk in chunks:
        for row, place, value in chunk.cells:
            found[row, place] = value
    streams = plain.residuals(clean)
    for layer in range(len(rows)):
        for position in range(len(pairs)):
            logits = logits_with_stream(
                plain, corrupt, layer, {position: streams[layer][0, position]}
            )
            expected = float(logits[answer].double() - logits[foil].double())
            assert abs(found[layer, position] - expected) <= 1e-4, (layer, position)
    scores = (found - ends.corrupt) / (ends.clean - ends.corrupt)
    # The country's own token carries the answer at first, the last one in the end.
    country = next(n for n, (a, b) in enumerate(zip(clean, corrupt, strict=True)) if a != b)
    assert scores[0, country] == scores[0].max()
    np.testing.assert_allclose(scores[-1, -1], 1)
    # Only cells that a patch can change; the others are 0 in both.
    computed = [x[:-1, country:].ravel() for x in (estimate.scores, scores)]
    correlation = np.corrcoef(*(np.argsort(np.argsort(x)) for x in computed))
    print(f"\nrank correlation of the estimate with the exact map: {correlation[0, 1]:.3f}")  # noqa: T201
    assert correlation[0, 1] > 0.5
