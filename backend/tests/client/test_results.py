"""Tables and drawings of answers: exact texts in the first, escaped and visible ones in the second."""

from __future__ import annotations

import base64
import dataclasses
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mechanistic_explorer import Explorer, answers, frames, notebook_html
from mechanistic_explorer.results import DrawnResult, TableResult
from mechanistic_explorer.visible import harmless, visible

BACKEND = Path(__file__).resolve().parents[2]
HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m\u202e"


def test_row_of_a_lens_has_the_numbers_of_its_cell(explorer: Explorer) -> None:
    read = explorer.lens("abc", top_k=2, targets=[65])

    rows = read.rows()

    assert len(rows) == len(read.layers) * len(read.positions)
    row = next(row for row in rows if (row["layer"], row["position"]) == (2, 1))
    assert (row["token"], row["next_token"]) == ("b", "c")
    assert row["top_2_id"] == read.top_ids[2][1][1]
    assert row["top_2"] == read.vocabulary[str(row["top_2_id"])]
    assert row["top_2_probability"] == read.top_probabilities[2][1][1]
    assert row["entropy_nats"] == read.entropy_nats[2][1]
    assert row["next_rank"] == read.next_rank[2][1]
    assert row["target_65_probability"] == read.targets[0].probability[2][1]
    assert rows[2]["next_token"] is None


def test_frame_has_the_rows_and_their_types(explorer: Explorer) -> None:
    frame = explorer.lens("abc").to_dataframe()

    assert list(frame.pivot(index="layer", columns="position", values="top_1").columns) == [0, 1, 2]
    assert frame["entropy_nats"].dtype == float
    assert frame["top_1_id"].dtype == int


def test_whole_numbers_with_gaps_stay_whole(explorer: Explorer) -> None:
    ranks = explorer.lens("abc").to_dataframe()["next_rank"]
    assert ranks.isna().sum() == 4
    assert str(ranks.dtype) == "Int64"


def test_row_of_a_map_names_both_tokens_and_has_the_score_of_its_cell(explorer: Explorer) -> None:
    info = explorer.patch_map("abcd", "abxd").wait()
    row = next(row for row in info.rows() if (row["layer"], row["clean_position"]) == (1, 2))
    pair = info.result.positions.index((2, 2))
    assert (row["clean_token"], row["corrupt_token"]) == ("c", "x")
    assert row["score"] == info.result.scores[info.result.layers.index(1)][pair]


def test_rows_of_the_other_tables(explorer: Explorer) -> None:
    add: Any = {
        "site": "resid",
        "layers": [1],
        "positions": [1],
        "op": {"kind": "add", "direction": {"kind": "token", "token_id": 65}, "strength": 1.0},
    }
    dosed = explorer.dose("abc", interventions=[add], strengths=[0.0, 1.0], targets=[65]).rows()
    assert [(row["run"], row["strength"]) for row in dosed][1:3] == [
        ("intervention", 1.0),
        ("control", 0.0),
    ]
    compared = explorer.compare("abc", "abd", layers=[(1, 2)], targets=[65])
    row = compared.rows()[1]
    assert (row["a_layer"], row["b_layer"], row["b_position"]) == (1, 2, 1)
    assert row["kl_a_to_b_nats"] == compared.kl_a_to_b_nats[0][1]
    assert row["target_65_b_rank"] == compared.targets[0].b_rank[0][1]
    parts = explorer.attribution("abc", position=2).rows()
    sizes = [abs(row["contribution"]) for row in parts]
    assert sizes == sorted(sizes, reverse=True)
    attention = explorer.attention("abc", position=2)
    assert attention.rows()[-1]["value"] == attention.values[-1][-1][-1]
    writes = explorer.writes("abc", position=1, block=1, top_k=2).rows()
    assert [row["effect"] for row in writes][:3] == ["promoted", "promoted", "suppressed"]
    patched = explorer.patch("abc", "abd", layer=1, positions=[(2, 2)])
    assert patched.rows()[0]["logit_difference"] == patched.clean
    reply = explorer.chat("abc", sampling={"max_new_tokens": 2})
    assert [row["index"] for row in reply.rows()] == [token.index for token in reply.tokens]
    saved = explorer.open_conversation(reply.conversation_id)
    assert len(saved.rows()) == len(saved.tokens)
    listed = explorer.list_conversations().rows()[0]
    assert (listed["id"], listed["model"]) == (reply.conversation_id, "fake")
    assert {row["text"] for row in explorer.tokens("a").rows()} == {"a"}


