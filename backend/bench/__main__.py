"""`make bench`, or `python -m bench [PART …]` in backend/: figures, as a table and in `bench/results.json`.

Where only some parts are measured, the figures of the others stay as they were.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from app.console import prepare_console
from app.engine.model_names import EMBEDDED_FOLDER
from bench.figures import PARTS, Subjects
from bench.model import make_gemma_shape, make_gpt2_shape
from bench.processes import References, Server, Texts
from bench.report import Figure, table, update_json

RESULTS = Path(__file__).with_name("results.json")
NOTES = [
    "low and high are quartiles of the repeats; GPT-2 small's shape but for embedded_* and gemma_shape_*"
]
THREADS = 2
"""The bars are for two cores."""


MODELS: dict[str, tuple[Callable[[Path], Path], frozenset[str]]] = {
    "": (make_gpt2_shape, frozenset(PARTS)),
    "embedded_": (lambda _: EMBEDDED_FOLDER, frozenset({"reply", "comparing", "beside_busy"})),
    "gemma_shape_": (make_gemma_shape, frozenset({"reply", "reading"})),
}
"""By the prefix of its figures, each model and the parts that are measured with it."""


def main() -> None:
    prepare_console()
    options = parse()
    torch.set_num_threads(options.threads)
    figures: list[Figure] = []
    for prefix, (make, names) in MODELS.items():
        parts = [name for name in options.parts if name in names]
        with tempfile.TemporaryDirectory() as folder:
            if parts:
                model = make(Path(folder))
            # Each part has a server of its own, so that none starts with what another left behind.
            for name in parts:
                figures += measured(name, model, options, prefix)
    print(table(figures))
    print(f"\nwritten to {RESULTS.name}")


def measured(name: str, model: Path, options: argparse.Namespace, prefix: str = "") -> list[Figure]:
    """The figures of one part, measured in fresh processes."""
    print(f"measuring {prefix}{name} …", flush=True)
    server = Server("embedded" if model == EMBEDDED_FOLDER else str(model), options.threads)
    references = References(model, options.threads)
    try:
        subjects = Subjects(server, references, Texts(seed=len(name)), options.repeats, prefix)
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
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    options.parts = options.parts or list(PARTS)
    return options


if __name__ == "__main__":
    main()
