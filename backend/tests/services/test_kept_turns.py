"""What a person wrote is kept before the model runs, and what they were shown however a reply ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.errors import Conflict, DeadlineExceeded, Draining, ExplorerError, InternalError
from app.models.chat import ChatRequest, ChatResponse, StartEvent, StreamEvent
from app.services.chat import ChatRun, ChatService
from app.services.conversations import ConversationStore
from app.services.identity import ModelIdentity
from app.services.storage import opening
from app.services.timelines import Conversation
from tests.fakes import FakeEngine
from tests.services.jobs import until
from tests.services.test_chat_runs import chatting, request, response_of, take_tokens

LONG: dict[str, Any] = {"sampling": {"max_new_tokens": 400}, "lens": {"scope": "none"}}


async def opened(service: ChatService, asked: ChatRequest) -> ChatRun:
    return await service.open(asked, client="a", request_id="r")


async def reply_to(service: ChatService, text: str = "Hi", **more: Any) -> ChatResponse:
    return await answer(await opened(service, request(text, **more)))


async def answer(run: ChatRun) -> ChatResponse:
    return response_of(await run.reply())


def silent(**more: Any) -> ChatRequest:
    """A request without a message: regenerate, or continue."""
    return ChatRequest.model_validate({"messages": [], **more})


async def read_events(run: ChatRun, seen: list[StreamEvent | None]) -> None:
    async with contextlib.aclosing(run.events()) as events:
        async for event in events:
            seen.append(event)  # noqa: PERF401  (read while it grows)


def text_of(conversation: Conversation) -> bytes:
    return bytes(conversation.ids)


def test_message_is_on_the_disk_before_the_model_runs() -> None:
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, store):
            pause = engine.faults.pause("prefill")
            run = await opened(service, request("Hello"))
            await until(pause.reached.is_set)
            name = run._start.conversation_id
            stored = await store.get(name)
            pause.go_on.set()
            reply = await answer(run)
            after = await store.get(name)

            assert b"User: Hello" in text_of(stored)
            (turn,) = stored.turns
            assert (turn.start, turn.reply_start, turn.end) == (0, len(stored.ids), len(stored.ids))
            assert turn.finish_reason == "interrupted"
            assert after.ids == (*stored.ids, *(token.id for token in reply.tokens))
            assert [turn.finish_reason for turn in after.turns] == ["length"]

    asyncio.run(scenario())


async def time_out(service: ChatService, run: ChatRun) -> None:
    del service
    run._job._request_seconds = 0.0


async def shut_down(service: ChatService, run: ChatRun) -> None:
    del run
    await service._worker.drained(0.0)


ENDS: list[tuple[Callable[[ChatService, ChatRun], Awaitable[None]], type[ExplorerError]]] = [
    (time_out, DeadlineExceeded),
    (shut_down, Draining),
]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("end", "failure"), ENDS)
def test_reply_that_the_server_ends_keeps_what_was_written(
    end: Callable[[ChatService, ChatRun], Awaitable[None]],
    failure: type[ExplorerError],
    stream: bool,
) -> None:
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, store):
            pause = engine.faults.pause("decode:5")
            run = await opened(service, request(**LONG))
            seen: list[StreamEvent | None] = []
            reading = asyncio.ensure_future(read_events(run, seen) if stream else run.reply())
            await until(lambda: pause.reached.is_set() and len(run._sent) == 5)
            ending = asyncio.ensure_future(end(service, run))
            await asyncio.sleep(0)
            pause.go_on.set()
            with pytest.raises(failure):
                await reading
            await ending
            stored = await store.get(run._start.conversation_id)

            assert len(run._sent) >= 5
            assert stored.ids[stored.turns[0].reply_start :] == tuple(run._sent)
            assert [turn.finish_reason for turn in stored.turns] == ["interrupted"]

    asyncio.run(scenario())


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("is_first", [True, False])
def test_reply_that_fails_keeps_what_was_written(is_first: bool, stream: bool) -> None:
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, store):
            more = (
                {} if is_first else {"conversation_id": (await reply_to(service)).conversation_id}
            )
            engine.faults.raises["decode:4"] = ValueError("x")
            run = await opened(service, request("Why?", **more))
            with pytest.raises(InternalError):
                await (read_events(run, []) if stream else run.reply())
            stored = await store.get(run._start.conversation_id)

            assert len(run._sent) == 4
            assert stored.ids[-4:] == tuple(run._sent)
            assert b"Why?" in text_of(stored)
            assert stored.turns[-1].finish_reason == "interrupted"
            assert len(stored.turns) == (1 if is_first else 2)

    asyncio.run(scenario())


def test_reply_that_ends_before_it_began_keeps_the_message() -> None:
    engine = FakeEngine()
    engine.faults.raises["prefill"] = ValueError("x")

    async def scenario() -> None:
        async with chatting(engine) as (service, store):
            run = await opened(service, request("Hello"))
            with pytest.raises(InternalError):
                await run.reply()
            stored = await store.get(run._start.conversation_id)

            assert stored.turns[0].reply_start == len(stored.ids)
            assert b"Hello" in text_of(stored)

    asyncio.run(scenario())


def test_json_reply_given_up_keeps_what_was_computed_as_cancelled() -> None:
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, store):
            pause = engine.faults.pause("decode:5")
            run = await opened(service, request(**LONG))
            reply = asyncio.ensure_future(run.reply())
            await until(lambda: pause.reached.is_set() and len(run._sent) == 5)
            reply.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reply
            pause.go_on.set()
            await until(lambda: engine.generations_closed == 1)
            stored = await store.get(run._start.conversation_id)

            assert engine.steps_made == 6
            assert stored.ids[-5:] == tuple(run._sent)
            assert stored.turns[-1].finish_reason == "cancelled"

    asyncio.run(scenario())


def test_stream_closed_before_its_first_token_keeps_the_message() -> None:
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, store):
            first = await reply_to(service)
            name = first.conversation_id
            start, ids = await take_tokens(service, request("More", conversation_id=name), 0)
            stored = await store.get(name)

            assert ids == []
            assert stored.ids == tuple(token.id for token in start.prompt_tokens)
            assert stored.turns[-1].finish_reason == "cancelled"

    asyncio.run(scenario())


def test_every_token_that_a_client_was_given_is_kept() -> None:
    """One that it shows and the server does not hold could not be continued."""
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, store):
            start, ids = await take_tokens(service, request(**LONG), 3)
            stored = await store.get(start.conversation_id)
            assert stored.ids[len(start.prompt_tokens) :] == tuple(ids)
            assert len(ids) == 3

    asyncio.run(scenario())


@pytest.mark.parametrize("cut", [0, 2], ids=["continue in place", "regenerate"])
def test_turn_without_a_message_that_is_stopped_at_once_leaves_nothing(cut: int) -> None:
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, store):
            name = (await reply_to(service)).conversation_id
            before = await store.get(name)
            asked = silent(conversation_id=name, from_index=len(before.ids) - cut)
            run = await opened(service, asked)
            async with contextlib.aclosing(run.events()) as events:
                assert isinstance(await anext(events), StartEvent)
            await store.until_free(run._start.conversation_id)

            assert await store.get(name) == before
            assert await store.count() == 1
            assert await branches_of(store, name) == [name]

    asyncio.run(scenario())


async def branches_of(store: ConversationStore, name: str) -> list[str]:
    facts = await store._database.read(lambda c: opening.open_branch(c, name, "here")[0])
    return [branch.id for branch in facts.branches]


def test_whole_length_continues_the_same_branch() -> None:
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, store):
            first = await reply_to(service, sampling={"max_new_tokens": 4})
            name, length = first.conversation_id, len((await store.get(first.conversation_id)).ids)
            more = await reply_to(service, "More", conversation_id=name, from_index=length, **LONG)
            after = await store.get(name)
            on = await answer(
                await opened(service, silent(conversation_id=name, from_index=len(after.ids)))
            )

            assert [more.conversation_id, on.conversation_id] == [name, name]
            assert await branches_of(store, name) == [name]
            assert more.turn_start == length
            assert on.turn_start == len(after.ids)

    asyncio.run(scenario())


def test_retry_that_names_what_it_shows_does_not_land_behind_a_half_reply() -> None:
    """A page whose stream was cut shows fewer tokens than are stored by then."""
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, store):
            first = await reply_to(service)
            name, shown = first.conversation_id, len((await store.get(first.conversation_id)).ids)
            await take_tokens(service, request("More", conversation_id=name, **LONG), 3)
            half = await store.get(name)
            assert len(half.ids) > shown
            again = await reply_to(service, "More", conversation_id=name, from_index=shown)

            assert again.conversation_id != name
            assert again.turn_start == shown
            assert text_of(await store.get(again.conversation_id)).count(b"More") == 1
            assert await store.get(name) == half

    asyncio.run(scenario())


@pytest.mark.parametrize("in_place", [True, False])
def test_reply_that_was_not_begun_is_begun_in_its_own_turn(in_place: bool) -> None:
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, store):
            if in_place:
                start, _ = await take_tokens(service, request("Hello"), 0)
                name = start.conversation_id
            else:
                name = (await reply_to(service, "Hello")).conversation_id
            message = (await store.get(name)).turns[0].reply_start
            asked = silent(conversation_id=name, from_index=message)
            reply = await answer(await opened(service, asked))
            stored = await store.get(reply.conversation_id)

            (turn,) = stored.turns
            assert (turn.start, turn.reply_start, turn.end) == (0, message, len(stored.ids))
            assert turn.finish_reason == "length"
            assert (reply.conversation_id == name) is in_place

    asyncio.run(scenario())


def test_chosen_tokens_are_kept_before_the_model_has_scored_them() -> None:
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, store):
            name = (await reply_to(service)).conversation_id
            length = len((await store.get(name)).ids)
            engine.faults.raises["read"] = ValueError("x")
            chosen = silent(conversation_id=name, from_index=length - 2, continue_with=[65, 66])
            run = await opened(service, chosen)
            with pytest.raises(InternalError):
                await run.reply()
            stored = await store.get(run._start.conversation_id)

            assert stored.id != name
            assert stored.ids[-2:] == (65, 66)
            assert stored.roles[-2:] == ("assistant", "assistant")

    asyncio.run(scenario())


def test_reply_of_a_conversation_that_another_server_continued_is_a_conflict() -> None:
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, store):
            pause = engine.faults.pause("decode:2")
            run = await opened(service, request(**LONG))
            reading = asyncio.ensure_future(run.reply())
            await until(pause.reached.is_set)
            stored = await store.get(run._start.conversation_id)
            await store.put(stored, ModelIdentity.of(engine.facts), engine.vocabulary)
            pause.go_on.set()
            with pytest.raises(Conflict):
                await reading

    asyncio.run(scenario())


def test_forced_reply_counts_all_that_the_model_ran_on() -> None:
    """Scoring the chosen tokens is part of the work and of its time."""
    engine = FakeEngine()

    async def scenario() -> None:
        async with chatting(engine) as (service, store):
            name = (await reply_to(service)).conversation_id
            stored = await store.get(name)
            engine._held.clear()  # the store has forgotten everything
            before = engine.computed_tokens()
            asked = silent(
                conversation_id=name,
                from_index=len(stored.ids) - 2,
                continue_with=[65, 66],
                sampling={"max_new_tokens": 3},
            )
            reply = await answer(await opened(service, asked))

            assert reply.usage.computed_tokens == engine.computed_tokens() - before
            assert reply.usage.computed_tokens > len(stored.ids)
            assert (reply.usage.prompt_tokens, reply.usage.reply_tokens) == (len(stored.ids) - 2, 5)
            assert reply.timings.first_token_ms is not None
            assert reply.timings.first_token_ms <= reply.timings.total_ms

    asyncio.run(scenario())
