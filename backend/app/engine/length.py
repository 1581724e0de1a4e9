"""Refuses a text far over its room in tokens before all of it is tokenised.

Tokenising takes seconds for a megabyte and about 500 bytes of memory for each token, so an overlong
text is counted in pieces, and counting stops once it is clear that the text cannot fit.
"""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Encoding, Tokenizer

from app.engine.types import TooManyTokens

PIECE_CHARS = 16_384
CHARS_PER_TOKEN = 4
"""Texts with fewer characters for each token of room are tokenised at once."""
SHORT_CHARS = 1000


def encode_beside_others(tokenizer: Tokenizer, text: str) -> Encoding:
    """`Tokenizer.encode` without special tokens, during which other threads go on.

    In tokenizers 0.23 only the batch form releases the interpreter; a short text is not worth it.
    """
    if len(text) <= SHORT_CHARS:
        return tokenizer.encode(text, add_special_tokens=False)
    return tokenizer.encode_batch([text], add_special_tokens=False)[0]


def require_about_at_most(tokenizer: Tokenizer, texts: Iterable[str], most: int) -> None:
    """Raises TooManyTokens for texts that have far more than `most` tokens together.

    A cut may split a token, so only texts whose pieces have more than twice as many are refused.
    """
    texts = list(texts)
    n_chars = sum(map(len, texts))
    if n_chars <= CHARS_PER_TOKEN * max(most, 0) + PIECE_CHARS:
        return
    counted = 0
    for text in texts:
        for start in range(0, len(text), PIECE_CHARS):
            piece = text[start : start + PIECE_CHARS]
            counted += len(encode_beside_others(tokenizer, piece))
            if counted > 2 * max(most, 0) + PIECE_CHARS // 16:
                raise TooManyTokens(None, n_chars)
