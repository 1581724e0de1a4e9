"""`make test`: every test there is, each runner's own output, and all closing lines at the end."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.browser import find_or_install
from tools.environment import VENV_PYTHON, prepare
from tools.slowest import TimedTest, slowest, timed_tests
from tools.steps import BACKEND, FRONTEND, SetupError

N_SLOWEST = 10
PYTEST_PROCESSES = min(4, os.cpu_count() or 1)
"""A process needs some 2 GB: torch, a model, and the servers that its tests start."""
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Outcome:
    name: str
    passed: int
    failed: int
    closing: str
    """The runner's last words, or why it did not run."""
    seconds: float
    slow_tests: tuple[TimedTest, ...] = ()


def test() -> int:
    prepare("dev", page=True)
    outcomes = [
        backend_tests(),
        run_tests("frontend", ["npm", "test"], FRONTEND, read_vitest),
        browser_tests(),
    ]
    print()
    for outcome in outcomes:
        print(f"{outcome.name:<10}{outcome.seconds:>7.1f} s  {outcome.closing}")
    failed = sum(outcome.failed for outcome in outcomes)
    print(f"\nthe {N_SLOWEST} slowest:")
    for slow in slowest([test for outcome in outcomes for test in outcome.slow_tests], N_SLOWEST):
        print(f"{slow.seconds:>8.1f} s  {slow.name}")
    print(f"\n{sum(outcome.passed for outcome in outcomes)} passed, {failed} failed")
    return 1 if failed else 0


def backend_tests() -> Outcome:
    """In as many processes as there are cores. The tests of a file stay together: they share servers."""
    argv = [str(VENV_PYTHON), "-m", "pytest", f"--durations={N_SLOWEST}"]
    argv += ["-n", str(PYTEST_PROCESSES), "--dist", "loadfile"]
    return run_tests("backend", argv, BACKEND, read_pytest)


def browser_tests() -> Outcome:
    try:
        browser = find_or_install()
    except SetupError as error:
        print(f"\nError: {error}")
        return Outcome("browser", 0, 1, str(error), 0.0)
    os.environ["EXPLORER_CHROMIUM"] = browser
    return run_tests("browser", ["npm", "run", "e2e"], FRONTEND, read_playwright)


def run_tests(
    name: str, argv: list[str], cwd: Path, read: Callable[[str], tuple[int, int, str]]
) -> Outcome:
    """Runs one test program, showing its output as it comes."""
    print(f"\n── {name} tests", flush=True)
    started, lines = time.monotonic(), []
    with subprocess.Popen(
        argv,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(ESCAPES.sub("", line.rstrip()))
    output = "\n".join(lines)
    passed, failed, closing = read(output)
    if process.returncode != 0 and failed == 0:
        failed, closing = 1, f"{closing} (exit status {process.returncode})".strip()
    if process.returncode == 0 and passed == 0:
        failed, closing = 1, "no test ran"
    seconds = time.monotonic() - started
    return Outcome(name, passed, failed, closing, seconds, tuple(timed_tests(output)))


def read_pytest(output: str) -> tuple[int, int, str]:
    """Passed, failed and closing line: `=== 2 failed, 310 passed, 1 error in 41.2s ===`."""
    found = re.findall(r"^(?:=+ )?((?:\d+ \w+, )*\d+ \w+ in .+?)(?: =+)?$", output, re.MULTILINE)
    closing = found[-1] if found else ""
    return counted(closing, "passed"), counted(closing, "failed", "error", "errors"), closing


def read_vitest(output: str) -> tuple[int, int, str]:
    """From the lines ` Test Files  1 failed | 20 passed (21)` and `      Tests  …`."""
    found = re.findall(r"^\s*(Tests|Test Files)\s{2,}(.+)$", output, re.MULTILINE)
    rows = dict(found)
    tests = rows.get("Tests", "")
    failed = counted(tests, "failed") or counted(rows.get("Test Files", ""), "failed")
    return counted(tests, "passed"), failed, f"{tests} in {rows.get('Test Files', '')} files"


def read_playwright(output: str) -> tuple[int, int, str]:
    """From the last lines, `  1 failed`, names, `  1 flaky`, `  30 passed (52.1s)`."""
    found = re.findall(
        r"^\s{2}(\d+ (?:passed|failed|flaky|did not run)\b.*)$", output, re.MULTILINE
    )
    closing = ", ".join(found)
    return counted(closing, "passed"), counted(closing, "failed", "did"), closing


def counted(closing: str, *words: str) -> int:
    return sum(int(n) for n, word in re.findall(r"(\d+) (\w+)", closing) if word in words)
