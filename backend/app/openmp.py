"""How long a waiting thread of torch spins before it sleeps, set before torch is imported.

Between two parallel parts of a computation OpenMP's threads wait for each other. GNU's library, which
is in PyTorch's wheels for Linux, spins for milliseconds by default. Beside other programs it then
holds the core that the thread it waits for needs, and a token takes 10 to 100 times as long. After a
short spin the thread sleeps and frees the core (figures: `docs/performance.md`). The computed numbers
do not depend on it.

The libraries read these variables when they are loaded, so each package of the project calls this
before it imports torch.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

SHORT_SPIN = {
    # libgomp, in the wheels for Linux: turns of a loop, some microseconds.
    "GOMP_SPINCOUNT": "10000",
    # libomp and Intel's libiomp5, on macOS, Windows and in conda: milliseconds; its default is 200.
    "KMP_BLOCKTIME": "1",
}

CHOICES = ("OMP_WAIT_POLICY", "KMP_LIBRARY", *SHORT_SPIN)
"""Where one of these is set, somebody has chosen, and nothing is changed."""


def shorten_spinning(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let threads sleep after a short spin, unless the environment has a policy of its own."""
    if not any(environment.get(name) for name in CHOICES):
        environment.update(SHORT_SPIN)
