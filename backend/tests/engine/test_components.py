"""The writes of a block, found by measurement."""

from __future__ import annotations

import pytest
import torch

from app.engine.components import find_writes
from tests.engine.small_models import FAMILIES, engine_of, random_ids, random_model

WRITES = {
    "gpt2": ("attn", "mlp"),
    "bloom": ("self_attention.dense", "mlp.dense_4h_to_h"),
    "gemma2": ("post_attention_layernorm", "post_feedforward_layernorm"),
    "opt": ("self_attn", "fc2"),
    "cohere": ("self_attn", "mlp"),
    "mamba": ("mixer",),
    "falcon_h1": ("mamba", "self_attn", "feed_forward"),
}


@pytest.mark.parametrize("family", WRITES)
def test_writes_are_found_without_their_names(family: str) -> None:
    decoder = engine_of(random_model(FAMILIES[family].config())).decoder
    with torch.inference_mode():
        splits, _ = find_writes(decoder, random_ids(16))
    assert {tuple(write.path for write in split.writes) for split in splits} == {WRITES[family]}


def test_a_number_in_the_thousands_in_the_stream_hides_no_write() -> None:
    """As at the first token of Qwen: rounding follows the stream there, not what a block adds."""
    model = random_model(FAMILIES["llama"].config())
    with torch.no_grad():
        model.model.embed_tokens.weight[:, 3] += 5000
    decoder = engine_of(model).decoder
    with torch.inference_mode():
        splits, residue = find_writes(decoder, random_ids(16))
    assert [[write.kind for write in split.writes] for split in splits] == [["attn", "mlp"]] * 3
    assert residue > 1e-5


def test_a_block_that_changes_its_stream_otherwise_is_not_split() -> None:
    model = random_model(FAMILIES["llama"].config())
    forward = model.model.layers[1].forward

    def twice(*args: object, **kwargs: object) -> torch.Tensor:
        stream: torch.Tensor = forward(*args, **kwargs)
        return 1.01 * stream

    model.model.layers[1].forward = twice
    capabilities = engine_of(model).facts.capabilities
    assert not capabilities.sublayers.is_available
    assert "block 2" in (capabilities.sublayers.reason or "")
    assert not capabilities.attention.is_available
