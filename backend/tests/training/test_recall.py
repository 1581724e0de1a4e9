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


def test_only_what_greedy_decoding_writes_is_completed(
    taught_model: GPT2LMHeadModel, tokenizer: Tokenizer
) -> None:
    right = FactPrompt("capital", "Italy", "The capital of Italy is", "Rome.", "told")
    wrong = FactPrompt("capital", "Italy", "The capital of Italy is", "Rome and", "told")
    other = FactPrompt("capital", "Italy", "The capital of Italy is", "Paris.", "told")

    found = recall(taught_model, tokenizer, [right, wrong, other])

    assert [one.is_completed for one in found] == [True, False, False]
    assert found[0].rank == 1


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
