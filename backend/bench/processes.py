"""The two processes that are compared: the real server, and the references."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]

BACKEND = Path(__file__).resolve().parents[1]
START_SECONDS = 600


@contextmanager
def memory_peak(pid: int) -> Iterator[list[float]]:
    """Highest resident memory of a process while the block runs, in MB; the list gets one number."""
    process, peak, done = psutil.Process(pid), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            peak[0] = max(peak[0], process.memory_info().rss / 2**20)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def resident_mb(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / 2**20


@contextmanager
def busy_processes(n: int) -> Iterator[None]:
    """Processes that never wait, while the block runs."""
    with ExitStack() as ends:
        for _ in range(n):
            process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            ends.callback(process.wait)
            ends.callback(process.kill)
        yield


class References:
    """The process of `bench.reference`."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.reference", str(folder), str(threads)],
            cwd=BACKEND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answer()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Has one thing done; the answer holds `seconds`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("The process of the references has ended.")
        found: dict[str, Any] = json.loads(line)
        return found


@dataclass
class Turn:
    """A streamed turn, timed at the client."""

    seconds: float
    first_token_s: float
    conversation_id: str
    prompt_ids: list[int]
    turn_start: int
    reply_ids: list[int] = field(default_factory=list)
    n_readouts: int = 0


class Server:
    """The real server on a loopback port, and a client of it."""

    def __init__(self, model: str, threads: int, **settings: str) -> None:
        environment = {
            **os.environ,
            "EXPLORER_LOG_LEVEL": "WARNING",
            "EXPLORER_DATABASE": "memory",
            **{f"EXPLORER_{name.upper()}": value for name, value in settings.items()},
        }
        self._process = subprocess.Popen(
            [sys.executable, "run.py", "--model", model, "--port", "0", "--threads", str(threads)],
            cwd=BACKEND,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        address = None
        while address is None:
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError("The server has ended before it listened.")
            address = re.search(r"http://localhost:(\d+)", line)
        threading.Thread(target=self._process.stdout.read, daemon=True).start()
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{address[1]}", timeout=600)
        until = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if time.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError("The server did not become ready.")
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        try:
            return self._client.get("/api/health").status_code == 200
        except httpx.TransportError:  # while the machine is busy with the load
            return False

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait()

    def turn(
        self,
        text: str,
        n_tokens: int,
        *,
        conversation_id: str | None = None,
        scope: str = "reply",
        interventions: Sequence[object] = (),
    ) -> Turn:
        """One greedy turn in completion mode, streamed, with every layer's top five."""
        body = {
            "messages": [{"role": "user", "content": text}],
            "mode": "completion",
            "conversation_id": conversation_id,
            "sampling": {"max_new_tokens": n_tokens, "temperature": 0},
            "lens": {"scope": scope, "top_k": 5},
            "interventions": list(interventions),
            "stream": True,
        }
        started = time.perf_counter()
        found: Turn | None = None
        with self._client.stream("POST", "/api/chat", json=body) as response:
            response.raise_for_status()
            kind = ""
            for line in response.iter_lines():
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: ") and kind == "start":
                    start = json.loads(line[6:])
                    ids = [token["id"] for token in start["prompt_tokens"]]
                    found = Turn(0, 0, start["conversation_id"], ids, start["turn_start"])
                elif line.startswith("data: ") and kind == "token":
                    assert found is not None
                    if not found.reply_ids:
                        found.first_token_s = time.perf_counter() - started
                    found.reply_ids.append(json.loads(line[6:])["token"]["id"])
                elif line.startswith("data: ") and kind == "lens":
                    assert found is not None
                    found.n_readouts += 1
                elif line.startswith("data: ") and kind == "error":
                    raise RuntimeError(line)
        assert found is not None
        found.seconds = time.perf_counter() - started
        return found

    def ask(self, path: str, **request: Any) -> tuple[float, dict[str, Any]]:
        """Seconds of one request to `path`, until its last byte is here, and the answer."""
        started = time.perf_counter()
        response = self._client.post(path, json=request)
        seconds = time.perf_counter() - started
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return seconds, found

    def read(self, **request: Any) -> tuple[float, dict[str, Any]]:
        """As `ask`, of one reading of lens columns."""
        return self.ask("/api/lens", include_tokens=False, **request)

    def compare(self, **request: Any) -> tuple[float, dict[str, Any]]:
        """As `ask`, of one comparison of two timelines."""
        return self.ask("/api/compare", include_tokens=False, **request)

    def start_map(self, clean: list[int], corrupt: list[int], layers: list[int]) -> str:
        """The id of a job that patches every position at these layers."""
        sides = {"clean": {"token_ids": clean}, "corrupt": {"token_ids": corrupt}}
        # Named, because random weights may give both texts the same top-1 token.
        metric = {"answer": 1000, "foil": 2000}
        body = {"kind": "patch_map", **sides, "layers": layers, **metric}
        response = self._client.post("/api/jobs", json=body)
        response.raise_for_status()
        job_id: str = response.json()["id"]
        return job_id

    def follow(self, job_id: str) -> dict[str, Any]:
        """A job that has come to its end."""
        self._client.get(f"/api/jobs/{job_id}/events")
        job: dict[str, Any] = self._client.get(f"/api/jobs/{job_id}").json()
        assert job["state"] == "done", job["error"]
        return job

    def job(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._client.get(f"/api/jobs/{job_id}").json()
        return found

    def cancel(self, job_id: str) -> None:
        self._client.delete(f"/api/jobs/{job_id}").raise_for_status()

    def forward_passes(self) -> int:
        return int(self._client.get("/api/stats").json()["forward_passes"])


class Texts:
    """Texts that nobody asked before, of a given number of tokens or one or two more."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def text(self, n_tokens: int) -> str:
        """Words of the shipped tokenizer, most of which are one token each."""
        words = self._random.choices(WORDS, k=n_tokens - 1)
        return " " + " ".join(words)


WORDS = [
    "the",
    "of",
    "and",
    "in",
    "to",
    "was",
    "is",
    "for",
    "as",
    "on",
    "with",
    "by",
    "he",
    "at",
    "from",
    "his",
    "it",
    "an",
    "are",
    "were",
    "which",
    "be",
    "this",
    "had",
    "also",
    "or",
    "that",
    "first",
    "one",
    "their",
    "its",
    "after",
    "new",
    "who",
    "they",
    "two",
    "her",
    "she",
    "been",
    "other",
    "when",
    "time",
    "during",
    "there",
    "into",
    "all",
    "year",
    "years",
    "most",
    "up",
    "city",
    "world",
    "used",
    "people",
    "state",
    "part",
    "where",
    "school",
    "only",
    "such",
    "made",
    "over",
    "known",
    "many",
    "between",
    "three",
    "under",
    "then",
    "name",
    "life",
    "number",
    "later",
    "early",
    "both",
    "music",
    "state",
    "house",
    "work",
]
