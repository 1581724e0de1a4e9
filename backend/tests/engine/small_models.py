"""Small random decoders of many families, and engines around them.

Every parameter is moved at random, so that norm weights, biases and multipliers matter: left at
their initial ones and zeros, a lens that forgot them would still be right.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
import transformers as tr
from tokenizers import Tokenizer, models
from torch import nn

from app.engine.admission import Admission
from app.engine.engine import NnsightEngine
from app.engine.patching import Patching
from app.engine.residuals import ResidualStore, StoreDtype
from app.engine.runtime import LanguageModel, nnsight
from app.engine.timeline import Timeline
from app.engine.types import ChatTemplate, EncodedPrompt, Message, Sampling, TextSpan

D_VOCAB = 97
END_ID = 1
N_CTX = 64
WINDOW = 8
"""Sliding window of the families that have one: shorter than the texts of the tests."""

IDS = {"vocab_size": D_VOCAB, "bos_token_id": END_ID, "eos_token_id": END_ID, "pad_token_id": 0}
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": N_CTX,
}
GROUPED = {"num_key_value_heads": 2}
STATE_SPACE = {
    "mamba_n_heads": 4,
    "mamba_d_state": 8,
    "mamba_chunk_size": 8,
    "mamba_n_groups": 1,
}
GPT2_SIZES = {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": N_CTX}


@dataclass(frozen=True)
class Family:
    config: Callable[[], tr.PreTrainedConfig]
    blocks: str
    """Where transformers keeps the blocks."""
    final_norm: str
    reuse: str = "chunks"
    generates_with_cache: bool = True
    """Whether Hugging Face's own `generate` runs this family with its cache."""


