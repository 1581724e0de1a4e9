"""A reply that waits says where, and that its turn has come."""

from __future__ import annotations

import asyncio

import pytest

from app.models.chat import ChatRequest, QueuedEvent, StreamEvent
from app.services import job as job_module
from app.services.chat import ChatService
from app.services.conversations import ConversationStore
from app.services.storage.database import Database
from tests.fakes import Pause
from tests.services.jobs import collected, running_worker, until, waits


def test_a_reply_says_its_place_until_the_model_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_module, "QUEUE_NEWS_S", 0.005)

    async def scenario() -> None:
        async with running_worker(concurrency=1, queue_per_client=2) as worker:
            pauses = [Pause(), Pause(), Pause()]
            jobs = [worker.claim(str(n), client) for n, client in enumerate("aab")]
            jobs[0].start(waits(pauses[0]))
            await until(pauses[0].reached.is_set)
            jobs[1].start(waits(pauses[1]))
            jobs[2].start(waits(pauses[2]))
            chat = ChatService(worker, ConversationStore(Database("sqlite://")))
            body = {"messages": [{"role": "user", "content": "Hi"}], "stream": True}
            run = await chat.open(ChatRequest.model_validate(body), client="c", request_id="r")
            seen: list[StreamEvent] = []

            async def follow() -> None:
                async for event in run.events():
                    seen.extend([] if event is None else [event])

            def places() -> list[int]:
                return [each.position for each in seen if isinstance(each, QueuedEvent)]

            following = asyncio.ensure_future(follow())
            await until(lambda: places() == [3])
            pauses[0].go_on.set()
            await until(lambda: places() == [3, 2])
            pauses[1].go_on.set()
            pauses[2].go_on.set()
            await following
            for job in jobs:
                await collected(job)

            queued = [each for each in seen if isinstance(each, QueuedEvent)]
            assert queued[0].seconds_left > queued[1].seconds_left > 0
            assert places()[-1] == 0
            assert [each.type for each in seen].index("token") > seen.index(queued[-1])
            assert seen[-1].type == "done"

    asyncio.run(scenario())


def test_clients_that_come_later_stand_before_a_clients_second_request() -> None:
    async def scenario() -> None:
        async with running_worker(concurrency=1, queue_per_client=2) as worker:
            pause = Pause()
            first = worker.claim("0", "a")
            first.start(waits(pause))
            await until(pause.reached.is_set)
            jobs = [worker.claim(str(n), client) for n, client in enumerate("bbc")]
            for job in jobs:
                job.start(waits(Pause()))
            places = [worker.place(job) for job in jobs]
            assert [place and place.position for place in places] == [1, 3, 2]
            assert worker.place(first) is None
            for job in jobs:
                job.close()
            pause.go_on.set()
            assert await collected(first) == ["done"]

    asyncio.run(scenario())


def test_a_reply_that_need_not_wait_names_no_place() -> None:
    async def scenario() -> None:
        async with running_worker() as worker:
            chat = ChatService(worker, ConversationStore(Database("sqlite://")))
            body = {"messages": [{"role": "user", "content": "Hi"}], "stream": True}
            run = await chat.open(ChatRequest.model_validate(body), client="c", request_id="r")
            kinds = [event.type async for event in run.events() if event is not None]
            assert "queued" not in kinds
            assert kinds[-1] == "done"

    asyncio.run(scenario())
