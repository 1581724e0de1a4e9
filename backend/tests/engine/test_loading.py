"""Folders of sound models on their way to an engine, and the machine that takes them."""

import json
import logging
import socket
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as tr

from app.engine import loading, memory
from app.engine.loading import load_engine
from app.engine.sources import find_model
from app.engine.types import Message
from app.errors import InvalidRequest, ModelLoadError
from tests.engine.model_folders import SMALL, edit_json, edit_weights, load, save_tiny_gpt2
from tests.engine.small_models import FAMILIES, random_model
from tests.engine.small_tokenizers import byte_level

IDS = torch.tensor([[5, 60, 7, 80, 9, 100]])


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        return model(IDS, use_cache=False).logits


# --- sound models ---------------------------------------------------------------------------------


def test_loaded_engine_computes_the_saved_models_numbers(
    saved_gpt2: tuple[Path, tr.GPT2LMHeadModel], caplog: pytest.LogCaptureFixture
) -> None:
    path, original = saved_gpt2
    told: list[str] = []
    with caplog.at_level(logging.INFO, "app.engine.loading"):
        engine = load_engine(
            str(path), on_progress=lambda _step, detail, *_: told.append(detail), **SMALL
        )
    columns = engine.read(IDS[0].tolist(), top_k=3)
    expected = logits(original.eval())[0].softmax(-1)
    top = expected.topk(3)
    np.testing.assert_array_equal(columns.top_ids[-1], top.indices.numpy())
    # Rounding only: the same float32 products in another order.
    np.testing.assert_allclose(columns.top_probabilities[-1], top.values.numpy(), atol=1e-6)
    facts = engine.facts
    assert (facts.name, facts.source, facts.note) == ("tiny", "local", None)
    assert (facts.architecture, facts.dtype, facts.device) == ("GPT2LMHeadModel", "float32", "cpu")
    assert facts.is_byte_exact
    assert not facts.adds_bos
    assert (facts.bos_token_id, facts.eos_token_ids) == (0, (0,))
    assert facts.self_check.max_abs_diff <= 1e-6
    # Progress is reported again between the parts of the check.
    assert list(dict.fromkeys(told)) == [
        "Looking for tiny.",
        "Loading the weights of tiny.",
        "Packing the weights of tiny.",
        "Checking tiny.",
    ]
    assert "loaded tiny from local: float32, cpu" in caplog.text


def test_a_model_that_changes_its_weights_at_its_first_run_is_packed_after_it(
    tmp_path: Path,
) -> None:
    """RWKV was refused: it divides weights of deep blocks, which were kept packed already."""
    tokenizer = byte_level(("<|endoftext|>",))
    config = FAMILIES["rwkv"].config()
    config.vocab_size, config.rescale_every = len(tokenizer), 1
    config.bos_token_id = config.eos_token_id = 0
    original = random_model(config)
    original.save_pretrained(tmp_path / "rwkv")
    tokenizer.save_pretrained(tmp_path / "rwkv")

    engine = load_engine(str(tmp_path / "rwkv"), **SMALL)
    assert engine.facts.architecture == "RwkvForCausalLM"
    columns = engine.read(IDS[0].tolist(), top_k=3)
    top = logits(original)[0].softmax(-1).topk(3)
    np.testing.assert_array_equal(columns.top_ids[-1], top.indices.numpy())
    np.testing.assert_allclose(columns.top_probabilities[-1], top.values.numpy(), atol=1e-5)


def test_model_without_a_chat_template_gets_the_built_in_one(
    saved_gpt2: tuple[Path, tr.GPT2LMHeadModel],
) -> None:
    engine = load_engine(str(saved_gpt2[0]), user_label="Human", assistant_label="Model", **SMALL)
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
    folder: Path, saved_gpt2: tuple[Path, tr.GPT2LMHeadModel]
) -> None:
    """The hub's GPT-2 names its tensors without `transformer.` and stores the attention masks."""

    def age(weights: dict[str, torch.Tensor]) -> None:
        for key in list(weights):
            weights[key.removeprefix("transformer.")] = weights.pop(key)
        for block in range(2):
            weights[f"h.{block}.attn.bias"] = torch.ones(1, 1, 64, 64).tril()
            weights[f"h.{block}.attn.masked_bias"] = torch.tensor(-1e4)

    edit_weights(folder, age)
    assert torch.equal(logits(load(folder).model), logits(saved_gpt2[1].eval()))


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
    assert loaded.ends.ids == (0, 7)
    assert loaded.model.generation_config.temperature in (None, 1.0)


