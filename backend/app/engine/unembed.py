"""Read-outs of many layers and positions, in chunks of bounded memory.

All logits of gpt2 at 1,024 positions are 2.7 GB in float32 (`[13, 1024, 50257]`), so they never
exist together: a chunk is as many rows as the matrix product needs to run at full speed, and no more
than fit `readout_bytes`; one row is the least. Decoding is the model's own tail, for every
architecture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from app.engine.capture import ROW_MULTIPLE, TracedDecoder
from app.engine.lenses import Lens
from app.engine.metrics import BLOCK_BYTES, LogitsReader, Numbers, Reference, finite_rows
from app.engine.types import LensColumns, Step, Wanted
from app.errors import ModelComputationError

ARRAYS_ALIVE = 2
"""Arrays of a chunk's size: the logits, and a temporary of the model's tail such as a softcap's."""

ROWS_ON_CPU = 208
"""More rows are no faster in one product: measured with packed weights of gpt2's shape."""


def rows_per_chunk(d_vocab: int, readout_bytes: int, device: torch.device) -> int:
    """Rows whose read-out stays within `readout_bytes`: a multiple of 16 where more than 16 fit."""
    row_bytes = 4 * d_vocab
    # Besides these, the reader's two buffers: each a block, or the whole chunk where that is less.
    rows = max(
        1,
        readout_bytes // ((ARRAYS_ALIVE + 2) * row_bytes),
        (readout_bytes - 2 * BLOCK_BYTES) // (ARRAYS_ALIVE * row_bytes),
    )
    if device.type == "cpu":
        rows = min(rows, ROWS_ON_CPU)
    return rows - rows % ROW_MULTIPLE if rows > ROW_MULTIPLE else rows


