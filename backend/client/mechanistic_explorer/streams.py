"""Streams of server-sent events, as iterators of typed events."""

from __future__ import annotations

import base64
import codecs
import dataclasses
import json
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import httpx

from mechanistic_explorer import answers
from mechanistic_explorer.errors import ServerError, StreamCut, UnexpectedAnswer
from mechanistic_explorer.results import decode

if TYPE_CHECKING:
    from typing_extensions import Self

Event = TypeVar("Event")


class EventStream(Generic[Event]):
    """Events as they come. Leaving a `with` block, or `close()`, ends the connection.

    An `error` event is raised as ServerError; a stream that breaks off is a StreamCut.
    """

    kind: Any
    """Union of the events."""
    last: tuple[type, ...]
    """Events after which nothing comes."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._events = self._read()

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; the server stops what it did for it."""
        self._events.close()
        self._response.close()

    def _read(self) -> Generator[Event]:
        try:
            for data in event_data(self._response.iter_bytes()):
                event = decode(self.kind, parsed(data))
                if isinstance(event, (answers.ErrorEvent, answers.JobErrorEvent)):
                    raise ServerError(event.error)
                self._see(event)
                yield event
                if isinstance(event, self.last):
                    return
        except httpx.TransportError as failure:
            raise StreamCut(f"The stream broke off ({failure}).") from failure
        finally:
            self._response.close()
        raise StreamCut("The stream ended without its last event.")

    def _see(self, event: Event) -> None:
        """Called with each event before it is handed out."""


class ChatStream(EventStream["answers.StreamEvent"]):
    """A reply as it is generated; closing it stops the model within one token."""

    kind = answers.StreamEvent
    last = (answers.DoneEvent,)

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response)
        self.start: answers.StartEvent | None = None
        """The first event, once it has come: ids of the prompt, seed and conversation."""
        self.done: answers.DoneEvent | None = None
        """The last event, once it has come."""
        self._tokens: dict[int, answers.Token] = {}

    def _see(self, event: answers.StreamEvent) -> None:
        if isinstance(event, answers.StartEvent):
            self.start = event
            self._tokens = {token.index: token for token in event.prompt_tokens}
        elif isinstance(event, answers.TokenEvent):
            self._tokens[event.token.index] = event.token
        elif isinstance(event, answers.LensEvent):
            token = self._tokens[event.index]
            self._tokens[event.index] = dataclasses.replace(token, lens=event.lens)
        elif isinstance(event, answers.DoneEvent):
            self.done = event

    def texts(self) -> Iterator[str]:
        """The text of the reply, piece by piece; tokens that are parts of a character are joined."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for event in self:
            if isinstance(event, answers.TokenEvent):
                piece = decoder.decode(base64.b64decode(event.token.bytes))
                if piece:
                    yield piece
        if rest := decoder.decode(b"", final=True):
            yield rest

    def answer(self) -> answers.ChatResponse:
        """Reads on to the end. The same as `chat` answers, with the numbers of every token."""
        for _ in self:
            pass
        start, done = self.start, self.done
        if start is None or done is None:
            raise StreamCut("The stream was closed before its end.")
        shared = {
            field.name: getattr(start, field.name)
            for field in dataclasses.fields(start)
            if field.name not in ("type", "prompt_tokens")
        }
        shared |= {
            field.name: getattr(done, field.name)
            for field in dataclasses.fields(done)
            if field.name != "type"
        }
        n_prompt = len(start.prompt_tokens)
        ordered = [self._tokens[index] for index in sorted(self._tokens)]
        return answers.ChatResponse(
            **shared, prompt_tokens=ordered[:n_prompt], tokens=ordered[n_prompt:]
        )


class JobEvents(EventStream["answers.JobStreamEvent"]):
    """What a job finds, as it finds it; closing it changes nothing of the job."""

    kind = answers.JobStreamEvent
    last = (answers.JobDoneEvent, answers.JobCancelledEvent)


def event_data(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The data of each event. Only `\\n` ends a line: texts hold other line breaks as they are."""
    data: list[bytes] = []
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))
            elif not line and data:
                yield b"\n".join(data)
                data = []


def parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError as wrong:
        raise UnexpectedAnswer("An event of the stream is not JSON.") from wrong
