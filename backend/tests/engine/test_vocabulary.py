"""Bytes of each token, and how texts and rendered prompts become ids."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, normalizers
from transformers import PreTrainedTokenizerFast

from app.engine.types import Role, TextSpan
from app.engine.vocabulary import TokenizerVocabulary
from app.errors import InternalError, InvalidRequest, ModelLoadError, UnknownToken
from tests.engine.small_tokenizers import (
    byte_level,
    first_word_prefixed,
    sentencepiece_like,
    word_piece,
)

BYTE_LEVEL = byte_level()
VOCABULARY = TokenizerVocabulary(BYTE_LEVEL, len(BYTE_LEVEL) + 5)


def vocabulary_of(tokenizer: PreTrainedTokenizerFast) -> TokenizerVocabulary:
    return TokenizerVocabulary(tokenizer, len(tokenizer))


def spell(vocabulary: TokenizerVocabulary, ids: tuple[int, ...]) -> list[str]:
    return [vocabulary.token_text(i) for i in ids]


def joined(vocabulary: TokenizerVocabulary, ids: tuple[int, ...]) -> bytes:
    return b"".join(map(vocabulary.token_bytes, ids))


any_text = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from("\0\t\r\n ▁Ġé\u0301\u200d🏳️‍🌈👩‍👦السلام漢字"),
    ),
    max_size=80,
)


@settings(max_examples=300, deadline=None)
@given(any_text)
@example("")
@example("👩‍👩‍👧‍👦 🏳️‍🌈\r\n\tالسَّلام 漢字\0<|endoftext|><|im_end|>\n\n  x")
def test_bytes_of_the_tokens_are_the_bytes_of_the_text(text: str) -> None:
    assert joined(VOCABULARY, VOCABULARY.encode(text)) == text.encode()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(any_text, st.sampled_from(("template", "user", "system"))), max_size=6))
def test_prompt_is_tokenised_as_the_joined_text(parts: list[tuple[str, Role]]) -> None:
    """Span borders change neither the ids nor the bytes, and every token has a role."""
    spans = [TextSpan(text, role) for text, role in parts]
    prompt = VOCABULARY.encode_prompt(spans, bos=False)
    assert prompt.ids == VOCABULARY.encode("".join(text for text, _ in parts))
    assert len(prompt.roles) == len(prompt.ids)
    continued = VOCABULARY.encode_prompt(spans, after=VOCABULARY.encode("x")[0])
    assert continued == prompt


def test_special_tokens_typed_in_a_text_stay_text() -> None:
    ids = VOCABULARY.encode("a<|endoftext|>b")
    assert not any(map(VOCABULARY.is_special, ids))
    assert BYTE_LEVEL.convert_tokens_to_ids("<|endoftext|>") not in ids


def test_no_bos_is_added_to_a_text() -> None:
    vocabulary = vocabulary_of(byte_level(("<s>",), bos="<s>"))
    assert vocabulary.adds_bos
    assert vocabulary.bos_token_id not in vocabulary.encode("Hello")


def test_lone_surrogate_is_refused_at_its_place() -> None:
    with pytest.raises(InvalidRequest, match=r"Character 3 .*U\+DC80"):
        VOCABULARY.encode("abc\udc80d")
    with pytest.raises(InvalidRequest, match="lone surrogate"):
        VOCABULARY.find("\ud800", 5)


def test_ids_beyond_the_tokenizer_are_shown_as_ids() -> None:
    padded = len(BYTE_LEVEL) + 2
    assert VOCABULARY.token_text(padded) == f"<id {padded}>"
    assert not VOCABULARY.is_special(padded)


@pytest.mark.parametrize("token_id", [-1, len(BYTE_LEVEL) + 5])
def test_ids_outside_the_model_are_refused(token_id: int) -> None:
    with pytest.raises(UnknownToken, match=str(token_id)):
        VOCABULARY.token_bytes(token_id)


def test_part_of_a_character_has_its_own_bytes_and_reads_as_replacement() -> None:
    ids = VOCABULARY.encode("漢")
    assert [VOCABULARY.token_bytes(i) for i in ids] == [b"\xe6", b"\xbc", b"\xa2"]
    assert VOCABULARY.token_text(ids[0]) == "\ufffd"


def test_token_ids_without_weights_are_refused() -> None:
    smaller = TokenizerVocabulary(BYTE_LEVEL, 100)
    with pytest.raises(InvalidRequest, match="no weights"):
        smaller.encode("Hello there")


def test_bos_without_weights_is_none_at_all() -> None:
    """A token that was added to the tokenizer only, beyond the model's embedding."""
    tokenizer = byte_level(bos="<|endoftext|>")
    tokenizer.add_special_tokens({"bos_token": "<new>"})
    vocabulary = TokenizerVocabulary(tokenizer, len(tokenizer) - 1)
    assert (vocabulary.adds_bos, vocabulary.bos_token_id) == (True, 0)
    tokenizer = byte_level()
    tokenizer.add_special_tokens({"bos_token": "<new>"})
    vocabulary = TokenizerVocabulary(tokenizer, len(tokenizer) - 1)
    assert (vocabulary.adds_bos, vocabulary.bos_token_id) == (False, None)


