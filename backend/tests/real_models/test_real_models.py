"""Numbers, ids and ends on real weights, against plain transformers."""

import logging
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from app.engine.engine import NnsightEngine
from app.engine.types import Finish, Message, Sampling, Step, Wanted

logger = logging.getLogger(__name__)

MODELS = Path(os.environ["EXPLORER_TEST_MODELS"])
LONG = (
    "The history of the lighthouse begins long before electricity. Keepers climbed the stairs every "
    "evening, lit the lamp, and wrote down the weather, the ships and the birds that they saw. "
) * 20
Speaker = Literal["system", "user", "assistant"]
GREEDY = Sampling(12, 0.0, 0, 1.0, 0, ())
HISTORIES: tuple[tuple[tuple[Speaker, str], ...], ...] = (
    (("user", "Hello"),),
    (("system", "Be brief."), ("user", "Hello")),
    (("system", ""), ("user", "Hello")),
    (("system", "  "), ("user", "Hello")),
    (("user", "Hello"), ("assistant", "Hi."), ("user", "Bye")),
    (("user", "  Hello \n"),),
    (("user", "\n\nHello"),),
    (("user", "Hello"), ("assistant", ""), ("user", "Bye")),
    (("user", "Hello"), ("assistant", "Hi.\n"), ("user", "Bye")),
    (("user", "👩‍👦 \r\n\tx"),),
    (("user", "Hello"), ("user", "Bye")),
    (("user", "Hello"), ("system", "Be brief."), ("user", "Bye")),
    (("user", ""),),
    (("user", "def f(x):\n    return x\n"),),
    (("user", "user"), ("assistant", "assistant"), ("user", "system")),
    (("user", "same"), ("assistant", "same"), ("user", "same")),
    (("system", "system"), ("user", "user")),
    (("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("user", "e")),
)


def ids_of(engine: NnsightEngine, text: str) -> tuple[int, ...]:
    ids = engine.vocabulary.encode(text)
    check = engine.facts.bos_check
    return (engine.facts.bos_token_id, *ids) if check and check.is_needed else ids  # type: ignore[return-value]


def rows_of(model: Any, ids: tuple[int, ...], positions: list[int]) -> list[torch.Tensor]:
    """Log-probabilities `[position, d_vocab]` of each layer in float64, from block outputs caught by hooks."""
    streams: list[torch.Tensor] = []
    blocks = model.model.layers
    hooks = [blocks[0].register_forward_pre_hook(lambda _m, args: streams.append(args[0][0]))]

    def keep(_module: Any, _args: Any, output: Any) -> None:
        streams.append((output[0] if isinstance(output, tuple) else output)[0])

    hooks += [block.register_forward_hook(keep) for block in blocks]
    with torch.inference_mode():
        model(torch.tensor([ids]), use_cache=False, logits_to_keep=1)
        for hook in hooks:
            hook.remove()
        return [
            model.lm_head(model.model.norm(stream[positions])).double().log_softmax(-1)
            for stream in streams
        ]


def test_every_layer_over_700_tokens_equals_plain_transformers(
    engine: NnsightEngine, request: pytest.FixtureRequest
) -> None:
    """Positions lie on both sides of Gemma's window of 512. Bounds are float32's own noise."""
    ids = ids_of(engine, LONG)[:700]
    positions = [1, 127, 128, 300, 511, 512, 513, 600, 698]
    columns = engine.read(ids, positions=positions, top_k=5)
    folder = MODELS / request.node.callspec.params["engine"] / "hf"
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    rows = rows_of(plain, ids, positions)
    final = rows[-1]
    worst = {"p": 0.0, "H": 0.0, "KL": 0.0}
    for layer, logp in enumerate(rows):
        p = logp.exp()
        top = p.gather(1, torch.from_numpy(columns.top_ids[layer]))
        entropy = -(p * logp).sum(-1)
        kl = (final.exp() * (final - logp)).sum(-1)
        found_kl = torch.from_numpy(columns.kl_to_final_nats[layer]).double()
        worst["p"] = max(
            worst["p"], float(np.abs(columns.top_probabilities[layer] - top.numpy()).max())
        )
        worst["H"] = max(
            worst["H"], float(np.abs(columns.entropy_nats[layer] - entropy.numpy()).max())
        )
        worst["KL"] = max(worst["KL"], float(((found_kl - kl).abs() / (1 + kl)).max()))
        assert (top[:, :-1] - top[:, 1:]).min() > -1e-5, "the top is in its order"
    logger.info("%s: %d tokens, largest differences %s", engine.facts.name, len(ids), worst)
    assert worst["p"] < 5e-5
    assert worst["H"] < 2e-4
    assert worst["KL"] < 2e-5  # relative: the embedding of Gemma is some 600 nats from the output


def test_branches_beyond_the_window_equal_a_fresh_reading(engine: NnsightEngine) -> None:
    prompt = ids_of(engine, LONG)[:640]
    wanted = Wanted((0, engine.facts.n_layers // 2, engine.facts.n_layers), 3)
    items = engine.generate(prompt, GREEDY, lineage=("talk",))
    grown = [*prompt, *(item.token_id for item in items if isinstance(item, Step))]
    for cut in (642, 560, 520, 300):
        branch = (*grown[:cut], *engine.vocabulary.encode(" and then"))
        branch_wanted = [cut - 1, len(branch) - 1]
        beside = list(engine.reading(branch, branch_wanted, wanted, lineage=("branch", "talk")))
        alone = list(engine.reading(branch, branch_wanted, wanted))
        for a, b in zip(filter(None, beside), filter(None, alone), strict=True):
            np.testing.assert_allclose(a.top_probabilities, b.top_probabilities, atol=5e-5)
            np.testing.assert_allclose(a.entropy_nats, b.entropy_nats, atol=2e-4)


@pytest.mark.parametrize("history", HISTORIES, ids=map(str, range(len(HISTORIES))))
def test_chat_ids_are_those_of_apply_chat_template(
    engine: NnsightEngine, history: tuple[tuple[Speaker, str], ...]
) -> None:
    if engine.facts.chat_template.source == "built-in":
        assert engine.facts.chat_template.stop == ("\nUser:",)
        return
    messages = [Message(role, text) for role, text in history]
    spans = engine.template.start(messages)
    own = engine.template._tokenizer.apply_chat_template(  # type: ignore[attr-defined]
        [{"role": role, "content": text} for role, text in history],
        add_generation_prompt=True,
        return_dict=False,
    )
    assert list(engine.vocabulary.encode_prompt(spans).ids) == own


def test_a_chat_reply_ends_at_the_models_own_end(engine: NnsightEngine) -> None:
    if engine.facts.chat_template.source == "built-in":
        return
    spans = engine.template.start([Message("user", "Say only the word yes.")])
    prompt = engine.vocabulary.encode_prompt(spans).ids
    stop = engine.facts.chat_template.stop
    *_, end = engine.generate(prompt, Sampling(40, 0.0, 0, 1.0, 0, stop))
    assert isinstance(end, Finish)
    assert end.reason == "stop"


def test_the_beginning_that_a_model_needs_is_measured(engine: NnsightEngine) -> None:
    check = engine.facts.bos_check
    assert check is not None
    assert check.is_needed is (engine.facts.name == "gemma")
