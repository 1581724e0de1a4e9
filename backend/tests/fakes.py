"""A model without weights behind `LensEngine`, for tests of everything above the engine.

Token ids are bytes, so any text is one token per byte, and id 256 is a special token. Every layer
has a distribution that follows from the ids before it and nothing else, so that two ways to ask
for the same number give the same number. Faults and pauses can be put at every stage.
"""

from __future__ import annotations

import dataclasses
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.engine.bounds import require_half_layers
from app.engine.intervention_types import Dose, DoseWanted, Interventions
from app.engine.types import (
    ChatTemplate,
    Comparison,
    EncodedPrompt,
    EngineStats,
    Finish,
    FloatArray,
    IntArray,
    Layer,
    LensColumns,
    LensFacts,
    LensKind,
    Message,
    ModelFacts,
    Pairs,
    Role,
    Sampling,
    SelfCheck,
    Side,
    Step,
    TextSpan,
    TooManyTokens,
    Wanted,
)
from app.errors import ContextExceeded, LensUnavailable
from tests.fake_causes import FAKE_CAPABILITIES, FakeCauses
from tests.fake_fitting import FakeFitting
from tests.fake_interventions import (
    FAKE_SITES,
    digest_of,
    fake_dose,
    fired,
    require_fake,
)
from tests.fake_patching import FakePatching

FAKE_REVISION = "fa" * 32
END = 256
D_VOCAB = 257
N_LAYERS = 3
READ_AT_ONCE = 64
"""Positions of one chunk of a reading."""
LETTERS = np.frombuffer(b" abcdefghijklmnopqrstuvwxyz", dtype=np.uint8)


def fake_facts(n_ctx: int = 512, name: str = "fake") -> ModelFacts:
    return ModelFacts(
        name=name,
        source="local",
        revision=FAKE_REVISION,
        architecture="FakeForCausalLM",
        n_layers=N_LAYERS,
        n_heads=2,
        d_model=8,
        d_vocab=D_VOCAB,
        n_ctx=n_ctx,
        n_parameters=1234,
        dtype="float32",
        device="cpu",
        tied_embeddings=True,
        chat_template=ChatTemplate(
            source="built-in", text="User: …\nAssistant: …", stop=("\nUser:",)
        ),
        adds_bos=False,
        bos_token_id=END,
        eos_token_ids=(END,),
        is_byte_exact=True,
        self_check=SelfCheck(1e-6, 2e-6, 3.0),
        capabilities=FAKE_CAPABILITIES,
        intervention_sites=FAKE_SITES,
    )


