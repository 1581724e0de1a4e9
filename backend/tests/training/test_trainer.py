import copy
import dataclasses
from pathlib import Path

import pytest
import torch
from transformers import GPT2LMHeadModel

from tests.training.conftest import make_trainer
from training.model import training_losses
from training.optimizers import PeakRates, build_optimizers
from training.packing import TokenArray, exit_places
from training.trainer import Trainer


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


def test_training_losses_equal_those_of_the_models_own_layers(
    tiny_model: GPT2LMHeadModel,
) -> None:
    rows = torch.randint(0, 320, (2, 65), generator=torch.Generator().manual_seed(0))
    exits = torch.tensor([[1, 1, 1], [0, 70, 127]])

    with torch.no_grad():
        loss, exit_loss = training_losses(tiny_model, rows, torch.zeros(2, dtype=torch.long), exits)
        output = tiny_model(rows[:, :-1], output_hidden_states=True)
        inner = output.hidden_states[1].flatten(0, 1)[exits[1]]
        log_p = tiny_model.lm_head(tiny_model.transformer.ln_f(inner)).log_softmax(-1)
    targets = rows[:, 1:].flatten()
    expected = torch.nn.functional.cross_entropy(output.logits.flatten(0, 1), targets)
    expected_exit = -sum(log_p[i, targets[place]] for i, place in enumerate(exits[1])) / 3

    # Same operations in the same order; only the attention kernel may round differently.
    assert abs(loss - expected) < 1e-5
    assert abs(exit_loss - expected_exit) < 1e-5


def test_places_of_early_exits_cover_the_inner_layers() -> None:
    exits = exit_places(4000, n_layers=4, n_places=100, seed=1, tokens_seen=0)

    assert set(exits[0].tolist()) == {1, 2, 3}
    assert set(exits[1].tolist()) == set(range(100))


def test_a_step_of_several_passes_is_that_of_one(
    tiny_model: GPT2LMHeadModel, stream: TokenArray, tmp_path: Path
) -> None:
    """Full rows begin at position 0, and without early exits nothing else is drawn for a pass."""
    trainers = []
    for tokens_per_pass in (128, 64):
        trainer = make_trainer(copy.deepcopy(tiny_model), stream, tmp_path)
        trainer.schedule = dataclasses.replace(trainer.schedule, full_length_from=0.0)
        trainer.settings = dataclasses.replace(
            trainer.settings, tokens_per_pass=tokens_per_pass, exit_weight=0.0, gradient_norm=1e9
        )
        trainers.append(trainer)
    whole, parts = trainers

    losses = whole.step(), parts.step()

    assert parts.progress.tokens_seen == whole.progress.tokens_seen == 128
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    # After one step both optimisers' averages are the gradient times a constant.
    for first, second in zip(whole.optimizers, parts.optimizers, strict=True):
        averages = [
            {
                name: value
                for index, state in optimizer.state_dict()["state"].items()
                for name, value in ((f"{index} {key}", each) for key, each in state.items())
            }
            for optimizer in (first, second)
        ]
        torch.testing.assert_close(averages[0], averages[1], atol=1e-6, rtol=1e-4)


def test_rows_in_bfloat16_give_nearly_the_same_loss(trainer: Trainer) -> None:
    exact = trainer.validation_loss(n_tokens=256)

    trainer.settings = dataclasses.replace(trainer.settings, is_bfloat16=True)

    # 8 bits of each logit of about one unit, averaged over hundreds of tokens.
    assert trainer.validation_loss(n_tokens=256) == pytest.approx(exact, abs=0.02)
    assert trainer.validation_loss(n_tokens=256) != exact


def test_every_parameter_has_one_optimiser(tiny_model: GPT2LMHeadModel) -> None:
    muon, adamw = build_optimizers(tiny_model, PeakRates(), weight_decay=0.1)
    in_muon = [p for group in muon.param_groups for p in group["params"]]
    in_adamw = [p for group in adamw.param_groups for p in group["params"]]

    assert {id(p) for p in in_muon} | {id(p) for p in in_adamw} == {
        id(p) for p in tiny_model.parameters()
    }
    assert len(in_muon) == 4 * tiny_model.config.n_layer
    assert len(in_muon) + len(in_adamw) == len(list(tiny_model.parameters()))
    assert all(group["weight_decay"] == 0.1 for group in muon.param_groups)
    assert all(group["weight_decay"] == 0.0 for group in adamw.param_groups)
