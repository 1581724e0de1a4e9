"""The same chat turn and the same reading on this machine and on NDIF: the same numbers."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from app.engine.engine import NnsightEngine
from app.engine.loading import load_engine
from app.engine.ndif import plans
from app.engine.ndif.engine import NdifEngine
from app.engine.types import (
    Comparison,
    Finish,
    LensColumns,
    Pairs,
    RemoteState,
    Sampling,
    Side,
    Step,
    Wanted,
)
from app.engine.unembed import joined


@pytest.fixture(scope="module")
def local() -> NnsightEngine:
    return load_engine("embedded", threads=1, store_bytes=2**26, readout_bytes=None)


def turn(engine: Any, text: str, **sampling: Any) -> list[Any]:
    ids = engine.vocabulary.encode(text)
    asked = {
        "max_new_tokens": 8,
        "temperature": 0.0,
        "top_k": 0,
        "top_p": 1.0,
        "seed": 7,
        "stop": (),
    }
    wanted = Wanted(tuple(range(engine.facts.n_layers + 1)), top_k=5)
    items = engine.generate(ids, Sampling(**(asked | sampling)), wanted=wanted)
    return [item for item in items if item is not None]


def require_alike(mine: LensColumns, theirs: LensColumns) -> None:
    for field in dataclasses.fields(LensColumns):
        a, b = getattr(mine, field.name), getattr(theirs, field.name)
        if isinstance(a, np.ndarray) and a.dtype.kind == "f":
            # Divergences reach 33 nats, of which float32 keeps seven digits.
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5, err_msg=field.name)
        elif isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        elif field.name != "scores":
            assert a == b, field.name
    for a, b in zip(mine.scores, theirs.scores, strict=True):
        require_same_step(a, b)


def require_same_step(mine: Step, theirs: Step) -> None:
    assert (mine.index, mine.token_id, mine.rank) == (theirs.index, theirs.token_id, theirs.rank)
    assert mine.logprob_nats == pytest.approx(theirs.logprob_nats, abs=1e-5)
    assert mine.entropy_nats == pytest.approx(theirs.entropy_nats, abs=1e-5)


@pytest.mark.parametrize(
    "sampling",
    [
        {},
        {"temperature": 0.8, "top_k": 40, "top_p": 0.9, "seed": 3},
        {"max_new_tokens": 40, "stop": (".",)},
    ],
    ids=["greedy", "sampled", "stopped"],
)
def test_a_turn_gives_the_same_tokens_and_read_outs_on_ndif(
    local: NnsightEngine, remote: NdifEngine, sampling: dict[str, Any]
) -> None:
    text = "User: What is a fox?\nAssistant:"
    mine = turn(local, text, **sampling)
    theirs = [item for item in turn(remote, text, **sampling) if not isinstance(item, RemoteState)]
    assert [type(item) for item in mine] == [type(item) for item in theirs]
    assert len(mine) > 4
    for a, b in zip(mine, theirs, strict=True):
        if isinstance(a, Step):
            require_same_step(a, b)
        elif isinstance(a, LensColumns):
            require_alike(a, b)
        else:
            assert isinstance(a, Finish)
            assert a == b


@pytest.mark.parametrize("layers", [(0, 6, 12), (3,)], ids=["three layers", "without the last"])
def test_a_reading_gives_the_same_numbers_on_ndif(
    local: NnsightEngine,
    remote: NdifEngine,
    layers: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In several chunks of several jobs, as a long text would be read."""
    ids = local.vocabulary.encode("User: What is a fox?\nAssistant: It is a small wild animal.")
    positions = [0, 3, 4, len(ids) - 2, len(ids) - 1]
    wanted = Wanted(layers, top_k=4, targets=(100, 7))
    monkeypatch.setattr(plans, "STREAM_BYTES", 4 * 4 * 192 * 3)
    monkeypatch.setattr(plans, "CHUNK_BYTES", 4 * 4 * 8192 * 2)
    chunks = [chunk for chunk in remote.reading(ids, positions, wanted) if chunk is not None]
    assert len(chunks) >= 2
    mine = joined(local.reading(ids, positions, wanted), positions)
    require_alike(mine, joined(iter(chunks), positions))


