"""Attention edges taken out before the softmax.

The model's own attention runs as it is, and keeps its bits. For the queries and heads that are to read
less, the rows are computed once more from the same queries, keys and mask, without the sources that
are knocked out, and put in the place of its own (Geva et al. 2023, arXiv:2304.14767).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS


@dataclass(frozen=True, slots=True)
class Edges:
    """What one intervention takes out in one block, in one pass."""

    heads: tuple[int, ...]
    rows: torch.Tensor
    """Queries of the pass, from its first."""
    sources: tuple[int, ...]
    """Positions in the text."""
    n_total: int
    """Where the pass ends in the text: keys are its last positions."""
    count: Callable[[], None]
    """Called when they are out."""


@contextmanager
def knocking_out(edges: Mapping[nn.Module, Sequence[Edges]]) -> Iterator[None]:
    """By the module that runs a block's attention: what it does not read in the passes inside."""
    running: list[nn.Module] = []

    def before(module: nn.Module, _args: object) -> None:
        running.append(module)

    def after(_module: nn.Module, _args: object, _output: object) -> None:
        running.pop()

    def from_eager(
        module: nn.Module,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor | None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        own: Callable[..., Any] = sys.modules[type(module).__module__].eager_attention_forward
        output, weights = own(module, query, key, value, attention_mask, *args, **kwargs)
        for one in edges[running[-1]] if running else ():
            mask = _mask_without(one, query, key, attention_mask)
            found, _ = own(module, query, key, value, mask, *args, **kwargs)
            # Queries before heads, as eager attention gives them.
            output = output.clone()
            for head in one.heads:
                output[0, one.rows, head] = found[0, one.rows, head]
            one.count()
        return output, weights

    with ExitStack() as undo:
        for owner in edges:
            undo.callback(owner.register_forward_pre_hook(before).remove)
            undo.callback(owner.register_forward_hook(after).remove)
        ALL_ATTENTION_FUNCTIONS["eager"] = from_eager
        undo.callback(ALL_ATTENTION_FUNCTIONS.__delitem__, "eager")
        undo.enter_context(_WatchedSdpa(edges, running))
        yield


class _WatchedSdpa(TorchFunctionMode):
    """Changes what SDPA gives while an attention module runs."""

    def __init__(
        self, edges: Mapping[nn.Module, Sequence[Edges]], running: list[nn.Module]
    ) -> None:
        super().__init__()
        self._edges = edges
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
            for one in self._edges[self._running[-1]]:
                output = _without(one, output, *args, **kwargs)
                one.count()
        return output


def _without(
    edges: Edges,
    output: torch.Tensor,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    _dropout_p: float = 0.0,
    _is_causal: bool = False,
    scale: float | None = None,
    **_: object,
) -> torch.Tensor:
    """SDPA's output `[1, heads, queries, d_value]` with the rows of the edges computed anew."""
    mask = _mask_without(edges, query, key, attn_mask)
    size = query.shape[-1] ** -0.5 if scale is None else scale
    shared = query.shape[1] // key.shape[1]
    output = output.clone()
    for head in edges.heads:
        keys, values = key[0, head // shared].float(), value[0, head // shared].float()
        scores = query[0, head, edges.rows].float() @ keys.T * size
        weights = (scores + mask[0, head, edges.rows].float()).softmax(-1)
        output[0, head, edges.rows] = (weights @ values).to(output.dtype)
    return output


def _mask_without(
    edges: Edges, query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor | None
) -> torch.Tensor:
    """The mask, added to scores, `[1, heads, queries, keys]`, without the edges."""
    n_heads, n_queries, n_keys = query.shape[1], query.shape[2], key.shape[2]
    nothing = -torch.inf
    if mask is None:
        # No mask is a causal one: the queries are the last of the keys.
        hidden = torch.ones(n_queries, n_keys, dtype=torch.bool, device=query.device)
        hidden = hidden.triu(n_keys - n_queries + 1)
        added = torch.zeros(n_queries, n_keys, dtype=query.dtype, device=query.device)
        added = added.masked_fill(hidden, nothing)[None, None]
    elif mask.dtype == torch.bool:
        added = torch.zeros(mask.shape, dtype=query.dtype, device=query.device)
        added = added.masked_fill(~mask, nothing)
    else:
        # Where nothing is left to read, the row is no number and is refused, instead of reading what is hidden.
        added = mask.masked_fill(mask <= torch.finfo(mask.dtype).min / 2, nothing)
    added = added[..., :n_keys].expand(1, n_heads, n_queries, n_keys).clone()
    # A cache with a sliding window may have dropped the first keys.
    dropped = edges.n_total - n_keys
    columns = [source - dropped for source in edges.sources if dropped <= source < edges.n_total]
    for head in edges.heads:
        for column in columns:
            added[0, head, edges.rows, column] = -torch.inf
    return added
