"""`make bench`, or `python -m bench [PART …]` in backend/: figures, as a table and in `bench/results.json`.

Where only some parts are measured, the figures of the others stay as they were.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch

from app.console import prepare_console
from app.engine.model_names import EMBEDDED_FOLDER
from bench.figures import PARTS, Expected, Subjects
from bench.model import make_gemma_shape, make_gpt2_shape
from bench.processes import References, Server, Texts
from bench.report import Figure, table, update_json

RESULTS = Path(__file__).with_name("results.json")
NOTES = [
    "low and high are quartiles of the repeats; GPT-2 small's shape but for embedded_* and gemma_shape_*"
]
THREADS = 2
"""The bars are for two cores."""


Made = Callable[[Path], Path]

MODELS: tuple[tuple[Expected, Made, frozenset[str]], ...] = (
    (Expected(), make_gpt2_shape, frozenset(PARTS) - {"at_rest", "bfloat16"}),
    (
        Expected("embedded_"),
        lambda _: EMBEDDED_FOLDER,
        frozenset({"reply", "comparing", "beside_busy"}),
    ),
    (
        Expected("gemma_shape_", 1.0, None, read_tokens=100, other_lenses=False),
        make_gemma_shape,
        frozenset({"reply", "reading"}),
    ),
)
"""What is expected of each model, where it comes from, and the parts that are measured with it."""
REAL_PARTS = frozenset({"reply", "reading", "at_rest", "bfloat16"})
CLICK_MS = {"gemma": 80.0, "qwen": 60.0}
"""By the name of a real model's folder: 19 rows x 262,144 ids, and 25 x 151,936."""


def real_models() -> Iterator[tuple[Expected, Made, frozenset[str]]]:
    """Real pretrained models: those that stand as NAME/hf in the folder EXPLORER_TEST_MODELS."""
    folder = os.environ.get("EXPLORER_TEST_MODELS")
    for path in sorted(Path(folder).glob("*/hf")) if folder else ():
        name = path.parent.name
        expected = Expected(
            f"{name}_", 1.0, CLICK_MS.get(name), read_tokens=100, other_lenses=False
        )
        yield expected, partial(_as_it_lies, path.resolve()), REAL_PARTS


def _as_it_lies(found: Path, _scratch: Path) -> Path:
    return found


def main() -> None:
    prepare_console()
    options = parse()
    torch.set_num_threads(options.threads)
    figures: list[Figure] = []
    for expected, make, names in (*MODELS, *real_models()):
        wanted = options.only in (None, expected.prefix)
        parts = [name for name in options.parts if wanted and name in names]
        with tempfile.TemporaryDirectory() as folder:
            if parts:
                model = make(Path(folder))
            # Each part has a server of its own, so that none starts with what another left behind.
            for name in parts:
                figures += measured(name, model, options, expected)
    print(table(figures))
    print(f"\nwritten to {RESULTS.name}")


def measured(
    name: str, model: Path, options: argparse.Namespace, expected: Expected
) -> list[Figure]:
    """The figures of one part, measured in fresh processes."""
    print(f"measuring {expected.prefix}{name} …", flush=True)
    asked = "embedded" if model == EMBEDDED_FOLDER else str(model)

    def server_in(dtype: str) -> Server:
        return Server(asked, options.threads, dtype=dtype)

    server = server_in("float32")  # as the references
    references = References(model, options.threads)
    try:
        texts = Texts(seed=len(name))
        subjects = Subjects(server, references, texts, options.repeats, expected, server_in)
        found = list(PARTS[name](subjects))
        update_json(RESULTS, found, NOTES)
    finally:
        server.close()
        references.close()
    print(table(found), flush=True)
    return found


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default"
    )
    parser.add_argument("--repeats", type=int, default=5, help="samples of each figure")
    parser.add_argument("--threads", type=int, default=THREADS, help="threads of every process")
    parser.add_argument(
        "--only", metavar="PREFIX", help="of one model, as gemma_ (default: of all)"
    )
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    options.parts = options.parts or list(PARTS)
    return options


if __name__ == "__main__":
    main()
