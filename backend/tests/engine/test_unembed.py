"""Read-outs: bounds, chunks, arguments and bad numbers."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch
import transformers

from app.engine.engine import NnsightEngine
from app.engine.metrics import BLOCK_BYTES, LogitsReader
from app.engine.packing import PackedProduct, pack
from app.engine.types import LensColumns, Wanted
from app.engine.unembed import (
    Unembedding,
    bytes_of_rows,
    default_readout_bytes,
    rows_per_chunk,
)
from app.errors import (
    ContextExceeded,
    EmptyPrompt,
    LayerOutOfRange,
    ModelComputationError,
    OutOfMemory,
    PositionOutOfRange,
    UnknownToken,
)
from tests.engine.reference import PlainModel
from tests.engine.small_models import (
    D_VOCAB,
    N_CTX,
    count_rows,
    engine_of,
    fresh,
    greedy,
    random_ids,
)

IDS = random_ids(20, seed=11)
N_LAYERS = 3


def assert_equal(one: LensColumns, two: LensColumns) -> None:
    """Equal to rounding: rows decoded in another company may round otherwise in the last bit."""
    for field in dataclasses.fields(LensColumns):
        a, b = getattr(one, field.name), getattr(two, field.name)
        if isinstance(a, np.ndarray) and a.dtype == np.float32:
            np.testing.assert_allclose(a, b, atol=1e-6, rtol=1e-5, err_msg=field.name)
        else:
            np.testing.assert_array_equal(a, b, err_msg=field.name)


CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("d_vocab", "readout_bytes", "row_multiple", "rows"),
    [
        (50_257, 64 * 2**20, 16, 128),
        (50_257, 64 * 2**20, 1, 135),
        (50_257, 512 * 2**20, 1, 208),
        (50_257, 2**20, 1, 1),
        (50_257, 2**10, 16, 1),
        (1_000, 2**20, 16, 64),
        (10_000, 2**20, 16, 6),
        (262_144, 64 * 2**20, 16, 16),
        (262_144, 64 * 2**20, 1, 26),
    ],
)
def test_a_chunk_stays_within_its_bytes(
    d_vocab: int, readout_bytes: int, row_multiple: int, rows: int
):
    assert rows_per_chunk(d_vocab, readout_bytes, CPU, row_multiple) == rows
    logits = 4 * d_vocab * rows
    assert rows == 1 or 2 * logits + 2 * min(logits, BLOCK_BYTES) <= readout_bytes


def test_a_gpu_takes_what_the_memory_holds():
    assert rows_per_chunk(50_257, 2**30, torch.device("cuda"), 16) == 2624


@pytest.mark.parametrize("row_multiple", [1, 16])
@pytest.mark.parametrize(
    ("d_vocab", "n_layers"),
    [(262_144, 18), (262_144, 62), (151_936, 24), (151_936, 94), (128_256, 80), (256_000, 64)],
)
def test_by_default_all_layers_of_a_token_are_one_chunk_at_full_speed(
    d_vocab: int, n_layers: int, row_multiple: int
):
    """With 262,144 ids a chunk was 16 rows, fewer than the 19 of a token: each product ran three times."""
    readout_bytes = default_readout_bytes(d_vocab, n_layers, row_multiple)
    rows = rows_per_chunk(d_vocab, readout_bytes, CPU, row_multiple)
    assert max(n_layers + 1, 64) <= rows < max(n_layers + 1, 64) + 64
    assert bytes_of_rows(rows, d_vocab) <= readout_bytes <= 220 * 2**20


def test_the_default_bound_is_64_mib_where_that_is_enough():
    assert default_readout_bytes(50_257, 12, 1) == 64 * 2**20


def test_memory_of_a_read_stays_within_its_bound_for_a_large_vocabulary():
    """The buffers took two arrays of all layers of a token, however large the vocabulary."""
    d_vocab, n_rows = 262_144, 19
    reader = LogitsReader(d_vocab, CPU)
    logits = torch.zeros(3, n_rows, d_vocab)
    reader.read(logits, torch.zeros(1, 3, dtype=torch.long), 5)
    assert 2 * logits.nbytes + reader.n_bytes <= bytes_of_rows(3 * n_rows, d_vocab)


LARGE_VOCABULARY = {
    "vocab_size": 262_144,
    "n_embd": 8,
    "n_layer": 18,
    "n_head": 2,
    "n_positions": 16,
}


def test_a_reply_of_a_large_vocabulary_is_read_in_the_pass_that_generates_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """One product for each token of a reply: the first is decoded from the prompt's last stream."""
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**LARGE_VOCABULARY)).eval()
    pack(model, model.lm_head, "unembedding")
    engine = engine_of(model, readout_bytes=None)
    assert caplog.text == ""
    monkeypatch.setattr(engine.vocabulary, "token_bytes", lambda _: b"x")
    products: list[int] = []
    multiply = PackedProduct.__call__

    def counted(product: PackedProduct, x: torch.Tensor) -> torch.Tensor:
        products.append(x.shape[:-1].numel())
        return multiply(product, x)

    monkeypatch.setattr(PackedProduct, "__call__", counted)
    wanted = Wanted(tuple(range(19)))
    items = list(engine.generate([3, 4], greedy(4), wanted=wanted))
    assert sum(isinstance(item, LensColumns) for item in items) == 4
    assert products == [19] * 4


