"""What the client has from the committed API is what `client/generate.py` writes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

GENERATE = Path(__file__).resolve().parents[2] / "client" / "generate.py"


def generated_modules() -> dict[Path, str]:
    spec = importlib.util.spec_from_file_location("generate", GENERATE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    modules: dict[Path, str] = module.modules()
    return modules


def test_types_and_methods_are_those_of_the_committed_api() -> None:
    for path, text in generated_modules().items():
        assert path.read_text(encoding="utf-8") == text, (
            f"{path.name}: run `python client/generate.py` in backend/"
        )
