"""What interventions do to a run, in every family, and that they leave no trace in the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from app.engine.engine import NnsightEngine
from app.engine.intervention_types import (
    Add,
    ContrastDirection,
    Dose,
    DoseWanted,
    Exchange,
    Interventions,
    KnockOut,
    Mean,
    ProjectOut,
    RandomDirection,
    Replace,
    Site,
    TokenDirection,
    Zero,
)
from app.engine.kv_cache import GrowingCache
from app.engine.types import Finish, LensColumns, Sampling, Step, Wanted
from app.errors import (
    IdentityFailed,
    InvalidRequest,
    LayerOutOfRange,
    UnsupportedIntervention,
)
from tests.engine.changes import change, under
from tests.engine.small_models import (
    FAMILIES,
    drained,
    engine_of,
    fresh,
    random_ids,
    random_model,
)

N = 14
IDS = random_ids(N)
FIRST = 5
"""The first position that is changed."""
TOUCHED = (FIRST, 9, N - 1)
MADRID, PARIS = TokenDirection(17), TokenDirection(23)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def loaded(family: str) -> NnsightEngine:
    return engine_of(random_model(FAMILIES[family].config()))


@pytest.fixture
def engine(loaded: NnsightEngine) -> NnsightEngine:
    return fresh(loaded)


def streams(
    engine: NnsightEngine, interventions: Interventions | None = None, ids: Sequence[int] = IDS
) -> np.ndarray:
    """Residual streams `[len(ids), n_layers + 1, d_model]` of a run under interventions."""

    def work():
        edits = yield from engine._maker.made(interventions, engine._store)
        return (yield from engine._store.covering(ids, len(ids), (), edits))

    with torch.inference_mode():
        return drained(work()).rows[: len(ids)].numpy().copy()


def require_same_before(engine: NnsightEngine, found: np.ndarray, plain: np.ndarray) -> None:
    """Streams before the first touched position: the same bits, but where tokens share experts.

    An expert's product has as many rows as tokens chose it, later ones too, and on some processors the
    last bits of a row depend on how many stand beside it.
    """
    if any("experts" in name for name, _ in engine._decoder.model.named_modules()):
        assert np.abs(found[:FIRST] - plain[:FIRST]).max() <= 1e-5
    else:
        assert np.array_equal(found[:FIRST], plain[:FIRST])


def size(rows: np.ndarray) -> np.ndarray:
    return np.linalg.norm(rows, axis=-1)


def same_bits(a: LensColumns, b: LensColumns) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True)
        for name in ("top_ids", "top_probabilities", "entropy_nats", "kl_to_final_nats")
    )


def test_strength_0_changes_no_bit(engine: NnsightEngine) -> None:
    plain = engine.read(IDS)
    nothing = under(change(Add(MADRID, 0.0), [0, 1, 3], range(N)))

    found = fresh(engine).read(IDS, interventions=nothing)

    assert same_bits(found, plain)
    assert found.fired == (0,)


def test_what_lies_before_the_first_touched_token_and_below_the_layer_keeps_its_bits(
    engine: NnsightEngine,
) -> None:
    plain = streams(engine)
    found = streams(fresh(engine), under(change(Add(MADRID, 0.7), [2], TOUCHED)))

    require_same_before(engine, found, plain)
    assert np.array_equal(found[:, :2], plain[:, :2])
    assert not np.allclose(found[FIRST:, 3], plain[FIRST:, 3])
    untouched = [p for p in range(N) if p not in TOUCHED]
    assert np.array_equal(found[untouched, 2], plain[untouched, 2])


def test_add_moves_by_a_share_of_the_length_along_the_direction(engine: NnsightEngine) -> None:
    plain = streams(engine)
    found = streams(fresh(engine), under(change(Add(RandomDirection(3), -0.5), [2], TOUCHED)))

    moved = (found - plain)[list(TOUCHED), 2]
    assert size(moved) == pytest.approx(0.5 * size(plain[list(TOUCHED), 2]), rel=1e-4)
    drawn = torch.randn(moved.shape[-1], generator=torch.Generator().manual_seed(3)).numpy()
    assert moved @ drawn / size(moved) / size(drawn) == pytest.approx(-1, abs=1e-4)


def test_adding_a_token_at_the_last_layer_raises_its_logit_and_the_model_says_so(
    engine: NnsightEngine,
) -> None:
    """The reading of the last layer and the model's own score are of the changed stream."""
    ids = [*IDS, 17]
    plain = engine.read(ids)
    steered = engine.read(ids, interventions=under(change(Add(MADRID, 3.0), [3], [N - 1])))

    assert steered.next_probability[-1, N - 1] > plain.next_probability[-1, N - 1]
    assert steered.scores[N - 1].logprob_nats == pytest.approx(
        np.log(steered.next_probability[-1, N - 1]), abs=1e-5
    )
    assert steered.next_probability[0, N - 1] == plain.next_probability[0, N - 1]


