"""One server over HTTP: requests, retries, and failures as exceptions."""

from __future__ import annotations

import contextlib
import time
import types
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx

from mechanistic_explorer import answers
from mechanistic_explorer._version import __version__
from mechanistic_explorer.errors import CannotConnect, ServerBusy, ServerError, UnexpectedAnswer
from mechanistic_explorer.results import decode, encode

T = TypeVar("T")
CONNECT_SECONDS = 10.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")
BUSY = "queue_full"
"""The code of a refusal because too many wait: status 429, or 503 from a cluster."""


class Connection:
    """Sends requests to one server. Not to be shared by threads; make one for each."""

    def __init__(
        self,
        url: str = "http://localhost:8000",
        token: str | None = None,
        *,
        timeout_s: float | None = 660.0,
        retry_s: float = 60.0,
    ) -> None:
        """`token`: the server's `EXPLORER_TOKEN`, where it has one. `timeout_s`: longest silence of
        the server; the default is a minute more than it may take by itself. `retry_s`: how long a
        request that is refused because too many wait is tried again, each time after the
        seconds that the server names; 0 does not.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a server; write http://localhost:8000")
        self.url = url.rstrip("/")
        self._retry_s = retry_s
        self._sleep = time.sleep
        headers = {
            "user-agent": f"mechanistic-explorer/{__version__}",
            "x-client-id": f"py-{uuid.uuid4().hex}",
        }
        if token:
            headers["authorization"] = f"Bearer {token}"
        self._http = httpx.Client(
            base_url=self.url,
            headers=headers,
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_SECONDS),
            # A proxy that the environment names is not the way to this machine.
            trust_env=parts.hostname not in LOOPBACK,
        )

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    @contextlib.contextmanager
    def _silent_for(self, seconds: float | None) -> Iterator[None]:
        """Lets the server be silent for so long at most; None leaves it as it is."""
        former = self._http.timeout
        if seconds is not None:
            self._http.timeout = httpx.Timeout(
                shorter(former.read, seconds), connect=shorter(former.connect, seconds)
            )
        try:
            yield
        finally:
            self._http.timeout = former

    # --- what the operations call --------------------------------------------------------------------

    def _call(
        self,
        method: str,
        path: str,
        kind: type[T] | types.UnionType,
        *,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        also: Sequence[int] = (),
    ) -> T:
        """The answer as `kind`. `also`: statuses of failures that may have the form of a success."""
        response = self._send(method, path, query=query, body=body, also=also, streams=False)
        decoded: T = decode(kind, self._json(response))
        return decoded

    def _stream(self, method: str, path: str, *, body: object = None) -> httpx.Response:
        """An answer that is still arriving. The caller closes it."""
        return self._send(method, path, query=None, body=body, also=(), streams=True)

    def _timeline(self, source: Any) -> Any:
        return {"prompt": source} if isinstance(source, str) else source

    def _messages(self, messages: Any) -> Any:
        return [{"role": "user", "content": messages}] if isinstance(messages, str) else messages

    def _part(self, value: object) -> str:
        """One part of an address, whatever is in it."""
        return quote(str(value), safe="")

    # --- sending -------------------------------------------------------------------------------------

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None,
        body: object,
        also: Sequence[int],
        streams: bool,
    ) -> httpx.Response:
        """A response that is no failure. One that is refused as too many is sent again."""
        content = None if body is None else without_none(encode(body))
        request = self._http.build_request(method, f"{self.url}{path}", params=query, json=content)
        waited = 0.0
        while True:
            try:
                response = self._http.send(request, stream=streams)
                if response.is_success:
                    return response
                response.read()
            except httpx.TransportError as failure:
                raise self._cannot_connect(failure) from failure
            answer = self._json(response)
            if response.status_code in also and not (
                isinstance(answer, dict) and "error" in answer
            ):
                return response
            error = self._error(response, answer)
            pause = error.retry_after_s
            if error.code != BUSY or pause is None or waited + pause > self._retry_s:
                raise error
            self._sleep(pause)
            waited += pause

    def _error(self, response: httpx.Response, answer: object) -> ServerError:
        found: answers.ErrorResponse = decode(answers.ErrorResponse, answer)
        retry_after = response.headers.get("retry-after", "")
        kind = ServerBusy if found.error.code == BUSY else ServerError
        seconds = float(retry_after) if retry_after.isdecimal() else None
        return kind(found.error, response.status_code, seconds)

    def _json(self, response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError as wrong:
            kind = response.headers.get("content-type", "no content type")
            raise UnexpectedAnswer(
                f"{response.request.url} answered {response.status_code} with {kind}, not with JSON."
                " Is this the address of Mechanistic Explorer?"
            ) from wrong

    def _cannot_connect(self, failure: httpx.TransportError) -> CannotConnect:
        if isinstance(failure, httpx.ReadTimeout):
            return CannotConnect(f"{self.url} has sent nothing for too long; see timeout_s.")
        reason = str(failure) or type(failure).__name__
        return CannotConnect(
            f"Cannot reach {self.url} ({reason}). Is the server running? `mechanistic-explorer serve`"
            " starts one, and so does Explorer.launch()."
        )


def shorter(timeout_s: float | None, seconds: float) -> float:
    return seconds if timeout_s is None else min(timeout_s, seconds)


def without_none(body: dict[str, Any]) -> dict[str, Any]:
    """Arguments that were not given: the server has their defaults."""
    return {name: value for name, value in body.items() if value is not None}
