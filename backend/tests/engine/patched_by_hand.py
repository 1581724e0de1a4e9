"""Patched runs of plain transformers models by ordinary forward hooks; no code of the engine's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from tests.engine.reference import PlainModel


@torch.no_grad()
def logits_with_stream(
    plain: PlainModel, ids: Sequence[int], layer: int, changes: dict[int, torch.Tensor]
) -> torch.Tensor:
    """Logits `[d_vocab]` at the end of `ids` with the stream of a layer replaced at positions."""
    blocks = plain._blocks

    def changed(stream: torch.Tensor) -> torch.Tensor:
        stream = stream.clone()
        for position, row in changes.items():
            stream[0, position] = row
        return stream

    def before(_module: nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        if args:
            return (changed(args[0]), *args[1:]), kwargs
        return args, {**kwargs, "hidden_states": changed(kwargs["hidden_states"])}

    def after(_module: nn.Module, _args: tuple, output: object) -> object:
        if isinstance(output, tuple):
            return (changed(output[0]), *output[1:])
        return changed(output)

    if layer == 0:
        handle = blocks[0].register_forward_pre_hook(before, with_kwargs=True)
    else:
        handle = blocks[layer - 1].register_forward_hook(after)
    logits = plain.logits(ids)[-1]
    handle.remove()
    return logits


@torch.no_grad()
def logits_with_module(
    plain: PlainModel,
    ids: Sequence[int],
    source_ids: Sequence[int],
    path: str,
    positions: Sequence[int],
    head: tuple[int, int] | None = None,
) -> torch.Tensor:
    """The same with what a module puts out taken from another text; with `head`, columns of its input."""
    module = plain.model.get_submodule(path)
    seen: list[torch.Tensor] = []
    if head is None:
        note = module.register_forward_hook(
            lambda _m, _a, output: seen.append(first_of(output).clone())
        )
    else:
        note = module.register_forward_pre_hook(lambda _m, args: seen.append(args[0].clone()))
    plain.logits(source_ids)
    note.remove()
    (source,) = seen
    of = slice(None) if head is None else slice(*head)

    def changed(value: torch.Tensor) -> torch.Tensor:
        value = value.clone()
        value[0, list(positions), of] = source[0, list(positions), of]
        return value

    def after(_module: nn.Module, _args: tuple, output: object) -> object:
        if isinstance(output, tuple):
            return (changed(output[0]), *output[1:])
        return changed(output)

    if head is None:
        handle = module.register_forward_hook(after)
    else:
        handle = module.register_forward_pre_hook(lambda _m, args: (changed(args[0]), *args[1:]))
    logits = plain.logits(ids)[-1]
    handle.remove()
    return logits


def first_of(output: object) -> torch.Tensor:
    return output[0] if isinstance(output, tuple) else output
