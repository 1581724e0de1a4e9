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
    """How the last token of a pass read those before it, in one block, or how its tokens read one source.

    Head `h` reads the values of key-value head `h // (heads / kv_heads)`.
    """

    weights: torch.Tensor
    """float32 `[heads, sources]`; sums to 1, or to less where a sink takes the rest. Of one source
    `[heads, tokens of the pass]`."""
    values: torch.Tensor | None
    """`[kv_heads, sources, d_value]`; None where only the cache has them."""


@contextmanager
def recording_rows(
    blocks: Sequence[nn.Module],
    splits: Sequence[BlockWrites],
    *,
    keeps_values: bool = True,
    needs_output: bool = True,
    source: int | None = None,
) -> Iterator[dict[int, AttentionRow]]:
    """Rows of the passes that are run inside, by block from 1; the last pass counts.

    Without `keeps_values` the values are those that the cache holds when they are looked at. Without
    `needs_output` SDPA gives zeros: for a pass that ends before anything reads them. With `source` it is
    one column in place of the last row.
    """
    rows: dict[int, AttentionRow] = {}
    running: list[tuple[int, ExitStack]] = []
    """Blocks whose attention runs, and what ends the watching of each."""

    def picked(weights: torch.Tensor) -> torch.Tensor:
        """`[heads, tokens, sources]` -> the last row or the column."""
        return weights[:, -1] if source is None else weights[..., source]

    def kept(weights: torch.Tensor, values: torch.Tensor) -> AttentionRow:
        return AttentionRow(picked(weights), values.clone() if keeps_values else values)

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
            rows[running[-1][0]] = kept(weights[0].float(), value[0])
        return output, weights

    def watch(number: int, owner: nn.Module, undo: ExitStack) -> None:
        def on_call(
            query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *args: Any, **kwargs: Any
        ) -> torch.Tensor | None:
            weights = _weights(query, key, *args, **kwargs, is_last_only=source is None)
            rows[number] = kept(weights, value[0])
            return None if needs_output else query.new_zeros(*query.shape[:-1], value.shape[-1])

        def before(_module: nn.Module, _args: object) -> None:
            rows.pop(number, None)
            watching = ExitStack()
            watching.enter_context(_WatchedSdpa(on_call))
            running.append((number, watching))

        def after(_module: nn.Module, _args: object, output: Any) -> None:
            running.pop()[1].close()
            for item in output[1:] if isinstance(output, tuple) and number not in rows else ():
                if isinstance(item, torch.Tensor) and item.dim() == 4 and item.shape[0] == 1:
                    rows[number] = AttentionRow(picked(item[0].float()), None)

        undo.callback(owner.register_forward_pre_hook(before).remove)
        undo.callback(owner.register_forward_hook(after).remove)

    def leave() -> None:
        # An attention that raised has not come to its end.
        while running:
            running.pop()[1].close()

    with ExitStack() as undo:
        undo.callback(leave)
        for number, (block, split) in enumerate(zip(blocks, splits, strict=True), start=1):
            for write in split.writes:
                if write.kind == "attn" and write.linear_path is not None:
                    watch(number, block.get_submodule(write.linear_path.split(".")[0]), undo)
        ALL_ATTENTION_FUNCTIONS["eager"] = from_eager
        undo.callback(ALL_ATTENTION_FUNCTIONS.__delitem__, "eager")
        yield rows


class _WatchedSdpa(TorchFunctionMode):
    """Sees each call of SDPA while the attention of one block runs; may give something in its place.

    Only then: it is asked about every call of torch, which in a whole pass takes as long as the rows.
    """

    def __init__(self, on_call: Callable[..., torch.Tensor | None]) -> None:
        super().__init__()
        self._on_call = on_call

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is not functional.scaled_dot_product_attention:
            return func(*args, **kwargs)
        instead = self._on_call(*args, **kwargs)
        return func(*args, **kwargs) if instead is None else instead


def _weights(
    query: torch.Tensor,
    key: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    _dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    *,
    is_last_only: bool,
    **_: object,
) -> torch.Tensor:
    """The softmax of SDPA's arguments: `[heads, queries, sources]`.

    Of the last query alone, which sees all keys, where no other is wanted.
    """
    n_readers = query.shape[1] // key.shape[1]
    # Repeating copies all keys, also where each is read by one head.
    keys = (key[0] if n_readers == 1 else key[0].repeat_interleave(n_readers, 0)).float()
    size = query.shape[-1] ** -0.5 if scale is None else scale
    first = -1 if is_last_only else 0
    scores = query[0, :, first:].float() @ keys.transpose(1, 2) * size
    if attn_mask is not None:
        mask = attn_mask[0, :, first:, : scores.shape[-1]]
        if mask.dtype == torch.bool:
            scores = scores.masked_fill(~mask, -torch.inf)
        else:
            scores = scores + mask.float()
    elif is_causal and not is_last_only:
        seen = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
        scores = scores.masked_fill(~seen, -torch.inf)
    return scores.softmax(-1)
