import pytest

from training.schedule import Schedule


def test_learning_rate_rises_then_decays_to_its_end() -> None:
    schedule = Schedule(target_tokens=1000, final_fraction=0.01)

    rates = [schedule.rate_share(step / 100) for step in range(101)]

    assert max(rates) == rates[2] == pytest.approx(1.0)
    assert rates[100] == pytest.approx(0.01)
    assert rates[2:] == sorted(rates[2:], reverse=True)


def test_the_nearer_bound_decides() -> None:
    schedule = Schedule(target_tokens=1000, limit_seconds=60.0)

    assert schedule.progress(tokens_seen=100, seconds=45.0) == 0.75
    assert schedule.progress(tokens_seen=900, seconds=45.0) == 0.9
    assert schedule.progress(tokens_seen=2000, seconds=45.0) == 1.0


def test_a_run_without_a_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="bound"):
        Schedule()
