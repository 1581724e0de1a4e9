"""Puts the server together: one worker, the services around it, the API and the page."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from app import __version__
from app.api.deps import Services
from app.api.docs import install_docs
from app.api.errors import install_error_handlers
from app.api.openapi import openapi_schema
from app.api.page import Page
from app.api.people import People
from app.api.responses import COMPRESS_FROM_BYTES
from app.api.router import router
from app.api.security import BodyLimit, Gate, RequestContext
from app.engine.protocols import LensEngine
from app.errors import StorageFailed
from app.services.analysis import AnalysisService
from app.services.catalogue import CatalogueService
from app.services.chat import ChatService
from app.services.conversation_file import MAX_FILE_BYTES
from app.services.conversations import ConversationStore
from app.services.jobs import JobsService, kinds_of_jobs
from app.services.library import LibraryService
from app.services.loading_progress import LoadProgress
from app.services.storage.database import Database
from app.services.worker import LoadEngine, ModelWorker
from app.settings import Settings

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 4 * 2**20
"""A prompt of the greatest length the models allow, with room for escapes."""
COMPRESS_LEVEL = 4
"""Of all but large JSON, which compresses itself."""
STOP_SECONDS = 1.0
"""How long the thread that owns the model is waited for after the last request."""


def create_app(settings: Settings | None = None, load_engine: LoadEngine | None = None) -> FastAPI:
    """The application; the model begins to load when the server starts.

    Without arguments, as a reloading server calls it, the environment decides. Raises NoDataFolder,
    or BadTokensFile.
    """
    settings = settings or Settings()
    people = People(settings.tokens_file) if settings.tokens_file else None
    worker = ModelWorker(settings, load_engine or load_nnsight_engine)
    database = Database(settings.database_url)
    conversations = ConversationStore(database)
    jobs = JobsService(worker, conversations, database, kinds_of_jobs(settings.fitted_lenses))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        worker.start()
        opening = asyncio.ensure_future(open_early(conversations, jobs))
        yield
        worker.stop()
        await jobs.close()
        await opening
        await conversations.close()
        worker.join(STOP_SECONDS)

    app = FastAPI(
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.services = Services(
        worker=worker,
        chat=ChatService(worker, conversations),
        analysis=AnalysisService(worker, conversations),
        library=LibraryService(worker, conversations, database),
        jobs=jobs,
        catalogue=CatalogueService(settings, worker),
    )
    install_error_handlers(app)
    # Its routes themselves: an app that includes a router makes each of them anew, in a tenth of a second.
    app.router.routes += router.routes
    install_docs(app)
    app.router.default = Page(settings.page_dir)
    # The last one added is the outermost.
    app.add_middleware(
        GZipMiddleware, minimum_size=COMPRESS_FROM_BYTES, compresslevel=COMPRESS_LEVEL
    )
    app.add_middleware(
        BodyLimit,
        max_bytes=MAX_BODY_BYTES,
        larger={"/api/conversations/import": MAX_FILE_BYTES},
        read_bytes=8 * MAX_BODY_BYTES,
    )
    app.add_middleware(Gate, settings=settings, people=people)
    app.add_middleware(RequestContext)
    app.openapi = functools.cache(lambda: openapi_schema(app))  # type: ignore[method-assign]
    return app


async def open_early(conversations: ConversationStore, jobs: JobsService) -> None:
    """Opens the database while the model loads; a failure is logged now, and it is tried again when used.

    Then jobs go on that a server before this one left.
    """
    try:
        await conversations.open()
        await jobs.open()
    except StorageFailed as failure:
        logger.error("%s %s", failure.message, failure.hint)


def load_nnsight_engine(
    settings: Settings, on_progress: Callable[[LoadProgress], None], is_beside: bool
) -> LensEngine:
    """The real engine. Imported here, on the worker thread: torch takes seconds to import."""
    on_progress(LoadProgress("Importing PyTorch and nnsight."))
    if settings.engine == "ndif":
        return load_ndif_engine(settings, on_progress)
    from app.engine.loading import load_engine

    return load_engine(
        settings.model,
        revision=settings.revision,
        device=settings.device,
        dtype=settings.dtype,
        threads=settings.threads,
        store_bytes=settings.store_bytes,
        readout_bytes=settings.readout_bytes,
        store_dtype=settings.store_dtype,
        packing=settings.packing,
        lenses=settings.lenses,
        fitted_lenses=settings.fitted_lenses,
        user_label=settings.user_label,
        assistant_label=settings.assistant_label,
        is_beside=is_beside,
        on_progress=lambda step, detail, done, total: on_progress(
            LoadProgress(detail, done, total, step)
        ),
    )


def load_ndif_engine(settings: Settings, on_progress: Callable[[LoadProgress], None]) -> LensEngine:
    """A model that runs on an NDIF server; only its description is loaded here."""
    from app.engine.ndif.connection import Connection
    from app.engine.ndif.loading import load_engine

    assert settings.ndif_host is not None
    key = settings.ndif_api_key
    return load_engine(
        settings.model,
        Connection(
            settings.ndif_host.get_secret_value().rstrip("/"),
            key.get_secret_value() if key else None,
            settings.ndif_seconds,
        ),
        revision=settings.revision,
        user_label=settings.user_label,
        assistant_label=settings.assistant_label,
        on_progress=lambda step, detail: on_progress(LoadProgress(detail, None, None, step)),
    )
