from __future__ import annotations

import base64
import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.models.compare import CompareRequest
from app.services import comparing
from app.services.reading import MAX_CELLS
from app.services.timeline_source import SourceTimeline
from tests.api.conftest import chat, make_client, wait_until_ready
from tests.api.test_errors import error_of
from tests.fakes import D_VOCAB, END, N_LAYERS, FakeEngine, fake_facts

COLUMNS = (
    "kl_a_to_b_nats",
    "kl_b_to_a_nats",
    "js_nats",
    "a_top_id",
    "a_top_probability",
    "b_top_id",
    "b_top_probability",
)
HELLO = {"prompt": "Hello"}


def compare(client: TestClient, a: dict[str, Any], b: dict[str, Any], **body: Any) -> Any:
    response = client.post("/api/compare", json={"a": a, "b": b, **body})
    assert response.status_code == 200, response.text
    return response.json()


def test_columns_are_how_far_the_predictions_are_apart(
    client: TestClient, engine: FakeEngine
) -> None:
    a, b = b"The capital of France", b"The capital of Italy"
    answer = compare(client, {"prompt": a.decode()}, {"prompt": b.decode()}, targets=[65, 66])

    assert answer["layers"] == [[layer, layer] for layer in range(N_LAYERS + 1)]
    assert answer["labels"] == [["embed", "embed"], ["1", "1"], ["2", "2"], ["3", "3"]]
    assert answer["positions"] == [[i, i] for i in range(len(b))]
    assert [token["id"] for token in answer["a_tokens"]] == list(a)
    assert [token["id"] for token in answer["b_tokens"]] == list(b)
    for row, (layer, _) in enumerate(answer["layers"]):
        for column, (place, _) in enumerate(answer["positions"]):
            p = engine.probabilities(a[: place + 1], layer).astype(np.float64)
            q = engine.probabilities(b[: place + 1], layer).astype(np.float64)
            m = (p + q) / 2
            at = {
                name: answer[name][row][column]
                for name in ("kl_a_to_b_nats", "kl_b_to_a_nats", "js_nats", "a_top_id", "b_top_id")
            }
            assert at["kl_a_to_b_nats"] == pytest.approx((p * np.log(p / q)).sum(), abs=1e-5)
            assert at["kl_b_to_a_nats"] == pytest.approx((q * np.log(q / p)).sum(), abs=1e-5)
            js = ((p * np.log(p / m)).sum() + (q * np.log(q / m)).sum()) / 2
            assert at["js_nats"] == pytest.approx(js, abs=1e-5)
            assert (at["a_top_id"], at["b_top_id"]) == (p.argmax(), q.argmax())
            assert answer["a_top_probability"][row][column] == pytest.approx(p.max())
            assert answer["b_top_probability"][row][column] == pytest.approx(q.max())
            for target in answer["targets"]:
                for side, values in (("a", p), ("b", q)):
                    own = values[target["token_id"]]
                    assert target[f"{side}_probability"][row][column] == pytest.approx(own)
                    assert target[f"{side}_rank"][row][column] == 1 + (values > own).sum()
    for ids in (answer["a_top_id"], answer["b_top_id"]):
        assert all(str(token_id) in answer["vocabulary"] for row in ids for token_id in row)


