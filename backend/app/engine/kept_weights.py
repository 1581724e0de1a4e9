"""Weights that are kept once, in the form in which they are multiplied, and made again when they are read.

A packed map (`packing.py`) has its numbers in oneDNN's layout. The layout gives them back bit for bit,
so a copy as the model's authors stored it need not lie beside it. The matrix of a large vocabulary is
read by rows, which no packed layout gives; but where it was stored in 16 bits, as most are, its
float32 numbers are those of bfloat16 exactly, and half of the memory holds them.

Either stands in its module as a parameter with the shape and dtype of the weight. An operation on it
gets the weight; one that reads rows gets them without the rest. Nothing is put in the place of a weight
unless it has been seen to give the same bits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import nn
from torch.utils._pytree import tree_map_only
from transformers.pytorch_utils import Conv1D

logger = logging.getLogger(__name__)

LARGE_VOCABULARY = 32_768
"""Ids above which the matrix of a vocabulary is kept in 16 bits. A fit of a lens differentiates smaller
ones whole, again and again."""

COMPARED_NUMBERS = 2**22
"""Of a large matrix that is compared at once, so that no second copy of it is made."""

aten = torch.ops.aten


class Source(Protocol):
    """Where the numbers of a weight are kept."""

    shape: torch.Size
    dtype: torch.dtype
    reads_rows: bool
    """Whether rows cost less than all of it."""

    def dense(self) -> torch.Tensor:
        """The weight, contiguous, in memory of its own."""

    def rows(self, read: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """What `read` takes of the weight, which is some of its rows."""


class Unpacked:
    """A weight in oneDNN's layout."""

    reads_rows = False

    def __init__(self, packed: torch.Tensor, like: torch.Tensor, *, is_transposed: bool) -> None:
        """`packed` is `[outputs, inputs]`; `is_transposed`: the weight, shaped as `like`, is not."""
        self.shape, self.dtype = like.shape, like.dtype
        self._packed, self._is_transposed = packed, is_transposed

    def dense(self) -> torch.Tensor:
        found = self._packed.to_dense()
        return found.t().contiguous() if self._is_transposed else found

    def rows(self, read: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        return read(self.dense())


class Widened:
    """A float32 weight whose numbers are those of a 16-bit one."""

    dtype = torch.float32
    reads_rows = True

    def __init__(self, narrow: torch.Tensor) -> None:
        self.shape, self._narrow = narrow.shape, narrow

    def dense(self) -> torch.Tensor:
        return self._narrow.float()

    def rows(self, read: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        return read(self._narrow).float()


class KeptWeight(torch.Tensor):
    """A weight that is made when an operation reads it; it cannot be changed in place."""

    source: Source

    # Results are plain tensors.
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, source: Source) -> KeptWeight:
        # A tensor that is made in inference mode could not take part in a gradient.
        with torch.inference_mode(False):
            found: KeptWeight = torch.Tensor._make_wrapper_subclass(
                cls, source.shape, dtype=source.dtype, device=torch.device("cpu")
            )
        found.source = source
        return found

    def __init__(self, source: Source) -> None:
        pass

    def __deepcopy__(self, _memo: object) -> nn.Parameter:
        return parameter_of(self.source)

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # torch states another form than it calls
        cls,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Any = None,
    ) -> Any:
        kwargs = kwargs or {}
        first = args[0] if args else None
        if not isinstance(first, KeptWeight):
            args, kwargs = _made_in((args, kwargs))
            return func(*args, **kwargs)
        if func in (aten.detach.default, aten.alias.default):
            return KeptWeight(first.source)
        if func._schema.is_mutable:
            raise RuntimeError(f"A weight that is kept packed cannot be changed ({func}).")
        # A view of a tensor that was made outside of inference mode may not be made inside.
        with torch.inference_mode(False):
            if _reads_rows(func, args):
                return first.source.rows(lambda weight: func(weight, *args[1:], **kwargs))
            args, kwargs = _made_in((args, kwargs))
            return func(*args, **kwargs)


def _made_in(arguments: Any) -> Any:
    return tree_map_only(KeptWeight, lambda kept: kept.source.dense(), arguments)


