"""Finds a Chromium for the browser tests, and installs one where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

from tools.steps import FRONTEND, SetupError, StepFailed, run_step

NAMES = (
    # The browser without its window, which is all that a test needs: a tenth less work.
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
MACOS_PROGRAMS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
ASK_PLAYWRIGHT = "console.log(require('@playwright/test').chromium.executablePath())"


def find_or_install() -> str:
    """Path of a browser that runs. Raises SetupError when none can be had."""
    named = os.environ.get("EXPLORER_CHROMIUM")
    if named:
        if runs(named):
            return named
        raise SetupError(f"EXPLORER_CHROMIUM names {named}, which does not run.")
    found = find()
    if found:
        return found
    for install in (install_by_playwright, install_by_apt):
        install()
        found = find()
        if found:
            return found
    raise SetupError(
        "No browser for the page's tests, and none could be installed:"
        " install Chromium or Chrome, or set EXPLORER_CHROMIUM to its path."
    )


def find() -> str | None:
    return next((path for path in candidates() if runs(path)), None)


def candidates() -> Iterator[str]:
    for name in NAMES:
        path = shutil.which(name)
        if path:
            yield path
    yield from MACOS_PROGRAMS
    yield from playwrights_own()


def playwrights_own() -> Iterator[str]:
    """Where Playwright keeps, or would keep, the browser that it downloads."""
    answer = subprocess.run(
        ["node", "-e", ASK_PLAYWRIGHT], cwd=FRONTEND, capture_output=True, text=True
    )
    if answer.returncode == 0:
        yield answer.stdout.strip()


def runs(path: str) -> bool:
    """Whether it starts: a download without its system libraries, or a stub, does not."""
    if not os.access(path, os.X_OK):
        return False
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def install_by_playwright() -> None:
    attempt("Browser from Playwright", ["npx", "--no-install", "playwright", "install", "chromium"])


def install_by_apt() -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    attempt("Debian package lists", ["apt-get", "update"])
    for package in ("chromium-headless-shell", "chromium"):
        attempt(
            f"Browser from apt, {package}",
            ["apt-get", "install", "-y", "--no-install-recommends", package],
        )
        if find() is not None:
            return


def attempt(title: str, argv: list[str]) -> None:
    """One way of getting a browser; whether it worked is told by looking for the browser."""
    try:
        run_step(
            title,
            argv,
            cwd=FRONTEND,
            env={"DEBIAN_FRONTEND": "noninteractive"},
            quiet_failure=True,
        )
    except StepFailed:
        return
