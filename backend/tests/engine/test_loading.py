"""Folders of models, sound and broken, on their way to an engine."""

import json
import logging
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as tr
from safetensors.torch import load_file, save_file

from app.engine import loading, memory
from app.engine.loading import load_engine, load_files
from app.engine.sources import find_model
from app.engine.types import Message
from app.errors import ModelLoadError, UnsupportedArchitecture
from tests.engine.model_folders import save_tiny_gpt2
from tests.engine.small_tokenizers import byte_level

CPU = torch.device("cpu")
SMALL: dict[str, Any] = {"store_bytes": 2**24, "readout_bytes": 2**20, "threads": 1}
IDS = torch.tensor([[5, 60, 7, 80, 9, 100]])


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tr.GPT2LMHeadModel]:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    return folder, save_tiny_gpt2(folder)


@pytest.fixture
def folder(saved: tuple[Path, tr.GPT2LMHeadModel], tmp_path: Path) -> Path:
    """A copy of a sound model, for the test to break."""
    return Path(shutil.copytree(saved[0], tmp_path / "broken"))


def load(folder: Path) -> Any:
    return load_files(find_model(str(folder)), CPU)


def edit_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        return model(IDS, use_cache=False).logits


# --- sound models ---------------------------------------------------------------------------------


def test_loaded_engine_computes_the_saved_models_numbers(
    saved: tuple[Path, tr.GPT2LMHeadModel], caplog: pytest.LogCaptureFixture
) -> None:
    path, original = saved
    told: list[str] = []
    with caplog.at_level(logging.INFO, "app.engine.loading"):
        engine = load_engine(str(path), on_progress=lambda detail, *_: told.append(detail), **SMALL)
    columns = engine.read(IDS[0].tolist(), top_k=3)
    assert columns is not None
    expected = logits(original.eval())[0].softmax(-1)
    top = expected.topk(3)
    np.testing.assert_array_equal(columns.top_ids[-1], top.indices.numpy())
    # Rounding only: the same float32 products in another order.
    np.testing.assert_allclose(columns.top_probabilities[-1], top.values.numpy(), atol=1e-6)
    facts = engine.facts
    assert (facts.name, facts.source, facts.revision, facts.note) == ("tiny", "local", None, None)
    assert (facts.architecture, facts.dtype, facts.device) == ("GPT2LMHeadModel", "float32", "cpu")
    assert facts.is_byte_exact
    assert not facts.adds_bos
    assert (facts.bos_token_id, facts.eos_token_ids) == (0, (0,))
    assert facts.self_check.passed
    assert told == [
        "Looking for tiny.",
        "Loading the weights of tiny.",
        "Checking tiny.",
    ]
    assert "loaded tiny from local: float32, cpu" in caplog.text


def test_model_without_a_chat_template_gets_the_built_in_one(
    saved: tuple[Path, tr.GPT2LMHeadModel],
) -> None:
    engine = load_engine(str(saved[0]), user_label="Human", assistant_label="Model", **SMALL)
    assert engine.facts.chat_template.source == "built-in"
    assert engine.facts.chat_template.stop == ("\nHuman:",)
    spans = engine.template.start([Message("user", "Hello")])
    assert "".join(span.text for span in spans) == "Human: Hello\nModel:"


def test_chat_template_of_the_tokenizer_is_taken(folder: Path) -> None:
    template = "{% for m in messages %}[{{ m.role }}] {{ m.content }}<|endoftext|>{% endfor %}"
    edit_json(folder / "tokenizer_config.json", chat_template=template)
    engine = load_engine(str(folder), **SMALL)
    assert engine.facts.chat_template.source == "tokenizer"
    assert engine.facts.chat_template.text == template
    assert engine.facts.chat_template.stop == ("<|endoftext|>",)


