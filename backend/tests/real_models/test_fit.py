"""A tuned lens fitted to a real model, as the page does it."""

from __future__ import annotations

from pathlib import Path

from app.engine.fitting.sample import documents_of, sample_text
from app.engine.fitting.types import FitPoint, FitResult, FitWanted
from app.engine.loading import load_engine
from tests.real_models.test_real_models import MODELS

SECONDS = 150.0
"""Of the fit; enough for ten steps of two cores or so."""


def test_a_fit_that_is_left_goes_on_and_comes_nearer_to_the_output_than_the_logit_lens(
    tmp_path: Path,
) -> None:
    engine = load_engine(str(MODELS / "gemma" / "hf"), store_bytes=2**28, readout_bytes=2**28)
    engine.fitting.write_text(documents_of(sample_text()), tmp_path / "work")
    wanted = FitWanted("tuned", SECONDS, tmp_path / "work", tmp_path / "lenses", "the sample")
    left = engine.fitting.fitting(wanted)
    tokens = next(item for item in left if isinstance(item, FitPoint) and item.values).tokens
    left.close()  # type: ignore[attr-defined]

    *points, result = [item for item in engine.fitting.fitting(wanted) if item is not None]

    first = next(item for item in points if isinstance(item, FitPoint) and item.values)
    assert first.tokens > tokens
    assert isinstance(result, FitResult)
    scores = {layer.layer: (layer.kl_nats, layer.logit_kl_nats) for layer in result.verdict.layers}
    assert len(scores) == engine.facts.n_layers
    worse = [layer for layer, (ours, logit) in scores.items() if ours >= logit]
    assert set(worse) <= {engine.facts.n_layers - 2, engine.facts.n_layers - 1}, scores
    reading = engine.read(engine.vocabulary.encode("The capital of France is"), kind="tuned")
    assert reading.entropy_nats.shape[0] == engine.facts.n_layers + 1
