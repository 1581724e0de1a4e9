"""Parts that add up to a logit, and rows of attention, in every family."""

from __future__ import annotations

import copy
from contextlib import ExitStack
from typing import Any

import pytest
import torch

from app.engine.attention_alone import rows_alone
from app.engine.attention_rows import AttentionRow, recording_rows
from app.engine.causes_types import (
    AttentionRows,
    AttentionWanted,
    Attribution,
    AttributionWanted,
    Foil,
    Unit,
)
from app.engine.engine import NnsightEngine
from app.engine.replay import replay
from app.engine.types import Step
from app.errors import IdentityFailed, InvalidRequest, LayerOutOfRange
from tests.engine.by_hand import gpt2_parts, seen_by_hooks
from tests.engine.small_models import (
    FAMILIES,
    drained,
    engine_of,
    fresh,
    greedy,
    random_ids,
    random_model,
    rows_of,
)

POSITION = 13
"""Beyond the sliding windows of the small models."""

UNITS: tuple[Unit, ...] = ("component", "head", "neuron", "source")

NO_MLP_MAP = {"mixtral", "gpt_oss", "mamba", "mamba2", "qwen3_next", "rwkv"}
NO_ATTENTION = {"mamba", "mamba2", "xlstm", "rwkv"}
GATED_ATTENTION = {"qwen3_next"}
NOT_SPLIT = {"rwkv"}
WITH_HEADS_AND_NEURONS = [
    name for name in FAMILIES if name not in NO_ATTENTION | NO_MLP_MAP | {"glm_moe_dsa"}
]
WITH_EAGER_ROWS = [
    name
    for name in FAMILIES
    # Falcon, asked for its weights, runs without its causal mask; hybrids give those of some blocks.
    if name not in NO_ATTENTION | GATED_ATTENTION | {"falcon", "glm_moe_dsa", "falcon_h1", "bamba"}
]
RUN_WHOLE = NO_ATTENTION | GATED_ATTENTION | {"falcon_h1", "bamba", "glm_moe_dsa"}
"""Families whose cache cannot be wound back, or whose attention has no rows."""
PARALLEL = {"gpt_neox", "gptj", "cohere", "phi", "falcon"}


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def engine_of_family(family: str) -> NnsightEngine:
    return engine_of(random_model(FAMILIES[family].config()))


def attributed(engine: NnsightEngine, ids: list[int], wanted: AttributionWanted) -> Attribution:
    (found,) = (x for x in engine.attributing(ids, POSITION, wanted) if x is not None)
    return found


def attended(engine: NnsightEngine, ids: list[int], wanted: AttentionWanted) -> AttentionRows:
    (found,) = (x for x in engine.attending(ids, POSITION, wanted) if x is not None)
    return found


def test_capabilities_are_those_of_the_family(family: str, engine_of_family: NnsightEngine) -> None:
    found = engine_of_family.facts.capabilities
    expected = {
        "sublayers": family not in NOT_SPLIT,
        "heads": family not in NO_ATTENTION,
        "neurons": family not in NO_MLP_MAP,
        "attention": family not in NO_ATTENTION | GATED_ATTENTION,
    }
    for name, is_available in expected.items():
        capability = getattr(found, name)
        assert capability.is_available is is_available, capability.reason
        assert (capability.reason is None) is is_available


