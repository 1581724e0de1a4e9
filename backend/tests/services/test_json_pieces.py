"""Large answers as JSON: in small pieces, the same bytes, and without their objects in memory."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pydantic import Field

from app.models.chat import (
    ChatResponse,
    DoneEvent,
    LensEvent,
    StartEvent,
    Timings,
    TokenEvent,
    Usage,
)
from app.models.lens import TargetColumns
from app.models.tokens import ActualToken, LayerReadout, Prediction, Token
from app.models.wire import ModelIdentity, Wire
from app.services.json_pieces import float32_json, json_pieces
from app.services.reply_json import FoldedReply


def token(index: int, **more: Any) -> Token:
    fields = {
        "index": index,
        "id": 7,
        "text": 'é"\n\u2028',
        "bytes": "AA==",
        "role": "user",
        "special": False,
        "logprob_nats": -1.25e-7,
        "rank": 1,
        "entropy_nats": 0.1,
        "lens": None,
    }
    return Token(**{**fields, **more})


def readouts(n_layers: int, top_k: int) -> list[LayerReadout]:
    return [
        LayerReadout(
            layer=layer,
            label=str(layer),
            predictions=[
                Prediction(token_id=n, text=f"t{n}", probability=0.125, rank=n + 1)
                for n in range(top_k)
            ],
            entropy_nats=1.5,
            kl_to_final_nats=1e-9,
            actual=ActualToken(probability=0.25, rank=3),
        )
        for layer in range(n_layers)
    ]


class Tokens(Wire):
    name: str
    nothing: None = None
    empty: list[int] = Field([])
    tokens: list[Token] = Field([])
    columns: list[list[float]] = Field([])


@pytest.mark.parametrize(
    "model",
    [
        Tokens(name='a"b'),
        Tokens(name="", tokens=[token(n) for n in range(200)]),
        Tokens(name="", tokens=[token(0, lens=readouts(2, 2))], columns=[[0.1, 1e-30], [], [3.0]]),
        TargetColumns(token_id=1, text="", bytes=None, probability=[[0.5]], rank=[[1]]),
    ],
)
def test_pieces_are_the_json_of_the_model(model: Wire) -> None:
    assert b"".join(json_pieces(model)) == model.model_dump_json().encode()


@pytest.mark.parametrize(
    "model",
    [
        Tokens(name="", tokens=[token(n) for n in range(20_000)]),
        Tokens(name="", columns=[[0.123456789] * 1000] * 200),
    ],
)
def test_no_piece_of_a_long_answer_is_long(model: Wire) -> None:
    assert max(map(len, json_pieces(model))) < 20_000


def test_json_of_float32_gives_every_number_back() -> None:
    values = np.array(
        [[0.1, 1 / 3, 1e-45, 3.4e38], [-0.0, 1e-7, 16_777_217, 123_456.789]], dtype=np.float32
    )
    # A view whose numbers do not lie side by side.
    for array in (values, values.T):
        back = np.array(json.loads(float32_json(array)), dtype=np.float32)
        assert np.array_equal(back.view(np.int32), np.ascontiguousarray(array).view(np.int32))


def events(n_tokens: int) -> Iterator[Any]:
    for index in range(2, n_tokens + 2):
        yield TokenEvent(type="token", token=token(index))
        yield LensEvent(type="lens", index=index, lens=readouts(13, 50))
    yield LensEvent(type="lens", index=1, lens=readouts(13, 1))
    yield DoneEvent(
        type="done",
        text="x",
        finish_reason="length",
        stop=None,
        usage=Usage(prompt_tokens=2, reply_tokens=1, context_length=9, computed_tokens=3),
        timings=Timings(queued_ms=0, first_token_ms=None, total_ms=1),
        fired=[],
    )


def folded(n_tokens: int) -> list[bytes]:
    start = StartEvent(
        type="start",
        id="r",
        conversation_id="c",
        model="m",
        model_identity=ModelIdentity(name="m", revision="1", source="local"),
        seed=1,
        turn_start=0,
        prompt_tokens=[token(0), token(1)],
        steering=None,
    )
    reply = FoldedReply(start)
    for event in events(n_tokens):
        reply.take(event)
    return reply.json()


def test_folded_reply_has_each_token_with_its_readouts() -> None:
    response = ChatResponse.model_validate_json(b"".join(folded(2)))

    assert [t.index for t in response.prompt_tokens] == [0, 1]
    assert [t.index for t in response.tokens] == [2, 3]
    assert [t.lens for t in response.prompt_tokens] == [None, readouts(13, 1)]
    assert [t.lens for t in response.tokens] == [readouts(13, 50)] * 2
    assert response.usage.computed_tokens == 3


def test_memory_of_a_folded_reply_is_about_that_of_its_json() -> None:
    tracemalloc.start()
    try:
        pieces = folded(100)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    n_bytes = sum(map(len, pieces))
    assert n_bytes > 3_000_000
    assert peak < 2.5 * n_bytes
