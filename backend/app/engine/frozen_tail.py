"""Logits of one token as a linear map of its last residual stream, with the final norm's scale frozen.

The tail of a model is a norm, at times a linear map (OPT), the unembedding, and a multiplier or a
softcap. Which of these it has is found by running it on the token: what cannot be put together from
them is refused. A softcap is no linear map, so the logits here are those before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from app.engine.capture import TracedDecoder
from app.engine.causes_types import Mean
from app.engine.frozen import FrozenNorm, NotLinear, bias_of, freeze_norm, matrix_of

CAPS = ("final_logit_softcapping", "output_logit_soft_cap")
"""Where configurations keep the softcap of the logits."""

MEAN_ROWS = 4096
"""Rows of the unembedding that are added up at a time."""


@dataclass(frozen=True, slots=True)
class TailDirections:
    """How logits depend on the last residual stream: `logit = stream · direction + constant`."""

    directions: torch.Tensor
    """float64 `[n, d_model]`"""
    constants: torch.Tensor
    """float64 `[n]`: biases of the final norm and the unembedding."""


@dataclass(frozen=True, slots=True)
class FrozenTail:
    """The tail of a model at one token."""

    logits: torch.Tensor
    """float64 `[d_vocab]`, before a softcap."""
    softcap: float | None
    _multiplier: float
    _linear: tuple[nn.Module, ...]
    """Linear maps between the norm and the unembedding, in running order."""
    _norm: FrozenNorm | None
    _unembedding: nn.Module

    def directions(self, rows: Sequence[int | Mean]) -> TailDirections:
        """Of logits by id, and of the mean of all."""
        matrix, bias = matrix_of(self._unembedding), bias_of(self._unembedding)
        vectors, constants = [], []
        for row in rows:
            if row == "mean":
                vectors.append(_mean_row(self._unembedding))
                constants.append(0.0 if bias is None else float(bias.mean()))
            else:
                vectors.append(matrix[row].double())
                constants.append(0.0 if bias is None else float(bias[row]))
        directions = torch.stack(vectors)
        constant = torch.tensor(constants, dtype=torch.float64, device=directions.device)
        for linear in reversed(self._linear):
            shift = bias_of(linear)
            if shift is not None:
                constant = constant + directions @ shift
            directions = directions @ matrix_of(linear).double()
        if self._norm is not None:
            constant = constant + directions @ self._norm.shift
            directions = self._norm.pulled_back(directions)
        return TailDirections(self._multiplier * directions, self._multiplier * constant)

    def effects(self, vectors: torch.Tensor) -> torch.Tensor:
        """What parts of the stream, float64 `[n, d_model]`, add to each logit less the mean over all.

        A change of all logits alike changes no probability. Returns float32 `[n, d_vocab]`; rows of
        the unembedding are taken a few thousand at a time, so that no copy of it is made.
        """
        pushed = vectors if self._norm is None else self._norm.pushed(vectors)
        for linear in self._linear:
            pushed = pushed @ matrix_of(linear).double().T
        matrix, pushed = matrix_of(self._unembedding), pushed.float()
        found = torch.cat(
            [
                pushed @ matrix[start : start + MEAN_ROWS].float().T
                for start in range(0, len(matrix), MEAN_ROWS)
            ],
            dim=-1,
        )
        return self._multiplier * (found - found.double().mean(-1, keepdim=True).float())


def freeze_tail(decoder: TracedDecoder, stream: torch.Tensor) -> FrozenTail:
    """The tail at the token whose last residual stream this is, float32 `[d_model]`. Raises NotLinear."""
    model, structure = decoder.model, decoder.structure
    norm = (
        None
        if structure.final_norm_path is None
        else model.get_submodule(structure.final_norm_path)
    )
    unembedding = structure.unembedding
    calls: dict[nn.Module, tuple[torch.Tensor, torch.Tensor]] = {}

    def record(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if args and isinstance(args[0], torch.Tensor) and isinstance(output, torch.Tensor):
            calls[module] = (args[0][0].reshape(-1).clone(), output[0].reshape(-1).clone())

    with ExitStack() as hooks:
        for module in model.modules():
            if module in (norm, unembedding) or isinstance(module, (nn.Linear, Conv1D)):
                hooks.callback(module.register_forward_hook(record).remove)
        logits = decoder.decode(stream[None])[0].double()
    if unembedding not in calls:
        raise NotLinear("the unembedding was not called with the stream alone")
    into, raw = calls[unembedding]
    frozen = None
    at = stream.to(into.device)
    if norm is not None and norm in calls:
        given, at = calls[norm]
        frozen = freeze_norm(norm, given, at)
    chain: list[nn.Module] = []
    while not torch.equal(at, into):
        following = next(
            (
                m
                for m, (given, _) in calls.items()
                if m not in (norm, unembedding) and torch.equal(given, at)
            ),
            None,
        )
        if following is None or following in chain:
            raise NotLinear("something between the final norm and the unembedding is not linear")
        chain.append(following)
        at = calls[following][1]
    multiplier, softcap = _after_unembedding(raw.double(), logits, model)
    return FrozenTail(
        multiplier * raw.double(), softcap, multiplier, tuple(chain), frozen, unembedding
    )


def _after_unembedding(
    raw: torch.Tensor, logits: torch.Tensor, model: nn.Module
) -> tuple[float, float | None]:
    """What is done to the unembedding's output: the multiplier, and the softcap if there is one."""
    multiplier = float(raw @ logits) / float(raw @ raw)
    if float((multiplier * raw - logits).abs().max()) <= 1e-5 * float(logits.abs().max()):
        return multiplier, None
    config: Any = model.config
    config = config.get_text_config() if hasattr(config, "get_text_config") else config
    for name in CAPS:
        cap = getattr(config, name, None)
        if not isinstance(cap, (int, float)) or cap <= 0:
            continue
        capped = cap * torch.tanh(raw / cap)
        if float((capped - logits).abs().max()) <= 1e-5 * float(cap):
            return 1.0, float(cap)
    raise NotLinear("the logits are no multiple of the unembedding's output, nor a softcap of it")


_mean_rows: WeakKeyDictionary[nn.Module, torch.Tensor] = WeakKeyDictionary()
"""Of unembeddings in use. They are held weakly, because a module holds its model, which may be switched."""


def _mean_row(unembedding: nn.Module) -> torch.Tensor:
    if unembedding not in _mean_rows:
        matrix = matrix_of(unembedding)
        total = torch.zeros(matrix.shape[1], dtype=torch.float64, device=matrix.device)
        for start in range(0, len(matrix), MEAN_ROWS):
            total += matrix[start : start + MEAN_ROWS].double().sum(0)
        _mean_rows[unembedding] = total / len(matrix)
    return _mean_rows[unembedding]