def test_a_bound_that_holds_less_than_a_token_is_logged(
    loaded_gpt2: NnsightEngine, caplog: pytest.LogCaptureFixture
):
    Unembedding(loaded_gpt2._decoder, 97 * 4 * 4 * 3)
    assert (
        "EXPLORER_READOUT_BYTES=4656 holds 3 of the 4 layers of a token (97 ids): each reply takes "
        "several passes over the unembedding. 24832 bytes hold all of them" in caplog.text
    )


@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 4, 5, 7, 16, 1000])
def test_chunks_change_nothing_and_are_never_larger(
    engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch, chunk_rows: int
):
    expected = engine.read(IDS, targets=[5, 6])
    decoded = count_rows(engine, monkeypatch)
    engine._unembedding.chunk_rows = chunk_rows
    assert_equal(engine.read(IDS, targets=[5, 6]), expected)
    assert max(decoded) <= chunk_rows
    assert sum(decoded) == 20 * (N_LAYERS + 1)


def test_one_cell_equals_the_same_cell_of_all(engine: NnsightEngine):
    every = engine.read(IDS, targets=[7])
    for layer, position in itertools.product((0, 2, 3), (0, 8, 19)):
        one = engine.read(IDS, layers=[layer], positions=[position], targets=[7])
        at = (slice(layer, layer + 1), slice(position, position + 1))
        expected_scores = tuple(s for s in every.scores if s.index == position + 1)
        assert one.scores == expected_scores
        assert_equal(
            one,
            LensColumns(
                (layer,),
                (position,),
                *(getattr(every, f.name)[at] for f in dataclasses.fields(LensColumns)[2:9]),
                (7,),
                every.target_probability[:, at[0], at[1]],
                every.target_rank[:, at[0], at[1]],
                expected_scores,
            ),
        )


def test_layers_and_positions_keep_their_order(engine: NnsightEngine):
    every = engine.read(IDS)
    picked = engine.read(IDS, layers=[3, 0, 3, 1], positions=[7, 2])
    assert picked.layers == (3, 0, 3, 1)
    expected = every.top_ids[[3, 0, 3, 1]][:, [7, 2]]
    np.testing.assert_array_equal(picked.top_ids, expected)


def test_the_full_distribution_sums_to_one_in_order(engine: NnsightEngine):
    columns = engine.read(IDS, top_k=10_000)
    assert columns.top_ids.shape == (N_LAYERS + 1, 20, D_VOCAB)
    np.testing.assert_allclose(columns.top_probabilities.sum(-1), 1.0, atol=1e-5)
    assert (np.diff(columns.top_probabilities) <= 0).all()
    assert (columns.top_ranks == np.arange(1, D_VOCAB + 1)).all()
    assert (np.sort(columns.top_ids) == np.arange(D_VOCAB)).all()


def test_kl_is_zero_in_the_last_row_only(engine: NnsightEngine):
    """Zero is written there; what is computed is zero but for rounding."""
    columns = engine.read(IDS)
    assert (columns.kl_to_final_nats[-1] == 0).all()
    assert (columns.kl_to_final_nats[:-1] > 1e-3).all()
    with torch.inference_mode():
        logits = engine.decoder.full_logits(IDS)
        tokens = torch.zeros(1, len(IDS), dtype=torch.long)
        numbers = engine._unembedding.reader.read(logits[:, None].clone(), tokens, 1)
        again = engine._unembedding.reader.read(
            logits[:, None].expand(-1, 2, -1).contiguous(), tokens, 1
        )
    assert float(numbers.kl_to_final_nats.abs().max()) <= 2e-6
    assert float(again.kl_to_final_nats.abs().max()) <= 2e-6


