"""Every lesson as a learner meets it: `course lab` in a real Chromium. This file names no lesson.

One JupyterLab serves all of it; each lesson is opened and run once.
"""

import os
import sys

import pytest

from course_utils.bench import browser, moves, page
from course_utils.lesson.folder import all_lessons

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHOSEN = os.environ.get("COURSE_LESSONS")
LESSONS = [x.name for x in all_lessons() if CHOSEN is None or x.name in CHOSEN.split(",")]
WIDGET = "application/vnd.jupyter.widget-view+json"
NAMED_ROLES = ("slider", "combobox", "checkbox", "textbox", "button", "progressbar", "image")
MOST_TABS, RUN_SECONDS = 40, 60

# What stands out of its box, or out of a box around it that hides or scrolls what does not fit.
CUT_OFF = """root => {
  const said = [], seen = node => getComputedStyle(node).overflowX !== "visible";
  const text = node => `${node.tagName} ${node.className} "${node.textContent.slice(0, 30)}"`;
  const check = node => {
    if (node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0 && seen(node))
      said.push(`${text(node)}: ${node.scrollWidth} px in ${node.clientWidth}`);
  };
  for (let node = root; node; node = node.parentElement) check(node);
  for (const node of root.querySelectorAll("*")) {
    check(node);
    const { width, right } = node.getBoundingClientRect();
    if (width && right > innerWidth + 1) said.push(`${text(node)} ends at ${right} px`);
  }
  return said;
}"""
# Puts the focus on the cell that holds the panel, as a click beside its output does.
FOCUS_CELL = """root => {
  const notebook = jupyterapp.shell.currentWidget.content;
  const number = notebook.widgets.findIndex(cell => cell.node.contains(root));
  notebook.activeCellIndex = number;
  notebook.mode = "command";
  notebook.widgets[number].node.focus();
}"""
FOCUSED = "(root, handle) => root.contains(document.activeElement)"

TWO_PANELS = """
from course_utils.errors import CourseError
from course_utils.viz.canvas import Canvas
from course_utils.widgets.controls import slider
from course_utils.widgets.panel import Panel

class Dot(Canvas):
    def build(self):
        axes = self.figure.add_axes((0.1, 0.1, 0.8, 0.8))
        axes.set(xlim=(0, 5), ylim=(0, 1))
        (self.dot,) = axes.plot([], [], marker="o")
        return [self.dot]

    def update(self, result):
        self.dot.set_data([result], [0.5])

    def sentence(self, result):
        return f"A dot at {result}."

def compute(x):
    if x == 3:
        raise CourseError("three is <b>too much</b>")
    return x

display(
    Panel("Fails at three", compute, Dot(), {"x": slider("x", 0, 5, 1, 1)}),
    Panel("Never fails", lambda x: x, Dot(), {"x": slider("x", 0, 90, 1, 1)}),
)
"""


@pytest.fixture(scope="module")
def lab():
    try:
        with browser.lab() as running:
            yield running
    except browser.Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module", params=LESSONS)
def lesson(lab, request):
    """(notebook, its cells after all were run) of one lesson."""
    with lab.open(f"{request.param}.ipynb") as notebook:
        yield notebook, notebook.run_all()


def test_runs_without_an_error_and_shows_every_panel(lesson):
    notebook, cells = lesson
    outputs = [
        output
        for cell in cells
        if "raises-exception" not in cell["metadata"].get("tags", ())
        for output in cell.get("outputs", ())
    ]
    assert [out["evalue"] for out in outputs if out["output_type"] == "error"] == []
    shown = [out for out in outputs if WIDGET in out.get("data", {})]
    assert len(notebook.panels()) == len(shown)


def test_everything_in_a_panel_has_an_accessible_name(lesson):
    for panel in lesson[0].panels():
        found = [(role, name) for role in NAMED_ROLES for name in panel.accessible_names(role)]
        assert [role for role, name in found if not name.strip()] == []
        sliders = [name for role, name in found if role == "slider"]
        assert len(sliders) == len(panel.sliders()) == len(set(sliders))
        assert [role for role, _ in found].count("image") == 1


