"""Models in 16 bits: their streams are theirs, and are decoded in float32."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import nn

from app.engine.types import LensColumns, Step, Wanted
from tests.engine.reference import PlainModel, assert_lens_is_right
from tests.engine.small_models import FAMILIES, engine_of, greedy, random_ids, random_model

IDS = random_ids(20)
NARROW = [torch.bfloat16, torch.float16]
TAILS = ["gpt2", "llama", "gemma2", "cohere", "opt", "mamba"]
"""Tied, untied, with a softcap, a multiplier and a projection, and one that narrows for its head."""


class WidelyReadModel(PlainModel):
    """A 16-bit model whose streams are decoded by the same model in float32."""

    def __init__(self, model: nn.Module, blocks: str) -> None:
        super().__init__(model, blocks)
        self._wide = PlainModel(copy.deepcopy(model).float(), blocks)

    def residuals(self, ids: Sequence[int], middle: str | None = None) -> list[torch.Tensor]:
        return [stream.float() for stream in super().residuals(ids, middle)]

    def lens_logits(self, ids: Sequence[int], stream: torch.Tensor) -> torch.Tensor:
        return self._wide.lens_logits(ids, stream)


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("family", TAILS)
def test_every_number_of_a_16_bit_model_is_that_of_its_streams_in_float32(
    family: str, dtype: torch.dtype
):
    model = random_model(FAMILIES[family].config()).to(dtype)
    plain = WidelyReadModel(model, FAMILIES[family].blocks)
    engine = engine_of(model)
    assert engine.facts.dtype == str(dtype).removeprefix("torch.")
    assert_lens_is_right(engine.read(IDS, top_k=5, targets=[33, 60]), plain, IDS)


@pytest.mark.parametrize("in_pass", [True, False])
def test_a_reply_of_a_16_bit_model_is_read_in_float32(in_pass: bool):
    model = random_model(FAMILIES["llama"].config()).bfloat16()
    plain = WidelyReadModel(model, FAMILIES["llama"].blocks)
    engine = engine_of(model)
    assert engine.decoder.reads_in_pass
    engine.decoder.reads_in_pass = in_pass
    items = list(engine.generate(IDS, greedy(6), wanted=Wanted((0, 1, 2, 3)), lineage=["mine"]))
    timeline = [*IDS, *(item.token_id for item in items if isinstance(item, Step))]
    assert len(timeline) == 26
    # The streams of a token do not depend on how it is read, so the stored ones say what is right.
    stored = engine.read(timeline, positions=range(19, 25), lineage=["mine"])
    logits = [stream for stream in items if isinstance(stream, LensColumns)]
    for column, read in enumerate(logits):
        np.testing.assert_array_equal(read.top_ids[:, 0], stored.top_ids[:, column])
        np.testing.assert_array_equal(read.entropy_nats[:, 0], stored.entropy_nats[:, column])
    rows = engine._store._held_of(["mine"], np.asarray(timeline[:25]), "").streams([24])
    expected = plain.lens_logits([0], rows[:, -1][None]).double().log_softmax(-1)[0]
    assert logits[-1].entropy_nats[-1, 0] == pytest.approx(
        float(-(expected.exp() * expected).sum()), abs=1e-5
    )


def test_logits_of_a_16_bit_model_do_not_tie():
    """In 16 bits the unembedding alone makes the best two of these logits equal at some positions."""
    model = random_model(FAMILIES["llama"].config()).bfloat16()
    with torch.no_grad():
        model.lm_head.weight.mul_(8)
    ids = random_ids(60, seed=3)
    narrow = PlainModel(model, "model.layers").logits(ids).float().topk(2).values
    assert bool((narrow[:, 0] == narrow[:, 1]).any())
    with torch.inference_mode():
        logits = engine_of(model).decoder.full_logits(ids).topk(2).values
    assert not bool((logits[:, 0] == logits[:, 1]).any())


def test_only_the_tail_is_widened_and_the_facts_stay():
    model = random_model(FAMILIES["gpt2"].config()).bfloat16()
    n_parameters = sum(parameter.numel() for parameter in model.parameters())
    facts = engine_of(model).facts
    wide = {name for name, p in model.named_parameters() if p.dtype == torch.float32}
    assert wide == {"transformer.ln_f.weight", "transformer.ln_f.bias", "lm_head.weight"}
    assert model.transformer.wte.weight.dtype == torch.bfloat16
    assert (facts.n_parameters, facts.tied_embeddings) == (n_parameters, True)


def test_a_float32_model_keeps_its_own_weights():
    model = random_model(FAMILIES["gpt2"].config())
    engine_of(model)
    assert model.lm_head.weight is model.transformer.wte.weight