def _reads_rows(func: Any, args: tuple[Any, ...]) -> bool:
    """Whether an operation takes rows of its first argument and does nothing else."""
    if func is aten.embedding.default:
        return True
    if func is aten.index.Tensor:
        return len(args[1]) == 1
    is_along_axis = func in (aten.select.int, aten.slice.Tensor, aten.index_select.default)
    return is_along_axis and (len(args) < 2 or args[1] == 0)


def parameter_of(source: Source) -> nn.Parameter:
    """What stands in a module for its weight."""
    with torch.inference_mode(False):
        return nn.Parameter(KeptWeight(source), requires_grad=False)


def made(weight: torch.Tensor) -> torch.Tensor:
    """A weight that several operations will read, made for all of them.

    The matrix of a large vocabulary stays as it is kept: nothing needs all of its rows at once.
    """
    if isinstance(weight, KeptWeight) and not weight.source.reads_rows:
        return weight.source.dense()
    return weight


class KeepingOnce:
    """Lets modules of a frozen model go without their own copies of weights."""

    def __init__(self, model: nn.Module) -> None:
        self.n_freed_bytes = 0
        self._owners: dict[torch.Tensor, list[nn.Module]] = {}
        """Every parameter that is the `weight` of modules, and of no module anything else."""
        others: set[torch.Tensor] = set()
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                if name != "weight":
                    others.add(parameter)
                elif not parameter.requires_grad and parameter.device.type == "cpu":
                    self._owners.setdefault(parameter, []).append(module)
        for other in others & self._owners.keys():
            del self._owners[other]
        find = (getattr(model, f"get_{which}_embeddings", None) for which in ("input", "output"))
        self._vocabulary = [found() for found in find if found is not None]

    def give_back(self, module: nn.Linear | Conv1D, packed: torch.Tensor) -> None:
        """Leaves a map with `packed`, its weight `[outputs, inputs]` in oneDNN's layout.

        Not where the matrix of a vocabulary is concerned, or another module has the weight too.
        """
        weight: torch.Tensor = module.weight
        if self._owners.get(weight) != [module] or module in self._vocabulary:
            return
        if packed.dtype == weight.dtype:
            is_transposed = isinstance(module, Conv1D)
            self._replace(weight, Unpacked(packed, weight, is_transposed=is_transposed), 0)

    def narrow_vocabulary(self, packed: set[nn.Module]) -> None:
        """Keeps the matrices of a large vocabulary in 16 bits, where those are its numbers.

        Only of embeddings, which read rows, and of maps that are `packed`.
        """
        of_vocabulary = [
            (weight, owners)
            for weight, owners in self._owners.items()
            if any(owner in self._vocabulary for owner in owners)
            and all(owner in packed or isinstance(owner, nn.Embedding) for owner in owners)
        ]
        for weight, _ in of_vocabulary:
            if weight.dtype == torch.float32 and len(weight) > LARGE_VOCABULARY:
                narrow = weight.detach().bfloat16()
                self._replace(weight, Widened(narrow), narrow.nbytes)

    def _replace(self, weight: torch.Tensor, source: Source, n_bytes: int) -> None:
        if not _has_bits_of(source, weight):
            return
        kept = parameter_of(source)
        for owner in self._owners.pop(weight):
            owner.weight = kept
        self.n_freed_bytes += weight.nbytes - n_bytes


def _has_bits_of(source: Source, weight: torch.Tensor) -> bool:
    """Whether a source gives the very bits of a weight: 0 is not -0, and a NaN is itself."""
    as_bits = {2: torch.int16, 4: torch.int32}[weight.dtype.itemsize]
    step = max(1, COMPARED_NUMBERS // weight[0].numel()) if source.reads_rows else len(weight)
    for start in range(0, len(weight), step):
        part = slice(start, start + step)
        found = source.rows(lambda rows, part=part: rows[part])  # type: ignore[misc]
        own = weight.detach()[part].contiguous()
        if not torch.equal(found.view(as_bits), own.view(as_bits)):
            return False
    return True
