"""Streams of the client against a server process: events, text, cancelling, failures."""

from __future__ import annotations

import dataclasses

import httpx
import pytest
from mechanistic_explorer import Explorer, ServerBusy, ServerError, StreamCut, answers
from mechanistic_explorer.requests import SamplingRequest
from mechanistic_explorer.streams import event_data

from tests.client.conftest import url_of
from tests.server.conftest import Start

SEEDED = {"max_new_tokens": 6, "seed": 7}
LONG: SamplingRequest = {"max_new_tokens": 400}


def test_events_come_typed_and_in_their_order(explorer: Explorer) -> None:
    with explorer.chat_stream("hello", sampling={"max_new_tokens": 3}) as stream:
        events = list(stream)

    kinds = [event.type for event in events]
    assert kinds[0] == "start"
    assert kinds[-1] == "done"
    assert kinds.count("token") == kinds.count("lens") == 3


def test_stream_read_to_its_end_is_the_answer_of_chat(explorer: Explorer) -> None:
    whole = explorer.chat("hello", sampling=SEEDED, lens={"scope": "all"})
    streamed = explorer.chat_stream("hello", sampling=SEEDED, lens={"scope": "all"}).answer()

    differ = ("id", "conversation_id", "timings", "usage")
    for field in dataclasses.fields(whole):
        if field.name not in differ:
            assert getattr(streamed, field.name) == getattr(whole, field.name), field.name


def test_text_is_joined_from_parts_of_characters_and_line_breaks_are_no_ends_of_lines(
    start: Start,
) -> None:
    """The fake model has one token a byte; U+2028 and U+0085 stand raw in the events."""
    said = "é\u2028ü\u0085\r\n😀"
    server = start(engine={"say": list(said.encode())})
    server.wait_until_ready()
    with Explorer(url_of(server)) as explorer:
        stream = explorer.chat_stream("x", sampling={"max_new_tokens": 64})
        assert "".join(stream.texts()) == said
        assert stream.done is not None
        assert stream.done.text == said


def test_leaving_a_stream_stops_the_model_and_a_killed_server_cuts_it(start: Start) -> None:
    server = start(engine={"step_seconds": 0.02})
    server.wait_until_ready()
    with Explorer(url_of(server)) as explorer:
        with explorer.chat_stream("hello", sampling=LONG) as stream:
            next(event for event in stream if isinstance(event, answers.TokenEvent))
        server.wait_until(lambda: server.probe()["generations_closed"] == 1)
        assert server.probe()["steps"] < 400
        with pytest.raises(StreamCut, match="closed before its end"):
            stream.answer()
        assert stream.start is not None
        conversation = stream.start.conversation_id
        server.wait_until(lambda: not explorer.open_conversation(conversation).is_running)
        assert explorer.open_conversation(conversation).turns[0].finish_reason == "cancelled"

        cut = explorer.chat_stream("hello", sampling=LONG)
        assert isinstance(next(cut), answers.StartEvent)
        server.process.kill()
        with pytest.raises(StreamCut):
            list(cut)


def test_error_event_is_raised_after_the_events_before_it(start: Start) -> None:
    server = start(engine={"step_seconds": 0.05}, settings={"request_seconds": 0.3})
    server.wait_until_ready()
    seen: list[answers.StreamEvent] = []
    with Explorer(url_of(server)) as explorer:
        with pytest.raises(ServerError) as raised:
            seen.extend(explorer.chat_stream("hello", sampling=LONG))
        assert raised.value.code == "deadline_exceeded"
        assert raised.value.status is None
        assert raised.value.request_id
        assert isinstance(seen[0], answers.StartEvent)


def test_request_that_is_refused_as_too_many_is_sent_again_when_the_server_says(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(pauses=["prefill"], settings={"concurrency": 1, "queue_capacity": 1})
    server.wait_until_ready()
    running, waiting = Explorer(url_of(server)), Explorer(url_of(server))
    third = Explorer(url_of(server), retry_s=10)
    streams = [running.chat_stream("a", sampling={"max_new_tokens": 1})]
    server.wait_until(lambda: server.queue()["running"] == 1)
    streams.append(waiting.chat_stream("b", sampling={"max_new_tokens": 1}))
    server.wait_until(lambda: server.queue()["waiting"] == 1)

    impatient = Explorer(url_of(server), retry_s=0)
    with pytest.raises(ServerBusy) as refused:
        impatient.lens("abc")
    assert (refused.value.code, refused.value.status) == ("queue_full", 429)

    pauses: list[float] = []

    def free_the_queue(seconds: float) -> None:
        pauses.append(seconds)
        server.get("/go_on")
        for stream in streams:
            stream.answer()

    monkeypatch.setattr(third, "_sleep", free_the_queue)
    assert third.lens("abc").positions == [0, 1, 2]
    assert pauses == [refused.value.retry_after_s]
    for explorer in (running, waiting, third, impatient):
        explorer.close()


def test_events_are_cut_at_line_feeds_only_wherever_the_chunks_end() -> None:
    wire = b": keep-alive\n\nevent: a\ndata: 1\xe2\x80\xa8\xc2\x852\n\nevent: b\ndata:3\n\n"
    whole = list(event_data(iter([wire])))
    assert whole == [b"1\xe2\x80\xa8\xc2\x852", b"3"]
    assert list(event_data(wire[i : i + 1] for i in range(len(wire)))) == whole


def test_busy_cluster_is_asked_again_as_a_busy_server_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """One replica refuses with 429; the proxy of many, which says the same in its body, with 503."""
    refusals = iter([True, False])

    def answer(_request: httpx.Request) -> httpx.Response:
        if next(refusals):
            error = {"code": "queue_full", "message": "m", "hint": "h", "param": None}
            body = {"error": {**error, "request_id": "r"}}
            return httpx.Response(503, json=body, headers={"retry-after": "2"})
        return httpx.Response(200, json={"capacity": 8, "running": 0, "waiting": 0})

    pauses: list[float] = []
    explorer = Explorer("http://localhost:1")
    monkeypatch.setattr(explorer, "_sleep", pauses.append)
    monkeypatch.setattr(explorer, "_http", httpx.Client(transport=httpx.MockTransport(answer)))
    response = explorer._send("GET", "/x", query=None, body=None, also=(), streams=False)
    assert response.status_code == 200
    assert pauses == [2.0]
