"""Worked examples hold on the model that runs, and say what was measured of it and nothing else."""

import dataclasses
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.engine.types import BosCheck, ChatTemplate, LensColumns, ModelFacts, Sampling, Step, Wanted
from app.models.facts import ExamplePrompt
from app.services import examples
from app.services.examples import POOL, Candidate, decision_layer, known_examples, measured
from tests.api.conftest import make_client, wait_until_ready
from tests.fakes import N_LAYERS, FakeEngine, fake_facts

RIVAL = 120  # the letter x
CHAT = ChatTemplate("tokenizer", "", ())


class ScriptedEngine(FakeEngine):
    """Replies with given letters, and gives a letter the ranks and the probability of a script."""

    def __init__(self, reply: str, ranks: Sequence[int], probability: float) -> None:
        super().__init__()
        self.script = reply
        self.ranks, self.probability = ranks, probability
        self.prompts: list[tuple[int, ...]] = []

    def generate(self, ids: Sequence[int], sampling: Sampling, **_: object) -> Iterator[Step]:  # type: ignore[override]
        self.prompts.append(tuple(ids))
        assert sampling.temperature == 0
        for place, letter in enumerate(self.script.encode()[: sampling.max_new_tokens]):
            yield Step(len(ids) + place, letter, -0.1, 1, 0.5)

    def reading(  # type: ignore[override]
        self, ids: Sequence[int], positions: Sequence[int], wanted: Wanted, **_: object
    ) -> Iterator[LensColumns]:
        assert wanted.layers == tuple(range(N_LAYERS + 1))
        (position,) = positions
        assert ids[position + 1] == wanted.targets[0], "read where the token was predicted"
        shape = (len(wanted.layers), 1)
        tops = [wanted.targets[0] if rank == 1 else RIVAL for rank in self.ranks]
        zeros = np.zeros(shape, np.float32)
        yield LensColumns(
            layers=wanted.layers,
            positions=(position,),
            top_ids=np.array(tops).reshape(*shape, 1),
            top_probabilities=zeros[..., None],
            top_ranks=np.ones((*shape, 1), np.int64),
            entropy_nats=zeros,
            kl_to_final_nats=zeros,
            next_probability=zeros,
            next_rank=np.ones(shape, np.int64),
            targets=wanted.targets,
            target_probability=np.full((1, *shape), self.probability, np.float32),
            target_rank=np.array(self.ranks).reshape(1, *shape),
            scores=(),
        )


def tried(engine: FakeEngine, candidate: Candidate) -> ExamplePrompt | None:
    work = measured(engine, candidate)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


NEXT_IS_P = Candidate("A letter", "The letter after o is", "p", "Letters have an order.")


def test_note_says_the_layers_and_the_probability_that_were_measured() -> None:
    example = tried(ScriptedEngine("p", (90, 1, 7, 1), 0.914), NEXT_IS_P)

    assert example == ExamplePrompt(
        title="A letter",
        question="When does it know that “p” comes next?",
        mode="completion",
        text="The letter after o is",
        watch="p",
        note="Letters have an order. “p” is rank 7 at layer 2, where “x” leads, and rank 1 from "
        "layer 3 on, with a probability of 0.91 at the output.",
        bos=None,
    )


@pytest.mark.parametrize(
    ("reply", "ranks", "probability"),
    [
        ("q", (9, 1, 1, 1), 0.9),
        ("p", (9, 5, 2, 1), 0.2),
        ("p", (1, 1, 1, 2), 0.4),
        ("", (1,) * 4, 1),
    ],
    ids=["another token", "hardly probable", "not first at the output", "no reply"],
)
def test_example_that_does_not_hold_is_left_out(
    reply: str, ranks: tuple[int, ...], probability: float
) -> None:
    assert tried(ScriptedEngine(reply, ranks, probability), NEXT_IS_P) is None


def test_plain_text_is_tried_at_the_next_token_and_a_chat_within_the_reply() -> None:
    in_chat = dataclasses.replace(NEXT_IS_P, mode="chat")
    assert tried(ScriptedEngine("it is p", (9, 1, 1, 1), 0.9), NEXT_IS_P) is None
    assert tried(ScriptedEngine("it is p", (9, 1, 1, 1), 0.9), in_chat) is not None
    assert tried(ScriptedEngine("it is far from being p", (9, 1, 1, 1), 0.9), in_chat) is None


