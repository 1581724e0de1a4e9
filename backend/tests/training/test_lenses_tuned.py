"""The tuned lens: it starts as the logit lens, comes nearer to the model, and survives a stop."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from pathlib import Path

import pytest
import torch

from app.engine.fitting.tuned import (
    TunedLensFit,
    TunedSettings,
    fit_tuned_lens,
    kl_and_gradient,
)
from app.engine.gradients import HookedDecoder
from app.engine.structure import find_structure
from tests.engine.small_models import FAMILIES, random_ids, random_model

LENGTH = 16
SEQUENCES = torch.tensor([random_ids(LENGTH, seed=seed) for seed in range(40)])
NEW_SEQUENCES = torch.tensor([random_ids(LENGTH, seed=seed) for seed in range(100, 116)])
BELONGS_TO = {"text": "these"}


@pytest.fixture
def decoder() -> HookedDecoder:
    model = random_model(FAMILIES["gpt2"].config()).requires_grad_(False)
    return HookedDecoder(model, find_structure(model))


def fit_of(decoder: HookedDecoder, steps: int, chunk_bytes: int = 2**24) -> TunedLensFit:
    settings = TunedSettings(steps=steps, sequences_per_step=4, chunk_bytes=chunk_bytes)
    return TunedLensFit(decoder, SEQUENCES, settings)


def drained(turns: Generator[None, None, list[float]]) -> list[float]:
    """What a generator returns in the end."""
    while True:
        try:
            next(turns)
        except StopIteration as stop:
            losses: list[float] = stop.value
            return losses


@torch.no_grad()
def kl_on_new_text(fit: TunedLensFit) -> list[float]:
    """Mean KL(final ‖ lens) of every layer, by torch's own function."""
    *streams, final = fit.rows_of_layers(NEW_SEQUENCES)
    final_log_p = fit.decoder.decode(final).log_softmax(-1)
    kls = []
    for layer, rows in enumerate(streams):
        log_q = fit.lens_logits(layer, rows).log_softmax(-1)
        kl = torch.nn.functional.kl_div(log_q, final_log_p, log_target=True, reduction="batchmean")
        kls.append(float(kl))
    return kls


def test_it_starts_exactly_as_the_logit_lens(decoder: HookedDecoder) -> None:
    fit = fit_of(decoder, steps=1)
    rows = fit.rows_of_layers(NEW_SEQUENCES)

    for layer in range(decoder.n_layers):
        assert torch.equal(fit.lens_logits(layer, rows[layer]), decoder.decode(rows[layer]))


def test_it_comes_nearer_to_the_model_than_the_logit_lens_on_new_text(
    decoder: HookedDecoder, tmp_path: Path
) -> None:
    fit = fit_of(decoder, steps=60)
    before = kl_on_new_text(fit)

    fit_tuned_lens(fit, tmp_path / "c", BELONGS_TO)

    after = kl_on_new_text(fit)
    assert fit.step == 60
    assert all(a < 0.8 * b for a, b in zip(after, before, strict=True)), (before, after)


def test_divergence_and_gradient_equal_those_of_torch(decoder: HookedDecoder) -> None:
    fit = fit_of(decoder, steps=1)
    rows = fit.rows_of_layers(NEW_SEQUENCES)
    logits = decoder.decode(rows[1]).requires_grad_()

    kl, gradient = kl_and_gradient(logits.detach(), fit.final_distribution(rows[-1]))

    final = torch.distributions.Categorical(logits=decoder.decode(rows[-1]))
    expected = torch.distributions.kl_divergence(
        final, torch.distributions.Categorical(logits=logits)
    )
    torch.testing.assert_close(kl, expected.detach(), atol=1e-5, rtol=1e-4)
    (slope,) = torch.autograd.grad(expected.sum(), logits)
    torch.testing.assert_close(gradient, slope, atol=1e-6, rtol=1e-4)


def test_a_step_reports_the_divergence_before_it(decoder: HookedDecoder) -> None:
    fit = fit_of(decoder, steps=10)
    ids = SEQUENCES[:4]
    fit.sequences = ids
    rows = fit.rows_of_layers(ids)
    final = fit.final_distribution(rows[-1])
    expected = [
        float(kl_and_gradient(decoder.decode(rows[layer]), final)[0].mean())
        for layer in range(decoder.n_layers)
    ]

    assert fit.take_step() == pytest.approx(expected, rel=1e-4)


