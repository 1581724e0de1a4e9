import os

import pytest
import torch

from app.engine.engine import NnsightEngine
from tests.engine.reference import PlainModel
from tests.engine.small_models import FAMILIES, engine_of, fresh, random_model


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small products are slower on many threads, and far slower on a busy machine."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def gpt2() -> torch.nn.Module:
    return random_model(FAMILIES["gpt2"].config())


@pytest.fixture(scope="session")
def plain_gpt2(gpt2: torch.nn.Module) -> PlainModel:
    return PlainModel(gpt2, "transformer.h")


@pytest.fixture(scope="session")
def loaded_gpt2(gpt2: torch.nn.Module) -> NnsightEngine:
    return engine_of(gpt2)


@pytest.fixture
def engine(loaded_gpt2: NnsightEngine) -> NnsightEngine:
    """A small GPT-2 with an empty store."""
    return fresh(loaded_gpt2)
