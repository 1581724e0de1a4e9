"""Frames of the page -> an animated WebP: `assemble.py FOLDER FILM`.

The folder holds 0000.png, 0001.png … and durations.json, milliseconds of each.
"""

import json
import sys
from pathlib import Path

from PIL import Image

MAX_BYTES = 3_000_000
QUALITIES = (82, 74, 66, 58, 50)
"""Tried in this order until the film is small enough."""


def assemble(folder: Path, film: Path) -> int:
    """Write the film; its size in bytes. Raises SystemExit where no quality is small enough."""
    durations = json.loads((folder / "durations.json").read_text(encoding="utf-8"))
    frames, lengths = [], []
    for number, length in enumerate(durations):
        frame = Image.open(folder / f"{number:04d}.png").convert("RGB")
        if frames and frame.tobytes() == frames[-1].tobytes():
            lengths[-1] += length
            continue
        frames.append(frame)
        lengths.append(length)
    for quality in QUALITIES:
        frames[0].save(
            film,
            save_all=True,
            append_images=frames[1:],
            duration=lengths,
            loop=0,
            quality=quality,
            method=4,
            kmax=60,
            kmin=30,
        )
        size = film.stat().st_size
        if size <= MAX_BYTES:
            return size
    raise SystemExit(f"{film}: {size:,} bytes, more than {MAX_BYTES:,}")


if __name__ == "__main__":
    print(f"{assemble(Path(sys.argv[1]), Path(sys.argv[2])):,} bytes")
