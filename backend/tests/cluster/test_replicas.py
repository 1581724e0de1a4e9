"""Two replicas with Ray Serve, PostgreSQL between them. Opt-in: `make test-cluster`.

The tests stand in this order: the last one kills a replica.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from cluster.starting import started

SECONDS = 120
GREEDY = {"temperature": 0, "max_new_tokens": 24}
MAP = {
    "kind": "patch_map",
    "clean": {"prompt": "The capital of Spain is"},
    "corrupt": {"prompt": "The capital of France is"},
}

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


class Cluster:
    """A running cluster and the requests that tests send to it."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self._http = httpx.Client(base_url=url, timeout=SECONDS)

    def send(self, method: str, path: str, client: str, **more: Any) -> httpx.Response:
        return self._http.request(method, f"/api/{path}", headers={"x-client-id": client}, **more)

    def get(self, path: str, client: str) -> Any:
        response = self.send("GET", path, client)
        assert response.status_code == 200, response.text
        return response.json()

    def chat(self, client: str, text: str, **more: Any) -> Any:
        body = {"messages": [{"role": "user", "content": text}], "sampling": GREEDY, **more}
        response = self.send("POST", "chat", client, json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def lens(self, client: str, conversation_id: str) -> Any:
        body = {"conversation_id": conversation_id, "top_k": 3}
        response = self.send("POST", "lens", client, json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def stream(self, client: str, text: str, n_tokens: int) -> Iterator[dict[str, Any]]:
        """The events of a reply; one with `status` first."""
        body = {
            "messages": [{"role": "user", "content": text}],
            "sampling": {"max_new_tokens": n_tokens, "temperature": 0},
            "stream": True,
        }
        headers = {"x-client-id": client}
        with self._http.stream("POST", "/api/chat", json=body, headers=headers) as response:
            yield {"type": "answer", "status": response.status_code, "headers": response.headers}
            for line in response.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    def sessions(self) -> tuple[str, str]:
        """Two sessions that are on different replicas."""
        found: dict[str, str] = {}
        for number in range(64):
            found.setdefault(self.get("health", f"tab-{number}")["instance"], f"tab-{number}")
            if len(found) == 2:
                first, second = found.values()
                return first, second
        raise AssertionError(f"all sessions are on one replica: {found}")

    def replicas(self) -> list[psutil.Process]:
        below = psutil.Process(self.process.pid).children(recursive=True)
        return [each for each in below if each.name().startswith("ray::Serve") and is_replica(each)]

    def replica_of(self, client: str) -> psutil.Process:
        """The one that computes a reply of this session."""
        before = {each: sum(each.cpu_times()[:2]) for each in self.replicas()}
        for _event in self.stream(client, "Who computes this?", 64):
            pass
        return max(before, key=lambda each: sum(each.cpu_times()[:2]) - before[each])


def is_replica(process: psutil.Process) -> bool:
    return "ServeReplica" in " ".join(process.cmdline())


@pytest.fixture(scope="module")
def data_folder() -> Iterator[Path]:
    """One that PostgreSQL reaches as well where it runs as a user of its own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def cluster(data_folder: Path) -> Iterator[Cluster]:
    settings = {
        "XDG_DATA_HOME": str(data_folder),
        "EXPLORER_MODEL": "embedded",
        "HF_HUB_OFFLINE": "1",
    }
    argv = [sys.executable, "-m", "cluster", "replicas=2", "cpus=0.5"]
    with started(argv, settings, "Ready:") as (process, url):
        yield Cluster(process, url)
        below = psutil.Process(process.pid).children(recursive=True)
    assert process.returncode == 0
    _gone, alive = psutil.wait_procs(below, timeout=30)
    assert alive == [], "the cluster leaves no process behind"


def test_two_replicas_answer_with_the_same_numbers(cluster: Cluster) -> None:
    here, there = cluster.sessions()
    one = cluster.chat(here, "What is the capital of France?")
    other = cluster.chat(there, "What is the capital of France?")
    assert [token["id"] for token in one["tokens"]] == [token["id"] for token in other["tokens"]]
    opened = cluster.get(f"conversations/{one['conversation_id']}", there)
    reply = [token["id"] for token in opened["tokens"]][-len(one["tokens"]) :]
    assert reply == [token["id"] for token in one["tokens"]]
    held = cluster.lens(here, one["conversation_id"])
    computed_again = cluster.lens(there, one["conversation_id"])
    assert_alike(held, computed_again)


def test_a_session_stays_on_its_replica(cluster: Cluster) -> None:
    for client in cluster.sessions():
        instances = {cluster.get("health", client)["instance"] for _ in range(10)}
        assert len(instances) == 1


def test_thirty_streams_at_once_are_answered_or_refused_with_503(cluster: Cluster) -> None:
    def outcome(number: int) -> tuple[int, str, bool]:
        events = list(cluster.stream(f"burst-{number}", f"Tell me about {number}.", 16))
        status = events[0]["status"]
        return status, events[-1]["type"], "retry-after" in events[0]["headers"]

    with ThreadPoolExecutor(30) as pool:
        outcomes = Counter(pool.map(outcome, range(30)))
    assert set(outcomes) <= {(200, "done", False), (503, "answer", True)}
    assert outcomes[200, "done", False] >= 18


def test_one_client_that_sends_too_many_is_refused_with_503_and_a_typed_error(
    cluster: Cluster,
) -> None:
    def status(_number: int) -> int:
        return next(iter(cluster.stream("greedy", "Again.", 64)))["status"]

    with ThreadPoolExecutor(12) as pool:
        statuses = Counter(pool.map(status, range(12)))
    assert set(statuses) == {200, 503}


def test_a_job_is_followed_from_anywhere_and_changed_only_where_it_runs(cluster: Cluster) -> None:
    here, there = cluster.sessions()
    job_id = cluster.send("POST", "jobs", here, json=MAP).json()["id"]
    paused = cluster.send("POST", f"jobs/{job_id}/pause", here)
    assert paused.json()["state"] == "paused"
    until_paused(cluster, job_id, there)
    for method, path in (("POST", "/resume"), ("POST", "/pause"), ("DELETE", "")):
        refused = cluster.send(method, f"jobs/{job_id}{path}", there)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "job_elsewhere")
    cluster.send("POST", f"jobs/{job_id}/resume", here)
    followed = cluster.send("GET", f"jobs/{job_id}/events", there).text
    assert "event: done" in followed


def test_no_replica_changes_to_another_model(cluster: Cluster) -> None:
    refused = cluster.send("PUT", "model", "tab", json={"model": "gpt2"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")


def test_a_killed_replica_loses_no_acknowledged_reply(cluster: Cluster) -> None:
    here, _there = cluster.sessions()
    kept = cluster.chat(here, "What is the capital of Spain?")["conversation_id"]
    before = cluster.lens(here, kept)
    tokens = cluster.get(f"conversations/{kept}", here)["tokens"]
    instance = cluster.get("health", here)["instance"]
    job_id = cluster.send("POST", "jobs", here, json=MAP).json()["id"]
    cluster.send("POST", f"jobs/{job_id}/pause", here)
    replica = cluster.replica_of(here)

    events = cluster.stream(here, "Tell me a long story.", 400)
    received = [next(events) for _ in range(6)]
    replica.kill()
    received += list(events)

    last = received[-1]
    assert (last["type"], last["error"]["code"]) == ("error", "unavailable")
    assert cluster.get("health", here)["instance"] != instance
    opened = cluster.get(f"conversations/{kept}", here)
    assert opened["tokens"] == tokens
    assert_alike(before, cluster.lens(here, kept))
    cut = cluster.get(f"conversations/{received[1]['conversation_id']}", here)
    assert "Tell me a long story." in cut["text"]
    # The job of the dead replica goes on with the one that is asked for it.
    cluster.send("POST", f"jobs/{job_id}/resume", here)
    assert "event: done" in cluster.send("GET", f"jobs/{job_id}/events", here).text


def until_paused(cluster: Cluster, job_id: str, client: str) -> None:
    """The other replica sees what is saved, which is a moment after it is answered."""
    deadline = time.monotonic() + SECONDS
    while (state := cluster.get(f"jobs/{job_id}", client)["state"]) != "paused":
        assert time.monotonic() < deadline, state


def assert_alike(one: Any, other: Any) -> None:
    """Equal, numbers within what docs/architecture.md says of numbers that are computed again."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one.keys() - {"id", "timings", "stats"}:
            assert_alike(one[key], other[key])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            assert_alike(*pair)
    elif isinstance(one, float):
        assert one == pytest.approx(other, abs=1e-4)
    else:
        assert one == other
