"""Maps of one token that are linear once the scale of each norm is held fixed.

A norm divides by the size of its input, so a logit is not linear in what wrote the stream. With that
one number frozen at its value for this token it is, and parts then add up to the logit exactly
(Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits"). Which kind of norm it is,
is found by trial: weight or 1 + weight, centred or not.

Everything here is float64 `[d]` of one token; `pulled_back` takes directions on an output, `[n, d]`,
to directions on the input.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from app.engine.kept_weights import made
from app.engine.tail import NARROW

TOLERANCE = 2e-5
NARROW_TOLERANCE = 2e-2


class NotLinear(Exception):
    """A map is none of the known forms; the message says which."""


@dataclass(frozen=True, slots=True)
class FrozenNorm:
    """`y = scale · gain ⊙ (x − mean(x)) + shift`, with or without the mean, at one token."""

    gain: torch.Tensor
    """Times the frozen scale."""
    shift: torch.Tensor
    is_centred: bool

    def pulled_back(self, directions: torch.Tensor) -> torch.Tensor:
        pulled = directions * self.gain
        return pulled - pulled.mean(-1, keepdim=True) if self.is_centred else pulled

    def pushed(self, vectors: torch.Tensor) -> torch.Tensor:
        """What parts of the input, `[n, d]`, are in the output, without the shift."""
        centred = vectors - vectors.mean(-1, keepdim=True) if self.is_centred else vectors
        return self.gain * centred


def freeze_norm(module: nn.Module, given: torch.Tensor, output: torch.Tensor) -> FrozenNorm:
    """The norm at the token whose input and output these are, `[d]`. Raises NotLinear."""
    x, y = given.double(), output.double()
    vectors = [
        parameter.detach().double()
        for name, parameter in module.named_parameters(recurse=False)
        if "bias" not in name and parameter.shape == y.shape
    ]
    weight = vectors[0] if vectors else torch.zeros_like(y)
    gains = (weight, 1 + weight, torch.ones_like(y)) if vectors else (torch.ones_like(y),)
    bias = getattr(module, "bias", None)
    shift = bias.detach().double() if isinstance(bias, torch.Tensor) else torch.zeros_like(y)
    best: FrozenNorm | None = None
    least = float("inf")
    for gain, is_centred in itertools.product(gains, (False, True)):
        basis = gain * (x - x.mean() if is_centred else x)
        size = float(basis @ basis)
        if size == 0:
            continue
        scale = float(basis @ (y - shift)) / size
        residue = float((scale * basis + shift - y).abs().max())
        if residue < least:
            best, least = FrozenNorm(scale * gain, shift, is_centred), residue
    tolerance = NARROW_TOLERANCE if output.dtype in NARROW else TOLERANCE
    if best is None or least > tolerance * float(y.abs().max()):
        raise NotLinear(f"{type(module).__name__} is no layer norm or RMS norm")
    return best


def matrix_of(module: nn.Module) -> torch.Tensor:
    """The matrix of a linear map as `[outputs, inputs]`, as it is stored: Conv1D keeps it transposed."""
    weight = made(module.get_parameter("weight").detach())
    return weight.T if isinstance(module, Conv1D) else weight


def bias_of(module: nn.Module) -> torch.Tensor | None:
    bias = getattr(module, "bias", None)
    return bias.detach().double() if isinstance(bias, torch.Tensor) else None


LARGE = 2**24
"""Numbers of a matrix from which on products with it are in float32: a float64 copy would take more
memory than the model."""


def through_matrix(directions: torch.Tensor, module: nn.Module) -> torch.Tensor:
    """Directions on the outputs of a linear map, `[n, outputs]`, taken to its inputs `[n, inputs]`."""
    matrix = matrix_of(module)
    dtype = torch.float64 if matrix.numel() <= LARGE else torch.float32
    return (directions.to(dtype) @ matrix.to(dtype)).double()
