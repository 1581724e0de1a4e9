"""What interventions do inside a pass: operations on the rows of a site, and a count of each.

`capture.py` is the door: it installs the hooks for one pass, hands over the residual streams, and asks
afterwards whether each operation acted where it should. Nothing is left behind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from app.engine.intervention_types import Site, Touched
from app.engine.types import IntArray
from app.errors import UnsupportedIntervention

RowsOperation = Callable[[int, torch.Tensor, torch.Tensor], torch.Tensor]
"""Layer or block, rows float32 `[touched, width]`, their positions `[touched]` -> rows of the same shape."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One intervention, ready to act."""

    site: Site
    layers: frozenset[int]
    touched: Touched
    operation: RowsOperation | None
    """None for one that changes no bit."""
    param: str


class Edits:
    """All interventions of one run, for the passes of one timeline."""

    def __init__(self, edits: Sequence[Edit], digest: str) -> None:
        self.digest = digest
        self._edits = tuple(edits)
        self._active = tuple(
            (number, edit) for number, edit in enumerate(self._edits) if edit.operation is not None
        )
        self.first_touched = min((edit.touched.first for _, edit in self._active), default=math.inf)
        self._rows: list[torch.Tensor | None] = []
        """For each active edit the rows of the running pass that it acts at, None for none."""
        self._positions: list[torch.Tensor] = []
        self._counts = np.zeros((0, len(self._edits)), dtype=np.int64)

    def __len__(self) -> int:
        return len(self._edits)

    def begin(self, first_index: int, n_tokens: int, device: torch.device) -> bool:
        """Prepares a pass over positions from `first_index` on; False where nothing acts in it."""
        end = first_index + n_tokens
        self._counts = np.zeros((n_tokens, len(self._edits)), dtype=np.int64)
        self._rows, self._positions = [], []
        for _, edit in self._active:
            places = {p for p in edit.touched.named if first_index <= p < end}
            if edit.touched.open_from is not None:
                places.update(range(max(first_index, edit.touched.open_from), end))
            positions = torch.tensor(sorted(places), device=device)
            self._positions.append(positions)
            self._rows.append(positions - first_index if places else None)
        return any(rows is not None for rows in self._rows)

    def residual(self, layer: int, stream: torch.Tensor) -> torch.Tensor:
        """The residual stream `[1, tokens, d_model]` at a layer, changed; itself where nothing acts."""
        return self._at("resid", layer, stream)

    def changes_stream(self, layer: int) -> bool:
        """Whether the residual stream at a layer is changed in the running pass."""
        return any(
            edit.site == "resid" and layer in edit.layers and rows is not None
            for (_, edit), rows in zip(self._active, self._rows, strict=True)
        )

    @property
    def counts(self) -> IntArray:
        """At how many layers each acted at each token of the last pass, `[tokens, interventions]`."""
        return self._counts

    @contextmanager
    def hooks(self, blocks: Sequence[nn.Module]) -> Iterator[None]:
        """Hooks inside blocks for the running pass."""
        del blocks
        yield

    def require_acted(self) -> None:
        """Raises UnsupportedIntervention where one did not act as often as it should in the last pass."""
        for place, (number, edit) in enumerate(self._active):
            rows = self._rows[place]
            wanted = np.zeros(len(self._counts), dtype=np.int64)
            if rows is not None:
                wanted[rows.cpu().numpy()] = len(edit.layers)
            if not np.array_equal(wanted, self._counts[:, number]):
                raise UnsupportedIntervention(
                    f"This intervention acted {int(self._counts[:, number].sum())} times in a pass where"
                    f" {int(wanted.sum())} were asked for: this model does not run site {edit.site} as"
                    " it was measured.",
                    hint="Nothing was kept. Choose another site, such as resid.",
                    param=edit.param,
                )

    def _at(self, site: Site, layer: int, values: torch.Tensor) -> torch.Tensor:
        for place, (number, edit) in enumerate(self._active):
            rows = self._rows[place]
            if edit.site != site or layer not in edit.layers or rows is None:
                continue
            assert edit.operation is not None
            flat = values.reshape(-1, values.shape[-1])
            changed = flat.clone()
            found = edit.operation(layer, flat[rows].float(), self._positions[place])
            changed[rows] = found.to(flat.dtype)
            values = changed.view(values.shape)
            self._counts[rows.cpu().numpy(), number] += 1
        return values
