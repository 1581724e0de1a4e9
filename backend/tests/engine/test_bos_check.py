"""What is measured of the beginning-of-sequence token when a model is loaded."""

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from app.engine.bos_check import SENTENCE, check_bos
from app.engine.loading import load_engine
from tests.engine.model_folders import SMALL
from tests.engine.small_tokenizers import byte_level

BOS, D_VOCAB = 0, 128
LETTERS: Any = SimpleNamespace(encode=lambda text: tuple(text.encode()))


def spelling_decoder(nats_with: float, nats_without: float, n_ctx: int = 1024) -> Any:
    """Gives each next letter a fixed surprisal, which depends on whether BOS stands first."""

    def full_logits(ids: tuple[int, ...]) -> torch.Tensor:
        nats = nats_with if ids[0] == BOS else nats_without
        p = torch.tensor(-nats).exp()
        rows = ((1 - p) / (D_VOCAB - 1)).repeat(len(ids), D_VOCAB)
        rows[range(len(ids) - 1), list(ids[1:])] = p
        return rows.log() + 7  # logits are free of a constant

    return SimpleNamespace(full_logits=full_logits, structure=SimpleNamespace(n_ctx=n_ctx))


@pytest.mark.parametrize(
    ("with_it", "without", "is_needed"), [(2.0, 5.5, True), (3.0, 3.4, False), (3.0, 2.0, False)]
)
def test_surprisal_is_measured_with_the_token_and_without(
    with_it: float, without: float, is_needed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    check = check_bos(spelling_decoder(with_it, without), LETTERS, BOS, "tiny")

    assert check is not None
    assert (check.with_nats, check.without_nats) == pytest.approx((with_it, without), abs=1e-4)
    assert (check.n_tokens, check.is_needed) == (len(SENTENCE) - 1, is_needed)
    assert ("bos: true" in caplog.text) is is_needed


def test_context_that_is_too_short_is_not_measured() -> None:
    assert check_bos(spelling_decoder(2, 5, n_ctx=len(SENTENCE)), LETTERS, BOS, "tiny") is None


@pytest.mark.parametrize("adds_bos", [False, True])
def test_loaded_model_reports_what_plain_transformers_computes(
    adds_bos: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tokenizer = byte_level(("<s>",), bos="<s>" if adds_bos else None)
    torch.manual_seed(0)
    config = GPT2Config(
        n_layer=2, n_head=2, n_embd=16, n_positions=256, vocab_size=len(tokenizer), bos_token_id=0
    )
    model = GPT2LMHeadModel(config).eval()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with caplog.at_level(logging.WARNING, "app.engine"):
        facts = load_engine(str(tmp_path), **SMALL).facts

    assert facts.adds_bos is adds_bos
    if adds_bos:
        assert facts.bos_check is None
        return
    ids = tokenizer(SENTENCE, add_special_tokens=False).input_ids
    expected = []
    for prefix in ([0], []):
        text = torch.tensor([[*prefix, *ids]])
        with torch.inference_mode():
            logprobs = model(text).logits.double().log_softmax(-1)
        of_next = logprobs[0, :-1].gather(1, text[0, 1:, None])
        expected.append(-float(of_next[-(len(ids) - 1) :].mean()))
    assert facts.bos_check is not None
    found = (facts.bos_check.with_nats, facts.bos_check.without_nats)
    assert found == pytest.approx(expected, abs=1e-5)
    assert not facts.bos_check.is_needed