def test_bytes_are_told_of_tokens_that_are_no_whole_characters(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Token `i` of the fake is byte `i`: from 0x80 on it is part of a character."""
    monkeypatch.setattr("tests.fakes.LETTERS", range(0x70, 0x90))
    answer = compare(client, HELLO, {"prompt": "World"}, targets=[65, 0xF0])

    told = {i for name in ("a_top_id", "b_top_id") for row in answer[name] for i in row}
    fragments = {token_id for token_id in told if 0x80 <= token_id < END}
    assert set() < fragments < told
    assert {int(key): base64.b64decode(v) for key, v in answer["vocabulary_bytes"].items()} == {
        token_id: bytes([token_id]) for token_id in fragments
    }
    assert [(t["text"], t["bytes"]) for t in answer["targets"]] == [("A", None), ("\ufffd", "8A==")]


def ids_of(tokens: list[dict[str, Any]]) -> list[int]:
    return [token["id"] for token in tokens]


def test_equal_texts_are_nothing_apart(client: TestClient) -> None:
    answer = compare(client, HELLO, HELLO)

    for name in ("kl_a_to_b_nats", "kl_b_to_a_nats", "js_nats"):
        assert np.array(answer[name]).shape == (N_LAYERS + 1, 5)
        assert (np.array(answer[name]) == 0).all()


def test_numbers_are_those_of_the_lens(client: TestClient) -> None:
    lens = client.post("/api/lens", json={**HELLO, "targets": [97, END], "top_k": 1}).json()
    answer = compare(client, {"prompt": "Jelly"}, HELLO, targets=[97, END])

    top = np.array(lens["top_ids"])[..., 0]
    assert answer["b_top_id"] == top.tolist()
    assert answer["b_top_probability"] == np.array(lens["top_probabilities"])[..., 0].tolist()
    for mine, theirs in zip(answer["targets"], lens["targets"], strict=True):
        assert (mine["token_id"], mine["text"]) == (theirs["token_id"], theirs["text"])
        assert mine["b_probability"] == theirs["probability"]
        assert mine["b_rank"] == theirs["rank"]


# --- what is compared ----------------------------------------------------------------------------


def test_every_source_gives_the_timeline_that_it_names(client: TestClient) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]
    turn = client.post(
        "/api/chat", json={"messages": messages, "sampling": {"max_new_tokens": 4}}
    ).json()
    whole = turn["prompt_tokens"] + turn["tokens"]
    sources = {
        "prompt": ({"prompt": "Hi"}, [72, 105], ["user", "user"]),
        "bos": ({"prompt": "Hi", "bos": True}, [END, 72, 105], ["template", "user", "user"]),
        "token_ids": ({"token_ids": [1, 2, END]}, [1, 2, END], ["user"] * 3),
        "messages": (
            {"messages": messages},
            ids_of(turn["prompt_tokens"]),
            [token["role"] for token in turn["prompt_tokens"]],
        ),
        "conversation_id": (
            {"conversation_id": turn["conversation_id"]},
            ids_of(whole),
            [token["role"] for token in whole],
        ),
    }

    for name, (source, ids, roles) in sources.items():
        one, other = compare(client, source, HELLO), compare(client, HELLO, source)
        lens = client.post("/api/lens", json=source).json()
        for tokens in (one["a_tokens"], other["b_tokens"], lens["tokens"]):
            assert ids_of(tokens) == ids, name
            assert [token["role"] for token in tokens] == roles, name
        assert ids_of(one["b_tokens"]) == ids_of(other["a_tokens"]) == list(b"Hello")
        assert one["kl_a_to_b_nats"] == other["kl_b_to_a_nats"]
        assert one["positions"] == [[i, i] for i in range(min(5, len(ids)))]


def test_messages_begin_with_bos_as_asked(client: TestClient) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    answer = compare(client, {"messages": messages, "bos": True}, {"messages": messages})

    assert ids_of(answer["a_tokens"]) == [END, *ids_of(answer["b_tokens"])]


def test_stored_conversation_is_compared_from_what_is_held(
    client: TestClient, engine: FakeEngine
) -> None:
    turn = client.post("/api/chat", json=chat("Hi", sampling={"max_new_tokens": 4})).json()
    name = turn["conversation_id"]
    compare(client, {"prompt": "x"}, {"prompt": "y"})
    before = client.get("/api/stats").json()

    compare(client, {"conversation_id": name}, {"prompt": "x"}, positions=[[0, 0], [9, 0]])

    assert engine.lineages[-2:] == [(name,), ()]
    assert client.get("/api/stats").json() == before


def test_chosen_pairs_keep_their_order(client: TestClient) -> None:
    a, b = {"prompt": "abcdef"}, {"prompt": "abxy"}
    every = [[i, j] for i in range(6) for j in range(4)]
    layers = [[i, j] for i in range(N_LAYERS + 1) for j in range(N_LAYERS + 1)]
    whole = compare(client, a, b, positions=every, layers=layers, targets=[97])
    picked_positions, picked_layers = [[5, 0], [2, 3], [5, 0]], [[3, 1], [0, 2]]
    part = compare(client, a, b, positions=picked_positions, layers=picked_layers, targets=[97])

    assert (part["positions"], part["layers"]) == (picked_positions, picked_layers)
    assert part["labels"] == [["3", "1"], ["embed", "2"]]
    rows = [layers.index(pair) for pair in picked_layers]
    columns = [every.index(pair) for pair in picked_positions]

    def picked(values: list[list[float]]) -> list[list[float]]:
        return np.array(values)[np.ix_(rows, columns)].tolist()

    for name in COLUMNS:
        assert part[name] == picked(whole[name]), name
    for name in ("a_probability", "a_rank", "b_probability", "b_rank"):
        assert part["targets"][0][name] == picked(whole["targets"][0][name]), name


def test_tokens_can_be_left_out_without_changing_a_number(client: TestClient) -> None:
    whole = compare(client, HELLO, {"prompt": "Hallo"})
    short = compare(client, HELLO, {"prompt": "Hallo"}, include_tokens=False)

    assert (len(whole["a_tokens"]), len(whole["b_tokens"])) == (5, 5)
    assert short == {**whole, "a_tokens": [], "b_tokens": []}


def test_characters_of_several_tokens_stay_whole(client: TestClient) -> None:
    text = "\U0001f469\u200d\U0001f680 é\u0000\u202e"
    answer = compare(client, {"prompt": text}, {"token_ids": list(text.encode()[:2])})

    whole = b"".join(base64.b64decode(token["bytes"]) for token in answer["a_tokens"])
    assert whole.decode() == text
    assert answer["b_tokens"][0]["text"] == "\ufffd"
    assert len(answer["positions"]) == 2


# --- turns ---------------------------------------------------------------------------------------


def test_chunks_join_to_what_one_call_gives(
    client: TestClient, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = {"prompt": "a text of some length"}, {"prompt": "a text of another"}
    whole = compare(client, a, b, targets=[97])
    assert len(engine.comparisons) == 1
    monkeypatch.setattr("tests.fakes.READ_AT_ONCE", 3)

    assert compare(client, a, b, targets=[97]) == whole
    assert [len(pairs) for pairs in engine.comparisons[1:]] == [3, 3, 3, 3, 3, 2]


def test_each_chunk_is_a_turn(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two turns others are served; what was found is handed over at the end."""

    class Outbox:
        def __init__(self) -> None:
            self.items: list[Any] = []

        def emit(self, item: Any, size_bytes: int) -> None:
            assert size_bytes >= sum(chunk.js_nats.nbytes for chunk in item)
            self.items.append(item)

    monkeypatch.setattr("tests.fakes.READ_AT_ONCE", 2)
    ids = tuple(b"Hello")
    timeline = SourceTimeline(ids, ("user",) * 5)
    request = CompareRequest(a=HELLO, b=HELLO)
    plan = comparing.plan_comparison(engine.facts, request, timeline, timeline)
    outbox: Any = Outbox()  # all of a job that is used here
    turns = comparing.run_comparison(outbox, engine, plan)
    for n in range(3):
        assert (len(engine.comparisons), outbox.items) == (n, [])
        assert next(turns) is None
    assert next(turns, "end") == "end"
    assert [chunk.positions for chunk in outbox.items[0]] == [
        ((0, 0), (1, 1)),
        ((2, 2), (3, 3)),
        ((4, 4),),
    ]


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"a": {}}, "invalid_request", "a"),
        ({"b": {"prompt": "a", "token_ids": [1]}}, "invalid_request", "b"),
        ({"b": {"prompt": "a", "messages": []}}, "invalid_request", "b.messages"),
        ({"a": {"prompt": ""}}, "empty_prompt", "a.prompt"),
        ({"b": {"token_ids": []}}, "invalid_request", "b.token_ids"),
        ({"a": {"token_ids": [D_VOCAB]}}, "unknown_token", "a.token_ids"),
        ({"b": {"token_ids": [-1]}}, "invalid_request", "b.token_ids.0"),
        ({"a": {"prompt": "a" * 513}}, "context_exceeded", "a.prompt"),
        ({"b": {"token_ids": [1] * 513}}, "context_exceeded", "b.token_ids"),
        (
            {"b": {"messages": [{"role": "user", "content": "a" * 500}]}},
            "context_exceeded",
            "b.messages",
        ),
        (
            {"a": {"messages": [{"role": "assistant", "content": "a"}]}},
            "invalid_request",
            "a.messages",
        ),
        ({"a": {"messages": [{"role": "template", "content": ""}]}}, "invalid_request", None),
        ({"b": {"conversation_id": "nope"}}, "conversation_not_found", "b.conversation_id"),
        ({"b": {"prompt": "a", "kind": "tuned"}}, "lens_unavailable", "b.kind"),
        ({"b": {"prompt": "a", "kind": "x"}}, "invalid_request", "b.kind"),
        ({"targets": [D_VOCAB]}, "unknown_token", "targets"),
        ({"targets": [1] * 33}, "invalid_request", "targets"),
        ({"layers": []}, "invalid_request", "layers"),
        ({"layers": [[0]]}, "invalid_request", None),
        ({"layers": [[0, 0, 0]]}, "invalid_request", "layers.0"),
        ({"layers": [[0, N_LAYERS + 1]]}, "layer_out_of_range", "layers"),
        ({"layers": [[1, 2], [2, 1], [1, 2]]}, "invalid_request", "layers"),
        ({"layers": [[0, 0]] * 16_385}, "invalid_request", "layers"),
        ({"positions": []}, "invalid_request", "positions"),
        ({"positions": [[0, -1]]}, "invalid_request", "positions.0.1"),
        ({"positions": [[5, 0]]}, "position_out_of_range", "positions"),
        ({"positions": [[0, 0], [0, 3]]}, "position_out_of_range", "positions"),
        ({"positions": [[0, 0]] * 131_073}, "invalid_request", "positions"),
        ({"top_k": 3}, "invalid_request", "top_k"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_cannot_be_compared_is_refused_before_the_model_is_asked(
    client: TestClient, engine: FakeEngine, change: dict[str, Any], code: str, param: str | None
) -> None:
    body = {"a": HELLO, "b": {"prompt": "Bye"}, **change}
    response = client.post("/api/compare", json=body)

    error = error_of(response)
    assert error["code"] == code
    if param is not None:
        assert error["param"] == param
    assert engine.comparisons == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"positions": [[0, 3]]}, "no position 3 in b, which has 3 tokens"),
        ({"positions": [[7, 0]]}, "no position 7 in a, which has 5 tokens"),
        ({"layers": [[9, 0]]}, "Layer 9 of a does not exist"),
        ({"b": {"prompt": "x" * 600}}, "Side b: The text has 600 tokens; fake holds 512"),
        ({"a": {"prompt": "a", "kind": "tuned"}}, "Side a: fake has no tuned lens"),
    ],
)
def test_a_refusal_names_the_side(client: TestClient, change: dict[str, Any], words: str) -> None:
    body = {"a": HELLO, "b": {"prompt": "Bye"}, **change}
    assert words in error_of(client.post("/api/compare", json=body))["message"]


