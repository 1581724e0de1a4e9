"""A loaded model as plain torch, so that gradients reach its residual streams.

The engine reads models through nnsight under `inference_mode`, whose tensors autograd refuses. Here
forward hooks on the blocks give the residual streams, and the model's own tail (final norm,
unembedding, softcaps, multipliers) decodes rows of them; both can be differentiated. Parameters stay
frozen.

It is a second way through the model, so it is held to the first when the model is loaded: the same
logits, and a slope that a finite step along it confirms.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from app.engine.capture import TracedDecoder
from app.engine.failures import MODEL_FAILURES, first_line
from app.engine.structure import Structure
from app.engine.tail import NARROW
from app.engine.types import Capability

logger = logging.getLogger(__name__)

MAX_LOGIT_DIFFERENCE = 1e-3
"""Between the two ways, in logits up to 50 and in proportion above."""
NARROW_LOGIT_SHARE = 5e-2
STEPS = (1e-2, 2e-3, 4e-4, 1e-4)
"""Of the finite differences, as shares of the stream's length: a long step bends, a short one is lost
in rounding, so the one that agrees best counts."""
MAX_SLOPE_DIFFERENCE = 5e-2
"""Between the gradient and the finite difference, as a share of the larger."""
NARROW_SLOPE_DIFFERENCE = 0.3


@dataclass(frozen=True, slots=True)
class Columns:
    """Some tokens of the vocabulary, each for as many as it stands for."""

    weight: torch.Tensor
    """Their rows of the unembedding, `[columns, d_model]`."""
    bias: torch.Tensor | None
    log_weights: torch.Tensor
    """Added to their logits, `[columns]`: the natural log of how many tokens each stands for."""


class HookedDecoder:
    """Residual streams and logits of one model, with gradients where they are enabled."""

    def __init__(self, model: nn.Module, structure: Structure) -> None:
        """`model` is a Hugging Face decoder; it is run once, on two tokens, to see what blocks give."""
        self.model = model
        self.n_layers = structure.n_layers
        self.device = model.get_input_embeddings().weight.device  # type: ignore[operator]
        self._blocks = structure.blocks
        self._unembedding = structure.unembedding
        self.d_vocab = int(structure.unembedding.weight.shape[0])  # type: ignore[index]
        # Without the unembedding, which streams do not need.
        self._base: nn.Module = getattr(model, "base_model", model)
        self._tuple_lengths, last = self._probe()
        self.d_model = last.shape[-1]
        # The engine has given a 16-bit model a tail in float32.
        self._tail_dtype = torch.float32 if last.dtype in NARROW else last.dtype

    def residual_streams(self, ids: torch.Tensor) -> list[torch.Tensor]:
        """The residual stream of every layer, `n_layers + 1` times `[sequences, positions, d_model]`.

        `ids`: int64 `[sequences, positions]`, each sequence a text of its own. Where gradients are
        enabled, layer 0 is a leaf, so that they reach every layer and no further.
        """
        streams: list[torch.Tensor] = []

        def before(_block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            name = None if args else next(iter(kwargs))
            stream = (args[0] if name is None else kwargs[name]).detach()
            streams.append(stream.requires_grad_(torch.is_grad_enabled()))
            # A copy goes on, here and below, because a block may change its input in place.
            if name is None:
                return (stream.clone(), *args[1:]), kwargs
            return args, {**kwargs, name: stream.clone()}

        def after(_block: nn.Module, _args: tuple[Any, ...], output: Any) -> Any:
            is_tuple = isinstance(output, tuple)
            streams.append(output[0] if is_tuple else output)
            return (streams[-1].clone(), *output[1:]) if is_tuple else streams[-1].clone()

        with ExitStack() as hooks:
            first = self._blocks[0].register_forward_pre_hook(before, with_kwargs=True)
            hooks.callback(first.remove)
            for block in self._blocks:
                hooks.callback(block.register_forward_hook(after).remove)
            self._base(input_ids=ids.to(self.device), use_cache=False)
        return streams

    def decode(self, rows: torch.Tensor, columns: Columns | None = None) -> torch.Tensor:
        """Logits of residual rows by the model's own tail: `[rows, d_model]` -> float32 `[rows, d_vocab]`.

        With `columns`, of these tokens alone, plus their `log_weights`: `[rows, columns]`. No block runs:
        the rows stand where the last block's output would be. They lie along the batch axis, one position
        each, so that no position limit applies.
        """
        assert rows.dim() == 2
        # A copy, because the tail may work in place.
        batch = rows.to(self._tail_dtype, copy=True).unsqueeze(1)
        ids = torch.zeros(len(rows), 1, dtype=torch.long, device=self.device)
        with ExitStack() as undo:
            undo.enter_context(self._blocks_giving(batch))
            if columns is not None:
                head = self._unembedding
                undo.callback(set_forward, head, head.__dict__.get("forward"))
                set_forward(head, lambda x: F.linear(x, columns.weight, columns.bias))
            logits: torch.Tensor = self.model(input_ids=ids, use_cache=False).logits
        logits = logits.squeeze(1).float()
        return logits if columns is None else logits + columns.log_weights

    def columns(self, ids: torch.Tensor, log_weights: torch.Tensor) -> Columns:
        """The tokens `ids` `[columns]`, with the natural log of how many each stands for."""
        head = self._unembedding
        bias = getattr(head, "bias", None)
        ids = ids.to(self.device)
        return Columns(
            head.weight.detach()[ids],  # type: ignore[operator]
            None if bias is None else bias.detach()[ids],
            log_weights.to(self.device),
        )

    @torch.no_grad()
    def can_read_columns(self) -> bool:
        """Whether some columns of the unembedding give the logits that all of them give."""
        if not isinstance(self._unembedding, nn.Linear):
            return False
        ids = torch.arange(0, self.d_vocab, max(1, self.d_vocab // 64))
        row = self.residual_streams(torch.tensor([[0, 1]]))[-1][0].float()
        try:
            expected = self.decode(row)[:, ids.to(self.device)]
            found = self.decode(row, self.columns(ids, torch.zeros(len(ids))))
        except MODEL_FAILURES:
            return False
        largest = float(expected.abs().max())
        return found.shape == expected.shape and bool(
            ((found - expected).abs() <= 1e-4 * max(1.0, largest)).all()
        )

    @contextmanager
    def _blocks_giving(self, batch: torch.Tensor) -> Iterator[None]:
        """Every block gives `batch` and computes nothing."""
        with ExitStack() as undo:
            for block, length in zip(self._blocks, self._tuple_lengths, strict=True):
                undo.callback(set_forward, block, block.__dict__.get("forward"))
                output = batch if length is None else (batch, *[None] * (length - 1))
                set_forward(block, lambda *_, output=output, **__: output)
            yield

    @torch.no_grad()
    def _probe(self) -> tuple[list[int | None], torch.Tensor]:
        """Items that each block returns, None for a bare tensor, and the last stream of two tokens."""
        lengths: list[int | None] = []
        with ExitStack() as hooks:
            for block in self._blocks:
                handle = block.register_forward_hook(
                    lambda _block, _args, output: lengths.append(
                        len(output) if isinstance(output, tuple) else None
                    )
                )
                hooks.callback(handle.remove)
            last = self.residual_streams(torch.tensor([[0, 1]]))[-1]
        return lengths, last


def set_forward(block: nn.Module, forward: Any) -> None:
    """Give one block a forward of its own; with None it has that of its class again.

    nnsight leaves a forward of its own on every block, so the former one has to be kept.
    """
    if forward is None:
        del block.forward
    else:
        block.forward = forward


def measured_gradients(decoder: TracedDecoder, ids: Sequence[int]) -> Capability:
    """Whether the differentiable way gives the model's own logits and their true slope, on `ids`."""
    try:
        with torch.inference_mode(False), torch.enable_grad():
            return _compared(decoder, ids)
    except MODEL_FAILURES as failure:
        return Capability(False, f"It cannot be differentiated: {first_line(failure)}")


