"""How far apart the predictions of two timelines are, pair by pair, in chunks of bounded memory.

Each row of a chunk is decoded and normalised once, however many pairs it is in. The rows of both
sides are decoded in one product and stand together within `readout_bytes`. Top tokens, probabilities
and ranks are those of a read-out of the same rows, to the last bit; which rows these are is said by
`LensEngine.comparing`. All is in float32 over the whole vocabulary at temperature 1, in nats.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from app.engine.lenses import Lens
from app.engine.metrics import RowNumbers, exponentials_of, finite_rows
from app.engine.types import Comparison, Layer, Pairs
from app.engine.unembed import Unembedding, not_finite

BUFFERS = 5
"""Arrays `[pairs, d_vocab]` that the divergences of a block of pairs take."""

LARGEST_JS_NATS = float(np.nextafter(np.float32(math.log(2)), np.float32(0)))
"""The largest float32 that is not above ln 2."""

Columns = dict[str, np.ndarray[Any, Any]]
"""Arrays of a `Comparison` by name, `[..., L, P]`."""


@dataclass(frozen=True, slots=True)
class SideStreams:
    """What is compared of one timeline."""

    positions: Sequence[int]
    """Each once."""
    streams: torch.Tensor
    """Their residual streams, `[positions, n_layers + 1, d_model]`, or with half layers between."""
    lens: Lens


class DivergenceReader:
    """Compares the residual streams of two timelines."""

    def __init__(self, unembedding: Unembedding) -> None:
        self._unembedding = unembedding

    def chunks(self, pairs: Pairs) -> Iterator[Pairs]:
        """What is compared at a time: all pairs of layers at as many pairs of positions as fit a
        chunk of rows, and at least at one."""
        n_rows = sum(len(set(layers)) for layers in zip(*pairs.layers, strict=True))
        size = max(1, self._unembedding.chunk_rows // n_rows)
        for start in range(0, len(pairs.positions), size):
            yield dataclasses.replace(pairs, positions=pairs.positions[start : start + size])

    def compare(self, a: SideStreams, b: SideStreams, pairs: Pairs) -> Iterator[Comparison | None]:
        """Compares one of `chunks`: the last item is what was found.

        Where already one pair of positions has more rows than a chunk, its layers come in parts, and
        None for each part but the last.
        """
        parts: list[Columns] = []
        for layers in self._parts(pairs.layers):
            if parts:
                yield None
            parts.append(self._compare_part(a, b, dataclasses.replace(pairs, layers=layers)))
        columns: dict[str, Any] = {
            name: np.concatenate([part[name] for part in parts], axis=-2) for name in parts[0]
        }
        yield Comparison(pairs.layers, pairs.positions, targets=pairs.targets, **columns)

    def _parts(
        self, layers: tuple[tuple[Layer, Layer], ...]
    ) -> Iterator[tuple[tuple[Layer, Layer], ...]]:
        """Pairs of layers in their order, in parts with no more rows than a chunk: at least two."""
        start = 0
        rows: set[tuple[int, Layer]] = set()
        for index, pair in enumerate(layers):
            own = set(enumerate(pair))
            if index > start and len(rows | own) > self._unembedding.chunk_rows:
                yield layers[start:index]
                start, rows = index, set()
            rows |= own
        yield layers[start:]

    def _compare_part(self, a: SideStreams, b: SideStreams, pairs: Pairs) -> Columns:
        rows: list[torch.Tensor] = []
        places: list[torch.Tensor] = []
        for side, layers, positions in zip(
            (a, b), zip(*pairs.layers, strict=True), zip(*pairs.positions, strict=True), strict=True
        ):
            each = tuple(dict.fromkeys(layers))
            first = sum(map(len, rows))
            rows.append(self._unembedding.rows(side.streams, each, side.lens).flatten(0, 1))
            of_position = len(each) * _places(positions, side.positions)
            places.append(first + of_position + _places(layers, each)[:, None])  # [L, P]
        logits = self._unembedding.decode(torch.cat(rows))
        places = [place.to(logits.device) for place in places]
        targets = torch.tensor(pairs.targets, dtype=torch.long, device=logits.device)
        numbers = self._unembedding.reader.normalise(logits, targets, 1)
        kl_a_to_b, kl_b_to_a, js = self._divergences(logits, places[0], places[1])
        self._require_finite(logits, kl_a_to_b, places, pairs)
        columns = {"kl_a_to_b_nats": kl_a_to_b, "kl_b_to_a_nats": kl_b_to_a, "js_nats": js}
        for side_name, place in zip("ab", places, strict=True):
            columns |= _columns_of_side(side_name, numbers, place)
        return {name: values.cpu().numpy() for name, values in columns.items()}

    def _divergences(self, log_p: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Of rows of log-probabilities `[rows, d_vocab]`, by the places `[...]` of each pair.

        Gives KL(a ‖ b), KL(b ‖ a) and the Jensen-Shannon divergence, `[3, ...]`.
        """
        reader = self._unembedding.reader
        # As much memory as the buffers of a read-out, which are the same ones.
        at_once = 2 * min(reader.rows_at_once, self._unembedding.chunk_rows) // BUFFERS
        size = max(1, at_once)
        blocks = []
        for of_a, of_b in zip(
            torch.split(a.flatten(), size), torch.split(b.flatten(), size), strict=True
        ):
            buffers = reader.reserve(BUFFERS * len(of_a)).view(BUFFERS, len(of_a), -1)
            torch.index_select(log_p, 0, of_a, out=buffers[0])
            torch.index_select(log_p, 0, of_b, out=buffers[1])
            blocks.append(divergences(buffers))
        return torch.cat(blocks, dim=1).view(3, *a.shape)

    def _require_finite(
        self, log_p: torch.Tensor, kl: torch.Tensor, places: Sequence[torch.Tensor], pairs: Pairs
    ) -> None:
        """Raises ModelComputationError naming the first place whose logits were not all finite."""
        bad = (~torch.isfinite(kl)).nonzero()
        if len(bad):
            layer, position = bad[0].tolist()
            side = int(bool(finite_rows(log_p[places[0][layer, position]][None])))
            raise not_finite(pairs.layers[layer][side], pairs.positions[position][side], "ab"[side])


