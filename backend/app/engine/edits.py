"""What interventions do inside a pass: operations on the rows of a site, and a count of each.

`capture.py` is the door: it installs the hooks for one pass, hands over the residual streams, and asks
afterwards whether each operation acted where it should. Nothing is left behind.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import nn

from app.engine.frozen import matrix_of
from app.engine.intervention_types import Site, Touched
from app.engine.knock_out import Edges, knocking_out
from app.engine.types import IntArray
from app.errors import UnsupportedIntervention

if TYPE_CHECKING:
    from app.engine.sites import Sites

RowsOperation = Callable[[int, torch.Tensor, torch.Tensor], torch.Tensor]
"""Layer or block, rows float32 `[touched, width]`, their positions `[touched]` -> rows of the same shape."""

Place = Literal["resid", "attn", "mlp", "given", "written", "edges"]
"""What an edit changes: a stream, what a part adds to it, what heads give to the attention's linear map
(`given`, all side by side), what each head writes through it (`written`), or what attention reads."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One intervention, ready to act."""

    site: Site
    place: Place
    layers: frozenset[int]
    touched: Touched
    operation: RowsOperation | None
    """None for one that changes no bit, and for edges."""
    param: str
    heads: tuple[int, ...] = ()
    """With `written` and `edges`: those that are changed."""
    sources: tuple[int, ...] = ()
    """With `edges`: the tokens that are not read."""


