"""The comparison of lenses, and the steps from text to table."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from app.engine.engine import NnsightEngine
from app.engine.fitting.files import LensFile, read_lens, write_lens
from app.engine.lenses import jacobian_lens, logit_lens, tuned_lens
from app.errors import LensUnavailable
from tests.engine.model_folders import save_tiny_gpt2
from tests.engine.reference import PlainModel
from tests.engine.small_models import FAMILIES, engine_of, random_ids, random_model
from training.__main__ import build_parser
from training.lenses.compare import markdown_table, score_lenses
from training.lenses.steps import compare, fit_jacobian, fit_tuned

SEQUENCES = torch.tensor([random_ids(10, seed=seed) for seed in range(3)])
MATRIX = torch.randn(32, 32, generator=torch.Generator().manual_seed(0))
BIAS = torch.randn(32, generator=torch.Generator().manual_seed(1))


class Loaded:
    def __init__(self) -> None:
        model = random_model(FAMILIES["llama"].config())
        self.plain = PlainModel(model, "model.layers")
        self.engine: NnsightEngine = engine_of(model)


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return Loaded()


def test_scores_equal_those_of_the_plain_model(loaded: Loaded) -> None:
    scores = score_lenses(loaded.engine.decoder, SEQUENCES, {"logit": logit_lens})

    assert [score.layer for score in scores] == [0, 1, 2]
    for score in scores:
        kls, ranks = [], []
        for ids in SEQUENCES.tolist():
            final = loaded.plain.logits(ids)
            stream = loaded.plain.residuals(ids)[score.layer]
            logits = loaded.plain.lens_logits(ids, stream)
            for p, q in zip(final, logits, strict=True):
                kls.append(
                    float(
                        torch.distributions.kl_divergence(
                            torch.distributions.Categorical(logits=p.double()),
                            torch.distributions.Categorical(logits=q.double()),
                        )
                    )
                )
                ranks.append(1 + sum(x > q[int(p.argmax())] for x in q.tolist()))
        assert score.mean_kl_nats == pytest.approx(statistics.fmean(kls), rel=1e-3)
        assert score.median_rank == statistics.median(ranks)
        assert score.mean_rank == pytest.approx(statistics.fmean(map(int, ranks)))


def test_a_jacobian_takes_rows_as_column_vectors() -> None:
    rows = torch.randn(4, 32)

    lens = jacobian_lens({"jacobian.1": MATRIX})

    expected = torch.stack([torch.mv(MATRIX, row) for row in rows])
    torch.testing.assert_close(lens(rows, 1), expected)


def test_a_translator_adds_its_affine_map() -> None:
    rows = torch.randn(4, 32)

    lens = tuned_lens({"weight.1": MATRIX, "bias.1": BIAS})

    expected = torch.stack([row + torch.mv(MATRIX, row) + BIAS for row in rows])
    torch.testing.assert_close(lens(rows, 1), expected)


def test_lenses_that_change_nothing_score_as_the_logit_lens(loaded: Loaded) -> None:
    zero, one = torch.zeros(32, 32), torch.eye(32)
    jacobian = {f"jacobian.{layer}": one for layer in range(3)}
    tuned = {f"weight.{layer}": zero for layer in range(3)}
    tuned |= {f"bias.{layer}": torch.zeros(32) for layer in range(3)}
    lenses = {
        "logit": logit_lens,
        "tuned": tuned_lens(tuned),
        "jacobian": jacobian_lens(jacobian),
    }

    scores = score_lenses(loaded.engine.decoder, SEQUENCES, lenses)

    by_lens = {name: [s.mean_kl_nats for s in scores if s.lens == name] for name in lenses}
    assert by_lens["tuned"] == by_lens["logit"] == by_lens["jacobian"]


@pytest.fixture
def options(tmp_path: Path) -> Callable[..., argparse.Namespace]:
    """Options of a step for a small model in the folder `model`, and a text of its own."""
    save_tiny_gpt2(tmp_path / "model")
    text = tmp_path / "text.json"
    text.write_text(json.dumps([f"Number {i} is a number." for i in range(300)]), encoding="utf-8")
    where = ["--model", str(tmp_path / "model"), "--text", str(text)]

    def parsed(*arguments: str) -> argparse.Namespace:
        every = [*arguments, *where, "--length", "32", "--device", "cpu", "--threads", "1"]
        return build_parser().parse_args(every)

    return parsed


def test_the_steps_fit_and_compare_a_model_from_a_folder(
    options: Callable[..., argparse.Namespace], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit_tuned(options("fit-tuned-lens", "--steps", "3"))
    fit_jacobian(options("fit-jacobian-lens", "--sequences", "2"))
    compare(options("compare-lenses", "--tokens", "64"))

    folder = tmp_path / "model" / "lenses"
    assert sorted(path.name for path in folder.iterdir()) == [
        "comparison.json",
        "jacobian.safetensors",
        "tuned.safetensors",
    ]
    tuned, jacobian = read_lens(folder, "tuned"), read_lens(folder, "jacobian")
    assert tuned.metadata["steps"] == "3"
    assert tuned.tensors["weight.1"].shape == (16, 16)
    assert tuned.tensors["bias.1"].shape == (16,)
    assert jacobian.metadata["sequences"] == "2"
    assert jacobian.tensors["jacobian.1"].shape == (16, 16)
    stored = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    assert [(s["lens"], s["layer"]) for s in stored["scores"]] == [
        (lens, layer) for lens in ("logit", "tuned", "jacobian") for layer in (0, 1)
    ]
    assert stored["weights_sha256"] == tuned.metadata["weights_sha256"]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("| layer | logit KL (nats) | tuned KL (nats) | jacobian KL (nats) |")


def test_a_lens_of_other_weights_is_refused(
    options: Callable[..., argparse.Namespace], tmp_path: Path
) -> None:
    lens = LensFile("tuned", {"weight.0": MATRIX}, {"weights_sha256": "of another model"})
    write_lens(tmp_path / "model" / "lenses", lens)

    with pytest.raises(LensUnavailable, match=r"tuned.safetensors is not used: .*other weights"):
        compare(options("compare-lenses"))


def test_a_table_has_a_row_for_each_layer(loaded: Loaded) -> None:
    scores = score_lenses(loaded.engine.decoder, SEQUENCES, {"logit": logit_lens})

    table = markdown_table(scores).splitlines()

    assert len(table) == 2 + 3
    assert table[2].startswith(f"| 0 | {scores[0].mean_kl_nats:.3f} | ")