def test_every_table_has_rows_and_every_drawing_html() -> None:
    kinds = [kind for kind in vars(answers).values() if dataclasses.is_dataclass(kind)]
    tables = {kind for kind in kinds if isinstance(kind, type) and issubclass(kind, TableResult)}
    drawn = {kind for kind in kinds if isinstance(kind, type) and issubclass(kind, DrawnResult)}
    assert tables == frames.rows_of.registry.keys() - {object}
    assert drawn == notebook_html.html_of.registry.keys() - {object}


def test_client_and_its_tables_need_no_pandas_and_name_it() -> None:
    script = (
        "import sys; sys.modules['pandas'] = None\n"
        "from mechanistic_explorer import answers\n"
        "found = answers.TokenSearchResponse('a', [], [], [], [])\n"
        "print(found.rows())\n"
        "found.to_dataframe()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=BACKEND / "client", capture_output=True, text=True
    )
    assert ran.stdout.strip() == "[]"
    assert 'pip install "mechanistic-explorer[pandas]"' in ran.stderr


def test_long_answers_have_a_short_repr(explorer: Explorer) -> None:
    assert len(repr(explorer.lens("abcdefgh" * 20))) < 1500


# --- drawings --------------------------------------------------------------------------------------


def hostile_lens(explorer: Explorer) -> answers.LensReadResponse:
    """A read-out all of whose texts are markup and control characters."""
    read = explorer.lens(HOSTILE)
    return dataclasses.replace(
        read,
        model=HOSTILE,
        vocabulary=dict.fromkeys(read.vocabulary, HOSTILE),
        tokens=[
            dataclasses.replace(
                token, text=HOSTILE, bytes=base64.b64encode(HOSTILE.encode()).decode()
            )
            for token in read.tokens
        ],
    )


def test_hostile_texts_are_text_in_every_drawing(explorer: Explorer) -> None:
    reply = explorer.chat(HOSTILE, sampling={"max_new_tokens": 2})
    saved = explorer.open_conversation(reply.conversation_id)
    saved = dataclasses.replace(saved, title=HOSTILE)
    info = dataclasses.replace(explorer.patch_map("abcd", "abxd").wait(), title=HOSTILE)

    for drawn in (hostile_lens(explorer), reply, saved, info):
        html = drawn._repr_html_()
        assert "&lt;script&gt;" in html or drawn is reply
        tags = set(re.findall(r"<\s*/?\s*([^\s>/]+)", html))
        assert tags <= {"div", "span", "table", "thead", "tbody", "tr", "th", "td", "br", "wbr"}
        attributes = set(re.findall(r'\s([\w-]+)="', re.sub(r'"[^"]*"', '""', html)))
        assert attributes <= {"style", "title", "scope", "aria-label"}
        assert "url(" not in html
        assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", html)


def test_grid_of_a_lens_has_the_output_at_the_top_and_a_cell_for_each_token(
    explorer: Explorer,
) -> None:
    read = explorer.lens("ab c")
    html = read._repr_html_()
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    assert len(rows) == 1 + len(read.layers)
    assert [re.sub("<.*?>", "", cell) for cell in re.findall(r"<th.*?</th>", rows[0])] == [
        "",
        "a",
        "b",
        "·",
        "c",
    ]
    assert re.sub("<.*?>", "", re.findall(r"<th.*?</th>", rows[1])[0]) == read.labels[-1]
    assert all(row.count("<td") == 4 for row in rows[1:])


def test_large_grid_is_cut_and_says_so(explorer: Explorer) -> None:
    html = explorer.lens("abcdefgh" * 10)._repr_html_()
    assert f"Not shown: {80 - notebook_html.MAX_COLUMNS} columns" in html
    assert html.count("<td") == 4 * notebook_html.MAX_COLUMNS


# --- texts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" a", "·a"),
        ("\n\t\r", "⏎⇥‹CR›"),
        ("\x1b[31m", "‹U+001B›[31m"),
        ("\u202e", "‹U+202E›"),
        ("\u200d\u00a0", "‹ZWJ›‹NBSP›"),
        ("é😀", "é😀"),
    ],
)
def test_characters_that_cannot_be_seen_have_signs(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_half_a_character_is_shown_by_its_bytes() -> None:
    assert visible("\ufffd", base64.b64encode("é".encode()[:1] + b"a").decode()) == "\\xC3a"


def test_running_text_for_a_terminal_keeps_its_lines_and_no_control_characters() -> None:
    assert harmless("a b\n\tc\x1b]0;x\x07\u202e") == "a b\n\tc‹U+001B›]0;x‹U+0007›‹U+202E›"
