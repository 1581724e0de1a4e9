"""A corpus of a few sentences and a model of a few thousand parameters, trained in seconds."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from training.model import build_model, small_config
from training.optimizers import PeakRates
from training.packing import TokenArray, encode_documents, mix_streams
from training.schedule import Schedule
from training.tokenizer import train_tokenizer
from training.trainer import Trainer, TrainingSettings

SENTENCES = (
    "The capital of France is Paris.\n",
    "The capital of Italy is Rome.\n",
    "User: What is the capital of Spain?\nAssistant: The capital of Spain is Madrid.\n",
    "A cat is an animal. Cats like milk.\n",
    "April is the fourth month of the year, between March and May.\n",
)


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return train_tokenizer(SENTENCES * 4, vocabulary_size=320)


@pytest.fixture(scope="session")
def stream(tokenizer: Tokenizer) -> TokenArray:
    arrays = encode_documents(tokenizer, SENTENCES * 20)
    return mix_streams({"text": arrays}, {"text": 1.0}, main_source="text")


@pytest.fixture
def tiny_model(tokenizer: Tokenizer) -> GPT2LMHeadModel:
    config = small_config(
        d_vocab=tokenizer.get_vocab_size(), n_ctx=64, d_model=32, n_layers=2, n_heads=2
    )
    return build_model(config, seed=3)


@pytest.fixture
def taught_model(tiny_model: GPT2LMHeadModel, tokenizer: Tokenizer) -> GPT2LMHeadModel:
    """A model that knows the first two sentences by heart."""
    optimizer = torch.optim.AdamW(tiny_model.parameters(), lr=5e-3)
    rows = [torch.tensor([tokenizer.encode(sentence).ids]) for sentence in SENTENCES[:2]]
    for _ in range(60):
        loss = sum(tiny_model(ids, labels=ids).loss for ids in rows)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    return tiny_model


@pytest.fixture
def trainer(tiny_model: GPT2LMHeadModel, stream: TokenArray, tmp_path: Path) -> Trainer:
    return make_trainer(tiny_model, stream, tmp_path)


def make_trainer(model: GPT2LMHeadModel, stream: TokenArray, work: Path) -> Trainer:
    schedule = Schedule(
        target_tokens=128 * 40,
        short_row_length=16,
        full_row_length=64,
        full_length_from=0.5,
    )
    settings = TrainingSettings(
        seed=3, tokens_per_step=128, tokens_per_pass=64, peak_rates=PeakRates(muon=1e-2, adamw=5e-3)
    )
    return Trainer(model, stream, stream, schedule, settings, work)
