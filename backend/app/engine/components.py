"""The writes of each block: module outputs that together are what the block adds to its stream.

"The output of the attention module" is not what enters the residual stream in a third of the
families: some add the residual inside (Bloom, MPT), norm the output afterwards (Gemma 2, OLMo 2),
scale it (Granite) or run attention and MLP in parallel (GPT-NeoX, Cohere). So no name is looked up.
One pass over a probe text records every module output of the shape of the stream, and the smallest
set of them that adds up to `post - pre` in every block is taken, each with its multiplier. Whether a
write mixes positions, and whether it does so by attention, is tried out as well.

Blocks are counted from 1, as layers are.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from transformers.pytorch_utils import Conv1D

from app.engine.capture import TracedDecoder
from app.engine.tail import NARROW

logger = logging.getLogger(__name__)

PROBE_TOKENS = 12
MAX_WRITES = 3
"""Most writes of one block: state space, attention and MLP of Falcon-H1."""

TOLERANCE = 1e-5
"""Largest residue of a split, as a share of the largest change that the block makes."""
NARROW_TOLERANCE = 2e-2
"""The same where the stream itself is rounded to 16 bits."""

MIN_MIXING = 1e-4
"""Change of later positions by which an input at position 0 counts, as a share of the largest output."""

WriteKind = Literal["attn", "mlp", "mixer"]
"""`attn` mixes positions by a softmax over them, `mixer` in another way (state spaces, linear
attention), `mlp` not at all."""


@dataclass(frozen=True, slots=True)
class Write:
    """One of the parts that a block adds to its residual stream: `scale` times a module's output."""

    kind: WriteKind
    path: str
    """The module, from the block on."""
    scale: float
    linear_path: str | None
    """The linear map that gives the output, or what a norm makes the output of; None where there is none."""
    has_norm: bool
    """The module is a norm over the linear map's output."""


@dataclass(frozen=True, slots=True)
class BlockWrites:
    """How one block is split."""

    writes: tuple[Write, ...]
    """In the order in which they run."""
    middle_path: str | None
    """The module that is given the stream between attention and MLP, from the block on; None where
    the two run side by side, or the block is one write."""

    @property
    def has_middle(self) -> bool:
        """Whether the stream passes through a state after attention, before the MLP."""
        return self.middle_path is not None


class NotSplit(Exception):
    """A block's change is no sum of module outputs; the message says which block."""


def find_writes(
    decoder: TracedDecoder, ids: Sequence[int]
) -> tuple[tuple[BlockWrites, ...], float]:
    """How each block is split, and the largest absolute residue of any split on the probe text.

    Runs the model once on at most `PROBE_TOKENS` of `ids`, and parts of blocks again. Raises NotSplit.
    """
    blocks = decoder.structure.blocks
    records = [_Record() for _ in blocks]
    with ExitStack() as hooks:
        for block, record in zip(blocks, records, strict=True):
            hooks.enter_context(_recording(block, record))
        decoder.full_logits(ids[:PROBE_TOKENS])
    found = []
    largest = 0.0
    for number, (block, record) in enumerate(zip(blocks, records, strict=True), start=1):
        split, residue = _split(block, record, number)
        found.append(split)
        largest = max(largest, residue)
    return tuple(found), largest


@dataclass(slots=True)
class _Call:
    """One call of a module inside a block."""

    path: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    given: torch.Tensor | None
    """The input that has the shape of the stream, `[positions, d_model]`."""
    output: torch.Tensor | None
    """The same of the output."""


@dataclass(slots=True)
class _Output:
    """What one module gave, or several that hand it on unchanged."""

    value: torch.Tensor
    """`[positions, d_model]`"""
    calls: list[_Call]


@dataclass(slots=True)
class _Record:
    """What was seen of one block, `[positions, d_model]` each."""

    pre: torch.Tensor = field(default_factory=lambda: torch.empty(0))
    post: torch.Tensor = field(default_factory=lambda: torch.empty(0))
    calls: list[_Call] = field(default_factory=list)
    """In the order in which they ended."""


