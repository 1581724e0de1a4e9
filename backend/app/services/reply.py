"""What the worker thread does for one chat turn: decode, and read layers behind the decoding.

Tokens go out as soon as each is known; their read-outs follow in batches, because decoding the
residual streams of several tokens in one call is cheaper and the next token need not wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import cast

from app.engine.types import Finish, LensEngine, Step
from app.errors import InternalError
from app.models import DoneEvent, LensEvent, StreamEvent, Timings, TokenEvent, Usage
from app.services.job import Job, JobStopped
from app.services.prompts import Prompt
from app.services.readouts import make_token, readouts_by_token

READOUT_BATCH = 8
"""Tokens of a reply that are read in one call."""
PROMPT_READOUT_BATCH = 32
"""The same for the prompt, where nothing waits for the next token."""

TOKEN_EVENT_BYTES = 512
PREDICTION_BYTES = 128
"""Size of an event in memory and on the wire, roughly: what bounds the outbox."""


@dataclass
class Reply:
    """One turn's computation; `run` is the work of a job."""

    engine: LensEngine
    prompt: Prompt

    def run(self, job: Job[StreamEvent]) -> None:
        """Emits `token` and `lens` events, then `done`."""
        started = time.monotonic()
        computed_before = self.engine.computed_tokens()
        first_token_ms: float | None = None
        ids = list(self.prompt.ids)
        unread: list[int] = []
        wants_reply = self.prompt.lens.scope != "none"
        finish: Finish | None = None
        steps = self.engine.generate(self.prompt.ids, self.prompt.sampling, job.should_stop)
        with closing(cast("Generator[Step | Finish]", steps)):
            for step in steps:
                if isinstance(step, Finish):
                    finish = step
                    break
                if first_token_ms is None:
                    first_token_ms = elapsed_ms(started)
                self._emit_token(job, step, len(ids))
                ids.append(step.token_id)
                if wants_reply:
                    unread.append(step.index)
                    if len(unread) == READOUT_BATCH:
                        self._emit_readouts(job, ids, unread)
                        unread = []
        job.check()
        if finish is None or finish.reason == "cancelled":
            raise InternalError("The generation ended without a reason.")
        self._emit_readouts(job, ids, unread)
        if self.prompt.lens.scope == "all":
            n_prompt = len(self.prompt.ids)
            for start in range(1, n_prompt, PROMPT_READOUT_BATCH):
                batch = range(start, min(start + PROMPT_READOUT_BATCH, n_prompt))
                self._emit_readouts(job, ids, batch)
        reply_ids = ids[len(self.prompt.ids) :]
        assert job.started_at is not None
        done = DoneEvent(
            type="done",
            text=self._text(reply_ids),
            finish_reason=finish.reason,
            stop=finish.stop,
            usage=Usage(
                prompt_tokens=len(self.prompt.ids),
                reply_tokens=len(reply_ids),
                context_length=self.engine.facts.n_ctx,
                computed_tokens=self.engine.computed_tokens() - computed_before,
            ),
            timings=Timings(
                queued_ms=(job.started_at - job.claimed_at) * 1000,
                first_token_ms=first_token_ms,
                total_ms=elapsed_ms(started),
            ),
        )
        job.emit(done, TOKEN_EVENT_BYTES + 8 * len(done.text))

    def _emit_token(self, job: Job[StreamEvent], step: Step, expected_index: int) -> None:
        if step.index != expected_index:
            raise InternalError(f"Token {step.index} came where {expected_index} was expected.")
        token = make_token(
            self.engine.vocabulary, step.index, step.token_id, "assistant", score=step
        )
        job.emit(TokenEvent(type="token", token=token), TOKEN_EVENT_BYTES)

    def _emit_readouts(
        self, job: Job[StreamEvent], ids: Sequence[int], indices: Sequence[int]
    ) -> None:
        """Read-outs of the tokens at `indices`, each read at the position before it."""
        # A reply may begin a timeline; its first token was predicted from nothing.
        positions = [index - 1 for index in indices if index > 0]
        if not positions:
            return
        job.check()
        asked = self.prompt.lens
        columns = self.engine.read(
            ids[: positions[-1] + 2],
            positions=positions,
            top_k=min(asked.top_k, self.engine.facts.d_vocab),
            kind=asked.kind,
            should_stop=job.should_stop,
        )
        job.check()
        if columns is None:
            raise JobStopped(None)
        for index, lens in readouts_by_token(columns, self.engine.vocabulary):
            size = PREDICTION_BYTES * sum(len(layer.predictions) + 1 for layer in lens)
            job.emit(LensEvent(type="lens", index=index, lens=lens), size)

    def _text(self, ids: Sequence[int]) -> str:
        return b"".join(map(self.engine.vocabulary.token_bytes, ids)).decode("utf-8", "replace")


def elapsed_ms(since: float) -> float:
    return (time.monotonic() - since) * 1000