def test_nothing_follows_the_last_token(engine: NnsightEngine):
    columns = engine.read(IDS)
    assert np.isnan(columns.next_probability[:, -1]).all()
    assert (columns.next_rank[:, -1] == 0).all()
    assert not np.isnan(columns.next_probability[:, :-1]).any()
    assert (columns.next_rank[:, :-1] >= 1).all()


def test_only_the_passes_that_matter_are_run(
    engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.engine.residuals.PREFILL_TOKENS", 6)
    tokens = engine.computed_tokens()
    engine.read(IDS, positions=[4])
    assert engine.computed_tokens() - tokens == 6


def test_a_read_comes_in_chunks_in_the_order_asked_for(engine: NnsightEngine):
    engine._unembedding.chunk_rows = 8
    asked = [9, 2, 0, 5, 7]
    chunks = [chunk for chunk in engine.reading(IDS, asked, Wanted((3, 0, 1, 2))) if chunk]
    assert [chunk.positions for chunk in chunks] == [(9, 2), (0, 5), (7,)]


def test_the_model_scores_the_tokens_whatever_layers_are_read(
    engine: NnsightEngine, plain_gpt2: PlainModel
):
    log_p = plain_gpt2.logits(IDS).double().log_softmax(-1)
    scores = engine.read(IDS, layers=[1], positions=[0, 7, 19]).scores
    assert [score.index for score in scores] == [1, 8]
    for score in scores:
        row = log_p[score.index - 1]
        assert score.token_id == IDS[score.index]
        assert score.logprob_nats == pytest.approx(float(row[score.token_id]), abs=1e-4)
        assert score.entropy_nats == pytest.approx(float(-(row.exp() * row).sum()), abs=1e-4)
        assert score.rank == 1 + int((row > row[score.token_id]).sum())


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (EmptyPrompt, {"ids": []}, "no tokens"),
        (UnknownToken, {"ids": [3, 97]}, r"no token 97 \(at position 1\)"),
        (ContextExceeded, {"ids": [3] * (N_CTX + 1)}, "65 tokens; small reads at most 64"),
        (LayerOutOfRange, {"layers": [4]}, "no layer 4: small has layers 0 to 3"),
        (LayerOutOfRange, {"layers": [-1]}, "no layer -1"),
        (PositionOutOfRange, {"positions": [20]}, "no position 20 here"),
        (UnknownToken, {"targets": [97]}, "no token 97"),
    ],
)
def test_what_is_not_there_is_refused(
    engine: NnsightEngine, error: type[Exception], arguments: dict, message: str
):
    with pytest.raises(error, match=message):
        engine.read(**({"ids": IDS} | arguments))


def test_a_text_as_long_as_the_context_is_read(engine: NnsightEngine):
    columns = engine.read(random_ids(N_CTX))
    assert columns.entropy_nats.shape == (N_LAYERS + 1, N_CTX)


def test_bad_weights_are_named_by_layer_and_position(loaded_gpt2: NnsightEngine):
    expected = fresh(loaded_gpt2).read(IDS)
    engine = fresh(loaded_gpt2)
    block = engine._decoder.structure.blocks[1]
    weight = block.mlp.c_proj.weight
    kept = weight.detach().clone()
    with torch.no_grad():
        weight[3] = float("nan")
    try:
        with pytest.raises(ModelComputationError, match=r"layer 2 \(after block 2\), position 0"):
            engine.read(IDS)
        assert len(engine._store) == 1
        assert engine._store.n_bytes <= engine._store.max_bytes
    finally:
        with torch.no_grad():
            weight.copy_(kept)
    assert_equal(engine.read(IDS), expected)


def test_a_bad_unembedding_is_named_by_layer_and_position(engine: NnsightEngine):
    engine.read(IDS)
    norm = engine._decoder._model.transformer.ln_f.weight
    kept = norm.detach().clone()
    with torch.no_grad():
        norm[0] = float("inf")
    try:
        with pytest.raises(ModelComputationError, match="read at layer 3, position 2"):
            engine.read(IDS, positions=[2, 5])
    finally:
        with torch.no_grad():
            norm.copy_(kept)


def test_failed_allocations_are_typed(engine: NnsightEngine, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        torch.empty(2**60)

    monkeypatch.setattr(engine._decoder, "decode", fail)
    with pytest.raises(OutOfMemory, match="reading this text"):
        engine.read(IDS)