class ByteVocabulary:
    """One id per byte."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    @property
    def size(self) -> int:
        return D_VOCAB

    def encode(self, text: str) -> tuple[int, ...]:
        self._faults.reach("tokenise")
        return tuple(text.encode())

    def encode_prompt(
        self,
        spans: Sequence[TextSpan],
        *,
        bos: bool | None = None,
        after: int | None = None,  # noqa: ARG002  (a byte is the same token everywhere)
        most: int | None = None,
    ) -> EncodedPrompt:
        self._faults.reach("tokenise")
        ids: list[int] = [END] if bos else []
        roles: list[Role] = ["template"] if bos else []
        for span in spans:
            ids += span.text.encode()
            roles += [span.role] * len(span.text.encode())
        if most is not None and len(ids) > most:
            counted = len(ids) if len(ids) <= 10 * most else None
            raise TooManyTokens(counted, sum(len(span.text) for span in spans))
        return EncodedPrompt(tuple(ids), tuple(roles))

    def token_bytes(self, token_id: int) -> bytes:
        return b"<|end|>" if token_id == END else bytes([token_id])

    def token_text(self, token_id: int) -> str:
        return self.token_bytes(token_id).decode("utf-8", "replace")

    def is_special(self, token_id: int) -> bool:
        return token_id == END

    def is_byte_token(self, token_id: int) -> bool:
        del token_id
        return False

    def find(self, query: str, limit: int) -> list[int]:
        wanted = query.strip().encode() or b" "
        return [i for i in range(D_VOCAB) if self.token_bytes(i).startswith(wanted)][:limit]


class LabelTemplate:
    """`User: …\\nAssistant:`."""

    def start(self, messages: Sequence[Message]) -> list[TextSpan]:
        spans: list[TextSpan] = []
        for message in messages:
            spans += [
                TextSpan(f"{message.role.title()}: ", "template"),
                TextSpan(message.content, message.role),
                TextSpan("\n", "template"),
            ]
        return [*spans, TextSpan("Assistant:", "template")]

    def continuation(self, messages: Sequence[Message], *, timeline_end: bytes) -> list[TextSpan]:
        gap = [] if timeline_end.endswith(b"\n") else [TextSpan("\n", "template")]
        return [*gap, *self.start(messages)]


@dataclass
class Faults:
    """What goes wrong where. Stages: tokenise, prefill, decode:<n>, read, compare."""

    raises: dict[str, BaseException] = field(default_factory=dict)
    pauses: dict[str, Pause] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)

    def reach(self, stage: str) -> None:
        self.calls[stage] = self.calls.get(stage, 0) + 1
        if pause := self.pauses.get(stage):
            pause.reached.set()
            assert pause.go_on.wait(120), f"nobody released the pause at {stage}"
        if failure := self.raises.get(stage):
            raise failure

    def pause(self, stage: str) -> Pause:
        self.pauses[stage] = Pause()
        return self.pauses[stage]


@dataclass
class Pause:
    """A place at which the worker thread waits until the test lets it go on."""

    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


class FakeEngine(FakeCauses):
    """Implements `LensEngine`."""

    def __init__(
        self,
        *,
        n_ctx: int = 512,
        step_seconds: float = 0.0,
        nan_layer: int | None = None,
        say: bytes | None = None,
    ) -> None:
        """`say`: what every reply says, instead of following from the ids; then it ends."""
        self.faults = Faults()
        self.facts = fake_facts(n_ctx)
        self.vocabulary = ByteVocabulary(self.faults)
        self.template = LabelTemplate()
        self.patching = FakePatching(self.faults.reach)
        self.fitting = FakeFitting(self.faults.reach, self._on_lens)
        self.threads: set[int] = set()
        self.steps_made = 0
        """Decode steps since the start."""
        self.generations_closed = 0
        self.reads: list[tuple[int, ...]] = []
        """Positions of each read-out."""
        self.comparisons: list[tuple[tuple[int, int], ...]] = []
        """Pairs of positions of each chunk that was compared."""
        self.lineages: list[tuple[str, ...]] = []
        """What each call was told of whose ids it gets."""
        self._step_seconds = step_seconds
        self._nan_layer = nan_layer
        self._say = say
        self._held: set[tuple[int, ...]] = set()
        self._computed = 0
        self._never = threading.Event()

    def _on_lens(self, kind: LensKind) -> None:
        lenses = (*self.facts.lenses, LensFacts(kind, 40, "fitted", True))
        self.facts = dataclasses.replace(self.facts, lenses=lenses)

    def require_lens(self, kind: LensKind, param: str) -> None:
        if kind not in [lens.kind for lens in self.facts.lenses]:
            raise LensUnavailable(f"fake has no {kind} lens.", param=param)

    def require_interventions(self, wanted: Interventions | None) -> None:
        require_fake(wanted, self.facts)

    def require_half_layers(self, kind: LensKind, param: str) -> None:
        require_half_layers(self.facts, kind, param)

    # --- numbers ---------------------------------------------------------------------------------

    def probabilities(self, before: Sequence[int], layer: Layer, digest: str = "") -> FloatArray:
        """What `layer` predicts after the ids `before`, `[d_vocab]`, under interventions."""
        of_layer = bytes([100 + int(layer) if layer % 1 else int(layer)]) + digest.encode()
        seed = zlib.crc32(np.array(list(before), dtype=np.int64).tobytes() + of_layer)
        logits = np.random.default_rng(seed).standard_normal(D_VOCAB)
        logits[LETTERS] += 3.0
        logits[END] = -9.0
        weights = np.exp(logits - logits.max())
        return (weights / weights.sum()).astype(np.float32)

    def step(self, before: Sequence[int], token_id: int, digest: str = "") -> Step:
        p = self.probabilities(before, N_LAYERS, digest)
        return Step(
            index=len(before),
            token_id=token_id,
            logprob_nats=float(np.log(p[token_id])),
            rank=int(1 + (p > p[token_id]).sum()),
            entropy_nats=float(-(p * np.log(p)).sum()),
        )

    # --- LensEngine ------------------------------------------------------------------------------

    def generate(
        self,
        ids: Sequence[int],
        sampling: Sampling,
        *,
        wanted: Wanted | None = None,
        lineage: Sequence[str] = (),
        interventions: Interventions | None = None,
    ) -> Iterator[Step | LensColumns | Finish | None]:
        self.threads.add(threading.get_ident())
        if len(ids) >= self.facts.n_ctx:
            raise ContextExceeded("too long")
        self.lineages.append(tuple(lineage))
        self.faults.reach("prefill")
        self._compute(ids)
        yield None
        digest = digest_of(interventions)
        timeline = list(ids)
        rng = np.random.default_rng(sampling.seed)
        held_back: list[Step] = []

        def released(steps: Sequence[Step]) -> Iterator[Step | LensColumns]:
            for step in steps:
                self._compute(timeline[: step.index + 1])
                yield step
                if wanted is not None:
                    self.reads.append((step.index - 1,))
                    at = [step.index - 1]
                    yield self._columns(timeline[: step.index + 1], at, wanted, digest)

        try:
            for n in range(sampling.max_new_tokens):
                if len(timeline) >= self.facts.n_ctx:
                    yield from released(held_back)
                    yield Finish("context", fired=fired(interventions, len(timeline) - 1))
                    return
                self.faults.reach(f"decode:{n}")
                if self._step_seconds:
                    self._never.wait(self._step_seconds)
                self.steps_made += 1
                token_id = self._next(timeline, n, sampling, rng, digest)
                if token_id == END:
                    yield from released(held_back)
                    yield Finish("stop", None, (END,), fired(interventions, len(timeline)))
                    return
                held_back.append(self.step(timeline, token_id, digest))
                timeline.append(token_id)
                tail = bytes(step.token_id for step in held_back)
                if met := next((s for s in sampling.stop if s.encode() in tail), None):
                    kept = tail.index(met.encode())
                    yield from released(held_back[:kept])
                    dropped = tuple(s.token_id for s in held_back[kept:])
                    yield Finish("stop", met, dropped, fired(interventions, len(timeline) - 1))
                    return
                while held_back and not any(
                    s.encode().startswith(bytes(x.token_id for x in held_back))
                    for s in sampling.stop
                ):
                    yield from released([held_back.pop(0)])
            yield from released(held_back)
            yield Finish("length", fired=fired(interventions, len(timeline) - 1))
        finally:
            self.generations_closed += 1

    def reading(
        self,
        ids: Sequence[int],
        positions: Sequence[int],
        wanted: Wanted,
        *,
        lineage: Sequence[str] = (),
        interventions: Interventions | None = None,
    ) -> Iterator[LensColumns | None]:
        self.threads.add(threading.get_ident())
        self.lineages.append(tuple(lineage))
        self._compute(ids)
        for start in range(0, len(positions), READ_AT_ONCE):
            chunk = positions[start : start + READ_AT_ONCE]
            self.reads.append(tuple(chunk))
            self.faults.reach("read")
            columns = self._columns(ids, chunk, wanted, digest_of(interventions))
            n_read = max(positions) + 1
            yield dataclasses.replace(columns, fired=fired(interventions, n_read))

    def comparing(self, a: Side, b: Side, pairs: Pairs) -> Iterator[Comparison | None]:
        self.threads.add(threading.get_ident())
        self.lineages += [a.lineage, b.lineage]
        self._compute(a.ids)
        self._compute(b.ids)
        for start in range(0, len(pairs.positions), READ_AT_ONCE):
            chunk = pairs.positions[start : start + READ_AT_ONCE]
            self.comparisons.append(chunk)
            self.faults.reach("compare")
            yield self._comparison(a, b, dataclasses.replace(pairs, positions=chunk))

    def dosing(
        self, ids: Sequence[int], wanted: DoseWanted, *, lineage: Sequence[str] = ()
    ) -> Iterator[Dose | None]:
        self.lineages.append(tuple(lineage))
        self._compute(ids[: wanted.position + 1])
        yield None
        yield fake_dose(self, ids, wanted)

    def _comparison(self, a: Side, b: Side, pairs: Pairs) -> Comparison:
        def one_side(place: int, side: Side) -> FloatArray:
            digest = digest_of(side.interventions)
            return np.stack(
                [
                    [
                        self.probabilities(side.ids[: t[place] + 1], r[place], digest)
                        for t in pairs.positions
                    ]
                    for r in pairs.layers
                ]
            )

        p, q = one_side(0, a), one_side(1, b)
        kl_a_to_b = (p * (np.log(p) - np.log(q))).sum(-1)
        layers_of_a = [pair[0] for pair in pairs.layers]
        if self._nan_layer in layers_of_a:
            kl_a_to_b[layers_of_a.index(self._nan_layer)] = np.nan
        m = (p + q) / 2
        targets = list(pairs.targets)

        def of_targets(values: FloatArray) -> tuple[FloatArray, IntArray]:
            own = np.moveaxis(values[..., targets], -1, 0)
            return own, 1 + (values > own[..., None]).sum(-1)

        return Comparison(
            pairs.layers,
            pairs.positions,
            kl_a_to_b,
            (q * (np.log(q) - np.log(p))).sum(-1),
            ((p * np.log(p / m) + q * np.log(q / m)) / 2).sum(-1),
            p.argmax(-1),
            p.max(-1),
            q.argmax(-1),
            q.max(-1),
            pairs.targets,
            *of_targets(p),
            *of_targets(q),
            *(
                fired(side.interventions, max(pair[place] for pair in pairs.positions) + 1)
                for place, side in enumerate((a, b))
            ),
        )

    def _columns(
        self, ids: Sequence[int], positions: Sequence[int], wanted: Wanted, digest: str
    ) -> LensColumns:
        rows, places, targets = wanted.layers, tuple(positions), wanted.targets

        def predicted(t: int, row: Layer) -> FloatArray:
            return self.probabilities(ids[: t + 1], row, digest)

        p = np.stack([[predicted(t, r) for t in places] for r in rows])
        final = np.stack([predicted(t, N_LAYERS) for t in places])
        top = np.argsort(-p, axis=-1, kind="stable")[..., : wanted.top_k]
        followers = [ids[t + 1] if t + 1 < len(ids) else None for t in places]
        nexts = np.array([f or 0 for f in followers])
        has_next = np.array([f is not None for f in followers])
        next_p = np.take_along_axis(p, nexts[None, :, None], axis=-1)[..., 0]
        entropy = -(p * np.log(p)).sum(-1)
        if self._nan_layer in rows:
            entropy[rows.index(self._nan_layer)] = np.nan
        return LensColumns(
            layers=rows,
            positions=places,
            top_ids=top.astype(np.int64),
            top_probabilities=(top_p := np.take_along_axis(p, top, axis=-1)),
            top_ranks=1 + (p[..., None, :] > top_p[..., None]).sum(-1),
            entropy_nats=entropy,
            kl_to_final_nats=(final * (np.log(final) - np.log(p))).sum(-1),
            next_probability=np.where(has_next, next_p, np.nan).astype(np.float32),
            next_rank=np.where(has_next, 1 + (p > next_p[..., None]).sum(-1), 0),
            targets=targets,
            target_probability=np.stack([p[..., t] for t in targets])
            if targets
            else np.zeros((0, *p.shape[:2]), np.float32),
            target_rank=np.stack([1 + (p > p[..., t : t + 1]).sum(-1) for t in targets])
            if targets
            else np.zeros((0, *p.shape[:2]), np.int64),
            scores=tuple(
                self.step(ids[: t + 1], follower, digest)
                for t, follower in zip(places, followers, strict=True)
                if follower is not None
            ),
        )

    def forward_passes(self) -> int:
        return len(self._held)

    def computed_tokens(self) -> int:
        return self._computed

    def stats(self) -> EngineStats:
        return EngineStats(
            forward_passes=len(self._held),
            computed_tokens=self._computed,
            stored_timelines=len(self._held),
            stored_bytes=100 * len(self._held),
            max_stored_bytes=1000,
        )

    # --- inside ----------------------------------------------------------------------------------

    def _next(
        self,
        timeline: Sequence[int],
        n: int,
        sampling: Sampling,
        rng: np.random.Generator,
        digest: str,
    ) -> int:
        if self._say is not None:
            return self._say[n] if n < len(self._say) else END
        p = self.probabilities(timeline, N_LAYERS, digest).astype(np.float64)
        if sampling.temperature == 0:
            return int(p.argmax())
        scaled = p ** (1 / sampling.temperature)
        return int(rng.choice(D_VOCAB, p=scaled / scaled.sum()))

    def _compute(self, ids: Sequence[int]) -> None:
        """Counts the tokens that no held timeline covers."""
        wanted = tuple(ids)
        held = next((n for n in range(len(wanted), 0, -1) if wanted[:n] in self._held), 0)
        self._held.update(wanted[:n] for n in range(held + 1, len(wanted) + 1))
        self._computed += len(wanted) - held


def loader(engine: FakeEngine) -> Callable[..., FakeEngine]:
    """A `LoadEngine` that is done at once."""
    return lambda _settings, _on_progress, _is_beside: engine
