"""A loopback server that speaks as much of the hub's protocol as a download needs."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

COMMIT = "a" * 40


@dataclass
class FakeHub:
    """What the server has and how it misbehaves; change it between requests."""

    address: str
    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    cut_once: set[str] = field(default_factory=set)
    """Files whose first transfer breaks off half-way."""
    claims_more: set[str] = field(default_factory=set)
    """Files that are announced longer than they are."""
    status: int | None = None
    """Answer everything with this status."""
    answers: threading.Event = field(default_factory=threading.Event)
    """While cleared, requests get no answer."""
    requests: list[str] = field(default_factory=list)

    def add(self, repo: str, folder: Path) -> None:
        self.repos[repo] = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, *args: object) -> None:
        pass

    def _answer(self, with_body: bool) -> None:
        hub = self.hub
        path = urlsplit(self.path).path
        hub.requests.append(f"{self.command} {path}")
        hub.answers.wait()
        if hub.status is not None:
            return self._refuse(hub.status, None)
        if match := re.fullmatch(r"/api/models/(.+?)(?:/revision/(.+))?", path):
            return self._describe(match[1], match[2])
        match = re.fullmatch(r"/(.+)/resolve/([^/]+)/(.+)", path)
        repo, name = (match[1], match[3]) if match else ("", "")
        if name not in hub.repos.get(repo, {}):
            return self._refuse(404, "EntryNotFound")
        if repo in hub.gated:
            return self._refuse(403, "GatedRepo")
        self._send_file(name, hub.repos[repo][name], with_body)

    def _describe(self, repo: str, revision: str | None) -> None:
        if repo not in self.hub.repos:
            return self._refuse(401, "RepoNotFound")
        if revision not in (None, "main", COMMIT):
            return self._refuse(404, "RevisionNotFound")
        files = self.hub.repos[repo]
        body = json.dumps(
            {
                "id": repo,
                "sha": COMMIT,
                "siblings": [{"rfilename": n, "size": len(data)} for n, data in files.items()],
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_file(self, name: str, data: bytes, with_body: bool) -> None:
        start = 0
        if match := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            start = int(match[1])
        self.send_response(206 if start else 200)
        size = len(data) + (7 if name in self.hub.claims_more and not with_body else 0)
        self.send_header("Content-Length", str(size - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if not with_body:
            return
        if name in self.hub.cut_once:
            self.hub.cut_once.discard(name)
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
        else:
            self.wfile.write(data[start:])

    def _refuse(self, status: int, code: str | None) -> None:
        self.send_response(status)
        if code is not None:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def serve_fake_hub() -> Iterator[FakeHub]:
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub = FakeHub(f"http://127.0.0.1:{server.server_address[1]}")
    hub.answers.set()
    handler.hub = hub
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.answers.set()
        server.shutdown()
        server.server_close()
        thread.join()
