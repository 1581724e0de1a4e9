"""The part of a run that a change can reach: later blocks, at the changed position and after it.

A decoder is causal in both directions of its grid, so a state that is changed at layer `l`, position
`t` reaches blocks above `l` at positions from `t` on and nothing else. Only these are run: the blocks
below are skipped, and positions before `t` are read from the KV cache of the run that is changed.
What lies outside keeps its bits because nothing computes it again. A model whose cache cannot be cut
is run from the first position.

No trace is opened: plain forward hooks on the model's own modules, which are gone afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import nn
from transformers.cache_utils import Cache, DynamicLayer

from app.engine.capture import TracedDecoder
from app.engine.gradients import set_forward
from app.engine.kv_cache import GrowingCache, GrowingLayer
from app.engine.packing import few_shapes

Edit = tuple[nn.Module, Callable[..., Any], bool]
"""A module inside a block, a hook for it, and whether the hook runs before the module."""


class BranchLayer(DynamicLayer):  # type: ignore[misc]  # transformers has no types
    """Keys and values of one block of a run, up to a position, for rows that go on differently.

    The run's own are read and never written.
    """

    def __init__(self, held: GrowingLayer, n_tokens: int, n_rows: int) -> None:
        super().__init__()
        if held.is_initialized:
            self.lazy_initialization(held.keys, held.values)
            shape = (n_rows, -1, -1, -1)
            self.keys = held.keys[..., :n_tokens, :].expand(shape)
            self.values = held.values[..., :n_tokens, :].expand(shape)

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        *_args: object,
        **_kwargs: object,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = key_states, value_states
        else:
            self.keys = torch.cat([self.keys, key_states], dim=-2)
            self.values = torch.cat([self.values, value_states], dim=-2)
        return self.keys, self.values


class Branch:
    """Caches of rows that part from a run at a position and go through some of its blocks only."""

    def __init__(
        self, held: GrowingCache, start: int, n_rows: int, first_block: int, last_block: int
    ) -> None:
        self._held = held
        self._n_rows = n_rows
        self._run = {
            place: BranchLayer(held.layers[place], start, n_rows)
            for place in range(first_block - 1, last_block)
        }

    def at(self, start: int) -> Cache:
        """The cache for tokens from `start` on, which follow those that were run in it before."""
        # Also of blocks that do not run: masks are made from the length of one that the model chooses.
        return Cache(
            layers=[
                self._run.get(place) or BranchLayer(layer, start, self._n_rows)
                for place, layer in enumerate(self._held.layers)
            ]
        )


def entering(stream: torch.Tensor) -> Callable[..., Any]:
    """A hook before a block that gives it this stream, `[rows, tokens, d_model]`, in place of its own."""

    def before(_block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # A copy, because a block may change its input in place.
        if args:
            return (stream.clone(), *args[1:]), kwargs
        name = next(iter(kwargs))
        return args, {**kwargs, name: stream.clone()}

    return before


def run_blocks(
    decoder: TracedDecoder,
    ids: Sequence[int],
    stream: torch.Tensor,
    blocks: tuple[int, int],
    *,
    cache: Cache | None = None,
    first_index: int = 0,
    edits: Sequence[Edit] = (),
    n_new: int | None = None,
) -> torch.Tensor:
    """Run blocks `first … last`, counted from 1, on a stream: `[rows, tokens, d_model]` in and out.

    `ids` are those of the tokens, `first_index` the position of the first, `cache` what is before it,
    `n_new` how many rows did not come from the block below; all by default.
    """
    first, last = blocks
    stream = stream.to(decoder.device, decoder.residual_dtype)
    n_rows = len(stream)
    given: list[torch.Tensor] = []

    def after(_block: nn.Module, _args: object, output: Any) -> None:
        given.append((output[0] if isinstance(output, tuple) else output).clone())

    modules = decoder.structure.blocks
    base: nn.Module = getattr(decoder.model, "base_model", decoder.model)
    with ExitStack() as undo:
        for number, (block, length) in enumerate(
            zip(modules, decoder.tuple_lengths, strict=True), start=1
        ):
            if not first <= number <= last:
                undo.callback(set_forward, block, block.__dict__.get("forward"))
                output = stream if length is None else (stream, *[None] * (length - 1))
                set_forward(block, lambda *_, output=output, **__: output)
        hook = modules[first - 1].register_forward_pre_hook(entering(stream), with_kwargs=True)
        undo.callback(hook.remove)
        undo.callback(modules[last - 1].register_forward_hook(after).remove)
        for module, edit, is_before in edits:
            register = (
                module.register_forward_pre_hook if is_before else module.register_forward_hook
            )
            undo.callback(register(edit, with_kwargs=True).remove)
        undo.enter_context(few_shapes())
        base(**decoder.arguments(ids, cache, first_index, n_rows, n_new))
    return given[0]
