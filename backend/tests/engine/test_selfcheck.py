"""Models that cannot be read rightly are refused, with what was found."""

from __future__ import annotations

import logging

import pytest
import torch
import transformers as tr
from torch import nn

from app.engine import selfcheck
from app.engine.capture import TracedDecoder
from app.engine.engine import NnsightEngine
from app.engine.structure import UNLIMITED_CONTEXT, find_structure
from app.errors import ModelComputationError, UnsupportedArchitecture
from tests.engine.reference import PlainModel
from tests.engine.small_models import (
    END_ID,
    FAMILIES,
    GROUPED,
    IDS,
    SIZES,
    LetterVocabulary,
    engine_of,
    greedy,
    random_ids,
    random_model,
)


def small_gpt2() -> nn.Module:
    return random_model(FAMILIES["gpt2"].config())


def test_a_wrong_number_of_blocks_is_refused_naming_the_lists():
    model = small_gpt2()
    model.config.n_layer = 5
    with pytest.raises(UnsupportedArchitecture) as caught:
        engine_of(model)
    assert "GPT2LMHeadModel" in caught.value.message
    assert "5 blocks" in caught.value.message
    assert "h (3)" in caught.value.message


def test_two_fitting_lists_are_refused():
    model = small_gpt2()
    model.transformer.adapters = nn.ModuleList(nn.Identity() for _ in range(3))
    with pytest.raises(UnsupportedArchitecture, match=r"several fit.*h \(3\), adapters \(3\)"):
        engine_of(model)


def test_blocks_that_the_model_does_not_run_are_refused():
    model = small_gpt2()
    real = model.transformer.h
    model.transformer.real = nn.ModuleList([nn.Sequential(*real)])
    model.transformer.h = nn.ModuleList(nn.Identity() for _ in range(3))
    forward = model.transformer.forward

    def bypass(*args: object, **kwargs: object) -> object:
        decoy, model.transformer.h = model.transformer.h, real
        try:
            return forward(*args, **kwargs)
        finally:
            model.transformer.h = decoy

    model.transformer.forward = bypass
    with pytest.raises(UnsupportedArchitecture, match="does not run the 3 blocks"):
        engine_of(model)


def test_an_encoder_decoder_is_refused():
    config = tr.T5Config(vocab_size=97, d_model=16, d_kv=4, d_ff=16, num_layers=1, num_heads=2)
    with pytest.raises(UnsupportedArchitecture, match="T5ForConditionalGeneration is an enc"):
        find_structure(tr.T5ForConditionalGeneration(config))


def test_a_model_without_an_unembedding_is_refused():
    config = FAMILIES["gpt2"].config()
    with pytest.raises(UnsupportedArchitecture, match="has no unembedding"):
        find_structure(tr.GPT2Model(config))


class AddsToTheEnd(nn.Module):
    """A final norm that also adds what only the first token's embedding knows."""

    def __init__(self, norm: nn.Module, embedding: nn.Module) -> None:
        super().__init__()
        self.norm, self.seen = norm, torch.zeros(())
        embedding.register_forward_hook(self.remember)

    def remember(self, _module: nn.Module, args: tuple[torch.Tensor], _output: object) -> None:
        self.seen = args[0].float().mean()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x) + self.seen


def test_logits_that_do_not_follow_from_the_last_layer_are_refused():
    model = small_gpt2()
    model.transformer.ln_f = AddsToTheEnd(model.transformer.ln_f, model.transformer.wte)
    with pytest.raises(UnsupportedArchitecture, match=r"last layer of small differs .* by \d") as e:
        engine_of(model)
    assert "transformer.h.0" in str(e.value.hint)


def test_a_model_that_answers_differently_each_time_is_refused():
    model = small_gpt2()
    model.transformer.h[1].register_forward_hook(
        lambda _module, _args, output: output + 0.1 * torch.randn_like(output)
    )
    with pytest.raises(UnsupportedArchitecture, match="different logits the second time"):
        engine_of(model)


def test_a_model_that_looks_ahead_is_refused():
    config = tr.BertConfig(
        **IDS, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=48
    )
    torch.manual_seed(0)
    model = tr.BertLMHeadModel(config).eval()
    with pytest.raises(UnsupportedArchitecture, match="not a causal decoder"):
        engine_of(model)


def test_damaged_weights_are_named_at_load():
    model = small_gpt2()
    with torch.no_grad():
        model.transformer.h[0].mlp.c_fc.weight[0] = float("nan")
    with pytest.raises(ModelComputationError, match=r"layer 1 \(after block 1\)"):
        engine_of(model)


def test_a_cache_that_changes_the_numbers_is_not_used(caplog: pytest.LogCaptureFixture):
    """RecurrentGemma keeps its state in its modules, where it cannot be branched."""
    config = tr.RecurrentGemmaConfig(
        **IDS,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=48,
        lru_width=32,
    )
    model = random_model(config)
    plain = PlainModel(model, "model.layers")
    with caplog.at_level(logging.WARNING):
        engine = engine_of(model)
    assert "its cache is not exact" in caplog.text
    assert engine.facts.self_check.cache_max_abs_diff == 0.0
    ids = random_ids(12, seed=3)
    *steps, _ = engine.generate(ids, greedy(12))
    assert [s.token_id for s in steps] == plain.greedy_ids(ids, 12, END_ID)


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_logits_that_are_not_finite_are_named_by_value_and_id(value: float):
    model = small_gpt2()
    model.lm_head.register_forward_hook(
        lambda _module, _args, logits: logits.index_fill(-1, torch.tensor([40, 41]), value)
    )
    with pytest.raises(UnsupportedArchitecture, match="not finite numbers") as caught:
        engine_of(model)
    assert (
        f"{value} for id 40 at position 0 of 24 tokens and for 1 other id" in caught.value.message
    )


