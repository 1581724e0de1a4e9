"""A fit of a lens as a job: turns of bounded work, checkpoints, and a verdict at the end.

A checkpoint is written on the way and where the fit is left, so that it goes on after a pause, the end
of the server or `kill -9`. The lens that comes out is written beside its final name and used at once,
unless the model has a better one of its kind.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from app.engine.capture import TracedDecoder
from app.engine.fitting.files import LensFile, load_checkpoint, save_checkpoint, write_lens
from app.engine.fitting.jacobian import JacobianFit, JacobianSettings
from app.engine.fitting.pace import Every
from app.engine.fitting.text import held_apart, token_sequences
from app.engine.fitting.tuned import TunedLensFit, TunedSettings
from app.engine.fitting.types import (
    FitPoint,
    FitResult,
    FittedKind,
    FitText,
    FitWanted,
    LensVerdict,
)
from app.engine.fitting.verdict import judging
from app.engine.gradients import HookedDecoder
from app.engine.kept_weights import bytes_to_make
from app.engine.lenses import Lenses
from app.engine.memory import free_memory
from app.engine.protocols import Vocabulary
from app.engine.types import ModelFacts
from app.errors import IdentityFailed, InternalError, InvalidRequest, OutOfMemory

logger = logging.getLogger(__name__)

LENGTH = 128
"""Tokens of a sequence."""
MOST_TOKENS = 2_000_000
FEWEST_SEQUENCES = 8
"""Of the text that is fitted; held-out text needs two."""
LARGE_VOCABULARY = 32_768
VOCABULARY_SAMPLE = 8_192
"""Of a large vocabulary, tokens that a step reads beside those that matter."""
CALM_BELOW_NATS = 4.0
"""With a large vocabulary, whose steps are few."""
TOKENS_OF_STEP = 1024
TOKENS_OF_SAMPLED_STEP = 256
POINTS = 100
"""Of the curve, over the whole fit; a second apart at least."""
SAVE_EVERY_SECONDS = 30.0
FIT_SHARE = 0.95
"""Of the progress; the rest is the verdict."""
COPIES = {"tuned": 5, "jacobian": 4}
"""Of a lens, in memory while it is fitted. Tuned: itself, its gradients, two of the optimiser, a checkpoint.
Jacobian: two halves, the sequence that is read, and the mean."""
WORK_OF_PASS = 5e10
"""Operations of one backward pass of a Jacobian fit, about."""
MOST_DIMENSIONS = 8
"""Of one pass; more leave the cache."""
HASH_WAIT_SECONDS = 0.05
TEXT_FILE = "text.safetensors"
CHECKPOINT_FILE = "fit.checkpoint"


class LensFitting:
    """Fits lenses to one loaded model; implements `FittingEngine`."""

    def __init__(
        self,
        decoder: TracedDecoder,
        lenses: Lenses,
        vocabulary: Vocabulary,
        facts: Callable[[], ModelFacts],
        weights_sha256: Callable[[], str],
        on_lens: Callable[[], None],
    ) -> None:
        """`on_lens` is called once a lens is in use."""
        self._decoder = decoder
        self._lenses = lenses
        self._vocabulary = vocabulary
        self._facts = facts
        self._weights_sha256 = weights_sha256
        self._on_lens = on_lens

    def require_fit(self, kind: FittedKind) -> None:
        """See `FittingEngine.require_fit`."""
        facts = self._facts()
        gradients = facts.capabilities.gradients
        if not gradients.is_available:
            raise IdentityFailed(
                f"No lens can be fitted to {facts.name}: {gradients.reason}", param="kind"
            )
        wanted = COPIES[kind] * 4 * facts.n_layers * facts.d_model * (facts.d_model + 1)
        if kind == "jacobian":
            # The graph of a sequence holds every weight of the blocks as it was stored.
            wanted += bytes_to_make(self._decoder.model)
        free = free_memory()
        if free is not None and wanted > free:
            raise OutOfMemory(
                f"A {kind} lens of {facts.name} takes {wanted / 2**30:.1f} GiB while it is fitted;"
                f" {free / 2**30:.1f} GiB are free."
            )
        if kind == "jacobian" and facts.n_ctx < JacobianSettings.first_position + 2:
            raise InvalidRequest(
                f"The context of {facts.name}, {facts.n_ctx} tokens, is too short for a Jacobian lens,"
                f" which leaves out the first {JacobianSettings.first_position}.",
                param="lens",
            )

    def write_text(self, documents: Sequence[str], work: Path) -> FitText:
        """See `FittingEngine.write_text`."""
        facts = self._facts()
        length = min(LENGTH, facts.n_ctx)
        most = MOST_TOKENS // length
        parts = {}
        needs = {"fit": FEWEST_SEQUENCES, "held_out": 2}
        for name, part in zip(needs, held_apart(documents), strict=True):
            try:
                sequences = token_sequences(self, part, length, most)
            except ValueError:
                sequences = torch.empty(0, length, dtype=torch.long)
            if len(sequences) < needs[name]:
                raise InvalidRequest(
                    "The text is too short: a fifth of it is held out, and"
                    f" {FEWEST_SEQUENCES} sequences of {length} tokens are fitted at least.",
                    hint=f"Give about {16 * length:,} tokens or more; a lens needs tens of thousands.",
                    param="text",
                )
            parts[name] = sequences.contiguous()
        work.mkdir(parents=True, exist_ok=True)
        save_file(parts, work / TEXT_FILE)
        return FitText(parts["fit"].numel(), parts["held_out"].numel())

    @property
    def facts(self) -> ModelFacts:
        return self._facts()

    @property
    def vocabulary(self) -> Vocabulary:
        return self._vocabulary

    def fitting(self, wanted: FitWanted) -> Iterator[FitPoint | FitResult | None]:
        """See `FittingEngine.fitting`. What is wrong is raised by the call itself."""
        self.require_fit(wanted.kind)
        return self._fitting(wanted)

    def _fitting(self, wanted: FitWanted) -> Iterator[FitPoint | FitResult | None]:
        text = _read_text(wanted.work)
        weights = yield from self._hashed_weights()
        fit = self._tuned if wanted.kind == "tuned" else self._jacobian
        file = yield from fit(wanted, text["fit"], weights)
        verdict, is_in_use = yield from self._judged(wanted, file, text["held_out"])
        if is_in_use:
            path = write_lens(wanted.lenses, _with(file, beats_controls=verdict.beats_controls))
            self._lenses.use(path, wanted.kind, weights)
            self._on_lens()
        yield FitResult(verdict, is_in_use)

    def _hashed_weights(self) -> Generator[None, None, str]:
        """Hashing a large file takes seconds, so it is done beside the turns of others."""
        with ThreadPoolExecutor(1) as thread:
            found = thread.submit(self._weights_sha256)
            while not found.done():
                wait([found], HASH_WAIT_SECONDS)
                yield None
            return found.result()

    def _judged(
        self, wanted: FitWanted, file: LensFile, held_out: torch.Tensor
    ) -> Generator[FitPoint, None, tuple[LensVerdict, bool]]:
        # Judged as it is kept, in 16 bits.
        path = write_lens(wanted.work, file)
        lens = self._lenses.read(path, wanted.kind, file.metadata["weights_sha256"])
        in_use = self._lenses.of_kind(wanted.kind)
        turns = judging(self._decoder, held_out, lens, in_use)
        while True:
            try:
                share = next(turns)
            except StopIteration as stop:
                verdict: LensVerdict = stop.value
                return verdict, in_use is None or verdict.is_better_than_in_use
            progress = FIT_SHARE + (1 - FIT_SHARE) * share
            yield FitPoint(progress, wanted.seconds, int(file.metadata["tokens"]), ())

    def _tuned(
        self, wanted: FitWanted, sequences: torch.Tensor, weights: str
    ) -> Generator[FitPoint | None, None, LensFile]:
        decoder = HookedDecoder(self._decoder.model, self._decoder.structure)
        yield None
        is_sampled = decoder.d_vocab > LARGE_VOCABULARY and decoder.can_read_columns()
        yield None
        tokens = TOKENS_OF_SAMPLED_STEP if is_sampled else TOKENS_OF_STEP
        settings = TunedSettings(
            limit_seconds=wanted.seconds,
            sequences_per_step=max(1, tokens // sequences.shape[1]),
            vocabulary_sample=VOCABULARY_SAMPLE if is_sampled else None,
            calm_below_nats=CALM_BELOW_NATS if is_sampled else None,
            seed=wanted.seed,
        )
        fit = TunedLensFit(decoder, sequences, settings)
        yield None
        checkpoint = wanted.work / CHECKPOINT_FILE
        belongs_to = {"weights": weights, "kind": "tuned", "seconds": wanted.seconds}
        if (state := _state_of(checkpoint, belongs_to)) is not None:
            fit.restore(state)
        apart = max(1.0, wanted.seconds / POINTS)
        save = Every(SAVE_EVERY_SECONDS)
        sums, n_steps, told_at = [0.0] * decoder.n_layers, 0, fit.seconds
        has_news = False
        try:
            while fit.fraction_done() < 1.0:
                turns = fit.stepping()
                while True:
                    try:
                        next(turns)
                    except StopIteration as stop:
                        losses: list[float] = stop.value
                        break
                    yield None
                has_news, n_steps = True, n_steps + 1
                sums = [sum_ + loss for sum_, loss in zip(sums, losses, strict=True)]
                is_due = fit.seconds - told_at >= apart or fit.fraction_done() >= 1.0
                values = tuple(sum_ / n_steps for sum_ in sums) if is_due else ()
                if is_due:
                    sums, n_steps, told_at = [0.0] * decoder.n_layers, 0, fit.seconds
                if save.is_due():
                    save_checkpoint(checkpoint, belongs_to, fit.state())
                    has_news = False
                yield FitPoint(
                    FIT_SHARE * fit.fraction_done(),
                    fit.seconds,
                    fit.step * fit.tokens_per_step,
                    values,
                )
        finally:
            # Left by a pause, by the end of the server, or because it is done.
            if has_news:
                save_checkpoint(checkpoint, belongs_to, fit.state())
        tensors = {}
        for name, value in fit.translators.state_dict().items():
            layer, part = name.split(".")
            tensors[f"{part}.{layer}"] = value
        tokens = fit.step * fit.tokens_per_step
        metadata = {
            **self._metadata(wanted, weights),
            "steps": str(fit.step),
            "tokens": str(tokens),
            "distinct_tokens": str(min(tokens, sequences.numel())),
            "sequence_tokens": str(sequences.shape[1]),
        }
        return LensFile("tuned", tensors, metadata)

    def _jacobian(
        self, wanted: FitWanted, sequences: torch.Tensor, weights: str
    ) -> Generator[FitPoint | None, None, LensFile]:
        decoder = HookedDecoder(self._decoder.model, self._decoder.structure)
        n_parameters = sum(
            parameter.numel()
            for block in self._decoder.structure.blocks
            for parameter in block.parameters()
        )
        work_of_row = 2 * n_parameters * sequences.shape[1]
        n_dimensions = max(1, min(MOST_DIMENSIONS, int(WORK_OF_PASS / work_of_row)))
        settings = JacobianSettings(dimensions_per_pass=n_dimensions)
        order = torch.randperm(len(sequences), generator=torch.Generator().manual_seed(wanted.seed))
        fit = JacobianFit(decoder, sequences[order], settings, wanted.seconds)
        yield None
        checkpoint = wanted.work / CHECKPOINT_FILE
        belongs_to = {"weights": weights, "kind": "jacobian", "seconds": wanted.seconds}
        if (state := _state_of(checkpoint, belongs_to)) is not None:
            fit.restore(state)
        save = Every(SAVE_EVERY_SECONDS)
        has_news = False
        try:
            while not fit.is_over:
                for _ in fit.stepping():
                    has_news = True
                    if save.is_due():
                        save_checkpoint(checkpoint, belongs_to, fit.state())
                        has_news = False
                    yield FitPoint(FIT_SHARE * fit.fraction_done(), fit.seconds, fit.tokens, ())
                n_done = fit.sums.n_sequences
                apart = fit.sums.relative_difference().tolist() if n_done > 1 else []
                yield FitPoint(
                    FIT_SHARE * fit.fraction_done(), fit.seconds, fit.tokens, tuple(apart)
                )
        finally:
            # Left by a pause, by the end of the server, or because it is done.
            if has_news:
                save_checkpoint(checkpoint, belongs_to, fit.state())
        tensors = {f"jacobian.{layer}": each for layer, each in enumerate(fit.sums.mean())}
        metadata = {
            **self._metadata(wanted, weights),
            "sequences": str(fit.sums.n_sequences),
            "tokens": str(fit.tokens),
            "distinct_tokens": str(fit.tokens),
            "sequence_tokens": str(sequences.shape[1]),
        }
        return LensFile("jacobian", tensors, metadata)

    def _metadata(self, wanted: FitWanted, weights: str) -> dict[str, str]:
        facts = self._facts()
        return {
            "model": facts.name,
            "revision": facts.revision,
            "weights_sha256": weights,
            "n_layers": str(facts.n_layers),
            "d_model": str(facts.d_model),
            "origin": "fitted",
            "text": wanted.text,
            "seed": str(wanted.seed),
            "seconds": f"{wanted.seconds:g}",
        }


def forget_fit(work: Path) -> None:
    """Removes the text and the checkpoint of a fit that is over."""
    shutil.rmtree(work, ignore_errors=True)


def _with(file: LensFile, **facts: object) -> LensFile:
    more = {name: str(value).lower() for name, value in facts.items()}
    return LensFile(file.kind, file.tensors, {**file.metadata, **more})


def _read_text(work: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(work / TEXT_FILE)
    except OSError as error:
        logger.error("the text of a fit cannot be read: %s", error)
        raise InternalError(
            "The text that this fit was given is gone from the data folder.",
            hint="Start it again.",
        ) from error


def _state_of(checkpoint: Path, belongs_to: dict[str, Any]) -> dict[str, Any] | None:
    """Where to go on; None where there is nothing, or nothing that can be used."""
    try:
        return load_checkpoint(checkpoint, belongs_to)
    except (ValueError, RuntimeError, EOFError, KeyError, OSError, UnpicklingError) as error:
        logger.warning("a fit begins again, its checkpoint cannot be used: %s", error)
        return None
