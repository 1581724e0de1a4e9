"""Runs that a patch starts from, and their upper blocks with a state in them replaced."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
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

TURN_TOKENS = 384
"""Tokens times blocks of one turn, so that a reply that comes meanwhile waits for little."""

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

    def start_at(self, position: int) -> int:
        """Where it has to be run from so that the token at a position is run."""
        return 0 if self.cache is None else position


Change = tuple[int, torch.Tensor, Sequence[int | None]]
"""A position, what a module puts out there, and the heads that are meant; None for all of it."""


def _no_edits(_first_row: int, _span: tuple[int, int]) -> Sequence[Edit]:
    return ()


@dataclass(frozen=True, slots=True)
class Entering:
    """Rows that join a run before one of its blocks."""

    stream: torch.Tensor
    """float32 `[rows, tokens, d_model]`"""
    edits: Callable[[int, tuple[int, int]], Sequence[Edit]] = _no_edits
    """Changes in that block, by the number of the first of these rows and the positions that are run."""


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
        self.ends_early = False
        """Whether the MLP of the last block is run for the last position only."""

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
        self, run: Run, start: int, entering: Mapping[int, Entering]
    ) -> Generator[None, None, torch.Tensor]:
        """Rows that join a run before blocks, at the positions from `start` on, up to the last layer.

        Each block is run once, on all rows that have joined by then; before block `n_layers + 1` nothing
        is run. `start` is one of `Run.start_at`. Gives the last position of the last layer, float32
        `[rows, d_model]`, those that join first first, or raises ModelComputationError where it is not
        finite. An item stands between turns.
        """
        n_layers = self._decoder.n_layers
        n_tokens = len(run.ids) - start
        block = min(entering)
        stream = torch.empty(0, n_tokens, self._decoder.d_model)
        spent = 0
        while block <= n_layers:
            new = entering.get(block)
            if new is not None:
                stream = torch.cat([stream, new.stream.to(stream)])
            size = n_tokens if run.cache is None else min(n_tokens, PREFILL_TOKENS)
            next_entry = min((other for other in entering if other > block), default=n_layers + 1)
            n_blocks = max(1, TURN_TOKENS // (len(stream) * size))
            last_block = min(block + n_blocks, next_entry, n_layers + 1) - 1
            cost = len(stream) * size * (last_block - block + 1)
            parts = []
            for begin in range(start, len(run.ids), size):
                if spent and spent + cost > TURN_TOKENS:
                    yield
                    spent = 0
                spent += cost
                if begin == start:
                    branch = None
                    if run.cache is not None:
                        branch = Branch(run.cache, start, len(stream), block, last_block)
                end = min(begin + size, len(run.ids))
                parts.append(
                    run_blocks(
                        self._decoder,
                        run.ids[begin:end],
                        stream[:, begin - start : end - start],
                        (block, last_block),
                        cache=None if branch is None else branch.at(begin),
                        first_index=begin,
                        edits=self._edits(new, len(stream), (begin, end), last_block),
                        n_new=0 if new is None else len(new.stream),
                    )
                )
            stream = parts[-1][:, -1:] if last_block == n_layers else torch.cat(parts, dim=1)
            block = last_block + 1
        last = stream[:, -1].float().cpu()
        if n_layers + 1 in entering:
            last = torch.cat([last, entering[n_layers + 1].stream[:, -1]])
        if not bool(torch.isfinite(last).all()):
            raise ModelComputationError(
                "A patched run gives a residual stream that is not a finite number.",
                hint="The weights of this model are damaged or overflow in its dtype.",
            )
        return last

    def _edits(
        self, new: Entering | None, n_rows: int, span: tuple[int, int], last_block: int
    ) -> list[Edit]:
        """Of rows that join, and what spares the last block positions that nothing reads."""
        edits = list(new.edits(n_rows - len(new.stream), span)) if new is not None else []
        path = self._splits[-1].middle_path if self._splits else None
        if (
            self.ends_early
            and last_block == self._decoder.n_layers
            and path is not None
            and not edits
            and span[1] - span[0] > 1
        ):
            middle = self._decoder.structure.blocks[-1].get_submodule(path)
            edits.append((middle, _last_position_only, True))
        return edits

    # --- what single modules write ---------------------------------------------------------------

    def writes(
        self, run: Run, site: Site, wanted: Sequence[tuple[int, int]]
    ) -> Generator[None, None, list[torch.Tensor]]:
        """What modules put out, or heads give to their projection, of each `(block, position)`: `[width]`.

        The blocks from the first to the last run, at the positions from the first to the last.
        """
        blocks = sorted({block for block, _ in wanted})
        start = run.start_at(min(position for _, position in wanted))
        end = max(position for _, position in wanted) + 1
        seen: dict[int, list[torch.Tensor]] = {block: [] for block in blocks}

        def noting(block: int) -> Edit:
            module, is_before = self.module(site, block)

            def note(
                _module: nn.Module, args: tuple[Any, ...], kwargs: Any, output: Any = None
            ) -> None:
                value = _first(args, kwargs) if is_before else output
                value = value[0] if isinstance(value, tuple) else value
                seen[block].append(value.reshape(-1, value.shape[-1]).clone())

            return module, note, is_before

        span = (blocks[0], blocks[-1])
        branch = None if run.cache is None else Branch(run.cache, start, 1, *span)
        size = end - start if branch is None else PREFILL_TOKENS
        for begin in range(start, end, size):
            if begin > start:
                yield
            stop = min(begin + size, end)
            run_blocks(
                self._decoder,
                run.ids[begin:stop],
                run.rows[None, begin:stop, blocks[0] - 1],
                span,
                cache=None if branch is None else branch.at(begin),
                first_index=begin,
                edits=[noting(block) for block in blocks],
            )
        found = {block: torch.cat(parts) for block, parts in seen.items()}
        return [found[block][position - start] for block, position in wanted]

    def with_writes(
        self, run: Run, start: int, site: Site, block: int, changes: Sequence[Sequence[Change]]
    ) -> Entering:
        """Rows of the base with what a module puts out replaced, each by its own changes."""
        module, is_before = self.module(site, block)
        n_heads = self._n_heads or 1

        def edits(first_row: int, span: tuple[int, int]) -> Sequence[Edit]:
            begin, end = span

            def replaced(value: torch.Tensor) -> torch.Tensor:
                changed = value.clone()
                rows = changed.view(first_row + len(changes), end - begin, -1)
                width = rows.shape[-1] // n_heads
                for number, row in enumerate(changes, start=first_row):
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
                return _with_first(args, kwargs, replaced(_first(args, kwargs)))

            def after(_module: nn.Module, _args: object, _kwargs: object, output: Any) -> Any:
                if isinstance(output, tuple):
                    return (replaced(output[0]), *output[1:])
                return replaced(output)

            return [(module, before if is_before else after, is_before)]

        return Entering(run.rows[start:, block - 1].expand(len(changes), -1, -1), edits)

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


def _with_first(args: tuple[Any, ...], kwargs: dict[str, Any], value: Any) -> Any:
    """The arguments of a module, the first of them replaced."""
    return ((value, *args[1:]), kwargs) if args else (args, {**kwargs, next(iter(kwargs)): value})


def _last_position_only(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a module writes to the last position only; a block adds it to its stream by broadcasting."""
    return _with_first(args, kwargs, _first(args, kwargs)[:, -1:])