class Edits:
    """All interventions of one run, for the passes of one timeline."""

    def __init__(self, edits: Sequence[Edit], digest: str, sites: Sites) -> None:
        self.digest = digest
        self._edits = tuple(edits)
        self._sites = sites
        self._active = tuple(
            (number, edit)
            for number, edit in enumerate(self._edits)
            if edit.operation is not None or edit.place == "edges"
        )
        self.first_touched = min((edit.touched.first for _, edit in self._active), default=math.inf)
        self._first_index = 0
        self._rows: list[torch.Tensor | None] = []
        """For each active edit the rows of the running pass that it acts at, None for none."""
        self._counts = np.zeros((0, len(self._edits)), dtype=np.int64)

    def __len__(self) -> int:
        return len(self._edits)

    def begin(self, first_index: int, n_tokens: int, device: torch.device) -> bool:
        """Prepares a pass over positions from `first_index` on; False where nothing acts in it."""
        end = first_index + n_tokens
        self._first_index = first_index
        self._counts = np.zeros((n_tokens, len(self._edits)), dtype=np.int64)
        self._rows = []
        for _, edit in self._active:
            places = {p - first_index for p in edit.touched.named if first_index <= p < end}
            if edit.touched.open_from is not None:
                places.update(range(max(0, edit.touched.open_from - first_index), n_tokens))
            rows = torch.tensor(sorted(places), device=device)
            self._rows.append(rows if places else None)
        return any(rows is not None for rows in self._rows)

    def changes_stream(self, layer: int) -> bool:
        """Whether the residual stream at a layer is changed in the running pass."""
        return any(True for _ in self._acting("resid", layer))

    def residual(self, layer: int, stream: torch.Tensor) -> torch.Tensor:
        """The residual stream `[1, tokens, d_model]` at a layer, changed; itself where nothing acts."""
        return self._changed("resid", layer, stream)

    @property
    def counts(self) -> IntArray:
        """At how many layers each acted at each token of the last pass, `[tokens, interventions]`."""
        return self._counts

    @contextmanager
    def hooks(self) -> Iterator[None]:
        """Hooks inside blocks for the running pass."""
        edges: dict[nn.Module, list[Edges]] = {}
        with ExitStack() as hooks:
            for (site, block), modules in self._sites.modules.items():
                if site != "head" and any(True for _ in self._acting(site, block)):
                    hook = self._after_part(site, block)
                    hooks.callback(modules.written.register_forward_hook(hook).remove)
                if site != "head":
                    continue
                assert modules.linear is not None
                linear = modules.linear
                if any(True for _ in self._acting("given", block)):
                    before = linear.register_forward_pre_hook(
                        self._before_linear(block), with_kwargs=True
                    )
                    hooks.callback(before.remove)
                if any(True for _ in self._acting("written", block)):
                    after = linear.register_forward_hook(
                        self._after_linear(block), with_kwargs=True
                    )
                    hooks.callback(after.remove)
                for number, edit, rows in self._acting("edges", block):
                    assert modules.owner is not None
                    of_block = edges.setdefault(modules.owner, [])
                    of_block.append(
                        Edges(
                            edit.heads,
                            rows,
                            edit.sources,
                            self._first_index + len(self._counts),
                            functools.partial(self._count, number, rows),
                        )
                    )
            if edges:
                hooks.enter_context(knocking_out(edges))
            yield

    def require_acted(self) -> None:
        """Raises UnsupportedIntervention where one did not act as often as it should in the last pass."""
        for (number, edit), rows in zip(self._active, self._rows, strict=True):
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

    def _acting(self, place: Place, layer: int) -> Iterator[tuple[int, Edit, torch.Tensor]]:
        """The edits that act at a place in the running pass, each with the rows that it changes."""
        for (number, edit), rows in zip(self._active, self._rows, strict=True):
            if edit.place == place and layer in edit.layers and rows is not None:
                yield number, edit, rows

    def _changed(self, place: Place, layer: int, values: torch.Tensor) -> torch.Tensor:
        """Values `[..., width]` of one row for each token, changed; themselves where they have not that
        form, which `require_acted` then finds."""
        if values.numel() != len(self._counts) * values.shape[-1]:
            return values
        for number, edit, rows in self._acting(place, layer):
            assert edit.operation is not None
            flat = values.reshape(-1, values.shape[-1])
            changed = flat.clone()
            found = edit.operation(layer, flat[rows].float(), rows + self._first_index)
            changed[rows] = found.to(flat.dtype)
            values = changed.view(values.shape)
            self._count(number, rows)
        return values

    def _count(self, number: int, rows: torch.Tensor) -> None:
        self._counts[rows.cpu().numpy(), number] += 1

    def _after_part(self, site: Place, block: int) -> Callable[..., Any]:
        def after(_module: nn.Module, _args: object, output: Any) -> Any:
            if isinstance(output, tuple):
                return (self._changed(site, block, output[0]), *output[1:])
            return self._changed(site, block, output)

        return after

    def _before_linear(self, block: int) -> Callable[..., Any]:
        def before(
            _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
        ) -> tuple[tuple[Any, ...], dict[str, Any]]:
            if args:
                return (self._changed("given", block, args[0]), *args[1:]), kwargs
            name, given = next(iter(kwargs.items()))
            return args, {**kwargs, name: self._changed("given", block, given)}

        return before

    def _after_linear(self, block: int) -> Callable[..., Any]:
        """What single heads write is changed by what is added to the sum of all."""

        def after(
            module: nn.Module,
            args: tuple[Any, ...],
            kwargs: Mapping[str, Any],
            output: torch.Tensor,
        ) -> torch.Tensor:
            given = args[0] if args else next(iter(kwargs.values()))
            if given.numel() != len(self._counts) * given.shape[-1]:
                return output
            matrix = matrix_of(module)
            size = matrix.shape[1] // self._sites.n_heads
            flat = output.reshape(-1, output.shape[-1]).clone()
            for number, edit, rows in self._acting("written", block):
                assert edit.operation is not None
                positions = rows + self._first_index
                heads = given.reshape(-1, given.shape[-1])[rows].float()
                for head in edit.heads:
                    part = slice(head * size, (head + 1) * size)
                    write = heads[:, part] @ matrix[:, part].T.float()
                    change = edit.operation(block, write, positions) - write
                    flat[rows] += change.to(flat.dtype)
                self._count(number, rows)
            return flat.view(output.shape)

        return after
