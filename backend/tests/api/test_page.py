from __future__ import annotations

import gzip
import mimetypes
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.api.responses import SENT_BYTES
from tests.api.conftest import make_client, wait_until_ready
from tests.fakes import FakeEngine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>the page</title>" + " " * 5000)
    (tmp_path / "theme.js").write_text("theme")
    (tmp_path / "assets" / "index-a1b2.js").write_text("code")
    return tmp_path


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with make_client(FakeEngine(), page_dir=folder) as client:
        wait_until_ready(client)
        yield client


@pytest.mark.parametrize("path", ["/", "/index.html", "/conversation/abc", "/heatmap"])
def test_page_answers_deep_links_and_is_always_fresh(client: TestClient, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert "the page" in response.text
    assert response.headers["cache-control"] == "no-cache"


def test_hashed_files_are_kept_for_ever_and_others_are_not(client: TestClient) -> None:
    hashed = client.get("/assets/index-a1b2.js")
    plain = client.get("/theme.js")

    assert hashed.text == "code"
    assert "immutable" in hashed.headers["cache-control"]
    assert plain.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/assets/index-old.js", "/missing.png", "/assets/"])
def test_missing_file_is_no_page(client: TestClient, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


def test_media_types_do_not_come_from_the_system(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the Windows registry calls scripts plain text, browsers refuse to run them."""
    monkeypatch.setattr(mimetypes, "_db", mimetypes.MimeTypes())
    endings = (".js", ".mjs", ".css", ".svg", ".woff2", ".json", ".wasm", ".html", ".png")
    for ending in endings:
        mimetypes.add_type("text/plain", ending)
        (folder / f"x{ending}").write_text("x")
    with make_client(FakeEngine(), page_dir=folder) as client:
        found = {e: client.get(f"/x{e}").headers["content-type"].split(";")[0] for e in endings}

    assert found == {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".css": "text/css",
        ".svg": "image/svg+xml",
        ".woff2": "font/woff2",
        ".json": "application/json",
        ".wasm": "application/wasm",
        ".html": "text/html",
        ".png": "image/png",
    }


def test_unchanged_page_is_not_sent_again(client: TestClient) -> None:
    etag = client.get("/").headers["etag"]

    assert client.get("/", headers={"if-none-match": etag}).status_code == 304


def test_without_a_build_the_address_says_how_to_get_one(tmp_path: Path) -> None:
    with make_client(FakeEngine(), page_dir=tmp_path / "dist") as client:
        before = client.get("/")
        (tmp_path / "dist").mkdir()
        (tmp_path / "dist" / "index.html").write_text("built meanwhile")
        after = client.get("/")

    assert "npm run build" in before.text
    assert after.text == "built meanwhile"


def test_docs_load_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text

    assert "http" not in page
    assert "<script>" not in page
    for path in (
        "/docs/files/swagger-ui-bundle.js",
        "/docs/files/swagger-ui.css",
        "/docs/start.js",
    ):
        assert path in page
        assert client.get(path).status_code == 200
    assert client.get("/openapi.json").json()["paths"]


def test_large_json_is_compressed_and_streams_are_not(client: TestClient) -> None:
    headers = {"accept-encoding": "gzip"}
    columns = client.post("/api/lens", json={"prompt": "x" * 100}, headers=headers)
    stream = client.post(
        "/api/chat",
        json={"messages": [{"role": "user", "content": "x" * 300}], "stream": True},
        headers=headers,
    )

    assert columns.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in stream.headers


def test_compressed_json_is_the_same_in_one_piece_and_in_several(client: TestClient) -> None:
    for n_chars, is_long in ((20, False), (500, True)):
        body = {"prompt": "x" * n_chars, "top_k": 10}
        plain = client.post("/api/lens", json=body, headers={"accept-encoding": "identity"})
        asked = {"json": body, "headers": {"accept-encoding": "gzip"}}
        with client.stream("POST", "/api/lens", **asked) as compressed:
            sent = b"".join(compressed.iter_raw())

        assert (len(plain.content) > SENT_BYTES) is is_long
        assert compressed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert plain.headers["vary"] == compressed.headers["vary"] == "Accept-Encoding"
        assert gzip.decompress(sent) == plain.content
