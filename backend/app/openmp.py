"""What torch's libraries read from the environment, set before torch is imported.

How long a waiting thread spins before it sleeps, and how many kernels are kept.

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


def bound_kernel_cache(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let oneDNN keep fewer compiled kernels, unless the environment says how many.

    It makes one for each shape of a product and keeps 1,024, some 70 kB each. A causal map has products
    of every length, so a server would grow by that much after some 50 maps; a reply needs a dozen shapes.
    """
    environment.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128")


def shorten_spinning(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let threads sleep after a short spin, unless the environment has a policy of its own."""
    if not any(environment.get(name) for name in CHOICES):
        environment.update(SHORT_SPIN)
