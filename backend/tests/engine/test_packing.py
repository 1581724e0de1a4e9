"""Packed weights: the same float32 numbers, whatever rows stand beside a row."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from app.engine import packing
from app.engine.packing import can_pack, is_packed, linear_maps, pack, packing_that_fits
from app.engine.structure import find_structure
from tests.engine.reference import PlainModel
from tests.engine.small_models import FAMILIES, Family, engine_of, random_ids, random_model

pytestmark = pytest.mark.skipif(not can_pack(), reason="this build of PyTorch has no oneDNN")


def packed_gpt2() -> nn.Module:
    model = random_model(FAMILIES["gpt2"].config())
    assert pack(model, find_structure(model).unembedding, "all") == "all"
    return model


@pytest.mark.parametrize("make", [nn.Linear, Conv1D], ids=["linear", "conv1d"])
@pytest.mark.parametrize("bias", [True, False])
def test_a_packed_product_is_the_float64_product_to_rounding(make: type, bias: bool):
    torch.manual_seed(0)
    module = nn.Linear(40, 70, bias=bias) if make is nn.Linear else Conv1D(70, 40)
    nn.init.normal_(module.weight)
    nn.init.normal_(module.bias) if module.bias is not None else None
    weight = module.weight if make is nn.Linear else module.weight.t()
    product = packing.PackedProduct(module)
    rows = torch.randn(2, 9, 40)
    with torch.no_grad():
        expected = rows.double() @ weight.double().t()
        expected += 0 if module.bias is None else module.bias.double()
        torch.testing.assert_close(product(rows).double(), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_packed_model_gives_the_logits_of_the_plain_one(family: str):
    model = random_model(FAMILIES[family].config())
    plain = PlainModel(copy.deepcopy(model), FAMILIES[family].blocks)
    pack(model, find_structure(model).unembedding, "all")
    ids = random_ids(20)
    with torch.no_grad():
        found = model(torch.tensor([ids]), use_cache=False).logits[0]
    # Rounding of float32 in another order, in every block.
    torch.testing.assert_close(found, plain.logits(ids), atol=1e-4, rtol=1e-5)


def test_products_of_few_shapes_have_the_same_bits(monkeypatch: pytest.MonkeyPatch):
    product = packing.PackedProduct(nn.Linear(40, 70))
    own, seen = product._product, set()
    with torch.no_grad():
        expected = [
            product(torch.randn(2, n, 40, generator=torch.Generator().manual_seed(n)))
            for n in range(1, 190)
        ]
        monkeypatch.setattr(
            product, "_product", lambda x: (seen.add(x.shape[:-1].numel()), own(x))[1]
        )
        with packing.few_shapes():
            found = [
                product(torch.randn(2, n, 40, generator=torch.Generator().manual_seed(n)))
                for n in range(1, 190)
            ]
    assert all(map(torch.equal, found, expected))
    assert len(seen) <= 18
    assert not packing._has_few_shapes.get()


def test_a_row_has_the_same_bits_in_any_company():
    engine = engine_of(packed_gpt2())
    rows = torch.randn(50, engine.facts.d_model)
    with torch.inference_mode():
        together = engine._decoder.decode(rows)
        for n in (1, 2, 7, 16, 17):
            assert torch.equal(engine._decoder.decode(rows[:n]), together[:n])


def test_weights_and_gradients_stay_the_models_own():
    model = packed_gpt2()
    plain = random_model(FAMILIES["gpt2"].config())
    for (name, one), (_, two) in zip(
        model.named_parameters(), plain.named_parameters(), strict=True
    ):
        assert torch.equal(one, two), name
    rows = torch.randn(3, model.config.n_embd, requires_grad=True)
    model.lm_head(rows).sum().backward()
    assert rows.grad is not None
    torch.testing.assert_close(rows.grad[0], plain.lm_head.weight.sum(0))


def test_other_dtypes_and_nothing_at_all_go_their_own_way():
    module = nn.Linear(8, 4)
    pack(module, module, "all")
    assert module(torch.empty(0, 8)).shape == (0, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert module(torch.ones(1, 8, dtype=torch.bfloat16)).dtype == torch.bfloat16


class Doubled(nn.Linear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(x)


def test_only_plain_linear_maps_in_float32_and_bfloat16_are_packed():
    layers = (nn.Linear(4, 4), nn.Linear(4, 4).bfloat16(), nn.Linear(4, 4).half())
    model = nn.Sequential(*layers, Doubled(4, 4))
    assert list(linear_maps(model)) == list(layers[:2])
    model[2].float()
    assert pack(model, model[2], "unembedding") == "unembedding"
    assert [is_packed(part) for part in model] == [False, False, True, False]


def test_an_inexact_product_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    module = nn.Linear(8, 4)
    own = packing.PackedProduct.__call__
    monkeypatch.setattr(packing.PackedProduct, "__call__", lambda s, x: own(s, x) + 1e-3)
    assert pack(module, module, "all") == "none"
    assert not is_packed(module)
    assert "not exact" in caplog.text


@pytest.mark.parametrize(
    ("share", "expected", "warning"),
    [
        (10.0, "all", ""),
        (0.99, "unembedding", "only the unembedding is packed"),
        (0.01, "none", "no weights are packed"),
    ],
)
def test_as_much_is_packed_as_half_of_the_free_memory_holds(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    share: float,
    expected: str,
    warning: str,
):
    family: Family = FAMILIES["gpt2"]
    model = random_model(family.config())
    every = sum(module.weight.nbytes for module in linear_maps(model))
    monkeypatch.setattr(packing, "free_memory", lambda: int(2 * every * share))
    assert packing_that_fits(model, find_structure(model).unembedding) == expected
    assert warning in caplog.text
    assert bool(caplog.text) is bool(warning)


def frozen_gpt2() -> nn.Module:
    return random_model(FAMILIES["gpt2"].config()).requires_grad_(False)


def test_weights_that_are_given_up_need_room_one_at_a_time(monkeypatch: pytest.MonkeyPatch):
    """Room for two copies of every weight was asked for, so that small machines packed too little."""
    model = frozen_gpt2()
    unembedding = find_structure(model).unembedding
    every = sum(module.weight.nbytes for module in linear_maps(model))
    largest = max(m.weight.nbytes for m in linear_maps(model) if m is not unembedding)
    # Packed, made again and turned round; and the vocabulary, of which there are two in the end.
    needed = 3 * largest + unembedding.weight.nbytes
    assert needed < every
    monkeypatch.setattr(packing, "free_memory", lambda: 2 * needed)
    assert packing_that_fits(model, unembedding) == "all"


def test_weights_that_stay_in_memory_need_room_for_their_packed_copies():
    """As trained ones do, and parts of a file that lies in memory: nothing is freed without them."""
    maps = [nn.Linear(16, 16, bias=False) for _ in range(5)]
    model = nn.Sequential(*maps)
    of_all = sum(module.weight.nbytes for module in maps)
    assert packing.memory_to_pack(model, maps[0], "all") == of_all

    model.requires_grad_(False)
    assert packing.memory_to_pack(model, maps[0], "all") == 2 * maps[0].weight.nbytes
    file = torch.zeros(5, 16, 16)
    for module, part in zip(maps, file, strict=True):
        module.weight = nn.Parameter(part, requires_grad=False)
    assert packing.memory_to_pack(model, maps[0], "all") == of_all + maps[0].weight.nbytes


def resident(field: str) -> int:
    """`VmRSS`, now, or `VmHWM`, the most since it was reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("make", [nn.Linear, Conv1D], ids=["linear", "conv1d"])
def test_packing_takes_the_memory_that_was_estimated(make: type):
    n, size = 8, 3072
    maps = [make(size, size) for _ in range(n)]
    for module in maps:
        nn.init.normal_(module.weight)
    model = nn.Sequential(*maps).requires_grad_(False)
    unembedding = nn.Linear(2, 2)
    estimated = packing.memory_to_pack(model, unembedding, "all")
    weight = maps[0].weight.nbytes
    del maps, module
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    pack(model, unembedding, "all")
    taken = resident("VmHWM") - before
    assert all(is_packed(part) for part in model)
    # Beside the kernels that oneDNN compiles and its scratch memory.
    assert weight < taken < estimated + weight
    assert estimated < n * weight / 2
    assert resident("VmRSS") - before < weight
