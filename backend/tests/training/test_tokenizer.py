from pathlib import Path

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from training.tokenizer import END_OF_TEXT_ID, as_transformers

TEXTS = (
    "",
    " ",
    "  two spaces,\ttab\r\nand CRLF\r",
    "a\x00b\x1f\x7f",
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽",
    "مرحبا بالعالم ‏RTL",
    "e\u0301 é \ufeff \u200b \ufffd",
    "don 't , he 's . n't !",
    "𝔘𝔫𝔦 漢字 ﷽ \U0010ffff",
    "<|endoftext|> inside a text",
)


@pytest.mark.parametrize("text", TEXTS)
def test_decoding_gives_back_every_string(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text).ids

    assert tokenizer.decode(ids, skip_special_tokens=False) == text


@pytest.mark.parametrize("text", TEXTS)
def test_auto_tokenizer_keeps_every_byte(tokenizer: Tokenizer, tmp_path: Path, text: str) -> None:
    as_transformers(tokenizer, n_ctx=64).save_pretrained(tmp_path)

    loaded = AutoTokenizer.from_pretrained(tmp_path)

    assert loaded(text)["input_ids"] == tokenizer.encode(text).ids
    assert loaded.decode(loaded(text)["input_ids"]) == text


def test_every_byte_has_an_id(tokenizer: Tokenizer) -> None:
    ids = {tokenizer.token_to_id(letter) for letter in single_byte_tokens()}

    assert None not in ids
    assert len(ids) == 256


def test_end_of_text_is_the_only_special_token(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("<|endoftext|>").ids == [END_OF_TEXT_ID]
    assert [token.content for token in tokenizer.get_added_tokens_decoder().values()] == [
        "<|endoftext|>"
    ]


def single_byte_tokens() -> list[str]:
    """The letters that stand for the 256 bytes, by GPT-2's table written out independently."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(68)]
