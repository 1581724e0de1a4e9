"""Chat runs driven directly: closing their iterator is how a stream is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.api import sse
from app.api.sse import EventStream
from app.errors import ConversationNotFound
from app.models.chat import ChatRequest, ChatResponse, StartEvent, TokenEvent
from app.services.chat import ChatRun, ChatService
from app.services.conversations import ConversationStore
from app.services.storage.database import Database
from app.services.timelines import Conversation
from app.services.worker import ModelWorker
from app.settings import Settings
from tests.fakes import FakeEngine, loader
from tests.services.jobs import until


@asynccontextmanager
async def chatting(engine: FakeEngine) -> AsyncIterator[tuple[ChatService, ConversationStore]]:
    worker = ModelWorker(Settings(), loader(engine))
    worker.start()
    await until(lambda: worker.state().status == "ready")
    store = ConversationStore(Database("sqlite://"))
    try:
        yield ChatService(worker, store), store
    finally:
        worker.stop()
        await store.close()
        assert await asyncio.to_thread(worker.join, 5)


def request(text: str = "Hi", **more: Any) -> ChatRequest:
    return ChatRequest.model_validate({"messages": [{"role": "user", "content": text}], **more})


async def take_tokens(
    service: ChatService, asked: ChatRequest, n_tokens: int
) -> tuple[StartEvent, list[int]]:
    """The first tokens of a stream that is closed after them."""
    run = await service.open(asked, client="a", request_id="r")
    ids: list[int] = []
    start: StartEvent | None = None
    async with contextlib.aclosing(run.events()) as events:
        async for event in events:
            if isinstance(event, StartEvent):
                start = event
            if isinstance(event, TokenEvent):
                ids.append(event.token.id)
            if len(ids) == n_tokens:
                break
    assert start is not None
    return start, ids


def response_of(pieces: list[bytes]) -> ChatResponse:
    return ChatResponse.model_validate_json(b"".join(pieces))


async def read_into(run: ChatRun, seen: list[Any]) -> None:
    async with contextlib.aclosing(run.events()) as events:
        async for event in events:
            seen.append(event)  # noqa: PERF401  (read while it grows)


def ids_of(conversation: Conversation, start: StartEvent) -> tuple[int, ...]:
    return conversation.ids[len(start.prompt_tokens) :]


def test_closing_a_stream_stops_the_model_and_keeps_what_was_sent() -> None:
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, store):
            pause = engine.faults.pause("decode:5")
            asked = request(sampling={"max_new_tokens": 400}, lens={"scope": "none"})
            run = await service.open(asked, client="a", request_id="r")
            seen: list[Any] = []
            reading = asyncio.ensure_future(read_into(run, seen))
            await until(lambda: pause.reached.is_set() and len(seen) == 6)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            pause.go_on.set()
            await until(lambda: engine.generations_closed == 1)

            # One step was under way when the stream was closed; no further one was begun.
            assert engine.steps_made == 6
            start, *tokens = seen
            stored = await store.get(start.conversation_id)
            assert ids_of(stored, start) == tuple(event.token.id for event in tokens)
            assert stored.turns[-1].finish_reason == "cancelled"

    asyncio.run(scenario())


def test_stopped_turn_can_be_continued_at_once() -> None:
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, _):
            start, ids = await take_tokens(service, request(sampling={"max_new_tokens": 99}), 2)
            more = request("More", conversation_id=start.conversation_id)
            again, _ = await take_tokens(service, more, 1)
            assert [t.id for t in again.prompt_tokens[: again.turn_start]] == [
                *(t.id for t in start.prompt_tokens),
                *ids,
            ]

    asyncio.run(scenario())


def test_run_whose_stream_never_starts_leaves_the_model() -> None:
    """A generator that has not begun runs no `finally` when it is closed."""
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, _):
            pause = engine.faults.pause("decode:5")
            run = await service.open(request(), client="a", request_id="r")
            await until(pause.reached.is_set)

            async def gone() -> Any:
                return {"type": "http.disconnect"}

            async def send(_message: Any) -> None:
                await asyncio.Event().wait()

            await EventStream(run, "r")({"type": "http"}, gone, send)
            pause.go_on.set()
            await until(lambda: engine.generations_closed == 1)
            assert engine.steps_made == 6

    asyncio.run(scenario())


def test_a_whole_prompt_becomes_json_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """All streams would stand still for as long as it takes: 0.4 s for 50,000 tokens."""
    made: dict[str, set[bool]] = {}
    frame = sse.frame

    def noted(event: Any) -> bytes:
        is_on_loop = threading.current_thread() is threading.main_thread()
        made.setdefault(event.type, set()).add(is_on_loop)
        return frame(event)

    monkeypatch.setattr(sse, "frame", noted)

    async def scenario() -> None:
        async with chatting(FakeEngine()) as (service, _):
            run = await service.open(
                request(sampling={"max_new_tokens": 2}), client="a", request_id="r"
            )
            async for _frame in sse.frames(run, "r"):
                pass

    asyncio.run(scenario())
    assert made["start"] == {False}
    assert made["token"] == {True}  # a thread for each would cost more than its JSON


def test_run_that_is_closed_unread_gives_its_place_back() -> None:
    engine = FakeEngine()

    async def scenario(act: Callable[[ChatService], Any]) -> None:
        async with chatting(engine) as (service, _):
            await act(service)
            assert service._worker.state().waiting == 0
            await until(lambda: service._worker.state().running == 0)

    async def close_unread(service: ChatService) -> None:
        (await service.open(request(), client="a", request_id="r")).close()

    async def fail_to_open(service: ChatService) -> None:
        with pytest.raises(ConversationNotFound):
            await service.open(request(conversation_id="x"), client="a", request_id="r")

    asyncio.run(scenario(close_unread))
    asyncio.run(scenario(fail_to_open))


def test_two_conversations_never_mix() -> None:
    engine = FakeEngine()

    async def talk(service: ChatService, name: str, marker: str) -> None:
        conversation_id = None
        said = b""
        for n in range(6):
            run = await service.open(
                request(
                    f"{marker}{n}",
                    conversation_id=conversation_id,
                    sampling={"max_new_tokens": 4},
                ),
                client=name,
                request_id=f"{name}{n}",
            )
            reply = response_of(await run.reply())
            conversation_id = reply.conversation_id
            prompt = bytes(t.id for t in reply.prompt_tokens)
            assert prompt.startswith(said)
            assert marker.encode() in prompt
            said = prompt + reply.text.encode()
        other = "@" if marker == "#" else "#"
        assert other.encode() not in said

    async def scenario() -> None:
        async with chatting(engine) as (service, _):
            await asyncio.gather(talk(service, "a", "@"), talk(service, "b", "#"))

    asyncio.run(scenario())
    assert len(engine.threads) == 1
