"""What is measured. Each function gives figures; their names are what `results.json` is read by."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.processes import (
    References,
    Server,
    Texts,
    Turn,
    busy_processes,
    memory_peak,
    resident_mb,
)
from bench.report import Bar, Figure, at_least, at_most, figure

STORE_MB = 512
"""The store's bound by default."""
COMPARED_TOKENS = 256
"""Positions of each side of a comparison; all layers of each."""

MAP_LAYERS = 12
MAP_TOKENS = 20
"""Rows and columns of a causal map; the last layer is left out, of which nothing has to be run."""


@dataclass(frozen=True)
class Expected:
    """What is asked of one model, and how its figures are called."""

    prefix: str = ""
    """What the names of its figures begin with: nothing for the model that most are of."""
    reply_over_generate: float = 1.30
    click_ms: float | None = 60
    """Null where one product with the unembedding is the floor."""
    read_tokens: int = 1000
    """Length of the conversation whose heatmap is read."""
    other_lenses: bool = True
    """Whether replies are compared with lenses of other libraries, which are written for GPT-2."""


@dataclass
class Subjects:
    """What is compared, for one model."""

    server: Server
    references: References
    texts: Texts
    repeats: int
    expected: Expected = Expected()
    server_in: Callable[[str], Server] | None = None
    """Starts another server of the same model, in a dtype."""

    @property
    def prefix(self) -> str:
        return self.expected.prefix


def reply(subjects: Subjects) -> Iterator[Figure]:
    """A reply of 64 tokens with its lens, against plain `generate` of the same prompt."""
    prefix = subjects.prefix
    whole, first, alone, lengths = [], [], [], []
    extra: list[float] = []
    hooked: list[float] = []
    for n in range(subjects.repeats + 1):
        turn = long_reply(subjects)
        plain = subjects.references.ask("generate", ids=turn.prompt_ids, n=64)
        one = subjects.references.ask("generate", ids=turn.prompt_ids, n=1)
        without = long_reply(subjects, scope="none")
        others = {}
        if subjects.expected.other_lenses:
            others = {
                name: subjects.references.ask(name, ids=turn.prompt_ids, n=64)["seconds"]
                for name in ("nnsight_lens", "transformer_lens")
            }
        if n == 0:
            continue  # the first of everything pays for its start
        for samples, name in ((extra, "nnsight_lens"), (hooked, "transformer_lens")):
            if others.get(name) is not None:
                samples.append(others[name] / turn.seconds)
        whole.append(turn.seconds / plain["seconds"])
        first.append(turn.first_token_s / one["seconds"])
        alone.append(turn.seconds / without.seconds)
        lengths.append((plain["seconds"], one["seconds"]))
    generate_s, one_s = (statistics.median(column) for column in zip(*lengths, strict=True))
    yield figure(
        f"{prefix}reply_with_lens_over_generate",
        whole,
        "ratio",
        f"Hugging Face generate of 64 tokens: {generate_s:.2f} s",
        at_most(subjects.expected.reply_over_generate),
    )
    yield figure(
        f"{prefix}first_token_over_generate",
        first,
        "ratio",
        f"Hugging Face generate of 1 token: {1000 * one_s:.0f} ms",
        at_most(1.10),
    )
    yield figure(
        f"{prefix}reply_with_lens_over_without",
        alone,
        "ratio",
        "our own reply without a lens",
    )
    if extra:
        yield figure(
            f"{prefix}reply_speedup_over_nnsight_lens",
            extra,
            "times",
            "nnsight's documented logit lens after generate, top-1 only",
        )
    if hooked:
        yield figure(
            f"{prefix}reply_speedup_over_transformer_lens",
            hooked,
            "times",
            "TransformerLens: generate, run_with_cache, logit lens of all layers, top-1 only",
        )


def long_reply(
    subjects: Subjects, scope: str = "reply", interventions: Sequence[object] = ()
) -> Turn:
    """A reply of 64 tokens to a new text; a trained model ends some replies before."""
    for _ in range(50):
        text = subjects.texts.text(32)
        turn = subjects.server.turn(text, 64, scope=scope, interventions=interventions)
        assert turn.n_readouts == (len(turn.reply_ids) if scope == "reply" else 0)
        if len(turn.reply_ids) == 64:
            return turn
    raise RuntimeError("The model ends every reply before its 64th token.")


