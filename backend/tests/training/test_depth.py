import math

import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from training.depth import decided_at, fact_depth, lens_logits, lens_rows, varied
from training.facts import FactPrompt
from training.recall import Recall


def hooked_layers(model: GPT2LMHeadModel, ids: list[int]) -> list[torch.Tensor]:
    """The residual stream of every layer, taken by hooks: each `[positions, d_model]`."""
    found: list[torch.Tensor] = []

    def keep(_module: torch.nn.Module, _inputs: object, output: object) -> None:
        first = output[0] if isinstance(output, tuple) else output
        assert isinstance(first, torch.Tensor)
        found.append(first[0])

    modules = [model.transformer.drop, *model.transformer.h]
    handles = [module.register_forward_hook(keep) for module in modules]
    with torch.no_grad():
        model(torch.tensor([ids]))
    for handle in handles:
        handle.remove()
    return found


def test_layers_are_decoded_once_normed(tiny_model: GPT2LMHeadModel) -> None:
    ids = [5, 40, 7, 300, 2]

    logits = lens_logits(tiny_model, ids)

    norm, unembedding = tiny_model.transformer.ln_f, tiny_model.lm_head
    for layer, rows in enumerate(hooked_layers(tiny_model, ids)):
        expected = unembedding(norm(rows)).detach()
        assert (logits[layer] - expected).abs().max() < 1e-5, layer


def test_rows_are_medians_over_all_positions(tiny_model: GPT2LMHeadModel) -> None:
    rows = [[5, 40, 7], [300, 2, 9]]

    measured = lens_rows(tiny_model, rows)

    for row in measured:
        entropies, ranks = [], []
        for ids in rows:
            logits = lens_logits(tiny_model, ids)
            for position in range(3):
                p = logits[row.layer, position].softmax(-1).tolist()
                entropies.append(-sum(x * math.log(x) for x in p))
                final = int(logits[-1, position].argmax())
                at = logits[row.layer, position].tolist()
                ranks.append(1 + sum(x > at[final] for x in at))
        assert abs(row.median_entropy_nats - sum(sorted(entropies)[2:4]) / 2) < 1e-4
        assert row.median_rank == sum(sorted(ranks)[2:4]) / 2
    assert measured[-1].share_rank_1 == 1.0


def test_a_fact_is_decided_where_its_rank_becomes_and_stays_one() -> None:
    assert decided_at([9, 1, 3, 1, 1]) == 3
    assert decided_at([1, 1]) == 0
    assert decided_at([4, 2]) == 2


def test_depth_of_a_fact_is_that_of_its_first_token(
    tiny_model: GPT2LMHeadModel, tokenizer: Tokenizer
) -> None:
    depth = fact_depth(tiny_model, tokenizer, "The capital of France is", "Paris")

    token = tokenizer.encode(" Paris").ids[0]
    logits = lens_logits(tiny_model, tokenizer.encode("The capital of France is").ids)[:, -1]
    assert depth.token == tokenizer.decode([token])
    assert depth.ranks == tuple(1 + int((row > row[token]).sum()) for row in logits)
    assert abs(depth.probability - float(logits[-1].softmax(-1)[token])) < 1e-6


def test_varied_facts_are_completed_told_and_of_different_subjects() -> None:
    def made(subject: str, relation: str, is_completed: bool = True) -> Recall:
        return Recall(FactPrompt(relation, subject, "p", "o", "told"), 1, is_completed)

    recalls = [
        made("France", "capital"),
        made("France", "language"),
        made("Spain", "capital", is_completed=False),
        made("Italy", "capital"),
        made("Peru", "capital"),
        made("hot", "antonym"),
    ]

    chosen = varied(recalls, wanted=10)

    assert [one.prompt.subject for one in chosen] == ["France", "Italy", "hot"]
