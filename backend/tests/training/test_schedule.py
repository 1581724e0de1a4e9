from itertools import pairwise

import pytest

from training.schedule import Schedule


def test_learning_rate_rises_stays_and_decays_to_its_end() -> None:
    schedule = Schedule(target_tokens=1000, final_fraction=0.01, decay_from=0.75)

    rates = [schedule.rate_share(step / 100) for step in range(101)]

    assert rates[0] < rates[1] == 1.0
    assert set(rates[1:76]) == {1.0}
    assert rates[100] == pytest.approx(0.01)
    assert all(later < earlier for earlier, later in pairwise(rates[75:]))


def test_a_smaller_bound_begins_the_decay_where_the_plateau_stood() -> None:
    tokens_seen = 30_000_000
    open_end = Schedule(target_tokens=1_000_000_000)
    ended = Schedule(target_tokens=tokens_seen * 4 // 3)

    assert open_end.rate_share(open_end.progress(tokens_seen, 0.0)) == 1.0
    assert ended.rate_share(ended.progress(tokens_seen, 0.0)) == 1.0
    assert ended.rate_share(ended.progress(tokens_seen + 1_000_000, 0.0)) < 0.8
    assert ended.row_length(ended.progress(tokens_seen, 0.0)) == ended.full_row_length


def test_the_nearer_bound_decides() -> None:
    schedule = Schedule(target_tokens=1000, limit_seconds=60.0)

    assert schedule.progress(tokens_seen=100, seconds=45.0) == 0.75
    assert schedule.progress(tokens_seen=900, seconds=45.0) == 0.9
    assert schedule.progress(tokens_seen=2000, seconds=45.0) == 1.0


def test_a_run_without_a_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="bound"):
        Schedule()