def test_tab_reaches_every_slider_and_leaves_the_panel(lesson):
    for panel in lesson[0].panels():
        reached, wanted = set(), set(panel.accessible_names("slider"))
        panel.root.evaluate(FOCUS_CELL)
        for _ in range(MOST_TABS):
            panel.page.keyboard.press("Tab")
            inside = panel.root.evaluate(FOCUSED)
            if reached and not inside:
                break
            if inside:
                reached.add(panel.page.evaluate("() => document.activeElement.ariaLabel"))
        else:
            pytest.fail(f"{MOST_TABS} times Tab, and still inside the panel")
        assert wanted <= reached


def test_arrow_keys_move_each_slider_and_the_picture_answers(lesson):
    for panel in lesson[0].panels():
        button, before = panel.run_button(), panel.pixels()
        for slider in panel.sliders():
            value, pixels = slider.get_attribute("aria-valuetext"), panel.pixels()
            panel.press(slider)
            if not button:
                panel.new_pixels(pixels)
            assert slider.get_attribute("aria-valuetext") != value
            assert panel.error() == ""
        if button:
            button.press("Enter")
            panel.new_pixels(before, seconds=RUN_SECONDS)
            button.and_(panel.root.locator("button:enabled")).wait_for(timeout=1000 * RUN_SECONDS)
            assert panel.error() == ""


def test_nothing_is_cut_off_at_1280_by_800(lesson):
    for panel in lesson[0].panels():
        panel.into_view()
        assert panel.root.evaluate(CUT_OFF) == []


def test_the_page_has_no_errors(lab, lesson):
    assert lab.errors == []


@pytest.fixture(scope="module")
def two_panels(lab):
    name = lab.write("two_panels.ipynb", TWO_PANELS)
    with lab.open(name) as notebook:
        notebook.run_all()
        yield notebook.panels()


def test_a_panel_that_fails_says_so_and_keeps_its_last_picture(two_panels):
    panel = two_panels[0]
    (slider,) = panel.sliders()
    first = panel.pixels()
    panel.press(slider, "ArrowRight")
    last_good = panel.new_pixels(first)
    panel.press(slider, "ArrowRight")
    alert = panel.root.get_by_role("alert").filter(has_text="CourseError")
    alert.wait_for(timeout=10_000)
    assert "three is <b>too much</b>" in alert.inner_text()
    assert panel.pixels() == last_good
    panel.press(slider, "ArrowRight")
    panel.new_pixels(last_good)
    assert panel.error() == ""


def test_a_move_is_timed_and_steady_pictures_do_not_flicker(two_panels):
    side = moves.Side(two_panels[1])
    side.watch(["x"])
    side.move("x")
    assert 0 < side.times["x"][0] < 1000 * page.MOVE_SECONDS
    side.hold_each()
    assert side.frames > 0 and side.flicker == 0


def test_a_move_that_changes_no_pixel_is_no_time(two_panels, monkeypatch):
    side = moves.Side(two_panels[1])
    side.watch(["x"])
    monkeypatch.setattr(moves, "LONGEST_MS", 0)  # no picture comes as soon as that
    side.move("x")
    assert (side.times["x"], side.still) == ([], 1)


@pytest.mark.parametrize(
    "fault", ["style.opacity = tick % 2", "style.height = `${200 + 2 * (tick % 2)}px`"]
)
def test_flicker_is_seen(two_panels, fault):
    side = moves.Side(two_panels[1])
    side.watch(["x"])
    side.shown.root.evaluate(f"""root => {{
        const picture = root.querySelector("img");
        let tick = 0;
        window.fault = setInterval(() => {{ tick += 1; picture.{fault}; }}, 100);
    }}""")
    side.hold_each()
    side.shown.root.evaluate("""root => {
        clearInterval(window.fault);
        root.querySelector("img").style = "";
    }""")
    assert side.flicker > 0


def test_a_missing_browser_is_one_sentence(monkeypatch):
    monkeypatch.setenv("COURSE_CHROMIUM", "no-such-browser")
    with pytest.raises(browser.Missing, match="'no-such-browser', which is not installed"):
        browser.chromium()
    monkeypatch.delenv("COURSE_CHROMIUM")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(browser.Missing, match="apt-get install chromium"):
        browser.chromium()


def test_a_missing_driver_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(browser.Missing, match="'playwright'.*requirements-test.txt"):
        browser.load_playwright()
