"""Lens numbers of a plain transformers model, term by term in float64.

Nothing here is shared with the engine: streams come from ordinary forward hooks, statistics from
loops. Two logits nearer to each other than `ROUNDING` may change places when products add up in
another order, so a rank is asked to be exact up to those, which are rare.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
import transformers as tr
from torch import nn

from app.engine.types import LensColumns

ROUNDING = 1e-5
"""In logits."""


class PlainModel:
    """A model without nnsight, read by forward hooks."""

    def __init__(self, model: nn.Module, blocks: str) -> None:
        self.model = copy.deepcopy(model)
        self._blocks = self.model.get_submodule(blocks)

    def residuals(self, ids: Sequence[int], middle: str | None = None) -> list[torch.Tensor]:
        """`n_layers + 1` residual streams `[1, len(ids), d_model]`, from one uncached pass.

        With `middle`, the module of a block that is given the stream after attention, half layers lie
        between them.
        """
        streams: list[torch.Tensor] = []

        def before(_module: nn.Module, args: tuple, kwargs: dict) -> None:
            streams.append((args[0] if args else kwargs["hidden_states"]).clone())

        def after(_module: nn.Module, _args: tuple, output: object) -> None:
            streams.append((output[0] if isinstance(output, tuple) else output).clone())

        handles = [self._blocks[0].register_forward_pre_hook(before, with_kwargs=True)]
        handles += [block.register_forward_hook(after) for block in self._blocks]
        for block in self._blocks if middle else ():
            module = block.get_submodule(middle)
            handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
        self.logits(ids)
        for handle in handles:
            handle.remove()
        return streams

    def rows(self, ids: Sequence[int]) -> np.ndarray:
        """The same as the engine keeps them, `[len(ids), n_layers + 1, d_model]`."""
        return np.stack([stream[0].numpy() for stream in self.residuals(ids)], axis=1)

    def lens_logits(self, ids: Sequence[int], stream: torch.Tensor) -> torch.Tensor:
        """Logits `[len(ids), d_vocab]` when the last block puts out `stream`."""

        def instead(_module: nn.Module, _args: tuple, output: object) -> object:
            return (stream, *output[1:]) if isinstance(output, tuple) else stream

        handle = self._blocks[-1].register_forward_hook(instead)
        logits = self.logits(ids)
        handle.remove()
        return logits

    def logits(self, ids: Sequence[int]) -> torch.Tensor:
        with torch.no_grad():
            return self.model(torch.tensor([list(ids)]), use_cache=False).logits[0]

    def greedy_ids(
        self, ids: Sequence[int], n: int, end_id: int, *, use_cache: bool = True
    ) -> list[int]:
        """What Hugging Face `generate` continues with, up to and without the end token."""
        settings = tr.GenerationConfig(
            max_new_tokens=n,
            do_sample=False,
            eos_token_id=end_id,
            pad_token_id=0,
            use_cache=use_cache,
        )
        prompt = torch.tensor([list(ids)])
        mask = torch.ones_like(prompt)
        out = self.model.generate(prompt, attention_mask=mask, generation_config=settings)
        reply = out[0, len(ids) :].tolist()
        return reply[: reply.index(end_id)] if end_id in reply else reply


def log_probabilities(row: Sequence[float]) -> list[float]:
    largest = max(row)
    log_total = largest + math.log(math.fsum(math.exp(x - largest) for x in row))
    return [x - log_total for x in row]


def slow_divergences(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    """KL(a ‖ b), KL(b ‖ a) and Jensen-Shannon divergence of two rows of logits, in float64."""
    log_a, log_b = log_probabilities(a), log_probabilities(b)
    log_m = [
        max(x, y) + math.log1p(math.exp(-abs(x - y))) - math.log(2)
        for x, y in zip(log_a, log_b, strict=True)
    ]

    def kl(log_p: Sequence[float], log_q: Sequence[float]) -> float:
        return math.fsum(math.exp(x) * (x - y) for x, y in zip(log_p, log_q, strict=True))

    return kl(log_a, log_b), kl(log_b, log_a), (kl(log_a, log_m) + kl(log_b, log_m)) / 2


def assert_lens_is_right(
    columns: LensColumns, plain: PlainModel, ids: Sequence[int], middle: str | None = None
) -> None:
    """Every number of a read-out against the plain model."""
    streams = plain.residuals(ids, middle)
    logits = [plain.lens_logits(ids, stream).double().numpy() for stream in streams]
    assert columns.layers == tuple(n / 2 if middle else n for n in range(len(streams)))
    for layer, rows in enumerate(logits):
        for column, position in enumerate(columns.positions):
            at = (layer, column)
            row = rows[position]
            p, log_p = _distribution(row.tolist())
            final_p, final_log_p = _distribution(logits[-1][position].tolist())
            entropy = -math.fsum(a * b for a, b in zip(p, log_p, strict=True))
            kl = math.fsum(a * (b - c) for a, b, c in zip(final_p, final_log_p, log_p, strict=True))
            assert columns.entropy_nats[at] == pytest.approx(entropy, abs=1e-3)
            assert columns.kl_to_final_nats[at] == pytest.approx(kl, abs=1e-3)
            top = columns.top_ids[at]
            assert len(set(top.tolist())) == len(top)
            np.testing.assert_allclose(row[top], np.sort(row)[::-1][: len(top)], atol=ROUNDING)
            np.testing.assert_allclose(
                columns.top_probabilities[at], [p[i] for i in top], atol=1e-4
            )
            for t, target in enumerate(columns.targets):
                assert columns.target_probability[t][at] == pytest.approx(p[target], abs=1e-4)
                _assert_rank(columns.target_rank[t][at], row, target)
            if position + 1 < len(ids):
                following = ids[position + 1]
                assert columns.next_probability[at] == pytest.approx(p[following], abs=1e-4)
                _assert_rank(columns.next_rank[at], row, following)


def _distribution(row: list[float]) -> tuple[list[float], list[float]]:
    log_p = log_probabilities(row)
    return [math.exp(x) for x in log_p], log_p


def _assert_rank(rank: int, row: np.ndarray, token_id: int) -> None:
    own = row[token_id]
    larger = [x for x in row.tolist() if x > own]
    surely_larger = sum(1 for x in larger if x > own + ROUNDING)
    maybe_larger = sum(1 for x in row.tolist() if x > own - ROUNDING) - 1
    assert 1 + surely_larger <= rank <= 1 + maybe_larger
    if surely_larger == maybe_larger:
        assert rank == 1 + len(larger)
