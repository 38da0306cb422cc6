"""From a key press on a slider to new pixels on the screen: our panels beside `interact`.

Both show the same computation and the same figure, in one cell of one notebook, with one kernel,
and are moved in turn. A time runs from the key event's own time stamp to the first animation
frame that paints the new picture, already decoded. Beside them stands the floor: a slider that
swaps ready pictures of the same size, so that only Jupyter and the browser are timed.
"""

import importlib
import inspect
import math
import pkgutil
from dataclasses import dataclass
from statistics import median
from typing import get_type_hints

from course_utils import widgets
from course_utils.bench import browser
from course_utils.bench.measure import Options, Progress, Row
from course_utils.bench.moves import Side
from course_utils.errors import CourseError
from course_utils.widgets.panel import Panel

MOVES_A_ROUND = 12  # over all sliders of a panel: 84 in the usual 7 rounds

# The ordinary way: the figure redrawn as a whole, shown by IPython's inline backend. The twin
# panel only lends its controls, computation and figure; its own wiring is cut.
CELLS = (
    """
%matplotlib inline
import ipywidgets
import matplotlib.pyplot
from IPython.display import display
from course_utils.core.threads import one_thread
from {module} import {factory}
""",
    """
twin = {factory}()
for control in twin.controls.values():
    control.unobserve(twin._moved, names="value")

def show(**values):
    with one_thread():
        result = twin.compute(**values)
    twin.canvas.update(result)
    display(twin.canvas.figure)

ready = twin.canvas.png()
swapped = ipywidgets.Image(value=ready, layout={{"max_width": "100%"}})
knob = ipywidgets.IntSlider(0, 0, 200, description="floor")

def swap(change):
    swapped.value = ready + bytes([change["new"]])  # the same picture, as a new file

knob.observe(swap, names="value")
floor = ipywidgets.VBox([knob, swapped])
floor.add_class("bench-floor")
display({factory}())
_ = ipywidgets.interact(show, **twin.controls)
display(floor)
""",
)
SIDES = {"ours": ".course-panel", "peer": ".widget-interact", "floor": ".bench-floor"}


@dataclass(frozen=True)
class FigureRow(Row):
    """A Row with what a median hides: 95th percentiles, and flicker as frames of all frames."""

    p95: float = math.nan
    peer_p95: float = math.nan
    flicker: int = 0
    peer_flicker: int = 0
    frames: int = 0


def factories() -> list[tuple[str, str]]:
    """(module, function) of every panel that answers at once: the functions in
    course_utils.widgets that are called …_panel and return a Panel."""
    found = []
    for info in pkgutil.iter_modules(widgets.__path__, "course_utils.widgets."):
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            own = inspect.isfunction(value) and value.__module__ == module.__name__
            if own and name.endswith("_panel") and get_type_hints(value).get("return") is Panel:
                found.append((info.name, name))
    return found


def rows(options: Options, progress: Progress) -> list[Row]:
    """For every panel a row over all its sliders, then one for each slider, slowest first."""
    found = []
    chosen = [panel for panel in factories() if options.only in ".".join(panel)]
    if not chosen:
        names = ", ".join(factory for _, factory in factories())
        raise CourseError(f"no panel has {options.only!r} in its name; there are: {names}")
    with browser.lab() as lab:
        for module, factory in chosen:
            name = f"{factory}.ipynb"
            lab.write(name, *(cell.format(module=module, factory=factory) for cell in CELLS))
            with lab.open(name) as notebook:
                found += _measure(notebook, options.repeats, progress)
    return found


def _measure(notebook: browser.Notebook, repeats: int, progress: Progress) -> list[Row]:
    for cell in notebook.run_all():
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                raise CourseError(f"{notebook.name}: {output['ename']}: {output['evalue']}")
    sides = {name: Side(notebook.panels(selector)[0]) for name, selector in SIDES.items()}
    ours, peer, floor = sides.values()
    title = ours.shown.root.get_attribute("aria-label")
    names = [slider.get_attribute("aria-label") for slider in ours.shown.sliders()]
    for side in (ours, peer):
        side.watch(names)
    floor.watch(["floor"])
    notebook.page.wait_for_timeout(1000)
    for done in range(1, repeats + 1):
        for name in names:
            for _ in range(max(1, MOVES_A_ROUND // len(names))):
                _move(ours, peer, name)
            floor.move("floor")
        progress(f"{title}: round {done} of {repeats}")
    for side in (ours, peer):
        side.hold_each()
        progress(f"{title}: held keys")
    told = [name for name in names if ours.times[name] and peer.times[name]]
    if not told:
        raise CourseError(f"{title}: no slider brought a new picture")
    by_slider = [_row(f"{title}: {name}", *sides.values(), name) for name in told]
    return [_row(title, *sides.values()), *sorted(by_slider, key=lambda row: -row.ours)]


def _move(ours: Side, peer: Side, name: str) -> None:
    """Move both. The peer draws the same figure, so its pixels tell whether ours had to change."""
    before = peer.shown.pixels()
    moved = ours.move(name)
    peer.move(name)
    if not moved and peer.shown.pixels() != before:
        raise CourseError(f"slider {name!r} moved, and no new picture came")


def _row(work: str, ours: Side, peer: Side, floor: Side, name: str | None = None) -> FigureRow:
    mine, other = (side.times[name] if name else side.all_times() for side in (ours, peer))
    note = f"95%: {p95(mine):.0f} ms, peer {p95(other):.0f} ms; {len(mine)} moves"
    if not name:
        note += f"; flicker in {ours.flicker} of {ours.frames} frames"
        note += f"; {ours.still} moves changed no pixel" if ours.still else ""
    return FigureRow(
        work,
        median(mine),
        median(other),
        "ms",
        median(other) / median(mine),
        median(floor.all_times()) / median(mine),
        peer_name="" if name else "ipywidgets.interact, inline backend",
        note=note,
        p95=p95(mine),
        peer_p95=p95(other),
        flicker=ours.flicker,
        peer_flicker=peer.flicker,
        frames=ours.frames,
    )


def p95(values: list[float]) -> float:
    """The 95th percentile, by nearest rank: a value that occurred."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]
