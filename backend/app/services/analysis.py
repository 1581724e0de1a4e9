"""Answers that need no generation: lens columns, comparisons, token search, model facts."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import unicodedata
from typing import TypeVar

from app.engine.causes_types import AttentionRows, Attribution, BlockEffects
from app.engine.patching_types import Patched
from app.engine.types import ModelFacts
from app.errors import InternalError
from app.models.causes import AttentionRequest, AttributionRequest, WritesRequest
from app.models.compare import CompareRequest
from app.models.dosing import DoseRequest
from app.models.facts import (
    BosCheckInfo,
    ChatTemplateInfo,
    ExamplePrompt,
    LensInfo,
    ModelInfo,
    PrecisionCheckInfo,
    SelfCheckInfo,
    SiteModulesInfo,
    Stats,
    StoreInfo,
)
from app.models.lens import LensReadRequest
from app.models.opening import OpeningExample
from app.models.patching import PatchRequest
from app.models.tokens import TokenMatch, TokenSearchResponse, VocabularyToken
from app.services import causes, comparing, dosing, patching, reading
from app.services.causes import capabilities_info, sites_info
from app.services.conversations import ConversationStore
from app.services.examples import known_examples, run_measuring
from app.services.identity import ModelIdentity
from app.services.interventions import asked_of
from app.services.job import Job
from app.services.large_answers import LargeAnswers
from app.services.opening import opening_of, opening_while_loading
from app.services.readouts import token_base64
from app.services.timeline_source import find_timeline
from app.services.timelines import require_known
from app.services.worker import ModelWorker

T = TypeVar("T")


class AnalysisService:
    """Lens columns, comparisons, token search and model facts."""

    def __init__(
        self,
        worker: ModelWorker,
        conversations: ConversationStore,
    ) -> None:
        self._worker = worker
        self._conversations = conversations
        self._examples: tuple[ModelIdentity, list[ExamplePrompt]] | None = None
        self._measuring = asyncio.Lock()
        self._large = LargeAnswers()

    async def read(self, request: LensReadRequest, *, client: str, request_id: str) -> list[bytes]:
        """Pieces of the JSON of a LensReadResponse."""
        job: Job[reading.Chunks] = self._worker.claim(request_id, client)
        engine = job.engine
        with contextlib.closing(job):
            engine.require_lens(request.kind, "kind")
            if request.half_layers_field:
                engine.require_half_layers(request.kind, request.half_layers_field)
            timeline = await find_timeline(engine, self._conversations, request)
            interventions = await asked_of(
                engine, self._conversations, timeline, request.interventions
            )
            plan = reading.plan_reading(engine.facts, request, timeline, interventions)
            job.start(lambda job: reading.run_reading(job, engine, plan))
            chunks = await result_of(job)
            return await self._large.made(plan.cells, reading.lens_json, engine, plan, chunks)

    async def compare(
        self, request: CompareRequest, *, client: str, request_id: str
    ) -> list[bytes]:
        """Pieces of the JSON of a CompareResponse."""
        job: Job[comparing.Chunks] = self._worker.claim(request_id, client)
        engine = job.engine
        with contextlib.closing(job):
            timelines = []
            interventions = []
            for side, source in (("a", request.a), ("b", request.b)):
                with comparing.naming_side(side):
                    engine.require_lens(source.kind, "kind")
                    found = await find_timeline(engine, self._conversations, source)
                    timelines.append(found)
                    asked = source.interventions
                    interventions.append(await asked_of(engine, self._conversations, found, asked))
                if request.half_layers_field:
                    engine.require_half_layers(source.kind, request.half_layers_field)
            a, b = timelines
            of_a, of_b = interventions
            plan = await asyncio.to_thread(
                comparing.plan_comparison, engine.facts, request, a, b, (of_a, of_b)
            )
            job.start(lambda job: comparing.run_comparison(job, engine, plan))
            chunks = await result_of(job)
            return await self._large.made(plan.cells, comparing.compare_json, engine, plan, chunks)

    async def attribute(
        self, request: AttributionRequest, *, client: str, request_id: str
    ) -> list[bytes]:
        """Pieces of the JSON of an AttributionResponse."""
        job: Job[Attribution] = self._worker.claim(request_id, client)
        engine = job.engine
        with contextlib.closing(job):
            timeline = await find_timeline(engine, self._conversations, request)
            plan = causes.plan_question(engine.facts, request, timeline)
            job.start(lambda job: causes.run_attribution(job, engine, plan))
            found = await result_of(job)
            return await self._large.made(
                len(found.parts), causes.attribution_json, engine, plan, found
            )

    async def attend(
        self, request: AttentionRequest, *, client: str, request_id: str
    ) -> list[bytes]:
        """Pieces of the JSON of an AttentionResponse."""
        job: Job[AttentionRows] = self._worker.claim(request_id, client)
        engine = job.engine
        with contextlib.closing(job):
            timeline = await find_timeline(engine, self._conversations, request)
            plan = causes.plan_attention(engine.facts, request, timeline)
            job.start(lambda job: causes.run_attention(job, engine, plan))
            found = await result_of(job)
            return await self._large.made(
                found.values.size, causes.attention_json, engine, plan, found
            )

    async def decode_writes(
        self, request: WritesRequest, *, client: str, request_id: str
    ) -> list[bytes]:
        """Pieces of the JSON of a WritesResponse."""
        job: Job[BlockEffects] = self._worker.claim(request_id, client)
        engine = job.engine
        with contextlib.closing(job):
            timeline = await find_timeline(engine, self._conversations, request)
            causes.require_position(request.position, timeline)
            job.start(lambda job: causes.run_writes(job, engine, request, timeline))
            found = await result_of(job)
            return await self._large.made(4 * request.top_k, causes.writes_json, engine, found)

    async def dose(self, request: DoseRequest, *, client: str, request_id: str) -> list[bytes]:
        """Pieces of the JSON of a DoseResponse."""
        job: Job[dosing.Dosed] = self._worker.claim(request_id, client)
        engine = job.engine
        with contextlib.closing(job):
            timeline = await find_timeline(engine, self._conversations, request)
            asked = request.interventions
            interventions = await asked_of(engine, self._conversations, timeline, asked)
            plan = dosing.plan_dose(engine.facts, request, timeline, interventions)
            job.start(lambda job: dosing.run_dose(job, engine, plan))
            return dosing.dose_json(engine, plan, await result_of(job))

    async def patch(self, request: PatchRequest, *, client: str, request_id: str) -> list[bytes]:
        """Pieces of the JSON of a PatchResponse."""
        job: Job[Patched] = self._worker.claim(request_id, client)
        engine = job.engine
        with contextlib.closing(job):
            clean, corrupt = await patching.find_sides(engine, self._conversations, request)
            plan = patching.plan_patch(engine.facts, request, clean, corrupt)
            job.start(lambda job: patching.run_patch(job, engine, plan))
            return patching.patch_json(engine, plan, await result_of(job))

    async def examples(self, *, client: str, request_id: str) -> list[ExamplePrompt]:
        """Worked examples that hold on the running model, measured when first asked for."""
        async with self._measuring:
            facts = self._worker.engine.facts
            if self._examples is None or self._examples[0] != ModelIdentity.of(facts):
                found = known_examples(facts)
                if not found:
                    job: Job[list[ExamplePrompt]] = self._worker.claim(request_id, client)
                    engine, facts = job.engine, job.engine.facts
                    with contextlib.closing(job):
                        job.start(lambda job: run_measuring(job, engine))
                        found = await result_of(job)
                self._examples = ModelIdentity.of(facts), found
            return self._examples[1]

    def _known_examples(self, facts: ModelFacts) -> list[ExamplePrompt]:
        if self._examples is not None and self._examples[0] == ModelIdentity.of(facts):
            return self._examples[1]
        return known_examples(facts)

    async def opening(self) -> OpeningExample | None:
        """The shipped example, where exactly the model that computed it runs or is being loaded."""
        facts = self._worker.known_facts
        if facts is not None:
            return opening_of(facts)
        return await asyncio.to_thread(opening_while_loading, self._worker.wanted)

    def find_tokens(self, query: str, limit: int) -> TokenSearchResponse:
        """Ids whose text is or begins with `query`."""
        vocabulary = self._worker.engine.vocabulary
        encoded = vocabulary.encode(query)
        forms = {canonical(form) for form in (query, f" {query}", query.removeprefix(" "))}
        return TokenSearchResponse(
            query=query,
            matches=[
                TokenMatch(
                    token_id=token_id,
                    text=vocabulary.token_text(token_id),
                    bytes=token_base64(vocabulary, token_id),
                    exact=canonical(vocabulary.token_text(token_id)) in forms,
                    is_byte_token=vocabulary.is_byte_token(token_id),
                )
                for token_id in vocabulary.find(query, limit)
            ],
            encoded_ids=list(encoded),
            encoded_texts=[vocabulary.token_text(token_id) for token_id in encoded],
            encoded_bytes=[token_base64(vocabulary, token_id) for token_id in encoded],
        )

    def token(self, token_id: int) -> VocabularyToken:
        """What an id stands for. Raises UnknownToken."""
        vocabulary = self._worker.engine.vocabulary
        require_known([token_id], vocabulary.size, "token_id")
        return VocabularyToken(
            token_id=token_id,
            text=vocabulary.token_text(token_id),
            bytes=token_base64(vocabulary, token_id),
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
        template, check, bos = facts.chat_template, facts.self_check, facts.bos_check
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
                source=template.source,
                text=template.text,
                stop=list(template.stop),
                starts_with_bos=template.starts_with_bos,
            ),
            adds_bos=facts.adds_bos,
            bos_token_id=facts.bos_token_id,
            bos_check=bos and BosCheckInfo(**dataclasses.asdict(bos)),
            byte_exact=facts.is_byte_exact,
            text_losses=list(facts.text_losses),
            examples=self._known_examples(facts),
            lenses=[
                LensInfo(
                    **{**dataclasses.asdict(lens), "unfitted_layers": list(lens.unfitted_layers)}
                )
                for lens in facts.lenses
            ],
            self_check=SelfCheckInfo(
                passed=True,  # a model that fails it is not loaded
                max_abs_diff=check.max_abs_diff,
                cache_max_abs_diff=check.cache_max_abs_diff,
                edit_max_abs_change=check.edit_max_abs_change,
                precision=check.precision
                and PrecisionCheckInfo(**dataclasses.asdict(check.precision)),
            ),
            capabilities=capabilities_info(facts),
            intervention_sites=sites_info(facts),
            site_modules=SiteModulesInfo(
                **{site: list(facts.site_modules.get(site, ())) for site in ("attn", "mlp", "head")}
            ),
            half_layer_modules=list(facts.half_layer_modules),
        )


def canonical(text: str) -> str:
    """The form that canonically equal texts share."""
    return unicodedata.normalize("NFC", text)


async def result_of(job: Job[T]) -> T:
    """The one thing that a job computes. Large answers are made of it off the event loop."""
    async with contextlib.aclosing(job.items()) as items:
        async for result in items:
            if result is not None:
                return result
    raise InternalError("The job ended without a result.")
