"""Answers that need no generation: lens columns of any timeline, token search, model facts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.engine.types import LensColumns, LensEngine, ModelFacts, Role, TextSpan, Wanted
from app.errors import (
    ContextExceeded,
    EmptyPrompt,
    InternalError,
    InvalidRequest,
    LayerOutOfRange,
    PositionOutOfRange,
    UnknownToken,
)
from app.models import (
    ChatTemplateInfo,
    ExamplePrompt,
    LensInfo,
    LensReadRequest,
    LensReadResponse,
    ModelInfo,
    SelfCheckInfo,
    Stats,
    StoreInfo,
    TargetColumns,
    Token,
    TokenMatch,
    TokenSearchResponse,
)
from app.services.conversations import ConversationStore
from app.services.job import Job
from app.services.readouts import layer_label, make_token, require_finite, shortest
from app.services.timelines import require_readable
from app.services.worker import ModelWorker

MAX_CELLS = 1_000_000
"""Layers x positions x (top_k + targets) of one answer: about 20 MB of JSON."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a lens request asks for, checked against the model."""

    ids: tuple[int, ...]
    roles: tuple[Role, ...]
    layers: tuple[int, ...]
    positions: range
    request: LensReadRequest


Chunks = list[LensColumns]
"""What the engine found, in the order of positions."""


class AnalysisService:
    """Lens columns, token search and model facts."""

    def __init__(
        self,
        worker: ModelWorker,
        conversations: ConversationStore,
        example_prompts: Callable[[ModelFacts], list[ExamplePrompt]],
    ) -> None:
        self._worker = worker
        self._conversations = conversations
        self._example_prompts = example_prompts

    async def read(self, request: LensReadRequest, *, client: str, request_id: str) -> bytes:
        """The JSON of a LensReadResponse: large ones are made off the event loop."""
        engine = self._worker.engine
        job: Job[Chunks] = self._worker.claim(request_id, client)
        with contextlib.closing(job):
            stored_ids: tuple[int, ...] = ()
            stored_roles: tuple[Role, ...] = ()
            if request.conversation_id is not None:
                conversation = await self._conversations.get(request.conversation_id)
                require_readable(conversation, engine.facts)
                stored_ids, stored_roles = conversation.ids, conversation.roles
            reading = await asyncio.to_thread(
                plan_reading, engine, request, stored_ids, stored_roles
            )
            job.start(lambda job: run_reading(job, engine, reading))
            async with contextlib.aclosing(job.items()) as items:
                async for chunks in items:
                    if chunks is not None:
                        return await asyncio.to_thread(lens_json, engine, reading, chunks)
        raise InternalError("The reading ended without a result.")

    def find_tokens(self, query: str, limit: int) -> TokenSearchResponse:
        """Ids whose text is or begins with `query`."""
        vocabulary = self._worker.engine.vocabulary
        encoded = vocabulary.encode(query)
        asked = query.encode()
        forms = {asked, b" " + asked, asked.removeprefix(b" ")}
        return TokenSearchResponse(
            query=query,
            matches=[
                TokenMatch(
                    token_id=token.id,
                    text=token.text,
                    bytes=token.bytes,
                    exact=vocabulary.token_bytes(token.id) in forms,
                )
                for token_id in vocabulary.find(query, limit)
                for token in [make_token(vocabulary, 0, token_id, "user")]
            ],
            encoded_ids=list(encoded),
            encoded_texts=[vocabulary.token_text(token_id) for token_id in encoded],
        )

    async def stats(self) -> Stats:
        """What the engine has done and holds. Raises ModelLoading, ModelFailed or StorageFailed."""
        found = self._worker.engine.stats()
        return Stats(
            forward_passes=found.forward_passes,
            computed_tokens=found.computed_tokens,
            store=StoreInfo(
                timelines=found.stored_timelines,
                bytes=found.stored_bytes,
                max_bytes=found.max_stored_bytes,
            ),
            conversations=await self._conversations.count(),
        )

    def model_info(self) -> ModelInfo:
        """What is known of the running model."""
        facts = self._worker.engine.facts
        template, check = facts.chat_template, facts.self_check
        return ModelInfo(
            model_name=facts.name,
            source=facts.source,
            revision=facts.revision,
            note=facts.note,
            architecture=facts.architecture,
            num_layers=facts.n_layers,
            num_heads=facts.n_heads,
            hidden_size=facts.d_model,
            vocab_size=facts.d_vocab,
            context_length=facts.n_ctx,
            num_parameters=facts.n_parameters,
            dtype=facts.dtype,
            device=facts.device,
            tied_embeddings=facts.tied_embeddings,
            packing=facts.packing,
            chat_template=ChatTemplateInfo(
                source=template.source, text=template.text, stop=list(template.stop)
            ),
            adds_bos=facts.adds_bos,
            bos_token_id=facts.bos_token_id,
            byte_exact=facts.is_byte_exact,
            examples=self._example_prompts(facts),
            lenses=[LensInfo(kind=x.kind, fitted_tokens=x.fitted_tokens) for x in facts.lenses],
            self_check=SelfCheckInfo(
                passed=check.passed,
                max_abs_diff=check.max_abs_diff,
                cache_max_abs_diff=check.cache_max_abs_diff,
                edit_max_abs_change=check.edit_max_abs_change,
            ),
        )