@contextmanager
def _recording(block: nn.Module, record: _Record) -> Iterator[None]:
    given: dict[nn.Module, tuple[tuple[Any, ...], dict[str, Any]]] = {}

    def before_block(_block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        stream = args[0] if args else next(iter(kwargs.values()))
        record.pre = stream[0].clone()

    def after_block(_block: nn.Module, _args: object, output: Any) -> None:
        record.post = (output[0] if isinstance(output, tuple) else output)[0].clone()

    def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        # Copies, because modules may work in place.
        given[module] = (
            tuple(map(_copied, args)),
            {name: _copied(value) for name, value in kwargs.items()},
        )

    with ExitStack() as hooks:
        hooks.callback(block.register_forward_pre_hook(before_block, with_kwargs=True).remove)
        for path, module in block.named_modules():
            if not path:
                continue
            hooks.callback(module.register_forward_pre_hook(before, with_kwargs=True).remove)

            def after(module: nn.Module, _args: object, output: Any, path: str = path) -> None:
                args, kwargs = given.pop(module, ((), {}))
                shape = record.pre.shape
                inputs = (_like_stream(value, shape) for value in (*args, *kwargs.values()))
                output = output[0] if isinstance(output, tuple) and output else output
                record.calls.append(
                    _Call(
                        path,
                        args,
                        kwargs,
                        next((value for value in inputs if value is not None), None),
                        _like_stream(output, shape, copy=True),
                    )
                )

            hooks.callback(module.register_forward_hook(after).remove)
        hooks.callback(block.register_forward_hook(after_block).remove)
        yield


def _split(block: nn.Module, record: _Record, number: int) -> tuple[BlockWrites, float]:
    pre, post = record.pre.double(), record.post.double()
    change = post - pre
    size = float(change.abs().max())
    tolerance = NARROW_TOLERANCE if record.post.dtype in NARROW else TOLERANCE
    # The sum is rounded where the stream is large, however little a block adds there: some models have
    # single numbers in the thousands at their first token.
    rounding = 4 * torch.finfo(record.post.dtype).eps * torch.maximum(pre.abs(), post.abs())
    allowed = (rounding + tolerance * size).flatten()
    groups = _equal_outputs(record)
    if not groups or size == 0:
        raise NotSplit(f"No module inside block {number} gives an output of its stream's shape.")
    outputs = torch.stack([group.value.flatten().double() for group in groups])
    products = outputs @ outputs.T
    shares = outputs @ change.flatten()
    total = float(change.square().sum())
    for n_writes in range(1, MAX_WRITES + 1):
        for chosen in itertools.combinations(range(len(groups)), n_writes):
            index = list(chosen)
            scales, info = torch.linalg.solve_ex(products[index][:, index], shares[index])
            if int(info) or bool((scales <= 0).any()):
                continue
            if total - float(scales @ shares[index]) > float(allowed @ allowed) + 1e-9 * total:
                continue  # Far off already in the mean.
            residue = (change.flatten() - scales @ outputs[index]).abs()
            if bool((residue <= allowed).all()):
                parts = [
                    (groups[i], _rounded(float(s))) for i, s in zip(index, scales, strict=True)
                ]
                return _described(block, record, groups, parts), float(residue.max())
    raise NotSplit(
        f"What block {number} adds to the residual stream is no sum of up to {MAX_WRITES} module outputs."
    )


def _equal_outputs(record: _Record) -> list[_Output]:
    """Outputs of the stream's shape, each with all modules that give it.

    Modules that are called several times and outputs that are the stream itself are left out.
    """
    seen = [call.path for call in record.calls]
    groups: list[_Output] = []
    for call in record.calls:
        output = call.output
        if output is None or seen.count(call.path) > 1 or not bool(output.any()):
            continue
        if torch.equal(output, record.pre) or torch.equal(output, record.post):
            continue
        for group in groups:
            if torch.equal(group.value, output):
                group.calls.append(call)
                break
        else:
            groups.append(_Output(output, [call]))
    return groups


def _described(
    block: nn.Module,
    record: _Record,
    groups: Sequence[_Output],
    parts: Sequence[tuple[_Output, float]],
) -> BlockWrites:
    """The writes of a split in running order, and whether there is a state between them."""
    order = {id(call): place for place, call in enumerate(record.calls)}
    ordered = sorted(parts, key=lambda part: order[id(part[0].calls[0])])
    writes = tuple(_write(block, record, groups, group, scale) for group, scale in ordered)
    middle = record.pre.double()
    for group, scale in ordered[:-1]:
        middle = middle + scale * group.value.double()
    bound = 10 * TOLERANCE * float(middle.abs().max())
    if record.post.dtype in NARROW:
        bound = NARROW_TOLERANCE * float(middle.abs().max())
    *before, last = [write.kind for write in writes]
    if not before or last != "mlp" or "mlp" in before:
        return BlockWrites(writes, None)
    seen = [call.path for call in record.calls]
    given = [
        call.path
        for call in record.calls
        if call.given is not None
        and seen.count(call.path) == 1
        and float((call.given.double() - middle).abs().max()) <= bound
    ]
    return BlockWrites(writes, min(given, key=lambda path: path.count("."), default=None))


def _write(
    block: nn.Module, record: _Record, groups: Sequence[_Output], group: _Output, scale: float
) -> Write:
    linear = _linear_of(block, group)
    outermost = min(group.calls, key=lambda call: call.path.count("."))
    has_norm = False
    if linear is None:
        # A norm over the output of a linear map: Gemma 2, OLMo 2, GLM-4.
        source = next(
            (
                source
                for call in group.calls
                if call.given is not None
                for source in groups
                if torch.equal(source.value, call.given)
            ),
            None,
        )
        linear = None if source is None else _linear_of(block, source)
        has_norm = linear is not None
    owner = _owner(record, linear or outermost.path)
    return Write(_kind(block, owner, record), outermost.path, scale, linear, has_norm)


def _linear_of(block: nn.Module, group: _Output) -> str | None:
    """The innermost linear map among modules that give the same output."""
    linear = [
        call.path
        for call in group.calls
        if isinstance(block.get_submodule(call.path), (nn.Linear, Conv1D))
    ]
    return max(linear, key=lambda path: path.count("."), default=None)


def _owner(record: _Record, path: str) -> _Call:
    """The call of the outermost module inside the block that contains a module."""
    first = path.split(".")[0]
    by_path = {call.path: call for call in record.calls}
    return by_path.get(first) or by_path[path]


def _kind(block: nn.Module, call: _Call, record: _Record) -> WriteKind:
    """Runs a module again with another input at position 0, to see whether later positions change."""
    module = block.get_submodule(call.path)
    shape = record.pre.shape
    operations = _Operations()

    def outputs(changed: bool) -> torch.Tensor:
        is_replaced = False

        def prepared(value: Any) -> Any:
            nonlocal is_replaced
            stream = _like_stream(value, shape) if isinstance(value, torch.Tensor) else None
            if is_replaced or (stream is None and not _fits(value, shape)):
                return _copied(value)
            is_replaced = True
            other = value.clone()
            if changed:
                # Position 0 is the first row of either form, [1, positions, width] or [positions, width].
                first = other.view(-1, other.shape[-1])[0]
                first.copy_(first.flip(0) + 1)
            return other

        args = tuple(map(prepared, call.args))
        kwargs = {name: prepared(value) for name, value in call.kwargs.items()}
        output = module(*args, **kwargs)
        stream: torch.Tensor = output[0] if isinstance(output, tuple) else output
        return stream.reshape(shape[0], -1)[1:]

    with operations:
        before = outputs(changed=False)
    # Experts run the tokens that are routed to them together, which changes a product's last bits.
    change = float((outputs(changed=True) - before).abs().max())
    if change <= MIN_MIXING * float(before.abs().max()):
        return "mlp"
    return "attn" if operations.has_attention else "mixer"


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch gives its modes no types
    """Notes whether attention was computed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch gives its modes no types
        self.has_attention = False

    def __torch_dispatch__(
        self,
        func: Any,
        _types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        name = func.name()
        if "scaled_dot_product" in name or "softmax" in name:
            self.has_attention = True
        return func(*args, **(kwargs or {}))


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else value


def _fits(value: Any, shape: torch.Size) -> bool:
    """Whether a tensor has a row for each position, as the input of an inner linear map has."""
    return (
        isinstance(value, torch.Tensor)
        and value.is_floating_point()
        and value.dim() >= 2
        and value.numel() == shape[0] * value.shape[-1]
    )


def _like_stream(value: Any, shape: torch.Size, *, copy: bool = False) -> torch.Tensor | None:
    """A tensor as `[positions, d_model]`, if that is what it holds."""
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        return None
    if value.dim() < 2 or value.shape[-1] != shape[-1] or value.numel() != shape.numel():
        return None
    stream = value.reshape(shape)
    return stream.clone() if copy else stream


def _rounded(scale: float) -> float:
    """A multiplier without the noise of having been measured."""
    nearest = round(scale, 4)
    return nearest if abs(scale - nearest) <= 1e-5 * abs(scale) else scale
