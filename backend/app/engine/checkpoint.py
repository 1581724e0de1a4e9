"""The files of a model in the transformers format, in a folder or a repository."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from app.errors import ModelLoadError

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")
TOKENIZER_FILES = frozenset(
    {
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.json",
        "merges.txt",
        "tokenizer.model",
        "spiece.model",
        "chat_template.jinja",
        "chat_template.json",
    }
)
VOCABULARY_FILES = frozenset({"tokenizer.json", "vocab.json", "tokenizer.model", "spiece.model"})
"""Any one of these makes a tokenizer."""

UNSAFE_WEIGHTS = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
OTHER_WEIGHTS = (".gguf", ".h5", ".msgpack", ".onnx", ".safetensors")


def is_complete(folder: Path) -> bool:
    """Whether a folder has a configuration, a tokenizer and all its weights in safetensors."""
    if not (folder / CONFIG_FILE).is_file():
        return False
    if not any((folder / name).is_file() for name in VOCABULARY_FILES):
        return False
    if (folder / WEIGHTS_FILE).is_file():
        return True
    try:
        shards = shards_of(folder)
    except (OSError, ValueError):
        return False
    return bool(shards) and all((folder / shard).is_file() for shard in shards)


def shards_of(folder: Path) -> list[str]:
    """The weight files that the index of a split checkpoint names.

    Raises ValueError for an index that is not one or that names files outside the folder.
    """
    index = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
    weight_map = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(weight_map, dict) or not weight_map:
        raise ValueError(f"{INDEX_FILE} has no weight_map")
    shards = sorted(map(str, set(weight_map.values())))
    for shard in shards:
        if Path(shard).name != shard or not shard.endswith(".safetensors"):
            raise ValueError(
                f"{INDEX_FILE} names {shard!r}, which is not a safetensors file beside it"
            )
    return shards


def needed_files(asked: str, names: Iterable[str]) -> list[str]:
    """The files of a repository that are needed, small ones first.

    Raises ModelLoadError where there are no safetensors weights or no configuration.
    """
    present = set(names)
    weights = [WEIGHTS_FILE] if WEIGHTS_FILE in present else []
    if not weights and INDEX_FILE in present:
        weights = [INDEX_FILE, *sorted(name for name in present if SHARD.fullmatch(name))]
    if CONFIG_FILE not in present:
        raise ModelLoadError(
            f"{asked} has no {CONFIG_FILE}, so it is not a transformers model.",
            hint="Choose a repository of a language model in the transformers format.",
        )
    if not weights:
        raise missing_weights(asked, present)
    small = [CONFIG_FILE, "generation_config.json", *sorted(TOKENIZER_FILES)]
    return [name for name in small if name in present] + weights


def missing_weights(asked: str, names: Iterable[str]) -> ModelLoadError:
    """The error for a model without safetensors weights; says what there is instead."""
    names = sorted(names)
    unsafe = [name for name in names if name.endswith(UNSAFE_WEIGHTS)]
    other = [name for name in names if name.endswith(OTHER_WEIGHTS)]
    if unsafe:
        return ModelLoadError(
            f"{asked} has its weights only as {unsafe[0]}, a pickle file that can run code when "
            "it is read.",
            hint="Convert it with save_pretrained (which writes safetensors), or take a "
            "repository that has model.safetensors.",
        )
    found = f", only {', '.join(other[:3])}" if other else ""
    return ModelLoadError(
        f"{asked} has no {WEIGHTS_FILE}{found}.",
        hint="Choose a repository or folder with a whole model in safetensors.",
    )
