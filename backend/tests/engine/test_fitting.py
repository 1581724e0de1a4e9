"""Lenses fitted by the engine: the text, turns, checkpoints, verdict, and what is offered then."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import GPT2LMHeadModel

from app.engine.engine import NnsightEngine
from app.engine.fitting import fits
from app.engine.fitting.jacobian import JacobianSettings, sequence_jacobians
from app.engine.fitting.sample import documents_of, sample_text
from app.engine.fitting.text import held_apart
from app.engine.fitting.tuned import TunedLensFit, TunedSettings
from app.engine.fitting.types import FitPoint, FitResult, FitWanted
from app.engine.fitting.verdict import judging
from app.engine.gradients import HookedDecoder
from app.engine.lenses import logit_lens, tuned_lens
from app.engine.loading import load_engine
from app.errors import InvalidRequest
from tests.engine.model_folders import SMALL
from tests.engine.reference import PlainModel
from tests.engine.small_models import FAMILIES, engine_of, random_ids, random_model

T = TypeVar("T")
DOCUMENTS = [f"Sentence number {n} of a text {'about nothing ' * 8}at all.\n" for n in range(60)]
HELD_OUT = torch.tensor([random_ids(12, seed=seed) for seed in range(200, 206)])


@pytest.fixture
def loaded(saved_gpt2: tuple[Path, GPT2LMHeadModel]) -> NnsightEngine:
    """With a tokenizer of its own: two blocks, 64 positions."""
    return load_engine(str(saved_gpt2[0]), **SMALL)


def wanted(folder: Path, seconds: float) -> FitWanted:
    return FitWanted("tuned", seconds, folder / "work", folder / "lenses", "made up")


def test_a_fitted_lens_is_judged_and_used(loaded: NnsightEngine, tmp_path: Path) -> None:
    there = loaded.fitting.write_text(DOCUMENTS, tmp_path / "work")
    *points, result = [
        item for item in loaded.fitting.fitting(wanted(tmp_path, 3.0)) if item is not None
    ]
    assert there.fit_tokens > there.held_out_tokens > 0
    assert isinstance(result, FitResult)
    curve = [point for point in points if isinstance(point, FitPoint) and point.values]
    assert curve[-1].values[0] < curve[0].values[0]
    progress = [point.progress for point in points if isinstance(point, FitPoint)]
    assert progress == sorted(progress)
    assert result.is_in_use
    assert all(layer.kl_nats < layer.logit_kl_nats for layer in result.verdict.layers)
    offered = loaded.facts.lenses[-1]
    assert (offered.kind, offered.origin) == ("tuned", "fitted")
    assert offered.beats_controls == result.verdict.beats_controls
    assert loaded.read(range(8), kind="tuned").entropy_nats.shape == (3, 8)
    assert (tmp_path / "lenses" / "tuned.safetensors").is_file()


def test_a_fit_that_is_left_goes_on_from_its_checkpoint(
    loaded: NnsightEngine, tmp_path: Path
) -> None:
    loaded.fitting.write_text(DOCUMENTS, tmp_path / "work")
    turns = loaded.fitting.fitting(wanted(tmp_path, 1000.0))
    steps = (item for item in turns if isinstance(item, FitPoint))
    left_at = [next(steps).tokens for _ in range(3)][-1]
    turns.close()  # type: ignore[attr-defined]

    again = loaded.fitting.fitting(wanted(tmp_path, 1000.0))
    first = next(item for item in again if isinstance(item, FitPoint))

    assert first.tokens == left_at * 4 // 3
    again.close()  # type: ignore[attr-defined]


def test_a_damaged_checkpoint_begins_again(loaded: NnsightEngine, tmp_path: Path) -> None:
    loaded.fitting.write_text(DOCUMENTS, tmp_path / "work")
    (tmp_path / "work" / fits.CHECKPOINT_FILE).write_bytes(b"damaged")
    turns = loaded.fitting.fitting(wanted(tmp_path, 1000.0))
    first = next(item for item in turns if isinstance(item, FitPoint))
    turns.close()  # type: ignore[attr-defined]
    assert 0 < first.tokens <= fits.TOKENS_OF_STEP


def test_too_little_text_is_refused(loaded: NnsightEngine, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="too short"):
        loaded.fitting.write_text(["Too little."], tmp_path / "work")


def test_what_is_held_out_shares_no_document_with_what_is_fitted() -> None:
    fit, held_out = held_apart(DOCUMENTS * 2)
    assert sorted(fit + held_out) == sorted(DOCUMENTS)
    assert len(held_out) == 12
    text = "\n".join(f"Line {n}." for n in range(2000))
    pieces, others = held_apart([text])
    assert sorted("".join(pieces + others)) == sorted(text)
    assert len(others) == round(0.2 * len(pieces + others))


def test_the_sample_has_enough_documents() -> None:
    documents = documents_of(sample_text())
    assert len(documents) > 200
    assert all(200 < len(document) < 3000 for document in documents)


def taken(
    turns: Generator[object, None, T], between: Callable[[], object] = lambda: None
) -> tuple[T, int]:
    """What comes out of turns, and how many there were."""
    n_turns = 0
    while True:
        try:
            next(turns)
        except StopIteration as stop:
            return stop.value, n_turns
        between()
        n_turns += 1


def verdict_of(engine: NnsightEngine, lens: object, in_use: object = None):
    return taken(judging(engine.decoder, HELD_OUT, lens, in_use))[0]  # type: ignore[arg-type]


def test_the_verdict_equals_an_independent_computation() -> None:
    model = random_model(FAMILIES["llama"].config())
    engine, plain = engine_of(model), PlainModel(model, "model.layers")
    verdict = verdict_of(engine, logit_lens)

    kls, scaled = [], []
    n_of_each = -(-verdict.n_positions // len(HELD_OUT))
    for number, ids in enumerate(HELD_OUT.tolist()):
        draw = torch.Generator().manual_seed(number)
        places = (1 + torch.randperm(len(ids) - 1, generator=draw)[:n_of_each]).tolist()
        final = plain.logits(ids)[places].double()
        logits = plain.lens_logits(ids, plain.residuals(ids)[1])[places].double()
        p = torch.distributions.Categorical(logits=final)
        for scale, into in ((1.0, kls), (verdict.layers[1].scale, scaled)):
            q = torch.distributions.Categorical(logits=scale * logits)
            into += torch.distributions.kl_divergence(p, q).tolist()
    assert verdict.layers[1].logit_kl_nats == pytest.approx(sum(kls) / len(kls), rel=1e-4)
    assert verdict.layers[1].scaled_kl_nats == pytest.approx(sum(scaled) / len(scaled), rel=1e-4)
    assert verdict.layers[1].scaled_kl_nats <= verdict.layers[1].logit_kl_nats


def test_a_lens_that_does_nothing_beats_no_control(loaded: NnsightEngine) -> None:
    verdict = verdict_of(loaded, logit_lens, logit_lens)
    assert not verdict.beats_controls
    for layer in verdict.layers:
        assert layer.kl_nats == layer.logit_kl_nats == layer.permuted_kl_nats
        assert layer.in_use_kl_nats == layer.kl_nats
        assert not layer.beats_controls
    assert not verdict.is_better_than_in_use


def test_one_map_that_suits_every_layer_does_not_beat_the_permuted_control(
    loaded: NnsightEngine,
) -> None:
    d_model = loaded.facts.d_model
    weight, bias = torch.zeros(d_model, d_model), torch.full((d_model,), 3.0)
    same = tuned_lens(
        {
            f"{name}.{n}": value
            for n in range(3)
            for name, value in (("weight", weight), ("bias", bias))
        }
    )
    verdict = verdict_of(loaded, same)
    assert [layer.kl_nats for layer in verdict.layers] == [
        layer.permuted_kl_nats for layer in verdict.layers
    ]
    assert not verdict.beats_controls


@pytest.mark.parametrize("family", ["gpt2", "gemma2", "llama"])
def test_all_columns_of_a_vocabulary_give_the_whole_gradient(family: str) -> None:
    """With every token drawn, a step on columns is the step on the whole vocabulary."""
    model = random_model(FAMILIES[family].config()).requires_grad_(False)
    decoder = HookedDecoder(model, engine_of(model).decoder.structure)
    assert decoder.can_read_columns()
    sequences = torch.tensor([random_ids(16, seed=seed) for seed in range(8)])
    settings = TunedSettings(steps=4)
    whole = TunedLensFit(decoder, sequences, settings)
    sampled = TunedLensFit(
        decoder, sequences, dataclasses.replace(settings, vocabulary_sample=decoder.d_vocab)
    )
    assert sampled.take_step() == pytest.approx(whole.take_step(), rel=1e-3, abs=1e-5)
    for ours, theirs in zip(sampled.translators, whole.translators, strict=True):
        torch.testing.assert_close(ours.bias, theirs.bias, atol=1e-6, rtol=0.05)


def test_a_sample_of_the_vocabulary_stands_for_all_of_it() -> None:
    model = random_model(FAMILIES["llama"].config()).requires_grad_(False)
    decoder = HookedDecoder(model, engine_of(model).decoder.structure)
    rows = torch.randn(4, decoder.d_model, generator=torch.Generator().manual_seed(5))
    whole = decoder.decode(rows).logsumexp(-1)
    sums = torch.zeros_like(whole)
    for seed in range(200):
        draw = torch.Generator().manual_seed(seed)
        ids = torch.randperm(decoder.d_vocab, generator=draw)[:24]
        weights = torch.full((24,), decoder.d_vocab / 24).log()
        sums += decoder.decode(rows, decoder.columns(ids, weights)).exp().sum(-1) / 200
    torch.testing.assert_close(sums.log(), whole, atol=0.2, rtol=0)


def test_a_kept_lens_says_what_it_was_fitted_to(loaded: NnsightEngine, tmp_path: Path) -> None:
    loaded.fitting.write_text(DOCUMENTS, tmp_path / "work")
    for _ in loaded.fitting.fitting(wanted(tmp_path, 1.0)):
        pass
    tensors = load_file(tmp_path / "lenses" / "tuned.safetensors")
    assert set(tensors) == {f"{name}.{n}" for n in range(2) for name in ("weight", "bias")}
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}


def test_a_jacobian_lens_is_fitted_judged_and_used(loaded: NnsightEngine, tmp_path: Path) -> None:
    loaded.fitting.write_text(DOCUMENTS, tmp_path / "work")
    asked = dataclasses.replace(wanted(tmp_path, 1000.0), kind="jacobian")
    items = [item for item in loaded.fitting.fitting(asked) if item is not None]
    result = items[-1]
    assert isinstance(result, FitResult)
    assert len(result.verdict.layers) == loaded.facts.n_layers

    curve = [item for item in items if isinstance(item, FitPoint) and item.values]
    assert curve[-1].tokens == load_file(tmp_path / "work" / fits.TEXT_FILE)["fit"].numel()
    assert all(last < first for first, last in zip(curve[0].values, curve[-1].values, strict=True))
    offered = loaded.facts.lenses[-1]
    assert (offered.kind, offered.origin) == ("jacobian", "fitted")
    assert loaded.read(range(8), kind="jacobian").entropy_nats.shape == (3, 8)


def test_a_jacobian_fit_that_is_left_anywhere_gives_the_mean_of_whole_sequences(
    loaded: NnsightEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fits, "MOST_DIMENSIONS", 3)
    loaded.fitting.write_text(DOCUMENTS[:16], tmp_path / "work")
    asked = dataclasses.replace(wanted(tmp_path, 1000.0), kind="jacobian")
    # Left in the middle of a sequence, and again in the middle of another one.
    for n_turns in (4, 11):
        turns = loaded.fitting.fitting(asked)
        points = (item for item in turns if isinstance(item, FitPoint))
        for _ in range(n_turns):
            next(points)
        turns.close()  # type: ignore[attr-defined]
    for _ in loaded.fitting.fitting(asked):
        pass

    decoder = HookedDecoder(loaded.decoder.model, loaded.decoder.structure)
    sequences = load_file(tmp_path / "work" / fits.TEXT_FILE)["fit"]
    settings = JacobianSettings(dimensions_per_pass=3)
    each = torch.stack([sequence_jacobians(decoder, ids, settings) for ids in sequences])
    kept = load_file(tmp_path / "lenses" / "jacobian.safetensors")
    for layer, expected in enumerate(each.mean(dim=0)):
        torch.testing.assert_close(
            kept[f"jacobian.{layer}"].float(), expected, atol=1e-3, rtol=1e-3
        )


def test_a_jacobian_fit_whose_time_is_over_ends_with_the_sequences_it_has(
    loaded: NnsightEngine, tmp_path: Path
) -> None:
    loaded.fitting.write_text(DOCUMENTS, tmp_path / "work")
    asked = dataclasses.replace(wanted(tmp_path, 1e-9), kind="jacobian")
    *_, last, result = [item for item in loaded.fitting.fitting(asked) if item is not None]
    assert isinstance(last, FitPoint)
    assert isinstance(result, FitResult)
    with safe_open(tmp_path / "work" / "jacobian.safetensors", framework="pt") as file:
        assert file.metadata()["sequences"] == "1"


def test_a_step_in_turns_is_the_step_in_one(loaded: NnsightEngine) -> None:
    """Other work between the turns of a step changes none of its numbers."""
    decoder = HookedDecoder(loaded.decoder.model, loaded.decoder.structure)
    sequences = torch.tensor([random_ids(16, seed=seed) for seed in range(8)])
    whole = TunedLensFit(decoder, sequences, TunedSettings(steps=4))
    in_turns = TunedLensFit(decoder, sequences, TunedSettings(steps=4, chunk_bytes=4 * 300 * 8))
    for _ in range(2):
        expected = whole.take_step()
        losses, n_turns = taken(in_turns.stepping(), lambda: loaded.read(random_ids(8)))
        assert losses == pytest.approx(expected, rel=1e-4, abs=1e-6)
        assert n_turns > len(whole.translators)
    for ours, theirs in zip(in_turns.translators, whole.translators, strict=True):
        torch.testing.assert_close(ours.weight, theirs.weight, atol=1e-5, rtol=1e-3)


def test_a_fit_that_is_made_runs_nothing_and_its_first_step_suits_biases_to_the_stream(
    loaded: NnsightEngine, saved_gpt2: tuple[Path, GPT2LMHeadModel]
) -> None:
    model = loaded.decoder.model
    decoder = HookedDecoder(model, loaded.decoder.structure)
    sequences = [random_ids(16, seed=seed) for seed in range(4)]
    n_passes = 0

    def count(*_: object) -> None:
        nonlocal n_passes
        n_passes += 1

    with model.transformer.h[0].register_forward_hook(count):
        settings = TunedSettings(steps=4, sequences_per_step=4)
        fit = TunedLensFit(decoder, torch.tensor(sequences), settings)
        assert n_passes == 0
        fit.take_step()
        assert n_passes > 0
    plain = PlainModel(saved_gpt2[1].eval(), "transformer.h")
    of_layers = zip(*(plain.residuals(ids)[:-1] for ids in sequences), strict=True)
    expected = [0.01 * float(torch.cat(rows).square().mean().sqrt()) for rows in of_layers]
    assert [group["peak_lr"] for group in fit.optimizer.param_groups[1::2]] == pytest.approx(
        expected, rel=1e-4
    )
