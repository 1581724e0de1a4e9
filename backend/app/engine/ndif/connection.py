"""One job on an NDIF server: handed in, and followed on a thread of its own.

nnsight's own client makes the request and its wire format; only the waiting is ours, so that the
thread that owns the model is never held up. Nothing that the server sends is unpickled: a job's
findings are lines of JSON, and the result that NDIF sends at its end is not looked at.

The key goes into headers and nowhere else. NDIF repeats a key in some of its answers, so no answer
is passed on as it is, and errors drop what caused them.
"""

from __future__ import annotations

import contextlib
import json
import linecache
import logging
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from app.engine.runtime import LanguageModel, nnsight  # isort: skip  (configures nnsight)
import httpx
import websocket
from nnsight.intervention.backends.remote import (  # type: ignore[import-untyped]
    RemoteBackend,
    RemoteError,
)
from nnsight.schema.request import RequestModel  # type: ignore[import-untyped]

from app.engine.ndif.shipped import MARK
from app.engine.types import RemoteState
from app.errors import (
    DeadlineExceeded,
    ExplorerError,
    NdifFailed,
    NdifLost,
    NdifRefused,
    NdifUnavailable,
    NdifVersion,
)

CONNECT_SECONDS = 15.0
NEWS_SECONDS = 0.02
"""How long the thread that owns the model waits for news of one job before others get their turn."""

STATES: dict[str, RemoteState] = {
    "RECEIVED": RemoteState("queued"),
    "QUEUED": RemoteState("queued"),
    "PROVISIONING": RemoteState("deploying"),
    "DEPLOYING": RemoteState("deploying"),
    "DISPATCHED": RemoteState("running"),
    "RUNNING": RemoteState("running"),
}

# It tells at INFO of each address that it asks.
logging.getLogger("httpx").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Connection:
    """Address, key and time limit of an NDIF server. Its `repr` leaves out the address and the key."""

    host: str = field(repr=False)
    api_key: str | None = field(repr=False)
    seconds: float
    """Longest time that one job may take, waiting and deploying included."""


class Submission(RemoteBackend):  # type: ignore[misc]
    """Takes what is traced as bytes and sends nothing yet."""

    blob = b""

    def __call__(self, tracer: Any = None) -> None:
        self.blob = RequestModel.serialize(tracer, self.compress)


def keep_source(*modules: ModuleType) -> None:
    """Jobs are sent as source, which Python reads from the file again whenever that has changed.

    A server that runs while it is updated would send lines of another version.
    """
    for module in modules:
        file = str(module.__file__)
        lines = linecache.getlines(file)
        # Without a time of change an entry is never looked up again.
        linecache.cache[file] = (sum(map(len, lines)), None, lines, file)


Body = Callable[[LanguageModel, dict[str, Any]], None]
"""A function of `shipped.py`."""


