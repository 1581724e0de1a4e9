"""The steps of the command line: from options to a lens file or a comparison."""

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from app.engine.checkpoint import weights_digest
from app.engine.engine import NnsightEngine
from app.engine.fitting.files import (
    LensFile,
    read_lens,
    tensor_digest,
    write_lens,
)
from app.engine.fitting.jacobian import JacobianSettings, fit_jacobian_lens
from app.engine.fitting.text import token_sequences
from app.engine.fitting.tuned import TunedLensFit, TunedSettings, fit_tuned_lens
from app.engine.fitting.types import FittedKind
from app.engine.gradients import HookedDecoder
from app.engine.lenses import LENSES_FOLDER, Lens, lens_path
from app.engine.loading import load_engine
from app.engine.sources import find_model
from training.lenses.compare import (
    COMPARISON_FILE,
    markdown_table,
    score_lenses,
    write_comparison,
)
from training.lenses.text import Part, read_part

logger = logging.getLogger(__name__)

DEFAULT_MINUTES = 5.0
"""Of a tuned lens, where neither steps nor minutes are given."""
TUNED_TOKENS = 2_000_000
"""Most tokens that a tuned lens reads before it reads them again."""
KINDS: tuple[FittedKind, ...] = ("tuned", "jacobian")


@dataclass(frozen=True)
class Subject:
    """The model that lenses belong to, and the folder that holds them."""

    engine: NnsightEngine
    weights_sha256: str
    folder: Path

    def sequences(
        self, options: argparse.Namespace, part: Part, length: int, most: int
    ) -> torch.Tensor:
        """Text of one part: int64 `[at most most, length]`, or shorter ones for a short context."""
        documents = read_part(options.text, part, options.seed)
        length = min(length, self.engine.facts.n_ctx)
        sequences = token_sequences(self.engine, documents, length, most)
        logger.info("%d sequences of %d tokens", *sequences.shape)
        return sequences

    def metadata(self) -> dict[str, str]:
        """What a file says of the model."""
        facts = self.engine.facts
        return {
            "model": facts.name,
            "revision": facts.revision,
            "weights_sha256": self.weights_sha256,
            "n_layers": str(facts.n_layers),
            "d_model": str(facts.d_model),
        }


def load_subject(options: argparse.Namespace) -> Subject:
    """Loads and checks the model. Raises ValueError where a hub model needs `--to`."""
    files = find_model(options.model)
    if options.to is None and files.source == "hub":
        raise ValueError(
            f"{files.name} is a model of the hub: give the folder for its lenses (--to)."
        )
    folder: Path = options.to or files.folder / LENSES_FOLDER
    engine = load_engine(
        options.model,
        lenses=folder,
        device=options.device,
        threads=options.threads,
        store_bytes=2**26,
        readout_bytes=2**25,
        packing="none",  # what is fitted is differentiated, in products of its own dtype
    )
    return Subject(engine, weights_digest(files.folder, files.name), folder)


