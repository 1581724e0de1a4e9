from __future__ import annotations

import asyncio

import pytest

from app.errors import Conflict, ConversationNotFound, PositionOutOfRange
from app.services.conversations import Conversation, ConversationStore, Turn


def conversation(name: str, n_tokens: int = 4) -> Conversation:
    return Conversation(name, tuple(range(n_tokens)), ("user",) * n_tokens, ())


def test_least_recently_used_is_forgotten_first() -> None:
    store = ConversationStore(max_conversations=2)
    store.put(conversation("a"))
    store.put(conversation("b"))
    store.get("a")
    store.put(conversation("c"))

    assert store.get("a").id == "a"
    with pytest.raises(ConversationNotFound):
        store.get("b")


def test_total_length_is_bounded_as_well() -> None:
    store = ConversationStore(max_conversations=100, max_tokens=10)
    for name in "abc":
        store.put(conversation(name))
    assert len(store) == 2
    store.put(conversation("c", 9))

    assert len(store) == 1


def test_a_conversation_in_use_is_not_forgotten() -> None:
    store = ConversationStore(max_conversations=1)
    store.put(conversation("a"))
    with store.in_use("a"):
        store.put(conversation("b"))
        assert store.get("a").id == "a"


def test_second_turn_waits_a_moment_and_then_conflicts() -> None:
    async def scenario() -> None:
        store = ConversationStore(max_conversations=1)
        store.put(conversation("a"))
        with store.in_use("a"):
            with pytest.raises(Conflict):
                await store.until_free("a", patience_s=0.02)
            waiting = asyncio.ensure_future(store.until_free("a", patience_s=10))
            await asyncio.sleep(0)
        await waiting

    asyncio.run(scenario())


def test_cut_conversation_is_a_new_one_with_the_turns_before() -> None:
    whole = Conversation(
        "a",
        tuple(range(10)),
        ("user",) * 10,
        (Turn(0, 2, 5, "stop"), Turn(5, 7, 10, "length")),
    )

    at_turn = whole.before(5)
    in_reply = whole.before(8)

    assert at_turn.id != "a"
    assert (at_turn.ids, at_turn.turns) == ((0, 1, 2, 3, 4), (Turn(0, 2, 5, "stop"),))
    assert in_reply.turns[1] == Turn(5, 7, 8, "cancelled")
    with pytest.raises(PositionOutOfRange):
        whole.before(11)
