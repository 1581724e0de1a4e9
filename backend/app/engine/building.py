"""What happens while transformers builds a model and fills it: limits, and word of how far it is.

A configuration is data from elsewhere. One of absurd size would keep the start busy for hours, or
fill the memory with random numbers in place of tensors that no file holds, before anything compares
it with the files. transformers builds a model on the `meta` device, without memory, and then puts in
tensor after tensor; both pass through the registration of parameters, which torch lets one watch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)

from app.engine.checkpoint import CONFIG_FILE, StoredWeights
from app.engine.memory import memory_limit
from app.errors import ModelLoadError

MOST_OVER_STORED = 3
"""Times the stored numbers that a model may have: tied embeddings are made twice and stored once."""
SLACK_PARAMETERS = 2**20


@contextmanager
def watching_build(
    stored: StoredWeights, name: str, on_tensor: Callable[[int, int, int], None]
) -> Iterator[None]:
    """Ends the building of a model that is far larger than its files; counts the tensors filled in.

    Raises ModelLoadError. `on_tensor` is called with the number of tensors put in so
    far, their bytes in memory, and the bytes of all that the files hold.
    """
    most_parameters = MOST_OVER_STORED * stored.n_parameters + SLACK_PARAMETERS
    most_bytes = memory_limit()
    n_parameters = n_buffer_bytes = n_filled = n_filled_bytes = 0

    def on_parameter(_module: nn.Module, _name: str, parameter: torch.Tensor | None) -> None:
        nonlocal n_parameters, n_filled, n_filled_bytes
        if parameter is None:
            return
        if parameter.device.type != "meta":
            n_filled += 1
            n_filled_bytes += parameter.nbytes
            n_bytes = stored.n_parameters * parameter.element_size()
            on_tensor(n_filled, min(n_filled_bytes, n_bytes), n_bytes)
            return
        n_parameters += parameter.numel()
        if n_parameters > most_parameters:
            raise ModelLoadError(
                f"{CONFIG_FILE} of {name} describes a model of {n_parameters:,} parameters or more, "
                f"but its weight files hold {stored.n_parameters:,}.",
                hint=f"Check {CONFIG_FILE}, or get the model's files again.",
            )

    def on_buffer(_module: nn.Module, _name: str, buffer: torch.Tensor | None) -> None:
        nonlocal n_buffer_bytes
        if buffer is None or buffer.device.type != "meta":
            return
        n_buffer_bytes += buffer.nbytes
        if most_bytes is not None and n_buffer_bytes > most_bytes:
            raise ModelLoadError(
                f"{CONFIG_FILE} of {name} describes tables of {n_buffer_bytes / 2**30:,.0f} GiB or "
                f"more beside its weights; this machine has {most_bytes / 2**30:,.1f} GiB.",
                hint=f"Check {CONFIG_FILE}: its context or its sizes may be wrong.",
            )

    hooks = (
        register_module_parameter_registration_hook(on_parameter),
        register_module_buffer_registration_hook(on_buffer),
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
