"""What goes wrong between this server and NDIF ends as an error that says what to do."""

from __future__ import annotations

import importlib
import inspect
import linecache
import socket
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.engine import sampling
from app.engine.intervention_types import Interventions
from app.engine.ndif import connection, shipped
from app.engine.ndif.connection import Connection
from app.engine.ndif.engine import NdifEngine
from app.engine.ndif.loading import load_engine
from app.engine.types import LensColumns, RemoteState, Sampling, Side, Step, Wanted
from app.errors import (
    DeadlineExceeded,
    ExplorerError,
    LensUnavailable,
    ModelLoadError,
    NdifFailed,
    NdifLost,
    NdifRefused,
    NdifUnavailable,
    NdifVersion,
    NotOnNdif,
)
from tests.engine.ndif.conftest import KEY, Stub

SAMPLING = Sampling(6, 0.0, 0, 1.0, 0, ())
WANTED = Wanted((0, 12), 2)


def outcome(engine: NdifEngine) -> tuple[list[Any], ExplorerError]:
    """What came of a reply before it failed, and how it failed."""
    came: list[Any] = []
    items = engine.generate((100, 200, 300), SAMPLING, wanted=WANTED)
    with pytest.raises(ExplorerError) as raised:
        came.extend(items)
    shown = "".join(traceback.format_exception(raised.value))
    assert KEY not in shown
    assert "127.0.0.1" not in shown
    return came, raised.value


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("refused", NdifRefused, "NDIF does not accept this server's key (HTTP 400)."),
        ("version", NdifVersion, "NDIF does not take requests of nnsight 0.8.1 (HTTP 400)."),
        ("busy", NdifUnavailable, "NDIF cannot take the job now (HTTP 503)."),
        (
            "raises",
            NdifFailed,
            "The job failed on NDIF: RuntimeError: no kernel in … for this card, key ….",
        ),
        ("lost", NdifLost, "The connection to NDIF ended before the job did."),
        ("skips", NdifLost, "A line of the job on NDIF got lost: 2 came where 1 was due."),
    ],
)
def test_a_failure_is_named_with_a_way_out(
    stub: Stub, stubbed: NdifEngine, fault: str, error: type[ExplorerError], message: str
) -> None:
    stub.next_fails(fault)
    came, failure = outcome(stubbed)
    assert type(failure) is error
    assert failure.message == message
    assert failure.hint
    n_tokens = sum(isinstance(item, Step) for item in came)
    assert n_tokens == (1 if fault in ("lost", "skips") else 0)
    # The next job is none the worse for it.
    assert any(isinstance(i, Step) for i in stubbed.generate((100, 200), SAMPLING))


def test_a_file_that_changes_while_the_server_runs_changes_no_job(
    stubbed: NdifEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an update does: nnsight sends functions as the source that Python finds for them."""
    del stubbed  # for its loading keeps the source of what it sends
    for module in (connection, sampling, shipped):
        assert linecache.cache[str(module.__file__)][1] is None, module
    file = tmp_path / "sent_by_test.py"
    file.write_text("def body():\n    return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("sent_by_test")
    connection.keep_source(module)
    file.write_text("import os\n\n\ndef other():\n    return 2\n")
    assert inspect.getsource(module.body) == "def body():\n    return 1\n"


def test_a_job_without_an_end_meets_its_deadline(
    stub: Stub, stubbed: NdifEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(connection, "time", clock)
    stub.next_fails("silent")
    items = stubbed.generate((100, 200, 300), SAMPLING)
    assert next(item for item in items if item is not None) == RemoteState("queued")
    clock.now = 60.5
    with pytest.raises(DeadlineExceeded) as raised:
        list(items)
    stub.release()
    assert raised.value.message == (
        "The job on NDIF took longer than 60 s, which is the limit; it was queued by then."
    )


def test_a_server_that_is_away_is_told_when_the_model_is_loaded() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        host = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(NdifUnavailable, match="The NDIF server does not answer") as raised:
            load_engine("embedded", Connection(host, KEY, 60.0))
    assert "127.0.0.1" not in "".join(traceback.format_exception(raised.value))


def test_an_address_that_is_no_ndif_server_is_told(stub: Stub) -> None:
    with pytest.raises(NdifVersion, match="HTTP 404"):
        load_engine("embedded", Connection(f"{stub.host}/elsewhere", KEY, 60.0))


def test_a_gguf_file_is_refused_before_anything_is_sent(tmp_path: Any) -> None:
    (tmp_path / "small.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelLoadError, match="a GGUF file, which NDIF does not read"):
        load_engine(str(tmp_path / "small.gguf"), Connection("http://127.0.0.1:1", None, 1.0))


def test_the_key_comes_with_each_job_and_shows_nowhere(stub: Stub, stubbed: NdifEngine) -> None:
    list(stubbed.generate((100, 200), SAMPLING))
    assert set(stub.keys()) == {KEY}
    for shown in (repr(stubbed._model), repr(stubbed.facts), repr(stubbed._model.connection)):
        assert KEY not in shown
        assert "127.0.0.1" not in shown


def test_a_reply_that_nobody_reads_any_more_leaves_no_connection(stubbed: NdifEngine) -> None:
    items = stubbed.generate((100, 200), SAMPLING)
    assert any(isinstance(item, Step) for item in iter(items))
    items.close()  # type: ignore[attr-defined]
    assert [i for i in stubbed.reading((100, 200), [1], WANTED) if isinstance(i, LensColumns)]


def test_what_is_not_asked_of_ndif_is_refused_with_its_reason(
    stub: Stub, stubbed: NdifEngine
) -> None:
    n_jobs = len(stub.keys())
    side = Side((100, 200))
    refusals = [
        lambda: stubbed.dosing((100,), object()),
        lambda: stubbed.attributing((100,), 0, object()),
        lambda: stubbed.attending((100,), 0, object()),
        lambda: stubbed.decoding_writes((100,), 0, 1, 5),
        lambda: stubbed.patching.patching(side, side, object()),
        lambda: stubbed.patching.mapping(side, side, object()),
        lambda: stubbed.patching.blocks_with("resid"),
        lambda: stubbed.fitting.require_fit("tuned"),
        lambda: stubbed.require_half_layers("logit", "layers"),
        lambda: stubbed.reading((100,), [0], Wanted((0.5,))),
        lambda: stubbed.generate((100,), SAMPLING, interventions=Interventions((), "")),
    ]
    for refusal in refusals:
        with pytest.raises(NotOnNdif, match="on NDIF a model is asked for replies") as raised:
            refusal()
        assert raised.value.hint
    with pytest.raises(LensUnavailable):
        stubbed.reading((100,), [0], Wanted((0,), kind="tuned"))
    facts = stubbed.facts
    for offered in (facts.capabilities, facts.intervention_sites):
        for name in offered.__dataclass_fields__:
            assert not getattr(offered, name).is_available
    assert len(stub.keys()) == n_jobs
