import copy
from pathlib import Path

import torch
from transformers import GPT2LMHeadModel

from tests.training.conftest import make_trainer
from training.model import training_logits
from training.packing import TokenArray
from training.trainer import Trainer, build_optimizer


def test_training_lowers_the_loss(trainer: Trainer) -> None:
    before = trainer.validation_loss()

    trainer.run()

    assert trainer.validation_loss() < before - 2.0


def test_resumed_run_equals_uninterrupted_run(
    tiny_model: GPT2LMHeadModel, stream: TokenArray, tmp_path: Path
) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole = make_trainer(copy.deepcopy(tiny_model), stream, tmp_path / "whole")
    first = make_trainer(copy.deepcopy(tiny_model), stream, tmp_path / "parts")

    whole.run()
    first.run(max_steps=17)
    second = make_trainer(copy.deepcopy(tiny_model), stream, tmp_path / "parts")
    second.resume(tmp_path / "parts" / "checkpoint.pt")
    second.run()

    assert second.progress.tokens_seen == whole.progress.tokens_seen
    for name, value in whole.model.state_dict().items():
        assert torch.equal(second.model.state_dict()[name], value), name


def test_training_forward_equals_the_models_own(tiny_model: GPT2LMHeadModel) -> None:
    ids = torch.randint(0, 320, (2, 64), generator=torch.Generator().manual_seed(0))
    positions = torch.arange(64).expand(2, -1)

    with torch.no_grad():
        difference = training_logits(tiny_model, ids, positions) - tiny_model(ids).logits

    # Same operations in the same order; only the attention kernel may round differently.
    assert difference.abs().max() < 1e-5


def test_weight_decay_spares_biases_and_norms(tiny_model: GPT2LMHeadModel) -> None:
    decayed, spared = build_optimizer(tiny_model, weight_decay=0.1).param_groups

    assert decayed["weight_decay"] == 0.1
    assert all(parameter.dim() == 2 for parameter in decayed["params"])
    assert spared["weight_decay"] == 0.0
    assert all(parameter.dim() == 1 for parameter in spared["params"])
