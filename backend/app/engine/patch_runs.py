"""Runs that a patch starts from, and their upper blocks with a state in them replaced."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from app.engine.capture import TracedDecoder
from app.engine.components import BlockWrites
from app.engine.cone import Branch, Edit, run_blocks
from app.engine.kv_cache import GrowingCache
from app.engine.patching_types import PatchSide, Site
from app.engine.residuals import PREFILL_TOKENS, ResidualStore
from app.errors import IdentityFailed, ModelComputationError

WRITE_KINDS = {"attn": "attn", "head": "attn", "mlp": "mlp"}
WORDS = {"attn": "attention", "head": "attention", "mlp": "MLP"}


@dataclass(frozen=True, slots=True)
class Run:
    """The model on one text: what a change of it starts from."""

    ids: tuple[int, ...]
    rows: torch.Tensor
    """float32 `[len(ids), n_layers + 1, d_model]`"""
    cache: GrowingCache | None
    """None where it cannot be cut."""

    @property
    def last(self) -> torch.Tensor:
        """`[d_model]`: what the token after the text is predicted from."""
        return self.rows[-1, -1]


class Runs:
    """Makes runs of one model, and changes them. Nothing of a change is kept."""

    def __init__(
        self,
        decoder: TracedDecoder,
        store: ResidualStore,
        splits: Sequence[BlockWrites],
        n_heads: int | None,
    ) -> None:
        self._decoder = decoder
        self._store = store
        self._splits = splits
        self._n_heads = n_heads

    def blocks_with(self, site: Site) -> tuple[int, ...]:
        """Blocks that have exactly one such part."""
        kind = WRITE_KINDS[site]
        return tuple(
            number
            for number, split in enumerate(self._splits, start=1)
            if sum(write.kind == kind for write in split.writes) == 1
        )

    def run(self, side: PatchSide, pins: ExitStack) -> Generator[None, None, Run]:
        n_tokens = len(side.ids)
        if self._store.keeps_every_bit:
            timeline = yield from self._store.covering(side.ids, n_tokens, side.lineage)
            pins.enter_context(self._store.pinned(timeline))
            return Run(side.ids, timeline.rows[:n_tokens], self._cuttable(timeline.cache))
        # What is kept is rounded: the run is made anew, and kept by this request alone.
        cache = self._cuttable(self._decoder.new_cache())
        rows = self._decoder.empty_rows(n_tokens)
        size = n_tokens if cache is None else PREFILL_TOKENS
        for start in range(0, n_tokens, size):
            chunk = slice(start, start + size)
            self._decoder.forward(side.ids[chunk], cache, rows[chunk], start)
            yield
        return Run(side.ids, rows, cache)

    def _cuttable(self, cache: object) -> GrowingCache | None:
        is_usable = isinstance(cache, GrowingCache) and self._store.reuse == "chunks"
        return cache if is_usable else None  # type: ignore[return-value]

    def above(
        self,
        run: Run,
        stream: torch.Tensor,
        first_block: int,
        start: int,
        edits: Callable[[int, int], Sequence[Edit]] = lambda _start, _end: (),
    ) -> Generator[None, None, torch.Tensor]:
        """Blocks from `first_block` on, on streams `[rows, tokens from start on, d_model]` that enter it.

        Gives the last position of the last layer, float32 `[rows, d_model]`, or raises
        ModelComputationError where it is not finite. An item stands between two
        passes; `edits` are those of the positions from one to another.
        """
        last_block = self._decoder.n_layers
        if run.cache is None:
            before = run.rows[:start, first_block - 1].expand(len(stream), -1, -1)
            stream, start = torch.cat([before, stream], dim=1), 0
        n_tokens = len(run.ids)
        branch = None if run.cache is None else Branch(run.cache, start, len(stream), first_block)
        size = n_tokens if branch is None else PREFILL_TOKENS
        after = stream
        for begin in range(start, n_tokens, size):
            if begin > start:
                yield
            end = min(begin + size, n_tokens)
            after = run_blocks(
                self._decoder,
                run.ids[begin:end],
                stream[:, begin - start : end - start],
                (first_block, last_block),
                cache=None if branch is None else branch.at(begin),
                first_index=begin,
                edits=edits(begin, end),
            )
        last = after[:, -1].float().cpu()
        if not bool(torch.isfinite(last).all()):
            raise ModelComputationError(
                "A patched run gives a residual stream that is not a finite number.",
                hint="The weights of this model are damaged or overflow in its dtype.",
            )
        return last

    # --- what single modules write ---------------------------------------------------------------

    def writes(
        self, run: Run, site: Site, block: int, wanted: Sequence[int]
    ) -> Generator[None, None, torch.Tensor]:
        """What a module puts out, or heads give to their projection: `[positions, width]`.

        One block runs, at the positions from the first one on.
        """
        start = 0 if run.cache is None else min(wanted)
        module, is_before = self.module(site, block)
        seen: list[torch.Tensor] = []

        def note(
            _module: nn.Module, args: tuple[Any, ...], kwargs: Any, output: Any = None
        ) -> None:
            value = _first(args, kwargs) if is_before else output
            value = value[0] if isinstance(value, tuple) else value
            seen.append(value.reshape(-1, value.shape[-1]).clone())

        end = max(wanted) + 1
        branch = None if run.cache is None else Branch(run.cache, start, 1, block)
        size = end - start if branch is None else PREFILL_TOKENS
        for begin in range(start, end, size):
            if begin > start:
                yield
            stop = min(begin + size, end)
            run_blocks(
                self._decoder,
                run.ids[begin:stop],
                run.rows[None, begin:stop, block - 1],
                (block, block),
                cache=None if branch is None else branch.at(begin),
                first_index=begin,
                edits=[(module, note, is_before)],
            )
        return torch.cat(seen)[[position - start for position in wanted]]

    def with_writes(
        self,
        run: Run,
        site: Site,
        block: int,
        changes: Sequence[Sequence[tuple[int, torch.Tensor, Sequence[int | None]]]],
    ) -> Generator[None, None, torch.Tensor]:
        """The base with what a module puts out replaced, in rows of changes `(position, value, heads)`."""
        module, is_before = self.module(site, block)
        n_rows = len(changes)
        n_heads = self._n_heads or 1

        def edits(begin: int, end: int) -> Sequence[Edit]:
            def replaced(value: torch.Tensor) -> torch.Tensor:
                changed = value.clone()
                rows = changed.view(n_rows, end - begin, -1)
                width = rows.shape[-1] // n_heads
                for number, row in enumerate(changes):
                    for position, new, heads in row:
                        if not begin <= position < end:
                            continue
                        for head in heads:
                            of = (
                                slice(None)
                                if head is None
                                else slice(head * width, head * width + width)
                            )
                            rows[number, position - begin, of] = new[of]
                return changed

            def before(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
                if args:
                    return (replaced(args[0]), *args[1:]), kwargs
                name = next(iter(kwargs))
                return args, {**kwargs, name: replaced(kwargs[name])}

            def after(_module: nn.Module, _args: object, _kwargs: object, output: Any) -> Any:
                if isinstance(output, tuple):
                    return (replaced(output[0]), *output[1:])
                return replaced(output)

            return [(module, before if is_before else after, is_before)]

        start = 0 if run.cache is None else min(position for row in changes for position, *_ in row)
        stream = run.rows[start:, block - 1].expand(n_rows, -1, -1)
        return (yield from self.above(run, stream, block, start, edits))

    def module(self, site: Site, block: int) -> tuple[nn.Module, bool]:
        """The module whose output is replaced, or for heads the projection whose input is."""
        kind = WRITE_KINDS[site]
        writes = [w for w in self._splits[block - 1].writes if w.kind == kind]
        if len(writes) != 1:
            raise IdentityFailed(
                f"Block {block} has no {WORDS[site]} that writes to its stream by itself.",
                hint="Patch the residual stream there.",
                param="site",
            )
        is_head = site == "head"
        path = writes[0].linear_path if is_head else writes[0].path
        assert path is not None, (
            "heads are offered only where each block's are read by a linear map"
        )
        return self._decoder.structure.blocks[block - 1].get_submodule(path), is_head


def _first(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return args[0] if args else next(iter(kwargs.values()))
