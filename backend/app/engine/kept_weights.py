"""Weights that are kept once, in the form in which they are multiplied, and made again when they are read.

A packed map (`packing.py`) has its numbers in oneDNN's layout. The layout gives them back bit for bit,
so a copy as the model's authors stored it need not lie beside it. The matrix of a large vocabulary is
read by rows: they are gathered from the layout where it is the one known here. Where it is not, or
where the matrix is only looked up, half of the memory holds it if its float32 numbers are those of
bfloat16 exactly, as in most checkpoints.

Any of these stands in its module as a parameter with the shape and dtype of the weight. An operation
on it gets the weight, which is let go with the result; one that reads rows gets them without the rest.
Nothing is put in the place of a weight unless it has been seen to give the same bits.
"""

from __future__ import annotations

import copy
import ctypes
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import nn
from torch.utils._pytree import tree_leaves, tree_map_only
from transformers.pytorch_utils import Conv1D

logger = logging.getLogger(__name__)

LARGE_VOCABULARY = 32_768
"""Ids above which the matrix of a vocabulary is kept once. A fit of a lens differentiates smaller
ones whole, again and again."""

COMPARED_NUMBERS = 2**22
"""Of a large matrix that is compared at once, so that no second copy of it is made."""

ROWS_OF_BLOCK = (64, 48, 32, 16, 8)
"""Of layouts that rows are gathered from: those of processors with wide and with narrow vectors."""

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


