"""Servers for the client: real processes, most with the model without weights."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pytest
from mechanistic_explorer import Explorer

from tests.server.conftest import Process, start

__all__ = ["start"]


@pytest.fixture(scope="session")
def server() -> Iterator[Process]:
    """One server for all tests that break nothing of it."""
    process = Process([sys.executable, "-m", "tests.server.serve_fake", json.dumps({})])
    try:
        process.wait_until_ready()
        yield process
    finally:
        process.end()
    assert "Traceback" not in process.output, process.output


@pytest.fixture
def explorer(server: Process) -> Iterator[Explorer]:
    with Explorer(url_of(server)) as found:
        yield found


@pytest.fixture
def server_url(server: Process) -> str:
    return url_of(server)


def url_of(server: Process) -> str:
    return f"http://localhost:{server.port}"