def test_conversation_of_another_model_is_not_misread() -> None:
    with make_client(FakeEngine()) as client:
        wait_until_ready(client)
        name = client.post("/api/chat", json=chat("Hi")).json()["conversation_id"]
    other = FakeEngine()
    other.facts = dataclasses.replace(fake_facts(), revision="2")
    with make_client(other) as client:
        wait_until_ready(client)
        body = {"a": HELLO, "b": {"conversation_id": name}}
        error = error_of(client.post("/api/compare", json=body))

    assert (error["code"], error["param"]) == ("model_mismatch", "b.conversation_id")
    assert other.comparisons == []


@pytest.mark.parametrize("n_targets", [0, 32])
def test_too_many_values_are_refused_with_a_way_to_split(n_targets: int) -> None:
    engine = FakeEngine(n_ctx=65_536)
    body = {
        "a": {"token_ids": [1] * 60_000},
        "b": {"token_ids": [2] * 50_000},
        "targets": list(range(n_targets)),
        "include_tokens": False,
    }
    per_pair = 7 + 4 * n_targets
    with make_client(engine) as client:
        wait_until_ready(client)
        error = error_of(client.post("/api/compare", json=body))

        assert (error["code"], error["param"]) == ("invalid_request", "positions")
        assert f"{4 * 50_000 * per_pair:,}" in error["message"]
        fitting = MAX_CELLS // (4 * per_pair)
        assert f"{fitting:,} positions at a time" in error["hint"]
        assert engine.comparisons == []