def plan_reading(
    engine: LensEngine,
    request: LensReadRequest,
    stored_ids: tuple[int, ...],
    stored_roles: tuple[Role, ...],
) -> Reading:
    """Everything about a reading that can be wrong, found before the model is asked."""
    facts = engine.facts
    engine.require_lens(request.kind, "kind")
    ids, roles = stored_ids, stored_roles
    if request.prompt is not None:
        bos = facts.adds_bos if request.bos is None else request.bos
        spans = [TextSpan(request.prompt, "user")]
        encoded = engine.vocabulary.encode_prompt(spans, bos=bos)
        ids, roles = encoded.ids, encoded.roles
    elif request.token_ids is not None:
        ids = tuple(request.token_ids)
        roles = tuple("user" for _ in ids)
    require_known(ids, facts.d_vocab, "token_ids")
    require_known(request.targets, facts.d_vocab, "targets")
    if not ids:
        raise EmptyPrompt(
            "There is no token to read: the text is empty.",
            hint="Give at least one character, or bos: true.",
            param="prompt",
        )
    if len(ids) > facts.n_ctx:
        raise ContextExceeded(
            f"The text has {len(ids):,} tokens; {facts.name} holds {facts.n_ctx:,}.",
            hint="Read a shorter text.",
            param="prompt" if request.prompt is not None else "token_ids",
        )
    layers = (
        tuple(range(facts.n_layers + 1))
        if request.layers is None
        else checked_layers(request.layers, facts.n_layers)
    )
    positions = checked_positions(request.positions, len(ids))
    require_reasonable(request, layers, positions)
    return Reading(ids, roles, layers, positions, request)


def require_known(ids: Sequence[int], d_vocab: int, param: str) -> None:
    for token_id in ids:
        if token_id >= d_vocab:
            raise UnknownToken(
                f"Token id {token_id} does not exist; this model's ids are 0 to {d_vocab - 1}.",
                hint="GET /api/tokens finds ids by text.",
                param=param,
            )


def checked_layers(layers: Sequence[int], n_layers: int) -> tuple[int, ...]:
    """Layers in the order asked for, each once."""
    for layer in layers:
        if layer > n_layers:
            raise LayerOutOfRange(
                f"Layer {layer} does not exist; this model's layers are 0 (embed) to {n_layers}.",
                param="layers",
            )
    if len(set(layers)) < len(layers):
        raise InvalidRequest("A layer is asked for twice.", param="layers")
    return tuple(layers)


def checked_positions(asked: tuple[int, int] | None, n_ids: int) -> range:
    """The positions [start, end) of a request, all of them by default."""
    if asked is None:
        return range(n_ids)
    start, end = asked
    if not start < end <= n_ids:
        raise PositionOutOfRange(
            f"positions [{start}, {end}) are not within the text, which has {n_ids} tokens.",
            hint=f"Give [start, end) with 0 <= start < end <= {n_ids}.",
            param="positions",
        )
    return range(start, end)


