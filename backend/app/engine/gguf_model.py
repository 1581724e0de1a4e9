"""A GGUF file as a model: what transformers can read of it, and what to say of its weights."""

from __future__ import annotations

import shutil
from pathlib import Path

from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES

from app.engine.checkpoint import StoredWeights
from app.engine.gguf_header import GgufHeader
from app.errors import ModelLoadError, UnsupportedArchitecture

GGUF_NAME = "model.gguf"
"""What the file is called where it is read."""
OTHER_NAMES = {"qwen2moe": "qwen2_moe", "qwen3moe": "qwen3_moe", "gpt-oss": "gpt_oss"}
"""What transformers calls an architecture that llama.cpp spells differently."""


def stored_in(header: GgufHeader, name: str) -> StoredWeights:
    """What the file holds. Raises UnsupportedArchitecture or ModelLoadError where it is no whole model
    that transformers reads."""
    kind = header.architecture
    if OTHER_NAMES.get(kind, kind) not in GGUF_SUPPORTED_ARCHITECTURES:
        raise UnsupportedArchitecture(
            f"transformers does not read GGUF files of the architecture {kind!r}, which {name} has.",
            hint="Take the model's safetensors, or a GGUF file of another architecture.",
        )
    n_parts = header.settings.get("split.count", 1)
    if isinstance(n_parts, int) and n_parts > 1:
        raise ModelLoadError(
            f"{name} is one of {n_parts} files of a split model.",
            hint="Merge them with llama.cpp's llama-gguf-split --merge.",
        )
    n_bfloat16 = header.types.get("BF16", 0)
    return StoredWeights(header.n_parameters, len(header.tensors), {}, n_bfloat16)


def rounding_note(header: GgufHeader) -> str:
    """Which rounding the weights have been through."""
    kind = header.quantisation
    if kind is None:
        return "The weights are those of a GGUF file, which stores them as floating-point numbers."
    return (
        f"The weights are those of a GGUF file, most of them quantised as {kind}: all numbers are those "
        "of the rounded model, computed in floating point, not those of the original."
    )


def link_or_copy(file: Path, place: Path) -> None:
    """Puts a file in another place without a second copy, where the disk allows it."""
    try:
        place.symlink_to(file.resolve())
    except OSError:  # Windows asks for a privilege
        try:
            place.hardlink_to(file)
        except OSError:
            shutil.copyfile(file, place)
