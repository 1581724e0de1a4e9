from __future__ import annotations

import base64
import dataclasses
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import chat, error_of, events_of, make_client, wait_until_ready
from tests.fakes import END, N_LAYERS, FakeEngine


def post(client: TestClient, body: dict[str, Any]) -> dict[str, Any]:
    response = client.post("/api/chat", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def stream(client: TestClient, body: dict[str, Any]) -> list[dict[str, Any]]:
    response = client.post("/api/chat", json={**body, "stream": True})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    return events_of(response.text)


def joined(tokens: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(token["bytes"]) for token in tokens)


def test_reply_has_tokens_scores_and_readouts(client: TestClient, engine: FakeEngine) -> None:
    answer = post(client, chat("Hi", sampling={"max_new_tokens": 5}))

    assert joined(answer["prompt_tokens"]) == b"User: Hi\nAssistant:"
    assert joined(answer["tokens"]) == answer["text"].encode()
    assert len(answer["tokens"]) == 5
    assert answer["finish_reason"] == "length"
    timeline = answer["prompt_tokens"] + answer["tokens"]
    assert [token["index"] for token in timeline] == list(range(len(timeline)))
    ids = [token["id"] for token in timeline]
    for token in answer["tokens"]:
        before = ids[: token["index"]]
        assert token["role"] == "assistant"
        assert token["logprob_nats"] == engine.step(before, token["id"]).logprob_nats
        assert [layer["label"] for layer in token["lens"]] == ["embed", "1", "2", "3"]
        for layer in token["lens"]:
            p = engine.probabilities(before, layer["layer"])
            assert layer["actual"]["probability"] == pytest.approx(p[token["id"]], rel=1e-8)
            assert [x["rank"] for x in layer["predictions"]] == [1, 2, 3, 4, 5]
            best = layer["predictions"][0]
            assert best["token_id"] == p.argmax()
            assert best["probability"] == pytest.approx(p.max(), rel=1e-8)
    assert all(token["lens"] is None for token in answer["prompt_tokens"])


def test_bytes_are_told_of_predictions_that_are_no_whole_characters(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Token `i` of the fake is byte `i`: from 0x80 on it is part of a character."""
    monkeypatch.setattr("tests.fakes.LETTERS", range(0x70, 0x90))
    answer = post(client, chat("Hi", sampling={"max_new_tokens": 9}))
    told = [p for t in answer["tokens"] for layer in t["lens"] for p in layer["predictions"]]
    assert {0x80 <= p["token_id"] < END for p in told} == {True, False}
    for prediction in told:
        token = bytes([prediction["token_id"]])
        if prediction["token_id"] < 0x80:
            assert (prediction["text"], prediction.get("bytes")) == (token.decode(), None)
        else:
            assert prediction["text"] == "\ufffd"
            assert base64.b64decode(prediction["bytes"]) == token


@pytest.mark.parametrize("scope", ["reply", "all", "none"])
@pytest.mark.parametrize("mode", ["chat", "completion"])
def test_stream_holds_the_same_as_json(client: TestClient, scope: str, mode: str) -> None:
    body = chat(
        "Once upon a time there was a wolf",
        mode=mode,
        sampling={"max_new_tokens": 19, "temperature": 0.9, "seed": 7},
        lens={"scope": scope, "top_k": 3},
    )
    answer = post(client, body)
    events = stream(client, body)

    start, done = events[0], events[-1]
    assert (start["type"], done["type"]) == ("start", "done")
    readouts = {e["index"]: e["lens"] for e in events if e["type"] == "lens"}
    tokens = [e["token"] for e in events if e["type"] == "token"]
    fold = [{**t, "lens": readouts.get(t["index"], t["lens"])} for t in start["prompt_tokens"]]
    assert fold == answer["prompt_tokens"]
    fold = [{**t, "lens": readouts.get(t["index"], t["lens"])} for t in tokens]
    assert fold == answer["tokens"]
    for name in ("text", "finish_reason", "stop"):
        assert done[name] == answer[name]
    assert start["seed"] == answer["seed"] == 7
    expected = {"none": 0, "reply": 19, "all": 19 + len(start["prompt_tokens"]) - 1}
    assert len(readouts) == expected[scope]


def test_each_readout_follows_its_token(client: TestClient) -> None:
    events = stream(client, chat("Hi", sampling={"max_new_tokens": 20}))

    kinds = [event["type"] for event in events]
    assert kinds == ["start", *["token", "lens"] * 20, "done"]
    for token, lens in zip(events[1:-1:2], events[2:-1:2], strict=True):
        assert token["token"]["index"] == lens["index"]


def test_next_turn_continues_the_exact_ids(client: TestClient) -> None:
    first = post(client, chat("Hi", sampling={"max_new_tokens": 4}))
    second = post(
        client,
        chat("More", conversation_id=first["conversation_id"], sampling={"max_new_tokens": 4}),
    )

    ids = [t["id"] for t in first["prompt_tokens"] + first["tokens"]]
    assert [t["id"] for t in second["prompt_tokens"][: len(ids)]] == ids
    assert [t["role"] for t in second["prompt_tokens"][len(ids) - 4 : len(ids)]] == (
        ["assistant"] * 4
    )
    assert second["conversation_id"] == first["conversation_id"]
    assert second["turn_start"] == len(ids)
    assert joined(second["prompt_tokens"][len(ids) :]) == b"\nUser: More\nAssistant:"
    assert second["usage"]["computed_tokens"] < len(second["prompt_tokens"])


def test_editing_a_turn_makes_a_new_conversation_and_keeps_the_old(client: TestClient) -> None:
    first = post(client, chat("Hi", sampling={"max_new_tokens": 4}))
    name = first["conversation_id"]
    second = post(client, chat("More", conversation_id=name, sampling={"max_new_tokens": 4}))
    edited = post(
        client,
        chat(
            "Less",
            conversation_id=name,
            from_index=second["turn_start"],
            sampling={"max_new_tokens": 4},
        ),
    )
    again = post(client, chat("On", conversation_id=name, sampling={"max_new_tokens": 1}))

    assert edited["conversation_id"] != name
    assert joined(edited["prompt_tokens"]).endswith(b"\nUser: Less\nAssistant:")
    old = [t["id"] for t in second["prompt_tokens"] + second["tokens"]]
    assert [t["id"] for t in again["prompt_tokens"][: len(old)]] == old


def test_regenerating_repeats_a_greedy_reply(client: TestClient) -> None:
    first = post(client, chat("Hi", sampling={"max_new_tokens": 6}))
    reply_start = len(first["prompt_tokens"])
    again = post(
        client,
        {
            "messages": [],
            "conversation_id": first["conversation_id"],
            "from_index": reply_start,
            "sampling": {"max_new_tokens": 6},
        },
    )

    assert again["text"] == first["text"]
    assert again["turn_start"] == reply_start


def test_editing_the_first_turn_starts_over(client: TestClient) -> None:
    first = post(client, chat("Hi", sampling={"max_new_tokens": 2}))
    edited = post(
        client,
        chat(
            "Ho",
            conversation_id=first["conversation_id"],
            from_index=0,
            sampling={"max_new_tokens": 2},
        ),
    )

    assert joined(edited["prompt_tokens"]) == b"User: Ho\nAssistant:"


def test_new_message_inside_another_is_refused(client: TestClient) -> None:
    first = post(client, chat("Hello there", sampling={"max_new_tokens": 2}))
    response = client.post(
        "/api/chat", json=chat("x", conversation_id=first["conversation_id"], from_index=8)
    )

    assert response.status_code == 422
    assert response.json()["error"]["param"] == "from_index"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        (chat("x", from_index=3), "from_index"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "x"}] * 2, "mode": "completion"}, "messages"),
        (chat("", mode="completion"), "messages"),
        (chat("x", lens={"kind": "tuned"}, stream=True), "lens.kind"),
    ],
)
def test_senseless_requests_are_refused(
    client: TestClient, engine: FakeEngine, body: dict[str, Any], param: str
) -> None:
    response = client.post("/api/chat", json=body)

    assert response.status_code == 422
    assert response.json()["error"]["param"] == param
    assert engine.steps_made == 0


def test_bos_is_put_first_when_asked_for(client: TestClient) -> None:
    with_bos = post(client, chat("x", bos=True, sampling={"max_new_tokens": 1}))
    without = post(client, chat("x", sampling={"max_new_tokens": 1}))

    assert with_bos["prompt_tokens"][0]["id"] == END
    assert with_bos["prompt_tokens"][0]["special"]
    assert without["prompt_tokens"][0]["id"] != END
    refused = client.post(
        "/api/chat", json=chat("y", bos=True, conversation_id=without["conversation_id"])
    )
    assert refused.json()["error"]["param"] == "bos"


def test_empty_completion_can_start_from_bos(client: TestClient) -> None:
    answer = post(client, chat("", mode="completion", bos=True, sampling={"max_new_tokens": 2}))

    assert [t["id"] for t in answer["prompt_tokens"]] == [END]
    assert len(answer["tokens"][0]["lens"]) == N_LAYERS + 1


def test_drawn_seed_repeats_the_reply(client: TestClient) -> None:
    body = chat("Hi", sampling={"max_new_tokens": 12, "temperature": 1.0})
    first = post(client, body)
    body["sampling"]["seed"] = first["seed"]

    assert post(client, body)["text"] == first["text"]


def test_stop_string_ends_the_reply_and_is_no_part_of_it() -> None:
    from tests.api.conftest import make_client, wait_until_ready

    with make_client(FakeEngine(say=b"Hello.\nUser: and so on")) as client:
        wait_until_ready(client)
        answer = post(client, chat("Hi"))

    assert answer["text"] == "Hello."
    assert (answer["finish_reason"], answer["stop"]) == ("stop", "\nUser:")
    assert joined(answer["tokens"]) == b"Hello."


@pytest.mark.parametrize("extra", [-1, 0, 1, 1000])
def test_prompt_over_the_context_is_refused_with_the_numbers(
    client: TestClient, engine: FakeEngine, extra: int
) -> None:
    n_ctx = engine.facts.n_ctx
    response = client.post(
        "/api/chat",
        json=chat("x" * (n_ctx + extra), mode="completion", sampling={"max_new_tokens": 4}),
    )

    if extra < 0:
        assert response.status_code == 200
        assert response.json()["finish_reason"] == "context"
        assert len(response.json()["tokens"]) == 1
    else:
        assert response.status_code == 422
        error = response.json()["error"]
        assert error["code"] == "context_exceeded"
        assert f"{n_ctx + extra:,}" in error["message"]
        assert f"{n_ctx:,}" in error["message"]
        assert engine.steps_made == 0


def test_unknown_conversation_says_what_may_have_happened(client: TestClient) -> None:
    response = client.post("/api/chat", json=chat("x", conversation_id="nope"))

    assert response.status_code == 404
    error = response.json()["error"]
    assert error["code"] == "conversation_not_found"
    assert "never existed" in error["message"]
    assert "deleted" in error["message"]
    assert "messages" in error["hint"]


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=texts)
def test_timeline_bytes_are_the_text_in_and_out(client: TestClient, text: str) -> None:
    answer = post(
        client,
        chat(text, mode="completion", sampling={"max_new_tokens": 1}, lens={"scope": "none"}),
    )

    assert joined(answer["prompt_tokens"]) == text.encode()
    assert joined(answer["prompt_tokens"] + answer["tokens"]) == (text + answer["text"]).encode()


@pytest.mark.parametrize("scope", ["all", "reply"])
def test_json_reply_with_too_many_readouts_is_refused_and_streamed(scope: str) -> None:
    engine = FakeEngine(n_ctx=6000, say=b"x")
    asked = chat(
        "a" * (5000 if scope == "all" else 1),
        lens={"scope": scope, "top_k": 50},
        sampling={"max_new_tokens": 1 if scope == "all" else 4096},
    )
    if scope == "reply":
        engine.facts = dataclasses.replace(engine.facts, n_layers=5)
    with make_client(engine) as client:
        wait_until_ready(client)
        error = error_of(client.post("/api/chat", json=asked), 422)
        assert engine.steps_made == 0
        fewer = {**asked, "lens": {"scope": "none", "top_k": 50}}
        assert client.post("/api/chat", json=fewer).status_code == 200

    assert (error["code"], error["param"]) == ("invalid_request", "lens.top_k")
    assert "1,000,000" in error["message"]
    assert "stream: true" in error["hint"]
