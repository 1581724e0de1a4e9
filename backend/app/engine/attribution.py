"""What wrote a logit: signed parts that add up to it.

The residual stream that a token is predicted from is a sum: the embedding and what each block's
attention and MLP add. With the scale of the final norm frozen at this token a logit is linear in the
stream, so each of these has its part of the logit (direct logit attribution, Elhage et al. 2021,
"A Mathematical Framework for Transformer Circuits"). Attention splits further into heads, an MLP into
neurons. Biases are parts of their own, so that the sum is the logit.

The parts are direct effects only: what a head does to later blocks is in theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from app.engine.attention_rows import AttentionRow
from app.engine.capture import TracedDecoder
from app.engine.causes_types import Attribution, AttributionWanted, Foil, Mean, Part, PartKind
from app.engine.components import WriteKind
from app.engine.frozen import NotLinear, bias_of, freeze_norm, through_matrix
from app.engine.frozen_tail import FrozenTail, TailDirections, freeze_tail
from app.engine.replay import TokenRecord, WriteRecord
from app.engine.tail import NARROW

MAX_RESIDUE = 1e-4
"""In logits, in float32."""
RESIDUE_SHARE = 5e-6
"""The same as a share of all parts without their signs, for streams much larger than their sum."""
NARROW_RESIDUE_SHARE = 2e-2


class DoesNotSum(Exception):
    """The parts do not add up to the logit; `residue` says by how much."""

    def __init__(self, residue: float) -> None:
        super().__init__(f"the parts differ from the logit by {residue:.3g}")
        self.residue = residue


@dataclass(frozen=True, slots=True)
class Question:
    """Which logits are taken apart: those of a target and of its foil, by the frozen tail."""

    tail: FrozenTail
    target: int
    foil: int | Mean | None
    found: TailDirections

    @property
    def logits(self) -> tuple[float, float | None]:
        """Of target and foil, before a softcap."""
        logits = self.tail.logits
        if self.foil is None:
            return float(logits[self.target]), None
        foil = logits.mean() if self.foil == "mean" else logits[self.foil]
        return float(logits[self.target]), float(foil)


def ask(decoder: TracedDecoder, stream: torch.Tensor, target: int | None, foil: Foil) -> Question:
    """The question about the token whose last residual stream this is. Raises NotLinear."""
    tail = freeze_tail(decoder, stream)
    of = int(tail.logits.argmax()) if target is None else target
    against = _foil(tail, of, foil)
    return Question(tail, of, against, tail.directions([of] if against is None else [of, against]))


def attribute(
    decoder: TracedDecoder,
    record: TokenRecord,
    rows: dict[int, AttentionRow],
    *,
    position: int,
    wanted: AttributionWanted,
    n_heads: int | None,
    computed_tokens: int = 0,
) -> Attribution:
    """Parts of the logit of a target less that of its foil.

    `rows` are needed for sources only. Raises NotLinear or DoesNotSum where this model's logits are
    no such sum.
    """
    question = ask(decoder, record.streams[-1], wanted.target, wanted.foil)
    maker = _Parts(question.found.directions, wanted, n_heads, rows)
    parts = [*maker.of_embedding(record)]
    for number, writes in enumerate(record.blocks, start=1):
        parts += maker.of_block(number, writes)
    parts.append(maker.part("bias", None, question.found.constants))
    target_logit, foil_logit = question.logits
    attribution = Attribution(
        position,
        question.target,
        question.foil,
        target_logit,
        foil_logit,
        tuple(_gathered(parts) if wanted.unit == "source" else parts),
        question.tail.softcap,
        computed_tokens,
    )
    residue = attribution.difference - attribution.sum
    total = sum(abs(part.target) + abs(part.foil or 0.0) for part in parts)
    share = NARROW_RESIDUE_SHARE if decoder.dtype in NARROW else RESIDUE_SHARE
    if abs(residue) > max(MAX_RESIDUE, share * total):
        raise DoesNotSum(residue)
    return attribution


def _gathered(parts: Sequence[Part]) -> list[Part]:
    """Sources and biases as they are, all that is outside the attention as one rest."""
    kept = [part for part in parts if part.part in ("source", "bias")]
    others = [part for part in parts if part.part not in ("source", "bias")]
    foil = None if others[0].foil is None else sum(part.foil or 0.0 for part in others)
    rest = Part("rest", None, None, None, None, sum(part.target for part in others), foil)
    return [*kept, rest]


def _foil(tail: FrozenTail, target: int, foil: Foil) -> int | Mean | None:
    if foil == "none":
        return None
    if foil == "best":
        others = tail.logits.clone()
        others[target] = -torch.inf
        return int(others.argmax())
    return foil


@dataclass(frozen=True, slots=True)
class Projection:
    """The linear map of a write, seen from the logits: how each of its inputs adds to them."""

    directions: torch.Tensor
    """float64 `[n, d_model]`: on the output of the linear map, norm and multiplier passed."""
    linear: nn.Module
    constant: torch.Tensor
    """float64 `[n]`: what biases add."""

    def inputs(self) -> torch.Tensor:
        """float64 `[n, inputs]`: on its input. Reads the whole matrix, so it costs most of all."""
        return through_matrix(self.directions, self.linear)


def project(record: WriteRecord, directions: torch.Tensor) -> Projection:
    """`directions` are on the last residual stream. Raises NotLinear for a write without a linear map."""
    if record.linear is None or record.given is None or record.linear_output is None:
        raise NotLinear(f"{record.write.path} is not the output of one linear map")
    scaled = record.write.scale * directions
    constant = torch.zeros(len(directions), dtype=torch.float64, device=directions.device)
    if record.write.has_norm:
        norm = freeze_norm(record.module, record.linear_output, record.output)
        constant = constant + scaled @ norm.shift
        scaled = norm.pulled_back(scaled)
    bias = bias_of(record.linear)
    if bias is not None:
        constant = constant + scaled @ bias
    return Projection(scaled, record.linear, constant)


def by_source(projection: Projection, row: AttentionRow) -> torch.Tensor:
    """What each head adds to the logits from each source: float64 `[n, heads, sources]`."""
    n_heads, n_sources = row.weights.shape
    assert row.values is not None
    values = row.values.double()
    inputs = projection.inputs()
    grouped = inputs.view(len(inputs), len(values), -1, values.shape[-1])
    # [n, kv_heads, heads of each, d_value] x [kv_heads, sources, d_value]
    written = torch.einsum("ngrd,gsd->ngrs", grouped, values)
    return written.reshape(-1, n_heads, n_sources) * row.weights.double()


@dataclass(frozen=True, slots=True)
class _Parts:
    """Makes parts from vectors of the stream; `directions` is float64 `[1 or 2, d_model]`."""

    directions: torch.Tensor
    wanted: AttributionWanted
    n_heads: int | None
    rows: dict[int, AttentionRow]

    def part(
        self,
        kind: PartKind,
        block: int | None,
        values: torch.Tensor,
        *,
        head: int | None = None,
        source: int | None = None,
        neuron: int | None = None,
    ) -> Part:
        """`values`: contributions to the logits of target and foil."""
        target, *foil = values.tolist()
        return Part(kind, block, head, source, neuron, target, foil[0] if foil else None)

    def of_embedding(self, record: TokenRecord) -> Iterator[Part]:
        stream = record.streams[0].double()
        tables = [table.double() for table in record.embeddings]
        if len(tables) == 2:
            # A table of positions beside that of tokens, added to it.
            difference = float((tables[0] + tables[1] - stream).abs().max())
            if difference <= 1e-5 * float(stream.abs().max()):
                yield self.part("embed", None, self.directions @ tables[0])
                yield self.part("position", None, self.directions @ tables[1])
                return
        yield self.part("embed", None, self.directions @ stream)

    def of_block(self, number: int, writes: Sequence[WriteRecord]) -> Iterator[Part]:
        constant = torch.zeros_like(self.directions[:, 0])
        for record in writes:
            kind: WriteKind = record.write.kind
            whole = record.write.scale * (self.directions @ record.output.double())
            if record.linear is None:
                yield self.part(kind, number, whole)
                continue
            projection = project(record, self.directions)
            constant = constant + projection.constant
            whole = whole - projection.constant
            is_opened = number == self.wanted.block
            if self.wanted.unit == "head" and kind == "attn":
                yield from self._heads(number, record, projection)
            elif self.wanted.unit == "source" and kind == "attn" and is_opened:
                yield from self._sources(number, projection, whole)
            elif self.wanted.unit == "neuron" and kind == "mlp" and is_opened:
                yield from self._neurons(number, record, projection, whole)
            else:
                yield self.part(kind, number, whole)
        if bool(constant.any()):
            yield self.part("bias", number, constant)

    def _heads(self, number: int, record: WriteRecord, projection: Projection) -> Iterator[Part]:
        assert record.given is not None
        inputs = projection.inputs() * record.given.double()
        if self.n_heads is None or inputs.shape[-1] % self.n_heads:
            raise NotLinear(f"{inputs.shape[-1]} inputs are not {self.n_heads} heads of one size")
        heads = inputs.view(len(inputs), self.n_heads, -1).sum(-1)
        for head in range(self.n_heads):
            yield self.part("head", number, heads[:, head], head=head)

    def _sources(self, number: int, projection: Projection, whole: torch.Tensor) -> Iterator[Part]:
        sources = by_source(projection, self.rows[number])
        head = self.wanted.head
        chosen = sources.sum(1) if head is None else sources[:, head]
        for source in range(chosen.shape[-1]):
            yield self.part("source", number, chosen[:, source], head=head, source=source)
        # Of the other heads where one is asked for; else rounding.
        yield self.part("attn", number, whole - chosen.sum(-1))

    def _neurons(
        self, number: int, record: WriteRecord, projection: Projection, whole: torch.Tensor
    ) -> Iterator[Part]:
        assert record.given is not None
        inputs = projection.inputs() * record.given.double()
        sizes = (inputs[0] - (inputs[1] if len(inputs) > 1 else 0.0)).abs()
        chosen = sizes.topk(min(self.wanted.top_k, len(sizes))).indices.sort().values.tolist()
        for neuron in chosen:
            yield self.part("neuron", number, inputs[:, neuron], neuron=neuron)
        yield self.part("rest", number, whole - inputs[:, chosen].sum(-1))
