"""The head of a GGUF file, the format of llama.cpp: its settings, and the names, sizes and types of its tensors.

Read without the weights, and without keeping the vocabulary, so that files can be listed. The format:
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import mmap
import struct
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from app.errors import ModelLoadError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
STRING, ARRAY = 8, 9
SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
"""`struct` formats of the types of single values."""
MAX_COUNT = 10_000_000
MAX_DIMENSIONS = 8

TENSOR_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 10: "Q2_K", 11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64",
    28: "F64", 29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}  # fmt: skip
EXACT = frozenset({"F32", "F16", "BF16", "F64"})

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What the head of a file says."""

    settings: dict[str, Value]
    """Those with one value, by key."""
    arrays: dict[str, int]
    """Lengths of those with several."""
    tensors: dict[str, tuple[int, ...]]
    """Sizes of each tensor."""
    types: Counter[str]
    """Numbers stored in each type, such as Q8_0."""

    @property
    def architecture(self) -> str:
        return str(self.settings.get("general.architecture", ""))

    @property
    def n_parameters(self) -> int:
        return sum(map(math.prod, self.tensors.values()))

    @property
    def quantisation(self) -> str | None:
        """The type in which most numbers are stored; None where all are floating-point."""
        rounded = {kind: n for kind, n in self.types.items() if kind not in EXACT}
        return max(rounded, key=lambda kind: rounded[kind], default=None)

    @property
    def adds_bos(self) -> bool:
        """Whether a text begins with the beginning-of-sequence token; without a flag as llama.cpp does it,
        which puts it for vocabularies of SentencePiece."""
        flag = self.settings.get("tokenizer.ggml.add_bos_token")
        return (
            flag if isinstance(flag, bool) else self.settings.get("tokenizer.ggml.model") == "llama"
        )

    @property
    def n_ctx(self) -> int | None:
        found = self.settings.get(f"{self.architecture}.context_length")
        return found if isinstance(found, int) and found > 0 else None


def read_gguf_header(file: Path, name: str) -> GgufHeader:
    """Raises ModelLoadError for a file that is none, is cut off, or is of another version."""
    try:
        with (
            file.open("rb") as opened,
            mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            return _Reader(data).header()
    except (OSError, ValueError, struct.error, IndexError, OverflowError) as error:
        raise ModelLoadError(
            f"{file.name} of {name} is no GGUF file that can be read: {error}.",
            hint="Get the file again; it may be damaged or incomplete.",
        ) from error


class _Reader:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def header(self) -> GgufHeader:
        if self._data[:4] != MAGIC:
            raise ValueError("it does not begin with GGUF")
        self._at = 4
        if (version := self._number("<I")) not in VERSIONS:
            raise ValueError(f"its version is {version}")
        n_tensors, n_settings = self._count(), self._count()
        settings: dict[str, Value] = {}
        arrays: dict[str, int] = {}
        for _ in range(n_settings):
            key, kind = self._text(), self._number("<I")
            if kind == ARRAY:
                arrays[key] = self._skip_array()
            else:
                settings[key] = self._text() if kind == STRING else self._number(self._format(kind))
        tensors: dict[str, tuple[int, ...]] = {}
        types: Counter[str] = Counter()
        for _ in range(n_tensors):
            key, n_dimensions = self._text(), self._number("<I")
            if n_dimensions > MAX_DIMENSIONS:
                raise ValueError(f"a tensor has {n_dimensions} dimensions")
            sizes = tuple(int(self._number("<Q")) for _ in range(int(n_dimensions)))
            kind = int(self._number("<I"))
            self._number("<Q")
            tensors[key] = sizes
            types[TENSOR_TYPES.get(kind, f"type {kind}")] += math.prod(sizes)
        return GgufHeader(settings, arrays, tensors, types)

    def _number(self, form: str) -> int | float | bool:
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        found: int | float | bool = value
        return found

    def _count(self) -> int:
        count = int(self._number("<Q"))
        if count > MAX_COUNT:
            raise ValueError(f"it claims to hold {count} entries")
        return count

    def _text(self) -> str:
        length = int(self._number("<Q"))
        if length > len(self._data) - self._at:
            raise ValueError("it is cut off")
        start, self._at = self._at, self._at + length
        return self._data[start : self._at].decode(errors="replace")

    def _format(self, kind: int | float | bool) -> str:
        if kind not in SCALARS:
            raise ValueError(f"it holds a value of type {kind}")
        return SCALARS[int(kind)]

    def _skip_array(self) -> int:
        kind, count = self._number("<I"), self._count()
        if kind == STRING:
            for _ in range(count):
                self._at += 8 + int(struct.unpack_from("<Q", self._data, self._at)[0])
        elif kind == ARRAY:
            for _ in range(count):
                self._skip_array()
        else:
            self._at += count * struct.calcsize(self._format(kind))
        return count
