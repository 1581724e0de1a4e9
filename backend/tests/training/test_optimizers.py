"""The optimisers of a run."""

import copy

import pytest
import torch
from torch import nn

from training.optimizers import Float32Muon, orthogonalised

SHAPES = [(24, 24), (48, 16), (16, 48)]
SETTINGS = {"lr": 0.01, "weight_decay": 0.05, "momentum": 0.95, "adjust_lr_fn": "match_rms_adamw"}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_matrix_keeps_its_singular_vectors_and_loses_their_sizes(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    left, sizes, right = torch.linalg.svd(matrix, full_matrices=False)
    found = orthogonalised(matrix, (3.4445, -4.7750, 2.0315), 5)
    between = left.T @ found @ right.T
    new_sizes = between.diagonal()
    assert float((between - new_sizes.diag()).abs().max()) <= 1e-9
    # A very small one needs more than the usual five iterations.
    is_usual = sizes > 0.05 * sizes.max()
    assert float(new_sizes[is_usual].min()) > 0.5
    assert float(new_sizes.max()) < 1.3


@pytest.mark.parametrize("shape", SHAPES)
def test_steps_in_float32_are_those_of_pytorch_but_for_its_rounding(shape: tuple[int, int]) -> None:
    draw = torch.Generator().manual_seed(2)
    ours = nn.Parameter(torch.randn(shape, generator=draw))
    theirs = copy.deepcopy(ours)
    start = ours.detach().clone()
    of_ours, of_theirs = Float32Muon([ours], **SETTINGS), torch.optim.Muon([theirs], **SETTINGS)
    for _ in range(5):
        gradient = torch.randn(shape, generator=draw)
        for weight, optimizer in ((ours, of_ours), (theirs, of_theirs)):
            weight.grad = gradient.clone()
            optimizer.step()
    moved, expected = ours.detach() - start, theirs.detach() - start
    assert float((moved - expected).norm() / expected.norm()) < 0.03
    assert of_ours.state_dict()["state"][0].keys() == of_theirs.state_dict()["state"][0].keys()
    torch.testing.assert_close(
        of_ours.state[ours]["momentum_buffer"], of_theirs.state[theirs]["momentum_buffer"]
    )
