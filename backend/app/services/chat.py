"""Chat turns: from a request to the events that answer it.

There is one way through: the events of a stream. The JSON answer is the same events, folded. What
a turn leaves behind is decided here, on the event loop, where it is known what was sent:

- a turn that ended is stored, and on the disk, before its last event goes out; where that fails,
  the last event is the error that says so;
- of a stream that its client closed, the tokens that were sent are stored: the timeline is what
  the person saw. One that was closed before its first token is as if it had never been asked for;
- a turn that failed, or a JSON request that was given up, leaves the conversation as it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from contextlib import ExitStack

from app.engine.types import FinishReason, LensEngine, Role, Vocabulary
from app.models.chat import (
    ChatRequest,
    DoneEvent,
    StartEvent,
    StreamEvent,
    TokenEvent,
)
from app.models.tokens import Token
from app.services.conversations import ConversationStore
from app.services.forced import ForcedReply, whole_reply
from app.services.identity import ModelIdentity, wire_model
from app.services.job import Job
from app.services.prompts import Prompt, make_prompt, require_sense
from app.services.readouts import make_tokens
from app.services.reply_json import FoldedReply, require_reasonable_reply
from app.services.timelines import Conversation, Turn, require_readable
from app.services.worker import ModelWorker

logger = logging.getLogger(__name__)


class ChatRun:
    """One turn on its way; iterate `events` or await `reply`, and `close` it in any case."""

    def __init__(
        self,
        engine: LensEngine,
        job: Job[StreamEvent],
        prompt: Prompt,
        start: StartEvent,
        conversations: ConversationStore,
        resources: ExitStack,
    ) -> None:
        self._engine = engine
        self._job = job
        self._prompt = prompt
        self._start = start
        self._conversations = conversations
        self._resources = resources
        self._sent: list[int] = []
        """Ids of the reply that the reader has taken."""
        self._is_stored = False

    def close(self) -> None:
        """Ends the work, gives the place in the queue back and frees the conversation."""
        self._resources.close()

    async def events(self) -> AsyncGenerator[StreamEvent | None]:
        """The turn's events; None from time to time while there is nothing to tell.

        Raises what the turn failed with. Closing the iterator keeps what was sent.
        """
        with contextlib.closing(self):
            try:
                async with contextlib.aclosing(self._all_events()) as events:
                    async for event in events:
                        yield event
                        if isinstance(event, TokenEvent):
                            self._sent.append(event.token.id)
            except (GeneratorExit, asyncio.CancelledError):
                if self._sent and not self._is_stored:
                    self._store("cancelled")
                raise

    async def reply(self) -> list[bytes]:
        """The whole answer at once, folded from the same events: JSON of a ChatResponse."""
        folded = FoldedReply(self._start)
        with contextlib.closing(self):
            async with contextlib.aclosing(self._all_events()) as events:
                async for event in events:
                    if isinstance(event, TokenEvent):
                        self._sent.append(event.token.id)
                    folded.take(event)
        return await asyncio.to_thread(folded.json)

    async def _all_events(self) -> AsyncGenerator[StreamEvent | None]:
        yield self._start
        async with contextlib.aclosing(self._job.items()) as events:
            async for event in events:
                if isinstance(event, DoneEvent):
                    event = whole_reply(event, self._prompt, self._sent, self._engine.vocabulary)
                    # Shielded: who hangs up now does not undo what was written to its end.
                    await asyncio.shield(self._store(event.finish_reason))
                    log_finished(self._start.id, event)
                yield event

    def _store(self, finish_reason: FinishReason) -> asyncio.Task[None]:
        """Begins to store the turn, which then goes on whatever becomes of the request."""
        self._is_stored = True
        prompt = self._prompt
        base = prompt.base
        n_prompt = len(prompt.ids) - len(prompt.forced)
        ids = (*prompt.ids[:n_prompt], *self._sent)
        assistant: Role = "assistant"
        turn = Turn(len(base.ids), n_prompt, len(ids), finish_reason, prompt.sampling)
        grown = Conversation(
            id=base.id,
            ids=ids,
            roles=(*prompt.roles[:n_prompt], *(assistant for _ in self._sent)),
            turns=(*base.turns, turn),
            version=base.version,
            parent_id=base.parent_id,
            from_index=base.from_index,
        )
        model = ModelIdentity.of(self._engine.facts)
        return self._conversations.put(grown, model, self._engine.vocabulary)


class ChatService:
    """Opens chat turns."""

    def __init__(self, worker: ModelWorker, conversations: ConversationStore) -> None:
        self._worker = worker
        self._conversations = conversations

    async def open(self, request: ChatRequest, *, client: str, request_id: str) -> ChatRun:
        """A turn whose ids are known and fit, with a place in the queue; it runs when it can.

        The place is claimed first: a request that is refused costs no tokenising.
        """
        require_sense(request)
        engine = self._worker.engine
        with ExitStack() as resources:
            job: Job[StreamEvent] = self._worker.claim(request_id, client)
            resources.callback(job.close)
            # A reply that cannot be kept is not begun.
            await self._conversations.open()
            stored: Conversation | None = None
            if request.conversation_id is not None:
                await self._conversations.until_free(request.conversation_id)
                if request.from_index is None:
                    resources.enter_context(self._conversations.in_use(request.conversation_id))
                stored = await self._conversations.load(request.conversation_id)
                require_readable(stored, engine.facts)
            prompt = await asyncio.to_thread(make_prompt, engine, request, stored)
            if not request.stream:
                require_reasonable_reply(engine.facts, prompt)
            if stored is None or stored.id != prompt.base.id:
                resources.enter_context(self._conversations.in_use(prompt.base.id))
            # The model need not wait until the prompt's tokens are spelled out for the reader.
            job.start(ForcedReply(engine, prompt).run)
            tokens = await asyncio.to_thread(prompt_tokens, engine.vocabulary, prompt)
            start = StartEvent(
                type="start",
                id=request_id,
                conversation_id=prompt.base.id,
                model=engine.facts.name,
                model_identity=wire_model(ModelIdentity.of(engine.facts)),
                seed=prompt.sampling.seed,
                turn_start=len(prompt.base.ids),
                prompt_tokens=tokens,
            )
            return ChatRun(engine, job, prompt, start, self._conversations, resources.pop_all())


def prompt_tokens(vocabulary: Vocabulary, prompt: Prompt) -> list[Token]:
    """A prompt's tokens as the wire has them, without those that are forced."""
    n_prompt = len(prompt.ids) - len(prompt.forced)
    return make_tokens(vocabulary, prompt.ids[:n_prompt], prompt.roles[:n_prompt])


def log_finished(run_id: str, done: DoneEvent) -> None:
    """Counts and times of a finished turn; no text."""
    logger.info(
        "run %s finished: %d tokens, %.1f tokens/s, ended by %s",
        run_id,
        done.usage.reply_tokens,
        done.usage.reply_tokens / max(done.timings.total_ms / 1000, 1e-6),
        done.finish_reason,
    )
