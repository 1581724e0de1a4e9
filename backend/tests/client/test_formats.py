"""Chats and read-outs in the formats of other programs."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from mechanistic_explorer import Explorer, cli
from mechanistic_explorer.formats import chat_of, read_chats, save_npz, save_parquet

CHAT = [
    {"role": "user", "content": "Grüß\u2028 dich"},
    {"role": "assistant", "content": "Hallo\n"},
    {"role": "user", "content": "Und?"},
]


def test_a_chat_comes_back_with_its_exact_messages(
    explorer: Explorer, tmp_path: Path, capsys: pytest.CaptureFixture[str], server_url: str
) -> None:
    reply = explorer.chat(CHAT, sampling={"max_new_tokens": 4})
    cut = len(reply.prompt_tokens) + 1
    branch = explorer.chat([], conversation_id=reply.conversation_id, from_index=cut)
    said = chat_of(explorer.open_conversation(reply.conversation_id))
    assert said[:-1] == CHAT
    assert said[-1] == {"role": "assistant", "content": reply.text}

    arguments = ["export", "--format", "chats", "--url", server_url, reply.conversation_id]
    assert cli.main(arguments) == 0
    file = tmp_path / "chats.jsonl"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    first, second = read_chats(file)
    assert first == said
    assert second == chat_of(explorer.open_conversation(branch.conversation_id))


def test_the_tokens_of_a_template_are_no_part_of_what_was_said(launched: Explorer) -> None:
    question = "What is the capital of France?"
    reply = launched.chat(question, sampling={"temperature": 0, "max_new_tokens": 40})
    again = launched.chat("And of Spain?", conversation_id=reply.conversation_id)
    saved = launched.open_conversation(again.conversation_id)

    said = [(each["role"], each["content"].removeprefix(" ")) for each in chat_of(saved)]
    assert said == [
        ("user", question),
        ("assistant", reply.text.removeprefix(" ")),
        ("user", "And of Spain?"),
        ("assistant", again.text.removeprefix(" ")),
    ]


def test_a_token_that_ends_a_reply_is_no_part_of_it(explorer: Explorer) -> None:
    reply = explorer.chat("abc", sampling={"max_new_tokens": 4})
    saved = explorer.open_conversation(reply.conversation_id)
    *others, last = saved.tokens
    ended = dataclasses.replace(saved, tokens=[*others, dataclasses.replace(last, special=True)])

    assert chat_of(saved)[-1]["content"] == reply.text
    assert chat_of(ended)[-1]["content"] == reply.text[:-1]


def test_a_list_alone_is_a_chat_and_empty_lines_are_none(tmp_path: Path) -> None:
    file = tmp_path / "chats.jsonl"
    file.write_text(f"{json.dumps(CHAT)}\n\n", encoding="utf-8")
    assert list(read_chats(file)) == [CHAT]


@pytest.mark.parametrize(
    "line", ["{", "{}", '[{"role": "user"}]', '[{"role": "cat", "content": "x"}]', "[1]", "7"]
)
def test_a_line_that_is_no_chat_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "chats.jsonl"
    file.write_text(f"{json.dumps(CHAT)}\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="Line 2 of"):
        list(read_chats(file))


def test_arrays_hold_the_numbers_of_the_lens(explorer: Explorer, tmp_path: Path) -> None:
    read = explorer.lens("abc", top_k=2, targets=[65, 66])
    save_npz(read, tmp_path / "lens.npz")

    with np.load(tmp_path / "lens.npz") as arrays:
        shape = (len(read.layers), len(read.positions))
        assert arrays["top_ids"].tolist() == read.top_ids
        assert arrays["top_probabilities"].tolist() == read.top_probabilities
        assert arrays["entropy_nats"].tolist() == read.entropy_nats
        assert arrays["next_rank"][:, :-1].tolist() == [row[:-1] for row in read.next_rank]
        assert np.isnan(arrays["next_rank"][:, -1]).all()
        assert arrays["token_ids"].tolist() == [97, 98, 99]
        assert arrays["target_probabilities"].shape == (2, *shape)
        assert str(arrays["kind"]) == "logit"


def test_parquet_has_a_row_for_each_predicted_token_and_says_what_computed_it(
    explorer: Explorer, tmp_path: Path
) -> None:
    read = explorer.lens("aé", top_k=2, targets=[65, 200])
    save_parquet(read, tmp_path / "lens.parquet")

    table = pq.read_table(tmp_path / "lens.parquet")
    rows = table.to_pylist()
    for i, layer in enumerate(read.layers):
        for j, position in enumerate(read.positions):
            here = [row for row in rows if (row["layer"], row["position"]) == (layer, position)]
            top = [row for row in here if row["rank"] <= 2]
            assert [row["rank"] for row in top] == [1, 2]
            assert [row["token_id"] for row in top] == read.top_ids[i][j]
            assert [row["probability"] for row in top] == read.top_probabilities[i][j]
            for target in read.targets:
                (row,) = [row for row in here if row["token_id"] == target.token_id]
                assert row["is_target"]
                assert (row["rank"], row["probability"]) == (
                    target.rank[i][j],
                    target.probability[i][j],
                )
            assert sum(row["is_target"] for row in here) == 2
            assert {row["entropy_nats"] for row in here} == {read.entropy_nats[i][j]}
            assert {row["next_rank"] for row in here} == {read.next_rank[i][j]}
    half = next(row for row in rows if row["token_id"] == 200)
    assert (half["text"], half["bytes"]) == ("\ufffd", b"\xc8")

    metadata = table.schema.metadata
    assert json.loads(metadata[b"mechanistic_explorer.model"]) == read.model_identity.to_dict()
    assert metadata[b"mechanistic_explorer.lens"] == b"logit"
    assert json.loads(metadata[b"mechanistic_explorer.token_ids"]) == [97, 195, 169]
    assert table.schema.field("entropy_nats").metadata == {b"unit": b"nats"}


def test_parquet_without_pyarrow_says_what_to_install(
    explorer: Explorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"mechanistic-explorer\[parquet\]"):
        save_parquet(explorer.lens("a"), tmp_path / "lens.parquet")
