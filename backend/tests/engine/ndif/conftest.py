"""A stand-in for NDIF with the embedded model, shared by the tests of this folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.engine.ndif.connection import Connection
from app.engine.ndif.engine import NdifEngine
from app.engine.ndif.loading import load_engine

BACKEND = Path(__file__).resolve().parents[3]
KEY = "8c1f8a52-0000-4000-8000-canarycanary"


class Stub:
    """The stand-in's process."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.ndif.stub", str(BACKEND / "embedded_model")],
            cwd=BACKEND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.host = self.process.stdout.readline().strip()

    def next_fails(self, *faults: str) -> None:
        httpx.post(f"{self.host}/faults", json=faults).raise_for_status()

    def release(self) -> None:
        """Lets a job that is silent go on."""
        httpx.post(f"{self.host}/release").raise_for_status()

    def keys(self) -> list[str]:
        """The keys that came with jobs, in their order."""
        came: list[str] = httpx.get(f"{self.host}/keys").json()
        return came

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)


@pytest.fixture(scope="session")
def stub() -> Iterator[Stub]:
    stub = Stub()
    yield stub
    stub.end()


@pytest.fixture(scope="session")
def words() -> list[str]:
    """What the loading of `remote` said."""
    return []


@pytest.fixture(scope="session")
def remote(stub: Stub, words: list[str]) -> NdifEngine:
    return load_engine(
        "embedded",
        Connection(stub.host, KEY, 60.0),
        on_progress=lambda _step, detail: words.append(detail),
    )
