"""Jacobian lenses in the published form, and files that only look like one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from app.engine.fitting.published import read_published
from app.engine.loading import load_engine
from app.errors import LensUnavailable
from tests.engine.model_folders import SMALL, save_tiny_gpt2
from tests.engine.small_models import random_ids

N_LAYERS, D_MODEL = 2, 16


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.target),))


def published(**changes: Any) -> dict[str, Any]:
    made = torch.Generator().manual_seed(0)
    matrix = torch.eye(D_MODEL) + 0.3 * torch.randn(D_MODEL, D_MODEL, generator=made)
    stored = {"J": {0: matrix.half()}, "n_prompts": 7, "source_layers": [0], "d_model": D_MODEL}
    return stored | changes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model with a folder for lenses."""
    save_tiny_gpt2(tmp_path / "model")
    (tmp_path / "model" / "lenses").mkdir()
    return tmp_path / "model"


def test_a_published_lens_is_kept_as_safetensors_and_marked(folder: Path, tmp_path: Path) -> None:
    stored = published()
    file = folder / "lenses" / "tiny_jacobian_lens.pt"
    torch.save(stored, file)
    engine = load_engine(str(folder), fitted_lenses=tmp_path / "kept", **SMALL)

    offered = engine.facts.lenses[-1]
    assert (offered.kind, offered.origin) == ("jacobian", "published")
    assert (offered.beats_controls, offered.unfitted_layers) == (None, (0,))
    (kept,) = (tmp_path / "kept").rglob("jacobian.safetensors")
    tensors = load_file(kept)
    # Block 0 puts out layer 1; the embedding has no map.
    assert torch.equal(tensors["jacobian.1"], stored["J"][0])
    assert torch.equal(tensors["jacobian.0"], torch.eye(D_MODEL).half())

    ids = random_ids(8)
    through, plain = engine.read(ids, kind="jacobian"), engine.read(ids)
    assert (through.entropy_nats[0] == plain.entropy_nats[0]).all()
    assert (through.entropy_nats[1] != plain.entropy_nats[1]).all()

    written = kept.stat().st_mtime_ns
    again = load_engine(str(folder), fitted_lenses=tmp_path / "kept", **SMALL)
    assert again.facts.lenses[-1] == offered
    assert kept.stat().st_mtime_ns == written


def test_a_hostile_pickle_is_refused_and_runs_nothing(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "ran"
    torch.save(published(note=Hostile(target)), folder / "lenses" / "jacobian.pt")
    engine = load_engine(str(folder), fitted_lenses=tmp_path / "kept", **SMALL)

    assert not target.exists()
    assert [lens.kind for lens in engine.facts.lenses] == ["logit"]
    with pytest.raises(LensUnavailable, match="more than tensors and plain values"):
        engine.read(random_ids(4), kind="jacobian")
    assert not list(tmp_path.rglob("jacobian.safetensors"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"d_model": 32}, "its d_model is 32"),
        ({"J": {0: torch.eye(8)}}, "block 0 is damaged or of another size"),
        ({"J": {0: torch.full((D_MODEL, D_MODEL), torch.nan)}}, "block 0 is damaged"),
        ({"J": {0: torch.eye(D_MODEL).long()}}, "block 0 is damaged"),
        ({"J": {0: torch.eye(D_MODEL), 2: torch.eye(D_MODEL)}, "source_layers": [0, 2]}, "block 2"),
        ({"J": {}, "source_layers": []}, "no map for 1 of the 1 layers"),
        ({"source_layers": [1]}, "source_layers are not"),
        ({"source_layers": 0}, "source_layers are not"),
        ({"d_model": torch.full((2,), D_MODEL)}, "its d_model is tensor"),
        ({"J": torch.eye(D_MODEL)}, "no J with a matrix"),
        ({"J": {"0": torch.eye(D_MODEL)}}, "no J with a matrix"),
        ({"more": torch.zeros(2_000_000)}, "larger than a lens of 2 layers"),
    ],
)
def test_a_lens_of_another_shape_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    torch.save(published(**changes), tmp_path / "jacobian.pt")
    with pytest.raises(ValueError, match=message):
        read_published(tmp_path / "jacobian.pt", N_LAYERS, D_MODEL)


@pytest.mark.parametrize("content", [b"", b"damaged", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "jacobian.pt").write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged|more than tensors"):
        read_published(tmp_path / "jacobian.pt", N_LAYERS, D_MODEL)
