"""Jacobian lenses that others published, as the authors' program (anthropics/jacobian-lens) saves them.

Such a file is a pickle, which can run code when it is read, so nothing but tensors and plain values is
taken from it (`weights_only`). It names no weights: that it was fitted to the model that runs cannot be
shown, only that its shape fits, and it is marked so. It is kept as safetensors from then on.

`J` maps a block, counted from 0, to the map of what that block puts out, so block `l` is layer `l + 1`
here. The embedding has none in these files; such a layer is read as it is, and the lens says so.
"""

from __future__ import annotations

import logging
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from app.engine.checkpoint import sha256_of
from app.engine.fitting.files import LensFile, write_lens
from app.engine.lenses import LensFiles, lens_path

logger = logging.getLogger(__name__)

PUBLISHED_FILES = "*jacobian*.pt"
MOST_BYTES_OF_NUMBER = 4
OTHER_BYTES = 2**22
"""Of a file, beside its matrices."""


def take_published(files: LensFiles, n_layers: int, d_model: int) -> str | None:
    """Keeps the published Jacobian lens in the model's lens folder as safetensors, where there is one and
    the model has no other; why not, where it cannot be used."""
    found = sorted(files.folder.glob(PUBLISHED_FILES)) if files.folder.is_dir() else []
    if not found or files.fitted is None or lens_path(files.folder, "jacobian").is_file():
        return None
    if len(found) > 1:
        return f"there are several published files: {', '.join(file.name for file in found)}"
    (file,) = found
    digest = sha256_of([file])
    kept = _metadata_of(lens_path(files.fitted, "jacobian"))
    if kept is not None and kept.get("published_sha256", digest) == digest:
        return None
    try:
        lens = read_published(file, n_layers, d_model)
    except (ValueError, OSError) as error:
        logger.warning("%s is not used: %s", file.name, error)
        return f"{file.name} is not used: {error}"
    metadata = {
        **lens.metadata,
        "weights_sha256": files.weights_sha256(),
        "origin": "published",
        "published_sha256": digest,
    }
    try:
        write_lens(files.fitted, LensFile("jacobian", lens.tensors, metadata))
    except (ValueError, OSError) as error:
        return f"{file.name} cannot be kept: {error}"
    return None


def read_published(file: Path, n_layers: int, d_model: int) -> LensFile:
    """The maps of all layers, float16. Raises ValueError for what is no such lens of this shape, OSError."""
    most = MOST_BYTES_OF_NUMBER * n_layers * d_model**2 + OTHER_BYTES
    if file.stat().st_size > most:
        raise ValueError(f"it is larger than a lens of {n_layers} layers of {d_model} can be")
    try:
        stored: Any = torch.load(file, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise ValueError(
            "it holds more than tensors and plain values, so it is not read"
        ) from error
    except (RuntimeError, EOFError, KeyError, AttributeError, TypeError) as error:
        raise ValueError("it is damaged, or no file of torch") from error
    if (
        not isinstance(stored, dict)
        or not isinstance(stored.get("J"), dict)
        or not all(isinstance(block, int) for block in stored["J"])
    ):
        raise ValueError("it has no J with a matrix for each layer")
    theirs = stored.get("d_model")
    if not isinstance(theirs, int) or theirs != d_model:
        raise ValueError(f"its d_model is {theirs!r}, that of the model {d_model}")
    maps: dict[int, Any] = stored["J"]
    named = stored.get("source_layers", list(maps))
    if not isinstance(named, list | tuple) or sorted(map(str, named)) != sorted(map(str, maps)):
        raise ValueError("its source_layers are not those that J has")
    matrices: dict[int, torch.Tensor] = {}
    for block, matrix in maps.items():
        if not 0 <= block < n_layers:
            raise ValueError(f"it has a map of block {block}; the model has {n_layers}")
        if (
            not isinstance(matrix, torch.Tensor)
            or matrix.shape != (d_model, d_model)
            or not matrix.dtype.is_floating_point
            or not bool(torch.isfinite(matrix).all())
        ):
            raise ValueError(f"the map of block {block} is damaged or of another size")
        if block + 1 < n_layers:  # after the last block there is nothing left to map
            matrices[block + 1] = matrix
    missing = [layer for layer in range(1, n_layers) if layer not in matrices]
    if missing:
        raise ValueError(
            f"it has no map for {len(missing)} of the {n_layers - 1} layers between blocks"
        )
    matrices.setdefault(0, torch.eye(d_model))
    metadata = {
        "n_layers": str(n_layers),
        "d_model": str(d_model),
        "unfitted_layers": "0",
        "prompts": str(stored.get("n_prompts", "unknown")),
    }
    tensors = {f"jacobian.{layer}": matrix for layer, matrix in matrices.items()}
    return LensFile("jacobian", tensors, metadata)


def _metadata_of(path: Path) -> dict[str, str] | None:
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError):
        return None
