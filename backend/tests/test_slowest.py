"""`make test` names the slowest tests, whichever runner they belong to."""

from tools.slowest import slowest, timed_tests

PYTEST = """
============================= slowest 10 durations =============================
41.20s call     tests/server/test_kill.py::test_nothing_acknowledged_is_lost
12.01s setup    tests/engine/test_families.py::test_lens[gpt2]
1 passed in 53.2s
"""
VITEST = """
 ✓ src/lib/chart.test.ts (12 tests) 9340ms
     ✓ draws one line for each pinned token  1412ms
     × keeps its place 300ms
"""
PLAYWRIGHT = """
  ✓    1 [page] › chat.spec.ts:5:1 › a reply (with its lens) streams (5.2s)
  ✘   22 [timed] › speed.spec.ts:59:1 › 1,000 tokens stay smooth (1.1m)
  124 passed (7.1m)
"""


def test_the_slowest_tests_of_all_runners_are_named_together() -> None:
    tests = [test for output in (PYTEST, VITEST, PLAYWRIGHT) for test in timed_tests(output)]

    found = [(round(test.seconds, 3), test.name) for test in slowest(tests, 5)]

    assert found == [
        (66.0, "[timed] › speed.spec.ts:59:1 › 1,000 tokens stay smooth"),
        (41.2, "tests/server/test_kill.py::test_nothing_acknowledged_is_lost"),
        (12.01, "tests/engine/test_families.py::test_lens[gpt2]"),
        (5.2, "[page] › chat.spec.ts:5:1 › a reply (with its lens) streams"),
        (1.412, "draws one line for each pinned token"),
    ]
    assert len(tests) == 6, "a file is no test"