@pytest.mark.parametrize("unit", UNITS)
def test_parts_add_up_to_the_logit(
    unit: Unit, family: str, engine_of_family: NnsightEngine
) -> None:
    ids = random_ids(20)
    block = 2
    missing = {
        "component": NOT_SPLIT,
        "head": NO_ATTENTION,
        "source": NO_ATTENTION | GATED_ATTENTION,
        # Only the first block of glm_moe_dsa is no mixture of experts.
        "neuron": NO_MLP_MAP | {"glm_moe_dsa"},
    }
    questions: tuple[tuple[int | None, Foil], ...] = (
        (None, "best"),
        (7, "mean"),
        (9, "none"),
        (11, 30),
    )
    for target, foil in questions:
        wanted = AttributionWanted(target, foil, unit, block)
        if family in missing[unit]:
            with pytest.raises(IdentityFailed):
                attributed(engine_of_family, ids, wanted)
            continue
        found = attributed(engine_of_family, ids, wanted)
        assert abs(found.difference - found.sum) <= 1e-4
        logits = model_logits(engine_of_family, ids)
        if found.softcap is None:
            assert found.target_logit == pytest.approx(float(logits[found.target]), abs=1e-4)
        if target is None:
            assert found.target == int(logits.argmax())
            assert found.foil == int(logits.topk(2).indices[1])


def model_logits(engine: NnsightEngine, ids: list[int]) -> torch.Tensor:
    """What the plain model gives at the position, in a pass of its own over the text."""
    with torch.inference_mode():
        text = torch.tensor([ids[: POSITION + 1]])
        return engine.decoder.model(input_ids=text, use_cache=False).logits[0, -1].float()


@pytest.mark.parametrize("family", WITH_HEADS_AND_NEURONS, indirect=True)
def test_heads_add_up_to_the_attention_and_neurons_to_the_mlp(
    engine_of_family: NnsightEngine,
) -> None:
    ids = random_ids(20)
    components = attributed(engine_of_family, ids, AttributionWanted())
    of = {(p.part, p.block): p.target - (p.foil or 0.0) for p in components.parts}
    heads = attributed(engine_of_family, ids, AttributionWanted(unit="head"))
    neurons = attributed(engine_of_family, ids, AttributionWanted(unit="neuron", block=2))
    by_head = [p.target - (p.foil or 0.0) for p in heads.parts if (p.part, p.block) == ("head", 2)]
    by_neuron = [
        p.target - (p.foil or 0.0)
        for p in neurons.parts
        if p.part in ("neuron", "rest") and p.block == 2
    ]
    if ("attn", 2) in of:
        assert len(by_head) == 4
        assert sum(by_head) == pytest.approx(of["attn", 2], abs=1e-5)
    assert sum(by_neuron) == pytest.approx(of["mlp", 2], abs=1e-5)


def test_what_a_block_promotes_is_its_part_of_the_logit_against_the_mean(
    family: str, engine_of_family: NnsightEngine
) -> None:
    ids, block = random_ids(20), 2
    if family in NOT_SPLIT:
        with pytest.raises(IdentityFailed, match="not taken apart into blocks"):
            list(engine_of_family.decoding_writes(ids, POSITION, block, 3))
        return
    (found,) = (x for x in engine_of_family.decoding_writes(ids, POSITION, block, 3) if x)
    vocabulary = engine_of_family.facts.d_vocab
    (every,) = (x for x in engine_of_family.decoding_writes(ids, POSITION, block, vocabulary) if x)
    assert [write.promoted for write in found.writes] == [
        write.promoted[:3] for write in every.writes
    ]
    effects = [dict(write.promoted) for write in every.writes]
    for target in {5, 7, found.writes[-1].promoted[0][0]}:
        parts = attributed(engine_of_family, ids, AttributionWanted(target, "mean")).parts
        own = sum(p.target - (p.foil or 0.0) for p in parts if p.block == block)
        assert sum(effect[target] for effect in effects) == pytest.approx(own, abs=1e-4)
    for write in every.writes:
        assert dict(write.suppressed) == dict(write.promoted)
        lowest_first = [value for _, value in write.suppressed]
        assert lowest_first == sorted(lowest_first)
        assert sum(dict(write.promoted).values()) == pytest.approx(0, abs=1e-3)


