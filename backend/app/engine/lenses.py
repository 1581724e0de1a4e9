"""Lenses: what is done to the residual rows of a layer before the model's own tail decodes them.

The logit lens does nothing: it asks what the model would say if the remaining blocks added nothing.
The tuned and the Jacobian lens are fitted to one model's weights by `backend/training/lenses/` and
read from files beside it. A file that was fitted to other weights, or that is damaged, is never
used: what it would show is not this model's. Unembedding, metrics and memory bounds are shared.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from app.engine.types import LensFacts, LensKind
from app.errors import LensUnavailable

logger = logging.getLogger(__name__)

Lens = Callable[[torch.Tensor, int], torch.Tensor]
"""Rows of one layer, float32 `[rows, d_model]` on the model's device, and the layer index -> rows to
decode, the same shape. A row is a residual stream written sideways, so a matrix applies as `rows @ matrix.T`."""

LENSES_FOLDER = "lenses"
"""Where the lenses of a model lie in its folder."""


def logit_lens(rows: torch.Tensor, _layer: int) -> torch.Tensor:
    """The rows as they are (nostalgebraist 2020)."""
    return rows


def tuned_lens(tensors: Mapping[str, torch.Tensor]) -> Lens:
    """`h + W h + b`, one affine map a layer (Belrose et al. 2023, arXiv:2303.08112)."""

    def apply(rows: torch.Tensor, layer: int) -> torch.Tensor:
        return rows + rows @ tensors[f"weight.{layer}"].T + tensors[f"bias.{layer}"]

    return apply


def jacobian_lens(tensors: Mapping[str, torch.Tensor]) -> Lens:
    """`J h`, the average effect of a layer on the last residual stream ("Verbalizable
    Representations Form a Global Workspace in Language Models", Transformer Circuits 2026)."""

    def apply(rows: torch.Tensor, layer: int) -> torch.Tensor:
        return rows @ tensors[f"jacobian.{layer}"].T

    return apply


@dataclass(frozen=True, slots=True)
class Fitted:
    """How one kind of lens is stored and applied."""

    make: Callable[[Mapping[str, torch.Tensor]], Lens]
    tensors: tuple[tuple[str, int], ...]
    """Name of each tensor of a layer, and its number of axes, each of d_model."""


FITTED: dict[LensKind, Fitted] = {
    "tuned": Fitted(tuned_lens, (("weight", 2), ("bias", 1))),
    "jacobian": Fitted(jacobian_lens, (("jacobian", 2),)),
}


@dataclass(frozen=True, slots=True)
class LensFiles:
    """Where lenses fitted to a model may lie, and which weights they must be fitted to."""

    folder: Path
    weights_sha256: Callable[[], str]
    """Asked only where there is a lens: it reads the model's weights once more."""


class Lenses:
    """The lenses of one loaded model: the logit lens, and those fitted to its weights."""

    def __init__(
        self, files: LensFiles | None, n_layers: int, d_model: int, device: torch.device
    ) -> None:
        """Reads the lenses that belong to these weights onto the model's device; a file that does not
        is left out with a warning, and `get` says why."""
        self._lenses: dict[LensKind, Lens] = {"logit": logit_lens}
        self._facts: list[LensFacts] = [LensFacts("logit", None)]
        self._refused: dict[LensKind, str] = {}
        if files is None:
            return
        wanted: str | None = None
        for kind, fitted in FITTED.items():
            path = lens_path(files.folder, kind)
            if not path.is_file():
                continue
            wanted = wanted or files.weights_sha256()
            try:
                tensors, n_tokens = _read(path, fitted, n_layers, d_model, wanted)
            except (OSError, ValueError, SafetensorError) as error:
                self._refused[kind] = f"its file {path.name} is not used: {error}"
                logger.warning("the %s lens of this model is left out: %s", kind, error)
                continue
            on_device = {name: tensor.to(device) for name, tensor in tensors.items()}
            self._lenses[kind] = fitted.make(on_device)
            self._facts.append(LensFacts(kind, n_tokens))

    @property
    def facts(self) -> tuple[LensFacts, ...]:
        """What is offered, the logit lens first."""
        return tuple(self._facts)

    def get(self, kind: LensKind, model: str, param: str) -> Lens:
        """Raises LensUnavailable, naming the field `param`, where this model has no such lens."""
        lens = self._lenses.get(kind)
        if lens is None:
            reason = self._refused.get(kind, "none was fitted to it, or its file is elsewhere")
            raise LensUnavailable(
                f"{model} has no {kind} lens: {reason}.",
                hint=f"Fit one with `python -m training fit-{kind}-lens`, or use the logit lens.",
                param=param,
            )
        return lens


def lens_path(folder: Path, kind: LensKind) -> Path:
    """Where a fitted lens is kept in a folder of lenses."""
    return folder / f"{kind}.safetensors"


def _read(
    path: Path, fitted: Fitted, n_layers: int, d_model: int, weights_sha256: str
) -> tuple[dict[str, torch.Tensor], int | None]:
    """The tensors of a lens in float32 and the tokens it was fitted on.

    Raises ValueError for a lens of other weights, and for what does not fit.
    """
    tensors: dict[str, torch.Tensor] = {}
    with safe_open(path, framework="pt") as file:
        metadata: dict[str, str] = file.metadata() or {}
        if metadata.get("weights_sha256") != weights_sha256:
            raise ValueError("it was fitted to other weights")
        names = set(file.keys())
        for layer in range(n_layers):
            for stem, n_axes in fitted.tensors:
                name = f"{stem}.{layer}"
                if name not in names:
                    raise ValueError(f"it has no {name}")
                tensor = file.get_tensor(name).float()
                if tensor.shape != (d_model,) * n_axes or not bool(torch.isfinite(tensor).all()):
                    raise ValueError(f"{name} is damaged or of another size")
                tensors[name] = tensor
    tokens = metadata.get("tokens")
    return tensors, None if tokens is None else int(tokens)
