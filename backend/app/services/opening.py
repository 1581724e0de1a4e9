"""The shipped worked example: answered by the embedded model when it was trained, shown while it loads.

Its numbers are the model's own, so they are given out for exactly these weights only: while no model
is loaded the weights that will be loaded are hashed, afterwards the running model is compared.
"""

from __future__ import annotations

import functools
import logging

from pydantic import ValidationError

from app.engine.checkpoint import WEIGHTS_FILE, sha256_of
from app.engine.model_names import EMBEDDED_FOLDER, EMBEDDED_NAME
from app.engine.types import ModelFacts
from app.models.opening import OpeningExample
from app.services.identity import ModelIdentity

logger = logging.getLogger(__name__)

OPENING_FILE = EMBEDDED_FOLDER / "opening.json"


def opening_while_loading(wanted: str) -> OpeningExample | None:
    """The shipped example where `wanted` names the embedded model and its weights are those of the file."""
    found = shipped() if wanted == EMBEDDED_NAME else None
    return found if found is not None and found.model.revision == weights_revision() else None


def opening_of(facts: ModelFacts) -> OpeningExample | None:
    """The shipped example where the running model computed it."""
    found = shipped() if facts.source == "embedded" else None
    if found is None:
        return None
    wrote = ModelIdentity(found.model.name, found.model.revision, found.model.source)
    return found if wrote.is_same(ModelIdentity.of(facts)) else None


@functools.cache
def shipped() -> OpeningExample | None:
    try:
        return OpeningExample.model_validate_json(OPENING_FILE.read_bytes())
    except (OSError, ValidationError) as error:
        logger.warning("the embedded model's opening example cannot be read: %s", error)
        return None


@functools.cache
def weights_revision() -> str | None:
    """Revision of the embedded weights on this disk; None where there are none."""
    try:
        return sha256_of([EMBEDDED_FOLDER / WEIGHTS_FILE])
    except OSError:
        return None
