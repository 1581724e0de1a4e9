"""Tests on real pretrained weights, which only a folder named by EXPLORER_TEST_MODELS switches on.

It holds `gemma/hf` (Gemma 3 270M) and `qwen/hf` (Qwen2.5-Coder-0.5B-Instruct). Without it nothing
here is collected. One model is in memory at a time; Qwen takes some 5 GB.
"""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine.engine import NnsightEngine
from app.engine.loading import load_engine

FOLDER = os.environ.get("EXPLORER_TEST_MODELS")

collect_ignore_glob = [] if FOLDER else ["test_*.py"]


SECONDS = 1800
"""Of one test: the first one of a model loads it, which takes minutes on a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(SECONDS))


@pytest.fixture(scope="module", params=["gemma", "qwen"])
def engine(request: pytest.FixtureRequest) -> Iterator[NnsightEngine]:
    folder = Path(FOLDER or "") / request.param / "hf"
    loaded = load_engine(str(folder), store_bytes=2**29, readout_bytes=2**28)
    yield loaded
    del loaded
    gc.collect()