def test_number_that_is_none_is_an_error_naming_the_pair() -> None:
    with make_client(FakeEngine(nan_layer=2)) as client:
        wait_until_ready(client)
        response = client.post("/api/compare", json={"a": HELLO, "b": HELLO, "layers": [[2, 1]]})

    error = error_of(response)
    assert error["code"] == "model_non_finite"
    assert "layer 2 of a and 1 of b, position 0 of a and 0 of b" in error["message"]
    assert "js_nats" not in response.text


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": {"prompt": "\\ud800 secret"}, "b": {"prompt": "x"}}',
        b'{"a": {"prompt": "x"}, "b": {"prompt": "x"}, "positions": [[0, NaN]]}',
        b'{"a": {"prompt": "x"}, "b": {"prompt": "x"}, "positions": [[1e999, 0]]}',
        b'{"a": {"prompt": "x"}, "b": {"prompt": "x"}, "layers": {"0": 1}}',
        b'{"a": {"prompt": "x"}, "b": {"prompt": "x"}, "targets": [%s]}' % (b"9" * 400),
        b'{"a": {"prompt": "x"}, "b": {"prompt": "x"}, "positions": %s}' % (b"[" * 9000),
        b'{"a": {"prompt": "x"}, "b": null}',
        b'{"a": {"prompt": "%s"}, "b": {"prompt": "x"}}' % (b"x" * 200_001),
    ],
    ids=lambda body: str(body[:60]),
)
def test_hostile_bodies_get_our_error_and_are_not_echoed(
    client: TestClient, engine: FakeEngine, body: bytes
) -> None:
    headers = {"content-type": "application/json"}
    response = client.post("/api/compare", content=body, headers=headers)

    assert error_of(response)["code"] == "invalid_request"
    assert "secret" not in response.text
    assert engine.comparisons == []


def test_divergences_of_different_texts_are_within_their_bounds(client: TestClient) -> None:
    answer = compare(client, {"prompt": "abcdefgh"}, {"prompt": "ABCDEFGH"})

    js = np.array(answer["js_nats"])
    assert (js > 0).all()
    assert (js <= math.log(2)).all()
