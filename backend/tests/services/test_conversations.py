from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Connection

from app.errors import Conflict, ConversationNotFound, PositionOutOfRange, StorageFailed
from app.services import conversations
from app.services.conversations import ConversationStore
from app.services.storage import deletion
from app.services.storage.database import Database
from app.services.timelines import Conversation, ModelIdentity, Turn
from tests.fakes import FakeEngine

MODEL = ModelIdentity("fake", None, "local")
VOCABULARY = FakeEngine().vocabulary


def conversation(name: str, text: bytes = b"abcd") -> Conversation:
    return Conversation(name, tuple(text), ("user",) * len(text), ())


@asynccontextmanager
async def storing(url: str = "sqlite://") -> AsyncIterator[ConversationStore]:
    store = ConversationStore(Database(url))
    try:
        yield store
    finally:
        await store.close()


def test_second_turn_waits_a_moment_and_then_conflicts() -> None:
    async def scenario() -> None:
        async with storing() as store:
            with store.in_use("a"):
                with pytest.raises(Conflict):
                    await store.until_free("a", patience_s=0.02)
                waiting = asyncio.ensure_future(store.until_free("a", patience_s=10))
                await asyncio.sleep(0)
            await waiting

    asyncio.run(scenario())


def test_turn_that_is_still_being_written_is_waited_for() -> None:
    async def scenario() -> None:
        async with storing() as store:
            store.put(conversation("a"), MODEL, VOCABULARY)
            with pytest.raises(Conflict):
                await store.until_free("a", patience_s=0)
            assert (await store.get("a")).ids == tuple(b"abcd")
            await store.until_free("a", patience_s=0)

    asyncio.run(scenario())


def test_reading_a_first_reply_that_is_just_being_stopped_waits_for_it() -> None:
    async def scenario() -> None:
        async with storing() as store:
            with store.in_use("a"):
                reading = asyncio.ensure_future(store.get("a"))
                await asyncio.sleep(0.05)
                store.put(conversation("a"), MODEL, VOCABULARY)
            assert (await reading).ids == tuple(b"abcd")

    asyncio.run(scenario())


def test_closing_waits_for_what_is_being_written(own_database: str) -> None:
    async def scenario() -> None:
        async with storing(own_database) as store:
            store.put(conversation("a"), MODEL, VOCABULARY)
        async with storing(own_database) as store:
            assert (await store.get("a")).model == MODEL

    asyncio.run(scenario())


def test_turn_of_another_server_is_not_overwritten(own_database: str) -> None:
    async def scenario() -> None:
        async with storing(own_database) as here, storing(own_database) as there:
            await here.put(conversation("a"), MODEL, VOCABULARY)
            mine, theirs = await here.get("a"), await there.get("a")
            for base in (mine, theirs):
                assert base.version == 1
            grown = Conversation("a", (*theirs.ids, 1), (*theirs.roles, "user"), (), 1)
            await there.put(grown, MODEL, VOCABULARY)
            with pytest.raises(Conflict, match="not saved"):
                await here.put(grown, MODEL, VOCABULARY)
            assert (await here.get("a")).ids == grown.ids

    asyncio.run(scenario())


def test_failed_write_is_told_to_whoever_waits_for_it() -> None:
    async def scenario() -> None:
        async with storing("sqlite:////proc/nowhere/conversations.db") as store:
            with pytest.raises(StorageFailed):
                await store.put(conversation("a"), MODEL, VOCABULARY)
            with pytest.raises(StorageFailed):
                await store.get("a")

    asyncio.run(scenario())


def test_turn_is_saved_whatever_becomes_of_the_removal_of_deleted_ones(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It comes once an hour, after a turn: its failure was told as that of the turn, which was saved."""

    def locked(_connection: Connection) -> None:
        raise StorageFailed("Another program holds the saved conversations locked.")

    async def scenario() -> None:
        async with storing() as store:
            monkeypatch.setattr(deletion, "purge", locked)
            monkeypatch.setattr(conversations, "PURGE_EVERY_S", -1.0)
            await store.put(conversation("a"), MODEL, VOCABULARY)
            assert (await store.get("a")).ids == tuple(b"abcd")

    asyncio.run(scenario())
    assert "holds the saved conversations locked" in caplog.text


def test_unknown_conversation_is_told_at_once() -> None:
    async def scenario() -> None:
        async with storing() as store:
            with pytest.raises(ConversationNotFound):
                await asyncio.wait_for(store.get("a"), 5)

    asyncio.run(scenario())


def test_cut_conversation_is_a_branch_with_the_turns_before() -> None:
    whole = Conversation(
        "a",
        tuple(range(10)),
        ("user",) * 10,
        (Turn(0, 2, 5, "stop"), Turn(5, 7, 10, "length")),
        version=2,
    )

    at_turn = whole.before(5)
    in_reply = whole.before(8)

    assert at_turn.id != "a"
    assert (at_turn.parent_id, at_turn.from_index, at_turn.version) == ("a", 5, 0)
    assert (at_turn.ids, at_turn.turns) == ((0, 1, 2, 3, 4), (Turn(0, 2, 5, "stop"),))
    assert in_reply.turns[1] == Turn(5, 7, 8, "cancelled")
    with pytest.raises(PositionOutOfRange):
        whole.before(11)
