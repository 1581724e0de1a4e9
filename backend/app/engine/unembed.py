"""Read-outs of many layers and positions, in chunks of bounded memory.

All logits of gpt2 at 1,024 positions are 2.7 GB in float32 (`[13, 1024, 50257]`), so they never
exist together: a chunk holds as many rows as fit `readout_bytes`, counting every float32 array of
the vocabulary's width that is alive at once (`ARRAYS_ALIVE`); one row is the least. Decoding is the
model's own tail, for every architecture.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from app.engine import metrics
from app.engine.capture import ROW_MULTIPLE, TracedDecoder
from app.engine.lenses import Lens
from app.engine.types import LensColumns, ShouldStop, Step
from app.errors import ModelComputationError

ARRAYS_ALIVE = 5
"""Logits, log-probabilities, a temporary, the final layer's log-probabilities, and the ids' mask or the tail's own temporary."""


def rows_per_chunk(d_vocab: int, readout_bytes: int) -> int:
    """Rows whose read-out stays within `readout_bytes`: a multiple of 16 where more than 16 fit."""
    rows = max(1, readout_bytes // (ARRAYS_ALIVE * 4 * d_vocab))
    return rows - rows % ROW_MULTIPLE if rows > ROW_MULTIPLE else rows


def read_columns(
    decoder: TracedDecoder,
    residuals: torch.Tensor,
    ids: Sequence[int],
    *,
    layers: Sequence[int],
    positions: Sequence[int],
    top_k: int,
    targets: Sequence[int],
    lens: Lens,
    chunk_rows: int,
    should_stop: ShouldStop,
) -> LensColumns | None:
    """Read-outs of `layers` at `positions` of a timeline; None when `should_stop` ended it.

    `residuals`: `[at least max(positions) + 1, n_layers + 1, d_model]`, float32.
    """
    final = decoder.n_layers
    top_k = min(top_k, decoder.d_vocab)
    shape = (len(layers), len(positions))
    top_ids = np.empty((*shape, top_k), dtype=np.int64)
    top_probabilities = np.empty((*shape, top_k), dtype=np.float32)
    entropy = np.empty(shape, dtype=np.float32)
    kl = np.empty(shape, dtype=np.float32)
    next_probability = np.full(shape, np.nan, dtype=np.float32)
    next_rank = np.zeros(shape, dtype=np.int64)
    target_probability = np.empty((len(targets), *shape), dtype=np.float32)
    target_rank = np.empty((len(targets), *shape), dtype=np.int64)

    # The final layer comes first, because each layer's divergence is from it; it has no column
    # where it was not asked for.
    reads: list[tuple[int, int | None]] = [(layer, column) for column, layer in enumerate(layers)]
    if final not in layers:
        reads.append((final, None))
    reads.sort(key=lambda read: read[0] != final)
    per_chunk = max(1, chunk_rows // len(reads))
    for start in range(0, len(positions), per_chunk):
        chunk = positions[start : start + per_chunk]
        here = slice(start, start + len(chunk))
        streams = residuals[list(chunk)]  # [positions, n_layers + 1, d_model]
        following = torch.tensor([ids[p + 1] if p + 1 < len(ids) else -1 for p in chunk])
        final_log_p: torch.Tensor | None = None
        at_once = max(1, chunk_rows // len(chunk))
        for first in range(0, len(reads), at_once):
            if should_stop():
                return None
            group = reads[first : first + at_once]
            rows = torch.cat(
                [streams[:, la] if la == final else lens(streams[:, la], la) for la, _ in group]
            )
            logits = finite_logits(decoder, rows, [(la, p) for la, _ in group for p in chunk])
            log_p = metrics.log_probs(logits)
            if final_log_p is None:
                final_log_p = log_p[: len(chunk)]
            for i, (layer, column) in enumerate(group):
                if column is None:
                    continue
                of = slice(i * len(chunk), (i + 1) * len(chunk))
                chosen = logits[of].topk(top_k).indices
                top_ids[column, here] = chosen.cpu()
                top_probabilities[column, here] = log_p[of].gather(-1, chosen).exp().cpu()
                entropy[column, here] = metrics.entropy_nats(log_p[of]).cpu()
                if layer == final:
                    kl[column, here] = 0.0
                else:
                    kl[column, here] = metrics.kl_nats(final_log_p, log_p[of]).cpu()
                known = (following >= 0).numpy()
                token = following.clamp(min=0).to(logits.device)
                probability, rank = _probability_and_rank(logits[of], log_p[of], token)
                next_probability[column, here] = np.where(known, probability, np.nan)
                next_rank[column, here] = np.where(known, rank, 0)
                for t, target in enumerate(targets):
                    token = torch.full((len(chunk),), target, device=logits.device)
                    probability, rank = _probability_and_rank(logits[of], log_p[of], token)
                    target_probability[t, column, here] = probability
                    target_rank[t, column, here] = rank
    return LensColumns(
        layers=tuple(layers),
        positions=tuple(positions),
        top_ids=top_ids,
        top_probabilities=top_probabilities,
        entropy_nats=entropy,
        kl_to_final_nats=kl,
        next_probability=next_probability,
        next_rank=next_rank,
        targets=tuple(targets),
        target_probability=target_probability,
        target_rank=target_rank,
    )


def read_scores(
    decoder: TracedDecoder,
    residuals: torch.Tensor,
    ids: Sequence[int],
    *,
    positions: Sequence[int],
    chunk_rows: int,
    should_stop: ShouldStop,
) -> list[Step] | None:
    """How the model itself scored the tokens at `positions`, each at least 1."""
    steps: list[Step] = []
    for start in range(0, len(positions), chunk_rows):
        if should_stop():
            return None
        chunk = positions[start : start + chunk_rows]
        before = [p - 1 for p in chunk]
        logits = finite_logits(
            decoder, residuals[before, decoder.n_layers], [(decoder.n_layers, p) for p in before]
        )
        steps += score(logits, list(chunk), [ids[p] for p in chunk])
    return steps


def score(logits: torch.Tensor, indices: Sequence[int], token_ids: Sequence[int]) -> list[Step]:
    """A `Step` for each row of logits `[rows, d_vocab]`, its index and the token that followed."""
    log_p = metrics.log_probs(logits)
    tokens = torch.tensor(token_ids, device=logits.device)
    columns = zip(
        indices,
        token_ids,
        log_p.gather(-1, tokens[:, None])[:, 0].tolist(),
        metrics.ranks(logits, tokens).tolist(),
        metrics.entropy_nats(log_p).tolist(),
        strict=True,
    )
    return [Step(*column) for column in columns]


def finite_logits(
    decoder: TracedDecoder, rows: torch.Tensor, places: Sequence[tuple[int, int]]
) -> torch.Tensor:
    """Logits of rows; raises ModelComputationError naming the (layer, position) of the first bad one."""
    logits = decoder.decode(rows)
    require_finite(logits, places)
    return logits


def require_finite(logits: torch.Tensor, places: Sequence[tuple[int, int]]) -> None:
    """Raises ModelComputationError where a row of logits is not finite; `places`: its (layer, position)."""
    finite = metrics.finite_rows(logits)
    if not bool(finite.all()):
        layer, position = places[int((~finite).nonzero()[0])]
        raise ModelComputationError(
            f"The logits read at layer {layer}, position {position}, are not all finite numbers.",
            hint="The weights of this model are damaged or overflow in its dtype.",
        )


def _probability_and_rank(
    logits: torch.Tensor, log_p: torch.Tensor, tokens: torch.Tensor
) -> tuple[np.ndarray, np.ndarray]:
    probability = log_p.gather(-1, tokens[:, None])[:, 0].exp()
    return probability.cpu().numpy(), metrics.ranks(logits, tokens).cpu().numpy()
