"""Which bytes each token id stands for, read from a tokenizer's own vocabulary and decoder.

Two families cover the decoders in use: byte-level BPE (GPT-2, Llama 3, Qwen), where each character
of a token is one byte, and SentencePiece-like ones (Llama 2, Gemma, Mistral), where `▁` is a space
and `<0x0A>` a byte. Others are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tokenizers import Tokenizer

from app.errors import ModelLoadError

BYTE_TOKEN = re.compile("<0x([0-9A-F]{2})>")


def bytes_by_id(tokenizer: Tokenizer, d_vocab: int) -> tuple[list[int], list[bytes]]:
    """The ids that the tokenizer knows, and the bytes of every id of the model."""
    to_bytes = _token_decoder(tokenizer)
    table = [b""] * d_vocab
    added = tokenizer.get_added_tokens_decoder()
    known: list[int] = []
    for token, token_id in tokenizer.get_vocab(with_added_tokens=True).items():
        if token_id < d_vocab and token_id not in added:
            table[token_id] = to_bytes(token)
            known.append(token_id)
    for token_id, added_token in added.items():
        if token_id < d_vocab:
            # Matched in the text as it stands, so its bytes are its own text.
            table[token_id] = added_token.content.encode()
            known.append(token_id)
    for token_id in set(range(d_vocab)).difference(known):
        table[token_id] = f"<id {token_id}>".encode()
    return known, table


def byte_tokens(tokenizer: Tokenizer, d_vocab: int) -> frozenset[int]:
    """Ids of the tokens that spell one byte, such as `<0x0A>`, where the tokenizer falls back on them."""
    if not any(step["type"] == "ByteFallback" for step in _component(tokenizer.decoder)):
        return frozenset()
    found = (tokenizer.token_to_id(f"<0x{byte:02X}>") for byte in range(256))
    return frozenset(i for i in found if i is not None and i < d_vocab)


def _token_decoder(tokenizer: Tokenizer) -> Callable[[str], bytes]:
    """A function from the vocabulary's spelling of a token to its bytes."""
    steps = _component(tokenizer.decoder)
    kinds = {step["type"] for step in steps}
    splits_bytes = any(step["type"] == "ByteLevel" for step in _component(tokenizer.pre_tokenizer))
    if "ByteLevel" in kinds or (not steps and splits_bytes):
        return _byte_level_bytes
    unknown = kinds - {"Replace", "ByteFallback", "Fuse", "Strip", "Metaspace", "BPEDecoder"}
    is_pattern = any("String" not in s["pattern"] for s in steps if s["type"] == "Replace")
    if not steps or unknown or is_pattern:
        found = ", ".join(sorted(unknown or kinds)) or "none"
        raise ModelLoadError(
            f"The tokenizer's decoder ({found}) does not say which bytes a token stands for.",
            hint="Byte-level BPE and SentencePiece-like tokenizers are supported.",
        )
    replacements: list[tuple[str, str]] = []
    for step in steps:
        if step["type"] == "Replace":
            replacements.append((step["pattern"]["String"], step["content"]))
        elif step["type"] == "Metaspace":
            replacements.append((step["replacement"], " "))
        elif step["type"] == "BPEDecoder":
            replacements.append((step["suffix"], " "))
    has_byte_tokens = "ByteFallback" in kinds

    def to_bytes(token: str) -> bytes:
        if has_byte_tokens and (match := BYTE_TOKEN.fullmatch(token)):
            return bytes([int(match[1], 16)])
        for old, new in replacements:
            token = token.replace(old, new)
        return token.encode()

    return to_bytes


def _component(part: Any) -> list[dict[str, Any]]:
    """Settings of a tokenizer's decoder or pre-tokenizer, with sequences laid flat."""
    if part is None:
        return []
    settings = json.loads(part.__getstate__())
    if settings is None:
        return []
    nested = settings.get("decoders") or settings.get("pretokenizers")
    return list(nested) if nested is not None else [settings]


def _byte_alphabet() -> dict[str, int]:
    """The characters by which byte-level BPE spells bytes (Radford et al. 2019).

    Printable bytes of Latin-1 stand for themselves; the others are numbered from U+0100 on.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {
        chr(0x100 + place): byte for place, byte in enumerate(others)
    }


BYTE_ALPHABET = _byte_alphabet()


def _byte_level_bytes(token: str) -> bytes:
    try:
        return bytes(BYTE_ALPHABET[char] for char in token)
    except KeyError:
        return token.encode()
