"""Lenses: what is done to the residual rows of a layer before the model's own tail decodes them.

The logit lens does nothing: it asks what the model would say if the remaining blocks added nothing.
The tuned and the Jacobian lens are fitted to one model's weights (`engine/fitting/`) and read from
files, beside the model or in the data folder. A file that was fitted to other weights, or that is damaged, is never
used: what it would show is not this model's. Unembedding, metrics and memory bounds are shared.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import torch
from safetensors import SafetensorError, safe_open

from app.engine.types import LensFacts, LensKind, LensOrigin
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
    """Those that came with the model."""
    weights_sha256: Callable[[], str]
    """Asked only where there is a lens: it reads the model's weights once more."""
    fitted: Path | None = None
    """Those that were fitted to it by this program; where there is one, it is used."""


class Lenses:
    """The lenses of one loaded model: the logit lens, and those fitted to its weights."""

    def __init__(
        self,
        files: LensFiles | None,
        n_layers: int,
        d_model: int,
        device: torch.device,
        refused: Mapping[LensKind, str] = MappingProxyType({}),
    ) -> None:
        """Reads the lenses that belong to these weights onto the model's device; a file that does not
        is left out with a warning, and `get` says why, as it does of those that were `refused` before."""
        self._n_layers, self._d_model, self._device = n_layers, d_model, device
        self._lenses: dict[LensKind, Lens] = {"logit": logit_lens}
        self._facts: dict[LensKind, LensFacts] = {"logit": LensFacts("logit", None)}
        self._refused: dict[LensKind, str] = dict(refused)
        if files is None:
            return
        wanted: str | None = None
        for kind in FITTED:
            for folder in (files.fitted, files.folder):
                if folder is None or not (path := lens_path(folder, kind)).is_file():
                    continue
                wanted = wanted or files.weights_sha256()
                try:
                    self.use(path, kind, wanted)
                except (OSError, ValueError, SafetensorError) as error:
                    self._refused[kind] = f"its file {path.name} is not used: {error}"
                    logger.warning("the %s lens of this model is left out: %s", kind, error)
                    continue
                break

    @property
    def facts(self) -> tuple[LensFacts, ...]:
        """What is offered, the logit lens first."""
        return tuple(self._facts[kind] for kind in ("logit", *FITTED) if kind in self._facts)

    def read(self, path: Path, kind: LensKind, weights_sha256: str) -> Lens:
        """A lens from its file, without offering it. Raises ValueError, OSError or SafetensorError."""
        lens, _ = self._read(path, kind, weights_sha256)
        return lens

    def use(self, path: Path, kind: LensKind, weights_sha256: str) -> None:
        """Offers a lens from its file, in the place of the one of its kind. Raises what `read` raises."""
        self._lenses[kind], self._facts[kind] = self._read(path, kind, weights_sha256)

    def of_kind(self, kind: LensKind) -> Lens | None:
        """The lens of this kind, where the model has one."""
        return self._lenses.get(kind)

    def get(self, kind: LensKind, model: str, param: str) -> Lens:
        """Raises LensUnavailable, naming the field `param`, where this model has no such lens."""
        lens = self._lenses.get(kind)
        if lens is None:
            reason = self._refused.get(kind, "none was fitted to it, or its file is elsewhere")
            raise LensUnavailable(
                f"{model} has no {kind} lens: {reason}.",
                hint="Fit one in the page, or use the logit lens.",
                param=param,
            )
        return lens

    def _read(self, path: Path, kind: LensKind, weights_sha256: str) -> tuple[Lens, LensFacts]:
        fitted = FITTED[kind]
        tensors, metadata = _read(path, fitted, self._n_layers, self._d_model, weights_sha256)
        on_device = {name: tensor.to(self._device) for name, tensor in tensors.items()}
        tokens = metadata.get("tokens")
        beats = metadata.get("beats_controls")
        facts = LensFacts(
            kind,
            None if tokens is None else int(tokens),
            _ORIGINS.get(metadata.get("origin", ""), "shipped"),
            None if beats is None else beats == "true",
            tuple(map(int, metadata.get("unfitted_layers", "").split())),
        )
        return fitted.make(on_device), facts


_ORIGINS: dict[str, LensOrigin] = {"fitted": "fitted", "published": "published"}


def lens_path(folder: Path, kind: LensKind) -> Path:
    """Where a fitted lens is kept in a folder of lenses."""
    return folder / f"{kind}.safetensors"


def _read(
    path: Path, fitted: Fitted, n_layers: int, d_model: int, weights_sha256: str
) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors of a lens in float32 and its metadata.

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
    return tensors, metadata
