from app.services.loading_progress import LoadingWatch, LoadProgress
from app.settings import Settings


def test_a_model_of_this_machine_goes_through_every_step() -> None:
    watch = LoadingWatch(Settings(engine="local"))
    watch.note(LoadProgress("Packing.", step="pack"))
    assert [(each.step, each.status) for each in watch.steps()] == [
        ("import", "done"),
        ("find", "done"),
        ("weights", "done"),
        ("pack", "running"),
        ("check", "waiting"),
    ]


def test_a_model_on_ndif_has_no_step_for_weights_that_are_never_here() -> None:
    watch = LoadingWatch(Settings(engine="ndif", ndif_host="http://127.0.0.1:1"))
    watch.note(LoadProgress("Asking.", step="check"))
    assert [(each.step, each.status) for each in watch.steps()] == [
        ("import", "done"),
        ("find", "done"),
        ("check", "running"),
    ]
