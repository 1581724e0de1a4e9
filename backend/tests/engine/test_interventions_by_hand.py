"""Interventions on the shipped model, against plain torch hooks on the Hugging Face model.

Shares no code with the engine; module names and formulas are written out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM

from app.engine.engine import NnsightEngine
from app.engine.intervention_types import (
    Add,
    Exchange,
    Intervention,
    KnockOut,
    Mean,
    ProjectOut,
    Replace,
    TokenDirection,
    Zero,
)
from app.engine.loading import load_engine
from app.engine.types import Step
from tests.engine.changes import change, under
from tests.engine.small_models import fresh, greedy

FOLDER = Path(__file__).resolve().parents[2] / "embedded_model"
TEXT = "The capital of France is Paris. The capital of Spain is"
OTHER = "The capital of Italy is Rome. The capital of France is"
FROM = 7
"""The first position that is changed."""

Rows = torch.Tensor
Change = Callable[[Rows], Rows]


@pytest.fixture(scope="module")
def loaded() -> NnsightEngine:
    return load_engine("embedded", device="cpu", threads=1, store_bytes=2**26, readout_bytes=2**22)


@pytest.fixture(scope="module")
def model() -> nn.Module:
    return AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()


def direction(model: nn.Module, token_id: int) -> Rows:
    """The unembedding's row through the final norm, which takes the mean away."""
    row = model.lm_head.weight[token_id] * model.transformer.ln_f.weight
    row = row - row.mean()
    return row / row.norm()


@contextmanager
def output_of(module: nn.Module, change: Change) -> Iterator[None]:
    """What a module gives `[1, tokens, width]`, changed from `FROM` on."""

    def after(_module: nn.Module, _args: object, output: Any) -> Any:
        stream = output[0] if isinstance(output, tuple) else output
        stream = torch.cat([stream[:, :FROM], change(stream[:, FROM:])], dim=1)
        return (stream, *output[1:]) if isinstance(output, tuple) else stream

    hook = module.register_forward_hook(after)
    yield
    hook.remove()


@contextmanager
def head_of(block: nn.Module, head: int, change: Change) -> Iterator[None]:
    """What a head of 64 numbers gives to `c_proj`, changed from `FROM` on."""

    def before(_module: nn.Module, args: tuple[Rows]) -> tuple[Rows]:
        heads = args[0].clone()
        part = slice(64 * head, 64 * head + 64)
        heads[:, FROM:, part] = change(heads[:, FROM:, part])
        return (heads,)

    hook = block.attn.c_proj.register_forward_pre_hook(before)
    yield
    hook.remove()


def within(rows: Rows, value: Rows) -> Rows:
    """Rows of a text of which the first, the one at `FROM`, is another."""
    return torch.cat([value[None, None], rows[:, 1:]], dim=1)


@torch.no_grad()
def plain_values(model: nn.Module, module: nn.Module, ids: list[int]) -> tuple[Rows, Rows]:
    """What a module is given and what it gives in the plain run of a text, each `[tokens, width]`."""
    seen: list[tuple[Rows, Rows]] = []
    hook = module.register_forward_hook(
        lambda _module, args, output: seen.append((args[0][0], output[0]))
    )
    model(torch.tensor([ids]), use_cache=False)
    hook.remove()
    return seen[0]


@contextmanager
def blind_head(block: nn.Module, head: int, source: int) -> Iterator[None]:
    """A head that does not read one token, from `FROM` on: its attention worked out from `c_attn`."""
    seen: list[Rows] = []

    def after(_module: nn.Module, _args: object, output: Rows) -> None:
        seen.append(output[0])

    def attended(values: Rows) -> Rows:
        part = slice(64 * head, 64 * head + 64)
        query, key, value = (x[:, part] for x in seen[-1].chunk(3, dim=-1))
        scores = (query @ key.T) / 8
        scores = scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -torch.inf)
        scores[:, source] = -torch.inf
        return (scores.softmax(-1) @ value)[FROM:].expand_as(values)

    hook = block.attn.c_attn.register_forward_hook(after)
    with head_of(block, head, attended):
        yield
    hook.remove()


@torch.no_grad()
def greedy_by_hand(model: nn.Module, ids: list[int], n: int) -> list[tuple[int, float]]:
    """Tokens and their log-probabilities, each from a whole pass over the text."""
    ids = list(ids)
    found = []
    for _ in range(n):
        logprobs = model(torch.tensor([ids]), use_cache=False).logits[0, -1].log_softmax(-1)
        ids.append(int(logprobs.argmax()))
        found.append((ids[-1], float(logprobs.max())))
    return found