class RemoteJob:
    """A job that was handed in. Iterate `updates`, and `close` it in any case."""

    def __init__(
        self,
        connection: Connection,
        lm: LanguageModel,
        model_key: str,
        body: Body,
        plan: dict[str, Any],
    ) -> None:
        """Makes the request on this thread, which must own `lm`, and begins to send it."""
        self._connection = connection
        self._submission = Submission(
            model_key,
            host=connection.host,
            api_key=connection.api_key,
            env=lm._remoteable_get_env(),
        )
        self._submission.display.enabled = False
        with lm.session(backend=self._submission):
            body(lm, plan)
        self._until = time.monotonic() + connection.seconds
        self._news: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._socket: Any = None
        self._is_closed = False
        threading.Thread(target=self._follow, name="ndif", daemon=True).start()

    def updates(self) -> Iterator[RemoteState | dict[str, Any] | None]:
        """States as they change and lines that the job prints, in their order; None while there is no news.

        Ends when the job is done. Raises NdifUnavailable, NdifRefused, NdifVersion, NdifLost, NdifFailed
        or DeadlineExceeded.
        """
        state: RemoteState | None = None
        n_lines = 0
        while True:
            try:
                news = self._news.get(timeout=NEWS_SECONDS)
            except queue.Empty:
                if time.monotonic() > self._until:
                    raise _too_late(state, self._connection.seconds) from None
                yield None
                continue
            if isinstance(news, ExplorerError):
                raise news
            if news is None:
                return
            if isinstance(news, RemoteState):
                if news != state:
                    state = news
                    yield state
                continue
            if news.get("n") != n_lines:
                raise NdifLost(
                    f"A line of the job on NDIF got lost: {news.get('n')} came where {n_lines} was due.",
                    hint="Ask again.",
                )
            n_lines += 1
            yield news

    def close(self) -> None:
        """Stops listening. NDIF knows no cancelling: the job itself ends by its own limits."""
        self._is_closed = True
        if self._socket is not None:
            with contextlib.suppress(Exception):
                self._socket.close(timeout=0)

    # --- on a thread of its own ------------------------------------------------------------------

    def _follow(self) -> None:
        try:
            self._hand_in()
            while self._take(self._socket.recv()):
                pass
        except ExplorerError as failure:
            self._news.put(failure)
        except (websocket.WebSocketException, OSError, ValueError, KeyError):
            if not self._is_closed:
                self._news.put(
                    NdifLost(
                        "The connection to NDIF ended before the job did.",
                        hint="Ask again; what the job had found by then was shown.",
                    )
                )
        finally:
            self.close()

    def _hand_in(self) -> None:
        """Subscribes first, so that no update is missed, then posts the job."""
        submission = self._submission
        header = {"ndif-api-key": submission.api_key} if submission.api_key else None
        try:
            self._socket = websocket.create_connection(
                f"{submission.ws_host}/subscribe", header=header, timeout=CONNECT_SECONDS
            )
        except websocket.WebSocketBadStatusException as error:
            raise _answered(error.status_code, "") from None
        except (websocket.WebSocketException, OSError):
            raise _away() from None
        request = RequestModel(
            model_key=submission.model_key, compress=submission.compress, env=submission.env
        )
        request.session_id = json.loads(self._socket.recv())["session_id"]
        try:
            submission._post(request, submission.blob)
        except RemoteError as error:
            cause = error.__cause__
            if isinstance(cause, httpx.HTTPStatusError):
                raise _answered(cause.response.status_code, str(error)) from None
            raise _away() from None
        self._news.put(STATES["RECEIVED"])  # as the answer to the POST says
        self._socket.settimeout(None)

    def _take(self, message: str | bytes) -> bool:
        """Passes one message on; False after the last."""
        if isinstance(message, bytes) or not message:
            # A pickled result, which ends a job; nothing at all, where the server hung up.
            if not message:
                raise websocket.WebSocketConnectionClosedException
            self._news.put(None)
            return False
        update = json.loads(message)
        status, text = update["status"], str(update.get("description") or "")
        if status == "COMPLETED":
            self._news.put(None)
            return False
        if status == "ERROR":
            self._news.put(self._failed(text))
            return False
        if status == "LOG" and text.startswith(MARK):
            self._news.put(json.loads(text.removeprefix(MARK)))
        elif status in STATES:
            self._news.put(STATES[status])
        return True

    def _failed(self, description: str) -> ExplorerError:
        """What went wrong there, by its last line, without addresses, folders and the key."""
        lines = description.strip().splitlines() or ["no reason was given"]
        last = lines[-1].strip().rstrip(".")
        for secret in (self._submission.api_key, self._submission.host):
            last = last.replace(secret, "…") if secret else last
        last = re.sub(r"(?:[A-Za-z]:)?(?:[\\/][\w.@~-]+){2,}", "…", last)[:300]
        if "UnknownPersistentId" in description or "has no module at" in description:
            return NdifVersion(
                "NDIF builds this model from other modules than this server does.",
                hint="Install the same versions of nnsight and transformers on both sides.",
            )
        return NdifFailed(
            f"The job failed on NDIF: {last}.", hint="Ask the operator of the NDIF server."
        )


def _away() -> ExplorerError:
    return NdifUnavailable(
        "The NDIF server does not answer.",
        hint="See whether it runs, and whether EXPLORER_NDIF_HOST names it.",
        retry_after_s=10.0,
    )


def _answered(status: int, detail: str) -> ExplorerError:
    """What an HTTP answer other than success means; `detail` is looked at, never shown."""
    if status in (401, 403) or (status == 400 and "API key" in detail):
        return NdifRefused(
            f"NDIF does not accept this server's key (HTTP {status}).",
            hint="Set EXPLORER_NDIF_API_KEY to a valid key and start the server again.",
        )
    if status == 404 or (status == 400 and "version" in detail):
        return NdifVersion(
            f"NDIF does not take requests of nnsight {nnsight.__version__} (HTTP {status}).",
            hint="Install versions of nnsight that fit each other on both sides.",
        )
    if status in (429, 502, 503, 504):
        return NdifUnavailable(
            f"NDIF cannot take the job now (HTTP {status}).",
            hint="Try again in a minute.",
            retry_after_s=30.0,
        )
    return NdifFailed(
        f"NDIF refused the job (HTTP {status}).", hint="Ask the operator of the NDIF server."
    )


def _too_late(state: RemoteState | None, seconds: float) -> ExplorerError:
    where = "was not accepted" if state is None else f"was {state.state}"
    return DeadlineExceeded(
        f"The job on NDIF took longer than {seconds:g} s, which is the limit; it {where} by then.",
        hint="Try again later, or start the server with a larger EXPLORER_NDIF_SECONDS.",
    )