class Unembedding:
    """Turns residual rows of a model into read-outs."""

    def __init__(self, decoder: TracedDecoder, readout_bytes: int) -> None:
        self.chunk_rows = rows_per_chunk(decoder.d_vocab, readout_bytes, decoder.device)
        self.reader = LogitsReader(decoder.d_vocab, decoder.device)
        self._decoder = decoder

    def layers_to_read(self, wanted: Wanted) -> list[int]:
        """The final layer, from which every divergence is measured, and the others asked for."""
        final = self._decoder.n_layers
        return [final, *dict.fromkeys(layer for layer in wanted.layers if layer != final)]

    def positions_per_chunk(self, wanted: Wanted) -> int:
        """Positions that are read in one chunk; one where its layers alone are more than a chunk."""
        return max(1, self.chunk_rows // len(self.layers_to_read(wanted)))

    def rows(self, streams: torch.Tensor, layers: Sequence[int], lens: Lens) -> torch.Tensor:
        """Rows to decode, layer by layer: `[..., n_layers + 1, d_model]` -> `[..., len(layers), d_model]`."""
        final = self._decoder.n_layers
        return torch.stack(
            [
                streams[..., layer, :] if layer == final else lens(streams[..., layer, :], layer)
                for layer in layers
            ],
            dim=-2,
        )

    def decode(self, rows: torch.Tensor) -> torch.Tensor:
        """Logits of rows `[rows, d_model]`, float32 `[rows, d_vocab]`."""
        return self._decoder.decode(rows)

    def read(
        self,
        streams: torch.Tensor,
        positions: Sequence[int],
        following: Sequence[int | None],
        wanted: Wanted,
        lens: Lens,
    ) -> LensColumns:
        """Read-outs of positions whose residual streams are `[positions, n_layers + 1, d_model]`.

        `following`: the token after each position.
        """
        layers = self.layers_to_read(wanted)
        if len(layers) * len(positions) <= self.chunk_rows:
            rows = self.rows(streams, layers, lens).flatten(0, 1)
            logits = self._decoder.decode(rows).view(len(positions), len(layers), -1)
            return self.columns(logits, positions, following, wanted)
        assert len(positions) == 1
        return self._columns_in_parts(streams, positions, following, wanted, lens)

    def columns(
        self,
        logits: torch.Tensor,
        positions: Sequence[int],
        following: Sequence[int | None],
        wanted: Wanted,
    ) -> LensColumns:
        """Read-outs from logits `[positions, layers_to_read, d_vocab]`, which are overwritten."""
        tokens = self._tokens(following, wanted)
        numbers = self.reader.read(logits, tokens, self._top_k(wanted))
        return self._make_columns(numbers, positions, following, wanted)

    def score(self, logits: torch.Tensor, index: int, token_id: int) -> Step:
        """How final logits `[d_vocab]`, which are overwritten, score the token at `index`."""
        tokens = torch.tensor([[token_id]], device=logits.device)
        numbers = self.reader.read(logits.view(1, 1, -1), tokens, 1)
        self._require_finite(numbers.entropy_nats, [self._decoder.n_layers], [index - 1])
        return _scores(numbers, [index], [token_id])[0]

    def _columns_in_parts(
        self,
        streams: torch.Tensor,
        positions: Sequence[int],
        following: Sequence[int | None],
        wanted: Wanted,
        lens: Lens,
    ) -> LensColumns:
        """The layers of one position, where together they are more rows than a chunk may have."""
        layers = self.layers_to_read(wanted)
        tokens = self._tokens(following, wanted)
        parts: list[Numbers] = []
        reference: Reference | None = None
        for start in range(0, len(layers), self.chunk_rows):
            part = layers[start : start + self.chunk_rows]
            logits = self._decoder.decode(self.rows(streams, part, lens)[0])
            reference = reference or self.reader.reference(logits[:1])
            parts.append(self.reader.read(logits[None], tokens, self._top_k(wanted), reference))
        numbers = Numbers(
            top_ids=torch.cat([part.top_ids for part in parts], dim=1),
            top_probabilities=torch.cat([part.top_probabilities for part in parts], dim=1),
            entropy_nats=torch.cat([part.entropy_nats for part in parts], dim=1),
            kl_to_final_nats=torch.cat([part.kl_to_final_nats for part in parts], dim=1),
            token_logprobs_nats=torch.cat([part.token_logprobs_nats for part in parts], dim=2),
            token_ranks=torch.cat([part.token_ranks for part in parts], dim=2),
        )
        return self._make_columns(numbers, positions, following, wanted)

    def _top_k(self, wanted: Wanted) -> int:
        return min(wanted.top_k, self._decoder.d_vocab)

    def _tokens(self, following: Sequence[int | None], wanted: Wanted) -> torch.Tensor:
        """Ids to look up, `[1 + targets, positions]`; any id where nothing follows."""
        rows = [[token or 0 for token in following]]
        rows += [[target] * len(following) for target in wanted.targets]
        return torch.tensor(rows, device=self._decoder.device)

    def _make_columns(
        self,
        numbers: Numbers,
        positions: Sequence[int],
        following: Sequence[int | None],
        wanted: Wanted,
    ) -> LensColumns:
        layers = self.layers_to_read(wanted)
        self._require_finite(numbers.entropy_nats, layers, positions)
        place = [layers.index(layer) for layer in wanted.layers]

        def by_layer(values: torch.Tensor) -> np.ndarray[Any, Any]:
            """[P, L, …] of what was read -> [L, P, …] of what was asked for."""
            return np.moveaxis(values.cpu().numpy(), 1, 0)[place]

        known = np.array([token is not None for token in following], dtype=bool)
        next_probability = by_layer(numbers.token_logprobs_nats[0].exp())
        divergence = by_layer(numbers.kl_to_final_nats)
        divergence[[i for i, layer in enumerate(wanted.layers) if layer == layers[0]]] = 0.0
        target_logprobs, target_ranks = numbers.token_logprobs_nats[1:], numbers.token_ranks[1:]
        return LensColumns(
            layers=tuple(wanted.layers),
            positions=tuple(positions),
            top_ids=by_layer(numbers.top_ids),
            top_probabilities=by_layer(numbers.top_probabilities),
            entropy_nats=by_layer(numbers.entropy_nats),
            kl_to_final_nats=divergence,
            next_probability=np.where(known, next_probability, np.float32("nan")),
            next_rank=np.where(known, by_layer(numbers.token_ranks[0]), 0),
            targets=tuple(wanted.targets),
            target_probability=np.moveaxis(target_logprobs.exp().cpu().numpy(), 2, 1)[:, place],
            target_rank=np.moveaxis(target_ranks.cpu().numpy(), 2, 1)[:, place],
            scores=tuple(_scores(numbers, [p + 1 for p in positions], following)),
        )

    def _require_finite(
        self, entropies: torch.Tensor, layers: Sequence[int], positions: Sequence[int]
    ) -> None:
        """Raises ModelComputationError naming the first place whose logits were not all finite."""
        bad = (~torch.isfinite(entropies)).nonzero()
        if len(bad):
            position, layer = bad[0].tolist()
            raise not_finite(layers[layer], positions[position])


def require_finite(logits: torch.Tensor, layer: int, position: int) -> None:
    """Raises ModelComputationError where logits `[d_vocab]` are not all finite."""
    if not bool(finite_rows(logits[None])):
        raise not_finite(layer, position)


def joined(chunks: Iterator[LensColumns | None], positions: Sequence[int]) -> LensColumns:
    """All chunks of a reading, at least one, as one."""
    parts = [chunk for chunk in chunks if chunk is not None]
    first = parts[0]

    def together(name: str, axis: int) -> Any:
        return np.concatenate([getattr(part, name) for part in parts], axis=axis)

    return LensColumns(
        layers=first.layers,
        positions=tuple(positions),
        top_ids=together("top_ids", 1),
        top_probabilities=together("top_probabilities", 1),
        entropy_nats=together("entropy_nats", 1),
        kl_to_final_nats=together("kl_to_final_nats", 1),
        next_probability=together("next_probability", 1),
        next_rank=together("next_rank", 1),
        targets=first.targets,
        target_probability=together("target_probability", 2),
        target_rank=together("target_rank", 2),
        scores=tuple(score for part in parts for score in part.scores),
    )


def _scores(
    numbers: Numbers, indices: Sequence[int], token_ids: Sequence[int | None]
) -> list[Step]:
    """A `Step` for each token that follows, from the first row of each position."""
    columns = zip(
        indices,
        token_ids,
        numbers.token_logprobs_nats[0, :, 0].tolist(),
        numbers.token_ranks[0, :, 0].tolist(),
        numbers.entropy_nats[:, 0].tolist(),
        strict=True,
    )
    return [
        Step(index, token_id, logprob, rank, entropy)
        for index, token_id, logprob, rank, entropy in columns
        if token_id is not None
    ]


def not_finite(layer: int, position: int, side: str = "") -> ModelComputationError:
    """`side`: which of two timelines that are compared."""
    of_side = f" of {side}," if side else ""
    return ModelComputationError(
        f"The logits{of_side} read at layer {layer}, position {position}, are not all finite "
        "numbers.",
        hint="The weights of this model are damaged or overflow in its dtype.",
    )
