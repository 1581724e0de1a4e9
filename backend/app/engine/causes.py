"""What wrote a logit, and what a token reads: questions about one token of a timeline.

Each rests on an identity that is measured when the model is loaded. Where it does not hold, the
question is refused with the reason, and never answered approximately.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Collection, Iterator, Sequence

import numpy as np
import torch

from app.engine.attention_alone import columns_alone, rows_alone
from app.engine.attention_rows import AttentionRow, recording_rows
from app.engine.attention_use import used
from app.engine.attribution import DoesNotSum, ask, attribute
from app.engine.capture import TracedDecoder
from app.engine.causes_types import (
    AttentionRows,
    AttentionWanted,
    Attribution,
    AttributionWanted,
    BlockEffects,
    Unit,
)
from app.engine.components import BlockWrites, NotSplit, find_writes
from app.engine.failures import MODEL_FAILURES, first_line
from app.engine.frozen import NotLinear
from app.engine.gradients import measured_gradients
from app.engine.half_rows import recording_middles
from app.engine.kv_cache import GrowingCache
from app.engine.memory import naming_out_of_memory
from app.engine.replay import TokenRecord, replay
from app.engine.residuals import PREFILL_TOKENS, ResidualStore
from app.engine.tail import NARROW
from app.engine.timeline import Timeline
from app.engine.types import Capabilities, Capability
from app.engine.write_effects import write_effects
from app.errors import IdentityFailed, InvalidRequest, LayerOutOfRange

logger = logging.getLogger(__name__)

MAX_ROW_DIFFERENCE = 1e-5
NARROW_ROW_DIFFERENCE = 2e-2
GRADIENT_PROBE_TOKENS = 12
NO_SINK = 1e-5
"""A row that sums to 1 within this has no sink."""

UNIT_WORDS = {"component": "blocks", "head": "heads", "neuron": "neurons", "source": "sources"}


class Causes:
    """Answers questions about single tokens of one model."""

    def __init__(
        self,
        decoder: TracedDecoder,
        store: ResidualStore,
        n_heads: int | None,
        probe: Sequence[int],
    ) -> None:
        """Measures on the probe text what can be answered."""
        self._decoder = decoder
        self._store = store
        self._n_heads = n_heads
        self._splits: tuple[BlockWrites, ...] = ()
        self._reads_alone = False
        """Whether attention that is run alone gives the rows of a whole pass."""
        self.capabilities = dataclasses.replace(
            self._measured(probe),
            gradients=measured_gradients(decoder, probe[:GRADIENT_PROBE_TOKENS]),
        )

    def with_store(self, store: ResidualStore) -> Causes:
        """The same answers from another store."""
        other = object.__new__(Causes)
        other.__dict__.update(self.__dict__, _store=store)
        return other

    @property
    def splits(self) -> tuple[BlockWrites, ...]:
        """How each block is split; empty where they are not."""
        return self._splits

    @property
    def half_layer_modules(self) -> tuple[str, ...]:
        """The module after attention of each block; none where half layers are not offered."""
        if not self.capabilities.half_layers.is_available:
            return ()
        return tuple(split.middle_path for split in self._splits if split.middle_path is not None)

    def require(self, unit: Unit, param: str = "unit") -> None:
        """Raises IdentityFailed, naming the field `param`, where a unit cannot be had of this model."""
        capabilities = self.capabilities
        needed = {
            "component": capabilities.sublayers,
            "head": capabilities.heads,
            "neuron": capabilities.neurons,
            "source": capabilities.attention,
        }[unit]
        if not needed.is_available:
            raise IdentityFailed(
                f"This model is not taken apart into {UNIT_WORDS[unit]}: {needed.reason}",
                hint="See capabilities in /api/model_info for what can be asked of it.",
                param=param,
            )

    @torch.inference_mode()
    def attributing(
        self, ids: Sequence[int], position: int, wanted: AttributionWanted, lineage: Sequence[str]
    ) -> Iterator[Attribution | None]:
        """See `LensEngine.attributing`."""
        self.require("component")
        self.require(wanted.unit)
        if wanted.unit in ("source", "neuron"):
            self._require_block(wanted.block)
        if wanted.head is not None and not 0 <= wanted.head < (self._n_heads or 0):
            raise InvalidRequest(
                f"There is no head {wanted.head}: each block has heads 0 to {(self._n_heads or 0) - 1}.",
                param="head",
            )
        with naming_out_of_memory("taking this token apart"):
            before = self._decoder.computed_tokens
            timeline = yield from self._store.covering(ids, position + 1, lineage)
            record, rows = self._replayed(timeline, ids, position, wanted.unit == "source")
            if wanted.unit == "source" and wanted.block not in rows:
                raise IdentityFailed(
                    f"Block {wanted.block} has no attention, so it reads no single tokens.",
                    param="block",
                )
            if wanted.unit == "neuron" and not self._has_neurons(record, wanted.block):
                raise IdentityFailed(
                    f"The MLP of block {wanted.block} is not one linear map of neurons.",
                    param="block",
                )
            try:
                yield attribute(
                    self._decoder,
                    record,
                    rows,
                    position=position,
                    wanted=wanted,
                    n_heads=self._n_heads,
                    computed_tokens=self._decoder.computed_tokens - before,
                )
            except (NotLinear, DoesNotSum) as failure:
                raise IdentityFailed(
                    f"The parts of this token do not add up: {failure}.",
                    hint="Nothing is shown that is not a sum. Other tokens may well add up.",
                    param="position",
                ) from failure

    @torch.inference_mode()
    def attending(
        self, ids: Sequence[int], position: int, wanted: AttentionWanted, lineage: Sequence[str]
    ) -> Iterator[AttentionRows | None]:
        """See `LensEngine.attending`."""
        self.require("source")
        n_layers = self._decoder.n_layers
        asked = range(1, n_layers + 1) if wanted.blocks is None else wanted.blocks
        for block in asked:
            self._require_block(block)
        if wanted.direction == "read_by":
            yield from self._read_by(ids, position, asked, lineage)
            return
        with naming_out_of_memory("reading the attention of this token"):
            before = self._decoder.computed_tokens
            timeline = yield from self._store.covering(ids, position + 1, lineage)
            question = None
            if wanted.kind == "weight":
                rows = self._weights(timeline, ids, position, asked)
                found = {block: row.weights for block, row in rows.items()}
            else:
                record, rows = self._replayed(timeline, ids, position, True)
                try:
                    if wanted.kind == "logit":
                        question = ask(
                            self._decoder, record.streams[-1], wanted.target, wanted.foil
                        )
                    found = {
                        block: used(record.blocks[block - 1], rows[block], question)
                        for block in asked
                        if block in rows
                    }
                except NotLinear as failure:
                    raise IdentityFailed(
                        f"What heads write is not linear in their values here: {failure}.",
                        param="kind",
                    ) from failure
            blocks = tuple(block for block in asked if block in found)
            values = self._stacked([found[block] for block in blocks], position + 1)
            sink = None
            if wanted.kind == "weight" and blocks:
                rest = 1 - values.sum(-1, dtype=np.float64)
                if (rest > NO_SINK).any():
                    sink = rest.astype(np.float32)
            yield AttentionRows(
                position,
                blocks,
                tuple(block for block in asked if block not in found),
                values,
                sink,
                None if question is None else question.target,
                None if question is None else question.foil,
                self._decoder.computed_tokens - before,
            )

    @torch.inference_mode()
    def decoding_writes(
        self, ids: Sequence[int], position: int, block: int, top_k: int, lineage: Sequence[str]
    ) -> Iterator[BlockEffects | None]:
        """See `LensEngine.decoding_writes`."""
        self.require("component", "block")
        self._require_block(block)
        with naming_out_of_memory("decoding what this block wrote"):
            before = self._decoder.computed_tokens
            timeline = yield from self._store.covering(ids, position + 1, lineage)
            record, _ = self._replayed(timeline, ids, position, False)
            try:
                tail, writes = write_effects(self._decoder, record, block, top_k)
            except NotLinear as failure:
                raise IdentityFailed(
                    f"What this block wrote is not a part of the logits: {failure}.",
                    param="position",
                ) from failure
            computed = self._decoder.computed_tokens - before
            yield BlockEffects(position, block, writes, tail.softcap, computed)

    def _read_by(
        self, ids: Sequence[int], position: int, asked: Sequence[int], lineage: Sequence[str]
    ) -> Iterator[AttentionRows | None]:
        """Attention that tokens from `position` on give to the one there."""
        self._require_alone()
        with naming_out_of_memory("reading what attends to this token"):
            before = self._decoder.computed_tokens
            timeline = yield from self._store.covering(ids, len(ids), lineage)
            found: dict[int, list[torch.Tensor]] = {}
            with self._store.pinned(timeline):
                for first in range(position, len(ids), PREFILL_TOKENS):
                    if first > position:
                        yield None
                    cache = timeline.cache
                    assert isinstance(cache, GrowingCache)
                    chunk = ids[first : first + PREFILL_TOKENS]
                    streams = timeline.streams(range(first, first + len(chunk)))
                    columns = columns_alone(
                        self._decoder, self._splits, chunk, first, streams, cache, asked, position
                    )
                    for block, column in columns.items():
                        found.setdefault(block, []).append(column)
            blocks = tuple(block for block in asked if block in found)
            values = self._stacked(
                [torch.cat(found[block], -1) for block in blocks], len(ids) - position
            )
            yield AttentionRows(
                position,
                blocks,
                tuple(block for block in asked if block not in found),
                values,
                None,
                None,
                None,
                self._decoder.computed_tokens - before,
            )

    def _require_alone(self) -> None:
        if not self._reads_alone:
            raise IdentityFailed(
                "What a token is read by cannot be had of this model: its attention cannot be run by itself.",
                hint="Ask what later tokens read, one by one.",
                param="direction",
            )
        if not self._store.keeps_every_bit:
            raise IdentityFailed(
                "What a token is read by cannot be had from residual streams that are kept rounded.",
                hint="Start the server with EXPLORER_STORE_DTYPE=float32.",
                param="direction",
            )

    def _stacked(self, rows: Sequence[torch.Tensor], n_sources: int) -> np.ndarray:
        """`[blocks, heads, sources]` of rows `[heads, sources]`."""
        found = np.zeros((len(rows), self._n_heads or 0, n_sources), dtype=np.float32)
        for place, row in enumerate(rows):
            found[place] = row[:, :n_sources].float().cpu().numpy()
        return found

    def _weights(
        self, timeline: Timeline, ids: Sequence[int], position: int, asked: Collection[int]
    ) -> dict[int, AttentionRow]:
        """What the attention of at least these blocks read; their values are not kept."""
        cache = timeline.cache
        # Streams that are kept rounded would give other rows.
        if self._reads_alone and self._store.keeps_every_bit and isinstance(cache, GrowingCache):
            streams = timeline.streams([position])[0]
            return rows_alone(
                self._decoder, self._splits, ids[position], position, streams, cache, asked
            )
        return self._replayed(timeline, ids, position, True, keeps_values=False)[1]

    def _replayed(
        self,
        timeline: Timeline | None,
        ids: Sequence[int],
        position: int,
        needs_rows: bool,
        *,
        keeps_values: bool = True,
    ) -> tuple[TokenRecord, dict[int, AttentionRow]]:
        """The token run again, and what each block's attention read, `0 … position`."""
        blocks = self._decoder.structure.blocks
        if not needs_rows:
            return replay(self._decoder, self._splits, ids, position, timeline), {}
        with recording_rows(blocks, self._splits, keeps_values=keeps_values) as rows:
            record = replay(self._decoder, self._splits, ids, position, timeline)
        n_sources = position + 1
        cache = None if timeline is None else timeline.cache
        found = {}
        for block, row in rows.items():
            values = row.values
            if values is None and isinstance(cache, GrowingCache):
                values = cache.layers[block - 1].values[0]
            if values is not None:
                found[block] = AttentionRow(row.weights[:, :n_sources], values[:, :n_sources])
        return record, found

    def _require_block(self, block: int | None) -> None:
        if block is None:
            raise InvalidRequest("Say which block is opened.", param="block")
        if not 1 <= block <= self._decoder.n_layers:
            raise LayerOutOfRange(
                f"There is no block {block}: this model has blocks 1 to {self._decoder.n_layers}.",
                param="block",
            )

    def _has_neurons(self, record: TokenRecord, block: int | None) -> bool:
        assert block is not None
        return any(w.write.kind == "mlp" and w.linear is not None for w in record.blocks[block - 1])

    def _measured(self, probe: Sequence[int]) -> Capabilities:
        """Tries every identity on the last token of the probe text."""
        try:
            self._splits, difference = find_writes(self._decoder, probe)
        except (NotSplit, *MODEL_FAILURES) as failure:
            reason = str(failure) if isinstance(failure, NotSplit) else first_line(failure)
            logger.info("blocks are not split: %s", reason)
            missing = Capability(False, reason)
            return Capabilities(missing, missing, missing, missing, missing)
        try:
            probed = self._probed(probe)
            record, rows = self._replayed(*probed, len(probe) - 1, True)
        except MODEL_FAILURES as failure:
            missing = Capability(False, first_line(failure))
            return Capabilities(
                Capability(True, None, difference), missing, missing, missing, missing
            )
        whole = self._sum(record, AttributionWanted(unit="component"))
        sublayers = Capability(whole.is_available, whole.reason, difference)
        attention = self._attention(record, rows)
        self._reads_alone = attention.is_available and self._alone_equals(*probed, record, rows)
        return Capabilities(
            sublayers,
            self._heads(record),
            self._neurons(record),
            attention,
            self._half_layers(*probed),
        )

    def _probed(self, probe: Sequence[int]) -> tuple[Timeline | None, Sequence[int]]:
        """A timeline of the probe text that no store keeps, where the cache allows one."""
        cache = self._decoder.new_cache()
        if not isinstance(cache, GrowingCache):
            return None, probe
        rows = self._decoder.empty_rows(len(probe))
        try:
            self._decoder.forward(probe, cache, rows)
        except MODEL_FAILURES:
            return None, probe
        timeline = Timeline(self._decoder.n_layers + 1, self._decoder.d_model, cache)
        timeline.room(len(probe)).copy_(rows)
        timeline.commit(probe, rows)
        return timeline, probe

    def _sum(self, record: TokenRecord, wanted: AttributionWanted) -> Capability:
        try:
            found = attribute(
                self._decoder, record, {}, position=0, wanted=wanted, n_heads=self._n_heads
            )
        except (NotLinear, DoesNotSum) as failure:
            residue = abs(failure.residue) if isinstance(failure, DoesNotSum) else None
            return Capability(False, f"{failure}.", residue)
        return Capability(True, None, abs(found.difference - found.sum))

    def _heads(self, record: TokenRecord) -> Capability:
        kinds = {write.write.kind for block in record.blocks for write in block}
        if "attn" not in kinds:
            return Capability(False, "No block of this model has attention.")
        return self._sum(record, AttributionWanted(unit="head"))

    def _neurons(self, record: TokenRecord) -> Capability:
        blocks = [n for n in range(1, len(record.blocks) + 1) if self._has_neurons(record, n)]
        if not blocks:
            return Capability(False, "No MLP of this model is one linear map of its neurons.")
        return self._sum(record, AttributionWanted(unit="neuron", block=blocks[-1]))

    def _alone_equals(
        self,
        timeline: Timeline | None,
        probe: Sequence[int],
        record: TokenRecord,
        rows: dict[int, AttentionRow],
    ) -> bool:
        """Whether attention run alone gives the rows that the last token of the probe text read."""
        if timeline is None or not isinstance(timeline.cache, GrowingCache):
            return False
        last, source = len(probe) - 1, len(probe) // 2
        blocks = range(1, self._decoder.n_layers + 1)
        decoder, splits, cache = self._decoder, self._splits, timeline.cache
        try:
            alone = rows_alone(decoder, splits, probe[last], last, record.streams, cache, blocks)
            columns = columns_alone(
                decoder,
                splits,
                probe,
                0,
                timeline.streams(range(len(probe))),
                cache,
                blocks,
                source,
            )
        except MODEL_FAILURES as failure:
            logger.info("attention is not run alone: %s", first_line(failure))
            return False
        if not alone.keys() == columns.keys() == rows.keys():
            return False
        # The streams of a pass over several tokens are others in their last bits.
        limit = NARROW_ROW_DIFFERENCE if decoder.dtype in NARROW else MAX_ROW_DIFFERENCE
        return all(
            float((alone[block].weights - row.weights).abs().max()) <= MAX_ROW_DIFFERENCE
            and float((columns[block][:, -1] - row.weights[:, source]).abs().max()) <= limit
            for block, row in rows.items()
        )

    def _half_layers(self, timeline: Timeline | None, probe: Sequence[int]) -> Capability:
        """The stream between attention and MLP against the writes before and after it."""
        for number, split in enumerate(self._splits, start=1):
            if split.middle_path is None:
                return Capability(False, _without_middle(number, split))
        with recording_middles(self._decoder, self._splits) as middles:
            record, _ = self._replayed(timeline, probe, len(probe) - 1, False)
        largest = 0.0
        for number, middle in enumerate(middles()[-1], start=1):
            before, after = record.streams[number - 1 : number + 1]
            *mixed, mlp = (
                write.write.scale * write.output.float().cpu()
                for write in record.blocks[number - 1]
            )
            for found, expected in (
                (before + torch.stack(mixed).sum(0), middle),
                (middle + mlp, after),
            ):
                difference = float((found - expected).abs().max())
                largest = max(largest, difference / float(expected.abs().max()))
        return self._proven(
            largest,
            "The stream between attention and MLP is not what the two add to it: it differs by"
            f" {largest:.3g} of the largest.",
        )

    def _attention(self, record: TokenRecord, rows: dict[int, AttentionRow]) -> Capability:
        """Weights times values against what the projection was given, in every block."""
        wanted = [
            (number, write)
            for number, block in enumerate(record.blocks, start=1)
            for write in block
            if write.write.kind == "attn"
        ]
        if not wanted:
            return Capability(False, "No block of this model has attention.")
        missing = [number for number, _ in wanted if number not in rows]
        if missing:
            return Capability(False, f"The attention of block {missing[0]} gives no weights.")
        largest = 0.0
        for number, write in wanted:
            row = rows[number]
            assert row.values is not None
            values = row.values.repeat_interleave(len(row.weights) // len(row.values), 0).float()
            mixed = (row.weights[:, None] @ values).reshape(-1)
            if write.given is None or mixed.shape != write.given.shape:
                return Capability(
                    False, f"The heads of block {number} are not read by one linear map."
                )
            given = write.given.float()
            largest = max(largest, float((mixed - given).abs().max() / given.abs().max()))
        return self._proven(
            largest,
            "Weights times values are not what the heads put out: they differ by"
            f" {largest:.3g} of the largest (a gate, for instance, is not split).",
        )

    def _proven(self, largest: float, reason: str) -> Capability:
        """Whether rows that should be equal are, up to rounding; `reason` says why not."""
        limit = NARROW_ROW_DIFFERENCE if self._decoder.dtype in NARROW else MAX_ROW_DIFFERENCE
        holds = largest <= limit
        return Capability(holds, None if holds else reason, largest)


def _without_middle(number: int, split: BlockWrites) -> str:
    """Why a block has no half layer."""
    if len(split.writes) == 1:
        return f"Block {number} is one part, not attention and an MLP."
    return f"Attention and MLP of block {number} run side by side: there is no state between them."
