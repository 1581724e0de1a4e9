"""Where inside blocks interventions act: modules that were found by what they add to the stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import nn

from app.engine.components import BlockWrites, Write
from app.engine.frozen import matrix_of
from app.engine.intervention_types import Site
from app.engine.structure import Structure


@dataclass(frozen=True, slots=True)
class SiteModules:
    """The modules of one site in one block."""

    written: nn.Module
    """Its output is what is added to the stream, up to a multiplier."""
    path: str
    """Of that module, inside the block."""
    linear: nn.Module | None
    """The linear map whose input is all heads side by side."""
    linear_path: str | None
    owner: nn.Module | None
    """Runs the attention."""
    has_norm: bool
    """`written` is a norm over what the linear map gives."""


@dataclass(frozen=True, slots=True)
class Sites:
    """The sites of one model, by block from 1."""

    n_heads: int
    modules: dict[tuple[Site, int], SiteModules] = field(default_factory=dict)
    missing: dict[tuple[Site, int], str] = field(default_factory=dict)
    """Why a block lacks a site."""

    def blocks(self, site: Site) -> list[int]:
        """The blocks that have a site."""
        return [block for of, block in self.modules if of == site]

    def paths(self, site: Site, n_blocks: int) -> tuple[str | None, ...]:
        """Of each block the module at which a site acts, as named inside the block; None where it has none."""
        found = [self.modules.get((site, block)) for block in range(1, n_blocks + 1)]
        return tuple(
            None if each is None else each.linear_path if site == "head" else each.path
            for each in found
        )


def find_sites(structure: Structure, splits: Sequence[BlockWrites]) -> Sites:
    """What `find_writes` found, as places to act at; nothing where blocks are not split."""
    sites = Sites(structure.n_heads or 0)
    if not splits:
        return sites
    for number, (block, split) in enumerate(zip(structure.blocks, splits, strict=True), start=1):
        for site in ("attn", "mlp"):
            writes = [write for write in split.writes if write.kind == site]
            if len(writes) == 1:
                sites.modules[site, number] = _modules(block, writes[0])
            else:
                what = "attention" if site == "attn" else "MLP"
                sites.missing[site, number] = (
                    f"Block {number} has {'several parts that are' if writes else 'no'} {what}."
                )
        attention = sites.modules.get(("attn", number))
        if attention is None:
            sites.missing["head", number] = sites.missing["attn", number]
        elif attention.linear is None or not sites.n_heads:
            sites.missing["head", number] = f"No linear map reads the heads of block {number}."
        elif matrix_of(attention.linear).shape[1] % sites.n_heads:
            sites.missing["head", number] = f"The heads of block {number} differ in size."
        else:
            sites.modules["head", number] = attention
    return sites


def _modules(block: nn.Module, write: Write) -> SiteModules:
    linear = owner = None
    if write.linear_path is not None:
        linear = block.get_submodule(write.linear_path)
        owner = block.get_submodule(write.linear_path.split(".")[0])
    written = block.get_submodule(write.path)
    return SiteModules(written, write.path, linear, write.linear_path, owner, write.has_norm)
