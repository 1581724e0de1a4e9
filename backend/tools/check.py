"""`make check`: format, lint, types, import rules and drift of generated files."""

from __future__ import annotations

from pathlib import Path

from tools.environment import VENV_PYTHON, prepare
from tools.steps import BACKEND, FRONTEND, StepFailed, run_step

PYTHON = str(VENV_PYTHON)
CHECKS: tuple[tuple[str, Path, tuple[str, ...]], ...] = (
    ("Python format", BACKEND, (PYTHON, "-m", "ruff", "format", "--check", ".")),
    ("Python lint", BACKEND, (PYTHON, "-m", "ruff", "check", ".")),
    ("Python types", BACKEND, (PYTHON, "-m", "mypy")),
    ("Import rule", BACKEND, (PYTHON, "-m", "pytest", "-q", "tests/test_layers.py")),
    ("OpenAPI drift", BACKEND, (PYTHON, "-m", "pytest", "-q", "tests/test_openapi.py")),
    ("Client drift", BACKEND, (PYTHON, "-m", "pytest", "-q", "tests/client/test_drift.py")),
    ("TypeScript types drift", FRONTEND, ("npm", "run", "types", "--", "--check")),
    ("Page format", FRONTEND, ("npm", "run", "format:check")),
    ("Page types", FRONTEND, ("npm", "run", "typecheck")),
    ("Page lint", FRONTEND, ("npm", "run", "lint")),
    ("Unused code", FRONTEND, ("npm", "run", "knip")),
    ("Page size", FRONTEND, ("npm", "run", "size")),
)


def check() -> int:
    """Runs every check, also after one has failed. Returns 1 when any did."""
    prepare("dev", page=True)
    failed = []
    for title, folder, argv in CHECKS:
        try:
            run_step(title, argv, cwd=folder)
        except StepFailed:
            failed.append(title)
    print(f"\n{len(CHECKS) - len(failed)} checks passed, {len(failed)} failed")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0
