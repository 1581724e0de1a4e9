"""The shipped model behind a real server: what one client gets does not depend on the others."""

from __future__ import annotations

import concurrent.futures
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.server.conftest import BACKEND, Process

LONG = (
    "The sun rises in the east and sets in the west. Water boils at one hundred degrees. "
    "The largest planet is Jupiter, and the smallest is Mercury. In the year 1945 the war ended. "
)
OTHERS = [
    LONG + "The capital of Italy is",
    LONG + "The capital",
    LONG[:120],
    "The sun rises in the",
    "The capital of France is",
    "The capital of Italy is",
    "Water boils at",
    LONG + LONG + "Paris is",
]
MINE = LONG + "The capital of France is"


@contextmanager
def running_server() -> Iterator[Process]:
    # Several threads wait for each other, and for very long on a machine that is busy.
    options = ["--model", "embedded", "--port", "0", "--threads", "1"]
    process = Process([sys.executable, str(BACKEND / "run.py"), *options])
    try:
        process.wait_until(lambda: process.get("/api/health").status_code == 200, 60)
        yield process
    finally:
        process.end()


def turn(server: Process, client: str, text: str, **more: Any) -> dict[str, Any]:
    body = {
        "messages": [{"role": "user", "content": text}],
        "sampling": {"max_new_tokens": 16, "temperature": 0.9, "seed": 5},
        "lens": {"scope": "all", "top_k": 3},
        **more,
    }
    answer = server.post("/api/chat", body, headers={"x-client-id": client})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def two_turns(server: Process, client: str, text: str) -> str:
    """All that a conversation tells, as text: equal texts are equal bits."""
    first = turn(server, client, text)
    second = turn(server, client, "Go on.", conversation_id=first["conversation_id"])
    return json.dumps([first["prompt_tokens"], first["tokens"], second["tokens"]])


def test_one_of_nine_clients_gets_the_bits_that_it_gets_alone() -> None:
    with running_server() as server:
        alone = two_turns(server, "me", MINE)
    with running_server() as server, concurrent.futures.ThreadPoolExecutor(9) as pool:
        others = [
            pool.submit(two_turns, server, f"other-{n}", text) for n, text in enumerate(OTHERS)
        ]
        server.wait_until(lambda: server.get("/api/stats").json()["store"]["timelines"] >= 8)
        mine = pool.submit(two_turns, server, "me", MINE)
        server.wait_until(lambda: server.queue()["running"] >= 2)
        assert mine.result() == alone
        assert len({alone, *(other.result() for other in others)}) == 9