def test_every_part_of_gpt2_equals_a_computation_by_hand(
    engine: NnsightEngine, gpt2: torch.nn.Module
) -> None:
    ids = random_ids(20)
    expected = gpt2_parts(copy.deepcopy(gpt2), ids[: POSITION + 1], 40, 41)
    found = attributed(engine, ids, AttributionWanted(40, 41, "head"))
    assert {(p.part, p.block, p.head) for p in found.parts} == set(expected)
    for part in found.parts:
        difference = part.target - (part.foil or 0.0)
        assert difference == pytest.approx(expected[part.part, part.block, part.head], abs=1e-4)


def test_every_head_and_neuron_of_llama_equals_a_computation_by_hand() -> None:
    """RMSNorm does not centre."""
    plain = random_model(FAMILIES["llama"].config())
    engine = engine_of(copy.deepcopy(plain))
    ids = random_ids(20)
    model = plain.double()
    places = {f"{n}.attn": f"model.layers.{n}.self_attn.o_proj" for n in range(3)}
    places |= {f"{n}.mlp": f"model.layers.{n}.mlp.down_proj" for n in range(3)}
    seen = seen_by_hooks(model, places | {"end": "model.norm"}, ids[: POSITION + 1])
    stream = seen["end"]
    target = 50
    scale = (stream.square().mean() + model.model.norm.variance_epsilon).rsqrt()
    row = model.lm_head.weight[target] * model.model.norm.weight * scale
    found = attributed(engine, ids, AttributionWanted(target, "none", "head"))
    for part in found.parts:
        if part.part != "head":
            continue
        assert part.block is not None
        assert part.head is not None
        inputs = slice(8 * part.head, 8 * part.head + 8)
        matrix = model.model.layers[part.block - 1].self_attn.o_proj.weight[:, inputs]
        expected = row @ (matrix @ seen[f"{part.block - 1}.attn"][inputs])
        assert part.target == pytest.approx(float(expected), abs=1e-4)
    found = attributed(engine, ids, AttributionWanted(target, "none", "neuron", block=2, top_k=5))
    neurons = [part for part in found.parts if part.part == "neuron"]
    every = (row @ model.model.layers[1].mlp.down_proj.weight) * seen["1.mlp"]
    assert {p.neuron for p in neurons} == set(every.abs().topk(5).indices.tolist())
    for part in neurons:
        assert part.neuron is not None
        assert part.target == pytest.approx(float(every[part.neuron]), abs=1e-4)


@pytest.mark.parametrize("family", WITH_EAGER_ROWS, indirect=True)
def test_rows_are_those_of_eager_attention(family: str, engine_of_family: NnsightEngine) -> None:
    ids = random_ids(20)
    found = attended(engine_of_family, ids, AttentionWanted())
    eager = copy.deepcopy(random_model(FAMILIES[family].config()))
    eager.set_attn_implementation("eager")
    with torch.inference_mode():
        text = torch.tensor([ids[: POSITION + 1]])
        output = eager(input_ids=text, use_cache=False, output_attentions=True)
    rows = torch.stack([layer[0, :, -1] for layer in output.attentions])
    assert found.values.shape == rows.shape
    assert abs(torch.from_numpy(found.values) - rows).max() <= 1e-5
    total = found.values.sum(-1) + (0 if found.sink is None else found.sink)
    assert abs(total - 1).max() <= 1e-5
    assert (found.sink is not None) is (family == "gpt_oss")


