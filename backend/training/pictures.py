"""The pictures of the model card."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")  # no window, and no search for one

import matplotlib.pyplot as plt

FIRST, SECOND, QUIET = "#1f5fa8", "#b5541c", "#8a8a8a"
STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "svg.hashsalt": "card",  # the same numbers give the same file
}


def save(figure: Any, path: Path) -> None:
    """Write an SVG without a date, so that drawing again changes nothing."""
    figure.savefig(path, metadata={"Date": None}, facecolor="white")
    plt.close(figure)


def draw_loss(log: Path, path: Path) -> None:
    """Loss against tokens, from the log of a run."""
    with log.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    validated = [row for row in rows if row["validation_loss_nats"]]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
        axes.plot(
            [float(row["tokens_seen"]) / 1e6 for row in rows],
            [float(row["loss_nats"]) for row in rows],
            color=QUIET,
            linewidth=0.8,
            label="training mix",
        )
        axes.plot(
            [float(row["tokens_seen"]) / 1e6 for row in validated],
            [float(row["validation_loss_nats"]) for row in validated],
            color=FIRST,
            marker=".",
            label="held-out Simple English Wikipedia",
        )
        axes.set(xlabel="tokens read, millions", ylabel="loss, nats a token", ylim=(3.2, 6.5))
        axes.legend(frameon=False)
        save(figure, path)


def draw_depth(layers: Sequence[dict[str, float]], path: Path) -> None:
    """Median entropy, and median rank of the final token, over the layers."""
    numbers = [row["layer"] for row in layers]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
        axes.plot(numbers, [row["median_entropy_nats"] for row in layers], color=FIRST, marker="o")
        axes.set(xlabel="layer", xticks=numbers)
        axes.set_xticklabels(["embed", *map(str, numbers[1:])])
        axes.set_ylabel("median entropy, nats", color=FIRST)
        ranks = axes.twinx()
        ranks.plot(numbers, [row["median_rank"] for row in layers], color=SECOND, marker="s")
        ranks.set_yscale("log")
        ranks.set_ylabel("median rank of the final token", color=SECOND)
        ranks.grid(visible=False)
        save(figure, path)
