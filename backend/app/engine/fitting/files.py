"""Lens files, and the checkpoints of fits that are not finished.

A lens is one safetensors file of float16 matrices: `jacobian.{layer}` (`J`), or
`weight.{layer}` (`W`) and `bias.{layer}` (`b`), for layers 0 to `n_layers - 1`. Row `i` of a matrix
gives output dimension `i`. The metadata says what it was fitted to and on how much.

A checkpoint stands beside the lens until it is finished and names what it belongs to; a fit with
other text, settings or weights refuses to go on from it.
"""

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from app.engine.fitting.types import FittedKind
from app.engine.lenses import lens_path

SPEED_ONLY = frozenset(
    {"chunk_bytes", "dimensions_per_pass", "log_every_seconds", "save_every_seconds"}
)
"""Settings that may change when a fit goes on: results differ by rounding at most."""

CONVENTIONS: dict[FittedKind, str] = {
    "tuned": "lens(h) = unembed(h + W h + b), h a column vector: row = output dimension",
    "jacobian": "lens(h) = unembed(J h), h a column vector: row = output dimension",
}


@dataclass(frozen=True)
class LensFile:
    """A fitted lens as it is stored."""

    kind: FittedKind
    tensors: dict[str, torch.Tensor]
    metadata: dict[str, str]


def write_lens(folder: Path, lens: LensFile) -> Path:
    """Store a lens in float16, beside its final name first. Raises ValueError for what overflows."""
    halves = {name: tensor.half().contiguous().cpu() for name, tensor in lens.tensors.items()}
    for name, tensor in halves.items():
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(
                f"{name} of the {lens.kind} lens has numbers that float16 cannot hold."
            )
    folder.mkdir(parents=True, exist_ok=True)
    path = lens_path(folder, lens.kind)
    partial = path.with_suffix(".partial")
    metadata = {"kind": lens.kind, "convention": CONVENTIONS[lens.kind], **lens.metadata}
    save_file(halves, partial, metadata)
    partial.chmod(0o644)  # safetensors writes its file readable by the owner alone
    return partial.replace(path)


def read_lens(folder: Path, kind: FittedKind) -> LensFile:
    """A stored lens with its tensors in float32."""
    with safe_open(lens_path(folder, kind), framework="pt") as file:
        metadata: dict[str, str] = file.metadata()
        names: list[str] = file.keys()
        tensors = {name: file.get_tensor(name).float() for name in names}
    return LensFile(kind, tensors, metadata)


def tensor_digest(tensor: torch.Tensor) -> str:
    """SHA-256 over the numbers of a tensor."""
    return hashlib.sha256(tensor.cpu().contiguous().numpy().tobytes()).hexdigest()


def settings_that_count(settings: Any) -> dict[str, Any]:
    """The settings of a fit that its result depends on, by name: all but those of speed and of the log."""
    return {
        name: value
        for name, value in dataclasses.asdict(settings).items()
        if name not in SPEED_ONLY
    }


def save_checkpoint(path: Path, belongs_to: dict[str, Any], state: dict[str, Any]) -> None:
    """Write a checkpoint beside its final name first, so that a crash leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save({"belongs_to": belongs_to, "state": state}, partial)
    partial.replace(path)


def load_checkpoint(path: Path, belongs_to: dict[str, Any]) -> dict[str, Any] | None:
    """The state to go on from; None where there is none. Raises ValueError for that of another fit."""
    if not path.exists():
        return None
    stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    theirs = stored["belongs_to"]
    different = [name for name, value in belongs_to.items() if theirs.get(name) != value]
    if different:
        raise ValueError(
            f"{path.name} belongs to a fit with another {', '.join(different)}: remove it, or go on "
            "with what it was started with."
        )
    state: dict[str, Any] = stored["state"]
    return state
