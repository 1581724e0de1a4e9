"""What stored tokens read, with nothing of the blocks run but their attention.

What a token reads in a block depends on the stream that enters it and on the keys before it, and both are held.
So each block is given its stored stream and ends when its attention has: no MLP runs, and no output
projection, which is most of the weights that a decode step reads. Norms, projections, rotations,
masks and sinks are the model's own, run by its own code. That the rows are those of a whole pass is
measured when the model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, suppress
from typing import Any

import torch
from torch import nn

from app.engine.attention_rows import AttentionRow, recording_rows
from app.engine.capture import TracedDecoder
from app.engine.components import BlockWrites
from app.engine.cone import entering
from app.engine.gradients import set_forward
from app.engine.kv_cache import GrowingCache


class _AttentionDone(BaseException):
    """Ends a block once its attention has run; nothing but the block's own frame catches it."""


def rows_alone(
    decoder: TracedDecoder,
    splits: Sequence[BlockWrites],
    token_id: int,
    position: int,
    streams: torch.Tensor,
    cache: GrowingCache,
    blocks: Collection[int],
) -> dict[int, AttentionRow]:
    """What the token at `position` reads in those of `blocks`, from 1, that have attention.

    `streams` are its own, float32 `[n_layers + 1, d_model]`; `cache` holds this token or more, and has
    every bit back afterwards. The values of the rows are not kept.
    """
    return _recorded(decoder, splits, (token_id,), position, streams[None], cache, blocks, None)


def columns_alone(
    decoder: TracedDecoder,
    splits: Sequence[BlockWrites],
    ids: Sequence[int],
    first: int,
    streams: torch.Tensor,
    cache: GrowingCache,
    blocks: Collection[int],
    source: int,
) -> dict[int, torch.Tensor]:
    """Attention that the tokens `ids`, from position `first` on, give to the one at `source`.

    By block: float32 `[heads, len(ids)]`. `streams` are theirs, `[len(ids), n_layers + 1, d_model]`; the
    rest is as in `rows_alone`.
    """
    rows = _recorded(decoder, splits, ids, first, streams, cache, blocks, source)
    return {block: row.weights for block, row in rows.items()}


def _recorded(
    decoder: TracedDecoder,
    splits: Sequence[BlockWrites],
    ids: Sequence[int],
    first: int,
    streams: torch.Tensor,
    cache: GrowingCache,
    asked: Collection[int],
    source: int | None,
) -> dict[int, AttentionRow]:
    blocks = decoder.structure.blocks
    entered = streams.to(decoder.device, decoder.residual_dtype).transpose(0, 1)[:, None]
    base: nn.Module = getattr(decoder.model, "base_model", decoder.model)
    with ExitStack() as undo:
        undo.enter_context(cache.rewound(first, first + len(ids)))
        rows = undo.enter_context(
            recording_rows(blocks, splits, keeps_values=False, needs_output=False, source=source)
        )
        for number, (block, split, length) in enumerate(
            zip(blocks, splits, decoder.tuple_lengths, strict=True), start=1
        ):
            stream = entered[number - 1]
            linears = [
                write.linear_path
                for write in split.writes
                if write.kind == "attn" and write.linear_path is not None and number in asked
            ]
            for path in linears:
                _replace_forward(undo, block.get_submodule(path), _nothing_of(decoder))
            if linears:
                # Registered after the hooks that record, so that the row is taken before.
                owner = block.get_submodule(linears[-1].split(".")[0])
                undo.callback(owner.register_forward_hook(_end).remove)
                hook = block.register_forward_pre_hook(entering(stream), with_kwargs=True)
                undo.callback(hook.remove)
            given = stream if length is None else (stream, *[None] * (length - 1))
            own = block.forward if linears else None
            _replace_forward(undo, block, _until_attention(own, given))
        base(**decoder.arguments(ids, cache, first, 1))
    return rows


def _replace_forward(undo: ExitStack, module: nn.Module, forward: Callable[..., Any]) -> None:
    undo.callback(set_forward, module, module.__dict__.get("forward"))
    set_forward(module, forward)


def _nothing_of(decoder: TracedDecoder) -> Callable[..., torch.Tensor]:
    """Stands for an output projection, whose output nobody reads."""
    return lambda given, *_, **__: given.new_zeros(*given.shape[:-1], decoder.d_model)


def _end(*_: object) -> None:
    raise _AttentionDone


def _until_attention(forward: Callable[..., Any] | None, given: Any) -> Callable[..., Any]:
    """A block's forward that ends after its attention and gives what the next block will not read."""

    def run(*args: Any, **kwargs: Any) -> Any:
        if forward is not None:
            with suppress(_AttentionDone):
                forward(*args, **kwargs)
        return given

    return run