def test_zero_at_the_embedding_leaves_nothing_there(engine: NnsightEngine) -> None:
    found = streams(engine, under(change(Zero(), [0], TOUCHED)))
    assert not found[list(TOUCHED), 0].any()
    assert found[:FIRST, 0].any()


def test_project_out_twice_is_once(engine: NnsightEngine) -> None:
    once = change(ProjectOut(MADRID), [1], TOUCHED)
    plain = streams(engine)
    first = streams(fresh(engine), under(once))
    again = streams(fresh(engine), under(once, once))

    assert np.abs(again - first).max() <= 1e-5 * np.abs(plain).max()
    assert np.abs(first[list(TOUCHED), 1] - plain[list(TOUCHED), 1]).max() > 1e-3


def test_exchanging_twice_is_nothing(engine: NnsightEngine) -> None:
    once = change(Exchange(MADRID, PARIS), [2], TOUCHED)
    plain = streams(engine)
    first = streams(fresh(engine), under(once))
    again = streams(fresh(engine), under(once, once))

    assert np.abs(again - plain).max() <= 2e-5 * np.abs(plain).max()
    assert np.abs(first[list(TOUCHED), 2] - plain[list(TOUCHED), 2]).max() > 1e-3


def test_a_run_is_counted_and_the_plain_run_after_it_has_its_bits(engine: NnsightEngine) -> None:
    plain = engine.read(IDS)
    steered = engine.read(
        IDS,
        interventions=under(
            change(Add(MADRID, 0.7), [1, 3], TOUCHED), change(Zero(), [2], [FIRST])
        ),
    )
    assert steered.fired == (2 * len(TOUCHED), 1)
    assert not same_bits(steered, plain)

    assert same_bits(engine.read(IDS), plain)
    assert same_bits(fresh(engine).read(IDS), plain)
    assert engine.read(IDS).fired == ()


def reply(
    engine: NnsightEngine, interventions: Interventions | None, n: int = 4
) -> tuple[list[int], list[LensColumns], Finish]:
    """A sampled reply to the text: its ids, the read-out of each token, and how it ended."""
    sampling = Sampling(n, 1.0, 0, 1.0, 7, ())
    wanted = Wanted((0, 1, 2, 3))
    items = list(
        engine.generate(
            IDS, sampling, wanted=wanted, lineage=["reply"], interventions=interventions
        )
    )
    ids = [item.token_id for item in items if isinstance(item, Step)]
    columns = [item for item in items if isinstance(item, LensColumns)]
    finish = items[-1]
    assert isinstance(finish, Finish)
    return ids, columns, finish


def test_a_reply_at_strength_0_is_the_plain_one_with_the_same_seed(engine: NnsightEngine) -> None:
    ids, columns, _ = reply(engine, None)
    nothing = under(change(Add(MADRID, 0.0), [1, 3], range(N), open_from=N - 1))

    for other in (fresh(engine), engine):
        ids_under, columns_under, finish = reply(other, nothing)
        assert ids_under == ids
        assert all(map(same_bits, columns_under, columns))
        assert finish.fired == (0,)