FAMILIES: dict[str, Family] = {
    "gpt2": Family(lambda: tr.GPT2Config(**IDS, **GPT2_SIZES), "transformer.h", "transformer.ln_f"),
    "gpt_neox": Family(
        lambda: tr.GPTNeoXConfig(**IDS, **SIZES), "gpt_neox.layers", "gpt_neox.final_layer_norm"
    ),
    "gptj": Family(
        lambda: tr.GPTJConfig(**IDS, **GPT2_SIZES, rotary_dim=4),
        "transformer.h",
        "transformer.ln_f",
    ),
    "llama": Family(
        lambda: tr.LlamaConfig(**IDS, **SIZES, **GROUPED), "model.layers", "model.norm"
    ),
    "mistral": Family(
        lambda: tr.MistralConfig(**IDS, **SIZES, **GROUPED, sliding_window=WINDOW),
        "model.layers",
        "model.norm",
    ),
    "mixtral": Family(
        lambda: tr.MixtralConfig(**IDS, **SIZES, **GROUPED, num_local_experts=4),
        "model.layers",
        "model.norm",
    ),
    "qwen3": Family(
        lambda: tr.Qwen3Config(**IDS, **SIZES, **GROUPED, head_dim=8), "model.layers", "model.norm"
    ),
    "gemma2": Family(
        lambda: tr.Gemma2Config(
            **IDS,
            **SIZES,
            **GROUPED,
            head_dim=8,
            sliding_window=WINDOW,
            final_logit_softcapping=3.0,
        ),
        "model.layers",
        "model.norm",
    ),
    "gpt_oss": Family(
        lambda: tr.GptOssConfig(
            **IDS,
            **SIZES,
            **GROUPED,
            head_dim=8,
            sliding_window=WINDOW,
            num_local_experts=4,
            rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        ),
        "model.layers",
        "model.norm",
    ),
    "cohere": Family(
        lambda: tr.CohereConfig(**IDS, **SIZES, **GROUPED, logit_scale=0.3),
        "model.layers",
        "model.norm",
    ),
    "granite": Family(
        lambda: tr.GraniteConfig(
            **IDS, **SIZES, **GROUPED, logits_scaling=3.0, embedding_multiplier=2.0
        ),
        "model.layers",
        "model.norm",
    ),
    "opt": Family(
        lambda: tr.OPTConfig(
            **IDS,
            hidden_size=32,
            num_hidden_layers=3,
            num_attention_heads=4,
            ffn_dim=48,
            max_position_embeddings=N_CTX,
            word_embed_proj_dim=24,
        ),
        "model.decoder.layers",
        "model.decoder.final_layer_norm",
    ),
    "bloom": Family(
        lambda: tr.BloomConfig(**IDS, hidden_size=32, n_layer=3, n_head=4),
        "transformer.h",
        "transformer.ln_f",
    ),
    "falcon": Family(
        lambda: tr.FalconConfig(
            **IDS,
            hidden_size=32,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=N_CTX,
        ),
        "transformer.h",
        "transformer.ln_f",
    ),
    "phi": Family(lambda: tr.PhiConfig(**IDS, **SIZES), "model.layers", "model.final_layernorm"),
    "stablelm": Family(
        lambda: tr.StableLmConfig(**IDS, **SIZES, **GROUPED), "model.layers", "model.norm"
    ),
    "olmo2": Family(
        lambda: tr.Olmo2Config(**IDS, **SIZES, **GROUPED), "model.layers", "model.norm"
    ),
    "qwen2": Family(
        lambda: tr.Qwen2Config(**IDS, **SIZES, **GROUPED), "model.layers", "model.norm"
    ),
    "gemma3": Family(
        lambda: tr.Gemma3TextConfig(**IDS, **SIZES, **GROUPED, head_dim=8, sliding_window=WINDOW),
        "model.layers",
        "model.norm",
    ),
    "phi3": Family(lambda: tr.Phi3Config(**IDS, **SIZES, **GROUPED), "model.layers", "model.norm"),
    "mpt": Family(
        lambda: tr.MptConfig(
            vocab_size=D_VOCAB, d_model=32, n_layers=3, n_heads=4, max_seq_len=N_CTX
        ),
        "transformer.blocks",
        "transformer.norm_f",
    ),
    "mamba": Family(
        lambda: tr.MambaConfig(**IDS, hidden_size=32, num_hidden_layers=3, state_size=8),
        "backbone.layers",
        "backbone.norm_f",
        reuse="steps",
    ),
    # Caches that take chunks but cannot be cut.
    "mamba2": Family(
        lambda: tr.Mamba2Config(
            **IDS,
            hidden_size=32,
            num_hidden_layers=3,
            state_size=8,
            num_heads=8,
            head_dim=8,
            n_groups=1,
            chunk_size=8,
        ),
        "backbone.layers",
        "backbone.norm_f",
    ),
    "falcon_h1": Family(
        lambda: tr.FalconH1Config(
            **IDS, **SIZES, **GROUPED, **STATE_SPACE, mamba_d_ssm=32, mamba_d_head=8
        ),
        "model.layers",
        "model.final_layernorm",
    ),
    "qwen3_next": Family(
        lambda: tr.Qwen3NextConfig(
            **IDS,
            **SIZES,
            **GROUPED,
            head_dim=8,
            linear_key_head_dim=8,
            linear_value_head_dim=8,
            linear_num_key_heads=2,
            linear_num_value_heads=4,
            num_experts=4,
            num_experts_per_tok=2,
            moe_intermediate_size=16,
            shared_expert_intermediate_size=16,
            layer_types=["linear_attention", "full_attention", "linear_attention"],
        ),
        "model.layers",
        "model.norm",
    ),
    # Models that unpack what a block returns. Bamba also has to be given its positions.
    "bamba": Family(
        lambda: tr.BambaConfig(
            **IDS, **SIZES, **GROUPED, **STATE_SPACE, mamba_d_head=16, attn_layer_indices=[1]
        ),
        "model.layers",
        "model.final_layernorm",
    ),
    "glm_moe_dsa": Family(
        lambda: tr.GlmMoeDsaConfig(
            **IDS,
            **SIZES,
            num_key_value_heads=4,
            q_lora_rank=16,
            kv_lora_rank=16,
            qk_rope_head_dim=8,
            qk_nope_head_dim=8,
            v_head_dim=8,
            index_n_heads=2,
            index_head_dim=16,
            index_topk=N_CTX,
            n_routed_experts=4,
            num_experts_per_tok=2,
            moe_intermediate_size=16,
            first_k_dense_replace=1,
        ),
        "model.layers",
        "model.norm",
    ),
    "rwkv": Family(
        lambda: tr.RwkvConfig(
            **IDS,
            hidden_size=32,
            num_hidden_layers=3,
            attention_hidden_size=32,
            intermediate_size=48,
            context_length=N_CTX,
        ),
        "rwkv.blocks",
        "rwkv.ln_out",
        reuse="none",
    ),
    "xlstm": Family(
        lambda: tr.xLSTMConfig(
            **IDS, hidden_size=32, num_heads=4, num_blocks=3, num_hidden_layers=3, chunk_size=8
        ),
        "backbone.blocks",
        "backbone.out_norm",
        reuse="none",
        generates_with_cache=False,
    ),
}