def steering(subjects: Subjects) -> Iterator[Figure]:
    """The same reply with a vector added at two layers, and plain."""
    push = {
        "site": "resid",
        "layers": [6, 7],
        "positions": "reply",
        "op": {"kind": "add", "direction": {"kind": "random", "seed": 1}, "strength": 0.1},
    }
    ratios, lengths = [], []
    for n in range(subjects.repeats + 1):
        plain = long_reply(subjects)
        steered = long_reply(subjects, interventions=[push])
        if n:
            ratios.append(steered.seconds / plain.seconds)
            lengths.append(plain.seconds)
    yield figure(
        f"{subjects.prefix}steered_reply_over_plain",
        ratios,
        "ratio",
        f"a plain reply of 64 tokens with its lens: {statistics.median(lengths):.2f} s",
        at_most(1.10),
    )


def beside_busy(subjects: Subjects) -> Iterator[Figure]:
    """The same reply beside busy processes, one for each core, and alone."""
    n_busy = len(os.sched_getaffinity(0))
    ratios, lengths = [], []
    for n in range(subjects.repeats + 1):
        alone = long_reply(subjects)
        with busy_processes(n_busy):
            beside = long_reply(subjects)
        if n:
            ratios.append(beside.seconds / alone.seconds)
            lengths.append(alone.seconds)
    yield figure(
        f"{subjects.prefix}reply_beside_busy_over_alone",
        ratios,
        "ratio",
        f"a reply of 64 tokens with its lens alone: {statistics.median(lengths):.2f} s;"
        f" beside it {n_busy} processes that never wait",
        at_most(3.5),
    )


