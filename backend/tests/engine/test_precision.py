"""Float32 or bfloat16: which is chosen, and what the choice changes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from app.engine import precision
from app.engine.bos_check import SENTENCE
from app.engine.catalogue import describe
from app.engine.loading import load_engine
from app.engine.precision import computing_in_float32, cpu_dtype
from app.engine.sources import find_model
from tests.engine.model_folders import SMALL, save_tiny_gpt2
from tests.engine.reference import PlainModel
from tests.engine.small_models import FAMILIES, engine_of, random_ids, random_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model that is stored in bfloat16."""
    model = save_tiny_gpt2(tmp_path)
    # Weights near zero would hide their rounding.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)
    model.bfloat16().save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("choice", "n_bfloat16", "free", "native", "expected"),
    [
        ("auto", 0, 10**9, True, torch.float32),
        ("auto", 0, 1, True, torch.float32),
        ("auto", 1000, 10**9, False, torch.float32),
        ("auto", 1000, 10**9, True, torch.bfloat16),
        # 8,000 bytes are more than half of what is free.
        ("auto", 1000, 15_999, False, torch.bfloat16),
        ("auto", 1000, 16_000, False, torch.float32),
        ("auto", 500, 1, True, torch.float32),
        ("float32", 1000, 1, True, torch.float32),
        ("bfloat16", 0, 10**9, False, torch.bfloat16),
    ],
)
def test_bfloat16_is_chosen_for_memory_or_for_speed(
    choice: precision.DtypeChoice,
    n_bfloat16: int,
    free: int,
    native: bool,
    expected: torch.dtype,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(precision, "free_memory", lambda: free)
    monkeypatch.setattr(precision, "multiplies_bfloat16", lambda: native)
    monkeypatch.setattr(precision, "is_faster_in_bfloat16", lambda: True)
    assert cpu_dtype(choice, 1000, n_bfloat16, "it") == expected


def test_bfloat16_that_is_not_faster_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "free_memory", lambda: 10**12)
    monkeypatch.setattr(precision, "multiplies_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "is_faster_in_bfloat16", lambda: False)
    assert cpu_dtype("auto", 1000, 1000, "it") == torch.float32


def test_a_model_in_bfloat16_says_how_far_it_is_from_float32(folder: Path) -> None:
    engine = load_engine(str(folder), dtype="bfloat16", **SMALL)
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    found = engine.facts.self_check.precision
    assert engine.facts.dtype == "bfloat16"
    assert found is not None

    ids = engine.vocabulary.encode(SENTENCE)[: engine.facts.n_ctx]
    with torch.inference_mode():
        wide = plain(torch.tensor([ids])).logits[0]
        narrow = engine.decoder.full_logits(ids)
    logits, probabilities = narrow - wide, narrow.softmax(-1) - wide.softmax(-1)
    assert found.n_tokens == len(ids)
    assert found.max_logit_diff == pytest.approx(float(logits.abs().max()), rel=1e-3)
    assert found.max_probability_diff == pytest.approx(float(probabilities.abs().max()), rel=1e-3)
    assert found.same_top1 == int((narrow.argmax(-1) == wide.argmax(-1)).sum())
    assert found.max_logit_diff > 1e-3


def test_a_model_in_bfloat16_can_be_differentiated(folder: Path) -> None:
    capability = load_engine(str(folder), dtype="bfloat16", **SMALL).facts.capabilities.gradients
    assert capability.is_available, capability.reason


def test_a_model_in_float32_has_no_difference_to_tell(folder: Path) -> None:
    engine = load_engine(str(folder), **SMALL)
    assert engine.facts.dtype == "float32"
    assert engine.facts.self_check.precision is None


@pytest.mark.parametrize("family", ["gpt2", "gemma2", "gpt_neox", "mixtral", "mamba", "opt"])
def test_widened_weights_give_the_logits_of_float32_and_are_put_back(family: str) -> None:
    model = random_model(FAMILIES[family].config()).bfloat16()
    plain = PlainModel(random_model(FAMILIES[family].config()).bfloat16().float(), "")
    engine = engine_of(model)
    ids = random_ids(20)
    with torch.inference_mode():
        before = engine.decoder.full_logits(ids)
        with computing_in_float32(model, engine.decoder.structure.blocks):
            found = engine.decoder.full_logits(ids)
        after = engine.decoder.full_logits(ids)
    torch.testing.assert_close(found, plain.logits(ids), atol=1e-4, rtol=1e-4)
    assert torch.equal(before, after)
    assert {p.dtype for b in engine.decoder.structure.blocks for p in b.parameters()} == {
        torch.bfloat16
    }


def test_a_packed_model_in_bfloat16_decodes_its_streams_in_float32(folder: Path) -> None:
    engine = load_engine(str(folder), dtype="bfloat16", packing="all", **SMALL)
    assert engine.facts.packing == "all"
    assert engine.decoder.reads_in_pass
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = random_ids(20)
    columns = engine.read(ids, top_k=3)
    with torch.inference_mode():
        rows = engine.decoder.empty_rows(len(ids))
        engine.decoder.forward(ids, None, rows)
        for layer in range(engine.facts.n_layers + 1):
            logits = plain.lm_head(plain.transformer.ln_f(rows[:, layer]))
            p = logits.softmax(-1).gather(1, torch.from_numpy(columns.top_ids[layer]))
            torch.testing.assert_close(
                torch.from_numpy(columns.top_probabilities[layer]).float(), p, atol=1e-5, rtol=0
            )


def test_the_catalogue_counts_two_bytes_a_parameter_for_what_runs_in_bfloat16(
    folder: Path,
) -> None:
    found = describe(find_model(str(folder)))
    assert found.n_parameters is not None
    assert found.memory_bytes("bfloat16") == 2 * found.n_parameters
    assert found.memory_bytes("float32") == 4 * found.n_parameters
