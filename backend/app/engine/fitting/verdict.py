"""How near a fitted lens comes to the model on text that it was not fitted to, beside controls.

A lens that is no better than what needs no fitting has learned nothing. The controls are the logit
lens; the logit lens with its logits scaled, for a lens may win by being less sure of everything (a
scaled stream would be no control: the final norm takes its length away); and the fitted maps in other
layers than their own, for one map could suit all. The scale is chosen on the very text that is judged,
which favours the control.

Rows and logits come from the engine, as when the server shows a lens, not from the code that fits.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Literal

import torch

from app.engine.capture import TracedDecoder
from app.engine.fitting.types import LayerVerdict, LensVerdict
from app.engine.lenses import Lens
from app.engine.metrics import exponentials_of

SCALES = (1.0, 0.8, 0.6, 0.45, 0.3, 0.2, 0.1, 0.05)
SURE = 2.0
"""Standard errors of the paired difference by which a lens must be better."""
CHUNK_BYTES = 2**24
ROWS_OF_SEQUENCE = 4
WORK = 2e8
"""Rows x layers x tokens of the vocabulary, about."""
RUNS_SHARE = 0.2
"""Of the progress: running the text."""
MIN_ROWS, MAX_ROWS = 96, 256

Control = Literal["logit", "scaled", "permuted", "in_use"]


def n_rows_for(decoder: TracedDecoder) -> int:
    """Held-out positions to judge on: fewer for a large vocabulary."""
    return max(MIN_ROWS, min(MAX_ROWS, int(WORK / (decoder.d_vocab * decoder.n_layers))))


def judging(
    decoder: TracedDecoder,
    sequences: torch.Tensor,
    lens: Lens,
    in_use: Lens | None,
) -> Generator[float, None, LensVerdict]:
    """Verdict on `lens` over positions of `sequences` (int64 `[sequences, positions]`), in short turns.

    Yields the share that is done. `in_use`: a lens of the same kind that the model has already.
    """
    n_layers = decoder.n_layers
    wanted = n_rows_for(decoder)
    found: dict[str, list[list[torch.Tensor]]] = {
        name: [[] for _ in range(n_layers)] for name in ("lens", "scaled", "permuted", "in_use")
    }
    sequences = sequences[: -(-wanted // ROWS_OF_SEQUENCE)]
    of_each = -(-wanted // len(sequences))
    chosen = []
    for number, ids in enumerate(sequences.tolist()):
        draw = torch.Generator().manual_seed(number)
        # The first token predicts without a context.
        places = 1 + torch.randperm(len(ids) - 1, generator=draw)[:of_each]
        rows = decoder.empty_rows(len(ids))
        with torch.inference_mode():
            decoder.forward(ids, None, rows)
        chosen.append(rows[places])
        yield RUNS_SHARE * (number + 1) / len(sequences)
    rows = torch.cat(chosen)  # [positions, n_layers + 1, d_model]
    n_done = 0
    for chunk in torch.split(rows, max(1, CHUNK_BYTES // (4 * decoder.d_vocab))):
        here = chunk.to(decoder.device)
        with torch.inference_mode():
            log_p = decoder.decode(here[:, -1]).log_softmax(-1)
            p = exponentials_of(log_p)
            entropy = -torch.einsum("rv,rv->r", p, log_p)
        share = RUNS_SHARE + (1 - RUNS_SHARE) * n_done / (len(rows) * n_layers)
        yield share
        for layer in range(n_layers):
            other = (layer + max(1, n_layers // 2)) % n_layers
            with torch.inference_mode():
                stream = here[:, layer]
                logits = decoder.decode(stream)
                by_scale = [_kl(p, entropy, scale * logits) for scale in SCALES]
                found["scaled"][layer].append(torch.stack(by_scale, dim=1))
            yield share
            with torch.inference_mode():
                maps: dict[Control | Literal["lens"], torch.Tensor] = {
                    "lens": lens(stream, layer),
                    "permuted": lens(stream, other),
                }
                if in_use is not None:
                    maps["in_use"] = in_use(stream, layer)
            for name, mapped in maps.items():
                with torch.inference_mode():
                    found[name][layer].append(_kl(p, entropy, decoder.decode(mapped)))
                yield share
            n_done += len(chunk)
            share = RUNS_SHARE + (1 - RUNS_SHARE) * n_done / (len(rows) * n_layers)
    layers = tuple(
        _of_layer(layer, {name: of[layer] for name, of in found.items() if of[layer]})
        for layer in range(n_layers)
    )
    return LensVerdict(layers=layers, n_positions=len(rows))


def _kl(p: torch.Tensor, entropy: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """KL(final ‖ lens) in nats, `[rows]`."""
    expected = torch.einsum("rv,rv->r", p, logits)
    peaks = logits.amax(-1, keepdim=True)
    log_totals = peaks[:, 0] + exponentials_of(logits - peaks).sum(-1).log()
    return (log_totals - expected - entropy).clamp(min=0).double().cpu()


def _of_layer(layer: int, chunks: Mapping[str, Sequence[torch.Tensor]]) -> LayerVerdict:
    kls = {name: torch.cat(list(parts)) for name, parts in chunks.items()}
    by_scale = kls["scaled"]  # [rows, scales]
    best = int(by_scale.mean(dim=0).argmin())
    controls = {"logit": by_scale[:, 0], "scaled": by_scale[:, best], "permuted": kls["permuted"]}
    lens = kls["lens"]
    return LayerVerdict(
        layer=layer,
        kl_nats=float(lens.mean()),
        logit_kl_nats=float(controls["logit"].mean()),
        scaled_kl_nats=float(controls["scaled"].mean()),
        scale=SCALES[best],
        permuted_kl_nats=float(controls["permuted"].mean()),
        in_use_kl_nats=float(kls["in_use"].mean()) if "in_use" in kls else None,
        standard_error_nats=_standard_error(controls["logit"] - lens),
        beats_controls=all(_is_less(lens, control) for control in controls.values()),
    )


def _is_less(lens: torch.Tensor, control: torch.Tensor) -> bool:
    """Whether the lens is nearer to the model by more than chance gives, position by position."""
    gain = control - lens
    return float(gain.mean()) > SURE * _standard_error(gain)


def _standard_error(differences: torch.Tensor) -> float:
    return float(differences.std() / len(differences) ** 0.5) if len(differences) > 1 else 0.0
