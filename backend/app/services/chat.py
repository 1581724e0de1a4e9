"""Chat turns: from a request to the events that answer it.

There is one way through: the events of a stream. The JSON answer is the same events, folded.
Whatever happens, what a person wrote and what they were shown is kept:

- the messages of a turn are stored before the model runs, as a turn that is `interrupted`. A
  process that dies leaves it at that. A turn without a message (regenerate, continue) has nothing
  to lose yet and is stored at its end;
- a reply that ended is stored, and on the disk, before its last event goes out; where that fails,
  the last event is the error that says so;
- a reply that its client left, as a stream or as JSON, is stored as `cancelled` with the tokens
  that were sent: the timeline holds all that the person saw;
- a reply that the server ended (a deadline, a shutdown, a failure) is stored as `interrupted` with
  the tokens that were sent.

This is decided on the event loop, where it is known what was sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack

from app.engine.protocols import LensEngine, Vocabulary
from app.engine.types import FinishReason, Role
from app.models.chat import (
    ChatRequest,
    DoneEvent,
    QueuedEvent,
    StartEvent,
    StreamEvent,
    TokenEvent,
)
from app.models.tokens import Token
from app.services.conversations import ConversationStore
from app.services.identity import ModelIdentity, wire_model
from app.services.interventions import settled
from app.services.job import Job
from app.services.lineup import Place
from app.services.prompts import Prompt, make_prompt, require_sense
from app.services.readouts import make_tokens
from app.services.reply import Reply
from app.services.reply_json import FoldedReply, require_reasonable_reply
from app.services.timelines import Conversation, require_readable
from app.services.worker import ModelWorker

logger = logging.getLogger(__name__)


class ChatRun:
    """One turn on its way; iterate `events` or await `reply`, and `close` it in any case."""

    def __init__(
        self,
        engine: LensEngine,
        job: Job[StreamEvent],
        prompt: Prompt,
        base: Conversation,
        start: StartEvent,
        conversations: ConversationStore,
        place: Callable[[], Place | None],
        resources: ExitStack,
    ) -> None:
        """`base` is the timeline that the reply continues, in the version that is stored; `place` where
        the job waits."""
        self._engine = engine
        self._job = job
        self._prompt = prompt
        self._base = base
        self._start = start
        self._conversations = conversations
        self._place = place
        self._resources = resources
        self._sent: list[int] = []
        """Ids of the reply that the reader was given."""
        self._is_ended = False

    def close(self) -> None:
        """Ends the work, gives the place in the queue back and frees the conversation."""
        self._resources.close()

    async def events(self) -> AsyncGenerator[StreamEvent | None]:
        """The turn's events; None from time to time while there is nothing to send.

        Raises what the turn failed with. What was sent is kept, also when the iterator is closed.
        """
        with contextlib.closing(self):
            try:
                async with contextlib.aclosing(self._all_events()) as events:
                    async for event in events:
                        if isinstance(event, TokenEvent):
                            # Before it is sent: what a client shows is stored, or it could not
                            # be continued by the length that the client shows.
                            self._sent.append(event.token.id)
                        yield event
            except (GeneratorExit, asyncio.CancelledError):
                self._store_rest("cancelled")
                raise
            except Exception:
                if storing := self._store_rest("interrupted"):
                    # Its own failure is logged; the reader gets the first one.
                    await asyncio.wait([storing])
                raise

    async def reply(self) -> list[bytes]:
        """The whole answer at once, folded from the same events: JSON of a ChatResponse."""
        folded = FoldedReply(self._start)
        async with contextlib.aclosing(self.events()) as events:
            async for event in events:
                folded.take(event)
        return await asyncio.to_thread(folded.json)

    async def _all_events(self) -> AsyncGenerator[StreamEvent | None]:
        yield self._start
        told = 0
        async with contextlib.aclosing(self._job.items()) as events:
            async for event in events:
                # What the model gives says itself that it has begun.
                place = None if event else self._place()
                if (queued := queued_event(place)).position != told:
                    told = queued.position
                    yield queued
                if isinstance(event, DoneEvent):
                    # Shielded: who hangs up now does not undo what was written to its end.
                    await asyncio.shield(self._store(event.finish_reason))
                    log_finished(self._start.id, event)
                yield event

    def _store_rest(self, finish_reason: FinishReason) -> asyncio.Task[None] | None:
        """Begins to store a reply that did not come to its end, unless nothing came of the turn."""
        if self._is_ended or not (self._sent or self._prompt.adds_tokens):
            return None
        return self._store(finish_reason)

    def _store(self, finish_reason: FinishReason) -> asyncio.Task[None]:
        """Begins to store the turn, which then goes on whatever becomes of the request."""
        self._is_ended = True
        grown = with_reply(self._prompt, self._sent, finish_reason)
        timeline = dataclasses.replace(grown, version=self._base.version)
        return put(self._conversations, self._engine, timeline)


def with_reply(
    prompt: Prompt, reply_ids: Sequence[int], finish_reason: FinishReason
) -> Conversation:
    """The timeline of a turn with its reply; tokens that were chosen are part of it in any case."""
    reply = max(prompt.forced, tuple(reply_ids), key=len)
    assistant: Role = "assistant"
    return prompt.base.with_turn(
        (*prompt.ids[: prompt.n_prompt], *reply),
        (*prompt.roles[: prompt.n_prompt], *(assistant for _ in reply)),
        prompt.n_prompt,
        finish_reason,
        prompt.sampling,
        prompt.mode,
    )


def put(
    conversations: ConversationStore, engine: LensEngine, timeline: Conversation
) -> asyncio.Task[None]:
    return conversations.put(timeline, ModelIdentity.of(engine.facts), engine.vocabulary)


def queued_event(place: Place | None) -> QueuedEvent:
    if place is None:
        return QueuedEvent(type="queued", position=0, seconds_left=0.0)
    return QueuedEvent(type="queued", position=place.position, seconds_left=place.seconds_left)


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
        with ExitStack() as resources:
            job: Job[StreamEvent] = self._worker.claim(request_id, client)
            engine = job.engine
            resources.callback(job.close)
            stored: Conversation | None = None
            own = resources.enter_context(ExitStack())
            if request.conversation_id is not None:
                await self._conversations.until_free(request.conversation_id)
                own.enter_context(self._conversations.in_use(request.conversation_id))
                stored = await self._conversations.load(request.conversation_id)
                require_readable(stored, engine.facts)
            if request.interventions:
                found = await settled(engine, self._conversations, request.interventions)
                request = request.model_copy(update={"interventions": list(found)})
            prompt = await asyncio.to_thread(make_prompt, engine, request, stored)
            if not request.stream:
                require_reasonable_reply(engine.facts, prompt)
            base = prompt.base
            if stored is None or stored.id != base.id:
                own.close()
                own.enter_context(self._conversations.in_use(base.id))
            if prompt.adds_tokens:
                # A message that cannot be kept is not answered.
                begun = with_reply(prompt, (), "interrupted")
                await asyncio.shield(put(self._conversations, engine, begun))
                base = dataclasses.replace(begun, version=base.version + 1)
            # The model need not wait until the prompt's tokens are spelled out for the reader.
            job.start(Reply(engine, prompt).run)
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
                steering=prompt.base.steering,
            )
            return ChatRun(
                engine,
                job,
                prompt,
                base,
                start,
                self._conversations,
                lambda: self._worker.place(job),
                resources.pop_all(),
            )


def prompt_tokens(vocabulary: Vocabulary, prompt: Prompt) -> list[Token]:
    """A prompt's tokens as the wire has them, without those that are forced."""
    n_prompt = prompt.n_prompt
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
