import pytest
import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from training.facts import FactPrompt
from training.recall import Recall, recall, recall_share, recall_table

PROMPTS = [
    FactPrompt("capital", "France", "The capital of France is", "Paris", "told"),
    FactPrompt(
        "capital", "Spain", "User: What is the capital of Spain?\nAssistant:", "Madrid", "told"
    ),
    FactPrompt("capital", "Italy", "Rome is the capital of", "Italy", "phrasing_held_out"),
    FactPrompt("animal", "cat", "A cat is an", "animal", "fact_held_out"),
]


def test_ranks_equal_those_of_one_prompt_alone(
    tiny_model: GPT2LMHeadModel, tokenizer: Tokenizer
) -> None:
    for prompt, found in zip(PROMPTS, recall(tiny_model, tokenizer, PROMPTS), strict=True):
        ids = tokenizer.encode(prompt.prompt).ids
        wanted = tokenizer.encode(" " + prompt.object).ids
        with torch.no_grad():
            logits = tiny_model(torch.tensor([ids])).logits[0, -1]
        order = logits.argsort(descending=True).tolist()

        assert found.prompt == prompt
        assert found.rank == 1 + order.index(wanted[0])


def test_completion_is_what_greedy_decoding_writes(
    tiny_model: GPT2LMHeadModel, tokenizer: Tokenizer
) -> None:
    ids = tokenizer.encode("The capital of France is").ids
    written = tiny_model.generate(
        torch.tensor([ids]), max_new_tokens=1, do_sample=False, pad_token_id=0
    )[0, -1]
    text = tokenizer.decode([int(written)], skip_special_tokens=False)
    right = FactPrompt("any", "x", "The capital of France is", text.removeprefix(" "), "told")
    is_written_with_a_space = tokenizer.encode(" " + right.object).ids == [int(written)]

    (found,) = recall(tiny_model, tokenizer, [right])

    assert found.is_completed == is_written_with_a_space


def test_shares_count_ranks_and_completions() -> None:
    ranks = [(1, True), (1, False), (5, False), (6, False)]
    group = [Recall(PROMPTS[0], rank, is_completed) for rank, is_completed in ranks]

    share = recall_share(group)

    assert (share.top_1, share.top_5, share.completed) == (0.5, 0.75, 0.25)


def test_table_keeps_relations_and_kinds_of_prompts_apart() -> None:
    table = recall_table([Recall(prompt, 1 if i else 9, True) for i, prompt in enumerate(PROMPTS)])

    assert table["capital"]["told"]["n_prompts"] == 2
    assert table["capital"]["told"]["top_5"] == pytest.approx(0.5)
    assert set(table["all"]) == {"told", "phrasing_held_out", "fact_held_out"}
    assert set(table["animal"]) == {"fact_held_out"}