def require_reasonable(
    request: LensReadRequest, layers: Sequence[int], positions: Sequence[int]
) -> None:
    per_place = request.top_k + len(request.targets)
    cells = len(layers) * len(positions) * per_place
    if cells > MAX_CELLS:
        fitting = max(1, MAX_CELLS // (len(layers) * per_place))
        raise InvalidRequest(
            f"{len(layers)} layers x {len(positions):,} positions x {per_place} values are "
            f"{cells:,} values; one answer holds {MAX_CELLS:,}.",
            hint=f"Ask for {fitting:,} positions at a time, or for fewer layers or a smaller top_k.",
            param="positions",
        )


def run_reading(job: Job[Chunks], engine: LensEngine, reading: Reading) -> Iterator[None]:
    """Work of a job: one turn for each chunk that the engine reads."""
    request = reading.request
    wanted = Wanted(
        layers=reading.layers,
        top_k=min(request.top_k, engine.facts.d_vocab),
        targets=tuple(request.targets),
        kind=request.kind,
    )
    lineage = () if request.conversation_id is None else (request.conversation_id,)
    chunks: Chunks = []
    for columns in engine.reading(reading.ids, reading.positions, wanted, lineage=lineage):
        if columns is not None:
            require_finite(columns)
            chunks.append(columns)
        yield
    size = 16 * len(reading.layers) * len(reading.positions) * (request.top_k + 4)
    job.emit(chunks, size)


def lens_json(engine: LensEngine, reading: Reading, chunks: Chunks) -> bytes:
    """The answer as JSON."""
    vocabulary = engine.vocabulary
    top_ids = np.concatenate([c.top_ids for c in chunks], axis=1)
    next_rank = np.concatenate([c.next_rank for c in chunks], axis=1).tolist()
    next_probability = shortest(np.concatenate([c.next_probability for c in chunks], axis=1))
    target_probability = shortest(np.concatenate([c.target_probability for c in chunks], axis=2))
    target_rank = np.concatenate([c.target_rank for c in chunks], axis=2).tolist()
    response = LensReadResponse(
        model=engine.facts.name,
        kind=reading.request.kind,
        layers=list(reading.layers),
        labels=[layer_label(layer) for layer in reading.layers],
        tokens=lens_tokens(engine, reading, chunks) if reading.request.include_tokens else [],
        positions=list(reading.positions),
        top_ids=top_ids.tolist(),
        top_probabilities=shortest(np.concatenate([c.top_probabilities for c in chunks], axis=1)),
        vocabulary={
            str(token_id): vocabulary.token_text(token_id)
            for token_id in np.unique(top_ids).tolist()
        },
        entropy_nats=shortest(np.concatenate([c.entropy_nats for c in chunks], axis=1)),
        kl_to_final_nats=shortest(np.concatenate([c.kl_to_final_nats for c in chunks], axis=1)),
        next_probability=[
            [p if rank else None for p, rank in zip(ps, ranks, strict=True)]
            for ps, ranks in zip(next_probability, next_rank, strict=True)
        ],
        next_rank=[[rank or None for rank in ranks] for ranks in next_rank],
        targets=[
            TargetColumns(
                token_id=token_id,
                text=vocabulary.token_text(token_id),
                probability=target_probability[place],
                rank=target_rank[place],
            )
            for place, token_id in enumerate(reading.request.targets)
        ],
    )
    return response.model_dump_json().encode()


def lens_tokens(engine: LensEngine, reading: Reading, chunks: Chunks) -> list[Token]:
    """The whole timeline, scored where the position before was read."""
    scores = {score.index: score for chunk in chunks for score in chunk.scores}
    return [
        make_token(engine.vocabulary, index, token_id, role, scores.get(index))
        for index, (token_id, role) in enumerate(zip(reading.ids, reading.roles, strict=True))
    ]