def fit_tuned(options: argparse.Namespace) -> None:
    """Fit the tuned lens and write `tuned.safetensors`."""
    subject = load_subject(options)
    sequences = subject.sequences(options, "fit", options.length, TUNED_TOKENS // options.length)
    is_bounded = options.steps is not None or options.minutes is not None
    minutes = options.minutes if is_bounded else DEFAULT_MINUTES
    settings = TunedSettings(
        steps=options.steps,
        limit_seconds=None if minutes is None else minutes * 60.0,
        is_bfloat16=options.bfloat16,
        seed=options.seed,
    )
    decoder = subject.engine.decoder
    fit = TunedLensFit(HookedDecoder(decoder.model, decoder.structure), sequences, settings)
    checkpoint = subject.folder / "tuned.checkpoint"
    fit_tuned_lens(fit, checkpoint, _belongs_to(subject, sequences, options))
    tensors = {}
    for layer, translator in enumerate(fit.translators):
        tensors[f"weight.{layer}"] = translator.weight.detach()
        tensors[f"bias.{layer}"] = translator.bias.detach()
    metadata = {
        **subject.metadata(),
        "steps": str(fit.step),
        "tokens": str(fit.step * fit.tokens_per_step),
        "distinct_tokens": str(min(fit.step * fit.tokens_per_step, sequences.numel())),
        "sequence_tokens": str(sequences.shape[1]),
        "text": options.text.name,
        "seed": str(options.seed),
    }
    _finish(subject, LensFile("tuned", tensors, metadata), checkpoint)


def fit_jacobian(options: argparse.Namespace) -> None:
    """Fit the Jacobian lens and write `jacobian.safetensors`."""
    subject = load_subject(options)
    sequences = subject.sequences(options, "fit", options.length, options.sequences)
    settings = JacobianSettings(
        dimensions_per_pass=options.dimensions_per_pass, is_bfloat16=options.bfloat16
    )
    decoder = subject.engine.decoder
    if decoder.device.type == "cpu":
        # Written-out attention: its gradients take half the time of the fused kernel's.
        decoder.model.set_attn_implementation("eager")
    checkpoint = subject.folder / "jacobian.checkpoint"
    sums = fit_jacobian_lens(
        HookedDecoder(decoder.model, decoder.structure),
        sequences,
        settings,
        checkpoint,
        _belongs_to(subject, sequences, options),
    )
    differences = sums.relative_difference().tolist()
    logger.info(
        "halves of the sequences differ, layer by layer: %s",
        ", ".join(f"{difference:.1%}" for difference in differences),
    )
    tensors = {f"jacobian.{layer}": matrix for layer, matrix in enumerate(sums.mean())}
    metadata = {
        **subject.metadata(),
        "sequences": str(sums.n_sequences),
        "tokens": str(sums.n_sequences * sequences.shape[1]),
        "sequence_tokens": str(sequences.shape[1]),
        "first_position": str(settings.first_position),
        "halves_differ_by": ", ".join(f"{difference:.4f}" for difference in differences),
        "text": options.text.name,
        "seed": str(options.seed),
    }
    _finish(subject, LensFile("jacobian", tensors, metadata), checkpoint)


def compare(options: argparse.Namespace) -> None:
    """Score the logit lens and every fitted one that is there; write `comparison.json`.

    Raises LensUnavailable for a lens of other weights.
    """
    subject = load_subject(options)
    engine = subject.engine
    lenses: dict[str, Lens] = {"logit": engine.lens("logit", "kind")}
    fitted: dict[str, dict[str, str]] = {}
    for kind in KINDS:
        path = lens_path(subject.folder, kind)
        if not path.exists():
            logger.warning("there is no %s in %s: it is left out", path.name, subject.folder)
            continue
        lenses[kind] = engine.lens(kind, "kind")
        fitted[kind] = read_lens(subject.folder, kind).metadata
    length = min(options.length, subject.engine.facts.n_ctx)
    most = max(1, options.tokens // length)
    sequences = subject.sequences(options, "evaluate", length, most)
    scores = score_lenses(subject.engine.decoder, sequences, lenses)
    facts: dict[str, Any] = {
        **subject.metadata(),
        "text": options.text.name,
        "seed": options.seed,
        "sequences": len(sequences),
        "positions": sequences.numel(),
        "fitted": fitted,
    }
    write_comparison(subject.folder / COMPARISON_FILE, facts, scores)
    print(markdown_table(scores))


def _belongs_to(
    subject: Subject, sequences: torch.Tensor, options: argparse.Namespace
) -> dict[str, Any]:
    """What a checkpoint must share with the fit that goes on from it."""
    return {
        "weights": subject.weights_sha256,
        "text": tensor_digest(sequences),
        "seed": options.seed,
    }


def _finish(subject: Subject, lens: LensFile, checkpoint: Path) -> None:
    path = write_lens(subject.folder, lens)
    checkpoint.unlink()
    logger.info("wrote %s: %d bytes", path.name, path.stat().st_size)