def test_a_steered_reply_is_what_a_run_over_all_of_it_at_once_gives(engine: NnsightEngine) -> None:
    """Decode steps behind a cache against one pass over the text and the reply."""
    steered = change(Add(MADRID, 0.8), [0, 2, 3], open_from=N - 1)
    plain_ids, *_ = reply(engine, None)
    ids, columns, finish = reply(engine, under(steered))
    assert finish.fired == (3 * (len(ids) + (finish.reason == "stop")),)
    if len(ids) == len(plain_ids):
        assert ids != plain_ids

    whole = [*IDS, *ids]
    at_once = fresh(engine).read(
        whole,
        layers=range(4),
        interventions=under(change(Add(MADRID, 0.8), [0, 2, 3], range(N - 1, len(whole) - 1))),
    )
    for place, found in enumerate(columns):
        expected = at_once.next_probability[:, N - 1 + place]
        assert found.next_probability[:, 0] == pytest.approx(expected, abs=1e-5)
    assert reply(engine, None)[0] == plain_ids


def test_a_steered_reply_is_read_from_what_its_own_passes_computed(engine: NnsightEngine) -> None:
    steered = under(change(Add(MADRID, 0.8), [1, 3], open_from=N - 1))
    ids, columns, _ = reply(engine, steered)
    before = engine.computed_tokens()
    whole = [*IDS, *ids]
    found = engine.read(
        whole,
        positions=range(N - 1, len(whole) - 1),
        lineage=["reply"],
        interventions=steered,
    )
    for place, column in enumerate(columns):
        assert np.array_equal(found.entropy_nats[:, place], column.entropy_nats[:, 0])
    if engine._store.reuse == "chunks" and engine.decoder.new_cache().__class__ is GrowingCache:
        assert engine.computed_tokens() == before


SITES: tuple[Site, ...] = ("resid", "attn", "mlp", "head")
NO_EDGES = {"gptj", "bloom", "mpt", "qwen3_next"}
NO_ATTENTION = {"mamba", "mamba2", "xlstm", "rwkv"}
MIXED = NO_ATTENTION | {"falcon_h1", "qwen3_next", "bamba"}
"""Families with blocks that are more, or other, than attention and an MLP."""
NORMED = {"gemma2", "gemma3", "olmo2"}
"""What heads write passes a norm."""


def blocks_of(engine: NnsightEngine, site: Site) -> list[int]:
    return [1, 2, 3] if site == "resid" else engine._maker._sites.blocks(site)


def linear_of(engine: NnsightEngine, block: int) -> nn.Module:
    linear = engine._maker._sites.modules["head", block].linear
    assert linear is not None
    return linear


def outputs(
    engine: NnsightEngine, module: nn.Module, interventions: Interventions | None
) -> torch.Tensor:
    """What a module gives in a run, `[tokens, width]`."""
    seen: list[torch.Tensor] = []

    def begin(_module: nn.Module, _args: object) -> None:
        # Registered last, so that it sees what the hooks of the run have left.
        after = module.register_forward_hook(end)
        hooks.append(after)

    def end(_module: nn.Module, _args: object, output: torch.Tensor) -> None:
        seen.append(output.reshape(N, -1).clone())

    hooks = [module.register_forward_pre_hook(begin)]
    streams(fresh(engine), interventions)
    for hook in hooks:
        hook.remove()
    return seen[-1]


def test_each_site_is_offered_or_refused_with_its_reason(
    engine: NnsightEngine, family: str
) -> None:
    sites = engine.facts.intervention_sites
    has_parts = family not in NO_ATTENTION
    assert sites.resid.is_available
    assert (sites.attn.is_available, sites.head.is_available) == (has_parts, has_parts)
    assert sites.mlp.is_available == (has_parts or family == "xlstm")
    assert sites.knock_out.is_available == (has_parts and family not in NO_EDGES)
    asked = [change(Zero(), [1], TOUCHED, site=site) for site in SITES]
    asked.append(change(KnockOut((1,)), [1], TOUCHED, site="head"))
    for item, name in zip(asked, (*SITES, "knock_out"), strict=True):
        capability = getattr(sites, name)
        if capability.is_available:
            assert capability.max_abs_diff is not None
            assert capability.max_abs_diff <= 1e-5
            continue
        assert capability.reason
        with pytest.raises((UnsupportedIntervention, IdentityFailed), match="not changed at"):
            engine.read(IDS, interventions=under(item))


