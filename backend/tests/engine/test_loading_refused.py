"""Models that are whole and yet not run: of other kinds, or with code of their own."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as tr

from app.engine.loading import load_engine
from app.errors import ModelLoadError, UnsupportedArchitecture
from tests.engine.model_folders import SMALL, edit_json, load
from tests.engine.small_tokenizers import byte_level

# --- models of other kinds ------------------------------------------------------------------------


def test_unknown_model_type_is_named(folder: Path) -> None:
    edit_json(folder / "config.json", model_type="gpt99")
    with pytest.raises(UnsupportedArchitecture, match=r"transformers 5.* does not know .*'gpt99'"):
        load(folder)


def test_missing_model_type_is_named(folder: Path) -> None:
    edit_json(folder / "config.json", model_type=None)
    with pytest.raises(UnsupportedArchitecture, match="does not say which model_type"):
        load(folder)


@pytest.mark.parametrize("kind", ["t5", "vit"])
def test_models_that_are_not_causal_are_refused(folder: Path, kind: str) -> None:
    edit_json(folder / "config.json", model_type=kind)
    with pytest.raises(UnsupportedArchitecture, match="not a causal language model"):
        load(folder)


def test_encoder_decoder_is_refused(folder: Path) -> None:
    edit_json(folder / "config.json", model_type="bart", is_encoder_decoder=True)
    with pytest.raises(UnsupportedArchitecture, match="encoder-decoder"):
        load(folder)


def test_encoder_that_reads_both_ways_is_refused(tmp_path: Path) -> None:
    """transformers loads BERT as a causal language model, but does not make it one."""
    tokenizer = byte_level()
    config = tr.BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=64, is_decoder=False, initializer_range=0.5,
    )  # fmt: skip
    torch.manual_seed(0)
    tr.BertLMHeadModel(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(UnsupportedArchitecture, match="not a causal decoder"):
        load_engine(str(tmp_path), **SMALL)


def test_quantised_weights_are_refused(folder: Path) -> None:
    edit_json(folder / "config.json", quantization_config={"quant_method": "gptq", "bits": 4})
    with pytest.raises(UnsupportedArchitecture, match=r"quantised \(gptq\)"):
        load(folder)


# --- files that would run code --------------------------------------------------------------------


def test_code_of_a_repository_is_never_run(folder: Path, tmp_path: Path) -> None:
    sentinel = tmp_path / "code-ran"
    (folder / "modeling_evil.py").write_text(f"open({str(sentinel)!r}, 'w')\n")
    classes = {"AutoConfig": "modeling_evil.C", "AutoModelForCausalLM": "modeling_evil.M"}
    edit_json(folder / "config.json", model_type="evil", auto_map=classes)
    with pytest.raises(UnsupportedArchitecture, match=r"code of its own \(auto_map\)"):
        load(folder)
    # A type that transformers knows runs by transformers' own code.
    edit_json(folder / "config.json", model_type="gpt2")
    edit_json(
        folder / "tokenizer_config.json", auto_map={"AutoTokenizer": [None, "modeling_evil.T"]}
    )
    assert type(load(folder).model) is tr.GPT2LMHeadModel
    assert not sentinel.exists()


@pytest.mark.parametrize(
    "setting",
    [
        {"_attn_implementation_internal": "evil/kernel"},
        {"_attn_implementation_internal": "eager"},
        {"attn_implementation": "evil/kernel:flash"},
        {"_experts_implementation": "evil/kernel"},
        {"text_config": {"_experts_implementation_internal": "x"}},
    ],
)
def test_settings_that_fetch_code_are_refused(folder: Path, setting: dict[str, Any]) -> None:
    edit_json(folder / "config.json", **setting)
    with pytest.raises(ModelLoadError, match="load and run foreign code"):
        load(folder)