def test_a_comparison_gives_the_same_numbers_on_ndif(
    local: NnsightEngine, remote: NdifEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of texts that begin alike, at other layers, in several chunks of several jobs."""
    a, b = (
        Side(local.vocabulary.encode(f"User: What is a {what}?\nAssistant: It is"))
        for what in ("fox", "house")
    )
    last = min(len(a.ids), len(b.ids)) - 1
    positions = ((1, 1), (2, 2), (last - 1, last - 1), (last, last), (0, last))
    pairs = Pairs(((12, 12), (6, 6), (3, 12)), positions, targets=(100, 7))
    monkeypatch.setattr(plans, "STREAM_BYTES", 4 * 4 * 3 * 192 * 3)
    monkeypatch.setattr(plans, "CHUNK_BYTES", 4 * 6 * 8192 * 2)
    mine = [each for each in local.comparing(a, b, pairs) if each is not None]
    theirs = [each for each in remote.comparing(a, b, pairs) if each is not None]
    assert len(theirs) > 2
    assert [p for each in theirs for p in each.positions] == list(positions)
    for field in dataclasses.fields(Comparison):
        if field.name in ("layers", "positions", "targets", "a_fired", "b_fired"):
            continue
        whole = [
            np.concatenate([getattr(each, field.name) for each in of], -1) for of in (mine, theirs)
        ]
        # A rank among thousands moves by one where two logits lie within rounding of each other.
        rtol = 1e-3 if whole[0].dtype.kind == "i" and "rank" in field.name else 1e-5
        np.testing.assert_allclose(*whole, rtol=rtol, atol=1e-5, err_msg=field.name)
    first = theirs[0]
    # What both begin with is one text.
    assert not first.js_nats[:2, :2].any()
    assert first.js_nats[2].all()


def test_rows_of_what_both_texts_begin_with_are_those_of_one() -> None:
    """Two passes of other lengths may round them in other ways."""
    shape = plans.Shape(("h.0", "h.1"), "past_key_values", True, 4, 8)
    pairs = Pairs(((2, 2), (1, 2)), ((0, 0), (0, 1), (3, 2), (2, 3)))
    plan = plans.compare_plan(shape, Side((5, 6, 7, 8)), Side((5, 6, 1, 2, 3)), pairs)
    assert plan["a"] == {"ids": [5, 6, 7, 8], "positions": [0, 1, 2, 3]}
    assert plan["b"] == {"ids": [5, 6, 1, 2], "positions": [0, 1, 2, 3]}
    # Of each pair the rows of both sides, and that of `a` which stands for `b`.
    assert plan["pairs"] == [[0, 0, 0], [0, 1, 1], [3, 2, None], [2, 3, None]]
    assert plan["layers"] == [1, 2]
    assert plan["layer_pairs"] == [[1, 1], [0, 1]]


def test_a_new_token_that_ends_the_text_ends_the_reply(
    local: NnsightEngine, remote: NdifEngine
) -> None:
    """The model ends its own answers; what it would have said after that is not run."""
    text = "User: Hello\nAssistant:"
    mine, theirs = (turn(engine, text, max_new_tokens=60)[-1] for engine in (local, remote))
    assert mine.reason == "stop"
    assert mine == theirs


def test_a_reply_ends_where_the_context_does(
    remote: NdifEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = remote.vocabulary.encode("One two three")
    monkeypatch.setattr(remote, "facts", dataclasses.replace(remote.facts, n_ctx=len(ids) + 2))
    items = turn(remote, "One two three")
    assert sum(isinstance(item, Step) for item in items) == 2
    assert items[-1] == Finish("context")


def test_states_are_told_as_they_change(stubbed: NdifEngine, told: list[str]) -> None:
    states = [item.state for item in turn(stubbed, "Hi") if isinstance(item, RemoteState)]
    assert states == ["queued", "deploying", "running"]
    assert list(dict.fromkeys(told))[-3:] == [
        "NDIF has the check of embedded in its queue.",
        "NDIF is loading embedded, which may take minutes.",
        "NDIF is checking embedded.",
    ]


def test_the_self_check_ran_there(local: NnsightEngine, remote: NdifEngine) -> None:
    mine, theirs = local.facts.self_check, remote.facts.self_check
    assert theirs.max_abs_diff < 1e-4
    assert theirs.cache_max_abs_diff < 1e-3
    # The same change of the same text: the edit acted on the same model.
    assert theirs.edit_max_abs_change == pytest.approx(mine.edit_max_abs_change, abs=1e-3)


def test_facts_are_those_of_the_same_model_on_this_machine(
    local: NnsightEngine, remote: NdifEngine
) -> None:
    same = ("name", "source", "revision", "architecture", "n_layers", "d_model", "d_vocab", "n_ctx")
    same += ("n_heads", "chat_template", "eos_token_ids", "tied_embeddings", "dtype", "adds_bos")
    for name in same:
        assert getattr(remote.facts, name) == getattr(local.facts, name), name
    assert remote.facts.device == "NDIF"
    assert not any(
        parameter.device.type != "meta" for parameter in remote._model.lm._module.parameters()
    )
