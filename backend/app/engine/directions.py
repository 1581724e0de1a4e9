"""Directions of length 1 in the residual stream, as interventions name them."""

from __future__ import annotations

import torch

from app.engine.capture import TracedDecoder
from app.engine.frozen import NotLinear
from app.engine.frozen_tail import FrozenTail, freeze_tail
from app.engine.lenses import Lens
from app.errors import IdentityFailed, InvalidRequest

SMALLEST = 1e-6
"""Length, as a share of what it is the difference of, below which a direction is only rounding."""


class TokenDirections:
    """The directions that raise the logits of tokens: `W_U[y]` through the weight of the final norm.

    What a norm divides by is one number for each token and does not turn the direction.
    """

    def __init__(self, decoder: TracedDecoder) -> None:
        self._decoder = decoder
        self._tail: FrozenTail | None = None

    def of(self, token_id: int, lens: Lens | None, layer: int, param: str) -> torch.Tensor:
        """float32 `[d_model]`, of length 1. Raises IdentityFailed, or InvalidRequest for no direction.

        `lens` is a fitted one: a direction `d` of its rows is `Jᵀ d` of the stream; None takes `d` as it is.
        """
        d_model, device = self._decoder.d_model, self._decoder.device
        if self._tail is None:
            # Any stream will do: the norm's weights are the same for each.
            stream = torch.randn(d_model, generator=torch.Generator().manual_seed(0))
            try:
                self._tail = freeze_tail(self._decoder, stream)
            except NotLinear as failure:
                raise IdentityFailed(
                    f"The logits of this model are no linear map of its last stream: {failure}.",
                    hint="Use a contrast of two texts, or a random direction.",
                    param=param,
                ) from failure
        direction = self._tail.directions([token_id]).directions[0].float().to(device)
        if lens is not None and layer < self._decoder.n_layers:
            nothing = lens(torch.zeros(1, d_model, device=device), layer)
            matrix = lens(torch.eye(d_model, device=device), layer) - nothing
            direction = matrix @ direction
        return unit(direction, float(direction.norm()) or 1.0, param)


def random_direction(d_model: int, seed: int, device: torch.device) -> torch.Tensor:
    """A direction drawn evenly from all, float32 `[d_model]`, of length 1."""
    drawn = torch.randn(d_model, generator=torch.Generator().manual_seed(seed))
    drawn /= drawn.norm()
    return drawn.to(device)


def unit(direction: torch.Tensor, size: float, param: str) -> torch.Tensor:
    """The direction with length 1; `size` is the length of what it was computed from.

    Raises InvalidRequest where nothing but rounding is left of it.
    """
    length: torch.Tensor = direction.norm()
    if not bool(length > SMALLEST * size):
        raise InvalidRequest(
            "This direction has length 0.",
            hint="Give texts or tokens that differ.",
            param=param,
        )
    return direction / length


def added(rows: torch.Tensor, direction: torch.Tensor, strength: float) -> torch.Tensor:
    """`h + strength · ‖h‖ · d` of rows `[n, d]`."""
    sizes: torch.Tensor = rows.norm(dim=-1, keepdim=True)
    return rows + strength * sizes * direction


def projected_out(rows: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """`h - (h·d) d` of rows `[n, d]`."""
    return rows - (rows @ direction)[:, None] * direction


def exchanged(rows: torch.Tensor, axis: torch.Tensor) -> torch.Tensor:
    """Coordinates along two unit directions `a` and `b` exchanged, `axis` being `(a - b) / ‖a - b‖`.

    With `V = [a b]` and the coordinates `c = V⁺h`, `h + V(c' - c)` for `c'` the exchanged ones is the
    reflection that takes `a` to `b`, because both have length 1.
    """
    return rows - 2 * (rows @ axis)[:, None] * axis
