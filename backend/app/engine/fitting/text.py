"""Text that a lens is fitted to and judged on, as sequences of token ids.

What is held out shares no document with what is fitted; a text of few documents is cut into pieces, so
that its parts are at least not the same sentences.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Protocol

import torch

from app.engine.protocols import Vocabulary
from app.engine.types import ModelFacts

HELD_OUT_SHARE = 0.2
FEW_DOCUMENTS = 20
PIECE_CHARS = 2_000


class Tokenising(Protocol):
    """What tokenising needs of an engine."""

    @property
    def facts(self) -> ModelFacts: ...
    @property
    def vocabulary(self) -> Vocabulary: ...


def held_apart(documents: Sequence[str]) -> tuple[list[str], list[str]]:
    """What to fit, and what to hold out: the fifth of the documents whose hashes are the smallest.

    Fewer than 20 documents are cut at line ends into pieces of about 2,000 characters first. Equal ones
    stay on one side.
    """
    if len(documents) < FEW_DOCUMENTS:
        documents = [piece for document in documents for piece in _pieces(document)]
    distinct = sorted(set(documents), key=_hash)
    n_held_out = max(1, round(HELD_OUT_SHARE * len(distinct)))
    return distinct[n_held_out:], distinct[:n_held_out]


def _hash(text: str) -> bytes:
    return hashlib.sha256(f"held out {text}".encode(errors="surrogatepass")).digest()


def _pieces(document: str) -> Iterator[str]:
    piece = ""
    for line in document.splitlines(keepends=True):
        while len(line) > PIECE_CHARS:
            yield piece + line[:PIECE_CHARS]
            piece, line = "", line[PIECE_CHARS:]
        piece += line
        if len(piece) >= PIECE_CHARS:
            yield piece
            piece = ""
    if piece.strip():
        yield piece


def token_sequences(
    engine: Tokenising, documents: Sequence[str], length: int, most: int
) -> torch.Tensor:
    """The first `most` sequences that the documents give, or fewer: int64 `[sequences, length]`.

    Documents follow each other, each after one beginning-of-sequence (else end-of-text) token where
    the model has one, and are cut without regard to their ends. A model whose tokenizer puts a
    beginning-of-sequence token before every text, or that was measured to need it, gets it at the start
    of every sequence as well.
    Raises ValueError when there is not enough text for one sequence.
    """
    facts = engine.facts
    needs_bos = facts.adds_bos or (facts.bos_check is not None and facts.bos_check.is_needed)
    prefix = [facts.bos_token_id] if needs_bos and facts.bos_token_id is not None else []
    n_text = length - len(prefix)
    ids = list(islice(_joined_ids(engine, documents), most * n_text))
    n_sequences = len(ids) // n_text
    if n_sequences == 0:
        raise ValueError(
            f"The text gives {len(ids)} tokens, too few for one sequence of {length}: use more text."
        )
    rows = torch.tensor(ids[: n_sequences * n_text]).view(n_sequences, n_text)
    return torch.cat([torch.tensor(prefix * n_sequences).view(n_sequences, -1).long(), rows], dim=1)


def _joined_ids(engine: Tokenising, documents: Sequence[str]) -> Iterator[int]:
    facts = engine.facts
    border = facts.eos_token_ids[:1] if facts.bos_token_id is None else (facts.bos_token_id,)
    for document in documents:
        yield from border
        yield from engine.vocabulary.encode(document)
