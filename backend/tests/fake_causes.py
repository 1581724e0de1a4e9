"""Attribution and attention of the fake model: numbers that follow from the request and add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from app.engine.causes_types import (
    AttentionRows,
    AttentionWanted,
    Attribution,
    AttributionWanted,
    BlockEffects,
    Part,
    WriteEffect,
)
from app.engine.types import Capabilities, Capability
from app.errors import IdentityFailed, LayerOutOfRange

NO_NEURONS = "No MLP of this model is one linear map of its neurons."
FAKE_CAPABILITIES = Capabilities(
    sublayers=Capability(True, None, 1e-6),
    heads=Capability(True, None, 2e-6),
    neurons=Capability(False, NO_NEURONS),
    attention=Capability(True, None, 3e-6),
    half_layers=Capability(True, None, 4e-6),
    gradients=Capability(True, None, 5e-6),
)
N_HEADS = 2


class FakeCauses:
    """The methods of `LensEngine` that take one token apart."""

    def attributing(
        self,
        ids: Sequence[int],
        position: int,
        wanted: AttributionWanted,
        *,
        lineage: Sequence[str] = (),
    ) -> Iterator[Attribution | None]:
        del ids, lineage
        if wanted.unit == "neuron":
            raise IdentityFailed(NO_NEURONS, param="unit")
        yield None
        target = 65 if wanted.target is None else wanted.target
        foil = {"best": 66, "none": None}.get(wanted.foil, wanted.foil)  # type: ignore[call-overload]
        has_foil = foil is not None
        parts = (
            Part("embed", None, None, None, None, 0.5, 0.25 if has_foil else None),
            Part("attn", 1, None, None, None, position + 1.0, 1.0 if has_foil else None),
            Part("bias", None, None, None, None, -0.25, 0.0 if has_foil else None),
        )
        yield Attribution(
            position,
            target,
            foil,
            position + 1.25,
            1.25 if has_foil else None,
            parts,
            None,
            1,
        )

    def attending(
        self,
        ids: Sequence[int],
        position: int,
        wanted: AttentionWanted,
        *,
        lineage: Sequence[str] = (),
    ) -> Iterator[AttentionRows | None]:
        del lineage
        yield None
        blocks = tuple(b for b in wanted.blocks or (1, 2, 3) if b != 3)
        n_others = len(ids) - position if wanted.direction == "read_by" else position + 1
        values = np.full((len(blocks), N_HEADS, n_others), 1 / n_others, np.float32)
        is_logit = wanted.kind == "logit"
        yield AttentionRows(
            position,
            blocks,
            tuple(b for b in wanted.blocks or (3,) if b == 3),
            values,
            None,
            (65 if wanted.target is None else wanted.target) if is_logit else None,
            66 if is_logit else None,
            1,
        )

    def decoding_writes(
        self,
        ids: Sequence[int],
        position: int,
        block: int,
        top_k: int,
        *,
        lineage: Sequence[str] = (),
    ) -> Iterator[BlockEffects | None]:
        del ids, lineage
        if block > 3:
            raise LayerOutOfRange(f"There is no block {block}.", param="block")
        yield None
        promoted = tuple((65 + k, 2.0 - k) for k in range(top_k))
        suppressed = tuple((97 + k, k - 2.0) for k in range(top_k))
        writes = (
            WriteEffect("attn", promoted, suppressed),
            WriteEffect("mlp", suppressed[:1], promoted[:1]),
        )
        yield BlockEffects(position, block, writes, None, 1)