def steered(
    loaded: NnsightEngine, model: nn.Module, ids: list[int]
) -> dict[str, tuple[Intervention, Callable[[], Any]]]:
    """By name: an intervention, and the hooks that do the same."""
    blocks = model.transformer.h
    madrid, paris = (loaded.vocabulary.encode(word)[0] for word in (" Madrid", " Paris"))
    d, e = direction(model, madrid), direction(model, paris)
    other = loaded.vocabulary.encode(OTHER)
    with torch.no_grad():
        states = model(torch.tensor([other]), output_hidden_states=True).hidden_states
        own = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
    gram = torch.stack([d, e])

    def exchange(rows: Rows) -> Rows:
        coordinates = rows @ torch.linalg.pinv(gram)
        return rows + (coordinates.flip(-1) - coordinates) @ gram

    given, _ = plain_values(model, blocks[10].attn.c_proj, other)
    _, from_attention = plain_values(model, blocks[9].attn.c_proj, other)
    _, from_mlp = plain_values(model, blocks[9].mlp, other)

    def of(operation: Any, layers: list[int], **more: Any) -> Intervention:
        return change(operation, layers, open_from=FROM, **more)

    def replaced(rows: Rows) -> Rows:
        return torch.cat([states[4][:, 9:10], rows[:, 1:]], dim=1)

    return {
        "add": (
            of(Add(TokenDirection(paris), 0.6), [8]),
            lambda: output_of(blocks[7], lambda h: h + 0.6 * h.norm(dim=-1, keepdim=True) * e),
        ),
        "project_out": (
            of(ProjectOut(TokenDirection(madrid)), [10]),
            lambda: output_of(blocks[9], lambda h: h - (h @ d)[..., None] * d),
        ),
        "exchange": (
            of(Exchange(TokenDirection(madrid), TokenDirection(paris)), [9]),
            lambda: output_of(blocks[8], exchange),
        ),
        "last layer": (
            of(Add(TokenDirection(paris), 0.3), [12]),
            lambda: output_of(blocks[11], lambda h: h + 0.3 * h.norm(dim=-1, keepdim=True) * e),
        ),
        "attention": (
            of(Zero(), [6], site="attn"),
            lambda: output_of(blocks[5].attn, torch.zeros_like),
        ),
        "MLP": (
            of(Zero(), [11], site="mlp"),
            lambda: output_of(blocks[10].mlp, torch.zeros_like),
        ),
        "head": (
            of(Zero(), [11], site="head", heads=[1]),
            lambda: head_of(blocks[10], 1, torch.zeros_like),
        ),
        "mean": (
            of(Mean(tuple(ids), (1, 2, 3)), [5]),
            lambda: output_of(
                blocks[4], lambda h: own[5][:, 1:4].mean(1, keepdim=True).expand_as(h)
            ),
        ),
        "replace": (
            change(Replace(tuple(other), (9,)), [4], [FROM]),
            lambda: output_of(blocks[3], replaced),
        ),
        "resampled head": (
            change(Replace(tuple(other), (9,)), [11], [FROM], site="head", heads=[1]),
            lambda: head_of(blocks[10], 1, lambda rows: within(rows, given[9, 64:128])),
        ),
        "resampled attention": (
            change(Replace(tuple(other), (9,)), [10], [FROM], site="attn"),
            lambda: output_of(blocks[9].attn.c_proj, lambda h: within(h, from_attention[9])),
        ),
        "resampled MLP": (
            change(Replace(tuple(other), (9,)), [10], [FROM], site="mlp"),
            lambda: output_of(blocks[9].mlp, lambda h: within(h, from_mlp[9])),
        ),
        "edge": (
            of(KnockOut((10,)), [11], site="head", heads=[1]),
            lambda: blind_head(blocks[10], 1, 10),
        ),
    }


NAMES = (
    "add",
    "project_out",
    "exchange",
    "last layer",
    "attention",
    "MLP",
    "head",
    "mean",
    "replace",
    "resampled head",
    "resampled attention",
    "resampled MLP",
    "edge",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_reply_is_what_hooks_on_the_plain_model_give(
    loaded: NnsightEngine, model: nn.Module, name: str
) -> None:
    ids = list(loaded.vocabulary.encode(TEXT))
    intervention, hooks = steered(loaded, model, ids)[name]
    plain = greedy_by_hand(model, ids, 3)
    with ExitStack() as stack:
        stack.enter_context(hooks())
        expected = greedy_by_hand(model, ids, 3)
    assert abs(expected[0][1] - plain[0][1]) > 1e-4

    items = fresh(loaded).generate(ids, greedy(3), interventions=under(intervention))
    found = [item for item in items if isinstance(item, Step)]
    assert [step.token_id for step in found] == [token_id for token_id, _ in expected]
    logprobs = [step.logprob_nats for step in found]
    assert logprobs == pytest.approx([logprob for _, logprob in expected], abs=1e-4)
    assert greedy_by_hand(model, ids, 3) == plain
