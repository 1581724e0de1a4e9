import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from training.find_experiments import (
    SEARCHES,
    Choice,
    changed,
    first_choice,
    greedy_line,
    is_clear,
    rows_after,
    steered_line,
    token_direction,
)

FRANCE = "The capital of France is "
ITALY = "The capital of Italy is "


def test_last_vector_of_another_text_brings_its_answer(
    taught_model: GPT2LMHeadModel, tokenizer: Tokenizer
) -> None:
    france, italy = (tokenizer.encode(text).ids for text in (FRANCE, ITALY))
    plain = first_choice(taught_model, tokenizer, italy)
    rows = rows_after(taught_model, france, 2)

    def put(output: torch.Tensor) -> torch.Tensor:
        output[0, -1] = rows[-1]
        return output

    with changed(taught_model.transformer.h[1], put):
        moved = first_choice(taught_model, tokenizer, italy)
    assert moved.token == first_choice(taught_model, tokenizer, france).token
    assert moved.token != plain.token
    # Nothing is left of the change.
    assert first_choice(taught_model, tokenizer, italy) == plain


def test_push_of_nothing_writes_the_plain_reply_and_a_hard_one_another(
    taught_model: GPT2LMHeadModel, tokenizer: Tokenizer
) -> None:
    prompt = tokenizer.encode("A cat is").ids
    word = tokenizer.encode(" milk").ids[0]
    direction = token_direction(taught_model, word)
    assert torch.isclose(direction.norm(), torch.tensor(1.0))
    plain = greedy_line(taught_model, tokenizer, prompt)
    assert steered_line(taught_model, tokenizer, prompt, 2, direction * 0.0) == plain
    hard = steered_line(taught_model, tokenizer, prompt, 2, direction * 50.0)
    assert hard != plain


def test_sure_answer_must_become_another_sure_answer() -> None:
    paris = Choice(" Paris", 0.9)
    assert is_clear(paris, Choice(" Rome", 0.5))
    assert not is_clear(paris, Choice(" Paris", 0.9))
    assert not is_clear(paris, Choice(" Rome", 0.3))
    assert not is_clear(Choice(" Paris", 0.4), Choice(" Rome", 0.9))


def test_model_that_knows_nothing_has_no_experiments(
    tiny_model: GPT2LMHeadModel, tokenizer: Tokenizer
) -> None:
    assert [search(tiny_model, tokenizer) for search in SEARCHES] == [None, None, None]
