"""A GGUF file is the model that it was made from, with the tokenizer, template and flags that it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from app.engine.catalogue import describe, models_in
from app.engine.engine import NnsightEngine
from app.engine.loading import load_engine
from app.engine.sources import find_model
from app.engine.types import Wanted
from app.errors import ModelLoadError, UnsupportedArchitecture
from tests.engine.model_folders import SMALL
from tests.engine.small_tokenizers import byte_level

TEXT = "What is the capital of France? émoji 😀 <|im_end|>"
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
)
NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def save_llama(folder: Path) -> LlamaForCausalLM:
    """A seeded random Llama of two blocks with its tokenizer, in safetensors."""
    tokenizer = byte_level(chat_template=TEMPLATE)
    torch.manual_seed(0)
    config = LlamaConfig(
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        hidden_size=32,
        intermediate_size=64,
        max_position_embeddings=64,
        vocab_size=len(tokenizer),
        bos_token_id=0,
        eos_token_id=2,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config).eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model


def interleaved(weight: np.ndarray[Any, Any], n_heads: int) -> np.ndarray[Any, Any]:
    """Rows in the order that llama.cpp's rotation wants them in."""
    rows, columns = weight.shape
    halves = weight.reshape(n_heads, 2, rows // n_heads // 2, columns)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows, columns))


def write_gguf(
    file: Path,
    model: LlamaForCausalLM,
    *,
    architecture: str = "llama",
    add_bos: bool = False,
    quantises: bool = False,
) -> None:
    """The same model as llama.cpp would keep it, in float32, or with Q8_0 in its MLPs."""
    config, tokenizer = model.config, byte_level(chat_template=TEMPLATE)
    writer = gguf.GGUFWriter(file, architecture)
    writer.add_name("tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    words = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    special = set(tokenizer.all_special_tokens) | set(tokenizer.get_added_vocab())
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(words)
    writer.add_token_types([3 if word in special else 1 for word in words])
    writer.add_token_merges([" ".join(pair) for pair in merges_of(tokenizer)])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(add_bos)
    writer.add_chat_template(TEMPLATE)
    state = {key: value.numpy() for key, value in model.state_dict().items()}
    writer.add_tensor("token_embd.weight", state["model.embed_tokens.weight"])
    writer.add_tensor("output_norm.weight", state["model.norm.weight"])
    writer.add_tensor("output.weight", state["lm_head.weight"])
    for block in range(config.num_hidden_layers):
        for theirs, ours in NAMES.items():
            weight = state[f"model.layers.{block}.{theirs}.weight"]
            if ours in ("attn_q", "attn_k"):
                weight = interleaved(weight, config.num_attention_heads)
            kind = gguf.GGMLQuantizationType.Q8_0
            if quantises and ours.startswith("ffn_") and weight.ndim == 2:
                rounded = gguf.quantize(weight, kind)
                writer.add_tensor(f"blk.{block}.{ours}.weight", rounded, raw_dtype=kind)
            else:
                writer.add_tensor(f"blk.{block}.{ours}.weight", weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def merges_of(tokenizer: Any) -> list[tuple[str, str]]:

    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    return [tuple(pair) for pair in merges]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    model = save_llama(folder)
    write_gguf(folder / "tiny-f32.gguf", model)
    (folder / "with_bos").mkdir()
    write_gguf(folder / "with_bos" / "tiny-bos.gguf", model, add_bos=True)
    write_gguf(folder / "with_bos" / "strange.gguf", model, architecture="rwkv9")
    return folder


def columns(engine: NnsightEngine, ids: tuple[int, ...]) -> list[Any]:
    wanted = Wanted(tuple(range(engine.facts.n_layers + 1)))
    return [each for each in engine.reading(ids, range(len(ids)), wanted) if each is not None]


def test_every_number_is_that_of_the_safetensors(folder: Path) -> None:
    saved = load_engine(str(folder), **SMALL)
    read = load_engine(str(folder / "tiny-f32.gguf"), **SMALL)
    ids = saved.vocabulary.encode(TEXT)
    expected, found = columns(saved, ids), columns(read, ids)

    assert read.vocabulary.encode(TEXT) == ids
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.top_ids, other.top_ids)
        for name in ("top_probabilities", "entropy_nats", "kl_to_final_nats", "next_probability"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    # The tokenizer that was saved names another end token than the configuration; the file names one.
    assert read.facts.eos_token_ids == (2,)
    assert read.facts.chat_template.text == saved.facts.chat_template.text
    assert read.facts.name == "tiny-f32"
    assert "GGUF" in (read.facts.note or "")
    assert read.facts.revision != saved.facts.revision


@pytest.mark.parametrize(("file", "adds_bos"), [("tiny-f32", False), ("with_bos/tiny-bos", True)])
def test_the_beginning_of_sequence_token_is_put_where_the_file_says_so(
    folder: Path, file: str, adds_bos: bool
) -> None:
    engine = load_engine(str(folder / f"{file}.gguf"), **SMALL)

    assert engine.facts.adds_bos is adds_bos
    assert (engine.facts.bos_token_id, engine.facts.eos_token_ids) == (0, (2,))


def test_a_file_is_described_by_its_head_alone(folder: Path) -> None:
    found = describe(find_model(str(folder / "tiny-f32.gguf")))

    assert (found.name, found.architecture, found.n_ctx) == ("tiny-f32", "llama", 64)
    assert found.has_chat_template
    assert found.failure is None
    assert found.n_parameters == sum(p.numel() for p in save_llama(folder / "again").parameters())


def test_files_in_a_folder_are_found_beside_models_in_folders(folder: Path) -> None:
    found = [path.name for path in models_in(folder / "with_bos")]

    assert found == ["strange.gguf", "tiny-bos.gguf"]


def test_quantised_weights_say_so_and_are_the_files_rounding(tmp_path: Path) -> None:
    model = save_llama(tmp_path / "saved")
    write_gguf(tmp_path / "tiny-q8.gguf", model, quantises=True)
    read = load_engine(str(tmp_path / "tiny-q8.gguf"), **SMALL)
    weight = read.decoder.model.get_parameter("model.layers.0.mlp.down_proj.weight").clone().numpy()
    original = model.model.layers[0].mlp.down_proj.weight.detach().numpy()
    rounded = gguf.dequantize(
        gguf.quantize(original, gguf.GGMLQuantizationType.Q8_0), gguf.GGMLQuantizationType.Q8_0
    )

    assert "quantised as Q8_0" in (read.facts.note or "")
    np.testing.assert_array_equal(weight, rounded)


@pytest.mark.parametrize("n_bytes", [0, 3, 30, 3000])
def test_a_file_that_is_cut_off_is_refused_in_one_line(
    folder: Path, tmp_path: Path, n_bytes: int
) -> None:
    file = tmp_path / "cut.gguf"
    file.write_bytes((folder / "tiny-f32.gguf").read_bytes()[:n_bytes])

    with pytest.raises(ModelLoadError, match=r"cut\.gguf of cut is no GGUF file that can be read"):
        load_engine(str(file), **SMALL)


def test_an_architecture_that_transformers_does_not_read_is_refused_by_its_name(
    folder: Path,
) -> None:
    with pytest.raises(UnsupportedArchitecture, match="architecture 'rwkv9', which strange has"):
        load_engine(str(folder / "with_bos" / "strange.gguf"), **SMALL)


def test_a_file_that_is_gone_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"The file 'gone\.gguf' does not exist"):
        load_engine(str(tmp_path / "gone.gguf"), **SMALL)
