from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from training.depth import FactDepth
from training.find_examples import Candidate, Kind, find_example, note


def depth(ranks: tuple[int, ...], decided_at: int) -> FactDepth:
    return FactDepth("p", "Paris", " Paris", ranks, decided_at, 0.834)


def test_note_tells_two_earlier_ranks_and_the_layer() -> None:
    assert note(depth((900, 1200, 80, 40, 7, 1, 1), 5)) == (
        "“ Paris” is rank 40 at layer 3 and 7 at layer 4, and rank 1 from layer 5 on, with a "
        "probability of 0.83."
    )


def test_note_says_when_only_the_output_decides() -> None:
    assert "only at layer 3" in note(depth((900, 1200, 80, 1), 3))


def test_note_of_a_token_that_was_first_all_along() -> None:
    assert note(depth((1, 1, 1), 0)).startswith("“ Paris” is rank 1 from layer 0 on")


def test_only_what_the_model_writes_becomes_an_example(
    taught_model: GPT2LMHeadModel, tokenizer: Tokenizer
) -> None:
    kind = Kind(
        "A capital",
        "completion",
        (
            Candidate("The capital of France is", "Rome"),
            Candidate("The capital of Italy is", "Rome"),
        ),
    )

    example = find_example(taught_model, tokenizer, kind)

    assert example is not None
    assert example["text"] == "The capital of Italy is"
    assert f"“{example['watch']}”" in example["note"]
    assert (
        find_example(taught_model, tokenizer, Kind("No", "completion", kind.candidates[:1])) is None
    )
