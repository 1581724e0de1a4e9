"""What each token id stands for, and how text becomes ids.

The token timeline shows bytes, so this module knows the exact bytes of every id instead of asking
a tokenizer to decode and hoping: `decode` merges, strips and replaces, and what it gives back is
not always what the model was fed. `token_bytes.py` reads them from the tokenizer's vocabulary.

The tokenizer is copied into settings of our own: no truncation, no padding, no dropout, and special
tokens are never read out of text. The copy is not changed after that, so any thread may use it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from tokenizers import AddedToken, Encoding, Tokenizer
from transformers import PreTrainedTokenizerBase

from app.engine.length import encode_beside_others, require_about_at_most
from app.engine.text_losses import text_losses
from app.engine.token_bytes import byte_tokens, bytes_by_id
from app.engine.token_search import TokenIndex
from app.engine.tokenizer_copies import independent_copy, prefix_ids, without_prefix
from app.engine.types import EncodedPrompt, Role, TextSpan, TooManyTokens
from app.errors import InternalError, InvalidRequest, ModelLoadError, UnknownToken

Following = Literal["nothing", "special", "text"]
"""What stands before a text, which decides whether a tokenizer puts a space of its own before it."""

ROLE_ORDER: tuple[Role, ...] = ("user", "assistant", "system", "template")
"""Who gets a token that several spans share in equal parts: messages before the template."""

NASTY_TEXTS = (
    "plain words, twice  spaced",
    " leading and trailing ",
    "\n\n\tindented\r\nlines\r\n",
    "a\0b\x01\x7f\x80\x85\xa0",
    "CamelCase ÄÖÜ İı ß ﬁ ½ ① Ａ",
    "e\u0301 A\u030a \u1100\u1161\u11a8 \u0958",  # decomposed: a normaliser would compose them
    "\ufeff\u200b\u200d\u2028\u202e\ufffd\ue000",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇫🇷 👍🏽",
    "السَّلام עִבְרִית हिन्दी 漢字 かな 한국어",
    "▁ Ġ <0x0A> ## </w>",
    "".join(map(chr, range(0x80))),
    # Every lead byte and every continuation byte of UTF-8, for vocabularies that lack some.
    "".join(map(chr, range(0x80, 0x840)))
    + "".join(chr(c) for c in range(0x840, 0x10000, 0x1000) if not 0xD800 <= c < 0xE000)
    + "\U00010000\U00040000\U00080000\U000c0000\U00100000",
)
"""Texts that tokenizers are known to change; `is_byte_exact` is decided by them."""


class TokenizerVocabulary:
    """The vocabulary of a Hugging Face fast tokenizer. Safe to use from any thread.

    `d_vocab` is the number of ids the model has logits for, which may be more than the tokenizer
    knows (padded vocabularies). Raises ModelLoadError for tokenizers without a fast form and for
    those whose tokens have no bytes of their own.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, d_vocab: int) -> None:
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if not isinstance(backend, Tokenizer):
            raise ModelLoadError(
                f"The tokenizer {type(tokenizer).__name__} has no fast form (tokenizer.json), "
                "which is needed to know the exact bytes of each token.",
                hint="Convert it with transformers and save it beside the model as tokenizer.json.",
            )
        self._size = d_vocab
        self._tokenizer = independent_copy(backend)
        added = self._tokenizer.get_added_tokens_decoder()
        self._specials = {t.content: i for i, t in added.items() if t.special and i < d_vocab}
        self._special_ids = frozenset(self._specials.values())
        self._added_by_id = {i: t for i, t in added.items() if i < d_vocab}
        self._known_ids, self._bytes = bytes_by_id(self._tokenizer, d_vocab)

        prefix = prefix_ids(self._tokenizer)
        self._adds_bos = bool(prefix) and max(prefix) < d_vocab
        bos = tokenizer.bos_token_id
        named = (bos,) if bos is not None and bos < d_vocab else ()
        self._bos_ids = prefix if self._adds_bos else named
        self._eos_token_id: int | None = tokenizer.eos_token_id

        self._tokenizer.encode_special_tokens = True
        self._without_prefix = without_prefix(self._tokenizer)
        # Text after a special token is split differently from text at the start where a tokenizer
        # prepends a space to the first word only. A token of our own in front of the text puts it
        # in that place; it is taken off again, and being random it cannot occur in a text.
        self._border = f"\ue000{secrets.token_hex(16)}\ue001"
        self._tokenizer.add_tokens([AddedToken(self._border, normalized=False)])

        probes = (*NASTY_TEXTS, *(f"a {token.content} b" for token in added.values()))
        self._is_byte_exact = all(map(self._gives_back, probes))
        self._text_losses = text_losses(self._is_byte_exact, self._bytes_of)
        self._byte_tokens = byte_tokens(self._tokenizer, d_vocab)
        self._index = TokenIndex(self._bytes, self._known_ids, self._byte_tokens)

    @property
    def size(self) -> int:
        """Number of ids the model has logits for, `d_vocab`."""
        return self._size

    @property
    def is_byte_exact(self) -> bool:
        """Whether the bytes of a text's tokens are the bytes of the text, by trial on texts that tokenizers are known to change."""
        return self._is_byte_exact

    @property
    def text_losses(self) -> tuple[str, ...]:
        """What is changed of a text, in sentences; nothing where it is byte-exact."""
        return self._text_losses

    @property
    def adds_bos(self) -> bool:
        """Whether the tokenizer by itself puts a beginning-of-sequence token first."""
        return self._adds_bos

    @property
    def bos_token_id(self) -> int | None:
        return self._bos_ids[0] if self._bos_ids else None

    @property
    def eos_token_id(self) -> int | None:
        return self._eos_token_id

    @property
    def special_tokens(self) -> Mapping[str, int]:
        """Ids of the special tokens by the text that a chat template writes for them."""
        return MappingProxyType(self._specials)

    def encode(self, text: str) -> tuple[int, ...]:
        """Ids of plain text; nothing in it is read as a special token and no BOS is added."""
        _utf8(text)
        return tuple(self._ids(self._encode(text, "nothing"), "nothing")) if text else ()

    def encode_prompt(
        self,
        spans: Sequence[TextSpan],
        *,
        bos: bool | None = None,
        after: int | None = None,
        most: int | None = None,
    ) -> EncodedPrompt:
        """Ids of a rendered prompt, with the role of each.

        Text is tokenised across span borders, as the model saw it in training; a token belongs to
        the role that most of its bytes have. `bos` true puts the beginning-of-sequence token first
        unless the template writes it somewhere, false leaves out one that the template begins
        with, and None keeps to the template. `after` is the last token of the timeline that the
        prompt continues: text goes on from text without a space of the tokenizer's own. Raises TooManyTokens for more than `most`, before lists of
        ids are made.
        """
        ids: list[int] = []
        roles: list[Role] = []
        if bos:
            if not self._bos_ids:
                raise InvalidRequest(
                    "The tokenizer of this model has no beginning-of-sequence token.",
                    hint="Leave the beginning-of-sequence token off.",
                    param="bos",
                )
            if not any(map(self._is_bos, spans)):
                ids.extend(self._bos_ids)
                roles.extend("template" for _ in self._bos_ids)
        elif bos is False and (place := self.leading_bos(spans)) is not None:
            spans = [*spans[:place], *spans[place + 1 :]]
        parts = [part for part in self._parts(spans) if part != []]
        texts = {
            place: "".join(text for text, _ in part)
            for place, part in enumerate(parts)
            if not isinstance(part, int)
        }
        for text in texts.values():
            _utf8(text)
        if most is not None:
            require_about_at_most(self._tokenizer, texts.values(), most)
        at_start: Following = "nothing" if after is None else self._following(after)
        follows: dict[int, Following] = {
            place: at_start if place == 0 else "special" for place in texts
        }
        encodings = {place: self._encode(text, follows[place]) for place, text in texts.items()}
        n_ids = len(ids) + len(parts) - len(texts)
        n_ids += sum(len(e) - (follows[place] == "special") for place, e in encodings.items())
        if most is not None and n_ids > most:
            raise TooManyTokens(n_ids, sum(map(len, texts.values())))
        for place, part in enumerate(parts):
            if isinstance(part, int):
                ids.append(part)
                roles.append("template")
            else:
                new_ids = self._ids(encodings[place], follows[place])
                ids.extend(new_ids)
                roles.extend(self._roles(part, new_ids, encodings[place], follows[place]))
        return EncodedPrompt(tuple(ids), tuple(roles))

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that this id stands for; for an id unknown to the tokenizer, the UTF-8 of `<id 50300>`."""
        if not 0 <= token_id < self._size:
            raise UnknownToken(
                f"Token id {token_id} does not exist; this model's ids are 0 to {self._size - 1}."
            )
        return self._bytes[token_id]

    def token_text(self, token_id: int) -> str:
        """The bytes as text, with U+FFFD for bytes that are no whole character."""
        return self.token_bytes(token_id).decode("utf-8", errors="replace")

    def is_special(self, token_id: int) -> bool:
        return token_id in self._special_ids

    def find(self, query: str, limit: int) -> list[int]:
        """Ids whose text is `query`, with or without a leading space, first as it was typed and then in another normal form, case or width; then those that begin with it, shortest first."""
        _utf8(query)
        return self._index.find(query, limit) if query else []

    def is_byte_token(self, token_id: int) -> bool:
        """Whether this is a token such as `<0x0A>`, for a byte of what no other token has."""
        return token_id in self._byte_tokens

    def leading_bos(self, spans: Sequence[TextSpan]) -> int | None:
        """Index of the span in which a template writes the beginning-of-sequence token before any message."""
        for place, span in enumerate(spans):
            if self._is_bos(span):
                return place
            if span.role != "template":
                return None
        return None

    def _is_bos(self, span: TextSpan) -> bool:
        return span.is_special and self._id_of(span) == self.bos_token_id

    def _following(self, token_id: int) -> Following:
        """How text behind a token is read: the tokenizer sets added tokens apart, special or not."""
        return "special" if token_id in self._added_by_id else "text"

    def _encode(self, text: str, follows: Following) -> Encoding:
        """A text as the tokenizer reads it at that place."""
        tokenizer = self._without_prefix if follows == "text" else self._tokenizer
        return encode_beside_others(
            tokenizer, self._border + text if follows == "special" else text
        )

    def _ids(self, encoding: Encoding, follows: Following) -> list[int]:
        ids = encoding.ids[1:] if follows == "special" else encoding.ids
        foreign = max(ids, default=0)
        if foreign >= self._size:
            token = self._tokenizer.id_to_token(foreign)
            raise InvalidRequest(
                f"The tokenizer reads {token!r} in this text as id {foreign}, for which the model "
                f"has no weights (its ids end at {self._size - 1})."
            )
        return ids

    def _offsets(self, encoding: Encoding, follows: Following) -> list[tuple[int, int]]:
        """Character offsets of each token."""
        if follows != "special":
            return encoding.offsets
        shift = len(self._border)
        return [(max(a - shift, 0), max(b - shift, 0)) for a, b in encoding.offsets[1:]]

    def _gives_back(self, text: str) -> bool:
        return self._bytes_of(text) == text.encode()

    def _bytes_of(self, text: str) -> bytes | None:
        """What the tokens of a text stand for; None for a text that has none."""
        try:
            ids = self._ids(self._encode(text, "nothing"), "nothing")
        except InvalidRequest:
            return None
        return b"".join(self._bytes[i] for i in ids)

    def _id_of(self, span: TextSpan) -> int:
        try:
            return self._specials[span.text]
        except KeyError:
            raise InternalError(f"{span.text!r} is not a special token of this model.") from None

    def _parts(self, spans: Sequence[TextSpan]) -> list[int | list[tuple[str, Role]]]:
        """Special tokens as ids, and the text between them as runs of (text, role).

        Some special tokens swallow the white space beside them (`rstrip` in Phi-3's), as they do
        when the tokenizer itself reads a rendered prompt.
        """
        parts: list[int | list[tuple[str, Role]]] = [[]]
        swallows_next = False
        for span in spans:
            run = parts[-1]
            assert isinstance(run, list)
            if span.is_special:
                token_id = self._id_of(span)
                added = self._added_by_id[token_id]
                if added.lstrip:
                    _strip_end(run)
                parts += [token_id, []]
                swallows_next = added.rstrip
            elif text := span.text.lstrip() if swallows_next else span.text:
                run.append((text, span.role))
                swallows_next = False
        return parts

    def _roles(
        self,
        run: Sequence[tuple[str, Role]],
        ids: Sequence[int],
        encoding: Encoding,
        follows: Following,
    ) -> list[Role]:
        """The role that has most of each token's bytes."""
        text = "".join(part for part, _ in run)
        sizes = [len(self._bytes[i]) for i in ids]
        if sum(sizes) == len(text.encode()):
            ends = _running_sums(sizes)
            starts = [end - size for end, size in zip(ends, sizes, strict=True)]
        else:  # The tokenizer changed the text: its offsets say which characters became the token.
            bytes_before = [0, *_running_sums([len(c.encode()) for c in text])]
            offsets = self._offsets(encoding, follows)
            starts = [bytes_before[a] for a, _ in offsets]
            ends = [bytes_before[b] for _, b in offsets]
        borders = _running_sums([len(part.encode()) for part, _ in run])
        roles: list[Role] = []
        first = 0
        for start, end in zip(starts, ends, strict=True):
            while first + 1 < len(run) and borders[first] <= start:
                first += 1
            shares = dict.fromkeys(ROLE_ORDER, 0)
            for place in range(first, len(run)):
                begin = borders[place - 1] if place else 0
                if place > first and begin >= end:
                    break
                # A token of no bytes (a space that the tokenizer made up) goes where it stands.
                shares[run[place][1]] += max(min(end, borders[place]) - max(start, begin), 0) or (
                    start == end
                )
            roles.append(max(ROLE_ORDER, key=lambda role: shares[role]))
        return roles


def _utf8(text: str) -> bytes:
    """The text's bytes. Raises InvalidRequest for a lone surrogate, which has none."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidRequest(
            f"Character {error.start} of the text is a lone surrogate "
            f"(U+{ord(text[error.start]):04X}), which is half a character and has no bytes.",
            hint="Send the text as well-formed Unicode.",
        ) from None


def _strip_end(run: list[tuple[str, Role]]) -> None:
    while run:
        text, role = run.pop()
        if kept := text.rstrip():
            run.append((kept, role))
            return


def _running_sums(sizes: Sequence[int]) -> list[int]:
    total = 0
    return [total := total + size for size in sizes]
