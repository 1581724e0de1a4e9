"""Replies that begin with tokens which a person has chosen: "what if it had said this instead?"

The chosen tokens are part of the reply and of the timeline. The model is asked how it scored them,
as it would have been for any other token, and then writes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.engine.types import LensEngine, Step, Vocabulary
from app.models.chat import DoneEvent, StreamEvent, TokenEvent
from app.services.job import Job
from app.services.prompts import Prompt
from app.services.readouts import make_token
from app.services.reply import TOKEN_EVENT_BYTES, Reply


@dataclass
class ForcedReply:
    """One turn's computation, with its forced tokens first; `run` is the work of a job."""

    engine: LensEngine
    prompt: Prompt

    def run(self, job: Job[StreamEvent]) -> Iterator[None]:
        """Emits `token` and `lens` events of the forced tokens, then all that `Reply` emits."""
        reply = Reply(self.engine, self.prompt)
        if self.prompt.forced:
            yield from self._emit_forced(job, reply)
        yield from reply.run(job)

    def _emit_forced(self, job: Job[StreamEvent], reply: Reply) -> Iterator[None]:
        """Each forced token with the model's own score of it, and its read-out where one is wanted."""
        prompt = self.prompt
        first = len(prompt.ids) - len(prompt.forced)
        if first == 0:  # the first token of a timeline is predicted by nothing
            self._emit_token(job, 0, None)
        positions = range(max(first, 1) - 1, len(prompt.ids) - 1)
        if not positions:
            return
        chunks = self.engine.reading(
            prompt.ids, positions, reply.wanted(), lineage=prompt.base.lineage
        )
        for columns in chunks:
            if columns is not None:
                for score in columns.scores:
                    self._emit_token(job, score.index, score)
                if prompt.lens.scope == "reply":  # with `all` they come with the prompt's
                    reply.emit_readouts(job, columns)
            yield

    def _emit_token(self, job: Job[StreamEvent], index: int, score: Step | None) -> None:
        token_id = self.prompt.ids[index]
        token = make_token(self.engine.vocabulary, index, token_id, "assistant", score)
        job.emit(TokenEvent(type="token", token=token), TOKEN_EVENT_BYTES)


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
