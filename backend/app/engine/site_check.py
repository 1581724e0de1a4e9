"""Whether interventions do to the loaded model what they say: measured on a probe text.

Each site has an identity of its own, in a pass over the text: a layer taken from another text gives that
text's output; a part of nothing leaves its block's other parts; heads of nothing leave the bias; attention
without an edge has the other weights, scaled to sum to what they summed to. One decode step behind a
cache, with all of them at once, is held to a pass without one. Differences are shares of the largest value.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Literal

import torch
from torch import nn

from app.engine.attention_rows import recording_rows
from app.engine.capture import TracedDecoder
from app.engine.components import BlockWrites
from app.engine.edits import Edit, Edits, Place, RowsOperation
from app.engine.failures import MODEL_FAILURES, first_line
from app.engine.frozen import bias_of
from app.engine.intervention_types import InterventionSites, Site, Touched
from app.engine.residuals import CacheReuse
from app.engine.sites import Sites
from app.engine.tail import NARROW
from app.engine.types import Capability
from app.errors import ExplorerError, UnsupportedIntervention

logger = logging.getLogger(__name__)

MAX_DIFFERENCE = 1e-5
NARROW_DIFFERENCE = 2e-2

SOURCE = 1
"""The token that is not read where an edge is tried."""


def check_sites(
    decoder: TracedDecoder,
    splits: Sequence[BlockWrites],
    sites: Sites,
    probe: Sequence[int],
    reuse: CacheReuse,
    reason: str | None,
    pause: Callable[[], None] = lambda: None,
) -> InterventionSites:
    """What can be changed; `reason` says why blocks are not split, where they are not.

    `pause` is called before each measurement.
    """
    check = _Check(decoder, splits, sites, tuple(probe), pause)
    resid = check.tried(check.resid)

    def of_part(site: Literal["attn", "mlp", "head"], measure: Callable[[], float]) -> Capability:
        if not splits:
            return Capability(False, reason or "The blocks of this model are not split.")
        if not sites.blocks(site):
            missing = [why for (of, _), why in sites.missing.items() if of == site]
            return Capability(False, missing[0])
        return check.tried(measure)

    attn = of_part("attn", lambda: check.part("attn"))
    mlp = of_part("mlp", lambda: check.part("mlp"))
    head = of_part("head", check.heads)
    knock_out = check.tried(check.edges) if head.is_available else head
    found = {"resid": resid, "attn": attn, "mlp": mlp, "head": head, "knock_out": knock_out}
    if reuse != "none":
        offered = [site for site, capability in found.items() if capability.is_available]
        step = check.tried(lambda: check.step(offered))
        if not step.is_available:
            why = f"In a decode step it does something else: {step.reason}"
            found |= dict.fromkeys(offered, Capability(False, why, step.max_abs_diff))
    return InterventionSites(**found)


class _Check:
    def __init__(
        self,
        decoder: TracedDecoder,
        splits: Sequence[BlockWrites],
        sites: Sites,
        probe: tuple[int, ...],
        pause: Callable[[], None],
    ) -> None:
        self._pause = pause
        self._decoder = decoder
        self._splits = splits
        self._sites = sites
        self._ids = probe
        self._limit = NARROW_DIFFERENCE if decoder.dtype in NARROW else MAX_DIFFERENCE

    def tried(self, measure: Callable[[], float]) -> Capability:
        self._pause()
        try:
            difference = measure()
        except ExplorerError as failure:
            return Capability(False, failure.message)
        except MODEL_FAILURES as failure:
            return Capability(False, first_line(failure))
        if difference <= self._limit:
            return Capability(True, None, difference)
        why = f"Changing it does not give what it should: it is off by {difference:.3g} of the largest."
        return Capability(False, why, difference if math.isfinite(difference) else None)

    def resid(self) -> float:
        """A layer of another text, at all positions, against that text."""
        other = self._run(None, self._ids[::-1])
        n_layers = self._decoder.n_layers
        largest = 0.0
        for layer in sorted({0, (n_layers + 1) // 2, n_layers}):
            taken = other[:, layer].to(self._decoder.device)
            edit = self._edit("resid", "resid", [layer], _taking(taken))
            found = self._run([edit])
            largest = max(largest, _share(found[:, layer:], other[:, layer:]))
        return largest

    def part(self, site: Literal["attn", "mlp"]) -> float:
        """A block whose attention or MLP adds nothing, against what its other parts add."""
        blocks = self._sites.blocks(site)
        added: dict[int, torch.Tensor] = {}
        edit = self._edit(site, site, blocks, _nothing)
        with ExitStack() as hooks:
            for number in blocks:
                block = self._decoder.structure.blocks[number - 1]
                added[number] = torch.zeros(len(self._ids), self._decoder.d_model)
                for write in self._splits[number - 1].writes:
                    module = block.get_submodule(write.path)
                    if module is not self._sites.modules[site, number].written:
                        hook = _adding(added, number, write.scale)
                        hooks.callback(module.register_forward_hook(hook).remove)
            rows = self._run([edit])
        return max(
            _share(rows[:, number - 1] + added[number], rows[:, number]) for number in blocks
        )

    def heads(self) -> float:
        """Heads that put out nothing, against the bias of the linear map that reads them."""
        blocks = self._sites.blocks("head")
        plain = self._linear_outputs(blocks, None)
        edit = self._edit("head", "given", blocks, _nothing)
        found = self._linear_outputs(blocks, [edit])
        largest = 0.0
        for number in blocks:
            linear = self._sites.modules["head", number].linear
            assert linear is not None
            bias = bias_of(linear)
            rest = found[number].double() - (0 if bias is None else bias)
            largest = max(largest, float(rest.abs().max() / plain[number].abs().max()))
        return largest

    def edges(self) -> float:
        """The first attention without an edge, against its own weights and values without it."""
        blocks = self._sites.blocks("head")
        first = blocks[0]
        last = len(self._ids) - 1
        with recording_rows(self._decoder.structure.blocks, self._splits) as recorded:
            self._run(None)
        row = recorded.get(first)
        if row is None or row.values is None:
            raise UnsupportedIntervention(
                "The attention of this model runs in code of its own, where no edge can be taken out."
            )
        weights = row.weights[:, : last + 1].clone()
        without = 1 - weights[:, SOURCE : SOURCE + 1]
        weights[:, SOURCE] = 0
        shared = len(weights) // len(row.values)
        values = row.values[:, : last + 1].repeat_interleave(shared, 0).float()
        expected = ((weights / without)[:, None] @ values)[:, 0]
        found = self._linear_inputs(first, [self._edges(blocks, [last])])[-1]
        return _share(found.float().cpu(), expected.reshape(-1).cpu())

    def step(self, offered: Sequence[str]) -> float:
        """A step behind a cache with everything that is offered, against a pass without one."""
        *before, last = self._ids
        at = [len(before)]
        generator = torch.Generator().manual_seed(0)
        push = torch.randn(self._decoder.d_model, generator=generator).to(self._decoder.device)
        edits = []
        if "resid" in offered:
            middle = (self._decoder.n_layers + 1) // 2
            edits.append(
                self._edit("resid", "resid", [middle], lambda _l, rows, _at: rows + push, at)
            )
        parts: tuple[tuple[Site, Place], ...] = (
            ("attn", "attn"),
            ("mlp", "mlp"),
            ("head", "given"),
        )
        for site, place in parts:
            if site in offered:
                blocks = self._sites.blocks(site)
                edits.append(self._edit(site, place, blocks, lambda _l, rows, _at: rows / 2, at))
        if "knock_out" in offered:
            edits.append(self._edges(self._sites.blocks("head"), at))
        if not edits:
            return 0.0
        cache = self._decoder.new_cache()
        made = Edits(edits, "", self._sites)
        self._decoder.forward(before, cache, self._decoder.empty_rows(len(before)), 0, made)
        found = self._decoder.empty_rows(1)
        self._decoder.forward((last,), cache, found, len(before), made)
        # Passes of other lengths differ in their last bits in every block.
        return _share(found[0], self._run(edits)[-1]) / 10

    def _edit(
        self,
        site: Site,
        place: Place,
        layers: Sequence[int],
        operation: RowsOperation,
        positions: Sequence[int] | None = None,
    ) -> Edit:
        named = range(len(self._ids)) if positions is None else positions
        return Edit(site, place, frozenset(layers), Touched(tuple(named)), operation, site)

    def _edges(self, blocks: Sequence[int], positions: Sequence[int]) -> Edit:
        heads = tuple(range(self._sites.n_heads))
        touched = Touched(tuple(positions))
        return Edit("head", "edges", frozenset(blocks), touched, None, "head", heads, (SOURCE,))

    def _run(self, edits: Sequence[Edit] | None, ids: Sequence[int] | None = None) -> torch.Tensor:
        """Residual streams of a pass without a cache, `[tokens, n_layers + 1, d_model]`."""
        ids = self._ids if ids is None else ids
        rows = self._decoder.empty_rows(len(ids))
        made = None if edits is None else Edits(edits, "", self._sites)
        self._decoder.forward(ids, None, rows, 0, made)
        return rows

    def _linear_outputs(
        self, blocks: Sequence[int], edits: Sequence[Edit] | None
    ) -> dict[int, torch.Tensor]:
        """What the linear maps behind the heads give in a pass, by block, `[tokens, d_model]`."""
        seen: dict[int, torch.Tensor] = {}

        def recording(number: int) -> Callable[..., None]:
            def after(_module: nn.Module, _args: object, output: torch.Tensor) -> None:
                seen[number] = output.reshape(-1, output.shape[-1]).clone()

            return after

        with ExitStack() as hooks:
            for number in blocks:
                linear = self._sites.modules["head", number].linear
                assert linear is not None
                hooks.callback(linear.register_forward_hook(recording(number)).remove)
            self._run(edits)
        return seen

    def _linear_inputs(self, block: int, edits: Sequence[Edit]) -> torch.Tensor:
        """What the linear map of one block is given, `[tokens, inputs]`."""
        seen: list[torch.Tensor] = []

        def after(
            _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], _output: object
        ) -> None:
            given = args[0] if args else next(iter(kwargs.values()))
            seen.append(given.reshape(-1, given.shape[-1]).clone())

        linear = self._sites.modules["head", block].linear
        assert linear is not None
        hook = linear.register_forward_hook(after, with_kwargs=True)
        try:
            self._run(edits)
        finally:
            hook.remove()
        return seen[-1]


def _adding(added: dict[int, torch.Tensor], number: int, scale: float) -> Callable[..., None]:
    def after(_module: nn.Module, _args: object, output: Any) -> None:
        written = output[0] if isinstance(output, tuple) else output
        added[number] += scale * written.reshape(added[number].shape).float().cpu()

    return after


def _taking(values: torch.Tensor) -> RowsOperation:
    return lambda _layer, _rows, positions: values[positions]


def _nothing(_layer: int, rows: torch.Tensor, _positions: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(rows)


def _share(found: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest difference, as a share of the largest value."""
    return float((found - expected).abs().max() / expected.abs().max())
