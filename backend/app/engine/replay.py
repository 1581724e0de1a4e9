"""One token of a stored timeline, run again with what its blocks write captured.

Rows of the residual stream are kept for every token, what made them is not: keeping it would cost a
hundred times the memory. The KV cache is wound back to the token, so running it again costs one
decode step, whatever the length of the text; nothing of it is stored, and the cache has every bit
back afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from app.engine.capture import TracedDecoder
from app.engine.components import BlockWrites, Write
from app.engine.kv_cache import GrowingCache
from app.engine.timeline import Timeline


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """What one write did at a token, one dimension each."""

    write: Write
    output: torch.Tensor
    """`[d_model]`: what is added to the stream, before `write.scale`."""
    given: torch.Tensor | None
    """`[inputs]`: input of the linear map, such as all heads side by side."""
    linear_output: torch.Tensor | None
    """`[d_model]`: its output; where the write is a norm, that norm's input."""
    module: nn.Module
    linear: nn.Module | None


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """One token, run again."""

    streams: torch.Tensor
    """float32 `[n_layers + 1, d_model]`"""
    embeddings: tuple[torch.Tensor, ...]
    """What embedding tables gave, `[d_model]` each: that of the token first."""
    blocks: tuple[tuple[WriteRecord, ...], ...]


def replay(
    decoder: TracedDecoder,
    splits: Sequence[BlockWrites],
    ids: Sequence[int],
    position: int,
    timeline: Timeline | None,
) -> TokenRecord:
    """Run the token at `position` again, after those before it.

    `timeline` holds `ids[: position + 1]` or more. Where its cache cannot be wound back the text is
    run from its start.
    """
    cache = None if timeline is None else timeline.cache
    with _capturing(decoder, splits) as captured:
        if isinstance(cache, GrowingCache) and cache.get_seq_length() > position:
            rows = decoder.empty_rows(1)
            with cache.rewound(position, position + 1):
                decoder.forward(ids[position : position + 1], cache, rows, position)
        else:
            rows = decoder.empty_rows(position + 1)
            decoder.forward(ids[: position + 1], None, rows)
        record = captured(rows[-1])
    return record


@contextmanager
def _capturing(
    decoder: TracedDecoder, splits: Sequence[BlockWrites]
) -> Iterator[Callable[[torch.Tensor], TokenRecord]]:
    """Hooks on all modules that write; gives a function that makes the record of a pass."""
    d_model = decoder.d_model
    seen: dict[nn.Module, tuple[torch.Tensor | None, torch.Tensor]] = {}
    tables: list[torch.Tensor] = []

    def last(value: Any, width: int | None = None) -> torch.Tensor | None:
        value = value[0] if isinstance(value, tuple) and value else value
        if not isinstance(value, torch.Tensor) or (width and value.shape[-1] != width):
            return None
        return value.reshape(-1, value.shape[-1])[-1].clone()

    def on_write(
        module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
    ) -> None:
        given = args[0] if args else next(iter(kwargs.values()), None)
        written = last(output, d_model)
        if written is not None:
            seen[module] = (last(given), written)

    def on_table(_module: nn.Module, _args: object, output: Any) -> None:
        vector = last(output, d_model)
        if vector is not None:
            tables.append(vector)

    with ExitStack() as hooks:
        for block, split in zip(decoder.structure.blocks, splits, strict=True):
            for write in split.writes:
                for path in {write.path, write.linear_path or write.path}:
                    module = block.get_submodule(path)
                    hook = module.register_forward_hook(on_write, with_kwargs=True)
                    hooks.callback(hook.remove)
        for module in decoder.model.modules():
            if isinstance(module, nn.Embedding):
                hooks.callback(module.register_forward_hook(on_table).remove)

        def record(streams: torch.Tensor) -> TokenRecord:
            blocks = tuple(
                tuple(_record(block, write, seen) for write in split.writes)
                for block, split in zip(decoder.structure.blocks, splits, strict=True)
            )
            return TokenRecord(streams, tuple(tables), blocks)

        yield record


def _record(
    block: nn.Module,
    write: Write,
    seen: dict[nn.Module, tuple[torch.Tensor | None, torch.Tensor]],
) -> WriteRecord:
    module = block.get_submodule(write.path)
    if write.linear_path is None:
        return WriteRecord(write, seen[module][1], None, None, module, None)
    linear = block.get_submodule(write.linear_path)
    given, output = seen[linear]
    return WriteRecord(write, seen[module][1], given, output, module, linear)
