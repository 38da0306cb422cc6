"""Slow work behind a button: it can be watched, stopped, and fail without losing the picture."""

import threading
import time

import pytest

from course_utils.viz.walk import WalkCanvas
from course_utils.widgets.controls import slider, switch
from course_utils.widgets.run_panel import RunPanel
from course_utils.worlds.regressions import sgd_walk


@pytest.fixture
def gate():
    """Opens when the test lets the run go on."""
    return threading.Event()


@pytest.fixture
def panel(gate):
    def slowly(progress, epochs):
        if epochs > 8:
            raise ValueError("too far")
        for step in range(3 if epochs > 5 else 0):
            gate.wait(10)
            time.sleep(0.25)
            progress(step, 3, sgd_walk(6, 0.1, step + 1, 0, True, False))
        return sgd_walk(6, 0.1, epochs, 0, True, False)

    return RunPanel("slow", slowly, WalkCanvas(), {"epochs": slider("epochs", 1, 9, 5, 1)})


def test_a_move_computes_nothing(panel):
    before = panel.sentence
    panel.controls["epochs"].value = 2
    assert panel.sentence == before and "press Run" in panel._status.value


def test_a_run_shows_progress_and_ends(panel, gate):
    panel.controls["epochs"].value = 7
    panel.start()
    assert panel._button.disabled and not panel._halt.disabled
    gate.set()
    panel.wait()
    assert "7 epochs" in panel.sentence and "done in" in panel._status.value
    assert panel._bar.value == 1 and not panel._button.disabled


def test_stop_keeps_the_picture_of_the_moment(panel, gate):
    before = bytes(panel._image.value)
    panel.controls["epochs"].value = 7
    panel.start()
    panel._halt.click()
    gate.set()
    panel.wait()
    assert "stopped" in panel._status.value and panel.error is None
    assert bytes(panel._image.value) == before


def test_a_failing_run_says_so_and_keeps_the_picture(panel):
    before = bytes(panel._image.value)
    panel.controls["epochs"].value = 9
    panel.start()
    panel.wait()
    assert isinstance(panel.error, ValueError) and "too far" in panel._alert.value
    assert bytes(panel._image.value) == before


def test_set_runs_at_once_and_raises(panel):
    assert panel.set(epochs=3).epochs == 3
    with pytest.raises(ValueError, match="too far"):
        panel.set(epochs=9)


def test_a_probe_moves_all_controls_of_a_run_together_and_back():
    seen = []

    def compute(progress, **values):
        seen.append(values)
        return sgd_walk(6, 0.1, values["epochs"], 0, True, False)

    controls = {"epochs": slider("epochs", 1, 9, 5, 1), "warm": switch("warm", True)}
    panel = RunPanel("two", compute, WalkCanvas(), controls)
    seen.clear()
    for setting in panel.drives():
        panel.set(**setting)
    assert [value["epochs"] for value in seen] == [1, 5, 9, 5]
    assert [value["warm"] for value in seen] == [False, True, True, True]
