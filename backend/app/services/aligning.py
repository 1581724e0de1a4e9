"""Which positions of two timelines stand for each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher


def aligned_pairs(a: Sequence[int], b: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of positions: common tokens in order, and what stands between them paired in order.

    The rest of a longer part has no counterpart and so is in no pair.
    """
    shorter = min(len(a), len(b))
    prefix = next((i for i in range(shorter) if a[i] != b[i]), shorter)
    suffix = next(
        (i for i in range(shorter - prefix) if a[len(a) - 1 - i] != b[len(b) - 1 - i]),
        shorter - prefix,
    )
    middle = SequenceMatcher(
        None, a[prefix : len(a) - suffix], b[prefix : len(b) - suffix], autojunk=False
    )
    pairs = [(i, i) for i in range(prefix)]
    # What is new on either side up to the next common token is one part.
    start_a = start_b = prefix
    for block in middle.get_matching_blocks():
        at_a, at_b = prefix + block.a, prefix + block.b
        pairs += _in_order(start_a, at_a, start_b, at_b)
        pairs += [(at_a + i, at_b + i) for i in range(block.size)]
        start_a, start_b = at_a + block.size, at_b + block.size
    pairs += [(len(a) - suffix + i, len(b) - suffix + i) for i in range(suffix)]
    return pairs


def _in_order(a: int, end_a: int, b: int, end_b: int) -> Iterator[tuple[int, int]]:
    yield from zip(range(a, end_a), range(b, end_b), strict=False)
