"""Memory that is not there: told before a model is loaded, and named when an allocation fails."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from contextlib import ContextDecorator, suppress
from pathlib import Path

import torch

from app.engine.cgroups import memory_limits
from app.errors import ModelTooLarge, OutOfMemory

logger = logging.getLogger(__name__)


class naming_out_of_memory(ContextDecorator):
    """Raises OutOfMemory with what the memory was for, whichever way torch reports it; other errors
    pass."""

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


def weight_bytes(n_parameters: int, *, is_bfloat16: bool = False) -> int:
    """Memory of a model's weights on the CPU; copies of them are made where there is room."""
    return (2 if is_bfloat16 else 4) * n_parameters


def require_memory(
    n_parameters: int, name: str, *, is_bfloat16: bool = False, is_beside: bool = False
) -> None:
    """Raises ModelTooLarge for a model whose weights alone are more than the machine's memory.

    One that is only more than what is free now is tried, with a warning; not beside another model,
    which would be pushed out of memory with it.
    """
    needed = weight_bytes(n_parameters, is_bfloat16=is_bfloat16)
    limit, free = memory_limit(), free_memory()
    size = f"{name} needs {in_gib(needed)} of memory"
    kind = "bfloat16" if is_bfloat16 else "float32"
    counted = f"{size} ({n_parameters:,} parameters in {kind})"
    if limit is not None and needed > limit:
        raise ModelTooLarge(
            f"{counted}; this machine has {in_gib(limit)}.", hint="Choose a smaller model."
        )
    if free is not None and needed > free and is_beside:
        raise ModelTooLarge(
            f"{counted} beside the model that runs, and {in_gib(free)} are free.",
            hint="Unload the running model first (`unload_first`), close other programs, or choose a "
            "smaller model.",
        )
    if free is not None and needed > free:
        logger.warning(
            "%s and %s are free: close other programs, or choose a smaller model",
            size,
            in_gib(free),
        )


def in_gib(n_bytes: int) -> str:
    return f"{n_bytes / 2**30:.1f} GiB"


def memory_limit() -> int | None:
    """Bytes of memory that this process could have at most; None where that cannot be told."""
    limits: list[int] = []
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    limits += [group.max_bytes for group in memory_limits()]
    return min(limits, default=None)


def free_memory() -> int | None:
    """Bytes that this process could have now without swapping; None on systems other than Linux."""
    free = [group.free_bytes for group in memory_limits()]
    with suppress(OSError, LookupError, ValueError):
        fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        free.append(int(fields["MemAvailable"].split()[0]) * 1024)
    return min(free, default=None)


def return_free_memory() -> None:
    """Gives freed memory back to the system, where the C library keeps it: glibc does.

    Buffers of many sizes leave gaps that it would keep for good.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
