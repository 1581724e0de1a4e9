"""The slowest tests of a run, read from what pytest, Vitest and Playwright print of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
PYTEST = re.compile(
    r"^(?P<number>[\d.]+)(?P<unit>s) +(?:call|setup) +(?P<name>\S.*)$", re.MULTILINE
)
VITEST = re.compile(r"^\s{3,}[✓×] (?P<name>.+?) +(?P<number>\d+)(?P<unit>ms)$", re.MULTILINE)
PLAYWRIGHT = re.compile(
    r"^\s+[✓✘]\s+\d+ (?P<name>.+) \((?P<number>[\d.]+)(?P<unit>ms|s|m)\)$", re.MULTILINE
)


@dataclass(frozen=True)
class TimedTest:
    seconds: float
    name: str


def timed_tests(output: str) -> Iterator[TimedTest]:
    """Each test whose time the runner printed; Vitest and pytest print those of slow ones only."""
    for pattern in (PYTEST, VITEST, PLAYWRIGHT):
        for found in pattern.finditer(output):
            seconds = float(found["number"]) * UNIT_SECONDS[found["unit"]]
            yield TimedTest(seconds, found["name"].strip())


def slowest(tests: list[TimedTest], n: int) -> list[TimedTest]:
    """The `n` slowest, the slowest first."""
    return sorted(tests, key=lambda test: -test.seconds)[:n]
