"""Token streams on disk, and the rows that a training step reads from them.

A stream is one flat array of uint16 ids (8,192 fit, and a memory map needs no loading). Rows are
cut from it in an order that depends only on seed, row length and pass, so the position in the data
is one number: how many tokens were read.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer

from training.corpus import stable_hash
from training.tokenizer import END_OF_TEXT_ID

TokenArray = npt.NDArray[np.uint16]
ENCODE_BATCH = 2000


def encode_documents(tokenizer: Tokenizer, documents: Sequence[str]) -> list[TokenArray]:
    """The ids of each document, ended by `<|endoftext|>`."""
    arrays: list[TokenArray] = []
    for start in range(0, len(documents), ENCODE_BATCH):
        batch = list(documents[start : start + ENCODE_BATCH])
        arrays.extend(
            np.array([*encoding.ids, END_OF_TEXT_ID], dtype=np.uint16)
            for encoding in tokenizer.encode_batch(batch, add_special_tokens=False)
        )
    return arrays


def mix_streams(
    sources: dict[str, list[TokenArray]], weights: dict[str, float], main_source: str
) -> TokenArray:
    """One stream with `weights` as token shares; it ends when `main_source` was read once.

    The next document always comes from the source that is furthest behind its share; sources that
    run out start again. Within a source the order is that of a hash, so that a file's order (by
    topic, by date) does not become the order of learning.
    """
    ordered = {
        name: [
            arrays[i] for i in sorted(range(len(arrays)), key=lambda i: stable_hash(f"{name} {i}"))
        ]
        for name, arrays in sources.items()
    }
    emitted = dict.fromkeys(ordered, 0)
    following = dict.fromkeys(ordered, 0)
    stream: list[TokenArray] = []
    while following[main_source] < len(ordered[main_source]):
        name = min(ordered, key=lambda source: emitted[source] / weights[source])
        arrays = ordered[name]
        array = arrays[following[name] % len(arrays)]
        following[name] += 1
        emitted[name] += len(array)
        stream.append(array)
    return np.concatenate(stream)


def write_stream(path: Path, stream: TokenArray) -> None:
    """Store a stream; the file is the array's bytes and nothing else."""
    stream.astype("<u2").tofile(path)


def read_stream(path: Path) -> TokenArray:
    """The stream as a read-only memory map."""
    return np.memmap(path, dtype="<u2", mode="r")


@lru_cache(maxsize=2)
def row_order(n_rows: int, row_length: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """The order in which the rows of one pass are read."""
    return np.random.default_rng((seed, row_length, epoch)).permutation(n_rows)


def rows_at(
    stream: TokenArray, tokens_seen: int, n_rows: int, row_length: int, seed: int
) -> torch.Tensor:
    """The rows to read after `tokens_seen` tokens.

    Returns int64 `[n_rows, row_length + 1]`: the inputs, and one more token for the last target.
    """
    available = (len(stream) - 1) // row_length
    if available < 1:
        raise ValueError(
            f"A stream of {len(stream):,} tokens holds no row of {row_length:,}: prepare more text."
        )
    first = tokens_seen // row_length
    rows = []
    for number in range(first, first + n_rows):
        order = row_order(available, row_length, seed, number // available)
        start = int(order[number % available]) * row_length
        rows.append(np.asarray(stream[start : start + row_length + 1], dtype=np.int64))
    return torch.from_numpy(np.stack(rows))


def row_offsets(
    n_rows: int, row_length: int, n_ctx: int, seed: int, tokens_seen: int
) -> torch.Tensor:
    """The position at which each row starts, `[n_rows]`, in [0, n_ctx - row_length].

    Rows shorter than the context would leave the later positions untrained. Offsets are drawn from
    a wider range and clipped, because otherwise the first and last positions would be met once in
    `n_ctx` rows, and every prompt begins at position 0.
    """
    draw = np.random.default_rng((seed, tokens_seen))
    offsets = draw.integers(-row_length, n_ctx, size=n_rows, endpoint=True)
    return torch.from_numpy(np.clip(offsets, 0, n_ctx - row_length))


def exit_places(
    n_exits: int, n_layers: int, n_places: int, seed: int, tokens_seen: int
) -> torch.Tensor:
    """Where a pass is also read early: int64 `[2, n_exits]`, layers in [1, n_layers) and places."""
    draw = np.random.default_rng((seed, tokens_seen, 1))
    layers = draw.integers(1, n_layers, size=n_exits)
    places = draw.integers(0, n_places, size=n_exits)
    return torch.from_numpy(np.stack([layers, places]))
