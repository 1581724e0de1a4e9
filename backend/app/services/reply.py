"""The worker thread's part of one chat turn: decode, and report what was read on the way.

Each turn at the model is one item of the engine: a token goes out as soon as it is known, its
read-out follows before the model runs on. Read-outs of the prompt come last.

A reply may begin with tokens that a person has chosen: "what if it had said this instead?" They are
part of the reply and of the timeline. The model scores them as it would any other token, and goes on
from there.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import TypeVar, cast

from app.engine.protocols import LensEngine
from app.engine.types import Finish, LensColumns, RemoteState, Step, Wanted
from app.errors import InternalError
from app.models.chat import (
    DoneEvent,
    LensEvent,
    RemoteEvent,
    StreamEvent,
    Timings,
    TokenEvent,
    Usage,
)
from app.services.job import Job
from app.services.prompts import Prompt
from app.services.reading import every_layer
from app.services.readouts import make_token, readouts_by_token

T = TypeVar("T")

TOKEN_EVENT_BYTES = 512
PREDICTION_BYTES = 128
"""Size of an event in memory and on the wire, roughly: what bounds the outbox."""


class Reply:
    """One turn's computation; `run` is the work of a job."""

    def __init__(self, engine: LensEngine, prompt: Prompt) -> None:
        self._engine = engine
        self._prompt = prompt
        self._ids = list(prompt.ids[: prompt.n_prompt])
        """The timeline, which grows by each token that is emitted."""
        self._computed = 0
        self._first_token_at: float | None = None

    def run(self, job: Job[StreamEvent]) -> Iterator[None]:
        """Emits `token` and `lens` events, then `done`."""
        started = time.monotonic()
        prompt = self._prompt
        if prompt.forced:
            yield from self._emit_forced(job)
        finish = yield from self._generate(job)
        if prompt.lens.scope == "all":
            yield from self._read_prompt(job)
        reply_ids = self._ids[prompt.n_prompt :]
        assert job.started_at is not None
        first = self._first_token_at
        done = DoneEvent(
            type="done",
            text=self._text(reply_ids),
            finish_reason=finish.reason,
            stop=finish.stop,
            usage=Usage(
                prompt_tokens=prompt.n_prompt,
                reply_tokens=len(reply_ids),
                context_length=self._engine.facts.n_ctx,
                computed_tokens=self._computed,
            ),
            timings=Timings(
                queued_ms=(job.started_at - job.claimed_at) * 1000,
                first_token_ms=None if first is None else (first - started) * 1000,
                total_ms=(time.monotonic() - started) * 1000,
            ),
            fired=list(finish.fired),
        )
        job.emit(done, TOKEN_EVENT_BYTES + 8 * len(done.text))

    def _emit_forced(self, job: Job[StreamEvent]) -> Iterator[None]:
        """Each forced token with the model's own score of it, and its read-out where one is wanted."""
        prompt = self._prompt
        if prompt.n_prompt == 0:  # the first token of a timeline is predicted by nothing
            self._emit_token(job, prompt.ids[0], None)
        positions = range(max(prompt.n_prompt, 1) - 1, len(prompt.ids) - 1)
        if not positions:
            return
        chunks = self._engine.reading(
            prompt.ids,
            positions,
            self._wanted(),
            lineage=prompt.base.lineage,
            interventions=self._prompt.interventions,
        )
        for columns in self._counted(chunks):
            if columns is not None:
                for score in columns.scores:
                    self._emit_token(job, score.token_id, score)
                if prompt.lens.scope == "reply":  # with `all` they come with the prompt's
                    self._emit_readouts(job, columns)
            yield

    def _generate(self, job: Job[StreamEvent]) -> Generator[None, None, Finish]:
        """What the model generates; returns why it ended."""
        prompt = self._prompt
        items = self._engine.generate(
            prompt.ids,
            prompt.sampling,
            wanted=None if prompt.lens.scope == "none" else self._wanted(),
            lineage=prompt.base.lineage,
            interventions=prompt.interventions,
        )
        with closing(self._counted(items)) as counted:
            for item in counted:
                if isinstance(item, Finish):
                    return item
                if isinstance(item, Step):
                    self._emit_token(job, item.token_id, item)
                elif isinstance(item, RemoteState):
                    job.emit(RemoteEvent(type="remote", state=item.state), TOKEN_EVENT_BYTES)
                elif item is not None:
                    self._emit_readouts(job, item)
                yield
        raise InternalError("The generation ended without a reason.")

    def _read_prompt(self, job: Job[StreamEvent]) -> Iterator[None]:
        """Read-outs of the prompt's tokens; the first was predicted from nothing."""
        positions = range(len(self._prompt.ids) - 1)
        if not positions:
            return
        chunks = self._engine.reading(
            self._ids,
            positions,
            self._wanted(),
            lineage=self._prompt.base.lineage,
            interventions=self._prompt.interventions,
        )
        for columns in self._counted(chunks):
            if columns is not None:
                self._emit_readouts(job, columns)
            yield

    def _counted(self, items: Iterator[T]) -> Generator[T, None, None]:
        """The same items; counts what the model runs on for them, and for no other job between two."""
        with closing(cast("Generator[T]", items)):
            while True:
                before = self._engine.computed_tokens()
                try:
                    item = next(items)
                except StopIteration:
                    return
                finally:
                    self._computed += self._engine.computed_tokens() - before
                yield item

    def _wanted(self) -> Wanted:
        """What is read of each token: every layer."""
        facts, asked = self._engine.facts, self._prompt.lens
        layers = every_layer(facts.n_layers, asked.half_layers)
        return Wanted(layers, min(asked.top_k, facts.d_vocab), kind=asked.kind)

    def _emit_token(self, job: Job[StreamEvent], token_id: int, score: Step | None) -> None:
        index = len(self._ids)
        if score is not None and score.index != index:
            raise InternalError(f"Token {score.index} came where {index} was expected.")
        token = make_token(self._engine.vocabulary, index, token_id, "assistant", score=score)
        job.emit(TokenEvent(type="token", token=token), TOKEN_EVENT_BYTES)
        self._first_token_at = self._first_token_at or time.monotonic()
        self._ids.append(token_id)

    def _emit_readouts(self, job: Job[StreamEvent], columns: LensColumns) -> None:
        for index, lens in readouts_by_token(columns, self._engine.vocabulary):
            size = PREDICTION_BYTES * sum(len(layer.predictions) + 1 for layer in lens)
            job.emit(LensEvent(type="lens", index=index, lens=lens), size)

    def _text(self, ids: Sequence[int]) -> str:
        return b"".join(map(self._engine.vocabulary.token_bytes, ids)).decode("utf-8", "replace")
