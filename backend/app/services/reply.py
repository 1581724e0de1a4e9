"""What the worker thread does for one chat turn: decode, and tell what was read on the way.

Each turn at the model is one item of the engine: a token goes out as soon as it is known, its
read-out follows before the model runs on. Read-outs of the prompt come last.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import cast

from app.engine.types import Finish, LensColumns, LensEngine, Step, Wanted
from app.errors import InternalError
from app.models.chat import DoneEvent, LensEvent, StreamEvent, Timings, TokenEvent, Usage
from app.services.job import Job
from app.services.prompts import Prompt
from app.services.readouts import make_token, readouts_by_token

TOKEN_EVENT_BYTES = 512
PREDICTION_BYTES = 128
"""Size of an event in memory and on the wire, roughly: what bounds the outbox."""


@dataclass
class Reply:
    """One turn's computation; `run` is the work of a job."""

    engine: LensEngine
    prompt: Prompt

    def run(self, job: Job[StreamEvent]) -> Iterator[None]:
        """Emits `token` and `lens` events, then `done`."""
        started = time.monotonic()
        first_token_ms: float | None = None
        prompt, ids = self.prompt, list(self.prompt.ids)
        finish: Finish | None = None
        computed = 0
        items = self.engine.generate(
            prompt.ids,
            prompt.sampling,
            wanted=None if prompt.lens.scope == "none" else self.wanted(),
            lineage=prompt.base.lineage,
        )
        with closing(cast("Generator[Step | LensColumns | Finish | None]", items)):
            before = self.engine.computed_tokens()
            for item in items:
                computed += self.engine.computed_tokens() - before
                if isinstance(item, Finish):
                    finish = item
                    break
                if isinstance(item, Step):
                    if first_token_ms is None:
                        first_token_ms = elapsed_ms(started)
                    self._emit_token(job, item, len(ids))
                    ids.append(item.token_id)
                elif item is not None:
                    self.emit_readouts(job, item)
                yield
                before = self.engine.computed_tokens()
        if finish is None:
            raise InternalError("The generation ended without a reason.")
        if prompt.lens.scope == "all":
            yield from self._read_prompt(job, ids)
        reply_ids = ids[len(prompt.ids) :]
        assert job.started_at is not None
        done = DoneEvent(
            type="done",
            text=self._text(reply_ids),
            finish_reason=finish.reason,
            stop=finish.stop,
            usage=Usage(
                prompt_tokens=len(prompt.ids),
                reply_tokens=len(reply_ids),
                context_length=self.engine.facts.n_ctx,
                computed_tokens=computed,
            ),
            timings=Timings(
                queued_ms=(job.started_at - job.claimed_at) * 1000,
                first_token_ms=first_token_ms,
                total_ms=elapsed_ms(started),
            ),
        )
        job.emit(done, TOKEN_EVENT_BYTES + 8 * len(done.text))

    def wanted(self) -> Wanted:
        """What is read of each token: every layer."""
        facts, asked = self.engine.facts, self.prompt.lens
        layers = tuple(range(facts.n_layers + 1))
        return Wanted(layers, min(asked.top_k, facts.d_vocab), kind=asked.kind)

    def _read_prompt(self, job: Job[StreamEvent], ids: Sequence[int]) -> Iterator[None]:
        """Read-outs of the prompt's tokens; the first was predicted from nothing."""
        positions = range(len(self.prompt.ids) - 1)
        if not positions:
            return
        chunks = self.engine.reading(
            ids, positions, self.wanted(), lineage=self.prompt.base.lineage
        )
        for columns in chunks:
            if columns is not None:
                self.emit_readouts(job, columns)
            yield

    def _emit_token(self, job: Job[StreamEvent], step: Step, expected_index: int) -> None:
        if step.index != expected_index:
            raise InternalError(f"Token {step.index} came where {expected_index} was expected.")
        token = make_token(
            self.engine.vocabulary, step.index, step.token_id, "assistant", score=step
        )
        job.emit(TokenEvent(type="token", token=token), TOKEN_EVENT_BYTES)

    def emit_readouts(self, job: Job[StreamEvent], columns: LensColumns) -> None:
        for index, lens in readouts_by_token(columns, self.engine.vocabulary):
            size = PREDICTION_BYTES * sum(len(layer.predictions) + 1 for layer in lens)
            job.emit(LensEvent(type="lens", index=index, lens=lens), size)

    def _text(self, ids: Sequence[int]) -> str:
        return b"".join(map(self.engine.vocabulary.token_bytes, ids)).decode("utf-8", "replace")


def elapsed_ms(since: float) -> float:
    return (time.monotonic() - since) * 1000
