"""Formats that other programs read: chats as JSON lines, read-outs as NumPy arrays and as Parquet."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mechanistic_explorer import answers, requests

ROLES = ("system", "user", "assistant")


def chat_of(conversation: answers.SavedConversation) -> list[requests.ChatMessage]:
    """The messages of a branch, exactly as their tokens spell them, without the template's words.

    Where a template sets a space before a message, as the built-in one does (`User: Hi`), and the tokenizer
    joins it to the first word, the message begins with it.
    Raises ValueError for a conversation that the running model cannot read.
    """
    if not conversation.is_readable:
        raise ValueError(
            f"{conversation.title!r} was held with {conversation.model.name}, and another model runs"
        )
    found: list[tuple[str, bytearray]] = []
    before = "template"
    for token in conversation.tokens:
        # Special tokens end or begin a turn and are no part of what was said.
        role = "template" if token.special else token.role
        if role != "template":
            if role != before:
                found.append((role, bytearray()))
            found[-1][1].extend(base64.b64decode(token.bytes))
        before = role
    return [
        {"role": role, "content": content.decode("utf-8", "replace")}  # type: ignore[typeddict-item]
        for role, content in found
    ]


def chat_line(conversation: answers.SavedConversation) -> str:
    """The branch as one JSON line, `{"messages": [{"role": …, "content": …}, …]}`."""
    return json.dumps({"messages": chat_of(conversation)}, ensure_ascii=False) + "\n"


def read_chats(path: str | PathLike[str]) -> Iterator[list[requests.ChatMessage]]:
    """The messages of each line of a file of chats; raises ValueError that names a wrong line.

    A line is `{"messages": [...]}` or the list alone.
    """
    with Path(path).open(encoding="utf-8") as file:
        # Only \n ends a line of JSON; texts hold other line breaks as they are.
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                read = json.loads(line)
            except ValueError as wrong:
                raise ValueError(f"Line {number} of {path} is not JSON: {wrong}") from None
            messages = read.get("messages") if isinstance(read, dict) else read
            if not isinstance(messages, list) or not all(map(is_message, messages)):
                raise ValueError(
                    f"Line {number} of {path} is no chat: each message needs a role "
                    f"({', '.join(ROLES)}) and a content that is text"
                )
            yield [{"role": each["role"], "content": each["content"]} for each in messages]


def is_message(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("role") in ROLES
        and isinstance(value.get("content"), str)
    )


def save_npz(read: answers.LensReadResponse, path: str | PathLike[str]) -> None:
    """The read-outs of a lens as arrays, [layer, position] and [layer, position, k], for `numpy.load`.

    What is unknown, such as the rank of a token past the end, is NaN. Raises ImportError without NumPy.
    """
    try:
        import numpy as np
    except ImportError as missing:
        raise ImportError("save_npz() needs NumPy: pip install numpy") from missing
    numbers: dict[str, Any] = {
        name: np.array(getattr(read, name), dtype=np.float64)
        for name in ("entropy_nats", "kl_to_final_nats", "next_probability", "next_rank")
    }
    np.savez_compressed(
        path,
        layers=np.array(read.layers),
        positions=np.array(read.positions),
        token_ids=np.array([token.id for token in read.tokens], dtype=np.int64),
        tokens=np.array([token.text for token in read.tokens], dtype=np.str_),
        top_ids=np.array(read.top_ids, dtype=np.int64),
        top_probabilities=np.array(read.top_probabilities),
        target_ids=np.array([target.token_id for target in read.targets], dtype=np.int64),
        target_probabilities=np.array([target.probability for target in read.targets]),
        model=np.array(read.model),
        kind=np.array(read.kind),
        **numbers,
    )


def save_parquet(read: answers.LensReadResponse, path: str | PathLike[str]) -> None:
    """Writes a lens as a Parquet table with one row for each position, layer and token.

    The tokens are the most probable ones, `rank` 1 to `top_k`, and the targets of the request
    (`is_target`), whatever their rank. `text` has U+FFFD where `bytes` are no whole characters. The
    metadata of the schema holds the model, the lens and the ids of the timeline, that of a column its
    unit. Raises ImportError without pyarrow.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as missing:
        raise ImportError(
            'save_parquet() needs pyarrow: pip install "mechanistic-explorer[parquet]"'
        ) from missing
    nats, share = {"unit": "nats"}, {"unit": "1, in [0, 1]"}
    fields = [
        pa.field("position", pa.int32()),
        pa.field("layer", pa.float32()),
        pa.field("label", pa.dictionary(pa.int32(), pa.string())),
        pa.field("rank", pa.int32(), metadata={"unit": "1 is the most probable"}),
        pa.field("token_id", pa.int32()),
        pa.field("text", pa.string()),
        pa.field("bytes", pa.binary()),
        pa.field("probability", pa.float64(), metadata=share),
        pa.field("is_target", pa.bool_()),
        pa.field("entropy_nats", pa.float64(), metadata=nats),
        pa.field("kl_to_final_nats", pa.float64(), metadata=nats),
        pa.field("next_probability", pa.float64(), metadata=share),
        pa.field("next_rank", pa.int32(), metadata={"unit": "1 is the most probable"}),
    ]
    metadata = {
        "mechanistic_explorer.model": json.dumps(read.model_identity.to_dict()),
        "mechanistic_explorer.lens": read.kind,
        "mechanistic_explorer.token_ids": json.dumps([token.id for token in read.tokens]),
    }
    rows = long_rows(read)
    columns = {field.name: [row[i] for row in rows] for i, field in enumerate(fields)}
    pq.write_table(pa.table(columns, schema=pa.schema(fields, metadata=metadata)), path)


def long_rows(read: answers.LensReadResponse) -> list[tuple[Any, ...]]:
    """Rows of `save_parquet`, in the order of its columns."""
    words = {
        int(key): (text, token_bytes(text, read.vocabulary_bytes.get(key)))
        for key, text in read.vocabulary.items()
    }
    words |= {
        each.token_id: (each.text, token_bytes(each.text, each.bytes)) for each in read.targets
    }
    targets = {each.token_id for each in read.targets}
    rows = []
    for j, position in enumerate(read.positions):
        for i, (layer, label) in enumerate(zip(read.layers, read.labels, strict=True)):
            top = zip(read.top_ids[i][j], read.top_probabilities[i][j], strict=True)
            found = {token: (k, p) for k, (token, p) in enumerate(top, start=1)}
            found |= {
                target.token_id: (target.rank[i][j], target.probability[i][j])
                for target in read.targets
            }
            shared = (
                read.entropy_nats[i][j],
                read.kl_to_final_nats[i][j],
                read.next_probability[i][j],
                read.next_rank[i][j],
            )
            rows += [
                (position, layer, label, rank, token, *words[token], p, token in targets, *shared)
                for token, (rank, p) in found.items()
            ]
    return rows


def token_bytes(text: str, encoded: str | None) -> bytes:
    """The exact bytes; `encoded` is their Base64 where the text cannot tell them."""
    return text.encode() if encoded is None else base64.b64decode(encoded)
