"""nnsight is imported so that it harms nothing else in the process."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

BACKEND = Path(__file__).resolve().parents[2]

SERVER_AFTER_NNSIGHT = """
import sys
sys.argv.append("--verbose")
import threading
import app.engine.runtime as runtime
assert not hasattr(object, "save"), "every object has a `save`"
assert runtime.nnsight.schema.config.CONFIG.APP.DEBUG is False
assert runtime.nnsight.schema.config.CONFIG.API.APIKEY is None
assert threading.active_count() == 1, threading.enumerate()
assert "app.engine.capture" not in sys.modules

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

app = FastAPI()

@app.get("/sync")
def sync() -> dict[str, bool]:
    return {"ok": True}

@app.get("/stream")
async def stream() -> StreamingResponse:
    async def parts():
        yield b"a"
        yield b"b"
    return StreamingResponse(parts())

client = TestClient(app)
print(client.get("/sync").json(), client.get("/stream").text)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=BACKEND,
        env={"NDIF_API_KEY": "canary", "PATH": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_sync_endpoint_and_stream_answer_after_the_import():
    result = run(SERVER_AFTER_NNSIGHT)
    assert result.stdout == "{'ok': True} ab\n", result.stderr


def test_an_earlier_import_of_nnsight_is_refused():
    result = run("import sys, types; sys.modules['nnsight'] = types; import app.engine.runtime")
    assert result.returncode == 1
    assert "ImportError: nnsight was imported before app.engine.runtime" in result.stderr


def test_nothing_else_imports_nnsight():
    importers = set()
    for path in (BACKEND / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if any(name.split(".")[0] == "nnsight" for name in names):
                importers.add(path.relative_to(BACKEND / "app" / "engine").as_posix())
    assert importers == {"runtime.py", "ndif/connection.py"}


def test_only_capture_opens_a_trace():
    tracing = {
        path.relative_to(BACKEND / "app" / "engine").as_posix()
        for path in (BACKEND / "app").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("trace", "session", "invoke", "edit")
    }
    # On NDIF a trace runs there: a job is one session.
    assert tracing == {"capture.py", "ndif/shipped.py", "ndif/connection.py"}
