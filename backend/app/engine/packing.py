"""Weights laid out once for the fastest product on this processor.

PyTorch multiplies with weights as they lie in memory. oneDNN, which is inside PyTorch, has a layout
of its own that its kernels read in order; packing into it once makes a float32 product of a few
rows two to four times as fast on a CPU, and a large one up to 1.7 times (`docs/performance.md`). It
is the same float32 product, summed in another order, and it has a second virtue: the numbers of a
row do not depend on how many rows are multiplied beside it.

The packed weights of blocks take the place of the modules' own, which are made again when they are
read or differentiated (`kept_weights.py`), as the model's authors stored them.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import nn
from torch.nn import functional
from transformers.pytorch_utils import Conv1D

from app.engine.kept_weights import KeepingOnce
from app.engine.memory import free_memory, return_free_memory
from app.engine.types import Packing

logger = logging.getLogger(__name__)

PACKABLE = (torch.float32, torch.bfloat16)
PACKED_SHARE_OF_FREE_MEMORY = 0.5
"""Copies that need more than this share of the memory that is free are not made."""


def laid_out(weight: torch.Tensor) -> torch.Tensor:
    """A weight `[outputs, inputs]` in oneDNN's layout."""
    return torch.ops.mkldnn._reorder_linear_weight(weight, None)  # type: ignore[no-any-return]


