"""The one module that opens nnsight traces.

It is also the one door through which interventions reach a model (`edits.py`).

`TracedDecoder` runs a loaded model in four ways: forward over token ids, with the residual stream
of every layer captured in the same pass; decode, where the model's own tail (final norm,
unembedding, softcaps, multipliers) turns residual rows into logits; step, which is both for one
token and costs one pass; and forward with one layer's residual stream replaced, for the self-check.

Modules are read in the order in which the model runs them, as nnsight requires. nnsight serves one
thread at a time: only the thread that owns the model may call these methods.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from app.engine.edits import Edits
from app.engine.failures import MODEL_FAILURES, first_line
from app.engine.kv_cache import GrowingCache
from app.engine.packing import is_packed
from app.engine.runtime import LanguageModel, OutOfOrderError, nnsight
from app.engine.structure import Structure
from app.engine.tail import NARROW, compute_in_float32, recording_tail
from app.errors import ModelComputationError, UnsupportedArchitecture

logger = logging.getLogger(__name__)

ROW_MULTIPLE = 16
"""Without packed weights rows are decoded in multiples of this: 13 rows take longer than 16."""

UNSKIPPABLE = (OutOfOrderError, RuntimeError, ValueError, TypeError, AttributeError)
"""What a model raises that goes on to use its logits, or that calls its unembedding in another way."""

RowsToDecode = Callable[[torch.Tensor], torch.Tensor]
"""Residual streams of one token, float32 `[n_layers + 1, d_model]` -> rows to decode `[rows, d_model]`."""


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
        self.takes_positions = "position_ids" in parameters
        self.gives_positions = False
        """Whether passes that follow a cache say where they begin, for models that do not ask the cache
        themselves; the self-check decides."""
        self._unembedding = functools.reduce(getattr, structure.unembedding_path.split("."), lm)
        self.row_multiple = 1 if is_packed(structure.unembedding) else ROW_MULTIPLE
        """Rows are decoded in multiples of this."""
        self.reads_in_pass = False
        """Whether `step` may decode in the pass that runs the token; the self-check allows it."""
        embedding = self._model.get_input_embeddings().weight
        self.device, self.dtype = embedding.device, embedding.dtype
        self.n_embeddings = embedding.shape[0]
        """Ids that the model can be fed; may differ from `d_vocab`, those it has logits for."""
        self._tuple_lengths: list[int | None] = [None] * structure.n_layers
        """Items that each block returns, the residual stream first; None for a bare tensor."""
        self._residual_dtype = torch.float32
        self.d_model, self.d_vocab = self._probe()
        self._tail_dtype = torch.float32 if self._residual_dtype in NARROW else self._residual_dtype
        self._no_logits = self._probe_without_logits()

    @property
    def model(self) -> nn.Module:
        """The Hugging Face model itself; its parameters are frozen."""
        return self._model

    @property
    def n_layers(self) -> int:
        return self.structure.n_layers

    @property
    def tuple_lengths(self) -> Sequence[int | None]:
        """Items that each block returns, the residual stream first; None for a bare tensor."""
        return self._tuple_lengths

    @property
    def residual_dtype(self) -> torch.dtype:
        """That of the stream between blocks."""
        return self._residual_dtype

    def arguments(
        self,
        ids: Sequence[int],
        cache: Cache | None,
        first_index: int,
        n_rows: int,
        n_new: int | None = None,
    ) -> dict[str, object]:
        """Arguments of a pass outside of a trace, which runs `ids` in `n_rows` rows of one batch.

        Counted as `n_new` times these tokens, all rows by default; others were counted in blocks below.
        """
        arguments = self._arguments(ids, cache, first_index)
        self.computed_tokens += ((n_rows if n_new is None else n_new) - 1) * len(ids)
        return {
            name: value.expand(n_rows, -1) if isinstance(value, torch.Tensor) else value
            for name, value in arguments.items()
        }

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
        self,
        ids: Sequence[int],
        cache: Cache | None,
        rows: torch.Tensor,
        first_index: int = 0,
        edits: Edits | None = None,
    ) -> None:
        """Run the model on `ids`, which follow what `cache` holds.

        The residual streams go to `rows`, float32 `[len(ids), n_layers + 1, d_model]`; logits are
        read from them by `decode`. Without a cache the ids are the whole text. `first_index` is the
        position of the first id. `edits` change the computation; the rows are those that they lead to.
        Raises ModelComputationError when a residual stream is not finite; after any exception the cache
        holds some of the ids in some of the blocks.
        """
        assert rows.shape == (len(ids), self.n_layers + 1, self.d_model)
        staging = self._staging(rows)
        # nnsight reads the source of its own `with`.
        with self._acting(edits, first_index, len(ids)) as acting:  # noqa: SIM117 (nnsight reads the source of its own `with`)
            with self._lm.trace(**self._arguments(ids, cache, first_index, last_logits=True)):
                self._capture(staging, acting)
                if self._no_logits is not None:
                    self._unembedding.skip(self._no_logits)
        if staging is not rows:
            rows.copy_(staging)
        self._check_finite(rows, first_index, acting)

    def step(
        self,
        token_id: int,
        cache: Cache | None,
        rows: torch.Tensor,
        index: int,
        to_decode: RowsToDecode,
        edits: Edits | None = None,
    ) -> torch.Tensor:
        """Run the model on one further token and decode rows of it: float32 `[rows, d_vocab]`.

        As `forward` of this id and `decode` of `to_decode(rows[0])`. Where the self-check found it
        exact, both are one pass: what the last block puts out is replaced by the rows, so that the
        model's tail decodes them all, and its weights are read once.
        """
        if not self.reads_in_pass:
            self.forward((token_id,), cache, rows, index, edits)
            return self.decode(to_decode(rows[0]))
        staging = self._staging(rows)
        with self._acting(edits, index, 1) as acting:  # noqa: SIM117 (nnsight reads the source of its own `with`)
            with self._lm.trace(**self._arguments((token_id,), cache, index, last_logits=True)):
                output = self._capture(staging, acting)
                chosen = to_decode(staging[0])
                batch = self._batch(chosen)
                self._blocks[-1].output = _replacing_stream(output, batch)
                n_rows = nnsight.save(len(chosen))
                logits: torch.Tensor = nnsight.save(self._lm.output.logits)
        if staging is not rows:
            rows.copy_(staging)
        self._check_finite(rows, index, acting)
        return logits[:n_rows, -1].float()

    def full_logits(self, ids: Sequence[int], rows: torch.Tensor | None = None) -> torch.Tensor:
        """The model's own logits at every position, float32 `[len(ids), d_vocab]`, with no cache.

        `rows`, as for `forward`, is filled with the residual streams of the same pass.
        """
        arguments = self._arguments(ids, None)
        staging = None if rows is None else self._staging(rows)
        with self._lm.trace(**arguments):
            if staging is not None:
                self._capture(staging)
            logits: torch.Tensor = nnsight.save(self._lm.output.logits)
        if rows is not None and staging is not None:
            if staging is not rows:
                rows.copy_(staging)
            self._check_finite(rows, 0)
        return logits[0].float()

    def full_logits_replacing(
        self, ids: Sequence[int], layer: int, rows: torch.Tensor
    ) -> torch.Tensor:
        """As `full_logits`, with the residual stream after block `layer` replaced by `rows` `[len(ids), d_model]`."""
        arguments = self._arguments(ids, None)
        block = self._blocks[layer - 1]
        replacement = rows.to(self.device, self._residual_dtype).unsqueeze(0)
        with self._lm.trace(**arguments):
            block.output = _replacing_stream(block.output, replacement)
            logits: torch.Tensor = nnsight.save(self._lm.output.logits)
        return logits[0].float()

    def decode(self, rows: torch.Tensor) -> torch.Tensor:
        """Logits of residual rows by the model's own tail: `[n_rows, d_model]` -> float32 `[n_rows, d_vocab]`.

        Every block is skipped and the rows stand where the last block's output would be, so what
        follows runs as the model's authors wrote it. Rows lie along the batch axis, one position
        each, so that no position limit applies.
        """
        batch = self._batch(rows)
        ids = torch.zeros(len(batch), 1, dtype=torch.long, device=self.device)
        outputs = [
            # A model may unpack what its block returns, so the tuple keeps its length.
            batch if length is None else (batch, *[None] * (length - 1))
            for length in self._tuple_lengths
        ]
        blocks = self._blocks
        with self._lm.trace(input_ids=ids, use_cache=False):
            for block, output in zip(blocks, outputs, strict=True):
                block.skip(output)
            logits: torch.Tensor = nnsight.save(self._lm.output.logits)
        return logits[: len(rows), 0].float()

    def _staging(self, rows: torch.Tensor) -> torch.Tensor:
        """Where a pass puts the streams that `rows` is to hold: on the model's own device."""
        if self.device == rows.device:
            return rows
        return rows.new_empty(rows.shape, device=self.device)

    @contextmanager
    def _acting(
        self, edits: Edits | None, first_index: int, n_tokens: int
    ) -> Iterator[Edits | None]:
        """The edits that act in a pass, if any does; afterwards they are known to have acted."""
        if edits is None or not edits.begin(first_index, n_tokens, self.device):
            yield None
            return
        with edits.hooks():
            yield edits
        edits.require_acted()

    def _capture(
        self, rows: torch.Tensor, edits: Edits | None = None
    ) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Inside a trace: copies every layer's stream into `rows`; gives what the last block put out.

        Streams that `edits` change go on changed. What they make of the last one is in `rows` only: who
        wants logits decodes these.
        """
        if edits is not None and edits.changes_stream(0):
            changed = edits.residual(0, self._blocks[0].input)
            self._blocks[0].input = changed
            rows[:, 0] = changed[0]
        else:
            # Copied out at once: a later block may change its input in place.
            rows[:, 0] = self._blocks[0].input[0]
        output: torch.Tensor | tuple[torch.Tensor, ...] = ()
        for layer, block in enumerate(self._blocks, start=1):
            output = block.output
            if edits is not None and edits.changes_stream(layer):
                output = _replacing_stream(output, edits.residual(layer, _stream(output)))
                if layer < self.n_layers:
                    block.output = output
            rows[:, layer] = _stream(output)[0]
        return output

    def _batch(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows along the batch axis, `[at least rows, 1, d_model]`: a copy, for a tail may work in place."""
        padded = -(-len(rows) // self.row_multiple) * self.row_multiple
        shape = (padded, 1, self.d_model)
        batch = torch.zeros(shape, dtype=self._tail_dtype, device=self.device)
        batch[: len(rows), 0] = rows
        return batch

    def _arguments(
        self,
        ids: Sequence[int],
        cache: Cache | None,
        first_index: int = 0,
        *,
        last_logits: bool = False,
    ) -> dict[str, object]:
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
        if self.gives_positions:
            positions = torch.arange(first_index, first_index + len(ids), device=self.device)
            arguments["position_ids"] = positions[None]
        if last_logits and self._keeps_last:
            arguments["logits_to_keep"] = 1
        return arguments

    def _probe(self) -> tuple[int, int]:
        """Sizes of a residual stream and of the logits, from one pass over two tokens.

        Also notes what each block returns and the dtype of the stream, and widens the model's tail.
        Raises UnsupportedArchitecture for a model that does not run on token ids alone, or whose
        blocks do not pass on a residual stream.
        """
        arguments = self._arguments((0, 1), None)
        outputs: list[object] = []
        blocks, structure = self._blocks, self.structure
        kind = type(self._model).__name__
        try:
            # nnsight reads the source of its own `with`.
            with recording_tail(self._model, structure.blocks[-1]) as tail:  # noqa: SIM117 (nnsight reads the source of its own `with`)
                with self._lm.trace(**arguments):
                    outputs.extend([block.output for block in blocks])
                    logits: torch.Tensor = nnsight.save(self._lm.output.logits)
        except OutOfOrderError as error:
            raise UnsupportedArchitecture(
                f"{kind} does not run the {self.n_layers} blocks at {structure.block_paths[0]} …"
                " one after the other.",
                hint=f"It ran {len(outputs)} of them in their order.",
            ) from error
        except torch.OutOfMemoryError:
            raise
        except MODEL_FAILURES as error:
            raise UnsupportedArchitecture(
                f"{kind} does not run on token ids alone: {first_line(error)}.",
                hint="Choose a text-only decoder that needs no further inputs or settings.",
            ) from error
        for layer, output in enumerate(outputs):
            stream = _stream(output)
            if not isinstance(stream, torch.Tensor) or stream.shape != (1, 2, stream.shape[-1]):
                shape = list(stream.shape) if isinstance(stream, torch.Tensor) else None
                found = f"a {type(stream).__name__}" if shape is None else f"shape {shape}"
                raise UnsupportedArchitecture(
                    f"The block at {structure.block_paths[layer]} of {kind} gives no residual stream"
                    f" [batch, position, d_model]: for 1 text of 2 tokens it gave {found}.",
                    hint="Models with several residual streams at once cannot be read layer by layer.",
                )
        self._tuple_lengths = [
            len(output) if isinstance(output, tuple) else None for output in outputs
        ]
        last = _stream(outputs[-1])
        self._residual_dtype = last.dtype
        if any(p.dtype in NARROW for module in tail for p in module.parameters(recurse=False)):
            compute_in_float32(tail)
        return last.shape[-1], logits.shape[-1]

    def _probe_without_logits(self) -> torch.Tensor | None:
        """What stands for the logits in a pass that needs none; None where they cannot be left out."""
        nothing = torch.zeros(1, 1, self.d_vocab, dtype=self._tail_dtype, device=self.device)
        try:
            with self._lm.trace(**self._arguments((0, 1), None, last_logits=True)):
                self._unembedding.skip(nothing)
        except UNSKIPPABLE as error:
            logger.info("the unembedding runs in every pass: %s", error)
            return None
        return nothing

    def _check_finite(
        self, rows: torch.Tensor, first_index: int, edits: Edits | None = None
    ) -> None:
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
            hint="The weights of this model are damaged or overflow in its dtype."
            if edits is None
            else "The interventions are too strong for this model; choose a smaller strength.",
        )


def _stream(output: Any) -> Any:
    """The residual stream in what a block returns."""
    return output[0] if isinstance(output, tuple) else output


def _replacing_stream(output: Any, stream: torch.Tensor) -> Any:
    """What a block returned, with another residual stream."""
    return (stream, *output[1:]) if isinstance(output, tuple) else stream