class LetterVocabulary:
    """Ids 2 and up stand for one printable byte each; a few stand for several."""

    size = D_VOCAB
    several: ClassVar = {90: b"User", 91: b"\nUs", 92: b"er:", 93: b".\nUser:", 94: b"\n"}

    def encode(self, text: str) -> tuple[int, ...]:
        return tuple(byte - 30 for byte in text.encode())

    def encode_prompt(self, spans: Sequence[TextSpan], *, bos: bool) -> EncodedPrompt:
        assert not bos
        ids = tuple(i for span in spans for i in self.encode(span.text))
        return EncodedPrompt(ids, ("user",) * len(ids))

    def token_bytes(self, token_id: int) -> bytes:
        if token_id < 2:
            return b""
        return self.several.get(token_id, bytes([token_id + 30]))

    def token_text(self, token_id: int) -> str:
        return self.token_bytes(token_id).decode(errors="replace")

    def is_special(self, token_id: int) -> bool:
        return token_id < 2

    def is_byte_token(self, token_id: int) -> bool:
        del token_id
        return False

    def find(self, query: str, limit: int) -> list[int]:
        return [i for i in range(self.size) if self.token_text(i) == query][:limit]


class PlainTemplate:
    """Renders messages as their text."""

    def start(self, messages: Sequence[Message]) -> list[TextSpan]:
        return [TextSpan(m.content, m.role) for m in messages]

    def continuation(self, messages: Sequence[Message], *, timeline_end: bytes) -> list[TextSpan]:
        assert timeline_end
        return self.start(messages)


def random_model(config: tr.PreTrainedConfig, seed: int = 0) -> nn.Module:
    """A causal language model of random weights, the same for the same seed.

    Matrices move further than norms and biases, so that what it says depends on what it reads.
    """
    torch.manual_seed(seed)
    model = tr.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            scale = 0.15 if parameter.dim() < 2 else 0.4
            parameter.add_(torch.randn_like(parameter) * scale)
    return model


def traced(model: nn.Module) -> LanguageModel:
    words = {f"w{i}": i for i in range(D_VOCAB)}
    tokenizer = tr.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="w0")), eos_token="w1"
    )
    with warnings.catch_warnings():
        # pytest undoes the filter that the runtime sets.
        warnings.simplefilter("ignore", nnsight.NNsightDeprecationWarning)
        return LanguageModel(model, tokenizer=tokenizer)


def engine_of(
    model: nn.Module,
    *,
    store_bytes: int = 2**26,
    readout_bytes: int | None = 2**20,
    store_dtype: StoreDtype = "float32",
) -> NnsightEngine:
    return NnsightEngine(
        traced(model),
        vocabulary=LetterVocabulary(),
        template=PlainTemplate(),
        chat_template=ChatTemplate("built-in", "", ()),
        name="small",
        source="local",
        revision="small",
        note=None,
        adds_bos=False,
        bos_token_id=None,
        eos_token_ids=(END_ID,),
        is_byte_exact=True,
        store_bytes=store_bytes,
        readout_bytes=readout_bytes,
        store_dtype=store_dtype,
    )


def fresh(engine: NnsightEngine, *, store_bytes: int = 2**26) -> NnsightEngine:
    """The same loaded model with an empty store."""
    copied = copy.copy(engine)
    copied._unembedding = copy.copy(engine._unembedding)
    copied._store = ResidualStore(engine._decoder, store_bytes, engine._store._reuse)
    copied._causes = engine._causes.with_store(copied._store)
    copied._admission = Admission(copied._store, engine._admission._bytes_per_token)
    copied.patching = Patching(
        copied._decoder, copied._store, copied._admission, copied._causes, copied.facts
    )
    return copied


def random_ids(n: int, seed: int = 1) -> list[int]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(2, D_VOCAB, (n,), generator=generator).tolist()


def greedy(max_new_tokens: int, stop: Sequence[str] = ()) -> Sampling:
    return Sampling(max_new_tokens, 0.0, 0, 1.0, 0, tuple(stop))


def rows_of(engine: NnsightEngine, ids: Sequence[int], lineage: Sequence[str] = ()) -> np.ndarray:
    """Residual streams `[len(ids), n_layers + 1, d_model]` that the engine reads for these ids."""
    with torch.inference_mode():
        timeline = drained(engine._store.covering(ids, len(ids), lineage))
        return timeline.rows[: len(ids)].numpy().copy()


def drained(work: Generator[None, None, Timeline]) -> Timeline:
    """What a generator returns when it has run to its end."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def count_rows(engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of each product that the engine decodes, from here on."""
    decoded: list[int] = []
    decode = engine._decoder.decode

    def counted(rows: torch.Tensor) -> torch.Tensor:
        decoded.append(len(rows))
        return decode(rows)

    monkeypatch.setattr(engine._decoder, "decode", counted)
    return decoded
