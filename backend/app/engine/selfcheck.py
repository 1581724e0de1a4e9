"""What is verified on a model when it is loaded, before the first request.

1. Its logits are finite and no larger than float32 can tell apart.
2. A pass repeated gives the same logits: nothing is carried over from one request to the next.
3. The lens at the last layer gives the model's own logits, at every position.
4. The beginning of a text gives the same logits without what follows: the model is causal, so a
   residual stream once computed stays right.
5. Decoding with a KV cache, in turns with another text, gives what decoding without gives. Where it
   does not, the engine does without (see `CacheReuse`); the numbers stay right and only time is lost.
6. Decoding the rows of a token in the pass that runs it gives the bits that decoding them apart
   gives. Where it does not, they are decoded apart.
7. Replacing the residual stream of a middle layer changes the logits: the blocks found are the ones
   the model runs.

Tolerances are for rounding only. In float32, 1e-4 for logits up to 50 in magnitude and in proportion
above, and ten times that between passes of different lengths, whose products add up in another order
in every block; a softcap or multiplier left out, or a state that starts from nothing, shows as 1e-2
or more on real logits. Blocks that compute in 16 bits have streams of 8 or 11 bits, so what is
compared between two passes may differ by 5 % of the largest logit; the tail is in float32 always, and
so is what the last layer is held to.

What it cannot show: it runs 24 ordinary tokens in passes of 24 or fewer, once. What a model does
differently further on (a sliding window longer than that, rotary frequencies that change with the
length of the text), for special tokens, for values that no probe token has in its embedding row, or at
random once in many passes, is not seen here; values that are not finite are looked for in each pass.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence

import torch

from app.engine.capture import TracedDecoder
from app.engine.protocols import Vocabulary
from app.engine.residuals import CacheReuse
from app.engine.types import SelfCheck
from app.errors import UnsupportedArchitecture

logger = logging.getLogger(__name__)

PROBE_TOKENS = 24

CACHE_FAILURES = (RuntimeError, ValueError, TypeError, AttributeError, LookupError)
"""What a model raises that does not take the cache it is given."""

MIN_EDIT_CHANGE = 1e-3
"""A replaced residual stream changes real logits by whole units."""

LARGEST_LOGIT = 1e4
"""Trained models stay below a few hundred. From here on float32 resolves a logit to 1e-3 at best, and
the tolerances, which grow in proportion, would let wrong numbers pass."""


def check_model(
    decoder: TracedDecoder,
    vocabulary: Vocabulary,
    avoid: frozenset[int],
    name: str,
    pause: Callable[[], None] = lambda: None,
) -> tuple[SelfCheck, CacheReuse]:
    """Runs the checks; raises UnsupportedArchitecture with the numbers of the one that failed.

    `avoid`: ids that the model treats in a way of its own, such as padding. `pause` is called between
    passes.
    """
    ids = probe_ids(decoder, vocabulary, avoid)
    rows = decoder.empty_rows(len(ids))
    logits = decoder.full_logits(ids, rows)
    _require_readable(logits, name, decoder)
    tolerance = _tolerance(logits, decoder.dtype)
    pause()
    repeat_difference = _difference(decoder.full_logits(ids), logits)
    _require(
        repeat_difference <= tolerance,
        f"The same text gave {name} different logits the second time, by"
        f" {repeat_difference:.3g} (allowed: {tolerance:.3g}).",
        decoder,
    )
    pause()
    last_difference = _difference(decoder.decode(rows[:, -1]), logits)
    last_tolerance = _tolerance(logits, torch.float32)
    _require(
        last_difference <= last_tolerance,
        f"The lens at the last layer of {name} differs from the model's own logits by"
        f" {last_difference:.3g} (allowed: {last_tolerance:.3g}).",
        decoder,
    )
    other_length_tolerance = tolerance * (10 if decoder.dtype.itemsize >= 4 else 1)
    half = len(ids) // 2 + 1
    first_half = decoder.empty_rows(half)
    decoder.forward(ids[:half], None, first_half)
    causal_difference = _difference(decoder.decode(first_half[-1:, -1])[0], logits[half - 1])
    _require(
        causal_difference <= other_length_tolerance,
        f"{name} is not a causal decoder: without the second half of a text its logits in the first"
        f" half change by {causal_difference:.3g} (allowed: {other_length_tolerance:.3g}).",
        decoder,
    )
    pause()
    edit_change = _edit_change(decoder, ids, rows, logits)
    _require(
        edit_change >= MIN_EDIT_CHANGE,
        f"Replacing the residual stream of {name} in a middle layer changed its logits by only"
        f" {edit_change:.3g}.",
        decoder,
    )
    pause()
    reuse, cache_difference = _cache_reuse(decoder, ids, logits, other_length_tolerance)
    if reuse == "none":
        logger.warning("%s: its cache is not exact; every pass starts from the first token", name)
    decoder.reads_in_pass = reuse != "none" and _reads_in_pass(decoder, ids)
    check = SelfCheck(
        max_abs_diff=last_difference,
        cache_max_abs_diff=cache_difference,
        edit_max_abs_change=edit_change,
    )
    return check, reuse


def probe_ids(
    decoder: TracedDecoder, vocabulary: Vocabulary, avoid: frozenset[int]
) -> tuple[int, ...]:
    """Ordinary ids, spread over the vocabulary: special ones may be masked or padded away."""
    size = min(decoder.n_embeddings, decoder.d_vocab)
    return spread_ids(size, decoder.structure.n_ctx, vocabulary, avoid)


def spread_ids(
    size: int, n_ctx: int, vocabulary: Vocabulary, avoid: frozenset[int]
) -> tuple[int, ...]:
    """As `probe_ids`, of the ids below `size`."""
    shuffled = torch.randperm(size, generator=torch.Generator().manual_seed(0)).tolist()
    usable = (i for i in shuffled if i not in avoid and not vocabulary.is_special(i))
    return tuple(itertools.islice(usable, min(PROBE_TOKENS, n_ctx)))


def _edit_change(
    decoder: TracedDecoder, ids: Sequence[int], rows: torch.Tensor, logits: torch.Tensor
) -> float:
    """Change of the logits when a middle layer's stream is that of the same text reversed."""
    layer = (decoder.n_layers + 1) // 2
    replaced = decoder.full_logits_replacing(ids, layer, rows[:, layer].flip(0))
    return _difference(replaced, logits)


