"""A conversation as a file: what is kept of it, in the wire's form and back.

A file may come from anywhere. Its form is checked by `ConversationFile`; here its parts are checked
against one another. Branches are written as what they add to their parents, and their lengths are
summed up before any of them is unfolded, so that a small file cannot become a large conversation.
The same limits hold for what is exported: each file can be imported again.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

from app.engine.types import Sampling
from app.errors import InvalidRequest, PayloadTooLarge
from app.models.conversations import (
    MAX_FILE_BRANCHES,
    ConversationFile,
    FileBranch,
    PinnedPlaces,
    SavedTurn,
    TurnSampling,
)
from app.models.conversations import Note as WireNote
from app.models.interventions import ReplaceOperation, Steering
from app.models.wire import MAX_TOKENS
from app.services.identity import wire_model
from app.services.storage.records import ConversationFacts, Note, Pins, StoredBranch
from app.services.timelines import Conversation, Turn, inferred_mode, new_id

FORMAT = "mechanistic-explorer-conversation"
MAX_FILE_TOKENS = 1_000_000
"""Over all branches of one file, unfolded. In the database they take 5 bytes each, and their text."""
MAX_FILE_CHARS = 8_000_000
"""Of the texts of all branches, unfolded."""
MAX_FILE_BYTES = 16 * 2**20


def file_of(facts: ConversationFacts, found: Sequence[StoredBranch]) -> ConversationFile:
    """The file of a conversation; raises PayloadTooLarge for one that could not be imported."""
    require_exportable(found)
    places = {branch.timeline.id: place for place, branch in enumerate(found)}
    return ConversationFile(
        format=FORMAT,
        version=2,
        title=facts.title,
        model=wire_model(facts.model),
        created_at_ms=facts.created_at_ms,
        updated_at_ms=facts.updated_at_ms,
        branches=[file_branch(branch, places, found) for branch in found],
    )


def require_exportable(found: Sequence[StoredBranch]) -> None:
    sizes = (
        (len(found), MAX_FILE_BRANCHES, "branches"),
        (sum(len(branch.timeline.ids) for branch in found), MAX_FILE_TOKENS, "tokens"),
        (sum(len(branch.text) for branch in found), MAX_FILE_CHARS, "characters"),
    )
    for size, limit, what in sizes:
        if size > limit:
            raise too_large(f"{size:,} {what} over all branches", f"{limit:,}")


def require_file_bytes(n_bytes: int) -> None:
    """Raises PayloadTooLarge for a file that this server would refuse to import."""
    if n_bytes > MAX_FILE_BYTES:
        raise too_large(f"a file of {n_bytes:,} bytes", f"{MAX_FILE_BYTES:,}")


def too_large(size: str, limit: str) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"The conversation is too large to be exported: {size}; {limit} are the limit.",
        hint="Delete some of its branches first, or copy the database as a whole.",
    )


def file_branch(
    branch: StoredBranch, places: dict[str, int], found: Sequence[StoredBranch]
) -> FileBranch:
    timeline = branch.timeline
    # A parent that was deleted, or begun later by the clock, is not there to build on.
    parent = places.get(timeline.parent_id or "")
    if parent is not None and parent >= places[timeline.id]:
        parent = None
    shared = timeline.from_index or 0 if parent is not None else 0
    text_start = turns_start = 0
    if parent is not None:
        text_start = n_equal(branch.text, found[parent].text)
        turns_start = n_equal(timeline.turns, found[parent].timeline.turns)
    return FileBranch(
        name=branch.name,
        mode=timeline.mode,
        parent=parent,
        from_index=shared,
        token_ids=list(timeline.ids[shared:]),
        roles=[(role, len(list(run))) for role, run in itertools.groupby(timeline.roles[shared:])],
        text_start=text_start,
        text=branch.text[text_start:],
        preview=branch.preview,
        turns_start=turns_start,
        turns=list(map(wire_turn, timeline.turns[turns_start:])),
        steering=timeline.steering,
        pins=wire_pins(branch.pins),
        notes=list(map(wire_note, branch.notes)),
    )


def n_equal(a: Sequence[object], b: Sequence[object]) -> int:
    """How many items both begin with; by halves, since texts are long and slices compare fast."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def branches_of_file(file: ConversationFile) -> list[StoredBranch]:
    """The branches of a file under new ids; raises InvalidRequest naming the branch at fault."""
    require_bounded(file)
    found: list[StoredBranch] = []
    for place, branch in enumerate(file.branches):
        where = f"branches.{place}"
        base = None if branch.parent is None else found[branch.parent]
        parent = base.timeline if base else None
        text = (base.text[: branch.text_start] if base else "") + branch.text
        turns = parent.turns[: branch.turns_start] if parent else ()
        roles = [role for role, n_tokens in branch.roles for _ in range(n_tokens)]
        timeline = Conversation(
            id=new_id(),
            ids=(*(parent.ids[: branch.from_index] if parent else ()), *branch.token_ids),
            roles=(*(parent.roles[: branch.from_index] if parent else ()), *roles),
            turns=(*turns, *map(turn_of, branch.turns)),
            parent_id=parent.id if parent else None,
            from_index=branch.from_index if parent else None,
            steering=branch.steering,
        )
        timeline = dataclasses.replace(timeline, mode=branch.mode or inferred_mode(timeline.roles))
        require_turns(timeline.turns, len(timeline.ids), where)
        require_steering(branch.steering, len(timeline.ids), where)
        require_within(branch.notes, len(timeline.ids), where)
        require_pinned_within(branch.pins.positions, len(timeline.ids), where)
        found.append(
            StoredBranch(
                timeline=timeline,
                name=branch.name,
                text=text,
                preview=branch.preview or text[:80],
                pins=pins_of(branch.pins),
                notes=notes_of(branch.notes),
                created_at_ms=file.created_at_ms,
                updated_at_ms=file.updated_at_ms,
            )
        )
    return found


