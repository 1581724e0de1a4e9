"""GGUF files of real models: their weights, ids and numbers, beside the folders that hold the same weights."""

import gc
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from app.engine.engine import NnsightEngine
from app.engine.loading import load_engine
from tests.real_models.test_real_models import (
    LONG,
    MODELS,
    TEXTS,
    assert_layers_are_right,
    ids_of,
)

logger = logging.getLogger(__name__)


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
def test_every_layer_at_every_position_equals_transformers(
    engine: NnsightEngine, plain: Any, kind: str
) -> None:
    """After the token that the file puts first; without it Gemma's streams are out of all proportion."""
    ids = ids_of(engine, TEXTS[kind])
    worst = assert_layers_are_right(engine, plain, ids, list(range(len(ids) - 1)))
    logger.info("%s, %s: largest differences %s", engine.facts.name, kind, worst)


def test_every_layer_over_700_tokens_equals_transformers(engine: NnsightEngine, plain: Any) -> None:
    """Positions lie on both sides of Gemma's window of 512."""
    ids = ids_of(engine, LONG)[:700]
    positions = [0, 1, 127, 128, 300, 511, 512, 513, 600, 698]
    worst = assert_layers_are_right(engine, plain, ids, positions)
    logger.info("%s, 700 tokens: largest differences %s", engine.facts.name, worst)


@pytest.mark.parametrize("kind", TEXTS)
def test_texts_have_the_ids_of_the_folder(engine: NnsightEngine, folder: Path, kind: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder / "hf")
    expected = tokenizer.encode(TEXTS[kind], add_special_tokens=False)
    assert list(engine.vocabulary.encode(TEXTS[kind])) == expected


def test_the_facts_say_how_the_weights_were_rounded(engine: NnsightEngine) -> None:
    assert engine.facts.note is not None
    assert "GGUF" in engine.facts.note
