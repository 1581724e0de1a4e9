"""The Jacobian lens, against a slow computation that shares nothing with it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from app.engine.fitting.jacobian import JacobianSettings, fit_jacobian_lens, sequence_jacobians
from app.engine.gradients import HookedDecoder
from app.engine.structure import find_structure
from tests.engine.small_models import FAMILIES, random_ids, random_model

LENGTH = 8
FIRST = 2
SETTINGS = JacobianSettings(first_position=FIRST, dimensions_per_pass=5)
"""5 does not divide the 32 dimensions, so the last pass is a short one."""
SEQUENCES = torch.tensor([random_ids(LENGTH, seed=seed) for seed in range(5)])
BELONGS_TO = {"text": "these"}


def decoder_of(family: str) -> HookedDecoder:
    model = random_model(FAMILIES[family].config()).requires_grad_(False)
    return HookedDecoder(model, find_structure(model))


@pytest.fixture
def decoder() -> HookedDecoder:
    return decoder_of("gpt2")


def slow_jacobian(model: nn.Module, blocks: nn.ModuleList, ids: torch.Tensor, layer: int) -> Any:
    """From the full Jacobian `[target, d_model, source, d_model]`, by loops over positions."""
    inputs: list[torch.Tensor] = []

    def last_stream(stream: torch.Tensor) -> torch.Tensor:
        outputs: list[torch.Tensor] = []

        def replace(_block: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
            inputs.append(args[0])
            return (stream[None], *args[1:]) if len(stream) else args

        def keep(_block: nn.Module, _args: tuple[Any, ...], output: Any) -> None:
            outputs.append(output[0] if isinstance(output, tuple) else output)

        handles = [
            blocks[layer].register_forward_pre_hook(replace),
            blocks[-1].register_forward_hook(keep),
        ]
        model(ids[None], use_cache=False)
        for handle in handles:
            handle.remove()
        return outputs[0][0]

    last_stream(torch.empty(0))
    full = torch.autograd.functional.jacobian(last_stream, inputs[0][0].detach())
    total = torch.zeros(full.shape[1], full.shape[3])
    sources = range(FIRST, LENGTH - 1)
    for source in sources:
        for target in range(source, LENGTH - 1):
            total += full[target, :, source]
    return total / len(sources)


@pytest.mark.parametrize("family", ["gpt2", "gptj", "llama", "gemma2"])
def test_it_equals_a_slow_computation(family: str) -> None:
    """A tuple between blocks (gptj), rotary positions (llama), a sliding window (gemma2)."""
    decoder = decoder_of(family)
    blocks = decoder.model.get_submodule(FAMILIES[family].blocks)

    jacobians = sequence_jacobians(decoder, SEQUENCES[0], SETTINGS)

    assert jacobians.shape == (3, decoder.d_model, decoder.d_model)
    for layer, jacobian in enumerate(jacobians):
        expected = slow_jacobian(decoder.model, blocks, SEQUENCES[0], layer)
        # Rounding of float32 in sums of a few hundred terms.
        tolerance = 1e-4 * float(expected.abs().max())
        torch.testing.assert_close(jacobian, expected, atol=tolerance, rtol=0)


def test_a_last_block_that_adds_nothing_has_the_identity() -> None:
    model = random_model(FAMILIES["gpt2"].config()).requires_grad_(False)
    last = model.get_submodule("transformer.h")[-1]
    for part in (last.attn.c_proj, last.mlp.c_proj):
        part.weight.zero_()
        part.bias.zero_()

    jacobians = sequence_jacobians(
        HookedDecoder(model, find_structure(model)), SEQUENCES[0], SETTINGS
    )

    torch.testing.assert_close(jacobians[-1], torch.eye(32))
    assert not torch.allclose(jacobians[-2], torch.eye(32), atol=0.1)


def test_dimensions_of_a_pass_do_not_change_the_result(decoder: HookedDecoder) -> None:
    singly = JacobianSettings(first_position=FIRST, dimensions_per_pass=1)

    torch.testing.assert_close(
        sequence_jacobians(decoder, SEQUENCES[0], SETTINGS),
        sequence_jacobians(decoder, SEQUENCES[0], singly),
    )


def test_bfloat16_products_give_nearly_the_same(decoder: HookedDecoder) -> None:
    exact = sequence_jacobians(decoder, SEQUENCES[0], SETTINGS)

    rounded = sequence_jacobians(
        decoder, SEQUENCES[0], JacobianSettings(first_position=FIRST, is_bfloat16=True)
    )

    # bfloat16 has 8 bits, so a product is off by up to 0.4 %; large random weights multiply that.
    assert 0.0 < float((rounded - exact).norm() / exact.norm()) < 0.1


def test_the_mean_is_over_sequences_and_halves_are_compared(
    decoder: HookedDecoder, tmp_path: Path
) -> None:
    sums = fit_jacobian_lens(decoder, SEQUENCES, SETTINGS, tmp_path / "c", BELONGS_TO)

    each = torch.stack([sequence_jacobians(decoder, ids, SETTINGS) for ids in SEQUENCES])
    mean = each.mean(dim=0)
    torch.testing.assert_close(sums.mean(), mean)
    difference = each[0::2].mean(dim=0) - each[1::2].mean(dim=0)
    for layer, relative in enumerate(sums.relative_difference()):
        assert float(relative) == pytest.approx(
            float(difference[layer].norm() / mean[layer].norm()), rel=1e-4
        )


def test_a_resumed_fit_equals_one_that_was_not_stopped(
    decoder: HookedDecoder, tmp_path: Path
) -> None:
    whole = fit_jacobian_lens(decoder, SEQUENCES, SETTINGS, tmp_path / "whole", BELONGS_TO)

    stopped = fit_jacobian_lens(
        decoder, SEQUENCES, SETTINGS, tmp_path / "c", BELONGS_TO, lambda n_done: n_done == 2
    )
    resumed = fit_jacobian_lens(decoder, SEQUENCES, SETTINGS, tmp_path / "c", BELONGS_TO)

    assert stopped.n_sequences == 2
    assert resumed.n_sequences == len(SEQUENCES)
    assert torch.equal(resumed.halves, whole.halves)


@pytest.mark.parametrize("change", [{"is_bfloat16": True}, {"first_position": FIRST + 1}])
def test_a_fit_does_not_go_on_with_other_settings(
    decoder: HookedDecoder, tmp_path: Path, change: dict[str, int]
) -> None:
    fit_jacobian_lens(
        decoder, SEQUENCES, SETTINGS, tmp_path / "c", BELONGS_TO, lambda n_done: n_done == 2
    )
    other = dataclasses.replace(SETTINGS, **change)
    with pytest.raises(ValueError, match=f"a fit with another {next(iter(change))}: remove it"):
        fit_jacobian_lens(decoder, SEQUENCES, other, tmp_path / "c", BELONGS_TO)


def test_sequences_that_leave_no_position_are_refused(
    decoder: HookedDecoder, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="8 tokens are too short"):
        fit_jacobian_lens(decoder, SEQUENCES, JacobianSettings(), tmp_path / "c", BELONGS_TO)


def test_progress_names_the_sequence_the_convergence_and_the_time_left(
    decoder: HookedDecoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    always = JacobianSettings(first_position=FIRST, log_every_seconds=0.0, save_every_seconds=0.0)

    with caplog.at_level("INFO"):
        fit_jacobian_lens(decoder, SEQUENCES[:2], always, tmp_path / "c", BELONGS_TO)

    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith("sequence 1 of 2: no halves to compare yet, ")
    assert second.startswith("sequence 2 of 2: halves differ by ")
    assert second.endswith("0.0 min left")
