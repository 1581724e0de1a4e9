"""Long texts: what is far too long is not tokenised to its end, and others go on meanwhile."""

from __future__ import annotations

import functools
import threading
from typing import Any

import pytest
from tokenizers import Encoding, Tokenizer

from app.engine.length import PIECE_CHARS, encode_beside_others, require_about_at_most
from app.engine.types import TextSpan, TooManyTokens
from app.engine.vocabulary import TokenizerVocabulary
from tests.engine.small_tokenizers import byte_level, sentencepiece_like, word_piece

TOKENIZER: Tokenizer = byte_level().backend_tokenizer


class CountingTokenizer:
    """Counts the characters that are tokenised."""

    def __init__(self) -> None:
        self.n_chars = 0

    def encode(self, text: str, **_: Any) -> Encoding:
        self.n_chars += len(text)
        return TOKENIZER.encode(text, add_special_tokens=False)

    def encode_batch(self, texts: list[str], **_: Any) -> list[Encoding]:
        return [self.encode(text) for text in texts]


@pytest.mark.parametrize("n_texts", [1, 50])
def test_text_far_over_its_room_is_tokenised_only_in_part(n_texts: int) -> None:
    counting = CountingTokenizer()
    texts = ["x y " * 20_000] * n_texts

    with pytest.raises(TooManyTokens) as refused:
        require_about_at_most(counting, texts, 1000)  # type: ignore[arg-type]

    assert refused.value.n_tokens is None
    assert refused.value.n_chars == 80_000 * n_texts
    assert counting.n_chars <= 2 * PIECE_CHARS


def test_text_that_may_fit_is_not_counted_beforehand() -> None:
    counting = CountingTokenizer()

    require_about_at_most(counting, ["x y " * 1000], 1000)  # type: ignore[arg-type]

    assert counting.n_chars == 0


@pytest.mark.parametrize(
    "make",
    [
        byte_level,
        functools.partial(sentencepiece_like, prepends=True),
        functools.partial(sentencepiece_like, prepends=False),
        word_piece,
    ],
)
@pytest.mark.parametrize("word", ["x", "a word of several tokens ", " \n", "é漢👩‍👦 "])
def test_text_that_just_fits_is_never_refused(make: Any, word: str) -> None:
    tokenizer = make().backend_tokenizer
    text = word * (150_000 // len(word))
    n_tokens = len(tokenizer.encode(text, add_special_tokens=False))

    require_about_at_most(tokenizer, [text], n_tokens)


@pytest.mark.parametrize("most", [0, 3, 4])
def test_prompt_over_its_room_is_refused_with_the_exact_number(most: int) -> None:
    tokenizer = byte_level()
    vocabulary = TokenizerVocabulary(tokenizer, len(tokenizer))
    spans = [TextSpan("zz", "user"), TextSpan("zzz", "template")]
    n_ids = len(vocabulary.encode("zzzzz"))
    assert n_ids == 5

    assert len(vocabulary.encode_prompt(spans, bos=False, most=5).ids) == 5
    for after in (None, 5):
        with pytest.raises(TooManyTokens) as refused:
            vocabulary.encode_prompt(spans, bos=False, after=after, most=most)
        assert (refused.value.n_tokens, refused.value.n_chars) == (5, 5)


@pytest.mark.parametrize("length", [10, 5000])
def test_text_is_tokenised_alike_whatever_its_length(length: int) -> None:
    text = ("Some words, é 漢\n" * length)[:length]

    found = encode_beside_others(TOKENIZER, text)

    plain = TOKENIZER.encode(text, add_special_tokens=False)
    assert (found.ids, found.offsets) == (plain.ids, plain.offsets)


def test_other_threads_go_on_while_a_long_text_is_tokenised() -> None:
    text = "x y " * 100_000
    started, done = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        encode_beside_others(TOKENIZER, text)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    ticks = 0
    while not done.wait(0.001):
        ticks += 1
    thread.join()

    assert ticks > 10