def require_bounded(file: ConversationFile) -> None:
    """Lengths and references, all of them before anything is unfolded."""
    lengths: list[int] = []
    n_chars: list[int] = []
    n_turns: list[int] = []
    for place, branch in enumerate(file.branches):
        where = f"branches.{place}"
        if sum(n_tokens for _, n_tokens in branch.roles) != len(branch.token_ids):
            raise wrong(where, "roles and token_ids have different lengths")
        if branch.parent is not None and branch.parent >= place:
            raise wrong(where, "the parent must come before")
        for field, lengths_so_far in (
            ("from_index", lengths),
            ("text_start", n_chars),
            ("turns_start", n_turns),
        ):
            shared = getattr(branch, field)
            if branch.parent is None and shared > 0:
                raise wrong(where, f"{field} needs a parent")
            if branch.parent is not None and shared > lengths_so_far[branch.parent]:
                raise wrong(where, f"{field} is beyond the end of the parent's")
        lengths.append(branch.from_index + len(branch.token_ids))
        n_chars.append(branch.text_start + len(branch.text))
        n_turns.append(branch.turns_start + len(branch.turns))
        if lengths[-1] == 0:
            raise wrong(where, "there is no token")
        if lengths[-1] > MAX_TOKENS:
            raise wrong(where, f"there are more than {MAX_TOKENS:,} tokens")
    for found, limit, what in (
        (sum(lengths), MAX_FILE_TOKENS, "tokens"),
        (sum(n_chars), MAX_FILE_CHARS, "characters of text"),
        (sum(n_turns), MAX_FILE_TOKENS, "turns"),
    ):
        if found > limit:
            raise InvalidRequest(
                f"The file holds {found:,} {what} over all branches; {limit:,} are the limit.",
                hint="Delete some branches before you export the conversation.",
                param="branches",
            )


def require_turns(turns: Sequence[Turn], n_tokens: int, where: str) -> None:
    last = 0
    for turn in turns:
        if not last <= turn.start <= turn.reply_start <= turn.end <= n_tokens:
            raise wrong(where, "the turns do not lie one after another within the timeline")
        last = turn.end


def require_steering(steering: Steering | None, n_tokens: int, where: str) -> None:
    """Raises InvalidRequest for interventions that depend on what is not in the file."""
    if steering is None:
        return
    if steering.reply_start > n_tokens:
        raise wrong(where, "the steered reply begins beyond the end of the timeline")
    for one in steering.interventions:
        if isinstance(one.op, ReplaceOperation) and one.op.source.token_ids is None:
            raise wrong(where, "a run that is taken from must be given by its token_ids")


def require_within(notes: Sequence[WireNote], n_tokens: int, where: str = "") -> None:
    """Raises InvalidRequest for a note on tokens that there are not."""
    for place, note in enumerate(notes):
        if note.end > n_tokens:
            raise InvalidRequest(
                f"Note {place} is on the tokens [{note.start}, {note.end}); there are {n_tokens}.",
                param=f"{where}.notes.{place}".lstrip("."),
            )


def require_pinned_within(positions: Sequence[int], n_tokens: int, where: str = "") -> None:
    """Raises InvalidRequest for a pinned position at a token that there is not."""
    for place, position in enumerate(positions):
        if position >= n_tokens:
            raise InvalidRequest(
                f"Position {position} is pinned; there are {n_tokens} tokens.",
                param=f"{where}.pins.positions.{place}".lstrip("."),
            )


def wrong(where: str, what: str) -> InvalidRequest:
    return InvalidRequest(
        f"{where}: {what}.", hint="Import a file as it was exported.", param=where
    )


# --- the wire's form -----------------------------------------------------------------------------


def wire_turn(turn: Turn) -> SavedTurn:
    sampling = turn.sampling
    return SavedTurn(
        start=turn.start,
        reply_start=turn.reply_start,
        end=turn.end,
        finish_reason=turn.finish_reason,
        sampling=TurnSampling(**dataclasses.asdict(sampling)) if sampling else None,
    )


def turn_of(turn: SavedTurn) -> Turn:
    asked = turn.sampling
    sampling = Sampling(**{**asked.model_dump(), "stop": tuple(asked.stop)}) if asked else None
    return Turn(turn.start, turn.reply_start, turn.end, turn.finish_reason, sampling)


def wire_pins(pins: Pins) -> PinnedPlaces:
    return PinnedPlaces(token_ids=list(map(list, pins.token_ids)), positions=list(pins.positions))


def pins_of(pins: PinnedPlaces) -> Pins:
    return Pins(tuple(map(tuple, pins.token_ids)), tuple(pins.positions))


def wire_note(note: Note) -> WireNote:
    return WireNote(start=note.start, end=note.end, layer=note.layer, text=note.text)


def notes_of(notes: Sequence[WireNote]) -> tuple[Note, ...]:
    return tuple(Note(note.start, note.end, note.layer, note.text) for note in notes)
