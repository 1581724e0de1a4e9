import lzma
from pathlib import Path

from training.corpus import is_held_out, read_documents, split_documents
from training.mix import SOURCES

DOCUMENTS = [f"Document number {index}.\nSecond line.\n" for index in range(2000)]


def write_corpus(path: Path, documents: list[str]) -> Path:
    with lzma.open(path, "wt", encoding="utf-8") as file:
        file.write("".join(document + "<|endoftext|>\n" for document in documents))
    return path


def test_documents_are_read_as_written(tmp_path: Path) -> None:
    path = write_corpus(tmp_path / "text.xz", ["One\n", "Two\r\nlines\n", "é\n"])

    assert list(read_documents(path)) == ["One\n", "Two\r\nlines\n", "é\n"]


def test_split_does_not_depend_on_order(tmp_path: Path) -> None:
    forward = split_documents(write_corpus(tmp_path / "a.xz", DOCUMENTS))
    backward = split_documents(write_corpus(tmp_path / "b.xz", DOCUMENTS[::-1]))

    assert set(forward[0]) == set(backward[0])
    assert set(forward[1]) == set(backward[1])


def test_split_is_the_same_on_every_run() -> None:
    assert [index for index, text in enumerate(DOCUMENTS[:400]) if is_held_out(text)] == HELD_OUT


def test_about_one_percent_is_held_out() -> None:
    assert 5 <= sum(map(is_held_out, DOCUMENTS)) <= 40


def test_weights_of_the_mix_sum_to_one() -> None:
    assert abs(sum(source.weight for source in SOURCES) - 1.0) < 1e-9


HELD_OUT = [55, 91, 325, 356]
"""Indices below 400 whose document is held out, written down once."""