def packed_product(
    packed: torch.Tensor, bias: torch.Tensor | None
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Rows times a weight that was laid out, for rows of its dtype."""

    def product(x: torch.Tensor) -> torch.Tensor:
        return torch.ops.mkldnn._linear_pointwise(  # type: ignore[no-any-return]
            x, packed, bias, "none", [], ""
        )

    return product


class PackedProduct:
    """The forward pass of one linear map with packed weights; stands in the place of its own."""

    def __init__(self, module: nn.Linear | Conv1D, *, is_widened: bool = False) -> None:
        """`is_widened`: in float32, for a 16-bit map whose inputs will be."""
        self._own = module.forward
        weight, bias = module.weight.detach(), module.bias
        if is_widened:
            weight, bias = weight.float(), None if bias is None else bias.detach().float()
        if isinstance(module, Conv1D):  # keeps its weight as [inputs, outputs]
            weight = weight.t().contiguous()
        self._dtype = weight.dtype
        self.packed = laid_out(weight)
        """The weight as `[outputs, inputs]`, in oneDNN's layout."""
        self._product = packed_product(self.packed, bias)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        is_differentiated = torch.is_grad_enabled() and x.requires_grad
        if x.dtype != self._dtype or is_differentiated or x.numel() == 0:
            return self._own(x)
        if not _has_few_shapes.get():
            return self._product(x)
        rows = x.reshape(-1, x.shape[-1])
        n_rows = len(rows)
        padded = functional.pad(rows, (0, 0, 0, rounded_up(n_rows) - n_rows))
        return self._product(padded)[:n_rows].view(*x.shape[:-1], -1)


_has_few_shapes = ContextVar("has_few_shapes", default=False)


@contextmanager
def few_shapes() -> Iterator[None]:
    """Inside, packed products get rows of zeros, so that few numbers of rows occur.

    oneDNN compiles a kernel for each, which takes a millisecond, and keeps few (`app/openmp.py`).
    """
    token = _has_few_shapes.set(True)
    try:
        yield
    finally:
        _has_few_shapes.reset(token)


def rounded_up(n_rows: int) -> int:
    """The number of rows that `n_rows` are padded to."""
    if n_rows == 1:
        return 1
    multiple = 8 if n_rows <= 64 else 32
    return -(-n_rows // multiple) * multiple


def can_pack() -> bool:
    """Whether this build of PyTorch has oneDNN and the two operations."""
    return torch.backends.mkldnn.is_available() and all(  # type: ignore[no-untyped-call]
        hasattr(torch.ops.mkldnn, name) for name in ("_reorder_linear_weight", "_linear_pointwise")
    )


def packing_that_fits(model: nn.Module, unembedding: nn.Module) -> Packing:
    """What there is memory for: everything, the unembedding, or nothing."""
    free = free_memory()
    limit = None if free is None else free * PACKED_SHARE_OF_FREE_MEMORY
    every = memory_to_pack(model, unembedding, "all")
    if limit is None or every <= limit:
        return "all"
    of_unembedding = memory_to_pack(model, unembedding, "unembedding")
    packing: Packing = "unembedding" if of_unembedding <= limit else "none"
    logger.warning(
        "%.1f GiB of memory are free, so %s (packing all weights takes %.1f of "
        "at most %.1f GiB): replies take longer",
        (free or 0) / 2**30,
        {"unembedding": "only the unembedding is packed", "none": "no weights are packed"}[packing],
        every / 2**30,
        limit / 2**30,
    )
    return packing


def memory_to_pack(model: nn.Module, unembedding: nn.Module, packing: Packing) -> int:
    """Bytes that `pack` takes at most at any moment, beside the weights as they lie.

    A weight that is given up makes room for its packed form, so one such weight at a time counts, with
    what it is compared with; those that stay count from then on. What a matrix of the vocabulary gives
    back in the end is left out: that is known when it is packed.
    """
    keeping = KeepingOnce(model)
    held = most = 0
    for module in linear_maps(model):
        if packing != "all" and module is not unembedding:
            continue
        weight = module.weight
        is_widened = module is unembedding and weight.dtype != torch.float32
        packed = 4 * weight.numel() if is_widened else weight.nbytes
        # In float32 it is compared with its own product, and where it is given up with itself.
        beside = 0 if weight.dtype == torch.float32 else 4 * weight.numel()
        if keeping.can_give_back(module) and not is_widened:
            beside = max(beside, weight.nbytes * (2 if isinstance(module, Conv1D) else 1))
        elif isinstance(module, Conv1D):
            beside = max(beside, weight.nbytes)
        most = max(most, held + packed + beside)
        if not (keeping.can_give_back(module) and gives_room(weight)) or is_widened:
            held += packed
    return most


def gives_room(weight: torch.Tensor) -> bool:
    """Whether memory is free once a weight is given up: not where it is part of something larger, such as
    a file that lies in memory."""
    return weight.untyped_storage().nbytes() <= weight.nbytes


@torch.no_grad()
def pack(model: nn.Module, unembedding: nn.Module, packing: Packing) -> Packing:
    """Packs linear maps of a model on the CPU; gives what was packed in the end.

    Must come before nnsight wraps the model, which takes each module's forward pass as it finds it.
    A map whose packed product differs from its own by more than rounding is left as it was. That of the
    unembedding is in float32 even where the model is in 16 bits, because its inputs will be.
    """
    if packing == "none" or not can_pack():
        return "none"
    keeping = KeepingOnce(model)
    packed: dict[nn.Module, torch.Tensor] = {}
    left: Counter[str] = Counter()
    for module in linear_maps(model):
        if packing == "all" or module is unembedding:
            is_widened = module is unembedding and module.weight.dtype != torch.float32
            try:
                product = _pack_one(module, is_widened=is_widened)
            except NotPacked as error:
                left[str(error)] += 1
                continue
            packed[module] = product.packed
            keeping.give_back(module, product.packed)
    keeping.give_back_vocabulary(packed)
    return_free_memory()
    for reason, n_maps in left.items():
        logger.warning("%d linear maps are not packed: %s", n_maps, reason)
    logger.info(
        "packed the weights of %d linear maps, and gave back %.1f GiB of them",
        len(packed),
        keeping.n_freed_bytes / 2**30,
    )
    if not is_packed(unembedding):
        return "none"
    return packing


def is_packed(module: nn.Module) -> bool:
    """Whether a module multiplies with packed weights."""
    return hasattr(module, "packed_product")


def multiplies_in_float32(module: nn.Module) -> bool:
    """Whether a module multiplies with packed weights in float32."""
    product = getattr(module, "packed_product", None)
    return isinstance(product, PackedProduct) and product.packed.dtype == torch.float32


def linear_maps(model: nn.Module) -> Iterator[nn.Linear | Conv1D]:
    """Modules that are exactly a linear map in main memory, in a dtype that can be packed; a subclass may do more."""
    for module in model.modules():
        if type(module) not in (nn.Linear, Conv1D) or hasattr(module, "parametrizations"):
            continue
        if module.weight.dtype in PACKABLE and module.weight.device.type == "cpu":
            yield module


class NotPacked(Exception):
    """Why a map stays as it is."""


def _pack_one(module: nn.Linear | Conv1D, *, is_widened: bool) -> PackedProduct:
    """Raises NotPacked."""
    try:
        product = PackedProduct(module, is_widened=is_widened)
    except RuntimeError as error:  # a processor without products of bfloat16
        raise NotPacked(str(error).splitlines()[0]) from None
    n_inputs = module.weight.shape[0 if isinstance(module, Conv1D) else 1]
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(3, n_inputs, generator=generator).to(module.weight.dtype)
    expected = module(rows).float()
    given = rows.float() if is_widened else rows
    # Rounding of a sum of products, in proportion to the largest that it could be, and of a 16-bit result.
    weight = (module.weight.t() if isinstance(module, Conv1D) else module.weight).float()
    scale = given.float().norm(dim=-1, keepdim=True) * torch.linalg.vector_norm(weight, dim=1)
    allowed = 1e-5 * scale + 1e-6
    if module.weight.dtype != torch.float32:
        allowed += 2**-7 * expected.abs()
    if bool(((product(given).float() - expected).abs() <= allowed).all()):
        module.packed_product = product
        module.forward = product  # type: ignore[method-assign]
        return product
    raise NotPacked("their packed products are not exact here")
