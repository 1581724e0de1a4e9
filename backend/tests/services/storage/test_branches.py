"""What is stored is found again, on both databases."""

from __future__ import annotations

import dataclasses

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from app.errors import Conflict, ConversationNotFound
from app.models.interventions import Steering
from app.services.identity import ModelIdentity
from app.services.storage import annotating, deletion, growing, job_rows, listing, opening
from app.services.storage.database import Database
from app.services.storage.records import JobRecord, Note, Pins, Words
from app.services.storage.tables import metadata
from app.services.timelines import Conversation, Turn
from tests.services.storage.conftest import (
    MODEL,
    SAMPLING,
    age_deletions,
    grown,
    loaded,
    read,
    saved,
    timeline,
    write,
)

WORDS = Words("A title", "text", "preview")
STEERING = Steering.model_validate(
    {
        "reply_start": 3,
        "interventions": [
            {
                "site": "head",
                "layers": [2],
                "heads": [0],
                "positions": [1],
                "op": {"kind": "replace", "from": {"token_ids": [5, 6]}, "positions": [1]},
            }
        ],
    }
)


def found(database: Database, query: str, limit: int = 50, offset: int = 0) -> list[str]:
    page, _ = read(database, lambda c: listing.find(c, query, limit, offset))
    return [summary.title for summary in page]


def test_migrations_make_the_tables_that_the_statements_use(database: Database) -> None:
    def differences(connection: object) -> list[object]:
        context = MigrationContext.configure(connection)  # type: ignore[arg-type]
        return list(compare_metadata(context, metadata))

    assert read(database, differences) == []


def test_timeline_comes_back_as_it_was(database: Database) -> None:
    stored = Conversation(
        "a",
        (0, 50_256, 2**31, 2**32 - 1),
        ("template", "system", "user", "assistant"),
        (Turn(0, 3, 4, "length", SAMPLING), Turn(4, 4, 4, "cancelled")),
        steering=STEERING,
    )
    saved(database, conversation=stored)

    assert loaded(database, "a") == dataclasses.replace(stored, version=1, model=MODEL)


def test_text_that_a_database_may_stumble_over_is_kept(database: Database) -> None:
    text = "Grüße 🙂 \ufffd ' \" \\ % _ \u202e"
    name = saved(database, text, title=text)

    summary = read(database, lambda c: listing.summary(c, name))
    assert summary.title == text
    assert found(database, "🙂 \ufffd ' \" \\ %") == [text]


def test_next_turn_replaces_the_timeline_and_keeps_what_was_said_of_it(database: Database) -> None:
    name = saved(database)
    write(database, lambda c: annotating.rename(c, name, "Mine"))
    write(database, lambda c: annotating.annotate(c, name, Pins(((5, 6),), (2,))))
    before = loaded(database, name)
    longer = grown(before, 1, 2)
    saved(database, conversation=longer)

    facts, branch = read(database, lambda c: opening.open_branch(c, name, "here"))
    assert (branch.timeline.ids, branch.timeline.turns) == (longer.ids, longer.turns)
    assert branch.timeline.version == 2
    assert branch.pins == Pins(((5, 6),), (2,))
    assert facts.title == "Mine"
    assert len(facts.branches) == 1


def test_two_continuations_of_one_timeline_do_not_overwrite_each_other(database: Database) -> None:
    base = loaded(database, saved(database))
    first, second = grown(base, 1), grown(base, 2)
    saved(database, conversation=first)
    with pytest.raises(Conflict, match="not saved"):
        saved(database, conversation=second)

    assert loaded(database, base.id).ids == first.ids