@pytest.mark.parametrize("is_needed", [True, False])
def test_example_is_tried_and_run_with_the_token_that_the_model_needs(is_needed: bool) -> None:
    engine = ScriptedEngine("p", (9, 1, 1, 1), 0.9)
    check = BosCheck(3.0, 7.0 if is_needed else 3.1, 19, is_needed)
    engine.facts = dataclasses.replace(engine.facts, bos_check=check)
    example = tried(engine, NEXT_IS_P)

    assert example is not None
    assert example.bos is (True if is_needed else None)
    assert (engine.prompts[0][0] == engine.facts.bos_token_id) is is_needed


def test_text_that_does_not_fit_the_context_is_left_out() -> None:
    engine = ScriptedEngine("p", (9, 1, 1, 1), 0.9)
    engine.facts = dataclasses.replace(engine.facts, n_ctx=len(NEXT_IS_P.text))
    assert tried(engine, NEXT_IS_P) is None


@pytest.mark.parametrize(
    ("ranks", "layer"), [((3, 1, 2, 1), 3), ((1, 1, 1), 0), ((2, 1, 1), 1), ((1, 2), None)]
)
def test_decision_layer_is_where_rank_1_begins_to_stay(
    ranks: tuple[int, ...], layer: int | None
) -> None:
    assert decision_layer(ranks) == layer


def test_pool_names_each_prompt_once() -> None:
    assert len({candidate.title for candidate in POOL}) == len(POOL)
    assert all(candidate.text == candidate.text.strip() for candidate in POOL)


# --- served ---------------------------------------------------------------------------------------


def served(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, n_letters: int) -> TestClient:
    pool = tuple(Candidate(f"Letter {n}", f"Letter {n} is", "p") for n in range(n_letters))
    monkeypatch.setattr(examples, "POOL", pool)
    monkeypatch.setattr(examples, "CHAT_POOL", ())
    return make_client(engine)


def test_examples_are_measured_once_and_then_part_of_the_models_facts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = ScriptedEngine("p", (9, 1, 1, 1), 0.9)
    with served(engine, monkeypatch, n_letters=9) as client:
        wait_until_ready(client)
        assert client.get("/api/model_info").json()["examples"] == []
        first = client.get("/api/examples").json()["examples"]
        again = client.get("/api/examples").json()["examples"]
        facts = client.get("/api/model_info").json()["examples"]

    assert [example["title"] for example in first] == [f"Letter {n}" for n in range(6)]
    assert first == again == facts
    assert len(engine.prompts) == 6


def test_model_on_which_nothing_holds_has_no_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = ScriptedEngine("q", (9, 1, 1, 1), 0.9)
    with served(engine, monkeypatch, n_letters=3) as client:
        wait_until_ready(client)
        assert client.get("/api/examples").json() == {"examples": []}


# --- the embedded model ---------------------------------------------------------------------------


def embedded() -> ModelFacts:
    return dataclasses.replace(fake_facts(), source="embedded")


def test_embedded_model_brings_those_that_it_was_tried_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = [
        {"title": title, "mode": "chat", "text": "Hello", "watch": " a", "note": "Measured."}
        for title in ("Read", "Read too", "Read later", "Change")
    ]
    (tmp_path / "examples.json").write_text(json.dumps(own[:3]))
    (tmp_path / "experiments.json").write_text(json.dumps(own[3:]))
    monkeypatch.setattr(examples, "EMBEDDED_FOLDER", tmp_path)
    found = known_examples(embedded())
    assert [example.title for example in found] == ["Read", "Read too", "Change", "Read later"]
    assert found[0].model_dump(exclude_none=True) == own[0]


def test_shipped_examples_name_their_token_and_a_number() -> None:
    shipped = known_examples(embedded())
    assert len(shipped) >= 5
    for example in shipped:
        assert example.watch is None or f"“{example.watch}”" in example.note
        assert re.search(r"\d", example.note)


def test_damaged_examples_of_the_embedded_model_are_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "examples.json").write_text('[{"title": "no text"}]')
    monkeypatch.setattr(examples, "EMBEDDED_FOLDER", tmp_path)
    assert known_examples(embedded()) == []
    assert "cannot be read" in caplog.text
