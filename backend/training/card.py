"""The measured part of the model card: tables made from `evaluation.json`, between two marks.

What the card claims in numbers is written by this program and never by hand.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

CARD_FILE = "README.md"
BEGIN = "<!-- measured: written by `python -m training evaluate` -->"
END = "<!-- end of what was measured -->"

SOURCE_NAMES = {
    "simplewiki": "Simple English Wikipedia",
    "enwiki": "English Wikipedia",
    "dialogue_self": "self-dialogue",
    "dialogue_sgd": "schema-guided dialogue",
    "roleplay": "GPTeacher roleplay",
    "factbook": "CIA World Factbook",
    "tinystories": "TinyStories",
}
SEEN_NAMES = {
    "told": "told in this phrasing",
    "phrasing_held_out": "told, but never in this phrasing",
    "fact_held_out": "never told",
}


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; numbers are right-aligned from the second column on."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines)


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def rows_of_recall(facts: dict[str, Any], relation: str) -> list[list[object]]:
    """One row for each way the prompts of a relation were seen in training."""
    name = "all relations" if relation == "all" else relation
    return [
        [
            f"{name}, {SEEN_NAMES[seen]}",
            f"{facts[relation][seen]['n_prompts']:,}",
            *(percent(facts[relation][seen][key]) for key in ("top_1", "top_5", "completed")),
        ]
        for seen in SEEN_NAMES
        if seen in facts[relation]
    ]


def ranks_in_short(ranks: Sequence[int]) -> str:
    return " ".join(f"{rank:,}" for rank in ranks)


def shown(text: str) -> str:
    """A text on one line of a table: line breaks and bars made visible."""
    return text.replace("|", "\\|").replace("\n", " ⏎ ")


def measured_part(results: dict[str, Any]) -> str:
    """The tables, as Markdown."""
    facts = results["facts"]
    relations = sorted(
        (name for name in facts if name != "all" and "told" in facts[name]),
        key=lambda name: -facts[name]["told"]["top_5"],
    )
    first_turn = results["turns"][0]
    parts = [
        "### Held-out text",
        table(
            ["text", "bits per byte", "bytes"],
            [
                [SOURCE_NAMES[name], f"{score['bits_per_byte']:.3f}", f"{score['bytes']:,}"]
                for name, score in results["text"].items()
            ],
        ),
        "### Facts",
        "The rank of the object's first token right after the prompt (top-1, top-5), and whether "
        "greedy decoding writes the whole object.",
        table(
            ["prompts", "number", "top-1", "top-5", "completed"],
            rows_of_recall(facts, "all") + rows_of_recall(facts, "country capital city"),
        ),
        "Every relation, in told phrasings:",
        table(
            ["relation", "prompts", "top-1", "top-5", "completed"],
            [
                [
                    name,
                    f"{facts[name]['told']['n_prompts']:,}",
                    *(percent(facts[name]["told"][k]) for k in ("top_1", "top_5", "completed")),
                ]
                for name in relations
            ],
        ),
        "### Over the layers",
        f"The logit lens at {results['depth']['positions']:,} positions of held-out Simple English "
        "Wikipedia; *final token*: the one that the last layer ranks first.",
        "![Median entropy and median rank of the final token over the layers](depth.svg)",
        table(
            ["layer", "median entropy, nats", "median rank of the final token", "rank 1 already"],
            [
                [
                    "embed" if row["layer"] == 0 else row["layer"],
                    f"{row['median_entropy_nats']:.2f}",
                    f"{row['median_rank']:,.0f}",
                    percent(row["share_rank_1"]),
                ]
                for row in results["depth"]["layers"]
            ],
        ),
        "Ten recalled facts, the first in the order of a hash, at most two of a relation: the layer "
        "from which on the object's first token has rank 1, and its rank at every layer.",
        table(
            ["prompt → object", "rank 1 from layer", "ranks, embed to last", "probability"],
            [
                [
                    f"{shown(one['prompt'])} → {one['object']}",
                    one["decided_at"],
                    ranks_in_short(one["ranks"]),
                    f"{one['probability']:.2f}",
                ]
                for one in results["fact_depths"]
            ],
        ),
        "### Ten turns",
        f"Unedited, to ten messages chosen beforehand: temperature {first_turn['temperature']:g}, "
        f"top-p {first_turn['top_p']:g}, seed {first_turn['seed']}, at most 64 tokens. The page "
        "gives the same replies.",
        "\n".join(
            f"- *{shown(turn['user'])}* → {shown(turn['assistant'])}" for turn in results["turns"]
        ),
    ]
    return "\n\n".join(parts)


def lens_part(comparison: dict[str, Any]) -> str:
    """How near each lens comes to the output, from `lenses/comparison.json`."""
    names: list[str] = list(dict.fromkeys(score["lens"] for score in comparison["scores"]))
    cells = {(score["lens"], score["layer"]): score for score in comparison["scores"]}
    fitted = "; ".join(
        f"{name}: {int(facts['tokens']):,} tokens" for name, facts in comparison["fitted"].items()
    )
    head = ["layer", *(f"KL, {name}" for name in names), *(f"rank, {name}" for name in names)]
    rows: list[list[object]] = []
    for layer in range(int(comparison["n_layers"])):
        of_layer = [cells[name, layer] for name in names]
        rows.append(
            [
                "embed" if layer == 0 else layer,
                *(f"{score['mean_kl_nats']:.2f}" for score in of_layer),
                *(f"{score['median_rank']:,.0f} ({score['mean_rank']:,.0f})" for score in of_layer),
            ]
        )
    return "\n\n".join(
        [
            "### Lenses",
            "Divergence from the output, mean KL(final ‖ lens) in nats, and rank of the final token, "
            f"median (mean), at {comparison['positions']:,} positions of held-out text that no fit "
            f"has read. Fitted on other held-out text ({fitted}).",
            table(head, rows),
        ]
    )


def card_part(results: dict[str, Any], comparison: dict[str, Any] | None) -> str:
    """What stands in the card from one mark to the other, both included."""
    parts = [measured_part(results)] + ([] if comparison is None else [lens_part(comparison)])
    return "\n\n".join([BEGIN, *parts, END])


def update_card(
    path: Path, results: dict[str, Any], comparison: dict[str, Any] | None = None
) -> None:
    """Write the measured part between its marks. Raises ValueError when the card lacks them."""
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no part for what was measured: put in {BEGIN} and {END}")
    written = card_part(results, comparison)
    path.write_text(f"{before}{written}{after}", encoding="utf-8")