def _compared(decoder: TracedDecoder, ids: Sequence[int]) -> Capability:
    with torch.inference_mode():
        expected = decoder.full_logits(ids)[-1]
    top, other = expected.topk(2).indices.tolist()
    hooked = HookedDecoder(decoder.model, decoder.structure)
    streams = hooked.residual_streams(torch.tensor([list(ids)]))
    logits = hooked.decode(streams[-1][0, -1:])[0]
    difference = float((logits.detach() - expected).abs().max())
    largest = float(expected.abs().max())
    is_narrow = decoder.dtype in NARROW
    allowed = (
        NARROW_LOGIT_SHARE * largest
        if is_narrow
        else MAX_LOGIT_DIFFERENCE * max(1.0, largest / 50.0)
    )
    if difference > allowed:
        return Capability(
            False, f"Run with gradients, its logits differ by {difference:.3g}.", difference
        )
    layer = max(1, decoder.n_layers // 2)
    (gradient,) = torch.autograd.grad(logits[top] - logits[other], [streams[layer]])
    at, slope = streams[layer][0].detach().float(), gradient[0].float()
    length = float(slope.norm())
    if length == 0:
        return Capability(False, "Its logits do not depend on the middle of the model.", difference)
    unit = float(at.norm()) / len(at) ** 0.5 * slope / length
    off, allowed = 1.0, NARROW_SLOPE_DIFFERENCE if is_narrow else MAX_SLOPE_DIFFERENCE
    for share in STEPS:
        if off <= allowed / 10:
            break
        step = share * unit
        with torch.inference_mode():
            ahead, behind = (
                decoder.full_logits_replacing(ids, layer, at + sign * step)[-1].double()
                for sign in (1, -1)
            )
        change = ahead - behind
        measured, expected_change = (
            float(change[top] - change[other]),
            2 * float((slope * step).sum()),
        )
        off = min(off, abs(measured - expected_change) / max(abs(measured), expected_change))
    if off > allowed:
        return Capability(
            False,
            f"The gradient of a logit is {off:.1%} off what a small step changes.",
            difference,
        )
    return Capability(True, None, difference)
