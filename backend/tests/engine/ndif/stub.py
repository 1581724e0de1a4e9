"""A stand-in for an NDIF server, in a process of its own: it runs real jobs on a real model.

It speaks what nnsight's client speaks: a websocket that tells of a job, and a POST that hands it in.
`POST /faults` with a list of names makes one job each go wrong, in this order:

- `refused`: the key is not accepted, and the answer repeats it, as NDIF's does;
- `version`: the client's nnsight is too old;
- `busy`: no compute behind it for now;
- `lost`: the connection ends after the first line that the job prints;
- `silent`: nothing comes after the job was queued, until `POST /release`;
- `raises`: the job fails, with a traceback that names the server's folders;
- `skips`: the second line that the job prints gets lost.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import email
import hashlib
import io
import json
import os
import queue
import sys
import threading
import traceback
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from app.engine.runtime import LanguageModel, nnsight  # isort: skip
import torch
from nnsight.schema.request import RequestModel
from nnsight.tracing.globals import BLOCKS, SOURCES
from nnsight.tracing.tracer import _saves, dec, inc

WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Stub:
    """What the requests share."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.sockets: dict[str, Any] = {}
        self.jobs: queue.Queue[tuple[dict[str, Any], bytes, str | None]] = queue.Queue()
        self.faults: list[str] = []
        self.keys: list[str] = []
        self.released = threading.Event()

    def tell(self, session: str, status: str, text: str = "") -> None:
        """One status update, as a text frame of a websocket."""
        payload = json.dumps({"id": session, "status": status, "description": text}).encode()
        with contextlib.suppress(OSError):
            self.sockets[session].sendall(frame(payload))

    def run(self, envelope: dict[str, Any], blob: bytes, fault: str | None) -> None:
        session = envelope["session_id"]
        self.tell(session, "QUEUED", "Moved to position 1 in Queue.")
        if fault == "silent":
            self.released.wait()
        self.tell(session, "DEPLOYING", "Model Deploying...")
        self.tell(session, "RUNNING", "Your job has started running.")
        lines = Lines(self, session, fault)
        try:
            with contextlib.redirect_stdout(lines), one_job():
                if fault == "raises":
                    raise RuntimeError(
                        f"no kernel in /opt/ndif/kernels for this card, key {self.keys[-1]}"
                    )
                tracer = RequestModel.deserialize(
                    blob, self.model._remoteable_persistent_objects(), envelope["compress"]
                )
                inc()
                try:
                    tracer.execute(tracer.info.code)
                    assert not {id(v) for v in tracer.info.frame.f_locals.values()} & set(_saves())
                finally:
                    dec()
        except OSError:
            return
        except Exception:
            self.tell(session, "ERROR", traceback.format_exc())
            return
        self.tell(session, "COMPLETED")


class Lines(io.TextIOBase):
    """What a job prints, line by line to its client."""

    def __init__(self, stub: Stub, session: str, fault: str | None) -> None:
        self._stub, self._session, self._fault = stub, session, fault
        self._begun = ""
        self._n = 0

    def write(self, text: str) -> int:
        self._begun += text
        while "\n" in self._begun:
            line, _, self._begun = self._begun.partition("\n")
            self._n += 1
            if self._fault == "skips" and self._n == 2:
                continue
            self._stub.tell(self._session, "LOG", line)
            if self._fault == "lost":
                self._stub.sockets[self._session].shutdown(2)
                raise OSError("gone")
        return len(text)


@contextlib.contextmanager
def one_job() -> Iterator[None]:
    """Forgets what nnsight remembers of a job's source, as NDIF does."""
    import linecache

    before = dict(linecache.cache), dict(SOURCES), dict(BLOCKS)
    try:
        yield
    finally:
        for kept, now in zip(before, (linecache.cache, SOURCES, BLOCKS), strict=True):
            now.clear()
            now.update(kept)


def frame(payload: bytes) -> bytes:
    """An unmasked text frame (RFC 6455, section 5.2)."""
    n = len(payload)
    if n < 126:
        return bytes([0x81, n]) + payload
    if n < 2**16:
        return bytes([0x81, 126]) + n.to_bytes(2, "big") + payload
    return bytes([0x81, 127]) + n.to_bytes(8, "big") + payload


def handler_of(stub: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/keys":
                self._answer(200, stub.keys)
                return
            if self.path != "/subscribe":
                self._answer(404, {"detail": "Not Found"})
                return
            digest = hashlib.sha1((self.headers["Sec-WebSocket-Key"] + WEBSOCKET_GUID).encode())
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest.digest()).decode())
            self.end_headers()
            session = uuid.uuid4().hex
            stub.sockets[session] = self.connection
            self.connection.sendall(frame(json.dumps({"session_id": session}).encode()))
            with contextlib.suppress(OSError):
                while self.connection.recv(4096):
                    pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/faults":
                stub.faults.extend(json.loads(body))
                self._answer(200, None)
                return
            if self.path == "/release":
                stub.released.set()
                self._answer(200, None)
                return
            key = self.headers.get("ndif-api-key", "")
            stub.keys.append(key)
            fault = stub.faults.pop(0) if stub.faults else None
            if fault == "refused":
                self._answer(400, {"detail": f"Invalid API key format: '{key}'."})
            elif fault == "version":
                self._answer(
                    400,
                    {"detail": "Client nnsight version 0.8.1 is below the minimum supported 9."},
                )
            elif fault == "busy":
                self._answer(503, {"detail": "Service temporarily unavailable."})
            else:
                kind = self.headers["content-type"].encode()
                parts = email.message_from_bytes(b"Content-Type: " + kind + b"\r\n\r\n" + body)
                data, blob = (part.get_payload(decode=True) for part in parts.get_payload())
                envelope = json.loads(data)
                self._answer(200, {"id": uuid.uuid4().hex, "status": "RECEIVED"})
                stub.jobs.put((envelope, blob, fault))

        def _answer(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Says nothing of each request."""

    return Handler


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = LanguageModel(options.folder, dispatch=True, dtype=torch.float32)
    assert nnsight is not None
    stub = Stub(model)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(stub))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=end_with_stdin, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    while True:
        stub.run(*stub.jobs.get())


def end_with_stdin() -> None:
    """Whoever started this has gone."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
