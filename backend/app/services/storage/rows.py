"""Between what a row of the database holds and what it means."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
from sqlalchemy import Row

from app.engine.types import FinishReason, ModelSource, Role, Sampling
from app.folding import folded
from app.models.interventions import Steering
from app.models.wire import Mode
from app.services.identity import ModelIdentity
from app.services.storage.records import Note, Pins, Summary
from app.services.timelines import Conversation, Turn

ROLES: tuple[Role, ...] = ("template", "system", "user", "assistant")
"""A role is stored as its place here."""


def summary_of(row: Row[Any], last: Row[Any], branch_ids: tuple[str, ...]) -> Summary:
    return Summary(
        id=last.id,
        conversation_id=row.id,
        title=row.title,
        model=model_of(row),
        created_at_ms=row.created_at_ms,
        updated_at_ms=row.updated_at_ms,
        n_tokens=last.n_tokens,
        branch_ids=branch_ids,
    )


def model_of(row: Row[Any]) -> ModelIdentity:
    return ModelIdentity(row.model_name, row.model_revision, row.model_source)


def known_model_of(row: Row[Any]) -> ModelIdentity:
    """As `model_of`; raises ValueError for one that was never written."""
    model = model_of(row)
    if model.source not in get_args(ModelSource):
        raise ValueError(f"there is no source {model.source!r} of models")
    return model


def text_of(value: Any) -> str:
    """A text; SQLite keeps whatever is put into a column. Raises TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} in place of a text")
    return value


def mode_of(row: Row[Any]) -> Mode:
    mode: Mode = row.mode
    if mode not in get_args(Mode):
        raise ValueError(f"there is no mode {mode!r}")
    return mode


def steering_of(row: Row[Any]) -> Steering | None:
    """Raises ValueError for what is none."""
    return None if row.steering is None else Steering.model_validate_json(row.steering)


def turn_of(row: Row[Any]) -> Turn:
    finish_reason: FinishReason = row.finish_reason
    if finish_reason not in get_args(FinishReason):
        raise ValueError(f"there is no finish reason {finish_reason!r}")
    return Turn(
        row.start_index,
        row.reply_start,
        row.end_index,
        finish_reason,
        sampling_of(json.loads(row.sampling)) if row.sampling else None,
    )


def sampling_of(found: dict[str, Any]) -> Sampling:
    return Sampling(**{**found, "stop": tuple(found["stop"])})


def note_of(row: Row[Any]) -> Note:
    return Note(row.start_index, row.end_index, row.layer, row.text)


def branch_columns(timeline: Conversation, text: str, preview: str) -> dict[str, Any]:
    """The columns that change with what a branch holds."""
    return {
        "token_ids": packed_ids(timeline.ids),
        "roles": packed_roles(timeline.roles),
        "n_tokens": len(timeline.ids),
        "mode": timeline.mode,
        "steering": timeline.steering and timeline.steering.model_dump_json(exclude_none=True),
        "text": text,
        "text_folded": folded(text),
        "preview": preview,
    }


def packed_ids(ids: Sequence[int]) -> bytes:
    return np.asarray(ids, dtype="<u4").tobytes()


def packed_roles(roles: Sequence[Role]) -> bytes:
    return bytes(map(ROLES.index, roles))


def written_pins(pins: Pins) -> str:
    return json.dumps({"token_ids": pins.token_ids, "positions": pins.positions})


def parsed_pins(text: str) -> Pins:
    found = json.loads(text)
    return Pins(tuple(map(tuple, found["token_ids"])), tuple(found["positions"]))


def parsed_ids(stored: bytes) -> tuple[int, ...]:
    return tuple(np.frombuffer(stored, dtype="<u4").tolist())


def parsed_roles(stored: bytes) -> tuple[Role, ...]:
    return tuple(ROLES[code] for code in stored)


def now_ms() -> int:
    return time.time_ns() // 1_000_000