def test_blocks_that_add_nothing_leave_the_lens_of_the_layer_below_as_the_output(
    engine: NnsightEngine, family: str
) -> None:
    if family in MIXED:
        assert (
            not all(
                {"attn", "mlp"} == {write.kind for write in split.writes}
                for split in engine._causes.splits
            )
            or family in NO_ATTENTION
        )
        return
    ids = [*IDS, 17]
    plain = engine.read(ids)
    for layer in (0, 1, 2):
        above = range(layer + 1, 4)
        nothing = [change(Zero(), above, range(N + 1), site=site) for site in ("attn", "mlp")]
        found = fresh(engine).read(ids, interventions=under(*nothing))
        assert found.next_probability[-1, :N] == pytest.approx(
            plain.next_probability[layer, :N], abs=1e-5
        )
        logprobs = [score.logprob_nats for score in found.scores]
        assert logprobs == pytest.approx(np.log(plain.next_probability[layer, :N]), abs=1e-4)


def test_heads_that_put_out_nothing_leave_the_bias_only(engine: NnsightEngine) -> None:
    for block in blocks_of(engine, "head"):
        linear = linear_of(engine, block)
        bias = getattr(linear, "bias", None)
        expected = torch.zeros(1) if bias is None else bias.detach()
        nothing = under(change(Zero(), [block], TOUCHED, site="head"))
        each = under(*(change(Zero(), [block], TOUCHED, site="head", heads=[h]) for h in range(4)))
        for wanted in (nothing, each):
            found = outputs(engine, linear, wanted)[list(TOUCHED)]
            assert float((found - expected).abs().max()) <= 1e-6
        one = outputs(
            engine, linear, under(change(Zero(), [block], TOUCHED, site="head", heads=[2]))
        )
        assert float((one[list(TOUCHED)] - expected).abs().max()) > 1e-3


def test_what_is_replaced_by_itself_changes_no_bit(engine: NnsightEngine) -> None:
    plain = streams(engine)
    for site in SITES:
        same = Replace(tuple(IDS), TOUCHED)
        blocks = blocks_of(engine, site)
        if blocks:
            found = streams(fresh(engine), under(change(same, blocks, TOUCHED, site=site)))
            assert np.array_equal(found, plain)


def test_a_layer_of_another_text_gives_what_that_text_gives(engine: NnsightEngine) -> None:
    other = random_ids(N, seed=5)
    expected = streams(engine, ids=other)
    whole = Replace(tuple(other), tuple(range(N)))
    found = streams(fresh(engine), under(change(whole, [1], range(N))))
    assert np.array_equal(found[:, 1:], expected[:, 1:])


def test_a_replaced_token_takes_the_value_that_is_named_for_it(engine: NnsightEngine) -> None:
    other = random_ids(9, seed=5)
    expected = streams(engine, ids=other)
    taken = Replace(tuple(other), (8, 2))
    found = streams(fresh(engine), under(change(taken, [2], (9, FIRST))))
    assert np.array_equal(found[[9, FIRST], 2], expected[[8, 2], 2])


def test_the_mean_is_that_of_the_plain_run(engine: NnsightEngine) -> None:
    plain = streams(engine)
    mean = Mean(tuple(IDS), (1, 4, 7))
    found = streams(fresh(engine), under(change(mean, [2], TOUCHED)))
    assert found[list(TOUCHED), 2] == pytest.approx(
        np.broadcast_to(plain[[1, 4, 7], 2].mean(0), (len(TOUCHED), plain.shape[-1])), abs=1e-5
    )


