"""The part of a model after its last block, in float32 whatever its weights are stored in.

Blocks may run in 16 bits, as on a GPU, and their residual streams are then what the model computed.
Logits of 16 bits are too coarse to read: at a logit of 20 two neighbours of bfloat16 are 0.125 apart,
so that the best two tokens can tie and probabilities are off by several per cent. So the final norm,
the unembedding and what else follows the blocks get float32 copies of their weights, and their inputs
are widened on the way in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from app.engine.kept_weights import widened
from app.engine.packing import multiplies_in_float32

NARROW = (torch.float16, torch.bfloat16)


@contextmanager
def recording_tail(model: nn.Module, last_block: nn.Module) -> Iterator[list[nn.Module]]:
    """Collects the modules with parameters that run after the last block, and only there.

    The model is run once inside; the list is complete afterwards.
    """
    before: set[nn.Module] = set()
    tail: list[nn.Module] = []
    is_past_blocks = False

    def on_start(module: nn.Module, _args: object) -> None:
        if not is_past_blocks:
            before.add(module)
        elif module not in tail:
            tail.append(module)

    def on_last_block(_module: nn.Module, _args: object, _output: object) -> None:
        nonlocal is_past_blocks
        is_past_blocks = True

    with ExitStack() as hooks:
        for module in model.modules():
            if any(True for _ in module.parameters(recurse=False)):
                hooks.callback(module.register_forward_pre_hook(on_start).remove)
        hooks.callback(last_block.register_forward_hook(on_last_block).remove)
        yield tail
    tail[:] = [module for module in tail if module not in before]


def compute_in_float32(modules: list[nn.Module]) -> None:
    """Gives modules float32 copies of their 16-bit weights; a tied embedding keeps its own."""
    for module in modules:
        for name, parameter in list(module.named_parameters(recurse=False)):
            if parameter.dtype in NARROW:
                setattr(module, name, _wide_copy(module, name, parameter))
        for name, buffer in list(module.named_buffers(recurse=False)):
            if buffer.dtype in NARROW:
                setattr(module, name, buffer.float())
        module.register_forward_pre_hook(_widen_inputs, with_kwargs=True)


def _wide_copy(module: nn.Module, name: str, parameter: nn.Parameter) -> nn.Parameter:
    with torch.inference_mode(False):  # a tensor made in that mode can have no gradient
        if name == "weight" and multiplies_in_float32(module):
            # Of the matrix itself only rows are read.
            return widened(parameter)
        return nn.Parameter(parameter.detach().float(), requires_grad=False)


def _widen_inputs(
    _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return tuple(map(_widened, args)), {name: _widened(value) for name, value in kwargs.items()}


def _widened(value: Any) -> Any:
    is_narrow = isinstance(value, torch.Tensor) and value.dtype in NARROW
    return value.float() if is_narrow else value