def test_branch_belongs_to_its_parents_conversation_and_inherits_what_they_share(
    database: Database,
) -> None:
    name = saved(database)
    notes = [Note(0, 2, None, "shared"), Note(2, 5, 3, "across the fork"), Note(6, 7, None, "old")]
    write(database, lambda c: annotating.annotate(c, name, noted=notes))
    write(database, lambda c: annotating.annotate(c, name, Pins(((7,),), (1, 6))))
    branch = loaded(database, name).before(4)
    saved(database, conversation=branch)

    facts, opened = read(database, lambda c: opening.open_branch(c, branch.id, "here"))
    assert facts.id == name
    assert [b.id for b in facts.branches] == [name, branch.id]
    assert (facts.branches[1].parent_id, facts.branches[1].from_index) == (name, 4)
    assert opened.notes == (notes[0],)
    assert opened.pins == Pins(((7,),), (1,))
    assert read(database, listing.count) == 1


def test_branch_can_be_named_deleted_and_brought_back(database: Database) -> None:
    name = saved(database)
    branch = loaded(database, name).before(4)
    saved(database, conversation=branch)
    write(database, lambda c: annotating.name_branch(c, branch.id, "Other"))
    write(database, lambda c: deletion.delete_branch(c, name))

    with pytest.raises(ConversationNotFound):
        loaded(database, name)
    facts, opened = read(database, lambda c: opening.open_branch(c, name, "here"))
    assert [b.name for b in facts.branches] == ["Other"]
    assert opened.timeline.id == branch.id, "the conversation's own id opens what is left"
    with pytest.raises(Conflict, match="only branch"):
        write(database, lambda c: deletion.delete_branch(c, branch.id))
    write(database, lambda c: deletion.restore_branch(c, name))
    assert loaded(database, name).ids == timeline().ids


def test_branch_of_a_branch_outlives_it(database: Database) -> None:
    name = saved(database)
    middle = loaded(database, name).before(6)
    saved(database, conversation=middle)
    last = loaded(database, middle.id).before(5)
    saved(database, conversation=last)
    write(database, lambda c: deletion.delete_branch(c, middle.id))
    age_deletions(database)
    write(database, deletion.purge)

    assert loaded(database, last.id).ids == last.ids


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["Third", "Städte", "First"]),
        ("paris", ["First"]),
        ("STÄDTE", ["Städte"]),
        ("straße", ["Städte"]),
        ("Müßig", ["First"]),
        ("gone", []),
        ("100%", ["Third"]),
        ("%", ["Third"]),
        ("_", []),
        ("\\", []),
    ],
)
def test_search_finds_title_text_and_notes_without_regard_to_case(
    database: Database, query: str, titles: list[str]
) -> None:
    first = saved(database, "To Paris", title="First")
    for text in ("gone", "a MÜSSIG note"):
        note = Note(0, 1, None, text)
        write(database, lambda c, n=note: annotating.annotate(c, first, noted=[n]))
    saved(database, "Die STRASSE", title="Städte")
    saved(database, "100% sure", title="Third")

    assert found(database, query) == titles


def test_pages_follow_one_another(database: Database) -> None:
    for number in range(5):
        saved(database, title=f"{number}")

    assert found(database, "", limit=2) == ["4", "3"]
    assert found(database, "", limit=2, offset=2) == ["2", "1"]
    assert found(database, "", limit=2, offset=6) == []
    assert read(database, lambda c: listing.find(c, "", 1, 0))[1] == 5


def test_list_opens_the_branch_that_was_written_last(database: Database) -> None:
    name = saved(database)
    branch = loaded(database, name).before(4)
    saved(database, conversation=branch)
    (summary,), total = read(database, lambda c: listing.find(c, "", 9, 0))

    assert (summary.id, summary.conversation_id) == (branch.id, name)
    assert (summary.branch_ids, summary.n_tokens, total) == ((name, branch.id), 4, 1)


