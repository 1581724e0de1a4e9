"""Numbers of next-token distributions, from their logits.

Everything is computed in float32 over the whole vocabulary at temperature 1. Probabilities are in
[0, 1], log-probabilities, entropy and KL divergence in nats; ranks are exact and 1-based: 1 + the
number of larger logits.

Rows of logits are processed in as few passes as PyTorch allows, in blocks that stay in the
processor's cache, with buffers that are kept: fresh memory of this size costs as much as the
arithmetic. Sums are PyTorch's pairwise ones, so that entropy and divergence are right to 1e-6, and a
row gives the same bits whatever rows stand beside it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

BLOCK_BYTES = 6 * 2**20
"""Logits of one block: with two buffers of their size they fit a usual L3 cache."""

GROUP = 16
"""Logits of which only the largest is looked at first, to find the most probable tokens."""

LEAST_EXPONENT = -87.0
"""e to less is below the smallest float32 of full precision."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The final distributions of some positions, from which divergences are measured."""

    exponentials: torch.Tensor
    """[positions, 1, d_vocab]: e to each logit, when the largest is moved to 0."""
    total: torch.Tensor
    """[positions, 1]: their sums."""
    entropy_nats: torch.Tensor
    """[positions, 1]"""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What was read from logits of `P` positions x `L` layers; `K` top predictions, `T` tokens."""

    top_ids: torch.Tensor
    """[P, L, K], most probable first."""
    top_probabilities: torch.Tensor
    """[P, L, K]"""
    top_ranks: torch.Tensor
    """[P, L, K], int64: equal logits share a rank."""
    entropy_nats: torch.Tensor
    """[P, L], in [0, ln d_vocab]; not finite where a logit is not."""
    kl_to_final_nats: torch.Tensor
    """[P, L]: KL(final ‖ row), at least 0."""
    token_logprobs_nats: torch.Tensor
    """[T, P, L]"""
    token_ranks: torch.Tensor
    """[T, P, L], int64."""


@dataclass(frozen=True, slots=True)
class RowNumbers:
    """What each row of logits says by itself; `K` top predictions, `T` tokens."""

    top_ids: torch.Tensor
    """[rows, K], most probable first."""
    top_probabilities: torch.Tensor
    """[rows, K]"""
    top_ranks: torch.Tensor
    """[rows, K], int64."""
    total: torch.Tensor
    """[rows]: sum of the exponentials, when the largest logit is moved to 0."""
    log_total: torch.Tensor
    """[rows]: its logarithm."""
    token_logprobs_nats: torch.Tensor
    """[T, rows]"""
    token_ranks: torch.Tensor
    """[T, rows], int64."""


class LogitsReader:
    """Reads numbers from logits; holds the buffers for it."""

    def __init__(self, d_vocab: int, device: torch.device) -> None:
        self.rows_at_once = max(1, BLOCK_BYTES // (4 * d_vocab))
        """Rows of a block."""
        self._d_vocab = d_vocab
        self._device = device
        self._buffer = torch.empty(0, d_vocab, device=device)

    @property
    def n_bytes(self) -> int:
        """Memory that the buffers hold."""
        return self._buffer.nbytes

    def read(
        self,
        logits: torch.Tensor,
        tokens: torch.Tensor,
        top_k: int,
        reference: Reference | None = None,
    ) -> Numbers:
        """Numbers of logits `[P, L, d_vocab]`, float32, which are overwritten.

        `tokens` `[T, P]`: ids whose rank and log-probability are wanted at each position.
        Divergences are from `reference`, by default from the first row of each position.
        """
        n_positions, n_rows, _ = logits.shape
        if n_rows > self.rows_at_once:
            each = [
                self._read_position(
                    logits[p], tokens[:, here], top_k, reference and _at(reference, here)
                )
                for p, here in enumerate(_slices(n_positions, 1))
            ]
            return joined(each, "positions")
        blocks = [
            self._read_block(
                logits[here], tokens[:, here], top_k, reference and _at(reference, here)
            )[0]
            for here in _slices(n_positions, self.rows_at_once // n_rows)
        ]
        return joined(blocks, "positions")

    def normalise(self, logits: torch.Tensor, tokens: torch.Tensor, top_k: int) -> RowNumbers:
        """Makes log-probabilities of logits `[rows, d_vocab]`, float32, in place.

        `tokens` `[T]`: ids whose rank and log-probability are wanted in each row.
        """
        blocks = []
        for here in _slices(len(logits), self.rows_at_once):
            rows = logits[here]
            # Alone, a row would be summed up by several threads, each a part: other bits.
            block = rows if len(rows) > 1 else rows.expand(2, -1).contiguous()
            numbers = self._read_rows(block, tokens[:, None].expand(-1, len(block)), top_k)
            torch.sub(block[: len(rows)], numbers.log_total[: len(rows), None], out=rows)
            blocks.append((numbers, len(rows)))
        return RowNumbers(
            *(torch.cat([getattr(block, name)[:n] for block, n in blocks]) for name in PER_ROW),
            *(
                torch.cat([getattr(block, name)[:, :n] for block, n in blocks], dim=1)
                for name in PER_TOKEN
            ),
        )

    def reference(self, logits: torch.Tensor) -> Reference:
        """The distributions of final logits `[P, d_vocab]`, float32, to measure other rows from."""
        n = len(logits)
        # Alone, a row would be summed up by several threads, each a part: other bits.
        rows = logits.clone() if n > 1 else logits.expand(2, -1).contiguous()
        rows -= rows.amax(-1, keepdim=True)
        exponentials = exponentials_of(rows)
        total = exponentials.sum(-1)
        entropy = total.log() - rows.mul_(exponentials).sum(-1) / total
        return Reference(exponentials[:n, None], total[:n, None], entropy[:n, None])

    def _read_position(
        self, logits: torch.Tensor, tokens: torch.Tensor, top_k: int, reference: Reference | None
    ) -> Numbers:
        """As `read`, of one position `[L, d_vocab]` with more rows than a block."""
        n_blocks = -(-len(logits) // self.rows_at_once)
        parts = []
        for rows in torch.tensor_split(logits, n_blocks):
            numbers, own = self._read_block(rows[None], tokens, top_k, reference)
            if reference is None:
                # The buffer that it lies in is used again for the next rows.
                reference = dataclasses.replace(own, exponentials=own.exponentials.clone())
            parts.append(numbers)
        return joined(parts, "layers")

    def _read_block(
        self, logits: torch.Tensor, tokens: torch.Tensor, top_k: int, reference: Reference | None
    ) -> tuple[Numbers, Reference]:
        """Numbers of logits `[P, L, d_vocab]`, and what divergences were measured from."""
        n_positions, n_rows, d_vocab = logits.shape
        if n_positions * n_rows == 1:
            # Alone, a row would be summed up by several threads, each a part: other bits.
            logits = logits.expand(1, 2, d_vocab).contiguous()
            twice, reference = self._read_block(logits, tokens, top_k, reference)
            return Numbers(
                *(getattr(twice, name)[:, :1] for name in PER_POSITION),
                *(getattr(twice, name)[:, :, :1] for name in PER_TOKEN),
            ), reference
        shape = (n_positions, n_rows)
        flat = logits.view(-1, d_vocab)
        exponentials, scratch = self.reserve(2 * len(flat)).view(2, -1, d_vocab)
        rows = self._read_rows(flat, tokens.repeat_interleave(n_rows, dim=1), top_k)
        entropy = rows.log_total - torch.mul(exponentials, flat, out=scratch).sum(-1) / rows.total
        if reference is None:
            reference = Reference(
                exponentials.view(*shape, d_vocab)[:, :1],
                rows.total.view(shape)[:, :1],
                entropy.view(shape)[:, :1],
            )
        by_position = (*shape, d_vocab)
        torch.mul(flat.view(by_position), reference.exponentials, out=scratch.view(by_position))
        cross = scratch.sum(-1).view(shape) / reference.total
        kl = rows.log_total.view(shape) - cross - reference.entropy_nats
        return Numbers(
            top_ids=rows.top_ids.view(*shape, -1),
            top_probabilities=rows.top_probabilities.view(*shape, -1),
            top_ranks=rows.top_ranks.view(*shape, -1),
            entropy_nats=entropy.clamp(min=0.0).view(shape),
            kl_to_final_nats=kl.clamp(min=0.0),
            token_logprobs_nats=rows.token_logprobs_nats.view(-1, *shape),
            token_ranks=rows.token_ranks.view(-1, *shape),
        ), reference

    def _read_rows(self, logits: torch.Tensor, tokens: torch.Tensor, top_k: int) -> RowNumbers:
        """Numbers of rows `[rows, d_vocab]`, from which the largest logit of each is taken away.

        `tokens` `[T, rows]`. The first buffer then holds the exponentials of what is left.
        """
        exponentials, scratch = self.reserve(2 * len(logits)).view(2, -1, self._d_vocab)
        largest, top_ids = most_probable(logits, top_k)
        peak = largest[:, :1].clone()
        # Ranks first: what follows moves the logits, and two of them could become equal.
        own = logits.gather(-1, tokens.T)
        ranks = torch.empty(tokens.shape, dtype=torch.long, device=tokens.device)
        for rank, logit in zip(ranks, own.T, strict=True):
            rank[:] = 1 + torch.gt(logits, logit[:, None], out=scratch).sum(-1).long()
        logits.sub_(peak)
        total = exponentials_of(logits, out=exponentials).sum(-1)
        log_total = total.log()
        return RowNumbers(
            top_ids=top_ids,
            top_probabilities=(largest - peak - log_total[:, None]).exp(),
            top_ranks=ranks_of_sorted(largest),
            total=total,
            log_total=log_total,
            token_logprobs_nats=(own - peak - log_total[:, None]).T,
            token_ranks=ranks,
        )

    def reserve(self, n_rows: int) -> torch.Tensor:
        """Memory for rows, `[n_rows, d_vocab]`, in use until the next call."""
        if len(self._buffer) < n_rows:
            self._buffer = torch.empty(n_rows, self._d_vocab, device=self._device)
        return self._buffer[:n_rows]


PER_POSITION = ("top_ids", "top_probabilities", "top_ranks", "entropy_nats", "kl_to_final_nats")
PER_ROW = ("top_ids", "top_probabilities", "top_ranks", "total", "log_total")
PER_TOKEN = ("token_logprobs_nats", "token_ranks")


def joined(parts: Sequence[Numbers], along: Literal["positions", "layers"]) -> Numbers:
    """Numbers of several parts of what was read, as one."""
    if len(parts) == 1:
        return parts[0]
    axis = 0 if along == "positions" else 1

    def together(name: str, axis: int) -> torch.Tensor:
        return torch.cat([getattr(part, name) for part in parts], dim=axis)

    return Numbers(
        *(together(name, axis) for name in PER_POSITION),
        *(together(name, axis + 1) for name in PER_TOKEN),
    )


def exponentials_of(logs: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
    """e to each of float32 numbers of which the largest of a row is about 0, none below e^-87.

    PyTorch's `exp` is right to the last bit and takes half the time of `softmax`, which is right to
    1e-5. But results too small for float32's full precision take it 10 to 50 times as long, and real
    models have many: their logits spread over hundreds. What is left of those, 1.6e-38, changes no sum
    of a distribution, whose largest exponential is 1.
    """
    return torch.clamp(logs, min=LEAST_EXPONENT, out=out).exp_()


def most_probable(logits: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The `k` largest of each row of logits `[rows, d_vocab]`, largest first, and their ids.

    The k largest lie in the k groups whose largest member is largest, so only those are sorted.
    """
    n_groups = logits.shape[-1] // GROUP
    if n_groups <= k:
        largest, ids = logits.topk(k)
        return largest, ids
    whole = n_groups * GROUP
    # Member j of group g is logit j * n_groups + g: neighbours in memory are in different groups.
    of_groups = logits[:, :whole].reshape(-1, GROUP, n_groups).amax(1)
    groups = of_groups.topk(k).indices
    starts = torch.arange(0, whole, n_groups, device=logits.device)
    rest = torch.arange(whole, logits.shape[-1], device=logits.device)
    candidates = torch.cat(
        [(groups[:, :, None] + starts).flatten(1), rest.expand(len(logits), -1)], dim=1
    )
    largest, places = logits.gather(-1, candidates).topk(k)
    return largest, candidates.gather(-1, places)


def ranks_of_sorted(largest: torch.Tensor) -> torch.Tensor:
    """Ranks of the largest logits of each row, `[rows, K]`, largest first: 1 + the number above each."""
    ascending = -largest
    return 1 + torch.searchsorted(ascending, ascending)  # the first place of equal ones


def finite_rows(logits: torch.Tensor) -> torch.Tensor:
    """Which rows hold only finite numbers. `[rows, d_vocab]` -> bool `[rows]`."""
    # A sum is not finite when an addend is not, and takes a fraction of the time of isfinite.
    suspect = ~torch.isfinite(logits.sum(dim=-1))
    if not bool(suspect.any()):
        return ~suspect
    return torch.isfinite(logits).all(dim=-1)


def _slices(n: int, size: int) -> Iterator[slice]:
    for start in range(0, n, size):
        yield slice(start, start + size)


def _at(reference: Reference, here: slice) -> Reference:
    """The same of some of the positions."""
    return Reference(
        reference.exponentials[here], reference.total[here], reference.entropy_nats[here]
    )
