"""Ids of turns, first and later ones, for every way that tokenizers and templates treat their edges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tokenizers import pre_tokenizers
from transformers import PreTrainedTokenizerFast

from app.engine.loading import described
from app.engine.protocols import PromptTemplate
from app.engine.template import BuiltInTemplate, TokenizerTemplate
from app.engine.types import TextSpan
from app.engine.vocabulary import TokenizerVocabulary
from app.errors import InvalidRequest
from app.models.chat import ChatRequest
from app.services.prompts import make_prompt
from app.services.timelines import Conversation, Turn
from tests.engine.small_tokenizers import byte_level, sentencepiece_like
from tests.fakes import FakeEngine

REPLY = "{% if add_generation_prompt %}[assistant] {% endif %}"
LOOP = "{% for m in messages %}[{{ m.role }}] {{ m.content }}{{ eos_token }}\n{% endfor %}" + REPLY
BOS_FORMS = {
    "none": LOOP,
    "first": "{{ bos_token }}" + LOOP,
    "first, spelt out": "<s>" + LOOP,
    "after a line break": "\n{{ '\n' }}{{ bos_token }}" + LOOP,
    "after a label": "### {{ bos_token }}" + LOOP,
    "before each user": "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token }}{% endif %}"
    "[{{ m.role }}] {{ m.content }}{{ eos_token }}\n{% endfor %}" + REPLY,
    "after the first message": "{% for m in messages %}[{{ m.role }}] {{ m.content }}"
    "{% if loop.first %}{{ bos_token }}{% endif %}{{ eos_token }}\n{% endfor %}" + REPLY,
}


def metaspace(scheme: str, chat_template: str | None = None) -> PreTrainedTokenizerFast:
    """Llama 2's tokenizer as newer files write it: Metaspace prepends the space."""
    tokenizer = sentencepiece_like(prepends=True).backend_tokenizer
    tokenizer.normalizer = None
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", chat_template=chat_template
    )


SPECIALS = ("<unk>", "<s>", "</s>")
TOKENIZERS = {
    "byte-level": lambda t=None: with_end(byte_level(SPECIALS, bos="<s>", chat_template=t)),
    "byte-level, prefixed": lambda t=None: with_end(
        byte_level(SPECIALS, bos="<s>", add_prefix_space=True, chat_template=t)
    ),
    "Prepend": lambda t=None: sentencepiece_like(prepends=True, chat_template=t),
    "no prefix": lambda t=None: sentencepiece_like(prepends=False, chat_template=t),
    "Metaspace first": lambda t=None: metaspace("first", t),
    "Metaspace always": lambda t=None: metaspace("always", t),
}


