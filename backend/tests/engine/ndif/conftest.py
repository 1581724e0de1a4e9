"""A stand-in for NDIF with the embedded model, shared by the tests of this folder."""

from __future__ import annotations

import os
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
def told() -> list[str]:
    """What the loading of `stubbed` said."""
    return []


@pytest.fixture(scope="session")
def stubbed(stub: Stub, told: list[str]) -> NdifEngine:
    """The embedded model on the stand-in."""
    connection = Connection(stub.host, KEY, 60.0)
    return load_engine(
        "embedded", connection, on_progress=lambda _step, detail: told.append(detail)
    )


@pytest.fixture(scope="session")
def remote(request: pytest.FixtureRequest) -> NdifEngine:
    """The embedded model on the NDIF server that EXPLORER_TEST_NDIF names, else on the stand-in.

    A server of one's own has to see the model's folder at the same path (docs/cluster.md).
    """
    host = os.environ.get("EXPLORER_TEST_NDIF")
    if host is None:
        stubbed: NdifEngine = request.getfixturevalue("stubbed")
        return stubbed
    key = os.environ.get("EXPLORER_TEST_NDIF_KEY")
    return load_engine("embedded", Connection(host, key, 600.0))
