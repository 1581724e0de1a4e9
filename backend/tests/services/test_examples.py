"""Example prompts suit the model that runs and claim nothing that was not measured on it."""

import dataclasses
import json
from pathlib import Path

import pytest

from app.engine.model_names import GPT2
from app.engine.types import ChatTemplate, ModelFacts, SelfCheck
from app.services import examples
from app.services.examples import example_prompts

FACTS = ModelFacts(
    name="owner/model",
    source="hub",
    revision="0",
    architecture="GPT2LMHeadModel",
    n_layers=2,
    n_heads=2,
    d_model=16,
    d_vocab=300,
    n_ctx=64,
    n_parameters=1000,
    dtype="float32",
    device="cpu",
    tied_embeddings=True,
    chat_template=ChatTemplate("built-in", "", ()),
    adds_bos=False,
    bos_token_id=0,
    eos_token_ids=(0,),
    is_byte_exact=True,
    self_check=SelfCheck(0.0, 0.0, 1.0),
)
CHAT = ChatTemplate("tokenizer", "", ())


@pytest.mark.parametrize(
    "facts",
    [
        FACTS,
        dataclasses.replace(FACTS, chat_template=CHAT),
        dataclasses.replace(FACTS, name=GPT2),
        dataclasses.replace(FACTS, source="embedded"),
    ],
    ids=["base", "chat", "gpt2", "embedded"],
)
def test_every_model_has_examples(facts: ModelFacts) -> None:
    prompts = example_prompts(facts)
    assert len(prompts) >= 5
    assert len({prompt.title for prompt in prompts}) == len(prompts)
    for prompt in prompts:
        assert prompt.text == prompt.text.strip()
        assert prompt.note
        assert prompt.watch is None or f"“{prompt.watch}”" in prompt.note


def test_only_gpt2_of_the_hub_gets_what_is_published_of_it() -> None:
    published = example_prompts(dataclasses.replace(FACTS, name=GPT2))
    local = example_prompts(dataclasses.replace(FACTS, name="gpt2", source="local"))
    assert any("GPT-2" in prompt.note for prompt in published)
    assert not any("GPT-2" in prompt.note for prompt in local)


def test_chat_models_are_asked_a_question() -> None:
    assert {p.mode for p in example_prompts(FACTS)} == {"completion"}
    assert example_prompts(dataclasses.replace(FACTS, chat_template=CHAT))[0].mode == "chat"


def test_embedded_model_brings_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"title": "Own", "mode": "chat", "text": "Hello", "watch": " a", "note": "Measured."}
    (tmp_path / "examples.json").write_text(json.dumps([own]))
    monkeypatch.setattr(examples, "EMBEDDED_FILE", tmp_path / "examples.json")
    prompts = example_prompts(dataclasses.replace(FACTS, source="embedded"))
    assert [prompt.model_dump() for prompt in prompts] == [own]


def test_damaged_examples_of_the_embedded_model_are_logged_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "examples.json").write_text('[{"title": "no text"}]')
    monkeypatch.setattr(examples, "EMBEDDED_FILE", tmp_path / "examples.json")
    prompts = example_prompts(dataclasses.replace(FACTS, source="embedded"))
    assert len(prompts) == 5
    assert "cannot be read" in caplog.text
