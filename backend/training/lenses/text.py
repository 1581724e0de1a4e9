"""Documents for fitting and for comparing lenses, which never change sides.

The side is a hash of the document, as in `training.corpus`, but of another string: among documents
that were held out from training, that module's own hash is the same for all.
"""

import json
from pathlib import Path
from typing import Literal

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