def divergences(buffers: torch.Tensor) -> torch.Tensor:
    """KL(p ‖ q), KL(q ‖ p) and Jensen-Shannon divergence of rows, `[3, rows]`; not finite where a
    logit was not.

    `buffers` `[5, rows, d_vocab]`: the first two hold log-probabilities; all are overwritten.
    """
    p, q, both, difference, least = buffers
    torch.sub(p, q, out=difference)
    exponentials_of(p, out=p)
    exponentials_of(q, out=q)
    torch.add(p, q, out=both)
    torch.minimum(p, q, out=least)
    p.mul_(difference)
    q.mul_(difference)
    # Jensen-Shannon from d = |log p - log q|: against the mean of both, the larger probability has the
    # log ratio log(2 sigmoid(d)), and the smaller one that minus d. It is exactly 0 where d is 0, the
    # same both ways, and takes no logarithm of a probability that has become 0.
    least.mul_(difference.abs_())
    ratio = difference.sigmoid_().mul_(2).sub_(1).log1p_()  # log1p is ten times as fast as log
    both.mul_(ratio).sub_(least)
    # One sum for the three: that of a single row would be shared out among threads, with other bits.
    kl_p_to_q, minus_kl_q_to_p, twice_js = buffers[:3].sum(-1)
    found = torch.stack([kl_p_to_q, 0.0 - minus_kl_q_to_p, twice_js / 2])
    found[2].clamp_(max=LARGEST_JS_NATS)
    # Rounding may leave a little less than 0, which is 0; minus infinity is not.
    return found.clamp(min=0.0).where(found.isfinite(), torch.nan)


def _places(wanted: Sequence[Layer], each: Sequence[Layer]) -> torch.Tensor:
    """Where those that are wanted stand in `each`."""
    place_of = {value: place for place, value in enumerate(each)}
    return torch.tensor([place_of[value] for value in wanted])


def _columns_of_side(
    side: str, numbers: RowNumbers, places: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Columns of one side, whose rows are at `places` `[L, P]`."""
    return {
        f"{side}_top_id": numbers.top_ids[:, 0][places],
        f"{side}_top_probability": numbers.top_probabilities[:, 0][places],
        f"{side}_target_probability": numbers.token_logprobs_nats[:, places].exp(),
        f"{side}_target_rank": numbers.token_ranks[:, places],
    }