def _cache_reuse(
    decoder: TracedDecoder,
    ids: Sequence[int],
    logits: torch.Tensor,
    tolerance: float,
) -> tuple[CacheReuse, float]:
    """How far the cache may be relied on, and the difference found in that way of using it."""
    if decoder.new_cache() is None or len(ids) < 4:
        return "none", 0.0
    half, most = len(ids) // 2, len(ids) - 2
    singly = [(i, i + 1) for i in range(most, len(ids))]
    plans: tuple[tuple[CacheReuse, list[tuple[int, int]]], ...] = (
        ("chunks", [(0, half), (half, most), *singly]),
        ("steps", [(0, most), *singly]),
    )
    for (reuse, parts), gives_positions in itertools.product(plans, (False, True)):
        if gives_positions and not decoder.takes_positions:
            continue
        decoder.gives_positions = gives_positions
        try:
            difference = _cached_difference(decoder, ids, logits, parts)
        except CACHE_FAILURES as error:
            logger.info("cache by %s failed: %s", reuse, error)
            continue
        if difference <= tolerance:
            return reuse, difference
        logger.info("cache by %s differs by %.3g", reuse, difference)
    decoder.gives_positions = False
    return "none", 0.0


def _cached_difference(
    decoder: TracedDecoder,
    ids: Sequence[int],
    logits: torch.Tensor,
    parts: Sequence[tuple[int, int]],
) -> float:
    cache, cache_of_other = decoder.new_cache(), decoder.new_cache()
    other = ids[::-1]
    difference = 0.0
    for start, end in parts:
        rows = decoder.empty_rows(end - start)
        decoder.forward(ids[start:end], cache, rows, start)
        # A state that is kept in the modules would now be that of another text.
        decoder.forward(other[start:end], cache_of_other, decoder.empty_rows(end - start), start)
        last = decoder.decode(rows[-1:, -1])[0]
        difference = max(difference, _difference(last, logits[end - 1]))
    return difference


def _reads_in_pass(decoder: TracedDecoder, ids: Sequence[int]) -> bool:
    """Whether one pass over a token decodes all its rows as `decode` does: no bit may differ."""

    def every_layer(streams: torch.Tensor) -> torch.Tensor:
        return streams.flip(0)

    def stepped(in_pass: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        decoder.reads_in_pass = in_pass
        cache = decoder.new_cache()
        before = decoder.empty_rows(len(ids) - 2)
        decoder.forward(ids[:-2], cache, before)
        rows, after = decoder.empty_rows(1), decoder.empty_rows(1)
        logits = decoder.step(ids[-2], cache, rows, len(ids) - 2, every_layer)
        # The token after it sees whether the cache was left as it should be.
        decoder.forward(ids[-1:], cache, after, len(ids) - 1)
        return logits, rows, after

    separate = stepped(False)
    try:
        together = stepped(True)
    except CACHE_FAILURES as error:
        logger.info("rows are decoded apart from the pass: %s", error)
        return False
    return all(torch.equal(a, b) for a, b in zip(together, separate, strict=True))


def _tolerance(logits: torch.Tensor, dtype: torch.dtype) -> float:
    largest = float(logits.abs().max())
    if dtype.itemsize < 4:
        return 0.05 * largest
    return max(1e-4, 2e-6 * largest)


def _difference(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max())


def _require_readable(logits: torch.Tensor, name: str, decoder: TracedDecoder) -> None:
    """Raises UnsupportedArchitecture for logits that are not finite, or too large to be told apart."""
    bad = ~torch.isfinite(logits)
    if bool(bad.any()):
        position, token_id = bad.nonzero()[0].tolist()
        n_ids = int(bad.any(dim=0).sum())
        others = f" and for {n_ids - 1:,} other ids" if n_ids > 1 else ""
        _require(
            False,
            f"{name} gives logits that are not finite numbers: {float(logits[position, token_id])}"
            f" for id {token_id} at position {position} of {len(logits)} tokens{others}.",
            decoder,
        )
    largest = float(logits.abs().max())
    _require(
        largest <= LARGEST_LOGIT,
        f"{name} gives logits up to {largest:.3g} in magnitude (at most {LARGEST_LOGIT:,.0f} can be"
        " read): its weights are damaged, or stored in another type than their file says.",
        decoder,
    )


def _require(holds: bool, message: str, decoder: TracedDecoder) -> None:
    if not holds:
        structure = decoder.structure
        raise UnsupportedArchitecture(
            message,
            hint=f"Found {structure.n_layers} blocks at {structure.block_paths[0]} …, final norm"
            f" {structure.final_norm_path}, unembedding {structure.unembedding_path}.",
        )
