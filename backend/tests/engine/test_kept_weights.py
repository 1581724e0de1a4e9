"""Weights that are kept once: every number has the bits that it had with two copies."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import pytest
import torch
from torch import nn

from app.engine import kept_weights
from app.engine.causes_types import AttentionWanted, AttributionWanted
from app.engine.directions import TokenDirections
from app.engine.engine import NnsightEngine
from app.engine.fitting import fits
from app.engine.fitting.tuned import TunedLensFit, TunedSettings
from app.engine.frozen_tail import freeze_tail
from app.engine.gradients import HookedDecoder
from app.engine.kept_weights import (
    GatheredRows,
    KeepingOnce,
    KeptWeight,
    Source,
    Unpacked,
    Widened,
    parameter_of,
)
from app.engine.packing import can_pack, pack
from app.engine.structure import find_structure
from app.engine.tail import compute_in_float32
from app.engine.types import LensColumns, Step, Wanted
from app.errors import OutOfMemory
from tests.engine.small_models import (
    FAMILIES,
    engine_of,
    greedy,
    random_ids,
    random_model,
)

pytestmark = pytest.mark.skipif(not can_pack(), reason="this build of PyTorch has no oneDNN")

TIED, UNTIED, CONV1D, STATE_SPACE = "gemma3", "llama", "gpt2", "mamba"
IDS = random_ids(20)
UNKNOWN_LAYOUT = torch.zeros(1, 1).to_mkldnn()


@pytest.fixture(autouse=True)
def _every_vocabulary_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_weights, "LARGE_VOCABULARY", 10)


def stored_in_bfloat16(family: str) -> nn.Module:
    """A frozen float32 model whose numbers are those of bfloat16."""
    return random_model(FAMILIES[family].config()).bfloat16().float().requires_grad_(False)


def packed(model: nn.Module) -> nn.Module:
    assert pack(model, find_structure(model).unembedding, "all") == "all"
    return model


def packed_with_copies(model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    """The same, but every module keeps its own weight."""
    with monkeypatch.context() as patched:
        patched.setattr(KeepingOnce, "_replace", lambda *_: None)
        packed(model)
    assert not any(isinstance(weight, KeptWeight) for weight in model.parameters())
    return model


def kept(model: nn.Module) -> dict[str, KeptWeight]:
    return {name: p for name, p in model.named_parameters() if isinstance(p, KeptWeight)}


@pytest.mark.parametrize("family", [TIED, UNTIED, CONV1D, STATE_SPACE, "mixtral", "opt"])
def test_every_weight_reads_as_it_was_stored(family: str) -> None:
    model = stored_in_bfloat16(family)
    plain = copy.deepcopy(model)
    packed(model)

    # All maps of the blocks, and both ends of the vocabulary.
    n_maps = sum(type(module).__name__ in ("Linear", "Conv1D") for module in plain.modules())
    assert len(kept(model)) >= n_maps
    assert model.get_input_embeddings().weight in kept(model).values()
    for (name, found), (_, expected) in zip(
        model.named_parameters(), plain.named_parameters(), strict=True
    ):
        assert isinstance(found, nn.Parameter), name
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype), name
        assert found.detach().clone().view(torch.int32).equal(expected.view(torch.int32)), name
    assert (model.get_output_embeddings().weight is model.get_input_embeddings().weight) is (
        plain.get_output_embeddings().weight is plain.get_input_embeddings().weight
    )


READS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "one row": lambda w: w[3],
    "rows": lambda w: w[[4, 1, 4]],
    "a range": lambda w: w[2:7],
    "every third": lambda w: w[1::3].clone(),
    "the last": lambda w: w[-1],
    "rows by a table": lambda w: w[torch.tensor([[1, 2], [39, 0]])],
    "rows by a mask": lambda w: w[torch.arange(len(w)) % 3 == 0],
    "numbers by a mask": lambda w: w[(torch.arange(w.numel()) % 3 == 0).view(w.shape)],
    "with an axis more": lambda w: w[None],
    "embeddings": lambda w: nn.functional.embedding(torch.tensor([[3, 4]]), w),
    "columns": lambda w: w[:, 1:3],
    "chosen numbers": lambda w: w[[1, 2], [3, 4]],
    "transposed": lambda w: w.T,
    "a sum": lambda w: w.double().sum(0),
    "a product": lambda w: w @ torch.ones(w.shape[1]),
}


@pytest.mark.parametrize("is_inference", [False, True])
@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize("form", ["packed", "transposed", "gathered", "narrow"])
def test_what_is_read_of_a_weight_is_a_plain_tensor_of_the_same_bits(
    form: str, read: Callable[[torch.Tensor], torch.Tensor], is_inference: bool
) -> None:
    weight = torch.randn(40, 30, generator=torch.Generator().manual_seed(0)).bfloat16().float()
    layout = torch.ops.mkldnn._reorder_linear_weight(
        weight.t().contiguous() if form == "transposed" else weight, None
    )
    sources: dict[str, Callable[[], Source]] = {
        "packed": lambda: Unpacked(layout, weight, is_transposed=False),
        "transposed": lambda: Unpacked(layout, weight, is_transposed=True),
        "gathered": lambda: GatheredRows(layout, weight, 64),
        "narrow": lambda: Widened(weight.bfloat16()),
    }
    source = sources[form]()
    found = parameter_of(source)
    with torch.inference_mode(is_inference):
        assert type(read(found)) is torch.Tensor
        assert torch.equal(read(found), read(weight))
        assert read(found).stride() == read(weight).stride()


def everything_told_of(engine: NnsightEngine) -> dict[str, object]:
    """Numbers of every kind that read weights, as bytes or to the last digit."""
    told: dict[str, object] = {}
    for item in engine.generate(IDS, greedy(5), wanted=Wanted((0, 1, 2, 3), 3), lineage=["a"]):
        if isinstance(item, Step):
            told[f"step {len(told)}"] = item
        elif isinstance(item, LensColumns):
            told[f"lens {len(told)}"] = item.top_probabilities.tobytes()
    told["columns"] = engine.read(IDS, top_k=5).entropy_nats.tobytes()
    capabilities = engine.facts.capabilities
    told["capabilities"] = asdict(capabilities)
    if capabilities.heads.is_available:
        for unit in ("component", "head", "neuron", "source"):
            if unit != "neuron" or capabilities.neurons.is_available:
                wanted = AttributionWanted(unit=unit, block=2)
                told[unit] = [x for x in engine.attributing(IDS, 13, wanted) if x is not None]
        norms = AttentionWanted(kind="norm")
        (rows,) = (x for x in engine.attending(IDS, 13, norms) if x is not None)
        told["norms"] = [block.tobytes() for block in rows.values]
    decoder = engine.decoder
    with torch.inference_mode():
        stream = decoder.empty_rows(len(IDS))
        told["logits"] = bits(decoder.full_logits(IDS))
        decoder.forward(IDS, None, stream)
        last = stream[-1, -1]
        told["direction"] = bits(TokenDirections(decoder).of(7, None, 1, "token"))
        tail = freeze_tail(decoder, last.float())
        told["mean"] = bits(tail.directions(["mean", 3]).directions)
        told["effects"] = bits(tail.effects(last.double()[None]))
    told["gradient"] = bits(gradient_of(decoder.model, len(IDS)))
    return told


def gradient_of(model: nn.Module, n_ids: int) -> torch.Tensor:
    hooked = HookedDecoder(model, find_structure(model))
    with torch.enable_grad():
        streams = hooked.residual_streams(torch.tensor([IDS[:n_ids]]))
        logits = hooked.decode(streams[-1][0, -1:])[0]
        (found,) = torch.autograd.grad(logits[3] - logits[5], [streams[1]])
    return found


def bits(tensor: torch.Tensor) -> bytes:
    return tensor.detach().contiguous().numpy().tobytes()


@pytest.mark.parametrize("can_gather", [True, False])
@pytest.mark.parametrize("family", [TIED, UNTIED, CONV1D])
def test_every_number_has_the_bits_that_it_has_with_copies(
    family: str, can_gather: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_weights, "can_gather", lambda: can_gather)
    once = engine_of(packed(stored_in_bfloat16(family)))
    twice = engine_of(packed_with_copies(stored_in_bfloat16(family), monkeypatch))

    assert kept(once.decoder.model)
    found, expected = everything_told_of(once), everything_told_of(twice)
    assert found.keys() == expected.keys()
    assert "source" in found
    for name, value in found.items():
        assert repr(value) == repr(expected[name]), name


def test_nothing_holds_the_weights_that_were_given_back() -> None:
    model = stored_in_bfloat16(TIED)
    before = {name: weakref.ref(weight) for name, weight in model.named_parameters()}
    engine = engine_of(packed(model))
    gc.collect()

    names = kept(engine.decoder.model).keys()
    assert names
    assert {name for name, weight in before.items() if weight() is None} >= names


@pytest.mark.parametrize("form", [GatheredRows, Widened])
def test_rows_of_a_vocabulary_are_read_without_making_the_matrix(
    form: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    if form is Widened:
        monkeypatch.setattr(kept_weights, "can_gather", lambda: False)
    engine = engine_of(packed(stored_in_bfloat16(TIED)))
    monkeypatch.setattr(form, "dense", lambda _: pytest.fail("the whole matrix was made"))
    assert any(isinstance(w.source, form) for w in kept(engine.decoder.model).values())
    list(engine.generate(IDS, greedy(3), wanted=Wanted((0, 1, 2, 3), 3)))
    told = engine.attributing(IDS, 13, AttributionWanted(unit="head", foil="mean"))
    assert any(told)


@pytest.mark.parametrize("size", [(64, 16), (65, 17), (300, 37), (1003, 642)])
def test_rows_are_gathered_from_every_block_of_a_layout(size: tuple[int, int]) -> None:
    weight = torch.randn(size, generator=torch.Generator().manual_seed(0))
    layout = torch.ops.mkldnn._reorder_linear_weight(weight, None)
    found = parameter_of(GatheredRows(layout, weight, 64))
    for start, stop in [(0, 1), (0, size[0]), (1, size[0]), (60, 130), (63, 200), (128, 256)]:
        assert torch.equal(found[start:stop], weight[start:stop])
    order = torch.randperm(size[0], generator=torch.Generator().manual_seed(1))
    assert torch.equal(found[order], weight[order])
    assert torch.equal(found.detach().clone(), weight)


def test_rows_outlive_the_layout_that_they_were_gathered_from() -> None:
    weight = torch.randn(200, 64)
    found = parameter_of(
        GatheredRows(torch.ops.mkldnn._reorder_linear_weight(weight, None), weight, 64)
    )
    gc.collect()
    rows = found[100:180]
    del found
    gc.collect()
    torch.full((200, 64), 7.0)
    assert torch.equal(rows, weight[100:180])


def test_a_vocabulary_that_bfloat16_rounds_is_kept_once_as_it_is_packed() -> None:
    """As that of a quantised GGUF file."""
    model = random_model(FAMILIES[TIED].config()).requires_grad_(False)
    plain = model.get_input_embeddings().weight.detach().clone()
    packed(model)
    weight = model.get_input_embeddings().weight
    assert isinstance(weight, KeptWeight)
    assert isinstance(weight.source, GatheredRows)
    assert weight is model.get_output_embeddings().weight
    assert torch.equal(weight.detach().clone(), plain)


def test_a_vocabulary_in_16_bits_is_kept_once_as_it_is_packed_in_32() -> None:
    model = random_model(FAMILIES[TIED].config()).bfloat16().requires_grad_(False)
    plain = model.get_input_embeddings().weight.detach().clone()
    unembedding = find_structure(model).unembedding
    assert pack(model, unembedding, "unembedding") == "unembedding"
    weight = model.get_input_embeddings().weight
    assert isinstance(weight, KeptWeight)
    assert weight.dtype == torch.bfloat16
    assert torch.equal(weight.detach().clone(), plain)
    compute_in_float32([unembedding])
    wide = unembedding.weight
    assert isinstance(wide, KeptWeight)
    assert wide.dtype == torch.float32
    assert torch.equal(wide[3:9], plain[3:9].float())
    assert model.get_input_embeddings().weight is weight


@pytest.mark.parametrize("family", [TIED, UNTIED, CONV1D])
def test_a_model_that_was_let_go_leaves_nothing(family: str) -> None:
    """The mean of the unembedding's rows was cached with its module, so that two models stayed in memory."""
    engine = engine_of(packed(stored_in_bfloat16(family)))
    everything_told_of(engine)
    left = [weakref.ref(weight.source) for weight in kept(engine.decoder.model).values()]
    left += [weakref.ref(weight) for weight in engine.decoder.model.parameters()]
    assert left
    del engine
    gc.collect()
    assert [found for ref in left if (found := ref()) is not None] == []


