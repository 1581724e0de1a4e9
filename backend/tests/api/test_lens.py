from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.services.reading import MAX_CELLS
from tests.api.conftest import chat, error_of, make_client, wait_until_ready
from tests.fakes import D_VOCAB, END, N_LAYERS, FakeEngine

USER = {"role": "user", "content": "Hi"}


def read(client: TestClient, **body: Any) -> dict[str, Any]:
    response = client.post("/api/lens", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_columns_are_what_the_layers_predict(client: TestClient, engine: FakeEngine) -> None:
    text = b"The capital"
    answer = read(client, prompt=text.decode(), top_k=3, targets=[65, 66])

    assert answer["layers"] == [0, 1, 2, 3]
    assert answer["labels"] == ["embed", "1", "2", "3"]
    assert answer["positions"] == list(range(len(text)))
    assert [t["id"] for t in answer["tokens"]] == list(text)
    assert all(t["lens"] is None for t in answer["tokens"])
    for layer in answer["layers"]:
        for place in answer["positions"]:
            p = engine.probabilities(text[: place + 1], layer)
            top = answer["top_ids"][layer][place]
            assert top == np.argsort(-p, kind="stable")[:3].tolist()
            assert answer["top_probabilities"][layer][place] == pytest.approx(p[top], rel=1e-8)
            assert all(str(token_id) in answer["vocabulary"] for token_id in top)
            for target in answer["targets"]:
                wanted = p[target["token_id"]]
                assert target["probability"][layer][place] == pytest.approx(wanted, rel=1e-8)
                assert target["rank"][layer][place] == 1 + (p > wanted).sum()
            if place + 1 < len(text):
                wanted = p[text[place + 1]]
                assert answer["next_probability"][layer][place] == pytest.approx(wanted, rel=1e-8)
                assert answer["next_rank"][layer][place] == 1 + (p > wanted).sum()
            else:
                assert answer["next_probability"][layer][place] is None
                assert answer["next_rank"][layer][place] is None
    for token in answer["tokens"][1:]:
        before = text[: token["index"]]
        assert token["logprob_nats"] == engine.step(before, token["id"]).logprob_nats
    assert answer["tokens"][0]["logprob_nats"] is None


def test_bytes_are_told_of_tokens_that_are_no_whole_characters(client: TestClient) -> None:
    """Token `i` of the fake is byte `i`: from 0x80 on it is part of a character."""
    answer = read(client, prompt="a text", top_k=50, targets=[65, 0xF0])

    told = {token_id for row in answer["top_ids"] for ids in row for token_id in ids}
    fragments = {token_id for token_id in told if 0x80 <= token_id < 0x100}
    assert set() < fragments < told
    assert {int(key): base64.b64decode(v) for key, v in answer["vocabulary_bytes"].items()} == {
        token_id: bytes([token_id]) for token_id in fragments
    }
    assert [(t["text"], t["bytes"]) for t in answer["targets"]] == [("A", None), ("\ufffd", "8A==")]


def test_probabilities_survive_the_wire_exactly(client: TestClient, engine: FakeEngine) -> None:
    answer = read(client, prompt="abcdef", top_k=50)

    wire = np.array(answer["top_probabilities"], dtype=np.float32)
    ids = np.array(answer["top_ids"])
    for layer in range(N_LAYERS + 1):
        for place in range(6):
            p = engine.probabilities(b"abcdef"[: place + 1], layer)
            assert (wire[layer, place] == p[ids[layer, place]]).all()


def test_chunks_join_to_what_one_call_gives(
    client: TestClient, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read(client, prompt="a text of some length", targets=[97])
    n_calls = len(engine.reads)
    monkeypatch.setattr("tests.fakes.READ_AT_ONCE", 3)
    chunked = read(client, prompt="a text of some length", targets=[97])

    assert n_calls == 1
    assert [len(places) for places in engine.reads[1:]] == [3] * 7
    assert chunked == whole


def test_chosen_layers_and_positions(client: TestClient) -> None:
    whole = read(client, token_ids=[10, 20, 30, 40, END])
    part = read(client, token_ids=[10, 20, 30, 40, END], layers=[3, 1], positions=[1, 3])

    assert part["labels"] == ["3", "1"]
    assert part["positions"] == [1, 2]
    assert part["entropy_nats"] == [whole["entropy_nats"][layer][1:3] for layer in (3, 1)]
    assert [t["rank"] is None for t in part["tokens"]] == [True, True, False, False, True]


def test_tokens_can_be_left_out_without_changing_a_number(client: TestClient) -> None:
    request = {"prompt": "abcdef", "positions": [1, 4]}
    whole = client.post("/api/lens", json=request).json()
    short = client.post("/api/lens", json={**request, "include_tokens": False}).json()
    assert len(whole["tokens"]) == 6
    assert short == {**whole, "tokens": []}


def test_stored_conversation_can_be_read(client: TestClient) -> None:
    turn = client.post("/api/chat", json=chat("Hi", sampling={"max_new_tokens": 4})).json()
    timeline = turn["prompt_tokens"] + turn["tokens"]

    answer = read(client, conversation_id=turn["conversation_id"])

    assert [t["id"] for t in answer["tokens"]] == [t["id"] for t in timeline]
    assert [t["role"] for t in answer["tokens"]] == [t["role"] for t in timeline]
    for token in turn["tokens"]:
        for layer in token["lens"]:
            place = token["index"] - 1
            row = layer["layer"]
            assert answer["next_rank"][row][place] == layer["actual"]["rank"]
            assert answer["entropy_nats"][row][place] == layer["entropy_nats"]


def test_messages_are_read_as_a_reply_would_begin(client: TestClient) -> None:
    turn = client.post("/api/chat", json=chat("Hi", sampling={"max_new_tokens": 1})).json()
    answer = read(client, messages=[USER])

    for name in ("id", "role", "text"):
        assert [t[name] for t in answer["tokens"]] == [t[name] for t in turn["prompt_tokens"]]
    assert answer["top_ids"][N_LAYERS][-1][0] == turn["tokens"][0]["id"]


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("chat", {"messages": [{"role": "user", "content": "a" * 9000}]}, "messages"),
        ("lens", {"prompt": "a" * 9000}, "prompt"),
        ("lens", {"messages": [{"role": "user", "content": "a" * 9000}]}, "messages"),
        ("compare", {"a": {"prompt": "a" * 9000}, "b": {"prompt": "a"}}, "a.prompt"),
    ],
)
def test_text_far_too_long_to_be_counted_is_refused_with_its_length(
    client: TestClient, engine: FakeEngine, path: str, body: dict[str, Any], param: str
) -> None:
    error = error_of(client.post(f"/api/{path}", json=body), 422)

    assert (error["code"], error["param"]) == ("context_exceeded", param)
    assert "9,0" in error["message"]
    assert "512" in error["message"]
    assert engine.reads == []


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "invalid_request", None),
        ({"prompt": "a", "token_ids": [1]}, "invalid_request", None),
        ({"prompt": "a", "messages": [USER]}, "invalid_request", None),
        (
            {"messages": [USER, {"role": "assistant", "content": "a"}]},
            "invalid_request",
            "messages",
        ),
        ({"messages": [USER] * 99}, "context_exceeded", "messages"),
        ({"prompt": ""}, "empty_prompt", "prompt"),
        ({"token_ids": [D_VOCAB]}, "unknown_token", "token_ids"),
        ({"prompt": "a", "kind": "tuned"}, "lens_unavailable", "kind"),
        ({"prompt": "a", "targets": [D_VOCAB]}, "unknown_token", "targets"),
        ({"prompt": "a", "layers": [N_LAYERS + 1]}, "layer_out_of_range", "layers"),
        ({"prompt": "a", "layers": [1, 1]}, "invalid_request", "layers"),
        ({"prompt": "abc", "positions": [0, 4]}, "position_out_of_range", "positions"),
        ({"prompt": "abc", "positions": [2, 2]}, "position_out_of_range", "positions"),
        ({"prompt": "a" * 513}, "context_exceeded", "prompt"),
        ({"token_ids": [1] * 513}, "context_exceeded", "token_ids"),
        ({"conversation_id": "nope"}, "conversation_not_found", "conversation_id"),
    ],
)
def test_what_cannot_be_read_is_refused_before_the_model_is_asked(
    client: TestClient, engine: FakeEngine, body: dict[str, Any], code: str, param: str | None
) -> None:
    response = client.post("/api/lens", json=body)

    error = response.json()["error"]
    assert (error["code"], error["param"]) == (code, param)
    assert engine.reads == []