def test_a_contrast_is_the_difference_of_the_last_tokens(engine: NnsightEngine) -> None:
    texts = [tuple(random_ids(6, seed=seed)) for seed in (2, 3, 4)]
    last = [streams(engine, ids=text)[-1, 2] for text in texts]
    wanted = (last[0] + last[1]) / 2 - last[2]
    plain = streams(engine)
    pushed = Add(ContrastDirection((texts[0], texts[1]), (texts[2],)), 0.5)
    found = streams(fresh(engine), under(change(pushed, [2], TOUCHED)))
    moved = (found - plain)[list(TOUCHED), 2]
    assert moved @ wanted / size(moved) / size(wanted) == pytest.approx(1, abs=1e-4)

    nothing = Add(ContrastDirection((texts[0],), (texts[0],)), 0.5)
    with pytest.raises(InvalidRequest, match="length 0"):
        engine.read(IDS, interventions=under(change(nothing, [2], TOUCHED)))


def test_a_direction_is_taken_out_of_each_head(engine: NnsightEngine, family: str) -> None:
    taken = [
        change(ProjectOut(MADRID), [block], TOUCHED, site="head")
        for block in blocks_of(engine, "head")
    ]
    if family in NORMED:
        with pytest.raises(UnsupportedIntervention, match="passes a norm"):
            engine.read(IDS, interventions=under(*taken))
        return
    for item in taken:
        linear = linear_of(engine, item.layers[0])
        bias = getattr(linear, "bias", None)
        before = outputs(engine, linear, None)[list(TOUCHED)]
        after = outputs(engine, linear, under(item))[list(TOUCHED)]
        direction = engine._maker._tokens.of(17, None, 1, "")
        rest = (after - (0 if bias is None else bias)) @ direction
        assert float(rest.abs().max()) <= 1e-5 * float(before.norm(dim=-1).max())
        assert float((before - after).abs().max()) > 1e-4


def test_an_edge_is_taken_out_for_the_tokens_that_are_named(
    engine: NnsightEngine, family: str
) -> None:
    if family in NO_ATTENTION | NO_EDGES:
        return
    block = blocks_of(engine, "head")[0]
    edges = under(change(KnockOut((3, 4)), [block], TOUCHED, site="head", heads=[1, 3]))
    plain = streams(engine)
    found = streams(fresh(engine), edges)
    require_same_before(engine, found, plain)
    assert np.array_equal(found[:, :block], plain[:, :block])
    reads = [p for p in TOUCHED if not np.array_equal(found[p, block], plain[p, block])]
    # A sliding window of 8 leaves later tokens nothing to read of them.
    assert reads[0] == FIRST
    others = [p for p in range(N) if p not in TOUCHED]
    assert np.array_equal(found[others, block], plain[others, block])

    before = linear_inputs(engine, block, None)
    after = linear_inputs(engine, block, edges)
    heads = (after - before).reshape(N, 4, -1)[FIRST].abs().amax(-1)
    assert [bool(change > 0) for change in heads] == [False, True, False, True]
    whole = under(change(KnockOut((0, 1, 2)), [block], (2, 9), site="head"))
    with pytest.raises(InvalidRequest, match="Nothing would be left"):
        engine.read(IDS, interventions=whole)


def linear_inputs(
    engine: NnsightEngine, block: int, interventions: Interventions | None
) -> torch.Tensor:
    """What the linear map behind the heads is given in a run, `[tokens, inputs]`."""
    seen: list[torch.Tensor] = []
    hook = linear_of(engine, block).register_forward_hook(
        lambda _m, args, _output: seen.append(args[0].reshape(N, -1).clone())
    )
    streams(fresh(engine), interventions)
    hook.remove()
    return seen[-1]


def test_what_a_model_has_not_is_refused(engine: NnsightEngine, family: str) -> None:
    for wrong, error in (
        (change(Zero(), [4], TOUCHED), LayerOutOfRange),
        (change(Zero(), [0], TOUCHED, site="mlp"), LayerOutOfRange),
        (change(Exchange(MADRID, MADRID), [1], TOUCHED), InvalidRequest),
        (change(KnockOut((1,)), [1], TOUCHED), InvalidRequest),
    ):
        with pytest.raises(error):
            engine.read(IDS, interventions=under(wrong))
    if family not in NO_ATTENTION:
        block = blocks_of(engine, "head")[0]
        beyond = under(change(Zero(), [block], TOUCHED, site="head", heads=[4]))
        with pytest.raises(InvalidRequest, match="heads 0 to 3"):
            engine.read(IDS, interventions=beyond)


