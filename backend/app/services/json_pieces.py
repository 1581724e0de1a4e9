"""JSON of large answers, in pieces.

Serialising is one call into compiled code that holds the interpreter until it returns, on whatever
thread it runs: tens of megabytes would stop the event loop for a second. Between two pieces other
threads go on, and each piece is freed once it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import orjson
from pydantic_core import to_json

from app.engine.types import FloatArray
from app.models.wire import Wire

PIECE_ITEMS = 64


def json_pieces(
    model: Wire, encoded: Mapping[str, Iterable[bytes]] | None = None
) -> Iterator[bytes]:
    """`model_dump_json` in pieces; the items of the lists named in `encoded` are JSON already."""
    opening = b"{"
    for name in type(model).model_fields:
        yield opening + to_json(name) + b":"
        opening = b","
        value = getattr(model, name)
        if encoded and name in encoded:
            yield from _joined(encoded[name])
        elif isinstance(value, list):
            yield from _joined(_encoded_items(value))
        else:
            yield to_json(value)
    yield b"}"


def float32_json(values: FloatArray) -> bytes:
    """Nested lists of float32, each number in the fewest digits that give it back; all must be finite."""
    # Straight from the array: as Python's floats the numbers of a large answer take four times as long.
    return orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)


def _joined(items: Iterable[bytes]) -> Iterator[bytes]:
    opening = b"["
    for item in items:
        yield opening + item
        opening = b","
    yield b"]" if opening == b"," else b"[]"


def _encoded_items(values: list[Any]) -> Iterator[bytes]:
    """Items of a list, several at a time where they are no lists themselves."""
    at_once = 1 if values and isinstance(values[0], list) else PIECE_ITEMS
    for start in range(0, len(values), at_once):
        yield to_json(values[start : start + at_once])[1:-1]