def test_too_many_values_are_refused_with_a_way_to_split() -> None:
    engine = FakeEngine(n_ctx=8192)
    with make_client(engine) as client:
        wait_until_ready(client)
        response = client.post("/api/lens", json={"prompt": "x" * 8000, "top_k": 50})

    error = response.json()["error"]
    assert response.status_code == 422
    assert f"{4 * 8000 * 50:,}" in error["message"]
    assert f"{MAX_CELLS // 200:,} positions at a time" in error["hint"]
    assert engine.reads == []


def test_token_search_tells_ids_and_how_the_text_splits(client: TestClient) -> None:
    answer = client.get("/api/tokens", params={"query": "a"}).json()
    split = client.get("/api/tokens", params={"query": "ab"}).json()

    assert answer["matches"] == [
        {"token_id": 97, "text": "a", "bytes": "YQ==", "exact": True, "is_byte_token": False}
    ]
    assert answer["encoded_ids"] == [97]
    assert split["encoded_ids"] == [97, 98]
    assert split["encoded_texts"] == ["a", "b"]
    assert split["encoded_bytes"] == ["YQ==", "Yg=="]


def test_text_of_an_id_is_told(client: TestClient) -> None:
    def token(token_id: int | str) -> Any:
        return client.get(f"/api/tokens/{token_id}").json()

    assert token(97) == {"token_id": 97, "text": "a", "bytes": "YQ=="}
    assert token(0xF0) == {"token_id": 0xF0, "text": "\ufffd", "bytes": "8A=="}
    assert token(END)["text"] == "<|end|>"
    for wrong, code in (
        (D_VOCAB, "unknown_token"),
        (-1, "invalid_request"),
        ("x", "invalid_request"),
    ):
        assert client.get(f"/api/tokens/{wrong}").status_code == 422
        assert token(wrong)["error"]["code"] == code


def test_model_info_tells_sizes_and_the_self_check(client: TestClient) -> None:
    info = client.get("/api/model_info").json()

    assert (info["model_name"], info["num_layers"], info["vocab_size"]) == (
        "fake",
        N_LAYERS,
        D_VOCAB,
    )
    assert info["self_check"]["passed"] is True
    assert info["chat_template"]["stop"] == ["\nUser:"]


def test_stats_show_that_reading_a_stored_conversation_runs_no_pass(client: TestClient) -> None:
    answer = client.post("/api/chat", json=chat("Hello", sampling={"max_new_tokens": 3})).json()
    before = client.get("/api/stats").json()

    read(client, conversation_id=answer["conversation_id"], top_k=50)
    after = client.get("/api/stats").json()

    assert before["forward_passes"] > 0
    assert before["conversations"] == 1
    assert before["store"]["max_bytes"] == 1000
    assert after == before


def test_model_info_lists_the_lenses(client: TestClient) -> None:
    assert client.get("/api/model_info").json()["lenses"] == [
        {
            "kind": "logit",
            "fitted_tokens": None,
            "origin": "shipped",
            "beats_controls": None,
            "unfitted_layers": [],
        }
    ]
