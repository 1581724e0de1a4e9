"""Which documents lenses are fitted on, and the sequences that are made of them."""

from __future__ import annotations

import json
import lzma
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app.engine.engine import NnsightEngine
from app.engine.fitting.text import token_sequences
from tests.engine.small_models import END_ID, FAMILIES, engine_of, random_model
from training.corpus import is_held_out
from training.lenses.text import part_of, read_part

DOCUMENTS = [f"Document {index}\nhas two lines.\n" for index in range(1000)]


class EngineLike:
    """What sequences need of an engine."""

    def __init__(self, engine: NnsightEngine, **facts: object) -> None:
        self.vocabulary = engine.vocabulary
        self.facts = replace(engine.facts, **facts)


@pytest.fixture(scope="module")
def engine() -> NnsightEngine:
    return engine_of(random_model(FAMILIES["gpt2"].config()))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "text.json"
    path.write_text(json.dumps(DOCUMENTS), encoding="utf-8")
    return path


def test_parts_are_disjoint_and_together_everything(path: Path) -> None:
    fit, evaluate = read_part(path, "fit", seed=1), read_part(path, "evaluate", seed=1)

    assert not set(fit) & set(evaluate)
    assert sorted(fit + evaluate) == sorted(DOCUMENTS)
    assert 150 < len(evaluate) < 250


def test_the_part_of_a_document_never_changes() -> None:
    parts = [part_of(f"text {i}") for i in range(8)]

    assert parts == ["evaluate", "evaluate", *["fit"] * 6]


def test_documents_held_out_from_training_fall_on_both_sides() -> None:
    """They share the last digits of the hash that held them out."""
    held_out = [text for text in (f"d {i}" for i in range(20_000)) if is_held_out(text)]

    share = sum(part_of(text) == "evaluate" for text in held_out) / len(held_out)
    assert 0.1 < share < 0.3


def test_the_seed_changes_the_order_only(path: Path) -> None:
    first, second = read_part(path, "fit", seed=1), read_part(path, "fit", seed=2)

    assert first == read_part(path, "fit", seed=1)
    assert first != second
    assert sorted(first) == sorted(second)


def test_plain_text_compressed_text_and_lists_give_the_same(path: Path, tmp_path: Path) -> None:
    text = "".join(document + "<|endoftext|>\n" for document in DOCUMENTS)
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    (tmp_path / "text.txt.xz").write_bytes(lzma.compress(text.encode()))

    expected = read_part(path, "fit", seed=1)

    assert read_part(tmp_path / "text.txt", "fit", seed=1) == expected
    assert read_part(tmp_path / "text.txt.xz", "fit", seed=1) == expected


def test_sequences_are_the_documents_joined_by_the_end_of_text(engine: NnsightEngine) -> None:
    sequences = token_sequences(engine, ["ABC", "DEFG"], length=4, most=10)

    letters = engine.vocabulary.encode("ABCDEFG")
    joined = [END_ID, *letters[:3], END_ID, *letters[3:]]
    assert sequences.tolist() == [joined[:4], joined[4:8]]
    assert sequences.dtype == torch.int64


def test_a_beginning_of_sequence_token_is_put_where_the_model_expects_it(
    engine: NnsightEngine,
) -> None:
    bos = 0
    adding = EngineLike(engine, adds_bos=True, bos_token_id=bos)

    sequences = token_sequences(adding, ["ABC", "DEFG"], length=4, most=10)

    letters = engine.vocabulary.encode("ABCDEFG")
    joined = [bos, *letters[:3], bos, *letters[3:]]
    assert sequences.tolist() == [[bos, *joined[i : i + 3]] for i in (0, 3, 6)]


def test_no_more_sequences_than_asked_for(engine: NnsightEngine) -> None:
    assert token_sequences(engine, DOCUMENTS, length=8, most=3).shape == (3, 8)


def test_too_little_text_is_refused(engine: NnsightEngine) -> None:
    with pytest.raises(ValueError, match="gives 4 tokens, too few for one sequence of 8"):
        token_sequences(engine, ["ABC"], length=8, most=3)