def test_weights_stored_in_half_precision_are_computed_in_float32(folder: Path) -> None:
    def halve(weights: dict[str, torch.Tensor]) -> None:
        weights.update({key: tensor.half() for key, tensor in weights.items()})

    edit_weights(folder, halve)
    edit_json(folder / "config.json", dtype="float16")
    model = load(folder).model
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_checkpoint_of_old_gpt2_files_matches(
    folder: Path, saved: tuple[Path, tr.GPT2LMHeadModel]
) -> None:
    """The hub's GPT-2 names its tensors without `transformer.` and stores the attention masks."""

    def age(weights: dict[str, torch.Tensor]) -> None:
        for key in list(weights):
            weights[key.removeprefix("transformer.")] = weights.pop(key)
        for block in range(2):
            weights[f"h.{block}.attn.bias"] = torch.ones(1, 1, 64, 64).tril()
            weights[f"h.{block}.attn.masked_bias"] = torch.tensor(-1e4)

    edit_weights(folder, age)
    assert torch.equal(logits(load(folder).model), logits(saved[1].eval()))


def test_split_weights_are_put_together(tmp_path: Path) -> None:
    original = save_tiny_gpt2(tmp_path / "split", max_shard_size="20KB")
    assert torch.equal(logits(load(tmp_path / "split").model), logits(original.eval()))


def test_padded_vocabulary_has_ids_without_text(tmp_path: Path) -> None:
    tokenizer = byte_level(("<|endoftext|>",))
    config = tr.GPT2Config(
        n_layer=2, n_head=2, n_embd=16, n_positions=64, vocab_size=len(tokenizer) + 3
    )
    tr.GPT2LMHeadModel(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    engine = load_engine(str(tmp_path), **SMALL)
    last = len(tokenizer) + 2
    assert engine.facts.d_vocab == last + 1
    assert engine.vocabulary.token_text(last) == f"<id {last}>"


def test_ends_of_text_come_from_generation_settings_but_no_sampling_does(folder: Path) -> None:
    edit_json(folder / "generation_config.json", eos_token_id=[0, 7], temperature=0.1, top_k=1)
    loaded = load(folder)
    assert loaded.eos_token_ids == (0, 7)
    assert loaded.model.generation_config.temperature in (None, 1.0)


def test_broken_generation_settings_do_not_matter(folder: Path) -> None:
    (folder / "generation_config.json").write_text("{")
    assert load(folder).eos_token_ids == (0,)


def test_threads_follow_the_setting(saved: tuple[Path, tr.GPT2LMHeadModel]) -> None:
    before = torch.get_num_threads()
    try:
        load_engine(str(saved[0]), **SMALL | {"threads": 2})
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_loading_files_asks_no_network(
    saved: tuple[Path, tr.GPT2LMHeadModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *host, **_: asked.append(host))
    monkeypatch.setattr(socket.socket, "connect", lambda _self, address: asked.append(address))
    load_engine(str(saved[0]), **SMALL)
    assert asked == []


# --- files that are broken ------------------------------------------------------------------------


def cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def empty_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def page_instead_of_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_text("<html>404 not found</html>")


def pickled_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04evil")


def no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def damaged_index(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text("{}")


def index_that_leaves_the_folder(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"wte.weight": "../../secret.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def lost_shard(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"wte.weight": "model-00001-of-00001.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def no_json(folder: Path) -> None:
    (folder / "config.json").write_text("{not json")


def list_for_config(folder: Path) -> None:
    (folder / "config.json").write_text("[]")


def impossible_config(folder: Path) -> None:
    edit_json(folder / "config.json", n_layer="many")


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def damaged_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"version": "1.0"')


def inconsistent_tokenizer(folder: Path) -> None:
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["model"]["merges"].append(["no", "such"])
    path.write_text(json.dumps(tokenizer))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut_weights, r"model.safetensors of broken \([\d,]+ bytes\) is damaged or incomplete"),
        (empty_weights, r"model.safetensors of broken \(0 bytes\) is damaged or incomplete"),
        (page_instead_of_weights, r"model.safetensors of broken .* is damaged"),
        (pickled_weights, r"only as pytorch_model.bin, a pickle file that can run code"),
        (no_weights, r"broken has no model.safetensors"),
        (damaged_index, r"model.safetensors.index.json is damaged: .*no weight_map"),
        (index_that_leaves_the_folder, r"secret.safetensors', which is not .* beside it"),
        (lost_shard, r"broken lacks model-00001-of-00001.safetensors"),
        (no_json, r"config.json of broken is not valid JSON"),
        (list_for_config, r"config.json of broken is not a JSON object"),
        (impossible_config, r"broken has a configuration that cannot be read: .*n_layer"),
        (no_tokenizer, r"broken has no tokenizer \(no tokenizer.json\)"),
        (damaged_tokenizer, r"broken has a tokenizer that cannot be read"),
        (inconsistent_tokenizer, r"tokenizer that cannot be read: Token .* out of vocabulary"),
    ],
)
def test_broken_files_give_one_clear_line(
    damage: Callable[[Path], None], words: str, folder: Path
) -> None:
    damage(folder)
    with pytest.raises(ModelLoadError, match=words) as caught:
        load(folder)
    assert "\n" not in caught.value.message
    assert str(folder.parent) not in caught.value.message
    assert caught.value.hint


def test_folders_of_this_machine_are_not_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, **_: object) -> None:
        raise OSError(f"Can't load {path}/config.json\nIf you were trying to …")

    monkeypatch.setattr(loading.AutoConfig, "from_pretrained", fail)
    with pytest.raises(ModelLoadError) as caught:
        load(folder)
    assert caught.value.message == (
        "broken has a configuration that cannot be read: Can't load broken/config.json."
    )


