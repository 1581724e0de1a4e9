"""Numbers of next-token distributions, from their logits.

Everything is computed in float32 over the whole vocabulary at temperature 1. Probabilities are in
[0, 1], log-probabilities, entropy and KL divergence in nats; ranks are exact and 1-based: 1 + the
number of larger logits.

Each row of logits is gone over as few times as PyTorch allows, in blocks that stay in the
processor's cache, with buffers that are kept: fresh memory of this size costs as much as the
arithmetic. Sums are PyTorch's pairwise ones, so that entropy and divergence are right to 1e-6, and a
row gives the same bits whatever rows stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

BLOCK_BYTES = 6 * 2**20
"""Logits that are gone over at once: with two buffers of their size they fit a usual L3 cache."""

GROUP = 16
"""Logits of which only the largest is looked at first, to find the most probable tokens."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The final distributions of some positions, from which divergences are measured."""

    probabilities: torch.Tensor
    """[positions, 1, d_vocab]"""
    entropy_nats: torch.Tensor
    """[positions, 1]"""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What was read from logits of `P` positions x `L` layers; `K` top predictions, `T` tokens."""

    top_ids: torch.Tensor
    """[P, L, K], most probable first."""
    top_probabilities: torch.Tensor
    """[P, L, K]"""
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
    softmax_total: torch.Tensor
    """[rows]: what the row sums up to after `softmax`, about 1."""
    log_total: torch.Tensor
    """[rows]: log of the sum of the exponentials, when the largest logit is moved to 0."""
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
        n_rows = logits.shape[1]
        at_once = max(1, self.rows_at_once // n_rows)
        blocks = [
            self._read_block(
                logits[here], tokens[:, here], top_k, reference and _at(reference, here)
            )
            for here in _slices(len(logits), at_once)
        ]
        if len(blocks) == 1:
            return blocks[0]
        return Numbers(
            *(torch.cat([getattr(b, name) for b in blocks]) for name in PER_POSITION),
            *(torch.cat([getattr(b, name) for b in blocks], dim=1) for name in PER_TOKEN),
        )

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
        log_p = torch.log_softmax(logits, dim=-1)
        p = log_p.exp()
        p /= p.sum(-1, keepdim=True)
        return Reference(p[:, None], -(p * log_p).sum(-1, keepdim=True).clamp(max=0.0))

    def _read_block(
        self, logits: torch.Tensor, tokens: torch.Tensor, top_k: int, reference: Reference | None
    ) -> Numbers:
        n_positions, n_rows, d_vocab = logits.shape
        if n_positions * n_rows == 1:
            # Alone, a row would be summed up by several threads, each a part: other bits.
            logits = logits.expand(1, 2, d_vocab).contiguous()
            twice = self._read_block(logits, tokens, top_k, reference)
            return Numbers(
                *(getattr(twice, name)[:, :1] for name in PER_POSITION),
                *(getattr(twice, name)[:, :, :1] for name in PER_TOKEN),
            )
        flat = logits.view(-1, d_vocab)
        p, scratch = self.reserve(2 * len(flat)).view(2, -1, d_vocab)
        rows = self._read_rows(flat, tokens.repeat_interleave(n_rows, dim=1), top_k)
        total, log_total = rows.softmax_total, rows.log_total
        entropy = log_total - torch.mul(p, flat, out=scratch).sum(-1) / total
        shape = (n_positions, n_rows)
        if reference is None:
            final_p = p.view(*shape, d_vocab)[:, :1] if n_rows > 1 else p.view(*shape, d_vocab)
            final_entropy = entropy.view(shape)[:, :1]
            final_total = total.view(shape)[:, :1]
        else:
            final_p, final_entropy = reference.probabilities, reference.entropy_nats
            final_total = torch.ones_like(final_entropy)
        torch.mul(flat.view(*shape, d_vocab), final_p, out=scratch.view(*shape, d_vocab))
        cross = scratch.sum(-1).view(shape) / final_total
        kl = log_total.view(shape) - cross - final_entropy
        return Numbers(
            top_ids=rows.top_ids.view(*shape, -1),
            top_probabilities=rows.top_probabilities.view(*shape, -1),
            entropy_nats=entropy.clamp(min=0.0).view(shape),
            kl_to_final_nats=kl.clamp(min=0.0),
            token_logprobs_nats=rows.token_logprobs_nats.view(-1, *shape),
            token_ranks=rows.token_ranks.view(-1, *shape),
        )

    def _read_rows(self, logits: torch.Tensor, tokens: torch.Tensor, top_k: int) -> RowNumbers:
        """Numbers of rows `[rows, d_vocab]`, from which the largest logit of each is taken away.

        `tokens` `[T, rows]`. The first buffer then holds what `softmax` makes of the rows.
        """
        p, scratch = self.reserve(2 * len(logits)).view(2, -1, self._d_vocab)
        largest, top_ids = most_probable(logits, top_k)
        peak = largest[:, :1].clone()
        # Ranks first: what follows moves the logits, and two of them could become equal.
        own = logits.gather(-1, tokens.T)
        ranks = torch.empty(tokens.shape, dtype=torch.long, device=tokens.device)
        for rank, logit in zip(ranks, own.T, strict=True):
            rank[:] = 1 + torch.gt(logits, logit[:, None], out=scratch).sum(-1).long()
        logits.sub_(peak)
        torch.softmax(logits, dim=-1, out=p)
        # The kernel divides by a sum that is right to 1e-5 only; what is left of it is taken out.
        total = p.sum(-1)
        log_total = total.log() - p.amax(-1).log()
        return RowNumbers(
            top_ids=top_ids,
            top_probabilities=(largest - peak - log_total[:, None]).exp(),
            softmax_total=total,
            log_total=log_total,
            token_logprobs_nats=(own - peak - log_total[:, None]).T,
            token_ranks=ranks,
        )

    def reserve(self, n_rows: int) -> torch.Tensor:
        """Memory for rows, `[n_rows, d_vocab]`, in use until the next call."""
        if len(self._buffer) < n_rows:
            self._buffer = torch.empty(n_rows, self._d_vocab, device=self._device)
        return self._buffer[:n_rows]


PER_POSITION = ("top_ids", "top_probabilities", "entropy_nats", "kl_to_final_nats")
PER_ROW = ("top_ids", "top_probabilities", "softmax_total", "log_total")
PER_TOKEN = ("token_logprobs_nats", "token_ranks")


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
    return Reference(reference.probabilities[here], reference.entropy_nats[here])
