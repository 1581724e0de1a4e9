"""Resolves requirements.in and the files of extras (EXTRAS) into the pinned .txt files.

Resolved twice, for Python 3.10 and for 3.11 and later, because several packages have dropped 3.10;
what differs gets an environment marker. pip evaluates markers for the Python it runs on, so what
only 3.10 needs is named in requirements.in. Left out: local versions (`2.13.0+cpu` becomes
`2.13.0`) and the CUDA packages that pip takes by itself where the torch build wants them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.specifiers import SpecifierSet

from app.console import prepare_console

BACKEND = Path(__file__).resolve().parents[1]
OLDEST = "3.10"
LATER = "3.11"
TAKEN_BY_TORCH = re.compile(r"^(nvidia-|cuda-|triton$)")
EXTRAS = ("dev", "cluster")
"""What is installed besides, each beside the pins of requirements.in."""
HEADER = "# Made from {source} by `python -m tools.pin_requirements`; do not edit.\n"


def resolve(sources: list[Path], python: str) -> dict[str, str]:
    """Versions by normalised package name, as pip would install them on this Python."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        argv = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
        argv += ["--ignore-installed", "--only-binary=:all:", "--python-version", python]
        argv += ["--target", folder, "--report", str(report)]
        for source in sources:
            argv += ["-r", str(source)]
        subprocess.run(argv, check=True)
        found = [item["metadata"] for item in json.loads(report.read_text())["install"]]
    for item in found:  # pip overlooks this for packages of an index without that field
        if python not in SpecifierSet(item.get("requires_python", "")):
            sys.exit(f"{item['name']} {item['version']} does not run on Python {python}")
    pins = {normalised(item["name"]): item["version"].partition("+")[0] for item in found}
    return {name: version for name, version in pins.items() if not TAKEN_BY_TORCH.match(name)}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pin_lines(oldest: dict[str, str], later: dict[str, str]) -> list[str]:
    lines = []
    for name in sorted(oldest.keys() | later.keys()):
        if oldest.get(name) == later.get(name):
            lines.append(f"{name}=={later[name]}")
            continue
        if name in oldest:
            lines.append(f'{name}=={oldest[name]}; python_version < "{LATER}"')
        if name in later:
            lines.append(f'{name}=={later[name]}; python_version >= "{LATER}"')
    return lines


def unmarked(source: Path, folder: Path) -> Path:
    """The source with its markers taken off, so that any Python resolves what 3.10 would take."""
    copy = folder / source.name
    copy.write_text(re.sub(r"; python_version[^#\n]*", "  ", source.read_text()))
    return copy


def main() -> None:
    prepare_console()
    runtime = BACKEND / "requirements.in"
    with tempfile.TemporaryDirectory() as name:
        oldest = resolve([unmarked(runtime, Path(name))], OLDEST)
    later = resolve([runtime], LATER)
    write(BACKEND / "requirements.txt", runtime, pin_lines(oldest, later))
    for extra in EXTRAS:
        source = BACKEND / f"requirements-{extra}.in"
        more = pin_lines(added(source, oldest, OLDEST), added(source, later, LATER))
        write(source.with_suffix(".txt"), source, ["-r requirements.txt", *more])


def added(source: Path, base: dict[str, str], python: str) -> dict[str, str]:
    """What an extra needs beside the pins of requirements.in, none of which it may move."""
    with tempfile.TemporaryDirectory() as name:
        pinned = Path(name) / "pinned.txt"
        pinned.write_text("".join(f"{name}=={version}\n" for name, version in base.items()))
        everything = resolve([pinned, source], python)
    return {name: version for name, version in everything.items() if name not in base}


def write(target: Path, source: Path, lines: list[str]) -> None:
    target.write_text(HEADER.format(source=source.name) + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
