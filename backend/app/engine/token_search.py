"""Finding tokens by their text, in whatever form of Unicode it was typed."""

from __future__ import annotations

import threading
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from app.folding import folded


class TokenIndex:
    """The tokens of a vocabulary by their bytes and by their folded texts. Safe to use from any thread.

    `spelt_bytes` are tokens such as `<0x0A>`, which stand for a byte and are used only where no token
    has the whole character; where one has, people want that one.
    """

    def __init__(
        self, table: Sequence[bytes], ids: Iterable[int], spelt_bytes: frozenset[int]
    ) -> None:
        self._table = table
        self._ids = list(ids)
        self._spelt_bytes = spelt_bytes
        self._folded: list[tuple[str, int]] | None = None
        self._by_bytes: dict[bytes, list[int]] = {}
        self._lock = threading.Lock()

    def find(self, query: str, limit: int) -> list[int]:
        """Ids of tokens that are `query`, first as it was typed, with or without a leading space;
        then in another normal form, case or width; then those that begin with it, shortest first."""
        bare = query.removeprefix(" ")
        spellings = list(dict.fromkeys(f for f in (query, bare, f" {bare}") if f))
        forms = [unicodedata.normalize(form, each) for form in ("NFC", "NFD") for each in spellings]
        entries = self._entries()
        found: dict[int, None] = {}
        for text in (*spellings, *forms):
            of_text = self._by_bytes.get(text.encode(), ())
            found |= dict.fromkeys(sorted(of_text, key=lambda i: (i in self._spelt_bytes, i)))
        wanted = list(dict.fromkeys(filter(None, map(folded, spellings))))
        begin_as_typed: set[tuple[bool, int, int]] = set()
        for form in wanted:
            for place in range(bisect_left(entries, (form, -1)), len(entries)):
                text, token_id = entries[place]
                if not text.startswith(form):
                    break
                if token_id not in found:
                    is_other_case = not self._table[token_id].startswith(
                        tuple(spelling.encode() for spelling in spellings)
                    )
                    is_longer = text not in wanted
                    begin_as_typed.add((is_other_case and is_longer, len(text), token_id))
        rest = sorted(begin_as_typed)[: max(limit - len(found), 0)]
        return [*found, *(token_id for _, _, token_id in rest)][:limit]

    def _entries(self) -> list[tuple[str, int]]:
        """Folded texts in order. Built at the first search; half characters have no text."""
        with self._lock:
            if self._folded is None:
                entries = []
                for token_id in self._ids:
                    spelling = self._table[token_id]
                    self._by_bytes.setdefault(spelling, []).append(token_id)
                    try:
                        entries.append((folded(spelling.decode()), token_id))
                    except UnicodeDecodeError:
                        continue
                self._folded = sorted(entries)
            return self._folded