# --- weights that are not those of the architecture -----------------------------------------------


def drop_norm(weights: dict[str, torch.Tensor]) -> None:
    del weights["transformer.ln_f.weight"]


def add_block(weights: dict[str, torch.Tensor]) -> None:
    for key in [key for key in weights if ".h.1." in key]:
        weights[key.replace(".h.1.", ".h.2.")] = weights[key].clone()


def reshape(weights: dict[str, torch.Tensor]) -> None:
    weights["transformer.ln_f.weight"] = torch.ones(8)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop_norm, r"missing: transformer.ln_f.weight"),
        (add_block, r"not part of the model: transformer.h.2.attn.c_attn.* and \d+ more"),
        (reshape, r"transformer.ln_f.weight is \[8\] in the files and \[16\] in the model"),
    ],
)
def test_checkpoint_that_does_not_match_is_not_run(
    change: Callable[[dict[str, torch.Tensor]], None], words: str, folder: Path
) -> None:
    edit_weights(folder, change)
    with pytest.raises(ModelLoadError, match=f"do not match its configuration: .*{words}"):
        load(folder)


def test_classifier_is_not_run_with_a_random_head(tmp_path: Path) -> None:
    config = tr.LlamaConfig(
        vocab_size=300, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, intermediate_size=16, pad_token_id=0,
    )  # fmt: skip
    tr.LlamaForSequenceClassification(config).save_pretrained(tmp_path)
    byte_level().save_pretrained(tmp_path)
    with pytest.raises(ModelLoadError, match=r"missing: lm_head.weight; not part .*: score.weight"):
        load(tmp_path)


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


# --- the machine ----------------------------------------------------------------------------------


def test_model_that_cannot_fit_is_refused_before_it_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "memory_limit", lambda: 50_000)
    with pytest.raises(ModelLoadError, match=r"needs 0\.0 GiB of memory \([\d,]+ parameters"):
        load(folder)


def test_model_that_needs_more_than_is_free_is_tried_with_a_warning(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 50_000)
    load(folder)
    assert "broken needs 0.0 GiB of memory and 0.0 GiB are free" in caplog.text


def test_memory_of_this_machine_is_known() -> None:
    limit, free = memory.memory_limit(), memory.free_memory()
    assert limit is not None
    assert limit > 2**28
    assert free is None or free > 0


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_running_out_of_memory_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(loading.AutoModelForCausalLM, "from_pretrained", fail)
    with pytest.raises(ModelLoadError, match="not enough memory to load broken"):
        load(folder)


def test_device_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelLoadError, match="no device cuda:99"):
        loading._device("cuda:99")
