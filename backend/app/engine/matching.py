"""Whether the weights of a model's files are those of its architecture, tensor for tensor.

transformers fills what is missing with random numbers, and takes whole numbers for weights.
"""

from __future__ import annotations

from typing import Any

from app.engine.checkpoint import StoredWeights
from app.errors import ModelLoadError

OLD_BUFFERS = ("attn.bias", "attn.masked_bias", "attention.bias", "attention.masked_bias")
"""Masks that older versions of transformers saved among the weights."""


def require_match(info: dict[str, Any], stored: StoredWeights, model: Any, name: str) -> None:
    """Raises ModelLoadError unless every weight came from the files and every stored one is used."""
    problems = [
        f"{key} is {list(in_files)} in the files and {list(wanted)} in the model"
        for key, in_files, wanted in sorted(info["mismatched_keys"])
    ]
    problems += [
        f"{key} is stored as {dtype}, not as floating-point numbers"
        for key, dtype in sorted(stored.not_floating.items())
        if not _is_old_buffer(key) and not _is_integer_buffer(model, key)
    ]
    if missing := sorted(info["missing_keys"]):
        problems.append(f"missing: {_some(missing)}")
    if unused := sorted(key for key in info["unexpected_keys"] if not _is_old_buffer(key)):
        problems.append(f"not part of the model: {_some(unused)}")
    problems += map(str, info["error_msgs"])
    if problems:
        raise ModelLoadError(
            f"The weights of {name} do not match its configuration: {'; '.join(problems[:4])}.",
            hint="Random numbers would take their place, so the model is not run. Get the files "
            "again, or check config.json.",
        )


def _is_old_buffer(key: str) -> bool:
    return any(key == buffer or key.endswith(f".{buffer}") for buffer in OLD_BUFFERS)


def _is_integer_buffer(model: Any, key: str) -> bool:
    """Whether a stored tensor is a table of whole numbers of the model, and no weight."""
    return any(
        not buffer.is_floating_point() and f".{key}".endswith(f".{name}")
        for name, buffer in model.named_buffers()
    )


def _some(keys: list[str]) -> str:
    more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return ", ".join(keys[:3]) + more
