"""Fitted lenses: applied as they say, and only to the weights they belong to."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformers import GPT2LMHeadModel

from app.engine.engine import NnsightEngine
from app.engine.lenses import Lenses, LensFiles
from app.engine.loading import load_engine
from app.engine.types import LensColumns, LensKind, Pairs, Side, Step, Wanted
from app.engine.unembed import Unembedding
from app.errors import LensUnavailable
from tests.engine.model_folders import save_tiny_gpt2
from tests.engine.reference import PlainModel
from tests.engine.small_models import greedy

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
    assert "Fit one" in str(caught.value.hint)


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


# --- in a reply, and on other devices -------------------------------------------------------------


@pytest.mark.parametrize("in_pass", [True, False])
@pytest.mark.parametrize("kind", ["tuned", "jacobian"])
def test_a_reply_is_read_through_a_fitted_lens(
    engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch, kind: LensKind, in_pass: bool
) -> None:
    monkeypatch.setattr(engine.decoder, "reads_in_pass", in_pass)
    wanted = Wanted((0, 1, 2), 3, (9,), kind)
    lineage = [f"{kind} {in_pass}"]
    items = list(engine.generate(IDS, greedy(6), wanted=wanted, lineage=lineage))
    timeline = [*IDS, *(item.token_id for item in items if isinstance(item, Step))]
    read = [item for item in items if isinstance(item, LensColumns)]

    assert len(read) == len(timeline) - len(IDS) == 6
    stored = engine.read(timeline, kind=kind, top_k=3, targets=[9], lineage=lineage)
    for column, columns in enumerate(read, start=len(IDS) - 1):
        assert columns.positions == (column,)
        np.testing.assert_array_equal(columns.top_ids[:, 0], stored.top_ids[:, column])
        np.testing.assert_allclose(
            columns.entropy_nats[:, 0], stored.entropy_nats[:, column], atol=1e-5
        )
        np.testing.assert_array_equal(columns.target_rank[..., 0], stored.target_rank[..., column])


class Elsewhere:
    """A decoder whose model is on another device than main memory."""

    n_layers, d_model, d_vocab = N_LAYERS, D_MODEL, 100
    device = torch.device("meta")
    row_multiple = 16
    model = None


@pytest.mark.parametrize("streams_at", ["cpu", "meta"])
@pytest.mark.parametrize("kind", ["logit", "tuned", "jacobian"])
def test_a_lens_is_applied_on_the_models_device(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: LensKind, streams_at: str
) -> None:
    """Streams of a reply lie there, those of the store in main memory: neither may meet the other."""
    files = LensFiles(folder / "lenses", lambda: sha256(folder))
    lenses = Lenses(files, N_LAYERS, D_MODEL, Elsewhere.device)
    monkeypatch.setattr(Unembedding, "__init__", lambda *_: None)
    unembedding = Unembedding()
    unembedding._decoder = Elsewhere()
    streams = torch.zeros(4, N_LAYERS + 1, D_MODEL, device=streams_at)

    rows = unembedding.rows(streams, [2, 0, 1], lenses.get(kind, "model", "kind"))

    assert (rows.shape, rows.device) == ((4, 3, D_MODEL), Elsewhere.device)


def test_a_model_on_another_device_than_its_store_gives_the_same_bits(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`cpu:0` is the same memory by another name, so that everything is copied as to and from a GPU."""
    wanted = Wanted((0, 1, 2), 3, (9,), "tuned")

    def reply(engine: NnsightEngine) -> list[object]:
        items = engine.generate(IDS, greedy(5), wanted=wanted, lineage=["mine"])
        return [
            item if isinstance(item, Step) else item.entropy_nats.tobytes()
            for item in items
            if isinstance(item, Step | LensColumns)
        ]

    beside, elsewhere = load(folder), load(folder)
    copies: list[torch.device] = []
    staging = elsewhere.decoder._staging

    def counted(rows: torch.Tensor) -> torch.Tensor:
        found = staging(rows)
        copies.append(found.device)
        assert found is not rows
        return found

    monkeypatch.setattr(elsewhere.decoder, "device", torch.device("cpu:0"))
    monkeypatch.setattr(elsewhere.decoder, "_staging", counted)
    assert reply(elsewhere) == reply(beside)
    assert len(copies) == 5
    one, two = elsewhere.read(IDS, kind="jacobian"), beside.read(IDS, kind="jacobian")
    np.testing.assert_array_equal(one.entropy_nats, two.entropy_nats)