class GatheredRows(Unpacked):
    """A weight in the layout that oneDNN gives most float32 matrices: blocks of rows, transposed.

    Numbers lie as `[blocks, columns, rows of a block]`, with zeros after the last row and column.
    """

    reads_rows = True

    def __init__(self, packed: torch.Tensor, like: torch.Tensor, rows_of_block: int) -> None:
        """Raises ValueError where the layout cannot be this one."""
        super().__init__(packed, like, is_transposed=False)
        n_rows, n_columns = like.shape
        n_blocks = -(-n_rows // rows_of_block)
        n_bytes = torch.ops.mkldnn._nbytes(packed)
        wide, rest = divmod(n_bytes, packed.element_size() * n_blocks * rows_of_block)
        if rest or wide < n_columns:
            raise ValueError(f"{n_bytes} bytes are not {n_blocks} blocks of {rows_of_block} rows")
        # `packed` owns the memory, and lives as long as this does.
        memory = (ctypes.c_byte * n_bytes).from_address(torch.ops.mkldnn.data_ptr(packed))
        with torch.inference_mode(False):
            numbers = torch.frombuffer(memory, dtype=packed.dtype)
            self._blocks = numbers.view(n_blocks, wide, rows_of_block)[:, :n_columns]
            self._indices = torch.arange(n_rows)[:, None]

    def dense(self) -> torch.Tensor:
        return super().dense().to(self.dtype)

    def rows(self, read: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        indices = read(self._indices)[..., 0]
        size = self._blocks.shape[-1]
        flat = indices.flatten()
        if len(flat) > size and bool((flat.diff() == 1).all()):
            # Blocks in a row are copied faster than they are gathered.
            first, last = int(flat[0]), int(flat[-1])
            start = first // size
            found = self._blocks[start : last // size + 1].transpose(1, 2).flatten(0, 1)
            found = found[first - start * size : last + 1 - start * size]
        else:
            found = self._blocks[flat // size, :, flat % size]
        return found.to(self.dtype).reshape(*indices.shape, self.shape[1]).contiguous()

    def in_float32(self) -> GatheredRows:
        """The same numbers as a float32 weight."""
        wide = copy.copy(self)
        wide.dtype = torch.float32
        return wide


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
        if func._schema.is_mutable and _changes_kept(func, args, kwargs):
            raise RuntimeError(f"A weight that is kept packed cannot be changed ({func}).")
        first = args[0] if args else None
        if not isinstance(first, KeptWeight):
            args, kwargs = _made_in((args, kwargs))
            return func(*args, **kwargs)
        if func in (aten.detach.default, aten.alias.default):
            return KeptWeight(first.source)
        # A view of a tensor that was made outside of inference mode may not be made inside.
        with torch.inference_mode(False):
            if _reads_rows(func, args):
                return first.source.rows(lambda weight: func(weight, *args[1:], **kwargs))
            args, kwargs = _made_in((args, kwargs))
            return func(*args, **kwargs)


def _made_in(arguments: Any) -> Any:
    return tree_map_only(KeptWeight, lambda kept: kept.source.dense(), arguments)


def _changes_kept(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether an operation writes into an argument that is kept packed: the change would be lost."""
    given = zip(func._schema.arguments, args, strict=False)
    values = {argument.name: value for argument, value in given} | kwargs
    changed = [
        values.get(argument.name)
        for argument in func._schema.arguments
        if argument.alias_info is not None and argument.alias_info.is_write
    ]
    return any(isinstance(leaf, KeptWeight) for leaf in tree_leaves(changed))


def _reads_rows(func: Any, args: tuple[Any, ...]) -> bool:
    """Whether an operation takes rows of its first argument and does nothing else."""
    if func is aten.embedding.default:
        return True
    if func is aten.index.Tensor:
        (index, *others) = args[1]
        return not others and index is not None and (index.dtype != torch.bool or index.dim() == 1)
    is_along_axis = func in (aten.select.int, aten.slice.Tensor, aten.index_select.default)
    return is_along_axis and (len(args) < 2 or args[1] == 0)


def parameter_of(source: Source) -> nn.Parameter:
    """What stands in a module for its weight."""
    with torch.inference_mode(False):
        return nn.Parameter(KeptWeight(source), requires_grad=False)


def widened(weight: torch.Tensor) -> nn.Parameter:
    """What stands in a module for the float32 copy of a 16-bit weight of which only rows are read."""
    if isinstance(weight, KeptWeight) and isinstance(weight.source, GatheredRows):
        return parameter_of(weight.source.in_float32())
    return parameter_of(Widened(weight.detach()))


def made(weight: torch.Tensor) -> torch.Tensor:
    """A weight that several operations will read, made for all of them.

    The matrix of a large vocabulary stays as it is kept: nothing needs all of its rows at once.
    """
    if isinstance(weight, KeptWeight) and not weight.source.reads_rows:
        return weight.source.dense()
    return weight


def bytes_to_make(model: nn.Module) -> int:
    """Memory that the weights of blocks take when all of them are made at the same time."""
    weights = (weight for weight in model.parameters() if isinstance(weight, KeptWeight))
    return sum(weight.nbytes for weight in weights if not weight.source.reads_rows)


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

    def can_give_back(self, module: nn.Linear | Conv1D) -> bool:
        """Whether a map that is packed can do without its own weight.

        Not where it is the matrix of a vocabulary, or another module has the weight too.
        """
        return self._owners.get(module.weight) == [module] and module not in self._vocabulary

    def give_back(self, module: nn.Linear | Conv1D, packed: torch.Tensor) -> None:
        """Leaves a map with `packed`, its weight `[outputs, inputs]` in oneDNN's layout, if it can be."""
        weight: torch.Tensor = module.weight
        if self.can_give_back(module) and packed.dtype == weight.dtype:
            is_transposed = isinstance(module, Conv1D)
            self._replace(weight, Unpacked(packed, weight, is_transposed=is_transposed), 0)

    def give_back_vocabulary(self, packed: Mapping[nn.Module, torch.Tensor]) -> None:
        """Keeps the matrices of a large vocabulary as they are `packed`, or in 16 bits.

        Only of embeddings, which read rows, and of maps that are packed.
        """
        of_vocabulary = [
            (weight, [packed.get(owner) for owner in owners])
            for weight, owners in self._owners.items()
            if len(weight) > LARGE_VOCABULARY
            and any(owner in self._vocabulary for owner in owners)
            and all(owner in packed or isinstance(owner, nn.Embedding) for owner in owners)
        ]
        for weight, layouts in of_vocabulary:
            layout = next((layout for layout in layouts if layout is not None), None)
            if layout is not None and self._gather(weight, layout):
                continue
            if weight.dtype == torch.float32:
                narrow = weight.detach().bfloat16()
                self._replace(weight, Widened(narrow), narrow.nbytes)

    def _gather(self, weight: torch.Tensor, layout: torch.Tensor) -> bool:
        """Leaves the rows of a weight to its layout, if it is one that they can be gathered from."""
        for rows_of_block in ROWS_OF_BLOCK if can_gather() else ():
            try:
                source = GatheredRows(layout, weight, rows_of_block)
            except ValueError:
                continue
            if self._replace(weight, source, 0):
                return True
        return False

    def _replace(self, weight: torch.Tensor, source: Source, n_bytes: int) -> bool:
        if not _has_bits_of(source, weight):
            return False
        kept = parameter_of(source)
        for owner in self._owners.pop(weight):
            owner.weight = kept
        self.n_freed_bytes += weight.nbytes - n_bytes
        return True


def can_gather() -> bool:
    """Whether this build of PyTorch tells where a layout lies in memory."""
    return all(hasattr(torch.ops.mkldnn, name) for name in ("data_ptr", "_nbytes"))


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
