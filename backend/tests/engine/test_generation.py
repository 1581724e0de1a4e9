"""Generation on a small GPT-2: what is yielded, when, and what is left behind."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from app.engine.engine import NnsightEngine
from app.engine.types import Finish, LensColumns, Sampling, Step, Wanted
from app.errors import ContextExceeded, EmptyPrompt, UnknownToken
from tests.engine.reference import PlainModel, assert_lens_is_right
from tests.engine.small_models import (
    END_ID,
    N_CTX,
    LetterVocabulary,
    engine_of,
    fresh,
    greedy,
    random_ids,
)

PROMPT = random_ids(10, seed=5)


def run(engine: NnsightEngine, sampling: Sampling, ids: list[int] = PROMPT):
    *steps, finish = (item for item in engine.generate(ids, sampling) if item is not None)
    assert isinstance(finish, Finish)
    return [step.token_id for step in steps], steps, finish


def test_steps_carry_the_models_own_distribution(engine: NnsightEngine, plain_gpt2: PlainModel):
    ids, steps, _ = run(engine, greedy(8))
    log_p = plain_gpt2.logits([*PROMPT, *ids]).double().log_softmax(-1)
    for step in steps:
        row = log_p[step.index - 1]
        assert step.logprob_nats == pytest.approx(float(row[step.token_id]), abs=1e-4)
        assert step.entropy_nats == pytest.approx(float(-(row.exp() * row).sum()), abs=1e-3)
        assert step.rank == 1
    assert [s.index for s in steps] == list(range(10, 10 + len(ids)))


def test_a_token_is_yielded_before_it_is_run(engine: NnsightEngine):
    reply = engine.generate(PROMPT, greedy(5))
    next(reply)
    passes = engine.forward_passes()
    next(reply)
    assert engine.forward_passes() == passes + 1
    assert not torch.is_inference_mode_enabled()


def test_one_pass_a_token_and_none_for_the_last(engine: NnsightEngine):
    before, tokens = engine.forward_passes(), engine.computed_tokens()
    ids, _, finish = run(engine, greedy(6))
    assert finish == Finish("length")
    assert len(ids) == 6
    assert engine.forward_passes() - before == 1 + 5
    assert engine.computed_tokens() - tokens == 10 + 5


def test_same_seed_gives_same_ids_and_another_seed_others(
    engine: NnsightEngine, loaded_gpt2: NnsightEngine
):
    sampling = Sampling(20, 1.5, 0, 0.95, 123, ())
    first, steps, _ = run(engine, sampling)
    assert run(engine, sampling)[0] == first
    assert run(fresh(loaded_gpt2), sampling)[0] == first
    assert run(engine, dataclasses.replace(sampling, seed=124))[0] != first
    assert any(step.rank > 1 for step in steps)


def test_the_end_token_ends_the_reply_and_is_not_part_of_it(loaded_gpt2: NnsightEngine):
    reference, _, _ = run(fresh(loaded_gpt2), greedy(6))
    engine = fresh(loaded_gpt2)
    engine.facts = dataclasses.replace(engine.facts, eos_token_ids=(END_ID, reference[3]))
    ids, _, finish = run(engine, greedy(6))
    assert ids == reference[: reference.index(reference[3])]
    assert finish == Finish("stop", None, (reference[3],))


class FirstToken(LetterVocabulary):
    """Spells the tokens of one reply so that a stop string lies across their borders."""

    def __init__(self, spelling: dict[int, bytes]) -> None:
        self.spelling = spelling

    def token_bytes(self, token_id: int) -> bytes:
        return self.spelling.get(token_id, b"?")


def drawn(max_new_tokens: int, *stop: str) -> Sampling:
    """Settings whose reply repeats no token at its beginning."""
    return Sampling(max_new_tokens, 4.0, 0, 1.0, 5, stop)


def spelled(engine: NnsightEngine, *spelling: bytes) -> list[int]:
    """Ids of the reply by `drawn`, whose tokens are now spelled like this."""
    ids, _, _ = run(engine, drawn(len(spelling)))
    assert len(set(ids)) == len(spelling)
    engine.vocabulary = FirstToken(dict(zip(ids, spelling, strict=True)))
    return ids


def test_tokens_that_spell_the_stop_string_are_dropped(engine: NnsightEngine):
    ids = spelled(engine, b"yes", b".\n", b"Us", b"er:")
    kept, _, finish = run(engine, drawn(20, "\nUser:"))
    assert kept == ids[:2]
    assert finish == Finish("stop", "\nUser:", (ids[2], ids[3]))


def test_held_tokens_are_released_when_the_reply_ends_otherwise(engine: NnsightEngine):
    ids = spelled(engine, b"yes", b"\n", b"Us", b"er")
    kept, _, finish = run(engine, drawn(4, "\nUser:"))
    assert kept == ids
    assert finish == Finish("length")


def test_dropped_tokens_leave_the_timeline_reusable(engine: NnsightEngine, plain_gpt2: PlainModel):
    ids = spelled(engine, b"yes", b"\n", b"User", b":")
    list(engine.generate(PROMPT, drawn(20, "\nUser:"), lineage=["mine"]))
    stored = len(engine._store)
    following = [*PROMPT, ids[0], *random_ids(4, seed=6)]
    tokens = engine.computed_tokens()
    *steps, _ = engine.generate(following, greedy(6), lineage=["mine"])
    assert [s.token_id for s in steps] == plain_gpt2.greedy_ids(following, 6, END_ID)
    assert engine.computed_tokens() - tokens <= 4 + len(steps)
    assert len(engine._store) == stored


def test_reaching_the_context_is_a_finish(engine: NnsightEngine):
    ids = random_ids(N_CTX - 3, seed=8)
    engine.facts = dataclasses.replace(engine.facts, eos_token_ids=())
    reply, _, finish = run(engine, greedy(50), ids)
    assert len(reply) == 3
    assert finish == Finish("context")


@pytest.mark.parametrize("n", [N_CTX, N_CTX + 1])
def test_a_prompt_without_room_is_refused_with_the_numbers(engine: NnsightEngine, n: int):
    with pytest.raises(ContextExceeded, match=rf"has {n} tokens; small holds {N_CTX}") as caught:
        engine.generate(random_ids(n), greedy(1))
    assert caught.value.hint


def test_ids_that_the_model_lacks_are_refused(engine: NnsightEngine):
    with pytest.raises(UnknownToken, match=r"no token 97 \(at position 1\)"):
        engine.generate([5, 97], greedy(1))
    with pytest.raises(UnknownToken):
        engine.generate([-1], greedy(1))
    with pytest.raises(EmptyPrompt):
        engine.generate([], greedy(1))


@pytest.mark.parametrize("n", [1, 2, 5])
def test_closing_stops_within_one_step(engine: NnsightEngine, n: int):
    passes = engine.forward_passes()
    reply = engine.generate(PROMPT, greedy(30))
    for _ in range(n):
        next(reply)
    reply.close()
    assert engine.forward_passes() - passes == n


def test_others_are_served_between_the_passes_over_a_long_prompt(
    engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.engine.residuals.PREFILL_TOKENS", 8)
    passes = engine.forward_passes()
    reply = engine.generate(random_ids(40), greedy(1))
    assert [next(reply), next(reply)] == [None, None]
    assert engine.forward_passes() - passes == 2
    reply.close()
    run(engine, greedy(1), random_ids(40))
    assert engine.forward_passes() - passes == 5


def test_prefill_in_chunks_is_exact(
    loaded_gpt2: NnsightEngine, plain_gpt2: PlainModel, monkeypatch
):
    monkeypatch.setattr("app.engine.residuals.PREFILL_TOKENS", 7)
    ids = random_ids(40, seed=9)
    assert run(fresh(loaded_gpt2), greedy(12), ids)[0] == plain_gpt2.greedy_ids(ids, 12, END_ID)


def reference(engine: NnsightEngine) -> np.ndarray:
    with torch.inference_mode():
        return engine._decoder.full_logits(PROMPT).numpy()


def test_closing_the_reply_leaves_everything_usable(
    engine: NnsightEngine, loaded_gpt2: NnsightEngine
):
    logits = reference(engine)
    for n in (0, 1, 3):
        reply = engine.generate(PROMPT, greedy(20))
        for _ in range(n):
            next(reply)
        reply.close()
    assert np.array_equal(reference(engine), logits)
    assert run(engine, greedy(12))[0] == run(fresh(loaded_gpt2), greedy(12))[0]
    assert not engine._store._pinned


class Fault(Exception):
    pass


@pytest.fixture
def failing_block(engine: NnsightEngine) -> Iterator[dict[str, int]]:
    """In the pass that an entry names, the second block raises or puts out a bad shape."""
    faults: dict[str, int] = {}

    def hook(_module: torch.nn.Module, _args: object, output: torch.Tensor) -> torch.Tensor:
        for fault in faults:
            faults[fault] -= 1
        if faults.get("raise") == 0:
            raise Fault
        return output[..., :-1] if faults.get("shape") == 0 else output

    handle = engine._decoder.structure.blocks[1].register_forward_hook(hook)
    yield faults
    handle.remove()


@pytest.mark.parametrize("at", [1, 3, 4])
@pytest.mark.parametrize("fault", ["raise", "shape"])
def test_a_fault_in_a_step_leaves_everything_usable(
    engine: NnsightEngine,
    loaded_gpt2: NnsightEngine,
    failing_block: dict[str, int],
    at: int,
    fault: str,
):
    logits = reference(engine)
    expected = run(fresh(loaded_gpt2), greedy(12))[0]
    failing_block[fault] = at
    with pytest.raises(Fault if fault == "raise" else RuntimeError):
        list(engine.generate(PROMPT, greedy(12)))
    failing_block.clear()
    assert np.array_equal(reference(engine), logits)
    assert run(engine, greedy(12))[0] == expected
    assert not engine._store._pinned


def test_a_read_between_two_steps_disturbs_nothing(
    engine: NnsightEngine, loaded_gpt2: NnsightEngine
):
    expected = run(fresh(loaded_gpt2), greedy(12))[0]
    expected_other = fresh(loaded_gpt2).read([*PROMPT, 3, 4, 5])
    ids = list(PROMPT)
    for step in engine.generate(PROMPT, greedy(12), lineage=["mine"]):
        if isinstance(step, Step):
            ids.append(step.token_id)
            passes = engine.forward_passes()
            read = engine.read(ids, positions=[len(ids) - 2], lineage=["mine"])
            assert read.positions == (len(ids) - 2,)
            assert engine.forward_passes() == passes, "the token's own lens needs no pass"
            # Also at the token that was not run yet.
            whole = engine.read(ids, lineage=["mine"])
            np.testing.assert_array_equal(whole.top_ids[:, -2], read.top_ids[:, 0])
            other = engine.read([*PROMPT, 3, 4, 5])
            np.testing.assert_array_equal(other.entropy_nats, expected_other.entropy_nats)
    assert ids[len(PROMPT) :] == expected


@pytest.mark.parametrize("in_pass", [True, False])
def test_each_step_brings_the_readout_of_its_position(
    engine: NnsightEngine, plain_gpt2: PlainModel, monkeypatch: pytest.MonkeyPatch, in_pass: bool
):
    monkeypatch.setattr(engine._decoder, "reads_in_pass", in_pass)
    wanted = Wanted((0, 1, 2, 3), 4, (33, 60))
    passes = engine.forward_passes()
    items = [i for i in engine.generate(PROMPT, greedy(6), wanted=wanted) if i is not None]
    steps, columns = items[:-1:2], items[1:-1:2]
    assert engine.forward_passes() - passes == 6
    timeline = [*PROMPT, *(step.token_id for step in steps)]
    for step, read in zip(steps, columns, strict=True):
        assert isinstance(read, LensColumns)
        assert read.scores == (step,)
        assert read.positions == (step.index - 1,)
        assert_lens_is_right(read, plain_gpt2, timeline)
    assert run(engine, greedy(6))[1] == steps, "reading changes nothing"


def test_dropped_tokens_have_no_readout(engine: NnsightEngine):
    ids = spelled(engine, b"yes", b".\n", b"Us", b"er:")
    items = list(engine.generate(PROMPT, drawn(20, "\nUser:"), wanted=Wanted((0, 3))))
    read = [item.positions for item in items if isinstance(item, LensColumns)]
    kept = [item.token_id for item in items if isinstance(item, Step)]
    assert kept == ids[:2]
    assert read == [(9,), (10,)]


def test_more_layers_than_a_chunk_are_read_from_the_store(engine: NnsightEngine):
    wanted = Wanted((3, 2, 1, 0), 4)
    expected = [
        i
        for i in engine.generate(PROMPT, greedy(4), wanted=wanted, lineage=["mine"])
        if i is not None
    ]
    engine._unembedding.chunk_rows = 2
    passes = engine.forward_passes()
    found = [
        i
        for i in engine.generate(PROMPT, greedy(4), wanted=wanted, lineage=["mine"])
        if i is not None
    ]
    assert [type(item) for item in found] == [type(item) for item in expected]
    assert engine.forward_passes() - passes == 3
    for one, two in zip(found, expected, strict=True):
        if isinstance(one, LensColumns) and isinstance(two, LensColumns):
            np.testing.assert_array_equal(one.top_ids, two.top_ids)
            np.testing.assert_allclose(one.entropy_nats, two.entropy_nats, atol=1e-5)
            np.testing.assert_allclose(one.kl_to_final_nats, two.kl_to_final_nats, atol=1e-5)


def test_two_replies_at_once_do_not_mix(engine: NnsightEngine, loaded_gpt2: NnsightEngine):
    expected = run(fresh(loaded_gpt2), greedy(12))[0]
    sampling = Sampling(12, 1.5, 0, 1.0, 1, ())
    other = run(fresh(loaded_gpt2), sampling)[0]
    pairs = zip(
        engine.generate(PROMPT, greedy(12)),
        engine.generate(PROMPT, sampling),
        strict=True,
    )
    one, two = zip(*pairs, strict=True)
    assert [s.token_id for s in one if isinstance(s, Step)] == expected
    assert [s.token_id for s in two if isinstance(s, Step)] == other


def test_everything_runs_on_a_thread_other_than_the_importing_one(
    loaded_gpt2: NnsightEngine, gpt2: torch.nn.Module
):
    replies: list[list[int]] = []
    read: list[LensColumns] = []

    def work() -> None:
        engine = engine_of(gpt2)
        replies.append(run(engine, greedy(4))[0])
        read.append(engine.read(PROMPT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert replies == [run(fresh(loaded_gpt2), greedy(4))[0]]
    expected = fresh(loaded_gpt2).read(PROMPT)
    np.testing.assert_array_equal(read[0].top_ids, expected.top_ids)