def test_the_size_of_a_chunk_does_not_change_the_gradients(decoder: HookedDecoder) -> None:
    """7 rows do not divide the 64, so the last chunk is a short one."""
    at_once, in_chunks = fit_of(decoder, steps=1), fit_of(decoder, steps=1, chunk_bytes=4 * 97 * 7)
    rows = at_once.rows_of_layers(SEQUENCES[:4])

    losses = drained(at_once._adding_gradients(rows))

    assert drained(in_chunks._adding_gradients(rows)) == pytest.approx(losses, rel=1e-5)
    expected = dict(at_once.translators.named_parameters())
    for name, parameter in in_chunks.translators.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name].grad, atol=1e-5, rtol=1e-4)


def test_a_resumed_fit_equals_one_that_was_not_stopped(
    decoder: HookedDecoder, tmp_path: Path
) -> None:
    whole, stopped, resumed = (fit_of(decoder, steps=12) for _ in range(3))
    fit_tuned_lens(whole, tmp_path / "whole", BELONGS_TO)

    fit_tuned_lens(stopped, tmp_path / "c", BELONGS_TO, lambda step: step == 5)
    fit_tuned_lens(resumed, tmp_path / "c", BELONGS_TO)

    assert stopped.step == 5
    assert resumed.step == 12
    for name, value in whole.translators.state_dict().items():
        assert torch.equal(resumed.translators.state_dict()[name], value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"is_bfloat16": True}, "is_bfloat16"),
        ({"weight_rate": 0.1, "bias_rate": 0.5}, "weight_rate, bias_rate"),
        ({"steps": 24}, "steps"),
        ({"sequences_per_step": 2}, "sequences_per_step"),
    ],
)
def test_a_fit_does_not_go_on_with_other_settings(
    decoder: HookedDecoder, tmp_path: Path, change: dict[str, float], named: str
) -> None:
    """Its file would name the settings of the end, and half of it was made with others."""
    stopped = fit_of(decoder, steps=12)
    fit_tuned_lens(stopped, tmp_path / "c", BELONGS_TO, lambda step: step == 2)
    other = TunedLensFit(decoder, SEQUENCES, dataclasses.replace(stopped.settings, **change))
    with pytest.raises(ValueError, match=f"a fit with another {named}: remove it"):
        fit_tuned_lens(other, tmp_path / "c", BELONGS_TO)


def test_a_fit_goes_on_in_chunks_of_another_size(decoder: HookedDecoder, tmp_path: Path) -> None:
    fit_tuned_lens(fit_of(decoder, 4), tmp_path / "c", BELONGS_TO, lambda step: step == 2)
    resumed = fit_of(decoder, 4, chunk_bytes=2**20)
    fit_tuned_lens(resumed, tmp_path / "c", BELONGS_TO)
    assert resumed.step == 4


def test_every_sequence_is_read_once_before_one_is_read_again(
    decoder: HookedDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = fit_of(decoder, steps=20)
    read: list[list[int]] = []
    residual_streams = decoder.residual_streams

    def noted(ids: torch.Tensor) -> list[torch.Tensor]:
        read.extend(ids.tolist())
        return residual_streams(ids)

    monkeypatch.setattr(decoder, "residual_streams", noted)
    for _ in range(10):
        fit.take_step()

    assert sorted(read) == sorted(SEQUENCES.tolist())
    assert read != SEQUENCES.tolist()


def test_the_model_itself_does_not_change(decoder: HookedDecoder) -> None:
    before = {name: p.clone() for name, p in decoder.model.named_parameters()}

    fit_of(decoder, steps=2).take_step()

    for name, parameter in decoder.model.named_parameters():
        assert parameter.grad is None
        assert torch.equal(parameter, before[name])


def test_the_rate_rises_then_falls_to_nothing() -> None:
    settings = TunedSettings(steps=100)
    shares = [settings.rate_share(i / 100) for i in range(101)]

    peak = shares.index(max(shares))
    assert shares[: peak + 1] == sorted(shares[: peak + 1])
    assert shares[peak:] == sorted(shares[peak:], reverse=True)
    assert shares[peak] == 1.0
    assert shares[-1] == 0.0


def test_a_fit_ends_at_whichever_bound_comes_first() -> None:
    settings = TunedSettings(steps=100, limit_seconds=60.0)

    assert settings.fraction_done(step=50, seconds=6.0) == 0.5
    assert settings.fraction_done(step=50, seconds=60.0) == 1.0
    with pytest.raises(ValueError, match="needs a bound"):
        TunedSettings()


def test_progress_names_the_step_the_divergence_and_the_time_left(
    decoder: HookedDecoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = TunedSettings(steps=2, log_every_seconds=0.0, save_every_seconds=0.0)

    with caplog.at_level("INFO"):
        fit_tuned_lens(TunedLensFit(decoder, SEQUENCES, settings), tmp_path / "c", BELONGS_TO)

    first, last = (record.getMessage() for record in caplog.records)
    assert first.startswith("step 1: KL ")
    assert " nats at layers 0 / 1 / 2, " in first
    assert last.endswith("0.0 min left")
