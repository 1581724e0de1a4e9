"""HTML of answers for Jupyter, VS Code and Colab: static tables, nothing loaded, every text escaped.

Colours are translucent, so that a cell has the ink and the ground of the notebook's own theme.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from html import escape as html_escape

from mechanistic_explorer import answers
from mechanistic_explorer.visible import harmless, visible

MAX_ROWS = 64
MAX_COLUMNS = 48
SHOWN_IN_TITLE = 5
HUE = "37, 99, 235"
OPPOSITE_HUE = "220, 80, 30"
CELL = "padding:1px 6px;text-align:left;white-space:pre;border:1px solid rgba(128,128,128,.25)"
HEAD = f"{CELL};font-weight:normal;opacity:.75"
MONO = "font-family:ui-monospace,Consolas,monospace;font-size:12px"


@functools.singledispatch
def html_of(result: object) -> str:
    """The answer as HTML."""
    raise TypeError(f"{type(result).__name__} is not drawn")


def escape(text: str) -> str:
    """Text as HTML, also within quotes; what cannot be seen has signs."""
    return html_escape(harmless(text))


# --- parts -----------------------------------------------------------------------------------------


def tinted(share: float | None) -> str:
    """A background for a share in [-1, 1]; none for None."""
    if share is None:
        return ""
    hue = HUE if share >= 0 else OPPOSITE_HUE
    return f";background-color:rgba({hue},{min(abs(share), 1.0) * 0.55:.2f})"


def cell(text: str, title: str = "", share: float | None = None) -> str:
    return f'<td style="{CELL}{tinted(share)}" title="{escape(title)}">{escape(text)}</td>'


def head(text: str, scope: str, title: str = "") -> str:
    return f'<th scope="{scope}" style="{HEAD}" title="{escape(title)}">{escape(text)}</th>'


def grid(
    caption: str, columns: Sequence[str], labels: Sequence[str], cells: Sequence[Sequence[str]]
) -> str:
    """A table whose last row of `cells` stands at the top: the output, as the page has it."""
    kept = range(max(0, len(labels) - MAX_ROWS), len(labels))
    n_columns = min(len(columns), MAX_COLUMNS)
    rows = "".join(
        f"<tr>{head(labels[i], 'row')}{''.join(cells[i][:n_columns])}</tr>" for i in reversed(kept)
    )
    left_out = []
    if len(kept) < len(labels):
        left_out.append(f"{len(labels) - len(kept)} rows")
    if n_columns < len(columns):
        left_out.append(f"{len(columns) - n_columns} columns")
    note = f" Not shown: {' and '.join(left_out)}; to_dataframe() has all." if left_out else ""
    return (
        f'{words(caption + note)}<div style="overflow-x:auto">'
        f'<table aria-label="{escape(caption)}" style="border-collapse:collapse;{MONO}">'
        f"<thead><tr>{head('', 'col')}{''.join(columns[:n_columns])}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def token_text(token: answers.Token) -> str:
    return visible(token.text, token.bytes)


def token_spans(tokens: Sequence[answers.Token]) -> str:
    """Running text, coloured by surprisal: full at 10 nats."""
    spans = []
    for token in tokens:
        nats = None if token.logprob_nats is None else -token.logprob_nats
        told = f"index {token.index}, id {token.id}, {token.role}"
        if nats is not None:
            told += f", surprisal {nats:.2f} nats, rank {token.rank}"
        opacity = ";opacity:.55" if token.role == "template" else ""
        spans.append(
            f'<span style="border-right:1px solid rgba(128,128,128,.25)'
            f'{tinted(None if nats is None else nats / 10)}{opacity}" title="{escape(told)}">'
            f"{escape(token_text(token))}</span>{'<br>' if token.text.endswith(chr(10)) else '<wbr>'}"
        )
    return f'<div style="{MONO};line-height:1.7">{"".join(spans)}</div>'


def words(text: str) -> str:
    return f'<div style="font-size:12px;opacity:.75">{escape(text)}</div>'


# --- answers ---------------------------------------------------------------------------------------


@html_of.register
def lens_html(result: answers.LensReadResponse) -> str:
    """Layers × tokens: the top-1 prediction of each cell, coloured by its probability."""

    def word(token_id: int) -> str:
        key = str(token_id)
        return visible(result.vocabulary[key], result.vocabulary_bytes.get(key))

    def told(i: int, j: int) -> str:
        pairs = zip(result.top_ids[i][j], result.top_probabilities[i][j], strict=True)
        listed = [f"{word(token_id)} {p:.3f}" for token_id, p in pairs]
        return "\n".join(
            [*listed[:SHOWN_IN_TITLE], f"entropy {result.entropy_nats[i][j]:.2f} nats"]
        )

    columns = []
    for position in result.positions:
        known = result.tokens[position] if position < len(result.tokens) else None
        text = token_text(known) if known else str(position)
        columns.append(head(text, "col", f"read at index {position}"))
    cells = [
        [
            cell(word(ids[0]), told(i, j), result.top_probabilities[i][j][0])
            for j, ids in enumerate(row)
        ]
        for i, row in enumerate(result.top_ids)
    ]
    caption = (
        f"{result.model}, {result.kind} lens: the top-1 prediction of each layer for the token that"
        " follows; the stronger the colour, the higher its probability."
    )
    return grid(caption, columns, result.labels, cells)


@html_of.register
def job_html(result: answers.JobInfo) -> str:
    """Layers × tokens of a causal map, coloured by the score."""
    found = result.result
    tokens = result.assumed.corrupt.tokens
    if result.assumed.direction == "noise":
        tokens = result.assumed.clean.tokens
    side = 0 if result.assumed.direction == "noise" else 1
    columns = [
        head(
            token_text(tokens[pair[side]]), "col", f"index {pair[0]} of clean, {pair[1]} of corrupt"
        )
        for pair in found.positions
    ]
    labels = [
        row_label(result.assumed.site, layer, head_)
        for layer, head_ in zip(found.layers, found.heads, strict=True)
    ]
    cells = [
        [cell("" if score is None else f"{score:.2f}", "", score) for score in row]
        for row in found.scores
    ]
    answer = visible(found.answer.text, found.answer.bytes) if found.answer else "?"
    foil = visible(found.foil.text, found.foil.bytes) if found.foil else "?"
    caption = (
        f"{result.model}, {result.assumed.site} of {result.title}, {result.state}: score of each patch,"
        f" 0 where nothing changes, 1 where {answer} − {foil} is carried over."
    )
    return grid(caption, columns, labels, cells)


def row_label(site: str, layer: int, head_: int | None) -> str:
    """As the page writes it: layer, or block, or block and head."""
    if site == "resid" and layer == 0:
        return "embed"
    return str(layer) if head_ is None else f"{layer}.{head_}"


@html_of.register
def chat_html(result: answers.ChatResponse) -> str:
    """The prompt and the reply, coloured by surprisal."""
    told = (
        f"{result.model}: {len(result.tokens)} tokens, {result.finish_reason}, seed {result.seed}"
    )
    return token_spans([*result.prompt_tokens, *result.tokens]) + words(told)


@html_of.register
def conversation_html(result: answers.SavedConversation) -> str:
    """The branch that is open, coloured by surprisal where it is known."""
    told = f"{result.title}, {result.model.name}, {len(result.tokens)} tokens"
    return token_spans(result.tokens) + words(told)
