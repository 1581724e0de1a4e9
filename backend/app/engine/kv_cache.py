"""KV caches that append without copying what they hold, and that can be cut and branched.

Transformers' own `DynamicLayer` concatenates at every token, which copies the whole cache each
time; here keys and values lie in buffers that double when they are full. All layers keep every
position, those with a sliding window too: the attention mask still hides what lies outside the
window, and a cache that forgot the older positions could not be cut back to an earlier token.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

FIRST_CAPACITY_TOKENS = 64


class GrowingLayer(DynamicLayer):  # type: ignore[misc]  # transformers has no types
    """Keys and values of one block, `[1, heads, tokens, d_head]`, as views of larger buffers."""

    def __init__(self) -> None:
        super().__init__()
        self._buffers: tuple[torch.Tensor, torch.Tensor] | None = None

    @property
    def n_bytes(self) -> int:
        return 0 if self._buffers is None else sum(b.nbytes for b in self._buffers)

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        *_args: object,
        **_kwargs: object,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        keys, values = self._reserve(end, key_states, value_states)
        keys[..., start:end, :] = key_states
        values[..., start:end, :] = value_states
        self._show(end)
        return self.keys, self.values

    def cut(self, n_tokens: int) -> None:
        """Forget everything from position `n_tokens` on."""
        if self.get_seq_length() > n_tokens:
            self._show(n_tokens)

    @contextmanager
    def rewound(self, start: int, end: int) -> Iterator[None]:
        """See `GrowingCache.rewound`."""
        length = self.get_seq_length()
        assert start < end <= length
        held = [buffer[..., start:end, :].clone() for buffer in self._held()]
        self._show(start)
        try:
            yield
        finally:
            for buffer, kept in zip(self._held(), held, strict=True):
                buffer[..., start:end, :] = kept
            self._show(length)

    def prefix(self, n_tokens: int) -> GrowingLayer:
        """A copy of the first `n_tokens` positions."""
        layer = GrowingLayer()
        if n_tokens and self.is_initialized:
            layer.update(self.keys[..., :n_tokens, :], self.values[..., :n_tokens, :])
        return layer

    def _held(self) -> tuple[torch.Tensor, torch.Tensor]:
        assert self._buffers is not None
        return self._buffers

    def _reserve(
        self, n_tokens: int, keys: torch.Tensor, values: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        held = self.get_seq_length()
        if self._buffers is None or self._buffers[0].shape[-2] < n_tokens:
            capacity = max(n_tokens, 2 * held, FIRST_CAPACITY_TOKENS)
            grown = tuple(
                like.new_empty((*like.shape[:-2], capacity, like.shape[-1]))
                for like in (keys, values)
            )
            if held:
                grown[0][..., :held, :] = self.keys
                grown[1][..., :held, :] = self.values
            self._buffers = (grown[0], grown[1])
        return self._buffers

    def _show(self, n_tokens: int) -> None:
        assert self._buffers is not None
        self.keys = self._buffers[0][..., :n_tokens, :]
        self.values = self._buffers[1][..., :n_tokens, :]


class GrowingCache(DynamicCache):  # type: ignore[misc]  # transformers has no types
    """A KV cache of `GrowingLayer`s, one made for each block when it first runs."""

    layers: list[GrowingLayer]

    def __init__(self) -> None:
        Cache.__init__(self, layer_class_to_replicate=GrowingLayer)

    @property
    def n_bytes(self) -> int:
        return sum(layer.n_bytes for layer in self.layers)

    def cut(self, n_tokens: int) -> None:
        """Forget everything from position `n_tokens` on, in every block."""
        for layer in self.layers:
            layer.cut(n_tokens)

    @contextmanager
    def rewound(self, start: int, end: int) -> Iterator[None]:
        """Inside, the cache ends before position `start`, and the tokens up to `end` may be run again.

        Afterwards every number is as it was: tokens run in other passes may differ in their last bits.
        """
        with ExitStack() as layers:
            for layer in self.layers:
                layers.enter_context(layer.rewound(start, end))
            yield

    def prefix(self, n_tokens: int) -> GrowingCache:
        """A copy of the first `n_tokens` positions, independent of this cache."""
        copy = GrowingCache()
        copy.layers = [layer.prefix(n_tokens) for layer in self.layers]
        return copy


def cache_bytes(cache: Cache) -> int:
    """Memory that a cache holds, whichever kind it is."""
    if isinstance(cache, GrowingCache):
        return cache.n_bytes
    return sum(_tensor_bytes(value) for layer in cache.layers for value in vars(layer).values())


def _tensor_bytes(value: object) -> int:
    if isinstance(value, torch.Tensor):
        return value.nbytes
    if isinstance(value, (list, tuple)):
        return sum(_tensor_bytes(item) for item in value)
    return 0
