"""Replies that begin with tokens which a person has chosen: "what if it had said this instead?"

The chosen tokens are part of the reply and of the timeline. The model is asked how it scored them,
as it would have been for any other token, and then writes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.engine.types import LensEngine, Vocabulary
from app.models import DoneEvent, LensEvent, StreamEvent, TokenEvent
from app.services.job import Job, JobStopped
from app.services.prompts import Prompt
from app.services.readouts import make_token, readouts_by_token
from app.services.reply import PREDICTION_BYTES, TOKEN_EVENT_BYTES, Reply


@dataclass
class ForcedReply:
    """One turn's computation, with its forced tokens first; `run` is the work of a job."""

    engine: LensEngine
    prompt: Prompt

    def run(self, job: Job[StreamEvent]) -> None:
        """Emits `token` and `lens` events of the forced tokens, then all that `Reply` emits."""
        if self.prompt.forced:
            self._emit_forced(job)
        Reply(self.engine, self.prompt).run(job)

    def _emit_forced(self, job: Job[StreamEvent]) -> None:
        prompt = self.prompt
        first = len(prompt.ids) - len(prompt.forced)
        # The first token of a timeline is predicted by nothing.
        scored = [index for index in range(first, len(prompt.ids)) if index > 0]
        found = self.engine.scores(prompt.ids, scored, job.should_stop) if scored else []
        job.check()
        if found is None:
            raise JobStopped(None)
        scores = {score.index: score for score in found}
        for index, token_id in enumerate(prompt.forced, start=first):
            token = make_token(
                self.engine.vocabulary, index, token_id, "assistant", scores.get(index)
            )
            job.emit(TokenEvent(type="token", token=token), TOKEN_EVENT_BYTES)
        if prompt.lens.scope == "reply" and scored:  # with `all` they come with the prompt's
            self._emit_readouts(job, scored)

    def _emit_readouts(self, job: Job[StreamEvent], indices: Sequence[int]) -> None:
        columns = self.engine.read(
            self.prompt.ids,
            positions=[index - 1 for index in indices],
            top_k=min(self.prompt.lens.top_k, self.engine.facts.d_vocab),
            kind=self.prompt.lens.kind,
            should_stop=job.should_stop,
        )
        job.check()
        if columns is None:
            raise JobStopped(None)
        for index, lens in readouts_by_token(columns, self.engine.vocabulary):
            size = PREDICTION_BYTES * sum(len(layer.predictions) + 1 for layer in lens)
            job.emit(LensEvent(type="lens", index=index, lens=lens), size)


def whole_reply(
    done: DoneEvent, prompt: Prompt, reply_ids: Sequence[int], vocabulary: Vocabulary
) -> DoneEvent:
    """The last event of a reply with forced tokens, which counts them as part of the reply."""
    n_forced = len(prompt.forced)
    if n_forced == 0:
        return done
    text = b"".join(map(vocabulary.token_bytes, reply_ids)).decode("utf-8", "replace")
    usage = done.usage.model_copy(
        update={
            "prompt_tokens": done.usage.prompt_tokens - n_forced,
            "reply_tokens": done.usage.reply_tokens + n_forced,
        }
    )
    return done.model_copy(update={"text": text, "usage": usage})
