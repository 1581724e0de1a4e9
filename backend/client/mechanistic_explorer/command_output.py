"""Answers as tables for a terminal, as JSON, and as CSV.

Tables show every character and hold no control characters; JSON and CSV have the exact texts.
Nothing is coloured unless a terminal reads it.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
import unicodedata
from collections.abc import Sequence
from typing import Any

from mechanistic_explorer import answers
from mechanistic_explorer.results import Result, TableResult
from mechanistic_explorer.visible import visible

Cells = Sequence[str]


def json_text(result: Result) -> str:
    return json.dumps(result.to_dict(), indent=1, ensure_ascii=False) + "\n"


def write_json(result: Result) -> None:
    sys.stdout.write(json_text(result))


def write_csv(rows: Sequence[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def written(result: TableResult, form: str) -> bool:
    """Writes JSON or CSV; False where a table is wanted."""
    if form == "json":
        write_json(result)
    elif form == "csv":
        write_csv(result.rows())
    return form != "table"


# --- tables ----------------------------------------------------------------------------------------


def styled(text: str, code: str) -> str:
    """In a style of the terminal (1 bold, 2 dim), where one reads it and NO_COLOR is not set."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


def width(text: str) -> int:
    """Columns of a terminal: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def padded(text: str, columns: int, *, right: bool) -> str:
    space = " " * (columns - width(text))
    return space + text if right else text + space


def write_table(head: Cells, rows: Sequence[Cells], right: Sequence[int] = ()) -> None:
    """`right`: columns of numbers. A head without names is left out."""
    lines = [head, *rows] if any(head) else list(rows)
    widths = [max(width(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        cells = [padded(text, widths[i], right=i in right) for i, text in enumerate(line)]
        text = "  ".join(cells).rstrip()
        print(styled(text, "2") if line is head else text)


def named(token: answers.NamedToken | None) -> str:
    return visible(token.text, token.bytes) if token else ""


def write_lens(result: answers.LensReadResponse, form: str) -> None:
    """For each position its layers, the output at the top, with the predictions of each."""
    if written(result, form):
        return

    def prediction(token_id: int, probability: float) -> str:
        key = str(token_id)
        word = visible(result.vocabulary[key], result.vocabulary_bytes.get(key))
        return f"{word} {probability:.3f}"

    for j, position in enumerate(result.positions):
        token = result.tokens[position]
        print(
            styled(f"read at {position} {visible(token.text, token.bytes)}", "1"),
            f"→ predicts {position + 1}",
        )
        rows = []
        for i in reversed(range(len(result.layers))):
            pairs = zip(result.top_ids[i][j], result.top_probabilities[i][j], strict=True)
            predictions = [prediction(*pair) for pair in pairs]
            numbers = [f"{result.entropy_nats[i][j]:.2f}", f"{result.kl_to_final_nats[i][j]:.2f}"]
            rows.append([result.labels[i], *numbers, *predictions])
        tops = [f"top-{k + 1}" for k in range(len(result.top_ids[0][j]))]
        write_table(["layer", "entropy", "KL", *tops], rows, right=(0, 1, 2))


def write_attribution(
    result: answers.AttributionResponse, tokens: Sequence[answers.Token], form: str
) -> None:
    """The parts, the largest first, and their sum."""
    if written(result, form):
        return
    read = tokens[result.position]
    foil = named(result.foil) or result.foil_kind
    print(
        styled(f"{named(result.target)} − {foil}", "1"),
        f"at {result.position} {visible(read.text, read.bytes)}:",
        f"logit difference {result.difference:+.3f}",
    )
    rows = [[part_name(row), f"{row['contribution']:+.3f}"] for row in result.rows()]
    rows += [["sum", f"{result.sum:+.3f}"], ["residue", f"{result.residue:+.1e}"]]
    write_table(["part", "adds"], rows, right=(1,))


def part_name(row: dict[str, Any]) -> str:
    """Such as `attn 9`, `head 9.3`, `embed`."""
    if row["head"] is not None:
        return f"{row['part']} {row['block']}.{row['head']}"
    return row["part"] if row["block"] is None else f"{row['part']} {row['block']}"


def write_conversations(result: answers.ConversationList, query: str, form: str) -> None:
    if written(result, form):
        return
    if not result.conversations:
        missing = f"has {query!r} in its title, tokens or notes" if query else "is saved"
        print(f"No conversation {missing}.", file=sys.stderr)
        return
    rows = [
        [
            found.id,
            time.strftime("%Y-%m-%d %H:%M", time.localtime(found.updated_at_ms / 1000)),
            str(found.n_tokens),
            found.model.name,
            plain(found.title),
        ]
        for found in result.conversations
    ]
    write_table(["id", "changed", "tokens", "model", "title"], rows, right=(2,))
    if result.total > len(rows):
        print(f"{result.total - len(rows)} more", file=sys.stderr)


def write_models(result: answers.ModelList, form: str) -> None:
    """The models that can be chosen; a star marks the one that runs."""
    if written(result, form):
        return
    rows = [
        [
            "*" if model.key == result.running else "",
            plain(model.key),
            "" if model.num_parameters is None else f"{model.num_parameters / 1e6:,.0f} M",
            f"{model.disk_bytes / 1e9:.2f} GB",
            plain(model.problem or model.architecture or ""),
        ]
        for model in result.models
    ]
    write_table(["", "model", "parameters", "on disk", "architecture or problem"], rows, (2, 3))


def plain(text: str) -> str:
    """One line of a name or a title, with its spaces."""
    return visible(text).replace("·", " ")


def write_model(info: answers.ModelInfo, form: str) -> None:
    """The model that runs."""
    facts: dict[str, Any] = {
        "model": info.model_name,
        "revision": info.revision,
        "source": info.source,
        "architecture": info.architecture,
        "layers": info.num_layers,
        "heads": info.num_heads,
        "hidden_size": info.hidden_size,
        "vocab_size": info.vocab_size,
        "context_length": info.context_length,
        "parameters": info.num_parameters,
        "dtype": info.dtype,
        "device": info.device,
        "lenses": " ".join(lens.kind for lens in info.lenses),
        "self_check_passed": info.self_check.passed,
        "self_check_max_abs_diff": info.self_check.max_abs_diff,
    }
    if form == "json":
        write_json(info)
    elif form == "csv":
        write_csv([facts])
    else:
        rows = [[name, plain(str(value))] for name, value in facts.items()]
        write_table(["", ""], rows)
