"""Drive everything in a kernel that a learner could move, and find what would have failed silently.

ipywidgets swallows the exceptions of callbacks: a broken slider leaves a green notebook.
"""

import gc
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import ipywidgets
import psutil
from IPython import get_ipython

from course_utils.errors import CourseError
from course_utils.widgets.controls import extremes
from course_utils.widgets.panel import living_panels

MOVABLE = (
    ipywidgets.IntSlider,
    ipywidgets.FloatSlider,
    ipywidgets.FloatLogSlider,
    ipywidgets.SelectionSlider,
    ipywidgets.Dropdown,
    ipywidgets.Checkbox,
)


def drive_everything() -> None:
    """Move every control of every panel and every other slider to its first, middle and last value.

    Raises CourseError naming the first control that fails, an error kept by a widget, or a hook
    that a cell left on a model.
    """
    for panel in living_panels():
        if panel.error:
            raise CourseError(f"panel {panel.title!r} shows an error: {panel.error}")
        for setting in panel.drives():
            try:
                panel.set(**setting)
            except Exception as error:
                at = ", ".join(f"{name} = {value}" for name, value in setting.items())
                raise CourseError(f"panel {panel.title!r} at {at}: {error}") from error
    _drive_loose_widgets()
    _find_hooks()


def _drive_loose_widgets() -> None:
    """Sliders and the like outside panels (`interact`), whose callbacks' errors IPython prints."""
    owned = {id(control) for panel in living_panels() for control in panel.controls.values()}
    for widget in list(ipywidgets.widgets.widget._instances.values()):
        if isinstance(widget, MOVABLE) and id(widget) not in owned:
            for value in [*extremes(widget), widget.value]:
                with _printed_errors() as errors:
                    widget.value = value
                if errors:
                    name = widget.description or type(widget).__name__
                    raise CourseError(f"a widget at {name} = {value} hides {errors[0]}")


@contextmanager
def _printed_errors():
    """Collects the exceptions that would only have been printed. Outside IPython there are none."""
    shell, errors = get_ipython(), []
    if shell is None:
        yield errors
        return

    def keep(exc_tuple=None, *args, **kwargs):
        error = (exc_tuple or sys.exc_info())[1]
        errors.append(f"{type(error).__name__}: {error}")

    original, shell.showtraceback = shell.showtraceback, keep
    try:
        yield errors
    finally:
        shell.showtraceback = original


def _find_hooks() -> None:
    """Hooks and taps that outlive their block would bend every later result."""
    if "torch" not in sys.modules:
        return
    from torch.nn import Module

    for thing in gc.get_objects():
        if issubclass(type(thing), Module) and (
            thing._forward_hooks
            or thing._forward_pre_hooks
            or thing._backward_hooks
            or (type(thing).__name__ == "Tap" and thing.active)
        ):
            raise CourseError(f"a hook was left on a {type(thing).__name__}")


def prove(cpu_seconds: float, peak_bytes: float) -> None:
    """Move everything, in a kernel that has run a lesson. Raises CourseError where something fails,
    or where the lesson has taken more processor seconds or memory than it may."""
    used = time.process_time()  # to move every control three times is the test's work
    drive_everything()
    peak = peak_memory()
    if used > cpu_seconds or peak > peak_bytes:
        raise CourseError(
            f"the lesson took {used:.1f} processor seconds of {cpu_seconds:g}, "
            f"and {peak / 1e9:.2f} GB of {peak_bytes / 1e9:g}"
        )


def peak_memory() -> int:
    """Most bytes that this process has held at once."""
    memory = psutil.Process().memory_info()
    return memory.peak_wset if hasattr(memory, "peak_wset") else _peak_resident()


def _peak_resident() -> int:
    if sys.platform == "linux":  # getrusage counts the process that this one was started from, too
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) * 1024
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
