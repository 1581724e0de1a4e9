import math

import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from training.bits import bits_per_byte, total_nats


def test_windows_score_every_token_once(tiny_model: GPT2LMHeadModel) -> None:
    ids = torch.randint(0, 320, (60,), generator=torch.Generator().manual_seed(0))
    log_probs = tiny_model(ids.unsqueeze(0)).logits[0].log_softmax(-1)
    expected = -sum(log_probs[i, ids[i + 1]].item() for i in range(59))

    assert math.isclose(total_nats(tiny_model, ids, stride=32), expected, rel_tol=1e-5)


def test_long_text_is_scored_with_at_least_half_the_context(tiny_model: GPT2LMHeadModel) -> None:
    ids = torch.randint(0, 320, (200,), generator=torch.Generator().manual_seed(0))
    expected = 0.0
    for index in range(1, 200):
        start = max(0, (index - 64) // 32 + 1) * 32 if index >= 64 else 0
        log_probs = tiny_model(ids[start:index].unsqueeze(0)).logits[0, -1].log_softmax(-1)
        expected -= log_probs[ids[index]].item()

    assert math.isclose(total_nats(tiny_model, ids, stride=32), expected, rel_tol=1e-5)


def test_untrained_model_needs_about_the_bits_of_a_uniform_choice(
    tiny_model: GPT2LMHeadModel, tokenizer: Tokenizer
) -> None:
    text = "The capital of France is Paris.\n"
    n_tokens = len(tokenizer.encode(text).ids) + 1

    value, n_bytes = bits_per_byte(tiny_model, tokenizer, [text], max_bytes=1000)

    assert n_bytes == len(text)
    assert abs(value - n_tokens * math.log2(tokenizer.get_vocab_size()) / n_bytes) < 0.2