def test_threads_read_one_weight_at_the_same_time() -> None:
    model, plain = packed(stored_in_bfloat16(TIED)), stored_in_bfloat16(TIED)
    pairs = [(found, dict(plain.named_parameters())[name]) for name, found in kept(model).items()]
    ids = torch.tensor([1, 3, 2])
    expected = bits(gradient_of(packed(stored_in_bfloat16(TIED)), 12))

    def read(number: int) -> bool:
        if number == 0:  # Hooks of two would see each other's passes.
            return all(bits(gradient_of(model, 12)) == expected for _ in range(5))
        with torch.inference_mode(number % 2 == 1):
            return all(
                torch.equal(found.detach().clone(), weight) and torch.equal(found[ids], weight[ids])
                for found, weight in pairs
            )

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(read, range(24)))


def test_what_was_made_for_a_gradient_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    model = packed(stored_in_bfloat16(UNTIED))
    made: list[weakref.ref[torch.Tensor]] = []

    def dense(source: Unpacked) -> torch.Tensor:
        found = plain_dense(source)
        made.append(weakref.ref(found))
        return found

    plain_dense = Unpacked.dense
    monkeypatch.setattr(Unpacked, "dense", dense)
    gradient_of(model, 10)
    assert made
    hook = model.get_output_embeddings().register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        gradient_of(model, 10)
    hook.remove()
    assert [ref for ref in made if ref() is not None] == []


