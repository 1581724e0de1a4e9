"""Read-outs of many layers and positions, in chunks of bounded memory.

All logits of gpt2 at 1,024 positions are 2.7 GB in float32 (`[13, 1024, 50257]`), so they never
exist together: a chunk is as many rows as the matrix product needs to run at full speed, and no more
than fit `readout_bytes`; one row is the least. Decoding is the model's own tail, for every
architecture.

A reply is read in the pass that generates it only where all layers of one token are one chunk, so
the default bound follows from the model; a bound that is set too low for that is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from app.engine.capture import TracedDecoder
from app.engine.lenses import Lens
from app.engine.metrics import BLOCK_BYTES, LogitsReader, Numbers, Reference, finite_rows
from app.engine.metrics import joined as joined_numbers
from app.engine.types import Layer, LensColumns, Step, Wanted
from app.errors import ModelComputationError

logger = logging.getLogger(__name__)

ARRAYS_ALIVE = 2
"""Arrays of a chunk's size: the logits, and a temporary of the model's tail such as a softcap's."""

READOUT_BYTES = 64 * 2**20
"""The bound where none is set, and where the model does not need more."""

MOST_ROWS_ON_CPU = 208
"""More rows are no faster in one product: measured with packed weights of gpt2's shape."""

FULL_SPEED_ROWS = 64
"""Of a large vocabulary fewer rows are slower, since each product reads the whole matrix: with
262,144 ids a row of 19 takes 1.6 times as long as one of 64, and one of 208 no less."""


def default_readout_bytes(d_vocab: int, n_layers: int, row_multiple: int) -> int:
    """As much as a chunk of all layers of one token takes, and of rows at full speed."""
    rows = max(n_layers + 1, FULL_SPEED_ROWS)
    return max(READOUT_BYTES, bytes_of_rows(-(-rows // row_multiple) * row_multiple, d_vocab))


def bytes_of_rows(rows: int, d_vocab: int) -> int:
    """Memory that decoding and reading rows in one chunk takes."""
    logits = 4 * d_vocab * rows
    # Besides these, the reader's two buffers: each a block, or the whole chunk where that is less.
    return ARRAYS_ALIVE * logits + 2 * min(logits, max(BLOCK_BYTES, 4 * d_vocab))


def rows_per_chunk(
    d_vocab: int, readout_bytes: int, device: torch.device, row_multiple: int
) -> int:
    """Rows whose read-out stays within `readout_bytes`: where it can be, a multiple of `row_multiple`."""
    row_bytes = 4 * d_vocab
    of_logits = readout_bytes - 2 * max(BLOCK_BYTES, row_bytes)
    rows = max(
        1,
        readout_bytes // ((ARRAYS_ALIVE + 2) * row_bytes),
        of_logits // (ARRAYS_ALIVE * row_bytes),
    )
    if device.type == "cpu":
        rows = min(rows, MOST_ROWS_ON_CPU)
    return rows - rows % row_multiple if rows > row_multiple else rows


class Unembedding:
    """Turns residual rows of a model into read-outs.

    `readout_bytes` None is what the model needs to be read at full speed.
    """

    def __init__(self, decoder: TracedDecoder, readout_bytes: int | None = None) -> None:
        d_vocab, n_rows = decoder.d_vocab, decoder.n_layers + 1
        needed = default_readout_bytes(d_vocab, decoder.n_layers, decoder.row_multiple)
        self.chunk_rows = rows_per_chunk(
            d_vocab, readout_bytes or needed, decoder.device, decoder.row_multiple
        )
        self.reader = LogitsReader(d_vocab, decoder.device)
        self._decoder = decoder
        if self.chunk_rows < n_rows:
            logger.warning(
                "EXPLORER_READOUT_BYTES=%d holds %d of the %d layers of a token (%s ids): each reply "
                "takes several passes over the unembedding. %d bytes hold all of them",
                readout_bytes,
                self.chunk_rows,
                n_rows,
                f"{d_vocab:,}",
                bytes_of_rows(-(-n_rows // decoder.row_multiple) * decoder.row_multiple, d_vocab),
            )

    def layers_to_read(self, wanted: Wanted) -> list[Layer]:
        """The final layer, from which every divergence is measured, and the others asked for."""
        final: Layer = self._decoder.n_layers
        return [final, *dict.fromkeys(layer for layer in wanted.layers if layer != final)]

    def positions_per_chunk(self, wanted: Wanted) -> int:
        """Positions that are read in one chunk; one where its layers alone are more than a chunk."""
        return max(1, self.chunk_rows // len(self.layers_to_read(wanted)))

    def rows(self, streams: torch.Tensor, layers: Sequence[Layer], lens: Lens) -> torch.Tensor:
        """Rows to decode, layer by layer: `[..., n_layers + 1, d_model]` -> `[..., len(layers), d_model]`.

        With half layers among the streams these are `[..., 2 · n_layers + 1, d_model]`. They may lie in
        main memory or on the model's device; the rows are on its device.
        """
        final = self._decoder.n_layers
        n_each = (streams.shape[-2] - 1) // final
        streams = streams.to(self._decoder.device)

        def row(layer: Layer) -> torch.Tensor:
            stream = streams[..., int(n_each * layer), :]
            # Lenses are fitted to whole layers; a half one is read as it is.
            return stream if layer == final or layer % 1 else lens(stream, int(layer))

        return torch.stack([row(layer) for layer in layers], dim=-2)

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
        """Read-outs of positions whose residual streams are `[positions, n_layers + 1, d_model]`, or
        with half layers between `[positions, 2 · n_layers + 1, d_model]`.

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
        numbers = joined_numbers(parts, "layers")
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
            top_ranks=by_layer(numbers.top_ranks),
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
        self, entropies: torch.Tensor, layers: Sequence[Layer], positions: Sequence[int]
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
        top_ranks=together("top_ranks", 1),
        entropy_nats=together("entropy_nats", 1),
        kl_to_final_nats=together("kl_to_final_nats", 1),
        next_probability=together("next_probability", 1),
        next_rank=together("next_rank", 1),
        targets=first.targets,
        target_probability=together("target_probability", 2),
        target_rank=together("target_rank", 2),
        scores=tuple(score for part in parts for score in part.scores),
        fired=first.fired,
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


def not_finite(layer: Layer, position: int, side: str = "") -> ModelComputationError:
    """`side`: which of two timelines that are compared."""
    of_side = f" of {side}," if side else ""
    return ModelComputationError(
        f"The logits{of_side} read at layer {layer}, position {position}, are not all finite "
        "numbers.",
        hint="The weights of this model are damaged or overflow in its dtype.",
    )