def conversation(subjects: Subjects) -> Iterator[Figure]:
    """Eight turns that reach 800 tokens, the lens of every token read once."""
    server, references = subjects.server, subjects.references
    idle, reference_idle = resident_mb(server.pid), resident_mb(references.pid)
    ratios, peaks, reference_peaks, reference_seconds = [], [], [], []
    for _ in range(max(1, subjects.repeats // 2)):
        texts = [subjects.texts.text(60) for _ in range(8)]
        name, seconds, prompts = None, 0.0, []
        with memory_peak(server.pid) as peak:
            for text in texts:
                turn = server.turn(text, 40, conversation_id=name)
                name = turn.conversation_id
                # The reply came with its lens; what the person wrote is read now.
                took, _ = server.read(
                    conversation_id=name,
                    positions=[max(0, turn.turn_start - 1), len(turn.prompt_ids) - 1],
                    top_k=5,
                )
                seconds += turn.seconds + took
                prompts.append(turn.prompt_ids)
        plain = 0.0
        with memory_peak(references.pid) as reference_peak:
            for ids in prompts:
                plain += references.ask("notebook", ids=ids, n=40)["seconds"]
        ratios.append(plain / seconds)
        peaks.append(peak[0] - idle)
        reference_peaks.append(reference_peak[0] - reference_idle)
        reference_seconds.append(plain)
    yield figure(
        "conversation_speedup_over_notebook",
        ratios,
        "times",
        "generate, then a pass with hidden states and a softmax per layer, each turn:"
        f" {statistics.median(reference_seconds):.0f} s",
        at_least(5),
    )
    yield figure("conversation_peak_mb", peaks, "MB", "the server's memory when idle", at_most(400))
    yield figure("notebook_peak_mb", reference_peaks, "MB", "the notebook's memory when idle")


def reading(subjects: Subjects) -> Iterator[Figure]:
    """A click, and the whole heatmap, in a conversation of 1,000 tokens (100 of a large vocabulary)."""
    server, references = subjects.server, subjects.references
    size = subjects.expected.read_tokens
    # One more than is read: what the last token would predict was not asked for yet.
    name = stored_conversation(subjects, size + 1).conversation_id
    clicks = []
    passes = server.forward_passes()
    for n in range(220):
        position = 7 + n * 397 % (size - 10)
        took, _ = server.read(conversation_id=name, positions=[position, position + 1], top_k=5)
        clicks.append(1000 * took)
    clicks = clicks[20:]
    assert server.forward_passes() == passes, "a click ran the model"
    plain, packed, products = [], [], []
    for n in range(subjects.repeats + 1):
        took, answer = server.read(conversation_id=name, positions=[0, size], top_k=1)
        n_layers = len(answer["layers"])
        assert np.array(answer["top_ids"]).shape == (n_layers, size, 1)
        product = references.ask("product", rows=n_layers * size, at_once=size)
        if n:
            plain.append(product["seconds"] / took)
            packed.append(product["packed_seconds"] / took)
            products.append(product["seconds"])
    assert server.forward_passes() == passes, "a heatmap ran the model"
    yield p95_figure(
        f"{subjects.prefix}click_p95_ms",
        clicks,
        f"none; median {statistics.median(clicks):.0f} ms, no forward pass",
        None if subjects.expected.click_ms is None else at_most(subjects.expected.click_ms),
    )
    yield figure(
        f"{subjects.prefix}heatmap_over_matmul",
        plain,
        "ratio of speeds",
        f"a bare float32 product of that size: {statistics.median(products):.2f} s",
        at_least(0.75),
    )
    yield figure(
        f"{subjects.prefix}heatmap_over_packed_matmul",
        packed,
        "ratio of speeds",
        "the same product with packed weights, which is what the heatmap uses",
    )


def p95_figure(name: str, took_ms: Sequence[float], reference: str, bar: Bar | None) -> Figure:
    """The 95th percentile of times; `low` and `high` are the least and the most of its fifths."""
    fifths = [float(np.percentile(part, 95)) for part in np.array_split(np.array(took_ms), 5)]
    p95 = float(np.percentile(took_ms, 95))
    return Figure(name, p95, "ms", min(fifths), max(fifths), reference, bar)


def stored_conversation(subjects: Subjects, size: int) -> Turn:
    """The last turn of a conversation of at least `size` tokens."""
    turn = subjects.server.turn(subjects.texts.text(size - 61), 20)
    while len(turn.prompt_ids) + len(turn.reply_ids) < size:
        missing = size - len(turn.prompt_ids) - len(turn.reply_ids)
        turn = subjects.server.turn(
            " and", max(1, missing - 1), conversation_id=turn.conversation_id
        )
    return turn


def causes(subjects: Subjects) -> Iterator[Figure]:
    """Why a token was predicted, anywhere in a conversation of 1,000 tokens, against one decode step there."""
    turn = stored_conversation(subjects, 1000)
    ids = turn.prompt_ids + turn.reply_ids
    asked = {
        "attribution": ("/api/attribution", {"unit": "component"}, 100),
        "attribution_heads": ("/api/attribution", {"unit": "head"}, 150),
        "attention": ("/api/attention", {}, 60),
    }
    n_samples = 40 * subjects.repeats
    # The first ten pay for the start of everything.
    positions = [7 + n * 397 % (len(ids) - 10) for n in range(n_samples + 10)]
    steps = subjects.references.ask("steps", ids=ids, positions=positions)["each"][10:]
    step_ms = 1000 * statistics.median(steps)
    medians = {}
    for name, (path, question, bar) in asked.items():
        took = []
        for position in positions:
            seconds, answer = subjects.server.ask(
                path, conversation_id=turn.conversation_id, position=position, **question
            )
            assert answer["computed_tokens"] == 1, "more than one token was run"
            took.append(1000 * seconds)
        took = took[10:]
        medians[name] = statistics.median(took)
        yield p95_figure(
            f"{name}_p95_ms",
            took,
            f"median {medians[name]:.0f} ms; one plain decode step there: {step_ms:.0f} ms",
            at_most(bar),
        )
    yield figure(
        "attribution_over_step",
        [medians["attribution"] / step_ms],
        "ratio",
        f"one decode step of transformers behind a KV cache: {step_ms:.0f} ms",
        at_most(3),
    )


def patching(subjects: Subjects) -> Iterator[Figure]:
    """A causal map, against one whole pass a cell, and a reply beside one."""
    server, references = subjects.server, subjects.references
    rng = np.random.default_rng(0)

    def texts(n_tokens: int) -> tuple[list[int], list[int]]:
        """Two that differ in every token, so that every cell has to be run."""
        clean = rng.integers(1000, 2000, n_tokens)
        return clean.tolist(), (clean + 1000).tolist()

    layers = list(range(MAP_LAYERS))
    ratios, naive = [], []
    for n in range(subjects.repeats + 1):
        clean, corrupt = texts(MAP_TOKENS)
        started = time.perf_counter()
        job = server.follow(server.start_map(clean, corrupt, layers))
        took = time.perf_counter() - started
        assert job["result"]["n_done"] == MAP_LAYERS * MAP_TOKENS
        passes = references.ask("passes", ids=corrupt, n=MAP_LAYERS * MAP_TOKENS)
        if n:
            ratios.append(took / passes["seconds"])
            naive.append(passes["seconds"])
    yield figure(
        "patch_map_over_naive",
        ratios,
        "ratio",
        f"{MAP_LAYERS * MAP_TOKENS} whole passes over {MAP_TOKENS} tokens:"
        f" {statistics.median(naive):.1f} s",
        at_most(0.35),
    )
    beside, alone = [], []
    for n in range(2 * subjects.repeats + 1):
        alone_s = server.turn(subjects.texts.text(32), 1, scope="none").first_token_s
        job_id = server.start_map(*texts(200), layers)
        while server.job(job_id)["result"]["n_done"] == 0:
            time.sleep(0.01)
        beside_s = server.turn(subjects.texts.text(32), 1, scope="none").first_token_s
        assert server.job(job_id)["state"] == "running", "the job was over before the reply"
        server.cancel(job_id)
        if n:
            beside.append(beside_s / alone_s)
            alone.append(alone_s)
    yield figure(
        "first_token_beside_job",
        beside,
        "ratio",
        f"the first token of a prompt of 32 alone: {1000 * statistics.median(alone):.0f} ms;"
        " beside it a map of 200 tokens",
        at_most(2),
    )


def comparing(subjects: Subjects) -> Iterator[Figure]:
    """Two held timelines compared, against reading both with the lens, one after the other."""
    server, texts = subjects.server, subjects.texts
    sides = [{"prompt": texts.text(COMPARED_TOKENS + 1)} for _ in range(2)]
    span = [0, COMPARED_TOKENS]
    pairs = [[place, place] for place in range(COMPARED_TOKENS)]
    ratios, readings = [], []
    passes = 0
    for n in range(subjects.repeats + 1):
        apart = sum(server.read(**side, positions=span, top_k=1)[0] for side in sides)
        together, answer = server.compare(a=sides[0], b=sides[1], positions=pairs)
        assert np.array(answer["js_nats"]).shape == (len(answer["layers"]), COMPARED_TOKENS)
        if n == 0:
            passes = server.forward_passes()
            continue  # the first of everything runs the model
        ratios.append(together / apart)
        readings.append(apart)
    assert server.forward_passes() == passes, "a comparison of what is held ran the model"
    yield figure(
        f"{subjects.prefix}compare_over_reading_both",
        ratios,
        "ratio",
        f"/api/lens of both sides, top-1, the same positions: {statistics.median(readings):.2f} s",
    )


def turn_ten(subjects: Subjects) -> Iterator[Figure]:
    """The tenth turn of a conversation, until its first token, against a fresh prompt of its length."""
    ratios, fresh_times = [], []
    for n in range(subjects.repeats + 1):
        name = None
        for _ in range(9):
            turn = subjects.server.turn(subjects.texts.text(64), 8, conversation_id=name)
            name = turn.conversation_id
        tenth = subjects.server.turn(subjects.texts.text(64), 1, conversation_id=name)
        fresh = subjects.server.turn(subjects.texts.text(64), 1)
        if n:
            ratios.append(tenth.first_token_s / fresh.first_token_s)
            fresh_times.append(fresh.first_token_s)
    yield figure(
        "turn_ten_over_fresh",
        ratios,
        "ratio",
        f"a fresh prompt of 64 tokens: {1000 * statistics.median(fresh_times):.0f} ms",
        at_most(1.3),
    )


def linearity(subjects: Subjects) -> Iterator[Figure]:
    """Replies, and readings, of 100 to 1,000 tokens: time against tokens."""
    sizes = [100, 250, 400, 550, 700, 850, 1000]
    replies, readings, lengths = [], [], []
    for size in sizes:
        turn = subjects.server.turn(subjects.texts.text(16), size)
        replies.append(turn.seconds)
        # Without the last token, for which the model would have to run once more.
        n = min(1000, len(turn.prompt_ids) + size - 1)
        took = [
            subjects.server.read(conversation_id=turn.conversation_id, positions=[0, n], top_k=5)[0]
            for _ in range(3)
        ]
        readings.append(statistics.median(took))
        lengths.append(n)
    for name, x, y in (("reply", sizes, replies), ("reading", lengths, readings)):
        slope, intercept = np.polyfit(x, y, 1)
        residual = np.array(y) - (slope * np.array(x) + intercept)
        r2 = 1 - float((residual**2).sum() / ((np.array(y) - np.mean(y)) ** 2).sum())
        fit = f"{1000 * slope:.1f} ms a token + {1000 * intercept:.0f} ms"
        yield figure(f"{name}_linear_r2", [r2], "R²", f"a straight line: {fit}", at_least(0.98))


def at_rest(subjects: Subjects) -> Iterator[Figure]:
    """Memory of a server that has just loaded its model, against the weights that it uses."""
    weights = subjects.references.ask("weights")["bytes"] / 2**20
    yield figure(
        f"{subjects.prefix}memory_at_rest_over_weights",
        [resident_mb(subjects.server.pid) / weights],
        "ratio",
        f"the weights in use: {weights:.0f} MB",
        at_most(2.3),
    )


def bfloat16(subjects: Subjects) -> Iterator[Figure]:
    """Memory and speed of the model in bfloat16 against float32, of two servers asked in turn."""
    assert subjects.server_in is not None
    wide, narrow = subjects.server, subjects.server_in("bfloat16")
    try:
        of_wide, of_narrow = resident_mb(wide.pid), resident_mb(narrow.pid)
        yield figure(
            f"{subjects.prefix}bfloat16_memory_over_float32",
            [of_narrow / of_wide],
            "ratio",
            f"a server at rest in float32: {of_wide:.0f} MB; in bfloat16: {of_narrow:.0f} MB",
        )
        ratios, speeds = [], []
        for n in range(subjects.repeats + 1):
            own = long_reply(subjects)
            other = long_reply(replace(subjects, server=narrow))
            if n:
                ratios.append(own.seconds / other.seconds)
                speeds.append(64 / own.seconds)
    finally:
        narrow.close()
    yield figure(
        f"{subjects.prefix}bfloat16_tokens_per_second_over_float32",
        ratios,
        "ratio of speeds",
        "a reply of 64 tokens with its lens in float32:"
        f" {statistics.median(speeds):.1f} tokens a second",
    )


def memory(subjects: Subjects) -> Iterator[Figure]:
    """Memory that 300 conversations leave behind, and 50 maps after them, when the store is full."""
    before = resident_mb(subjects.server.pid)
    for _ in range(300):
        subjects.server.turn(subjects.texts.text(40), 6)
    grown = resident_mb(subjects.server.pid) - before
    yield figure(
        "memory_growth_mb",
        [grown],
        "MB",
        f"the store's bound, {STORE_MB} MB, and 50 MB",
        at_most(STORE_MB + 50),
    )
    rng = np.random.default_rng(1)
    before = resident_mb(subjects.server.pid)
    for _ in range(50):
        clean = rng.integers(1000, 2000, rng.integers(4, MAP_TOKENS))
        job_id = subjects.server.start_map(clean.tolist(), (clean + 1000).tolist(), [0, 5, 11])
        subjects.server.follow(job_id)
    yield figure(
        "map_memory_growth_mb",
        [resident_mb(subjects.server.pid) - before],
        "MB",
        "50 MB, beside a store that is full",
        at_most(50),
    )


PARTS: dict[str, Callable[[Subjects], Iterator[Figure]]] = {
    "reply": reply,
    "beside_busy": beside_busy,
    "conversation": conversation,
    "reading": reading,
    "causes": causes,
    "steering": steering,
    "patching": patching,
    "comparing": comparing,
    "turn_ten": turn_ten,
    "linearity": linearity,
    "at_rest": at_rest,
    "bfloat16": bfloat16,
    "memory": memory,
}