# --- byte exactness is found out by trial ---------------------------------------------------------


@pytest.mark.parametrize(
    ("tokenizer", "is_exact"),
    [
        (byte_level(), True),
        (byte_level(add_prefix_space=True), False),
        (byte_level(normalizer=normalizers.NFC()), False),
        (byte_level(normalizer=normalizers.Lowercase()), False),
        (sentencepiece_like(prepends=True), False),
        (sentencepiece_like(prepends=False), False),  # `▁` itself is read as a space
    ],
    ids=["byte-level", "prefix space", "NFC", "lowercase", "Llama 2", "Gemma"],
)
def test_byte_exactness_is_reported(tokenizer: PreTrainedTokenizerFast, is_exact: bool) -> None:
    assert vocabulary_of(tokenizer).is_byte_exact is is_exact


@pytest.mark.parametrize(
    ("tokenizer", "words"),
    [
        (byte_level(), []),
        (byte_level(add_prefix_space=True), ["A space is put"]),
        (byte_level(normalizer=normalizers.NFC()), ["(NFC)"]),
        (byte_level(normalizer=normalizers.NFKC()), ["(NFC)", "(NFKC)"]),
        (byte_level(normalizer=normalizers.Lowercase()), ["lower case"]),
        (sentencepiece_like(prepends=True), ["A space is put", "U+2581"]),
        (sentencepiece_like(prepends=False), ["U+2581"]),
    ],
    ids=["byte-level", "prefix space", "NFC", "NFKC", "lowercase", "Llama 2", "Gemma"],
)
def test_what_is_lost_is_said_in_words(
    tokenizer: PreTrainedTokenizerFast, words: list[str]
) -> None:
    """`byte_exact: false` alone did not say what of a text the model does not read."""
    losses = vocabulary_of(tokenizer).text_losses
    assert len(losses) == len(words)
    assert all(word in sentence for word, sentence in zip(words, losses, strict=True))


def test_added_tokens_that_swallow_spaces_are_not_byte_exact() -> None:
    tokenizer = byte_level()
    tokenizer.add_tokens([AddedToken("<think>", lstrip=True)])
    assert not vocabulary_of(tokenizer).is_byte_exact


# --- SentencePiece-like ---------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Hello there", "漢\n\tquick  brown", "a\0b"])
def test_prepended_space_is_shown_because_the_model_was_fed_it(text: str) -> None:
    vocabulary = vocabulary_of(sentencepiece_like(prepends=True))
    assert joined(vocabulary, vocabulary.encode(text)) == b" " + text.encode()


@pytest.mark.parametrize("text", ["Hello there", " 漢\n\tquick  brown ", "a\0b"])
def test_spaces_and_byte_tokens_have_their_bytes(text: str) -> None:
    vocabulary = vocabulary_of(sentencepiece_like(prepends=False))
    assert joined(vocabulary, vocabulary.encode(text)) == text.encode()


def test_space_of_the_first_word_is_not_repeated_after_a_special_token() -> None:
    """The ids equal those of the tokenizer reading the whole text with its special tokens."""
    tokenizer = first_word_prefixed()
    vocabulary = vocabulary_of(tokenizer)
    spans = [
        TextSpan("Hello", "user"),
        TextSpan("</s>", "template", is_special=True),
        TextSpan("there", "user"),
    ]
    prompt = vocabulary.encode_prompt(spans, bos=True)
    assert prompt.ids == tuple(tokenizer("Hello</s>there").input_ids)
    assert joined(vocabulary, prompt.ids) == b"<s> Hello</s>there"
    continued = vocabulary.encode_prompt(spans[2:], after=vocabulary.special_tokens["</s>"])
    assert joined(vocabulary, continued.ids) == b"there"


