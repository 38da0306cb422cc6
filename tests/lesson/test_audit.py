"""The harness finds what it is there to find: each fault planted in a copy, and caught."""

import pytest

from course_utils.errors import CourseError
from course_utils.lesson import audit
from course_utils.lesson.build import execute
from course_utils.lesson.source import lint, notebook_of


def edit(lesson, file, old, new):
    path = lesson.path / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def add_cell(lesson, source, cell_id="planted"):
    with open(lesson.source, "a", encoding="utf-8") as file:
        file.write(f"\n# %% {cell_id}\n{source}\n")


def run(lesson):
    book = notebook_of(lesson)
    book.cells.append(audit.probe())
    return execute(book, lesson.path)


def test_the_scaffold_has_no_fault(lesson):
    checks = (audit.stale, audit.unreadable, audit.silent_panels, audit.disagreements)
    assert [fault for check in checks for fault in check(lesson)] == []
    assert audit.unfair_checks(lesson) == []
    assert audit.unsolved(lesson, execute(audit.solved(lesson), lesson.path)) == []


PANEL = """
from course_utils.viz.walk import WalkCanvas
from course_utils.widgets.controls import slider
from course_utils.widgets.panel import Panel
from course_utils.worlds.regressions import sgd_walk

def only_small(epochs):
    if epochs > 8:
        raise ValueError("too far")
    return sgd_walk(6, 0.1, epochs, 0, True, False)

Panel("planted", only_small, WalkCanvas(), {"epochs": slider("epochs", 1, 9, 5, 1)})
"""

INTERACT = """
import ipywidgets
ipywidgets.interact(lambda n: 1 / (n - 9), n=ipywidgets.IntSlider(5, 0, 9))
"""

HOOK = """
model = torch.nn.Linear(2, 2)
handle = model.register_forward_hook(lambda *args: None)
"""

TAP = """
from course_utils.core import ModelConfig, Transformer, recording
model = Transformer(ModelConfig(d_vocab=5, n_layer=1, d_model=8, n_head=2))
left_open = recording(model, ["logits"])
left_open.__enter__()
"""


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (PANEL, "planted.*epochs = 9.*too far"),
        (INTERACT, "ZeroDivisionError"),
        (HOOK, "a hook was left on a Linear"),
        (TAP, "a hook was left on a Tap"),
    ],
    ids=["panel that raises after a move", "interact that does", "hook left", "tap left"],
)
def test_what_fails_only_later_is_found(lesson, source, says):
    add_cell(lesson, source)
    with pytest.raises(CourseError, match=says):
        run(lesson)


@pytest.mark.parametrize(
    ("limit", "value", "says"),
    [("CPU_SECONDS", 0.1, "processor seconds of 0.1"), ("PEAK_BYTES", 1e7, "GB of 0.01")],
)
def test_a_lesson_that_takes_too_much_is_found(lesson, monkeypatch, limit, value, says):
    monkeypatch.setattr(audit, limit, value)
    with pytest.raises(CourseError, match=says):
        run(lesson)


def test_a_cell_that_needs_an_exercise_is_found(lesson):
    add_cell(lesson, "square(torch.ones(2)).sum()")
    with pytest.raises(CourseError, match="cell planted: NotImplementedError"):
        run(lesson)


def test_a_claim_that_is_not_listed_is_found(lesson):
    add_cell(lesson, 'claim("NEW-91", largest=[4.0] * 5)')
    with pytest.raises(CourseError, match="NEW-91.*no lesson's claims.toml"):
        run(lesson)


def test_a_claim_that_is_not_printed_is_found(lesson):
    edit(lesson, "lesson.py", 'claim("NEW-90", largest=largest)', "print(largest)")
    assert "claims printed []" in audit.unclaimed(lesson, run(lesson))[0]


def test_a_claim_outside_the_compared_cells_is_found(lesson):
    edit(lesson, "lesson.py", "# NBVAL_CHECK_OUTPUT\n", "")
    assert any("not marked" in fault for fault in audit.unclaimed(lesson, run(lesson)))


def test_a_source_that_was_not_rebuilt_is_found(lesson):
    edit(lesson, "lesson.py", "Before you run", "When you run")
    assert "has changed since" in audit.stale(lesson)[0]


def test_a_loosened_check_is_found(lesson):
    edit(lesson, "checks.py", "[1.0, 4.0])", "[1.0, 4.0], atol=100)")
    faults = " ".join(audit.unfair_checks(lesson))
    assert "accepts the wrong answer doubled" in faults


def test_a_right_answer_among_the_wrong_is_found(lesson):
    edit(lesson, "wrong.py", "return 2 * x", "return x * x")
    assert "90.1 accepts the wrong answer doubled" in audit.unfair_checks(lesson)


def test_a_check_that_rejects_the_solution_is_found(lesson):
    edit(lesson, "solutions.py", "return x * x", "return x + x")
    assert "rejects its own solution" in audit.unfair_checks(lesson)[0]


def test_too_few_wrong_answers_are_found(lesson):
    edit(lesson, "wrong.py", "[doubled, sign_kept, summed]", "[doubled, summed]")
    assert "at least 3" in audit.unfair_checks(lesson)[0]


def test_two_wrong_answers_with_one_behaviour_are_found(lesson):
    edit(lesson, "wrong.py", "return x * x.abs()", "return 2 * x")
    assert any("sign_kept is recognised as doubled" in f for f in audit.unfair_checks(lesson))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("def square(x: Tensor)", "def square(z: Tensor)", "differ in their args"),
        ("-> Tensor", "-> float", "differ in their returns"),
        ("in x's shape", "in its shape", "differ in their docstring"),
        ("def square", "def cube", "not defined in both"),
    ],
)
def test_a_solution_unlike_its_stub_is_found(lesson, old, new, says):
    edit(lesson, "lesson.py", old, new)
    assert any(says in fault for fault in audit.disagreements(lesson))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import matplotlib.pyplot as plt", "imports matplotlib"),
        ("%timeit 1", "magic"),
        ("!ls", "magic"),
        ("import sys, subprocess\nsubprocess.run([sys.executable, '-m', 'pip', 'list'])", "pip"),
        ("import os\nos.system('pip install x')", "pip"),
        ("from urllib.request import urlopen", "imports urllib"),
        ("x = 1\n" * 26, "26 lines"),
        ("get_ipython().run_line_magic('time', '1')", "get_ipython"),
        ("def f(:", "not Python"),
    ],
)
def test_a_cell_beyond_its_limits_is_found(lesson, source, says):
    book = notebook_of(lesson)
    book.cells[1].source = source
    assert any(says in fault for fault in lint(book))


def test_an_error_that_a_widget_swallowed_is_found(lesson):
    book = notebook_of(lesson)
    state = {"m": {"state": {"outputs": [{"output_type": "error", "ename": "E", "evalue": "v"}]}}}
    book.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"state": state}}
    assert audit.hidden_errors(book) == ["a widget hides E: v"]
