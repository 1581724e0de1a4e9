"""Token sequences for fitting and for comparing lenses, from documents that never change sides.

The side is a hash of the document, as in `training.corpus`, but of another string: among documents
that were held out from training, that module's own hash is the same for all.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

import torch

from app.engine.protocols import LensEngine
from training.corpus import read_documents, stable_hash

Part = Literal["fit", "evaluate"]

EVALUATE_PERCENT = 20


def part_of(document: str) -> Part:
    """Whether lenses are fitted on this document or compared on it."""
    return "evaluate" if stable_hash(f"lens {document}") % 100 < EVALUATE_PERCENT else "fit"


def read_part(path: Path, part: Part, seed: int) -> list[str]:
    """Documents of one part in an order drawn by `seed`; blank ones are left out.

    `path`: a JSON list of strings, or text whose documents end with a line `<|endoftext|>`, plain
    or compressed with xz.
    """
    if path.suffix == ".json":
        documents = json.loads(path.read_text(encoding="utf-8"))
    else:
        documents = list(read_documents(path))
    chosen = [text for text in documents if text.strip() and part_of(text) == part]
    return sorted(chosen, key=lambda text: stable_hash(f"{seed} {text}"))


def token_sequences(
    engine: LensEngine, documents: Sequence[str], length: int, most: int
) -> torch.Tensor:
    """The first `most` sequences that the documents give, or fewer: int64 `[sequences, length]`.

    Documents follow each other, each after one beginning-of-sequence (else end-of-text) token where
    the model has one, and are cut without regard to their ends. A model whose tokenizer puts a
    beginning-of-sequence token before every text gets it at the start of every sequence as well.
    Raises ValueError when there is not enough text for one sequence.
    """
    facts = engine.facts
    prefix = [facts.bos_token_id] if facts.adds_bos and facts.bos_token_id is not None else []
    n_text = length - len(prefix)
    ids = list(islice(_joined_ids(engine, documents), most * n_text))
    n_sequences = len(ids) // n_text
    if n_sequences == 0:
        raise ValueError(
            f"The text gives {len(ids)} tokens, too few for one sequence of {length}: use more text."
        )
    rows = torch.tensor(ids[: n_sequences * n_text]).view(n_sequences, n_text)
    return torch.cat([torch.tensor(prefix * n_sequences).view(n_sequences, -1).long(), rows], dim=1)


def _joined_ids(engine: LensEngine, documents: Sequence[str]) -> Iterator[int]:
    facts = engine.facts
    border = facts.eos_token_ids[:1] if facts.bos_token_id is None else (facts.bos_token_id,)
    for document in documents:
        yield from border
        yield from engine.vocabulary.encode(document)