def test_tokens_that_the_tokenizer_changed_keep_their_roles() -> None:
    vocabulary = vocabulary_of(sentencepiece_like(prepends=True))
    spans = [TextSpan("漢 ", "template"), TextSpan("quick", "user")]
    prompt = vocabulary.encode_prompt(spans, bos=False)
    by_role = {
        role: b"".join(
            vocabulary.token_bytes(i)
            for i, r in zip(prompt.ids, prompt.roles, strict=True)
            if r == role
        )
        for role in ("template", "user")
    }
    assert by_role["user"].strip() == b"quick"
    assert by_role["template"].strip() == "漢".encode()


def test_unknown_decoders_are_refused() -> None:
    with pytest.raises(ModelLoadError, match="WordPiece"):
        vocabulary_of(word_piece())


def test_tokenizers_without_a_fast_form_are_refused() -> None:
    class Slow:
        bos_token_id = None

    with pytest.raises(ModelLoadError, match=r"Slow has no fast form \(tokenizer.json\)"):
        TokenizerVocabulary(Slow(), 10)  # type: ignore[arg-type]


# --- prompts --------------------------------------------------------------------------------------


def test_label_and_message_make_the_token_of_training() -> None:
    spans = [TextSpan("User: ", "template"), TextSpan("Hello", "user")]
    prompt = VOCABULARY.encode_prompt(spans, bos=False)
    assert spell(VOCABULARY, prompt.ids) == ["User", ":", " Hello"]
    assert prompt.roles == ("template", "template", "user")


def test_tie_belongs_to_the_message() -> None:
    even = [TextSpan(" t", "template"), TextSpan("he", "user")]
    uneven = [TextSpan(" th", "template"), TextSpan("e", "user")]
    assert VOCABULARY.encode_prompt(even, bos=False).roles == ("user",)
    assert VOCABULARY.encode_prompt(uneven, bos=False).roles == ("template",)


def test_special_spans_become_their_one_id_and_text_does_not() -> None:
    spans = [
        TextSpan("<|im_start|>", "template", is_special=True),
        TextSpan("<|im_start|>", "user"),
        TextSpan("<|im_end|>", "template", is_special=True),
    ]
    prompt = VOCABULARY.encode_prompt(spans, bos=False)
    special = [VOCABULARY.is_special(i) for i in prompt.ids]
    assert special == [True, *[False] * (len(prompt.ids) - 2), True]
    assert joined(VOCABULARY, prompt.ids) == b"<|im_start|><|im_start|><|im_end|>"
    assert prompt.roles[1:-1] == ("user",) * (len(prompt.ids) - 2)


def test_special_span_that_is_no_special_token_is_a_defect() -> None:
    with pytest.raises(InternalError, match="no-such"):
        VOCABULARY.encode_prompt([TextSpan("<no-such>", "template", is_special=True)], bos=False)


def test_bos_is_put_first_once() -> None:
    bos = TextSpan("<|endoftext|>", "template", is_special=True)
    text = TextSpan("Hello", "user")
    asked = VOCABULARY.encode_prompt([text], bos=True)
    written = VOCABULARY.encode_prompt([bos, text], bos=True)
    assert asked == written
    assert asked.ids[0] == VOCABULARY.bos_token_id
    assert asked.roles[:2] == ("template", "user")


def test_bos_without_such_a_token_is_refused() -> None:
    tokenizer = byte_level()
    tokenizer.bos_token = None
    with pytest.raises(InvalidRequest, match="no beginning-of-sequence"):
        vocabulary_of(tokenizer).encode_prompt([TextSpan("a", "user")], bos=True)


def test_white_space_beside_swallowing_special_tokens_is_left_out() -> None:
    """The ids equal those of the tokenizer reading the rendered prompt, as Phi-3's does."""
    swallowing = AddedToken("<|user|>", special=True, lstrip=True, rstrip=True, normalized=False)
    tokenizer = byte_level(("<|endoftext|>", swallowing))
    vocabulary = vocabulary_of(tokenizer)
    spans = [
        TextSpan("Hello", "system"),
        TextSpan(" \n", "template"),
        TextSpan("<|user|>", "template", is_special=True),
        TextSpan("\n", "template"),
        TextSpan(" there", "user"),
    ]
    prompt = vocabulary.encode_prompt(spans, bos=False)
    assert prompt.ids == tuple(tokenizer("Hello \n<|user|>\n there").input_ids)
    assert joined(vocabulary, prompt.ids) == b"Hello<|user|>there"


