"""Stop strings across token borders, against a search in the whole text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.stopping import StopMatcher
from app.engine.types import Step


def reply(tokens: list[bytes], stop: list[str]) -> tuple[list[int], list[list[int]], str | None]:
    """Kept tokens, what each feed released, and the stop string met."""
    matcher = StopMatcher(stop)
    released: list[list[int]] = []
    for i, token in enumerate(tokens):
        result = matcher.feed(Step(i, i, 0.0, 1, 0.0), token)
        released.append([s.index for s in result.steps])
        if result.stop is not None:
            return [i for part in released for i in part], released, result.stop
    released.append([s.index for s in matcher.flush()])
    return [i for part in released for i in part], released, None


@pytest.mark.parametrize(
    ("tokens", "stop", "kept", "met"),
    [
        ([b"a", b"b", b"c"], [], [0, 1, 2], None),
        ([b"a", b"\nUser", b":", b"x"], ["\nUser:"], [0], "\nUser:"),
        ([b"a\n", b"User:"], ["\nUser:"], [0], "\nUser:"),
        ([b"a", b"\nUser:"], ["\nUser:"], [0], "\nUser:"),
        ([b"a", b"b\nUser: yes"], ["\nUser:"], [0, 1], "\nUser:"),
        ([b"a", b"\n", b"Use", b"less"], ["\nUser:"], [0, 1, 2, 3], None),
        ([b"\n", b"\n", b"User:"], ["\nUser:"], [0], "\nUser:"),
        ([b"ab", b"cd"], ["bc", "abcd"], [], "abcd"),
        ([b"a", b"x"], ["ax", "a"], [], "a"),
        ([b"", b"a", b"b"], ["ab"], [0], "ab"),
        ([b"\xc3", b"\xa9", b"!"], ["é"], [], "é"),
    ],
)
def test_tokens_that_spell_a_stop_string_are_dropped(
    tokens: list[bytes], stop: list[str], kept: list[int], met: str | None
):
    assert reply(tokens, stop)[::2] == (kept, met)


def test_tokens_are_held_back_only_while_undecided():
    _, released, _ = reply([b"a", b"\n", b"U", b"x", b"b"], ["\nUs"])
    assert released == [[0], [], [], [1, 2, 3], [4], []]


@given(
    st.lists(st.text("ab", min_size=1, max_size=3).map(str.encode), max_size=12),
    st.lists(st.text("ab", min_size=1, max_size=4), max_size=3),
)
def test_the_reply_ends_at_the_first_completed_stop_string(tokens: list[bytes], stop: list[str]):
    kept, released, met = reply(tokens, stop)
    for n in range(1, len(tokens) + 1):
        text = b"".join(tokens[:n])
        places = [p for s in stop if (p := text.find(s.encode())) >= 0]
        if places:
            starts = [len(b"".join(tokens[:i])) for i in range(n)]
            assert met is not None
            assert kept == [i for i in range(n) if starts[i] < min(places)]
            assert len(released) == n
            return
    assert met is None
    assert kept == list(range(len(tokens)))