def test_a_reply_makes_no_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of(packed(stored_in_bfloat16(UNTIED)))
    monkeypatch.setattr(Unpacked, "dense", lambda _: pytest.fail("a weight was made"))
    assert list(engine.generate(IDS, greedy(3), wanted=Wanted((0, 1, 2, 3), 3)))


@pytest.mark.parametrize("family", [TIED, UNTIED])
def test_a_step_of_a_fit_makes_no_weight(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradients came back on between its turns, so that each of most turns made the whole vocabulary."""
    engine = engine_of(packed(stored_in_bfloat16(family)))
    decoder = HookedDecoder(engine.decoder.model, engine.decoder.structure)
    sequences = torch.tensor([random_ids(16, seed=seed) for seed in range(8)])
    fit = TunedLensFit(decoder, sequences, TunedSettings(steps=2, vocabulary_sample=20))
    for form in (Unpacked, GatheredRows, Widened):
        monkeypatch.setattr(form, "dense", lambda _: pytest.fail("a weight was made"))
    assert len(fit.take_step()) == 3


def test_a_jacobian_fit_asks_for_room_for_the_weights_of_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = engine_of(packed(stored_in_bfloat16(UNTIED)))
    d_model, blocks = engine.facts.d_model, engine.decoder.structure.blocks
    of_blocks = sum(weight.nbytes for block in blocks for weight in kept(block).values())
    assert of_blocks
    needed = 4 * 4 * 3 * d_model * (d_model + 1) + of_blocks
    monkeypatch.setattr(fits, "free_memory", lambda: needed)
    engine.fitting.require_fit("jacobian")
    monkeypatch.setattr(fits, "free_memory", lambda: needed - 1)
    with pytest.raises(OutOfMemory):
        engine.fitting.require_fit("jacobian")


def test_a_kept_weight_cannot_be_changed() -> None:
    model = packed(stored_in_bfloat16(UNTIED))
    for weight in kept(model).values():
        with torch.no_grad(), pytest.raises(RuntimeError, match="cannot be changed"):
            weight.mul_(2)


def test_a_change_that_would_be_lost_is_refused() -> None:
    weight = next(iter(kept(packed(stored_in_bfloat16(UNTIED))).values()))
    with torch.no_grad():
        with pytest.raises(RuntimeError, match="cannot be changed"):
            torch.zeros(weight.shape, out=weight)
        with pytest.raises(RuntimeError, match="cannot be changed"):
            torch._foreach_mul_([weight], 2.0)


def of_one_map(weight: torch.Tensor) -> nn.Linear:
    module = nn.Linear(weight.shape[1], weight.shape[0], bias=False).requires_grad_(False)
    module.weight.data = weight
    return module


@pytest.mark.parametrize(
    ("number", "is_kept"),
    [(1.5, True), (float("-inf"), True), (1 + 2**-20, False), (1e-41, False)],
)
def test_a_vocabulary_that_bfloat16_rounds_stays_in_float32(number: float, is_kept: bool) -> None:
    model = stored_in_bfloat16(TIED)
    model.get_input_embeddings().weight.data[90, 7] = number
    keeping = KeepingOnce(model)
    keeping.give_back_vocabulary({model.get_output_embeddings(): UNKNOWN_LAYOUT})
    weight = model.get_input_embeddings().weight
    assert isinstance(weight, KeptWeight) is is_kept
    assert float(weight[90, 7]) == pytest.approx(number)


def test_the_matrix_of_a_small_vocabulary_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_weights, "LARGE_VOCABULARY", 97)
    model = packed(stored_in_bfloat16(TIED))
    assert not isinstance(model.get_input_embeddings().weight, KeptWeight)
    assert kept(model)


def test_an_unpacked_vocabulary_stays_as_it_is() -> None:
    """Its product would make the whole matrix each time."""
    model = stored_in_bfloat16(TIED)
    KeepingOnce(model).give_back_vocabulary({})
    assert not kept(model)


def test_a_layout_that_gives_other_bits_back_replaces_nothing() -> None:
    module = of_one_map(torch.zeros(4, 4))
    KeepingOnce(module).give_back(
        module, torch.ops.mkldnn._reorder_linear_weight(torch.full((4, 4), -0.0), None)
    )
    assert not isinstance(module.weight, KeptWeight)


def test_weights_that_are_trained_or_shared_keep_their_own_copies() -> None:
    trained = nn.Linear(4, 4)
    pack(trained, trained, "all")
    assert not isinstance(trained.weight, KeptWeight)

    pair = nn.Sequential(of_one_map(torch.ones(4, 4)), of_one_map(torch.ones(4, 4)))
    pair[1].weight = pair[0].weight
    pack(pair, pair[0], "all")
    assert not kept(pair)
    assert pair[0].weight is pair[1].weight
