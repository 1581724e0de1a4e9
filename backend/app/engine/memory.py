"""A failed allocation as OutOfMemory, whichever way torch reports it."""

from __future__ import annotations

from contextlib import ContextDecorator

import torch

from app.errors import OutOfMemory


class naming_out_of_memory(ContextDecorator):
    """Raises OutOfMemory with what the memory was for; other errors pass."""

    def __init__(self, purpose: str) -> None:
        self._purpose = purpose

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: object
    ) -> None:
        is_memory = isinstance(error, MemoryError | torch.OutOfMemoryError) or (
            # On the CPU a failed allocation is a plain RuntimeError.
            isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
        )
        if is_memory:
            raise OutOfMemory(
                f"There is not enough memory for {self._purpose}.",
                hint="Use a shorter text or a smaller model.",
            ) from error
