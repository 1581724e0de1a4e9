"""What endpoints need, resolved before a response starts, so that a failure still has its status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from app.api.errors import request_id_of
from app.services.analysis import AnalysisService
from app.services.catalogue import CatalogueService
from app.services.chat import ChatService
from app.services.jobs import JobsService
from app.services.library import LibraryService
from app.services.person import person
from app.services.worker import ModelWorker


@dataclass(frozen=True, slots=True)
class Services:
    """A typed view of what `create_app` built, so that no endpoint reaches for it by string."""

    worker: ModelWorker
    chat: ChatService
    analysis: AnalysisService
    library: LibraryService
    jobs: JobsService
    catalogue: CatalogueService


def get_services(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


def get_request_id(request: Request) -> str:
    return request_id_of(request.scope)


def get_client(
    request: Request,
    x_client_id: Annotated[
        str | None,
        Header(
            max_length=64,
            pattern=r"^[A-Za-z0-9_.-]+$",
            description="A random id of this tab or script; the queue is fair between ids. "
            "Without it the network address counts. On a server that several people share, it is fair "
            "between people, whatever their ids.",
        ),
    ] = None,
) -> str:
    """Who asks, as far as fairness between clients goes: on a shared server a person, with all tabs."""
    if name := person.get():
        return f"person:{name}"
    if x_client_id is not None:
        return f"id:{x_client_id}"
    return f"address:{request.client.host if request.client else 'unknown'}"


ServicesDep = Annotated[Services, Depends(get_services)]
RequestIdDep = Annotated[str, Depends(get_request_id)]
ClientDep = Annotated[str, Depends(get_client)]
