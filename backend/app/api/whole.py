"""Requests are read whole: what a request says twice, or says to nobody, is refused and never dropped.

JSON readers take the last of two equal keys, and frameworks pass over parameters of the address
that they do not know. Either would answer another question than the one that was asked.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from app.errors import InvalidRequest

PROBES = frozenset({"/api/health", "/health"})
"""Balancers and monitors add parameters of their own to the address that they ask."""


def shown(name: str) -> str:
    """A name that the client made up: not too long, and without half a character."""
    return name[:120].encode("utf-8", "replace").decode()


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names are all different; raises InvalidRequest."""
    found = dict(pairs)
    if len(found) < len(pairs):
        name = shown(Counter(name for name, _ in pairs).most_common(1)[0][0])
        raise InvalidRequest(
            f"{name}: This name stands twice in one object.", hint="Give it once.", param=name
        )
    return found


class WholeRequest(Request):
    """A request whose JSON body names each field once."""

    async def json(self) -> Any:
        """Raises InvalidRequest, and what `json.loads` raises."""
        return json.loads(await self.body(), object_pairs_hook=object_of)


class WholeRoute(APIRoute):
    """An operation that answers what was asked, or refuses it."""

    def check_query(self, request: Request) -> None:
        known = {field.alias for field in self.dependant.query_params}
        given = request.query_params.multi_items()
        for name, times in Counter(name for name, _ in given).items():
            if name not in known:
                named = ", ".join(sorted(known))
                raise InvalidRequest(
                    f"{shown(name)}: This address has no such parameter"
                    f"{f'; it has {named}' if named else ''}.",
                    hint="See /docs for every parameter.",
                    param=shown(name),
                )
            if times > 1:
                raise InvalidRequest(
                    f"{name}: This parameter is given {times} times.",
                    hint="Give it once.",
                    param=name,
                )

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if self.path not in PROBES:
                self.check_query(request)
            return await answer(WholeRequest(request.scope, request.receive))

        return handle
