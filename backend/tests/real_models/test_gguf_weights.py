"""GGUF files of real models: their weights and ids beside the folders that hold the same weights."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from app.engine.engine import NnsightEngine
from app.engine.loading import load_engine
from tests.real_models.test_real_models import MODELS, TEXTS


@pytest.fixture(scope="module", params=["gemma", "qwen"])
def folder(request: pytest.FixtureRequest) -> Path:
    return MODELS / request.param


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[NnsightEngine]:
    loaded = load_engine(str(folder / "model.gguf"), store_bytes=2**28, readout_bytes=2**28)
    yield loaded
    del loaded
    gc.collect()


@pytest.fixture(scope="module")
def plain(folder: Path) -> Iterator[Any]:
    """The file as transformers alone reads it."""
    model = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file="model.gguf", dtype=torch.float32
    ).eval()
    yield model
    del model
    gc.collect()


def test_weights_are_those_of_the_folder_to_the_rounding_of_16_bits(
    folder: Path, plain: Any
) -> None:
    rounded = AutoModelForCausalLM.from_pretrained(folder / "hf", dtype=torch.bfloat16)
    of_folder = rounded.state_dict()
    assert set(of_folder) == set(plain.state_dict())
    for name, weight in plain.state_dict().items():
        # Half of the last of 8 bits, in proportion to the number.
        error = (weight - of_folder[name].float()).abs()
        assert bool((error <= weight.abs() / 2**8 + 1e-30).all()), name


@pytest.mark.parametrize("kind", TEXTS)
def test_texts_have_the_ids_of_the_folder(engine: NnsightEngine, folder: Path, kind: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder / "hf")
    expected = tokenizer.encode(TEXTS[kind], add_special_tokens=False)
    assert list(engine.vocabulary.encode(TEXTS[kind])) == expected


def test_the_facts_say_how_the_weights_were_rounded(engine: NnsightEngine) -> None:
    assert engine.facts.note is not None
    assert "GGUF" in engine.facts.note
