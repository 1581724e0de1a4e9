"""Whether the blocks of a model compute in float32 or in bfloat16, and what that changes.

On the CPU everything is float32 unless a model is stored in bfloat16 and either float32 would take too
much memory, or this processor multiplies bfloat16 itself and is faster at it. What follows the blocks
is float32 always (`tail.py`), and so is every read-out.
"""

from __future__ import annotations

import functools
import logging
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import torch
from torch import nn

from app.engine.bos_check import SENTENCE
from app.engine.capture import TracedDecoder
from app.engine.failures import MODEL_FAILURES
from app.engine.memory import free_memory
from app.engine.packing import can_pack, laid_out, packed_product
from app.engine.protocols import Vocabulary
from app.engine.tail import NARROW
from app.engine.types import PrecisionCheck

logger = logging.getLogger(__name__)

DtypeChoice = Literal["auto", "float32", "bfloat16"]

SHARE_OF_FREE_MEMORY = 0.5
"""Float32 weights with their packed copy should not take more."""
FASTER = 0.9
"""Times that bfloat16 may take of float32's to count as faster."""
ROWS = (1, 64)
"""Of the products that are timed: a token of a reply, and part of a prompt."""
TIMED_SIZE, TIMED_MATRICES, TIMED_ROUNDS = (4096, 1024), 4, 5


def is_bfloat16_for(choice: DtypeChoice, n_parameters: int, n_bfloat16: int) -> bool | None:
    """Whether a model computes in bfloat16 on the CPU; None where the processor's speed decides.

    `n_bfloat16`: how many of the stored numbers are bfloat16.
    """
    if choice != "auto":
        return choice == "bfloat16"
    if 2 * n_bfloat16 <= n_parameters:
        return False
    free = free_memory()
    float32_with_copy = 2 * 4 * n_parameters
    if free is not None and float32_with_copy > SHARE_OF_FREE_MEMORY * free:
        return True
    return None if multiplies_bfloat16() else False


def cpu_dtype(choice: DtypeChoice, n_parameters: int, n_bfloat16: int, name: str) -> torch.dtype:
    """The dtype of a model's blocks on the CPU."""
    found = is_bfloat16_for(choice, n_parameters, n_bfloat16)
    if found is None:
        found = is_faster_in_bfloat16()
        logger.info("%s: bfloat16 is %s here", name, "faster" if found else "not faster")
    return torch.bfloat16 if found else torch.float32


def multiplies_bfloat16() -> bool:
    """Whether this processor has instructions for products of bfloat16, and this build uses them."""
    supported: Callable[[], bool] = getattr(
        torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False
    )
    return can_pack() and supported() and torch.cpu._is_avx512_bf16_supported()


@functools.cache
def is_faster_in_bfloat16() -> bool:
    """Measures products as replies and prompts need them, in turns with float32; takes a second or less."""
    made = torch.Generator().manual_seed(0)
    weights = [torch.randn(TIMED_SIZE, generator=made) for _ in range(TIMED_MATRICES)]
    wide = [packed_product(laid_out(weight), None) for weight in weights]
    narrow = [packed_product(laid_out(weight.bfloat16()), None) for weight in weights]
    ratios: dict[int, list[float]] = {n_rows: [] for n_rows in ROWS}
    with torch.inference_mode():
        for round_ in range(TIMED_ROUNDS + 1):
            for n_rows in ROWS:
                rows = torch.randn(n_rows, TIMED_SIZE[1], generator=made)
                of_wide, of_narrow = _seconds(wide, rows), _seconds(narrow, rows.bfloat16())
                if round_:  # the first of everything compiles a kernel
                    ratios[n_rows].append(of_narrow / of_wide)
    return all(statistics.median(of_rows) <= FASTER for of_rows in ratios.values())


def _seconds(
    products: Sequence[Callable[[torch.Tensor], torch.Tensor]], rows: torch.Tensor
) -> float:
    started = time.perf_counter()
    for product in products:
        product(rows)
    return time.perf_counter() - started


def check_precision(
    decoder: TracedDecoder, vocabulary: Vocabulary, bos_token_id: int | None
) -> PrecisionCheck | None:
    """How far the logits and probabilities of one sentence are from those in float32.

    None for a model in float32, and where a part of it cannot be run in float32. `bos_token_id`: put
    first, where the model needs it.
    """
    if decoder.residual_dtype not in NARROW:
        return None
    ids = ([] if bos_token_id is None else [bos_token_id]) + list(vocabulary.encode(SENTENCE))
    ids = ids[: decoder.structure.n_ctx]
    narrow = decoder.full_logits(ids)
    try:
        with computing_in_float32(decoder.model, decoder.structure.blocks):
            wide = decoder.full_logits(ids)
    except MODEL_FAILURES as error:
        logger.warning("the difference to float32 could not be measured: %s", error)
        return None
    return PrecisionCheck(
        max_logit_diff=float((narrow - wide).abs().max()),
        max_probability_diff=float((narrow.softmax(-1) - wide.softmax(-1)).abs().max()),
        same_top1=int((narrow.argmax(-1) == wide.argmax(-1)).sum()),
        n_tokens=len(ids),
    )


@contextmanager
def computing_in_float32(model: nn.Module, blocks: Sequence[nn.Module]) -> Iterator[None]:
    """Runs a 16-bit model in float32, with one block's weights at a time widened."""
    inside = {module for block in blocks for module in block.modules()}
    alone = [
        module
        for module in model.modules()
        if module not in inside and any(True for _ in module.parameters(recurse=False))
    ]
    narrow: dict[tuple[nn.Module, str], nn.Parameter] = {}

    def parts_of(module: nn.Module) -> Iterator[nn.Module]:
        return module.modules() if module in blocks else iter((module,))

    def widen(module: nn.Module, *_: Any) -> None:
        with torch.inference_mode(False), torch.no_grad():
            wide: dict[nn.Parameter, nn.Parameter] = {}
            for part in parts_of(module):
                for name, parameter in list(part.named_parameters(recurse=False)):
                    if parameter.dtype in NARROW:
                        if parameter not in wide:
                            copy = parameter.detach().float()
                            wide[parameter] = nn.Parameter(copy, requires_grad=False)
                        narrow[part, name] = parameter
                        setattr(part, name, wide[parameter])

    def restore(module: nn.Module, *_: Any) -> None:
        for part in parts_of(module):
            for name, _parameter in list(part.named_parameters(recurse=False)):
                if (part, name) in narrow:
                    setattr(part, name, narrow.pop((part, name)))

    with ExitStack() as undo:
        for module in (*blocks, *alone):
            undo.callback(module.register_forward_pre_hook(widen).remove)
            undo.callback(module.register_forward_hook(restore).remove)
        try:
            yield
        finally:
            for (part, name), parameter in narrow.items():
                setattr(part, name, parameter)
