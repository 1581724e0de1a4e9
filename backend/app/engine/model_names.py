"""Names of models that the project itself knows. Imports nothing that takes time."""

from __future__ import annotations

from pathlib import Path

GPT2 = "openai-community/gpt2"
GPT2_FORMER_NAME = "gpt2"
"""The name under which older versions of transformers cached it; the same files."""

EMBEDDED_FOLDER = Path(__file__).resolve().parents[2] / "embedded_model"
EMBEDDED_NAME = "embedded"


def shown_name(model: str) -> str:
    """The name as the API may tell it: of a folder only the last part, not how this disk is arranged."""
    if "\0" in model or not model.startswith((".", "/", "~")):
        return model
    return Path(model).expanduser().resolve().name
