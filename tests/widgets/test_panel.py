"""A panel: values in, picture out, and no error that nobody sees."""

import ipywidgets
import pytest
import torch

from course_utils.errors import CourseError
from course_utils.viz.walk import WalkCanvas
from course_utils.widgets.controls import (
    choice,
    extremes,
    log_slider,
    slider,
    steps,
    switch,
    text,
)
from course_utils.widgets.loss_surface import bowl_panel
from course_utils.widgets.panel import Panel
from course_utils.widgets.probe import drive_everything
from course_utils.worlds.regressions import sgd_walk


def fragile(epochs):
    if epochs > 8:
        raise ValueError("<b>too far</b>")
    return sgd_walk(6, 0.1, epochs, 0, True, False)


@pytest.fixture
def panel():
    return Panel("fragile", fragile, WalkCanvas(), {"epochs": slider("epochs", 1, 9, 5, 1)})


def test_a_move_changes_picture_and_sentence(panel):
    before = panel._image.value, panel.sentence
    panel.controls["epochs"].value = 2
    assert panel._image.value != before[0] and panel.sentence != before[1]
    assert bytes(panel._image.value[:4]) == b"\x89PNG"


def test_an_error_after_a_move_shows_and_keeps_the_picture(panel):
    before = panel._image.value
    panel.controls["epochs"].value = 9
    assert isinstance(panel.error, ValueError)
    assert "&lt;b&gt;too far" in panel._alert.value, "text from outside is escaped"
    assert panel._image.value == before
    panel.controls["epochs"].value = 3
    assert panel.error is None and panel._alert.value == ""


def test_set_raises_what_the_computation_raises(panel):
    with pytest.raises(ValueError, match="too far"):
        panel.set(epochs=9)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"epoch": 3}, "no control 'epoch'; this panel has: epochs"),
        ({"epochs": 99}, "epochs is 99; allowed: 1 to 9"),
    ],
)
def test_set_refuses_what_no_control_allows(panel, values, says):
    with pytest.raises(CourseError, match=says):
        panel.set(**values)


def test_set_computes_once(panel):
    calls = []
    panel.compute = lambda **values: calls.append(values) or fragile(**values)
    panel.set(epochs=2)
    assert calls == [{"epochs": 2}]


def test_a_move_computes_on_one_thread_and_gives_the_others_back(panel):
    counts, before = [], torch.get_num_threads()
    panel.compute = lambda **values: counts.append(torch.get_num_threads()) or fragile(**values)
    try:
        torch.set_num_threads(3)
        panel.set(epochs=2)
        panel.controls["epochs"].value = 9  # fails
        assert counts == [1, 1] and torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_a_learners_function_takes_part():
    calls = []

    def mine(x, y, ws, bs):
        calls.append(1)
        return ((ws[:, None, None] * x + bs[None, :, None] - y) ** 2).mean(-1)

    bowl_panel(loss_grid=mine)
    assert calls


def test_without_a_widget_there_is_a_picture_and_a_sentence(panel):
    bundle = panel._repr_mimebundle_()
    assert bundle["text/plain"] == panel.sentence and bundle["image/png"]


@pytest.mark.parametrize(
    ("control", "ends"),
    [
        (slider("n", 0, 10, 5, 1), [0, 5, 10]),
        (slider("x", 0.0, 1.0, 0.5, 0.1), [0, 0.5, 1]),
        (log_slider("lr", 0.01, 100, 1), [0.01, 1, 100]),
        (steps("k", [1, 5, 25], 5), [1, 5, 25]),
        (switch("on"), [False, True]),
        (choice("which", ["a", "b", "c"]), ["a", "b", "c"]),
        (text("say", "one", "two"), ["one", "two"]),
    ],
)
def test_the_ends_of_each_control(control, ends):
    assert extremes(control) == pytest.approx(ends) if isinstance(ends[0], float) else ends


def test_the_probe_names_the_control_that_fails(panel):
    with pytest.raises(CourseError, match="panel 'fragile' at epochs = 9"):
        drive_everything()


def test_whole_numbers_stay_whole():
    assert isinstance(slider("n", 0, 3, 1, 1), ipywidgets.IntSlider)
    assert isinstance(slider("x", 0, 3, 1, 0.5), ipywidgets.FloatSlider)
