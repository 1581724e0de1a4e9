"""Figures, as a table and as JSON."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import torch
import transformers


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure should be: at most, or at least, this much."""

    value: float
    is_upper: bool

    def holds(self, value: float) -> bool:
        return value <= self.value if self.is_upper else value >= self.value

    def __str__(self) -> str:
        return f"{'≤' if self.is_upper else '≥'} {self.value:g}"


def at_most(value: float) -> Bar:
    return Bar(value, True)


def at_least(value: float) -> Bar:
    return Bar(value, False)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; `value` is the median of its samples, `low` and `high` their quartiles."""

    name: str
    value: float
    unit: str
    low: float
    high: float
    reference: str
    """What it is measured against, and the reference's own median where that is a time."""
    bar: Bar | None = None

    @property
    def holds(self) -> bool | None:
        return None if self.bar is None else self.bar.holds(self.value)


def figure(
    name: str, samples: Sequence[float], unit: str, reference: str, bar: Bar | None = None
) -> Figure:
    """The figure of several samples of one thing."""
    if len(samples) == 1:
        low = high = samples[0]
    else:
        low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Figure(name, statistics.median(samples), unit, low, high, reference, bar)


def table(figures: Sequence[Figure]) -> str:
    """Figures as lines of text."""
    lines = [f"{'figure':<38}{'value':>10}  {'quartiles':<20}{'bar':<9}{'':<6}against"]
    for each in figures:
        verdict = {True: "holds", False: "FAILS", None: ""}[each.holds]
        spread = f"{each.low:.4g} … {each.high:.4g}"
        lines.append(
            f"{each.name:<38}{each.value:>10.4g}  {spread:<20}{each.bar or ''!s:<9}{verdict:<6}"
            f"{each.reference}"
        )
    return "\n".join(lines)


def update_json(path: Path, figures: Sequence[Figure], notes: Sequence[str]) -> None:
    """Stores figures in place of those of their names that were measured on a machine like this one.

    Each machine has figures of its own: those of two say nothing beside each other.
    """
    here = machine()
    runs: list[dict[str, Any]] = []
    if path.is_file():
        runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
    run = next((each for each in runs if each["machine"] == here), None)
    if run is None:
        runs.append(run := {"machine": here, "figures": []})
    kept = {each["name"]: each for each in run["figures"]}
    for each in figures:
        kept[each.name] = {**asdict(each), "bar": each.bar and str(each.bar), "holds": each.holds}
    run["figures"] = list(kept.values())
    content = {"notes": list(notes), "runs": runs}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def machine() -> dict[str, object]:
    """What decides how fast things are, and nothing that tells whose machine it is."""
    return {
        "processor": _processor(),
        "cores": psutil.cpu_count(logical=False) or psutil.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
