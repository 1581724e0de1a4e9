import os
import shutil
from pathlib import Path

import pytest
import torch
from transformers import GPT2LMHeadModel

from app.engine.engine import NnsightEngine
from tests.engine.model_folders import save_tiny_gpt2
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


@pytest.fixture(scope="session")
def saved_gpt2(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GPT2LMHeadModel]:
    """A sound model and its folder, which no test may change."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    return folder, save_tiny_gpt2(folder)


@pytest.fixture
def folder(saved_gpt2: tuple[Path, GPT2LMHeadModel], tmp_path: Path) -> Path:
    """A copy of a sound model, for the test to break."""
    return Path(shutil.copytree(saved_gpt2[0], tmp_path / "broken"))