@pytest.mark.parametrize("written", ["{", "[1]"])
def test_generation_settings_that_cannot_be_read_are_logged(
    folder: Path, caplog: pytest.LogCaptureFixture, written: str
) -> None:
    (folder / "generation_config.json").write_text(written)
    assert load(folder).ends.ids == (0,)
    assert "generation_config.json of broken cannot be read" in caplog.text


def test_missing_generation_settings_are_nothing_to_log(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "generation_config.json").unlink(missing_ok=True)
    load(folder)
    assert "generation_config" not in caplog.text


MARKED = (
    "{% for m in messages %}<|start|>{{ m.role }} {{ m.content }}"
    "{{ '<|end|>' if m.role == 'assistant' else '' }}{% endfor %}"
)


@pytest.mark.parametrize(
    ("listed", "stop"),
    [
        ([3], ()),  # the list names <|return|> and leaves <|end|> out on purpose
        ([2, 3], ("<|end|>",)),
        (3, ("<|end|>",)),  # a single id says nothing of chats
        ([50], ("<|end|>",)),  # an ordinary token neither
        (None, ("<|end|>",)),
    ],
)
def test_an_end_mark_that_the_models_list_of_ends_leaves_out_ends_no_reply(
    tmp_path: Path, listed: object, stop: tuple[str, ...]
) -> None:
    """Harmony models close their thoughts with `<|end|>` and go on to the answer."""
    tokenizer = byte_level(("<|endoftext|>", "<|start|>", "<|end|>", "<|return|>"))
    assert tokenizer.convert_tokens_to_ids(["<|end|>", "<|return|>"]) == [2, 3]
    tokenizer.chat_template = MARKED
    config = tr.GPT2Config(
        n_layer=2, n_head=2, n_embd=16, n_positions=64, vocab_size=len(tokenizer), eos_token_id=0
    )
    torch.manual_seed(0)
    tr.GPT2LMHeadModel(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": listed}))
    engine = load_engine(str(tmp_path), **SMALL)
    assert engine.facts.chat_template.stop == stop


def test_reading_weights_gives_signs_of_life(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "TELL_EVERY_SECONDS", 0.0)
    told: list[tuple[str, int, int]] = []
    loading.load_files(
        find_model(str(folder)), torch.device("cpu"), lambda *progress: told.append(progress)
    )
    assert told[0][0] == "Loading the weights of broken (tensors read: 1)."
    done = [each[1] for each in told]
    assert done == sorted(done)
    assert {each[2] for each in told} == {told[-1][1]}, "all bytes are done at the last tensor"
    assert len(told) >= 28


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(3) }}",
    ],
    ids=["that writes", "that only loops", "that calls itself"],
)
def test_a_chat_template_without_an_end_is_refused_and_the_model_loads(
    folder: Path, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    monkeypatch.setattr("app.engine.template.RENDER_SECONDS", 0.2)
    edit_json(folder / "tokenizer_config.json", chat_template=template)
    engine = load_engine(str(folder), **SMALL)
    with pytest.raises(InvalidRequest, match=r"broken refuses .* (0\.2 s|RecursionError)"):
        engine.template.start([Message("user", "Hello")])
    assert sys.gettrace() is None or "limited_rendering" not in repr(sys.gettrace())
    assert engine.read([1, 2, 3]).entropy_nats.shape == (3, 3)


def test_threads_follow_the_setting(saved_gpt2: tuple[Path, tr.GPT2LMHeadModel]) -> None:
    before = torch.get_num_threads()
    try:
        load_engine(str(saved_gpt2[0]), **SMALL | {"threads": 2})
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_loading_files_asks_no_network(
    saved_gpt2: tuple[Path, tr.GPT2LMHeadModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *host, **_: asked.append(host))
    monkeypatch.setattr(socket.socket, "connect", lambda _self, address: asked.append(address))
    load_engine(str(saved_gpt2[0]), **SMALL)
    assert asked == []


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
