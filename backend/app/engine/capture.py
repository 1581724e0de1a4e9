"""The one module that opens nnsight traces.

`TracedDecoder` runs a loaded model in three ways: forward over token ids, with the residual stream
of every layer captured in the same pass; decode, where the model's own tail (final norm,
unembedding, softcaps, multipliers) turns residual rows into logits; and forward with one layer's
residual stream replaced, for the self-check.

Modules are read in the order in which the model runs them, as nnsight requires. nnsight serves one
thread at a time: only the thread that owns the model may call these methods.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence

import torch
from torch import nn
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from app.engine.kv_cache import GrowingCache
from app.engine.runtime import LanguageModel, OutOfOrderError, nnsight
from app.engine.structure import Structure
from app.errors import ModelComputationError, UnsupportedArchitecture

ROW_MULTIPLE = 16
"""Rows are decoded in multiples of this: the unembedding of 13 rows takes longer than that of 16."""


class TracedDecoder:
    """A decoder whose residual streams can be read and decoded."""

    def __init__(self, lm: LanguageModel, structure: Structure) -> None:
        self.structure = structure
        self.forward_passes = 0
        """Passes through the blocks so far; decoding rows is none."""
        self.computed_tokens = 0
        """Tokens run through the blocks so far."""
        self._lm = lm
        self._model: nn.Module = lm._module
        self._blocks = [functools.reduce(getattr, p.split("."), lm) for p in structure.block_paths]
        parameters = inspect.signature(self._model.forward).parameters
        self._cache_name = next(
            (n for n in ("past_key_values", "cache_params") if n in parameters), None
        )
        self._keeps_last = "logits_to_keep" in parameters
        embedding = self._model.get_input_embeddings().weight
        self.device, self.dtype = embedding.device, embedding.dtype
        self.n_embeddings = embedding.shape[0]
        """Ids that the model can be fed; may differ from `d_vocab`, those it has logits for."""
        self._returns_tuple: list[bool] = [False] * structure.n_layers
        self._residual_dtype = torch.float32
        self.d_model, self.d_vocab = self._probe()

    @property
    def model(self) -> nn.Module:
        """The Hugging Face model itself; its parameters are frozen."""
        return self._model

    @property
    def n_layers(self) -> int:
        return self.structure.n_layers

    def empty_rows(self, n_tokens: int) -> torch.Tensor:
        """Unfilled residual streams, float32 `[n_tokens, n_layers + 1, d_model]`, in main memory."""
        return torch.empty(n_tokens, self.n_layers + 1, self.d_model)

    def new_cache(self) -> Cache | None:
        """An empty cache of the kind this model needs; None where it has none.

        Attention of any kind gets a `GrowingCache`, which can be cut; models with a recurrent state
        (Mamba, hybrids) get their own cache, which holds the state after its last token only.
        """
        if self._cache_name is None:
            return None
        own = DynamicCache(config=self._model.config)
        if all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in own.layers):
            return GrowingCache()
        return own

    def forward(
        self, ids: Sequence[int], cache: Cache | None, rows: torch.Tensor, first_index: int = 0
    ) -> torch.Tensor:
        """Run the model on `ids`, which follow what `cache` holds; gives the last position's logits.

        The residual streams go to `rows`, float32 `[len(ids), n_layers + 1, d_model]`; the logits are
        float32 `[d_vocab]`. Without a cache the ids are the whole text. `first_index` is the position
        of the first id, for messages. Raises ModelComputationError when a residual stream is not
        finite; after any exception the cache holds some of the ids in some of the blocks.
        """
        assert rows.shape == (len(ids), self.n_layers + 1, self.d_model)
        arguments = self._arguments(ids, cache)
        if self._keeps_last:
            arguments["logits_to_keep"] = 1
        staging = (
            rows if self.device == rows.device else rows.new_empty(rows.shape, device=self.device)
        )
        blocks, returns_tuple = self._blocks, self._returns_tuple
        with self._lm.trace(**arguments):
            # Copied out at once: a later block may change its input in place.
            staging[:, 0] = blocks[0].input[0]
            for layer, block in enumerate(blocks):
                output = block.output
                staging[:, layer + 1] = (output[0] if returns_tuple[layer] else output)[0]
            logits: torch.Tensor = nnsight.save(self._lm.output.logits)
        if staging is not rows:
            rows.copy_(staging)
        self._check_finite(rows, first_index)
        return logits[0, -1].float()

    def full_logits(self, ids: Sequence[int]) -> torch.Tensor:
        """The model's own logits at every position, float32 `[len(ids), d_vocab]`, with no cache."""
        arguments = self._arguments(ids, None)
        with self._lm.trace(**arguments):
            logits: torch.Tensor = nnsight.save(self._lm.output.logits)
        return logits[0].float()

    def full_logits_replacing(
        self, ids: Sequence[int], layer: int, rows: torch.Tensor
    ) -> torch.Tensor:
        """As `full_logits`, with the residual stream after block `layer` replaced by `rows` `[len(ids), d_model]`."""
        arguments = self._arguments(ids, None)
        block = self._blocks[layer - 1]
        is_tuple = self._returns_tuple[layer - 1]
        replacement = rows.to(self.device, self._residual_dtype).unsqueeze(0)
        with self._lm.trace(**arguments):
            output = block.output
            block.output = (replacement, *output[1:]) if is_tuple else replacement
            logits: torch.Tensor = nnsight.save(self._lm.output.logits)
        return logits[0].float()

    def decode(self, rows: torch.Tensor) -> torch.Tensor:
        """Logits of residual rows by the model's own tail: `[n_rows, d_model]` -> float32 `[n_rows, d_vocab]`.

        Every block is skipped and the rows stand where the last block's output would be, so what
        follows runs as the model's authors wrote it. Rows lie along the batch axis, one position
        each, so that no position limit applies.
        """
        n_rows = rows.shape[0]
        padded = -(-n_rows // ROW_MULTIPLE) * ROW_MULTIPLE
        # A copy, zero beyond the rows: the tail may work in place.
        batch = torch.zeros(padded, 1, self.d_model, dtype=self._residual_dtype, device=self.device)
        batch[:n_rows, 0] = rows
        ids = torch.zeros(padded, 1, dtype=torch.long, device=self.device)
        blocks, returns_tuple = self._blocks, self._returns_tuple
        with self._lm.trace(input_ids=ids, use_cache=False):
            for layer, block in enumerate(blocks):
                block.skip((batch,) if returns_tuple[layer] else batch)
            logits: torch.Tensor = nnsight.save(self._lm.output.logits)
        return logits[:n_rows, 0].float()

    def _arguments(self, ids: Sequence[int], cache: Cache | None) -> dict[str, object]:
        """Arguments of one pass through the blocks, which is counted here."""
        self.forward_passes += 1
        self.computed_tokens += len(ids)
        arguments: dict[str, object] = {
            "input_ids": torch.tensor([list(ids)], dtype=torch.long, device=self.device),
            "use_cache": cache is not None,
        }
        if cache is not None:
            assert self._cache_name is not None
            arguments[self._cache_name] = cache
        return arguments

    def _probe(self) -> tuple[int, int]:
        """Sizes of a residual stream and of the logits, from one pass over two tokens.

        Also notes which blocks return a tuple, whose first item is the residual stream, and its dtype.
        """
        arguments = self._arguments((0, 1), None)
        outputs: list[object] = []
        blocks = self._blocks
        try:
            with self._lm.trace(**arguments):
                outputs.extend([block.output for block in blocks])
                logits: torch.Tensor = nnsight.save(self._lm.output.logits)
        except OutOfOrderError as error:
            raise UnsupportedArchitecture(
                f"{type(self._model).__name__} does not run the {self.n_layers} blocks at"
                f" {self.structure.block_paths[0]} … one after the other.",
                hint=f"It ran {len(outputs)} of them in their order.",
            ) from error
        self._returns_tuple = [isinstance(output, tuple) for output in outputs]
        last = outputs[-1][0] if isinstance(outputs[-1], tuple) else outputs[-1]
        if not isinstance(last, torch.Tensor) or last.shape[:2] != (1, 2):
            raise UnsupportedArchitecture(
                f"The block at {self.structure.block_paths[-1]} gives no residual stream"
                f" [batch, position, d_model], but a {type(last).__name__}."
            )
        self._residual_dtype = last.dtype
        return last.shape[-1], logits.shape[-1]

    def _check_finite(self, rows: torch.Tensor, first_index: int) -> None:
        if bool(torch.isfinite(rows.sum())):
            return
        bad = (~torch.isfinite(rows).all(dim=-1)).nonzero()
        if len(bad) == 0:
            return  # Only the sum overflowed.
        position, layer = bad[bad[:, 1].argmin()].tolist()
        where = "after the embedding" if layer == 0 else f"after block {layer}"
        raise ModelComputationError(
            f"The residual stream at layer {layer} ({where}), position {first_index + position},"
            " is not a finite number.",
            hint="The weights of this model are damaged or overflow in its dtype.",
        )
