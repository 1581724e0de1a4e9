"""Answers for a language model: compact JSON that fits its context.

Rows take `MAX_CHARS` characters at most; what was cut, and how to ask for it, stands in `cut`. A
token that is no whole character has its bytes as text, such as `\\xE2\\x82`.
"""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mechanistic_explorer import answers

MAX_CHARS = 20_000
Row = Sequence[Any]


def exact(text: str, encoded: str | None) -> str:
    """The text of a token; its bytes in hexadecimal where they are no whole characters."""
    if encoded is None:
        return text
    content = base64.b64decode(encoded)
    try:
        return content.decode()
    except UnicodeDecodeError:
        return "".join(f"\\x{byte:02X}" for byte in content)


def token_text(tokens: Sequence[answers.Token], index: int) -> str | None:
    """None past the end of the timeline."""
    return exact(tokens[index].text, tokens[index].bytes) if index < len(tokens) else None


def named(token: answers.NamedToken | None) -> list[Any] | None:
    return None if token is None else [token.token_id, exact(token.text, token.bytes)]


def one_line(value: Any) -> str:
    """JSON in one line, with each character that cannot be seen escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def answer(facts: dict[str, Any]) -> str:
    """Facts as a JSON object, one to a line."""
    lines = [f"{one_line(name)}: {one_line(value)}" for name, value in facts.items()]
    return "{" + ",\n".join(lines) + "}"


def shown(rows: Iterable[Row], limit: int, max_chars: int = MAX_CHARS) -> list[str]:
    """As many of the first rows as there is room for, and one of them in any case."""
    lines: list[str] = []
    room = max_chars
    for row in rows:
        line = one_line(row)
        room -= len(line)
        if lines and (room < 0 or len(lines) == limit):
            break
        lines.append(line)
    return lines


def written(facts: dict[str, Any], columns: Row, lines: Row, after: dict[str, Any]) -> str:
    """A JSON object: facts, then a table with a row to a line, then what follows from its end."""
    parts = [f"{one_line(name)}: {one_line(value)}" for name, value in facts.items()]
    parts += [f'"columns": {one_line(columns)}', '"rows": [\n' + ",\n".join(lines) + "]"]
    parts += [f"{one_line(name)}: {one_line(value)}" for name, value in after.items()]
    return "{" + ",\n".join(parts) + "}"


def table(
    facts: dict[str, Any],
    columns: Row,
    rows: Sequence[Row],
    more: str,
    *,
    limit: int = 1_000_000,
    rest: Callable[[int], dict[str, Any]] = lambda _: {},
    total: int | None = None,
) -> str:
    """Facts and as many rows as there is room for. `more` says how to get those that are cut, and
    `rest` what they come to, given how many are shown. `total`: where `rows` is one page of more.
    """
    total = len(rows) if total is None else total
    lines = shown(rows, limit)
    after = {}
    if len(lines) < total:
        after = rest(len(lines)) | {"cut": f"{len(lines)} of {total} rows. {more}"}
    return written(facts, columns, lines, after)


def predictions(read: answers.LensReadResponse, i: int, j: int) -> list[list[Any]]:
    """Id, text and probability of the most probable tokens at layer i, position j of an answer."""
    return [
        [token, exact(read.vocabulary[str(token)], read.vocabulary_bytes.get(str(token))), p]
        for token, p in zip(read.top_ids[i][j], read.top_probabilities[i][j], strict=True)
    ]


def spans(tokens: Sequence[answers.Token], start: int) -> tuple[list[Row], int]:
    """Stretches of one role from `start` on, and the index after the last token there is room for."""
    found: list[tuple[str, int, bytearray]] = []
    room, end = MAX_CHARS // 2, start
    for token in tokens[start:]:
        content = base64.b64decode(token.bytes)
        room -= len(content)
        if room < 0 and found:
            break
        if not found or found[-1][0] != token.role:
            found.append((token.role, token.index, bytearray()))
            room -= 40
        found[-1][2].extend(content)
        end = token.index + 1
    ends = [begin for _, begin, _ in found[1:]] + [end]
    rows: list[Row] = [
        [role, begin, stop, text.decode("utf-8", "replace")]
        for (role, begin, text), stop in zip(found, ends, strict=True)
    ]
    return rows, end


def day(found: answers.ConversationSummary) -> str:
    changed = datetime.datetime.fromtimestamp(found.updated_at_ms / 1000, datetime.timezone.utc)
    return changed.strftime("%Y-%m-%d %H:%M")
