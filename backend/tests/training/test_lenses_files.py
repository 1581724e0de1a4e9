"""Lens files and the checkpoints of fits."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from app.engine.fitting.files import (
    LensFile,
    load_checkpoint,
    read_lens,
    save_checkpoint,
    write_lens,
)

MATRIX = torch.randn(6, 6, generator=torch.Generator().manual_seed(0))


def test_a_lens_comes_back_within_float16(tmp_path: Path) -> None:
    lens = LensFile("jacobian", {"jacobian.0": MATRIX}, {"model": "small", "seed": "3"})

    path = write_lens(tmp_path / "lenses", lens)

    assert path == tmp_path / "lenses" / "jacobian.safetensors"
    assert list(path.parent.iterdir()) == [path]
    stored = read_lens(tmp_path / "lenses", "jacobian")
    # float16 has 11 bits.
    torch.testing.assert_close(stored.tensors["jacobian.0"], MATRIX, rtol=2**-11, atol=1e-7)
    assert stored.tensors["jacobian.0"].dtype == torch.float32
    assert stored.metadata["model"] == "small"
    assert stored.metadata["seed"] == "3"
    assert stored.metadata["kind"] == "jacobian"
    assert "row = output dimension" in stored.metadata["convention"]


def test_what_float16_cannot_hold_is_refused(tmp_path: Path) -> None:
    lens = LensFile("tuned", {"weight.0": MATRIX, "bias.0": torch.tensor([1e6])}, {})

    with pytest.raises(ValueError, match=r"bias.0 of the tuned lens"):
        write_lens(tmp_path, lens)

    assert not list(tmp_path.iterdir())


def test_a_checkpoint_comes_back_exactly(tmp_path: Path) -> None:
    path = tmp_path / "lenses" / "tuned.checkpoint"
    assert load_checkpoint(path, {"text": "a"}) is None

    save_checkpoint(path, {"text": "a"}, {"matrix": MATRIX, "step": 7})

    state = load_checkpoint(path, {"text": "a"})
    assert state is not None
    assert torch.equal(state["matrix"], MATRIX)
    assert state["step"] == 7


def test_the_checkpoint_of_another_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tuned.checkpoint"
    save_checkpoint(path, {"text": "a", "seed": 1}, {})

    with pytest.raises(ValueError, match="another text: remove it"):
        load_checkpoint(path, {"text": "b", "seed": 1})
