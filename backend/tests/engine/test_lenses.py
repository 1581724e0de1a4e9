"""Fitted lenses: applied as they say, and only to the weights they belong to."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import GPT2LMHeadModel

from app.engine.engine import NnsightEngine
from app.engine.loading import load_engine
from app.engine.types import Pairs, Side
from app.errors import LensUnavailable
from tests.engine.model_folders import save_tiny_gpt2
from tests.engine.reference import PlainModel

N_LAYERS, D_MODEL = 2, 16
IDS = [5, 9, 30, 12, 7]


def sha256(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def matrices(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(N_LAYERS, D_MODEL, D_MODEL, generator=generator) * 0.3


def write_lenses(folder: Path, weights: str) -> None:
    """A tuned and a Jacobian lens of random matrices, in float32."""
    folder.mkdir(exist_ok=True)
    tuned = {f"weight.{i}": m for i, m in enumerate(matrices(1))}
    tuned |= {f"bias.{i}": m[0].clone() for i, m in enumerate(matrices(2))}
    metadata = {"weights_sha256": weights, "tokens": "12800"}
    save_file(tuned, folder / "tuned.safetensors", metadata)
    jacobian = {f"jacobian.{i}": m for i, m in enumerate(matrices(3))}
    save_file(jacobian, folder / "jacobian.safetensors", metadata)


def load(folder: Path, lenses: Path | None = None) -> NnsightEngine:
    return load_engine(
        str(folder),
        device="cpu",
        threads=1,
        store_bytes=2**22,
        readout_bytes=2**20,
        lenses=lenses,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    save_tiny_gpt2(path)
    write_lenses(path / "lenses", sha256(path))
    return path


@pytest.fixture(scope="module")
def engine(folder: Path) -> NnsightEngine:
    return load(folder)


def slow_rows(kind: str, layer: int, rows: list[list[float]]) -> list[list[float]]:
    """What the lens makes of rows, number by number."""
    if kind == "tuned":
        weight, bias = matrices(1)[layer].tolist(), matrices(2)[layer][0].tolist()
    else:
        weight, bias = matrices(3)[layer].tolist(), [0.0] * D_MODEL
    made = []
    for row in rows:
        moved = [
            sum(w * x for w, x in zip(weight[i], row, strict=True)) + bias[i]
            for i in range(D_MODEL)
        ]
        made.append([m + (x if kind == "tuned" else 0.0) for m, x in zip(moved, row, strict=True)])
    return made


def slow_log_p(plain: PlainModel, kind: str, layer: int) -> torch.Tensor:
    """Log-probabilities of one layer of `IDS` through a lens, float64 `[len(IDS), d_vocab]`."""
    stream = plain.residuals(IDS)[layer]
    if kind != "logit" and layer < N_LAYERS:
        stream = torch.tensor([slow_rows(kind, layer, stream[0].tolist())])
    return plain.lens_logits(IDS, stream).double().log_softmax(-1)


@pytest.mark.parametrize("kind", ["tuned", "jacobian"])
def test_read_outs_are_those_of_the_moved_rows(engine: NnsightEngine, folder: Path, kind) -> None:
    plain = PlainModel(GPT2LMHeadModel.from_pretrained(folder).eval(), "transformer.h")
    columns = engine.read(IDS, kind=kind, top_k=3)

    assert columns is not None
    final = plain.logits(IDS).double().log_softmax(-1)
    for layer in range(N_LAYERS + 1):
        log_p = slow_log_p(plain, kind, layer)
        entropy = -(log_p.exp() * log_p).sum(-1)
        kl = (final.exp() * (final - log_p)).sum(-1)
        for position in range(len(IDS)):
            at = (layer, position)
            assert columns.entropy_nats[at] == pytest.approx(entropy[position].item(), abs=1e-4)
            assert columns.kl_to_final_nats[at] == pytest.approx(kl[position].item(), abs=1e-4)
            best = int(log_p[position].argmax())
            assert columns.top_ids[at][0] == best
            assert columns.top_probabilities[at][0] == pytest.approx(
                log_p[position, best].exp().item(), abs=1e-5
            )


@pytest.mark.parametrize(("a_kind", "b_kind"), [("logit", "tuned"), ("jacobian", "logit")])
def test_two_lenses_of_one_text_are_compared(
    engine: NnsightEngine, folder: Path, a_kind, b_kind
) -> None:
    plain = PlainModel(GPT2LMHeadModel.from_pretrained(folder).eval(), "transformer.h")
    every = range(N_LAYERS + 1)
    pairs = Pairs(tuple((i, i) for i in every), tuple((i, i) for i in range(len(IDS))))
    (found,) = filter(
        None, engine.comparing(Side(tuple(IDS), a_kind), Side(tuple(IDS), b_kind), pairs)
    )

    for layer in every:
        a, b = slow_log_p(plain, a_kind, layer), slow_log_p(plain, b_kind, layer)
        expected = (a.exp() * (a - b)).sum(-1)
        assert found.kl_a_to_b_nats[layer].tolist() == pytest.approx(expected.tolist(), abs=1e-4)
        assert found.a_top_id[layer].tolist() == a.argmax(-1).tolist()
        assert found.b_top_id[layer].tolist() == b.argmax(-1).tolist()
    assert (found.js_nats[:-1] > 0).all()
    assert (found.js_nats[-1] == 0).all()


def test_lenses_differ_below_the_output_and_agree_there(engine: NnsightEngine) -> None:
    logit, tuned = engine.read(IDS), engine.read(IDS, kind="tuned")

    assert logit is not None
    assert tuned is not None
    assert (logit.entropy_nats[:-1] != tuned.entropy_nats[:-1]).all()
    assert (logit.entropy_nats[-1] == tuned.entropy_nats[-1]).all()


def test_model_tells_its_lenses(engine: NnsightEngine) -> None:
    assert [(lens.kind, lens.fitted_tokens) for lens in engine.facts.lenses] == [
        ("logit", None),
        ("tuned", 12800),
        ("jacobian", 12800),
    ]


def test_lens_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    save_tiny_gpt2(tmp_path)
    engine = load(tmp_path)

    assert [lens.kind for lens in engine.facts.lenses] == ["logit"]
    with pytest.raises(LensUnavailable, match="has no tuned lens") as caught:
        engine.read(IDS, kind="tuned")
    assert caught.value.param == "kind"
    assert "fit-tuned-lens" in str(caught.value.hint)


def test_lens_of_other_weights_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_tiny_gpt2(tmp_path)
    write_lenses(tmp_path / "lenses", "0" * 64)

    engine = load(tmp_path)

    assert [lens.kind for lens in engine.facts.lenses] == ["logit"]
    assert "fitted to other weights" in caplog.text
    with pytest.raises(LensUnavailable, match=r"tuned.safetensors is not used: .*other weights"):
        engine.require_lens("tuned", "lens.kind")


@pytest.mark.parametrize("damage", ["cut", "size", "nan", "missing"])
def test_damaged_lens_is_not_used(tmp_path: Path, damage: str) -> None:
    save_tiny_gpt2(tmp_path)
    write_lenses(tmp_path / "lenses", sha256(tmp_path))
    path = tmp_path / "lenses" / "jacobian.safetensors"
    bad = torch.full((D_MODEL, D_MODEL), float("nan")) if damage == "nan" else torch.zeros(3, 3)
    tensors = {"jacobian.0": matrices(3)[0], "jacobian.1": bad}
    if damage == "missing":
        del tensors["jacobian.1"]
    save_file(tensors, path, {"weights_sha256": sha256(tmp_path)})
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])

    engine = load(tmp_path)

    assert [lens.kind for lens in engine.facts.lenses] == ["logit", "tuned"]
    with pytest.raises(LensUnavailable, match="not used"):
        engine.read(IDS, kind="jacobian")


def test_lenses_may_lie_in_a_folder_of_their_own(folder: Path, tmp_path: Path) -> None:
    write_lenses(tmp_path, sha256(folder))
    (tmp_path / "jacobian.safetensors").unlink()

    engine = load(folder, lenses=tmp_path)

    assert [lens.kind for lens in engine.facts.lenses] == ["logit", "tuned"]
