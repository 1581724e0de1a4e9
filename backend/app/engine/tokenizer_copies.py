"""Copies of a tokenizer under settings of our own, which nothing changes later."""

from __future__ import annotations

import json
from typing import Any

from tokenizers import Tokenizer

from app.errors import ModelLoadError


def independent_copy(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokenizer without truncation, padding and dropout. Raises ModelLoadError."""
    try:
        copy = Tokenizer.from_str(tokenizer.to_str())
    except Exception as error:  # tokenizers raises bare Exception
        raise ModelLoadError(
            f"The tokenizer cannot be copied: {error}",
            hint="Tokenizers with parts written in Python are not supported.",
        ) from error
    copy.no_truncation()
    copy.no_padding()
    if getattr(copy.model, "dropout", None) is not None:
        copy.model.dropout = None
    return copy


def without_prefix(tokenizer: Tokenizer) -> Tokenizer:
    """A tokenizer that reads text as it stands in the middle of a text: it prepends no space.

    The same object where it prepends none anyway, which saves the memory of a second one.
    """
    written = json.loads(tokenizer.to_str())
    changed = json.loads(tokenizer.to_str())
    changed["normalizer"] = _without_prepend(changed["normalizer"])
    _stop_prefixing(changed["pre_tokenizer"])
    if changed == written:
        return tokenizer
    copy = Tokenizer.from_str(json.dumps(changed))
    copy.encode_special_tokens = tokenizer.encode_special_tokens
    return copy


def prefix_ids(tokenizer: Tokenizer) -> tuple[int, ...]:
    """What the tokenizer itself puts before a text."""
    plain = tokenizer.encode("a", add_special_tokens=False).ids
    framed = tokenizer.encode("a", add_special_tokens=True).ids
    for place in range(len(framed)):
        if framed[place : place + len(plain)] == plain:
            return tuple(framed[:place])
    return ()


def _without_prepend(step: dict[str, Any] | None) -> dict[str, Any] | None:
    if step is None or step["type"] == "Prepend":
        return None
    if step["type"] == "Sequence":
        kept = [_without_prepend(each) for each in step["normalizers"]]
        return {**step, "normalizers": [each for each in kept if each is not None]}
    return step


def _stop_prefixing(step: dict[str, Any] | None) -> None:
    for each in (step or {}).get("pretokenizers", [step] if step else []):
        if each["type"] == "Metaspace":
            each["prepend_scheme"] = "never"
        elif each["type"] == "ByteLevel":
            each["add_prefix_space"] = False
