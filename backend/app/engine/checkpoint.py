"""The files of a model in the transformers format, in a folder or a repository."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from app.errors import ModelLoadError, UnsupportedArchitecture

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
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

FLOATING = frozenset({"F64", "F32", "F16", "BF16"})
"""Types of weights that can be computed with as they are; 8-bit ones need scales of their own."""
DEPTHS = frozenset({"num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_blocks"})

IMPLEMENTATION = re.compile("(attn|attention|experts)_implementation")
"""Settings that may name a kernel on the hub, which transformers would download and run."""
DAMAGED_HINT = "Delete the model's files and get them again."


def is_described(folder: Path) -> bool:
    """Whether a folder has a configuration and a tokenizer, which is all but the weights."""
    return (folder / CONFIG_FILE).is_file() and any(
        (folder / name).is_file() for name in VOCABULARY_FILES
    )


def is_complete(folder: Path) -> bool:
    """Whether a folder has a configuration, a tokenizer and all its weights in safetensors."""
    if not is_described(folder):
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

    Of split weights only the index, which names the files: see `needed_shards`. Raises ModelLoadError
    where there are no safetensors weights or no configuration.
    """
    present = set(names)
    weights = [WEIGHTS_FILE] if WEIGHTS_FILE in present else []
    if not weights and INDEX_FILE in present:
        weights = [INDEX_FILE]
    if CONFIG_FILE not in present:
        raise ModelLoadError(
            f"{asked} has no {CONFIG_FILE}, so it is not a transformers model.",
            hint="Choose a repository of a language model in the transformers format.",
        )
    if not weights:
        raise missing_weights(asked, present)
    small = [CONFIG_FILE, "generation_config.json", *sorted(TOKENIZER_FILES)]
    return [name for name in small if name in present] + weights


def needed_shards(asked: str, folder: Path, names: Iterable[str]) -> list[str]:
    """The weight files of a repository that the index in a folder names, whatever they are called.

    Raises ModelLoadError for a damaged index, and for a file that the repository lacks.
    """
    try:
        shards = shards_of(folder)
    except (OSError, ValueError) as error:
        raise damaged_index(asked, error) from error
    present = set(names)
    if lost := [shard for shard in shards if shard not in present]:
        raise ModelLoadError(
            f"{asked} lacks {lost[0]}, one of the {len(shards)} weight files that {INDEX_FILE} names.",
            hint="Choose another revision, or tell the owners of the repository.",
        )
    return shards


def damaged_index(name: str, error: Exception) -> ModelLoadError:
    """The error for split weights whose index cannot be read."""
    return ModelLoadError(
        f"The weights of {name} are split, but {INDEX_FILE} is damaged: {error}.",
        hint=DAMAGED_HINT,
    )


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


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """The configuration as it is written. Raises ModelLoadError for one that is none or is unsafe."""
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelLoadError(
            f"{name} has no readable {CONFIG_FILE} ({error.strerror}).",
            hint="Choose a folder or repository of a language model in the transformers format.",
        ) from error
    except ValueError as error:
        raise ModelLoadError(
            f"{CONFIG_FILE} of {name} is not valid JSON: {error}.", hint=DAMAGED_HINT
        ) from error
    if not isinstance(config, dict):
        raise ModelLoadError(f"{CONFIG_FILE} of {name} is not a JSON object.", hint=DAMAGED_HINT)
    for path, value in _settings_of(config):
        key = path.rpartition(".")[2]
        names_code = IMPLEMENTATION.search(key) and isinstance(value, str) and "/" in value
        if key.endswith("_internal") or names_code:
            raise ModelLoadError(
                f"{CONFIG_FILE} of {name} sets {path}, by which a model can make transformers load "
                "and run foreign code.",
                hint="Take the model from a source that you trust, or remove that line.",
            )
    if (method := config.get("quantization_config")) is not None:
        kind = method.get("quant_method") if isinstance(method, dict) else None
        raise UnsupportedArchitecture(
            f"{name} is quantised ({kind or 'unknown method'}); its layers cannot be read exactly.",
            hint="Choose the model's unquantised form.",
        )
    return config


def _settings_of(config: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting with its dotted path, those of nested configurations too."""
    for key, value in config.items():
        yield f"{path}{key}", value
        if isinstance(value, dict):
            yield from _settings_of(value, f"{path}{key}.")


def weight_files(folder: Path, name: str) -> list[Path]:
    """The safetensors files of a model. Raises ModelLoadError where one is missing."""
    if (folder / WEIGHTS_FILE).is_file():
        return [folder / WEIGHTS_FILE]
    if (folder / WEIGHTS_FILE).is_dir():
        raise ModelLoadError(
            f"{WEIGHTS_FILE} of {name} is a folder, not a file.", hint=DAMAGED_HINT
        )
    if not (folder / INDEX_FILE).is_file():
        raise missing_weights(name, (path.name for path in folder.iterdir()))
    try:
        files = [folder / shard for shard in shards_of(folder)]
    except (OSError, ValueError) as error:
        raise damaged_index(name, error) from error
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ModelLoadError(
            f"{name} lacks {missing[0]}, one of its {len(files)} weight files.", hint=DAMAGED_HINT
        )
    return files


def weights_digest(folder: Path, name: str) -> str:
    """SHA-256 over the bytes of a model's weight files, in the order of their names."""
    return sha256_of(sorted(weight_files(folder, name)))


def sha256_of(paths: Iterable[Path]) -> str:
    """SHA-256 over the bytes of files, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while part := file.read(2**20):
                digest.update(part)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """What the headers of a model's weight files say."""

    n_parameters: int
    n_tensors: int
    not_floating: dict[str, str]
    """Names of tensors that are no ordinary floating-point numbers, and their types."""
    n_bfloat16: int = 0
    """Parameters that are stored in bfloat16."""


def read_headers(files: Sequence[Path], name: str) -> StoredWeights:
    """What the weight files hold, from their headers.

    Raises ModelLoadError for a file that is truncated or no safetensors file.
    """
    n_parameters = n_tensors = n_bfloat16 = 0
    not_floating: dict[str, str] = {}
    for file in files:
        try:
            with safe_open(file, framework="np") as tensors:
                for key in tensors.keys():  # noqa: SIM118  (not a dict)
                    tensor = tensors.get_slice(key)
                    n_tensors += 1
                    n_numbers = math.prod(tensor.get_shape())
                    n_parameters += n_numbers
                    dtype = tensor.get_dtype()
                    n_bfloat16 += n_numbers if dtype == "BF16" else 0
                    if dtype not in FLOATING:
                        not_floating[key] = dtype
        except (SafetensorError, OSError) as error:
            size = file.stat().st_size if file.exists() else 0
            raise ModelLoadError(
                f"{file.name} of {name} ({size:,} bytes) is damaged or incomplete: {error}.",
                hint=DAMAGED_HINT,
            ) from error
    return StoredWeights(n_parameters, n_tensors, not_floating, n_bfloat16)


def require_plausible_depth(config: dict[str, Any], stored: StoredWeights, name: str) -> None:
    """Raises ModelLoadError for a configuration with more layers than the files have tensors.

    Before transformers reads it, which makes lists of that length, and then modules.
    """
    for path, value in _settings_of(config):
        is_depth = path.rpartition(".")[2] in DEPTHS
        if is_depth and isinstance(value, int) and value > stored.n_tensors:
            raise ModelLoadError(
                f"{CONFIG_FILE} of {name} asks for {value:,} layers ({path}), but its weight files "
                f"hold {stored.n_tensors:,} tensors.",
                hint=f"Check {CONFIG_FILE}, or get the model's files again.",
            )