def test_a_dose_curve_is_the_run_at_each_strength(engine: NnsightEngine) -> None:
    wanted = DoseWanted(
        under(change(Add(MADRID, 9.0), [1, 2], TOUCHED)), (-0.5, 0.0, 0.7), (17, 23), N - 2, True
    )
    found = list(engine.dosing(IDS, wanted))[-1]
    assert isinstance(found, Dose)
    assert found.control is not None
    for column, strength in enumerate(wanted.strengths):
        for curves, direction in ((found.found, MADRID), (found.control, RandomDirection(0))):
            run = fresh(engine).read(
                IDS,
                layers=[3],
                positions=[N - 2],
                targets=[17, 23],
                interventions=under(change(Add(direction, strength), [1, 2], TOUCHED)),
            )
            expected = run.target_probability[:, 0, 0]
            assert curves.probability[:, column] == pytest.approx(expected, abs=1e-5)
            assert np.exp(curves.logprob_nats) == pytest.approx(curves.probability)
            assert curves.rank[:, column].tolist() == run.target_rank[:, 0, 0].tolist()
            if strength == 0:
                plain = fresh(engine).read(IDS, positions=[N - 2], targets=[17, 23])
                assert np.array_equal(
                    curves.probability[:, column], plain.target_probability[:, -1, 0]
                )
    touched = [position for position in TOUCHED if position <= N - 2]
    assert found.fired == (2 * len(touched),)


def test_a_dose_curve_runs_only_what_is_touched_again(engine: NnsightEngine) -> None:
    if not isinstance(engine.decoder.new_cache(), GrowingCache) or engine._store.reuse != "chunks":
        return
    engine.read(IDS)
    before = engine.computed_tokens()
    strengths = (0.1, 0.2, 0.3, 0.4)
    wanted = DoseWanted(
        under(change(Add(MADRID, 1.0), [1], [N - 2])), strengths, (17,), N - 1, False
    )
    list(engine.dosing(IDS, wanted))
    assert engine.computed_tokens() - before == 2 * len(strengths)
    assert same_bits(engine.read(IDS), fresh(engine).read(IDS))


def test_the_module_that_is_named_for_a_site_is_the_one_that_is_changed(
    engine: NnsightEngine,
) -> None:
    for site in ("attn", "mlp", "head"):
        named = engine.facts.site_modules[site]
        assert len(named) == engine.facts.n_layers
        has_site = [block for block, path in enumerate(named, start=1) if path is not None]
        assert has_site == blocks_of(engine, site)
        for block in has_site[:1]:
            changed = streams(fresh(engine), under(change(Zero(), [block], range(N), site=site)))
            path = f"{engine.decoder.structure.block_paths[block - 1]}.{named[block - 1]}"
            module = engine.decoder.model.get_submodule(path)
            with zeroing(module, is_given=site == "head"):
                expected = streams(fresh(engine))
            np.testing.assert_allclose(changed, expected, atol=1e-5)
            assert not np.allclose(changed, streams(fresh(engine)), atol=1e-3)


@contextmanager
def zeroing(module: nn.Module, *, is_given: bool) -> Iterator[None]:
    """Makes what a module gives, or is given, zero."""

    def before(_module: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (torch.zeros_like(args[0]), *args[1:])

    def after(_module: nn.Module, _args: object, output: Any) -> Any:
        if isinstance(output, tuple):
            return (torch.zeros_like(output[0]), *output[1:])
        return torch.zeros_like(output)

    hook = (
        module.register_forward_pre_hook(before)
        if is_given
        else module.register_forward_hook(after)
    )
    yield
    hook.remove()