def test_attention_alone_reads_the_rows_of_a_whole_pass(
    family: str, engine_of_family: NnsightEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    causes = engine_of_family._causes
    assert causes._reads_alone is (family not in RUN_WHOLE)
    if not causes.capabilities.attention.is_available:
        return
    ids = random_ids(20)
    ran: list[str] = []
    with ExitStack() as hooks:
        for block, split in zip(
            engine_of_family.decoder.structure.blocks, causes.splits, strict=True
        ):
            for write in split.writes:
                module = block.get_submodule(write.path)
                hook = module.register_forward_hook(lambda *_, kind=write.kind: ran.append(kind))
                hooks.callback(hook.remove)
        rows_of(engine_of_family, ids)
        ran.clear()
        alone = attended(engine_of_family, ids, AttentionWanted())
        assert ("mlp" in ran) is (family in RUN_WHOLE)
    monkeypatch.setattr(causes, "_reads_alone", False)
    whole = attended(engine_of_family, ids, AttentionWanted())
    assert (alone.blocks, alone.without_pattern) == (whole.blocks, whole.without_pattern)
    # Streams of a pass over several tokens differ in their last bits from those of one token's.
    assert abs(alone.values - whole.values).max() <= 1e-5


@pytest.mark.parametrize("family", WITH_EAGER_ROWS, indirect=True)
def test_what_a_token_is_read_by_is_a_column_of_eager_attention(
    family: str, engine_of_family: NnsightEngine
) -> None:
    ids = random_ids(20)
    eager = copy.deepcopy(random_model(FAMILIES[family].config()))
    eager.set_attn_implementation("eager")
    with torch.inference_mode():
        text = torch.tensor([ids])
        output = eager(input_ids=text, use_cache=False, output_attentions=True)
    before = rows_of(engine_of_family, ids)
    for position in (0, 5, 19):
        wanted = AttentionWanted(blocks=(1, 3), direction="read_by")
        (found,) = (x for x in engine_of_family.attending(ids, position, wanted) if x)
        columns = torch.stack([output.attentions[n][0, :, position:, position] for n in (0, 2)])
        assert (found.blocks, found.computed_tokens) == ((1, 3), 20 - position)
        assert found.values.shape == columns.shape
        assert abs(torch.from_numpy(found.values) - columns).max() <= 1e-5
    assert (rows_of(engine_of_family, ids) == before).all()


@pytest.mark.parametrize("family", sorted(RUN_WHOLE), indirect=True)
def test_what_a_token_is_read_by_is_refused_where_attention_cannot_run_alone(
    family: str, engine_of_family: NnsightEngine
) -> None:
    wanted = AttentionWanted(direction="read_by")
    with pytest.raises(IdentityFailed) as caught:
        attended(engine_of_family, random_ids(20), wanted)
    is_refused_whole = family in NO_ATTENTION | GATED_ATTENTION
    assert caught.value.param == ("unit" if is_refused_whole else "direction")


def test_a_long_text_is_read_in_turns_by_what_attends_to_a_token(
    loaded_gpt2: NnsightEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = random_ids(20)
    wanted = AttentionWanted(direction="read_by")
    engine = fresh(loaded_gpt2)
    rows_of(engine, ids)
    (whole,) = engine.attending(ids, 3, wanted)
    monkeypatch.setattr("app.engine.causes.PREFILL_TOKENS", 7)
    *turns, in_turns = engine.attending(ids, 3, wanted)
    assert turns == [None, None]
    assert whole is not None
    assert in_turns is not None
    assert abs(in_turns.values - whole.values).max() <= 1e-6


def test_where_attention_alone_reads_other_rows_the_whole_pass_is_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def other_streams(*arguments: Any) -> dict[int, AttentionRow]:
        *model, streams, cache, blocks = arguments
        return rows_alone(*model, 1.01 * streams + 0.01, cache, blocks)

    monkeypatch.setattr("app.engine.causes.rows_alone", other_streams)
    engine = engine_of(random_model(FAMILIES["llama"].config()))
    assert engine.facts.capabilities.attention.is_available
    assert not engine._causes._reads_alone


def test_rounded_streams_are_not_read_alone(gpt2: torch.nn.Module) -> None:
    ids = random_ids(20)
    exact = attended(engine_of(copy.deepcopy(gpt2)), ids, AttentionWanted())
    rounding = engine_of(copy.deepcopy(gpt2), store_dtype="float16")
    found = attended(rounding, ids, AttentionWanted())
    assert abs(found.values - exact.values).max() <= 1e-5


def test_grouped_heads_read_their_own_values() -> None:
    """With 4 query and 2 key-value heads, tiled values have the right shape and wrong numbers."""
    engine = engine_of(random_model(FAMILIES["llama"].config()))
    ids = random_ids(20)
    with torch.inference_mode():
        timeline = drained(engine._store.covering(ids, POSITION + 1))
        splits = engine._causes._splits
        with recording_rows(engine.decoder.structure.blocks, splits) as rows:
            record = replay(engine.decoder, splits, ids, POSITION, timeline)
    given = record.blocks[0][0].given
    weights, values = rows[1].weights, rows[1].values
    assert values is not None
    assert given is not None
    assert values.shape[0] == 2

    def mixed(repeated: torch.Tensor) -> torch.Tensor:
        return (weights[:, None] @ repeated)[:, 0].reshape(-1)

    assert abs(mixed(values.repeat_interleave(2, 0)) - given).max() <= 1e-5
    assert abs(mixed(values.repeat(2, 1, 1)) - given).max() > 1e-2


def test_sources_of_the_logit_are_the_sum_over_heads(engine: NnsightEngine) -> None:
    ids = random_ids(20)
    by_head = attended(engine, ids, AttentionWanted(blocks=(2,), kind="logit"))
    found = attributed(engine, ids, AttributionWanted(unit="source", block=2))
    sources = [p.target - (p.foil or 0.0) for p in found.parts if p.part == "source"]
    assert by_head.values[0].sum(0).tolist() == pytest.approx(sources, abs=1e-6)
    assert (by_head.target, by_head.foil) == (found.target, found.foil)
    one = attributed(engine, ids, AttributionWanted(unit="source", block=2, head=3))
    sources = [p.target - (p.foil or 0.0) for p in one.parts if p.part == "source"]
    assert by_head.values[0, 3].tolist() == pytest.approx(sources, abs=1e-6)
    assert all(p.head == 3 for p in one.parts if p.part == "source")


def test_norms_are_the_lengths_of_what_each_source_writes(
    engine: NnsightEngine, gpt2: torch.nn.Module
) -> None:
    ids = random_ids(20)
    found = attended(engine, ids, AttentionWanted(blocks=(2,), kind="norm"))
    block = gpt2.transformer.h[1]
    inputs: list[torch.Tensor] = []
    hook = block.attn.register_forward_pre_hook(lambda _m, args: inputs.append(args[0]))
    with torch.inference_mode():
        gpt2(input_ids=torch.tensor([ids[: POSITION + 1]]), use_cache=False)
    hook.remove()
    with torch.inference_mode():
        q, k, v = block.attn.c_attn.forward(inputs[0])[0].split(32, -1)
        for head in range(4):
            part = slice(8 * head, 8 * head + 8)
            weights = ((q[-1, part] @ k[:, part].T) / 8**0.5).softmax(-1)
            written = weights[:, None] * (v[:, part] @ block.attn.c_proj.weight[part])
            expected = written.norm(dim=-1)
            assert found.values[0, head].tolist() == pytest.approx(expected.tolist(), abs=1e-4)


def test_a_held_token_costs_one_decode_step_and_leaves_no_trace(
    loaded_gpt2: NnsightEngine,
) -> None:
    def reply(engine: NnsightEngine, ids: list[int], n: int) -> list[int]:
        steps = engine.generate(ids, greedy(n), lineage=["mine"])
        return [step.token_id for step in steps if isinstance(step, Step)]

    ids = random_ids(12)
    plain = fresh(loaded_gpt2)
    whole = [*ids, *reply(plain, ids, 8)]
    further = reply(plain, whole, 6)
    untouched = rows_of(plain, [*whole, *further], ["mine"])

    asked = fresh(loaded_gpt2)
    reply(asked, ids, 8)
    before = rows_of(asked, whole, ["mine"])
    for unit in UNITS:
        wanted = AttributionWanted(unit=unit, block=2)
        (found,) = (x for x in asked.attributing(whole, 15, wanted, lineage=["mine"]) if x)
        assert found.computed_tokens == 1
    (rows,) = (x for x in asked.attending(whole, 15, AttentionWanted(), lineage=["mine"]) if x)
    assert rows.computed_tokens == 1
    (effects,) = (x for x in asked.decoding_writes(whole, 15, 2, 5, lineage=["mine"]) if x)
    assert effects.computed_tokens == 1
    assert (rows_of(asked, whole, ["mine"]) == before).all()
    assert reply(asked, whole, 6) == further
    assert (rows_of(asked, [*whole, *further], ["mine"]) == untouched).all()


def test_a_replay_that_fails_leaves_the_cache_as_it_was(
    engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = random_ids(20)
    before = rows_of(engine, ids)
    (timeline,) = engine._store._timelines.values()
    kept = [layer.keys.clone() for layer in timeline.cache.layers]

    def fail(*_: object) -> None:
        raise RuntimeError("in the middle")

    with monkeypatch.context() as patch:
        patch.setattr(engine.decoder, "_check_finite", fail)
        with pytest.raises(RuntimeError, match="in the middle"):
            attributed(engine, ids, AttributionWanted())
    assert all(
        torch.equal(a, layer.keys) for a, layer in zip(kept, timeline.cache.layers, strict=True)
    )
    assert (rows_of(engine, ids) == before).all()


def test_attention_that_fails_is_not_watched_any_more(
    engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        assert torch._C._len_torch_function_stack() == 1
        raise RuntimeError("in the middle")

    ids = random_ids(20)
    before = rows_of(engine, ids)
    with monkeypatch.context() as patch:
        patch.setattr(engine.decoder.structure.blocks[1].attn.c_attn, "forward", fail)
        with pytest.raises(RuntimeError, match="in the middle"):
            attended(engine, ids, AttentionWanted())
    assert torch._C._len_torch_function_stack() == 0
    assert (rows_of(fresh(engine), ids) == before).all()


@pytest.mark.parametrize(
    ("wanted", "error", "param"),
    [
        (AttributionWanted(unit="source", block=4), LayerOutOfRange, "block"),
        (AttributionWanted(unit="neuron", block=0), LayerOutOfRange, "block"),
        (AttributionWanted(unit="source"), InvalidRequest, "block"),
        (AttributionWanted(unit="source", block=1, head=4), InvalidRequest, "head"),
    ],
)
def test_what_the_model_lacks_is_refused(
    engine: NnsightEngine, wanted: AttributionWanted, error: type[InvalidRequest], param: str
) -> None:
    with pytest.raises(error) as caught:
        attributed(engine, random_ids(20), wanted)
    assert caught.value.param == param


def test_a_block_without_attention_is_named() -> None:
    engine = engine_of(random_model(FAMILIES["bamba"].config()))
    ids = random_ids(20)
    rows = attended(engine, ids, AttentionWanted())
    assert (rows.blocks, rows.without_pattern) == ((2,), (1, 3))
    with pytest.raises(IdentityFailed, match="Block 1 has no attention"):
        attributed(engine, ids, AttributionWanted(unit="source", block=1))


def test_a_multiplier_of_the_writes_is_found() -> None:
    config = FAMILIES["granite"].config()
    config.residual_multiplier = 0.22
    engine = engine_of(random_model(config))
    assert {w.scale for b in engine._causes._splits for w in b.writes} == {0.22}
    found = attributed(engine, random_ids(20), AttributionWanted(unit="head"))
    assert abs(found.difference - found.sum) <= 1e-4


def test_parallel_blocks_have_no_state_between_their_writes(
    family: str, engine_of_family: NnsightEngine
) -> None:
    splits = engine_of_family._causes._splits
    for split in splits:
        kinds = [write.kind for write in split.writes]
        assert split.has_middle is (len(kinds) > 1 and family not in PARALLEL)
        if len(kinds) > 1:
            assert kinds[-1] == "mlp"
