"""What Serve costs beside the single process: `python -m cluster.measure` in backend/.

Both run on this machine and are asked in turn, so that what else it does befalls both; only the ratios
mean something. The embedded model is small, which makes the overhead look large: it is the same number
of milliseconds with any model.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import httpx

from app.console import prepare_console, say
from cluster.starting import started

N_REPEATS = 30
N_TOKENS = 64
N_CLIENTS = 8
SECONDS = 120.0
TEXT = "The capital of France is"
REPLY = {
    "messages": [{"role": "user", "content": "Once there was a small town by the sea."}],
    "mode": "completion",
    "sampling": {"max_new_tokens": N_TOKENS, "temperature": 0},
    "stream": True,
}
Measured = Callable[[httpx.Client], float]


def main() -> int:
    prepare_console()
    cores = os.cpu_count() or 1
    with contextlib.ExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)  # PostgreSQL may run as a user of its own
        cluster = resources.enter_context(running_cluster(folder))
        one = resources.enter_context(running_server(1))
        whole = resources.enter_context(running_server(cores))
        clients = [
            resources.enter_context(httpx.Client(base_url=url, timeout=SECONDS))
            for url in (one, cluster)
        ]
        say(f"{'':<44}{'one process':>14}{'Serve':>10}{'more':>10}{'ratio':>8}")
        for name, measured in MEASURED.items():
            report(name, *paired(measured, *clients))
        alone, together = [], []
        for _ in range(3):
            alone.append(tokens_per_s(whole))
            together.append(tokens_per_s(cluster))
        ratio = statistics.median(b / a for a, b in zip(alone, together, strict=True))
        say(
            f"tokens/s, {N_CLIENTS} clients: one process, all {cores} cores "
            f"{statistics.median(alone):.0f}; two replicas {statistics.median(together):.0f}; "
            f"ratio {ratio:.2f}"
        )
    return 0


def paired(
    measured: Measured, one: httpx.Client, cluster: httpx.Client
) -> tuple[list[float], list[float]]:
    """Milliseconds of both, measured in turn; the first of each is left out."""
    found = [(measured(one), measured(cluster)) for _ in range(N_REPEATS + 1)][1:]
    return [first for first, _ in found], [second for _, second in found]


def report(name: str, one: list[float], cluster: list[float]) -> None:
    first, second = statistics.median(one), statistics.median(cluster)
    more = statistics.median(b - a for a, b in zip(one, cluster, strict=True))
    ratio = statistics.median(b / a for a, b in zip(one, cluster, strict=True))
    say(f"{name:<44}{first:>11.2f} ms{second:>7.2f} ms{more:>+7.2f} ms{ratio:>8.2f}")


def health(client: httpx.Client) -> float:
    return timed(lambda: client.get("/api/health").raise_for_status())


def lens(client: httpx.Client) -> float:
    body = {"prompt": TEXT, "top_k": 3}
    return timed(lambda: client.post("/api/lens", json=body).raise_for_status())


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def first_event(client: httpx.Client) -> float:
    return streamed(client).first_event


def event(client: httpx.Client) -> float:
    return streamed(client).token


class Timed(NamedTuple):
    """A streamed reply; times in milliseconds."""

    first_event: float
    token: float
    """Between two tokens with their lenses."""
    n_tokens: int


def streamed(client: httpx.Client) -> Timed:
    """A reply to the same text, which the model may end before N_TOKENS."""
    began = time.perf_counter()
    arrived: list[float] = []
    with client.stream("POST", "/api/chat", json=REPLY) as response:
        response.raise_for_status()
        first = None
        for line in response.iter_lines():
            first = first or time.perf_counter()
            if line == "event: token":
                arrived.append(time.perf_counter())
    assert first is not None
    return Timed(
        1000 * (first - began), 1000 * (arrived[-1] - arrived[0]) / (len(arrived) - 1), len(arrived)
    )


MEASURED: dict[str, Measured] = {
    "health": health,
    "lens of five tokens": lens,
    "reply: first event": first_event,
    "reply: a token with its lens": event,
}


def tokens_per_s(url: str) -> float:
    """Of several clients at once, each with replies of its own session."""

    def ask(number: int) -> int:
        headers = {"X-Client-Id": f"measure-{number}"}
        with httpx.Client(base_url=url, timeout=SECONDS, headers=headers) as client:
            return sum(streamed(client).n_tokens for _ in range(2))

    began = time.perf_counter()
    with ThreadPoolExecutor(N_CLIENTS) as pool:
        n_tokens = sum(pool.map(ask, range(N_CLIENTS)))
    return n_tokens / (time.perf_counter() - began)


@contextlib.contextmanager
def running_cluster(folder: Path) -> Iterator[str]:
    settings = {"XDG_DATA_HOME": str(folder), **SETTINGS}
    argv = [sys.executable, "-m", "cluster", "replicas=2"]
    with started(argv, settings, "Ready:") as (_process, url):
        yield url


@contextlib.contextmanager
def running_server(threads: int) -> Iterator[str]:
    settings = {"EXPLORER_DATABASE": "memory", "EXPLORER_THREADS": str(threads), **SETTINGS}
    argv = [sys.executable, "run.py"]
    with started(argv, settings, "Model embedded") as (_process, url):
        yield url


SETTINGS = {"EXPLORER_MODEL": "embedded", "HF_HUB_OFFLINE": "1", "EXPLORER_LOG_LEVEL": "WARNING"}

if __name__ == "__main__":
    sys.exit(main())
