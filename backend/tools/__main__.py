"""`python -m tools COMMAND`, run in backend/ by the Makefile: start, tests, checks and benchmarks."""

from __future__ import annotations

import sys
from collections.abc import Callable

from app.console import prepare_console
from tools.bench import bench
from tools.check import check
from tools.cluster import cluster, test_cluster
from tools.environment import clean, prepare
from tools.start import dev, run
from tools.steps import SetupError
from tools.test import test
from tools.wheel import wheel


def install() -> int:
    prepare("dev", page=True)
    return 0


def remove() -> int:
    clean()
    return 0


COMMANDS: dict[str, Callable[[], int]] = {
    "install": install,
    "run": run,
    "dev": dev,
    "test": test,
    "check": check,
    "bench": bench,
    "wheel": wheel,
    "cluster": cluster,
    "test-cluster": test_cluster,
    "clean": remove,
}


def main() -> int:
    prepare_console()
    command = COMMANDS.get(sys.argv[1]) if len(sys.argv) == 2 else None
    if command is None:
        print(f"usage: python -m tools {{{'|'.join(COMMANDS)}}}", file=sys.stderr)
        return 2
    try:
        return command()
    except SetupError as error:
        print(f"\nError: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
