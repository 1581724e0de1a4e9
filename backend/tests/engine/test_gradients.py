"""Residual streams and tail with gradients, for every family the engine is tested on."""

from __future__ import annotations

import pytest
import torch

from app.engine.engine import NnsightEngine
from app.engine.gradients import HookedDecoder, measured_gradients
from app.engine.structure import find_structure
from tests.engine.reference import PlainModel
from tests.engine.small_models import FAMILIES, Family, engine_of, random_ids, random_model

TEXTS = (random_ids(12, seed=4), random_ids(12, seed=5))


class Loaded:
    """One family behind the engine, whose check has run, and the same model without it."""

    def __init__(self, family: Family) -> None:
        model = random_model(family.config()).requires_grad_(False)
        self.plain = PlainModel(model, family.blocks)
        self.engine: NnsightEngine = engine_of(model)
        decoder = self.engine.decoder
        self.decoder = HookedDecoder(decoder.model, decoder.structure)

    def last_rows(self) -> torch.Tensor:
        """Of both texts, `[rows, d_model]`."""
        with torch.no_grad():
            return self.decoder.residual_streams(torch.tensor(TEXTS))[-1].flatten(0, 1)


@pytest.fixture(scope="module", params=FAMILIES)
def loaded(request: pytest.FixtureRequest) -> Loaded:
    return Loaded(FAMILIES[request.param])


def test_streams_are_those_of_the_plain_model(loaded: Loaded) -> None:
    with torch.no_grad():
        streams = loaded.decoder.residual_streams(torch.tensor(TEXTS))

    assert len(streams) == loaded.decoder.n_layers + 1
    for i, ids in enumerate(TEXTS):
        for stream, expected in zip(streams, loaded.plain.residuals(ids), strict=True):
            # Rounding of float32 in another order, in proportion to the stream.
            tolerance = 1e-5 * float(expected.abs().max())
            torch.testing.assert_close(stream[i], expected[0], atol=tolerance, rtol=0)


def test_tail_of_the_last_rows_gives_the_models_logits(loaded: Loaded) -> None:
    with torch.no_grad():
        logits = loaded.decoder.decode(loaded.last_rows())

    expected = torch.cat([loaded.plain.logits(ids) for ids in TEXTS])
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=0)


def test_tail_of_middle_rows_gives_the_logits_of_a_model_that_ends_there(loaded: Loaded) -> None:
    stream = loaded.plain.residuals(TEXTS[0])[1]

    with torch.no_grad():
        logits = loaded.decoder.decode(stream[0])

    expected = loaded.plain.lens_logits(TEXTS[0], stream)
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=0)


def test_gradient_of_the_tail_is_its_slope(loaded: Loaded) -> None:
    rows = loaded.last_rows()[:4].requires_grad_()
    weights = torch.randn(4, 97, generator=torch.Generator().manual_seed(6))
    direction = torch.randn(rows.shape, generator=torch.Generator().manual_seed(7))

    def value(at: torch.Tensor) -> torch.Tensor:
        return (loaded.decoder.decode(at) * weights).sum()

    (gradient,) = torch.autograd.grad(value(rows), rows)

    with torch.no_grad():
        step = 1e-2
        slope = (value(rows + step * direction) - value(rows - step * direction)) / (2 * step)
    # A central difference is off by the square of the step, and by rounding of float32 logits.
    assert float((gradient * direction).sum()) == pytest.approx(float(slope), rel=2e-2, abs=1e-2)


def test_gradients_reach_every_layer_and_no_parameter(loaded: Loaded) -> None:
    *sources, target = loaded.decoder.residual_streams(torch.tensor(TEXTS))

    gradients = torch.autograd.grad(target[0, -1].sum(), sources)

    for gradient in gradients:
        assert bool(gradient[0].any())
        assert not bool(gradient[1].any()), "a text must not depend on another"
    assert all(parameter.grad is None for parameter in loaded.decoder.model.parameters())


def test_a_block_that_works_in_place_does_not_change_what_was_read() -> None:
    model = random_model(FAMILIES["gpt2"].config()).requires_grad_(False)
    plain = PlainModel(model, "transformer.h")
    decoder = HookedDecoder(model, find_structure(model))
    last = model.get_submodule("transformer.h")[-1]
    last.register_forward_pre_hook(lambda _block, args: (args[0].zero_(), *args[1:]))

    with torch.no_grad():
        streams = decoder.residual_streams(torch.tensor(TEXTS))

    expected = plain.residuals(TEXTS[0])[2]
    torch.testing.assert_close(streams[2][0], expected[0], atol=1e-4, rtol=0)


def test_the_model_is_left_as_it_was(loaded: Loaded) -> None:
    before = loaded.engine.decoder.full_logits(TEXTS[0])

    loaded.last_rows()
    loaded.decoder.decode(torch.zeros(3, loaded.decoder.d_model))

    assert torch.equal(loaded.engine.decoder.full_logits(TEXTS[0]), before)


def test_what_is_offered_was_measured(loaded: Loaded) -> None:
    found = loaded.engine.facts.capabilities.gradients
    assert found.is_available, found.reason
    assert found.max_abs_diff is not None
    assert found.max_abs_diff <= 1e-4


@pytest.mark.parametrize(
    ("offset", "slope", "words"), [(0.01, 1.0, "its logits differ"), (0.0, 1.2, "off what a small")]
)
def test_a_way_that_gives_other_numbers_is_refused(
    offset: float,
    slope: float,
    words: str,
    loaded_gpt2: NnsightEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = HookedDecoder.decode

    def wrong(self: HookedDecoder, rows: torch.Tensor) -> torch.Tensor:
        logits = own(self, rows)
        return logits.detach() + slope * (logits - logits.detach()) + offset

    monkeypatch.setattr(HookedDecoder, "decode", wrong)
    found = measured_gradients(loaded_gpt2.decoder, TEXTS[0])
    assert not found.is_available
    assert words in (found.reason or "")