def test_deleted_conversation_is_gone_until_it_is_restored(database: Database) -> None:
    name, other = saved(database), saved(database, title="Other")
    write(database, lambda c: deletion.delete_conversation(c, name))

    assert found(database, "") == ["Other"]
    assert read(database, listing.count) == 1
    for work in (
        lambda c: opening.load(c, name, "here"),
        lambda c: opening.open_branch(c, name, "here"),
        lambda c: annotating.rename(c, name, "x"),
        lambda c: deletion.delete_conversation(c, name),
        lambda c: deletion.restore_branch(c, name),
    ):
        with pytest.raises(ConversationNotFound):
            write(database, work)
    write(database, lambda c: deletion.restore_conversation(c, name))
    assert loaded(database, name).ids == timeline().ids
    assert loaded(database, other).id == other


def test_deleted_conversation_is_removed_for_good_after_a_day(database: Database) -> None:
    name = saved(database)
    write(database, lambda c: annotating.annotate(c, name, noted=[Note(0, 1, None, "x")]))
    write(database, lambda c: job_rows.save(c, job_about(name)))
    assert read(database, lambda c: job_rows.load(c, "job")) is not None
    write(database, lambda c: deletion.delete_conversation(c, name))
    write(database, deletion.purge)
    write(database, lambda c: deletion.restore_conversation(c, name))
    write(database, lambda c: deletion.delete_conversation(c, name))
    age_deletions(database)
    write(database, deletion.purge)

    with pytest.raises(ConversationNotFound):
        write(database, lambda c: deletion.restore_conversation(c, name))
    left = read(
        database,
        lambda c: [c.execute(t.select()).all() for t in metadata.sorted_tables],
    )
    assert left == [[], [], [], [], []]


def test_of_jobs_about_no_conversation_the_newest_are_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_rows, "MAX_KEPT", 2)
    name = saved(database)
    kept = job_about(name)
    write(database, lambda c: job_rows.save(c, kept))
    for number, state in enumerate(("running", "done", "error", "done")):
        job = dataclasses.replace(
            kept, id=str(number), branch_id=None, state=state, created_at_ms=number
        )
        write(database, lambda c, job=job: job_rows.save(c, job))
    # What runs is never forgotten, nor what belongs to a conversation.
    assert {job.id for job in read(database, lambda c: job_rows.newest(c, 9))} == {
        "job",
        "0",
        "2",
        "3",
    }
    assert [job.id for job in read(database, job_rows.unfinished)] == ["0"]


def job_about(branch_id: str) -> JobRecord:
    return JobRecord(
        id="job",
        kind="patch_map",
        state="done",
        client="me",
        branch_id=branch_id,
        model=ModelIdentity("fake", "1", "local"),
        plan={},
        found={},
        failure=None,
        created_at_ms=1,
        updated_at_ms=1,
        is_new=True,
    )


@pytest.mark.parametrize("what", ["turn", "branch"])
def test_reply_to_a_conversation_that_was_deleted_meanwhile_says_that_it_is_not_saved(
    database: Database, what: str
) -> None:
    base = loaded(database, saved(database))
    write(database, lambda c: deletion.delete_conversation(c, base.id))
    with pytest.raises(Conflict, match="deleted"):
        saved(database, conversation=grown(base, 1) if what == "turn" else base.before(3))


def test_a_whole_conversation_is_added_and_read_in_order(database: Database) -> None:
    name = saved(database)
    branch = loaded(database, name).before(4)
    saved(database, conversation=branch)
    facts, whole = read(database, lambda c: opening.all_branches(c, branch.id, "here"))
    renamed = [
        dataclasses.replace(b, timeline=dataclasses.replace(b.timeline, id=f"{n}"), name=f"b{n}")
        for n, b in enumerate(whole)
    ]
    write(database, lambda c: growing.add_conversation(c, "Copy", facts.model, renamed))

    again, copies = read(database, lambda c: opening.all_branches(c, "1", "here"))
    assert (again.id, again.title, again.model) == ("0", "Copy", MODEL)
    assert [b.name for b in copies] == ["b0", "b1"]
    assert [b.timeline.ids for b in copies] == [b.timeline.ids for b in whole]