def with_end(tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    tokenizer.eos_token = "</s>"
    return tokenizer


@pytest.fixture(params=TOKENIZERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=BOS_FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def engine_of(tokenizer: PreTrainedTokenizerFast) -> FakeEngine:
    """What prompts are made of, around a real tokenizer and template."""
    engine = FakeEngine()
    vocabulary = TokenizerVocabulary(tokenizer, len(tokenizer))
    template: PromptTemplate
    if tokenizer.chat_template:
        template = TokenizerTemplate(tokenizer, vocabulary.special_tokens, "tiny")
    else:
        template = BuiltInTemplate()
    engine.vocabulary, engine.template = vocabulary, template  # type: ignore[assignment]
    engine.facts = replace(
        engine.facts,
        chat_template=described(template, vocabulary),
        adds_bos=vocabulary.adds_bos,
        bos_token_id=vocabulary.bos_token_id,
        d_vocab=vocabulary.size,
        n_ctx=4096,
    )
    return engine


def request(text: str, **more: Any) -> ChatRequest:
    return ChatRequest.model_validate({"messages": [{"role": "user", "content": text}], **more})


def answered(engine: FakeEngine, prompt: Any, reply: str) -> Conversation:
    """The conversation after a reply of this text, whose ids go on from the prompt's."""
    ids = engine.vocabulary.encode_prompt([TextSpan(reply, "assistant")], after=prompt.ids[-1]).ids
    n_prompt, end = len(prompt.ids), len(prompt.ids) + len(ids)
    turn = Turn(len(prompt.base.ids), n_prompt, end, "stop")
    return Conversation(
        "c",
        prompt.ids + ids,
        (*prompt.roles, *["assistant"] * len(ids)),
        (*prompt.base.turns, turn),
    )


def joined(engine: FakeEngine, ids: tuple[int, ...]) -> str:
    return b"".join(map(engine.vocabulary.token_bytes, ids)).decode()


# --- chat: the ids are those of apply_chat_template -----------------------------------------------


def own_ids(tokenizer: PreTrainedTokenizerFast, *contents: str) -> list[int]:
    roles = ("user", "assistant")
    messages = [{"role": roles[n % 2], "content": text} for n, text in enumerate(contents)]
    return tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)


def test_ids_of_a_chat_are_those_of_apply_chat_template(kind: str, form: str) -> None:
    """Where a template wrote the beginning-of-sequence token late or never, a second one was fed."""
    tokenizer = TOKENIZERS[kind](BOS_FORMS[form])
    engine = engine_of(tokenizer)
    prompt = make_prompt(engine, request("Hello there"), None)

    assert list(prompt.ids) == own_ids(tokenizer, "Hello there")


def test_ids_of_later_turns_are_those_of_the_whole_history(kind: str, form: str) -> None:
    tokenizer = TOKENIZERS[kind](BOS_FORMS[form])
    engine = engine_of(tokenizer)
    first = make_prompt(engine, request("Hello there"), None)
    second = make_prompt(engine, request("the user"), answered(engine, first, "well"))
    third = make_prompt(engine, request("and"), answered(engine, second, "you"))

    # The reply itself has the tokens that the model chose; what stands around it is the template's.
    whole = joined(
        engine, tuple(own_ids(tokenizer, "Hello there", "well", "the user", "you", "and"))
    )
    assert joined(engine, third.ids).replace(" ", "") == whole.replace(" ", "")
    bos = tokenizer.bos_token
    assert joined(engine, third.ids).count(bos) == whole.count(bos)


@pytest.mark.parametrize("bos", [True, False, None])
def test_same_settings_are_accepted_at_every_turn(kind: str, form: str, bos: bool | None) -> None:
    """`bos: false` was accepted for a first turn and refused for the second."""
    engine = engine_of(TOKENIZERS[kind](BOS_FORMS[form]))
    first = make_prompt(engine, request("Hello there", bos=bos), None)
    second = make_prompt(engine, request("the user", bos=bos), answered(engine, first, "well"))

    assert second.ids[: len(first.ids)] == first.ids
    n_bos = first.ids.count(engine.facts.bos_token_id or 0)
    late = form == "after the first message"
    assert n_bos == {True: 1, False: int(late), None: int(form != "none")}[bos]


def test_beginning_that_a_conversation_does_not_have_is_refused() -> None:
    engine = engine_of(TOKENIZERS["byte-level"](BOS_FORMS["first"]))
    for first, later in ((True, False), (False, True)):
        talk = answered(engine, make_prompt(engine, request("Hello", bos=first), None), "well")
        with pytest.raises(InvalidRequest, match="cannot be changed later") as caught:
            make_prompt(engine, request("the", bos=later), talk)
        assert caught.value.param == "bos"


def test_facts_say_whether_a_chat_begins_with_bos(form: str) -> None:
    engine = engine_of(TOKENIZERS["byte-level"](BOS_FORMS[form]))
    leads = form not in ("none", "after the first message")
    assert engine.facts.chat_template.starts_with_bos is leads
    assert engine_of(TOKENIZERS["byte-level"]()).facts.chat_template.starts_with_bos


def test_built_in_template_and_plain_text_follow_the_tokenizer(kind: str) -> None:
    engine = engine_of(TOKENIZERS[kind]())
    for mode in ("chat", "completion"):
        assert make_prompt(engine, request("Hello", mode=mode), None).ids[0] == 1
        without = make_prompt(engine, request("Hello", mode=mode, bos=False), None)
        assert 1 not in without.ids


# --- plain text goes on as it stands --------------------------------------------------------------


@pytest.mark.parametrize("text", [" there", "there", "\nthe user", "  quick", "", "ß 漢"])
def test_continued_text_is_the_text_that_was_sent(kind: str, text: str) -> None:
    """Tokenizers that put a space before a text put one in the middle of it."""
    engine = engine_of(TOKENIZERS[kind]())
    first = make_prompt(engine, request("Hello", mode="completion"), None)
    talk = answered(engine, first, " there")
    if not text:
        return
    second = make_prompt(engine, request(text, mode="completion"), talk)

    assert joined(engine, second.ids) == joined(engine, talk.ids) + text


def test_continued_ids_are_those_of_the_joined_text(kind: str) -> None:
    """Where no token of the joined text reaches across a border."""
    engine = engine_of(TOKENIZERS[kind]())
    texts = ("Hello", " there", " the user")
    whole = make_prompt(engine, request("".join(texts), mode="completion"), None).ids
    talk: Conversation | None = None
    for text in texts:
        prompt = make_prompt(engine, request(text, mode="completion"), talk)
        talk = Conversation(
            "c", prompt.ids, prompt.roles, (Turn(0, len(prompt.ids), len(prompt.ids), "stop"),)
        )
    assert prompt.ids == whole


def test_turns_of_the_built_in_template_follow_each_other_without_a_space(kind: str) -> None:
    engine = engine_of(TOKENIZERS[kind]())
    first = make_prompt(engine, request("Hello"), None)
    second = make_prompt(engine, request("the user"), answered(engine, first, " well"))

    assert joined(engine, second.ids).endswith("Assistant: well\nUser: the user\nAssistant:")
