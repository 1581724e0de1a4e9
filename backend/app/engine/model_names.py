"""Names of models: those that the project itself knows, and what a folder is called.

Imports nothing that takes time.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

GPT2 = "openai-community/gpt2"
GPT2_FORMER_NAME = "gpt2"
"""The name under which older versions of transformers cached it; the same files."""

EMBEDDED_FOLDER = Path(__file__).resolve().parents[2] / "embedded_model"
EMBEDDED_NAME = "embedded"

FORMAT = re.compile(
    r"hf|hugging[-_ ]?face|models?|weights|safetensors|pytorch|transformers|snapshots?|exports?"
    r"|exported|merged|out|outputs?",
    re.IGNORECASE,
)
"""Folder names that say how a model is stored, not which one it is."""
STAGE = re.compile(
    r"final|best|last|latest|main|((checkpoint|ckpt|step|epoch|iter)s?[-_]?)?\d*", re.IGNORECASE
)
"""Folder names that say which state of a training run a model is."""
CACHED = re.compile(r"models--(.+)")
"""Name of a repository in the cache of the Hugging Face hub."""


def folder_path(model: str) -> Path:
    """The folder that was named, absolute; symbolic links in it are kept.

    A `~` at the start is the home folder, or that of another user; where there is none it stands
    for itself.
    """
    # Path("./~x").expanduser() drops the dot, and a folder that is called ~x becomes a user's.
    path = Path(os.path.expanduser(model))
    # What `..` of a link is, only the disk knows.
    return path.resolve() if ".." in path.parts else path.absolute()


def folder_name(folder: Path) -> str:
    """What to call the model in a folder: enough of the path to know which it is, and no more of it.

    `gemma/hf` is `gemma`, `run-a/checkpoint-500` is `run-a checkpoint-500`, and a snapshot in the
    hub's cache has the id of its repository.
    """
    parts = [part for part in folder.parts if part != folder.anchor]
    if len(parts) >= 3 and parts[-2] == "snapshots" and (cached := CACHED.fullmatch(parts[-3])):
        return _printable(cached[1].replace("--", "/"))
    found: list[str] = []
    for part in reversed(parts):
        if not FORMAT.fullmatch(part):
            found.insert(0, part)
            if not STAGE.fullmatch(part):
                break
    return _printable(" ".join(found) or (parts[-1] if parts else str(folder)))


def shown_name(model: str) -> str:
    """The name as the API may tell it: of a folder not how this disk is arranged."""
    if "\0" in model or not model.startswith((".", "/", "~")):
        return _printable(model)
    return folder_name(folder_path(model))


def _printable(name: str) -> str:
    """Bytes of a file's name that are not UTF-8 cannot be sent as JSON."""
    return name.encode(errors="backslashreplace").decode()
