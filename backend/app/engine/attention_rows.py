"""The attention row of a token in every block, without another attention than the model's own.

SDPA gives no weights, and switching a model to eager attention would change its bits. So while rows
are recorded each call of SDPA is watched: the model gets its output, and the last query's row is
computed beside it from the same queries, keys and mask. Where a model's own attention is the eager one
of transformers, the row is the one that it returns; some older models (GPT-J, Bloom) return theirs
from the attention module.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from app.engine.components import BlockWrites


@dataclass(frozen=True, slots=True)
class AttentionRow:
    """How the last token of a pass read those before it, in one block.

    Head `h` reads the values of key-value head `h // (heads / kv_heads)`.
    """

    weights: torch.Tensor
    """float32 `[heads, sources]`; sums to 1, or to less where a sink takes the rest."""
    values: torch.Tensor | None
    """`[kv_heads, sources, d_value]`; None where only the cache has them."""


@contextmanager
def recording_rows(
    blocks: Sequence[nn.Module], splits: Sequence[BlockWrites]
) -> Iterator[dict[int, AttentionRow]]:
    """Rows of the passes that are run inside, by block from 1; the last pass counts."""
    rows: dict[int, AttentionRow] = {}
    running: list[int] = []
    """The block whose attention runs."""

    def from_eager(
        module: nn.Module,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        own: Callable[..., Any] = sys.modules[type(module).__module__].eager_attention_forward
        output, weights = own(module, query, key, value, *args, **kwargs)
        if running:
            rows[running[-1]] = AttentionRow(weights[0, :, -1].float(), value[0].clone())
        return output, weights

    def watch(number: int, owner: nn.Module, undo: ExitStack) -> None:
        def before(_module: nn.Module, _args: object) -> None:
            running.append(number)
            rows.pop(number, None)

        def after(_module: nn.Module, _args: object, output: Any) -> None:
            running.pop()
            for item in output[1:] if isinstance(output, tuple) and number not in rows else ():
                if isinstance(item, torch.Tensor) and item.dim() == 4 and item.shape[0] == 1:
                    rows[number] = AttentionRow(item[0, :, -1].float(), None)

        undo.callback(owner.register_forward_pre_hook(before).remove)
        undo.callback(owner.register_forward_hook(after).remove)

    with ExitStack() as undo:
        for number, (block, split) in enumerate(zip(blocks, splits, strict=True), start=1):
            for write in split.writes:
                if write.kind == "attn" and write.linear_path is not None:
                    watch(number, block.get_submodule(write.linear_path.split(".")[0]), undo)
        ALL_ATTENTION_FUNCTIONS["eager"] = from_eager
        undo.callback(ALL_ATTENTION_FUNCTIONS.__delitem__, "eager")
        undo.enter_context(_WatchedSdpa(rows, running))
        yield rows


class _WatchedSdpa(TorchFunctionMode):
    """Sees each call of SDPA while an attention module runs."""

    def __init__(self, rows: dict[int, AttentionRow], running: list[int]) -> None:
        super().__init__()
        self._rows = rows
        self._running = running

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        if func is functional.scaled_dot_product_attention and self._running:
            self._rows[self._running[-1]] = _row(*args, **kwargs)
        return output


def _row(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    _dropout_p: float = 0.0,
    _is_causal: bool = False,
    scale: float | None = None,
    **_: object,
) -> AttentionRow:
    """The softmax of the last query, which sees all keys, from the arguments of SDPA."""
    keys = key[0].repeat_interleave(query.shape[1] // key.shape[1], 0).float()
    size = query.shape[-1] ** -0.5 if scale is None else scale
    scores = (query[0, :, -1:].float() @ keys.transpose(1, 2))[:, 0] * size
    if attn_mask is not None:
        mask = attn_mask[0, :, -1, : scores.shape[-1]]
        if mask.dtype == torch.bool:
            scores = scores.masked_fill(~mask, -torch.inf)
        else:
            scores = scores + mask.float()
    return AttentionRow(scores.softmax(-1), value[0].clone())