def test_a_damaged_row_of_the_embedding_is_named_by_its_id():
    """Tied to the unembedding, it shows in the logits of texts that do not hold it."""
    model = small_gpt2()
    with torch.no_grad():
        model.transformer.wte.weight[END_ID] = float("nan")
    with pytest.raises(UnsupportedArchitecture, match=f"nan for id {END_ID} at position 0"):
        engine_of(model)


def test_logits_too_large_to_be_told_apart_are_refused():
    model = small_gpt2()
    with torch.no_grad():
        model.transformer.ln_f.weight.mul_(1e6)
    with pytest.raises(UnsupportedArchitecture, match=r"logits up to \S+ in magnitude .*10,000"):
        engine_of(model)


class SeveralStreams(nn.Module):
    """A block that carries four residual streams."""

    def forward(self, x: torch.Tensor, *_: object, **__: object) -> torch.Tensor:
        return torch.stack([x] * 4, dim=-2)


def test_a_block_without_one_residual_stream_is_refused_with_its_shape():
    model = small_gpt2()
    model.transformer.h[2] = SeveralStreams()
    model.transformer.ln_f.register_forward_pre_hook(lambda _module, args: args[0].mean(-2))
    with pytest.raises(UnsupportedArchitecture) as caught:
        engine_of(model)
    assert "transformer.h.2 of GPT2LMHeadModel" in caught.value.message
    assert "shape [1, 2, 4, 32]" in caught.value.message


def test_a_model_that_wants_more_than_token_ids_is_refused_with_its_reason():
    config = tr.XmodConfig(**IDS, **SIZES, is_decoder=True, languages=["en_XX"])
    with pytest.raises(UnsupportedArchitecture, match="XmodForCausalLM does not run on token ids"):
        engine_of(random_model(config))


@pytest.mark.parametrize("family", ["bamba", "rwkv", "xlstm", "glm_moe_dsa"])
def test_a_model_that_unpacks_its_blocks_is_decoded(family: str):
    """A tuple of another length would end in `not enough values to unpack`."""
    model = random_model(FAMILIES[family].config())
    plain = PlainModel(model, FAMILIES[family].blocks)
    ids = random_ids(9)
    streams = torch.stack([stream[0] for stream in plain.residuals(ids)], dim=1)
    with torch.inference_mode():
        logits = engine_of(model).decoder.decode(streams[:, 1])
    torch.testing.assert_close(logits, plain.lens_logits(ids, streams[:, 1][None]))


def test_probe_ids_are_ordinary_and_different(engine: NnsightEngine):
    ids = selfcheck.probe_ids(engine._decoder, LetterVocabulary(), frozenset({5, 6}))
    assert len(set(ids)) == len(ids) == selfcheck.PROBE_TOKENS
    assert not {0, 1, 5, 6} & set(ids)


def test_facts_are_those_of_the_model(gpt2: nn.Module, engine: NnsightEngine):
    facts = engine.facts
    assert facts.architecture == "GPT2LMHeadModel"
    assert (facts.n_layers, facts.n_heads, facts.d_model, facts.d_vocab) == (3, 4, 32, 97)
    assert facts.n_ctx == 64
    assert facts.n_parameters == sum(p.numel() for p in gpt2.parameters())
    assert facts.tied_embeddings
    assert (facts.dtype, facts.device) == ("float32", "cpu")


def test_untied_embeddings_are_seen():
    config = tr.LlamaConfig(**IDS, **SIZES, **GROUPED, tie_word_embeddings=False)
    assert not engine_of(random_model(config)).facts.tied_embeddings


def test_the_context_is_the_length_within_which_positions_keep_their_meaning():
    longrope = {
        "rope_type": "longrope",
        "rope_theta": 1e4,
        "short_factor": [1.0] * 4,
        "long_factor": [4.0] * 4,
        "original_max_position_embeddings": 32,
    }
    sizes = SIZES | {"max_position_embeddings": 128}
    config = tr.Phi3Config(
        **IDS, **sizes, **GROUPED, rope_parameters=longrope, original_max_position_embeddings=32
    )
    assert find_structure(random_model(config)).n_ctx == 32
    assert find_structure(random_model(FAMILIES["mamba"].config())).n_ctx == UNLIMITED_CONTEXT


def test_the_edit_check_sees_a_block_without_effect(
    gpt2: nn.Module, monkeypatch: pytest.MonkeyPatch
):
    def ignoring(self: TracedDecoder, ids: list[int], *_: object) -> torch.Tensor:
        return self.full_logits(ids)

    monkeypatch.setattr(TracedDecoder, "full_logits_replacing", ignoring)
    with pytest.raises(UnsupportedArchitecture, match="changed its logits by only 0"):
        engine_of(gpt2)
