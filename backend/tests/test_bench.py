"""The benchmark's own arithmetic, and that its names are those that are promised."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bench import report
from bench.report import Figure, at_least, at_most, figure, table, update_json

BACKEND = Path(__file__).parents[1]
PROMISED = {
    "reply_with_lens_over_generate",
    "first_token_over_generate",
    "conversation_speedup_over_notebook",
    "conversation_peak_mb",
    "notebook_peak_mb",
    "click_p95_ms",
    "attribution_p95_ms",
    "attribution_heads_p95_ms",
    "attention_p95_ms",
    "attribution_over_step",
    "heatmap_over_matmul",
    "steered_reply_over_plain",
    "turn_ten_over_fresh",
    "reply_linear_r2",
    "memory_growth_mb",
}


@pytest.mark.parametrize(
    ("bar", "value", "holds"),
    [
        (at_most(1.3), 1.3, True),
        (at_most(1.3), 1.31, False),
        (at_least(5), 5.0, True),
        (at_least(5), 4.9, False),
        (None, 1.0, None),
    ],
)
def test_a_bar_holds_up_to_itself(bar: report.Bar | None, value: float, holds: bool | None) -> None:
    assert Figure("x", value, "ratio", value, value, "", bar).holds is holds


def test_a_figure_is_the_median_with_quartiles() -> None:
    found = figure("x", [5.0, 1.0, 2.0, 4.0, 3.0], "ratio", "something")
    assert (found.low, found.value, found.high) == (2.0, 3.0, 4.0)
    assert figure("x", [7.0], "ratio", "").low == 7.0


def test_figures_of_a_part_replace_their_own_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.json"

    def values() -> list[dict[str, float]]:
        runs = json.loads(path.read_text())["runs"]
        return [{each["name"]: each["value"] for each in run["figures"]} for run in runs]

    update_json(path, [figure("a", [1.0], "s", ""), figure("b", [2.0], "s", "")], [])
    update_json(path, [figure("b", [3.0], "s", "")], [])
    assert values() == [{"a": 1.0, "b": 3.0}]
    monkeypatch.setattr(report, "machine", lambda: {"processor": "another", "cores": 9})
    update_json(path, [figure("b", [4.0], "s", "")], [])
    assert values() == [{"a": 1.0, "b": 3.0}, {"b": 4.0}]


def test_the_file_says_what_the_table_says(tmp_path: Path) -> None:
    found = [
        figure("fast", [0.5], "ratio", "slow", at_most(1.0)),
        figure("big", [9.0], "MB", "", at_most(8.0)),
    ]
    update_json(tmp_path / "results.json", found, ["a note"])
    (run,) = json.loads((tmp_path / "results.json").read_text())["runs"]
    assert [each["holds"] for each in run["figures"]] == [True, False]
    assert run["figures"][0]["bar"] == "≤ 1"
    assert run["machine"]["cores"] >= 1
    lines = table(found).splitlines()
    assert re.search(r"fast +0\.5 .*holds", lines[1])
    assert re.search(r"big +9 .*FAILS", lines[2])


def test_the_results_that_are_kept_hold_what_is_promised() -> None:
    """The file is written by `make bench`; the document explains each of its figures."""
    content = json.loads((BACKEND / "bench" / "results.json").read_text(encoding="utf-8"))
    figures = [each for run in content["runs"] for each in run["figures"]]
    names = {each["name"] for each in figures}
    assert names >= PROMISED
    document = (BACKEND.parent / "docs" / "performance.md").read_text(encoding="utf-8")
    assert not [name for name in names if name not in document]
    for each in figures:
        assert set(each) == {"name", "value", "unit", "low", "high", "reference", "bar", "holds"}
