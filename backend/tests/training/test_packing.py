from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from training.packing import (
    TokenArray,
    encode_documents,
    mix_streams,
    read_stream,
    row_offsets,
    rows_at,
    write_stream,
)


def test_stream_is_read_as_written(tmp_path: Path, stream: TokenArray) -> None:
    write_stream(tmp_path / "stream.bin", stream)

    assert np.array_equal(read_stream(tmp_path / "stream.bin"), stream)


def test_documents_are_unpacked_as_packed(tokenizer: Tokenizer) -> None:
    documents = ["One document.\n", "Another 👍 one.\n"]

    packed = np.concatenate(encode_documents(tokenizer, documents))

    text = tokenizer.decode(packed.tolist(), skip_special_tokens=False)
    assert text == "".join(document + "<|endoftext|>" for document in documents)


def test_mixed_stream_has_the_shares_asked_for() -> None:
    sources = {
        "main": [np.full(10, 1, dtype=np.uint16) for _ in range(60)],
        "rare": [np.full(5, 2, dtype=np.uint16) for _ in range(3)],
    }

    stream = mix_streams(sources, {"main": 0.75, "rare": 0.25}, main_source="main")

    assert (stream == 1).sum() == 600
    assert abs((stream == 2).mean() - 0.25) < 0.02


def test_one_pass_reads_every_row_once() -> None:
    stream = np.arange(16 * 8 + 1, dtype=np.uint16)

    steps = [rows_at(stream, 64 * step, 4, 16, seed=1) for step in range(2)]

    firsts = torch.cat(steps)[:, 0].tolist()
    assert sorted(firsts) == [16 * row for row in range(8)]


def test_offsets_reach_the_first_and_the_last_position() -> None:
    offsets = torch.cat([row_offsets(16, 256, 1024, 1, 4096 * step) for step in range(20)])

    assert offsets.min() == 0
    assert offsets.max() == 1024 - 256
    assert len(set(offsets.tolist())) > 100


def test_a_stream_that_is_too_short_for_a_row_is_refused() -> None:
    with pytest.raises(ValueError, match="10 tokens holds no row of 16"):
        rows_at(np.arange(10, dtype=np.uint16), 0, 1, 16, seed=1)