# --- search ---------------------------------------------------------------------------------------


def test_search_gives_exact_tokens_first_then_longer_ones() -> None:
    found = spell(VOCABULARY, tuple(VOCABULARY.find("the", 100)))
    assert found[:2] == ["the", " the"]
    assert " there" in found
    assert all(text.lstrip().startswith("the") for text in found)
    assert [len(text) for text in found[2:]] == sorted(len(text) for text in found[2:])


def test_search_with_a_leading_space_prefers_the_token_with_it() -> None:
    assert spell(VOCABULARY, tuple(VOCABULARY.find(" the", 2))) == [" the", "the"]


def test_search_keeps_to_the_limit_and_finds_nothing_for_nothing() -> None:
    assert len(VOCABULARY.find("t", 3)) == 3
    assert VOCABULARY.find("", 10) == []
    assert VOCABULARY.find("no token is like this", 10) == []


def test_search_finds_special_tokens_but_no_made_up_ones() -> None:
    assert VOCABULARY.find("<|im_end|>", 5) == [VOCABULARY.special_tokens["<|im_end|>"]]
    assert VOCABULARY.find("<id ", 5) == []


@pytest.mark.parametrize(
    ("token", "query"),
    [
        ("caf\u00e9", "cafe\u0301"),
        ("cafe\u0301", "caf\u00e9"),
        ("stra\u00dfe", "STRASSE"),
        ("STRASSE", "stra\u00dfe"),
        ("\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2"),
        ("\u0130stanbul", "istanbul"),
        ("\u0131\u015f\u0131k", "I\u015eIK"),
        ("Paris", "\uff30\uff41\uff52\uff49\uff53"),
        ("\uff21\uff29", "ai"),
        (" PARIS", "paris"),
        ("\u1112\u1161\u11ab", "\ud55c"),
        ("\ufb01n", "fin"),
    ],
)
def test_search_finds_a_token_in_every_form_of_its_text(token: str, query: str) -> None:
    tokenizer = byte_level()
    tokenizer.add_tokens([AddedToken(token, normalized=False)])
    found = spell(vocabulary_of(tokenizer), tuple(vocabulary_of(tokenizer).find(query, 5)))
    assert token in found


def test_search_prefers_the_form_that_was_typed() -> None:
    tokenizer = byte_level()
    tokenizer.add_tokens(["caf\u00e9", "cafe\u0301", "CAF\u00c9", "caf\u00e9s"])
    vocabulary = vocabulary_of(tokenizer)
    found = spell(vocabulary, tuple(vocabulary.find("cafe\u0301", 5)))
    assert found == ["cafe\u0301", "caf\u00e9", "CAF\u00c9", "caf\u00e9s"]


def test_search_puts_the_token_that_texts_have_before_its_byte_token() -> None:
    """Someone who pinned the byte token watched one that never occurs."""
    tokenizer = sentencepiece_like(prepends=False)
    tokenizer.add_tokens([AddedToken("\n", normalized=False)])
    vocabulary = vocabulary_of(tokenizer)
    real, of_byte = vocabulary.find("\n", 5)
    assert vocabulary.token_bytes(real) == vocabulary.token_bytes(of_byte) == b"\n"
    assert [vocabulary.is_byte_token(i) for i in (real, of_byte)] == [False, True]
    assert not any(map(VOCABULARY.is_byte_token, range(VOCABULARY.size)))


# --- threads and settings -------------------------------------------------------------------------


def test_threads_and_changed_settings_of_the_original_do_not_matter() -> None:
    tokenizer = byte_level()
    tokenizer.backend_tokenizer.enable_truncation(3)
    vocabulary = vocabulary_of(tokenizer)
    texts = [f"Hello there {n} 漢字<|im_end|>" * (n + 1) for n in range(40)]
    expected = [VOCABULARY.encode(text) for text in texts]
    tokenizer.backend_tokenizer.enable_truncation(2)
    tokenizer.backend_tokenizer.enable_padding(length=50)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(vocabulary.find, ["the"] * 16, [5] * 16))
        assert list(pool.map(vocabulary.encode, texts)) == expected
    assert all(ids == found[0] for ids in found)
    assert joined(vocabulary, expected[-1]) == texts[-1].encode()
