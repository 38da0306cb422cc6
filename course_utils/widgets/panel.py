"""A panel wires controls to a computation and a figure, and does nothing else.

compute(**values) -> result is pure and lives below; the Canvas draws results and lives in viz.
"""

import base64
import html
import weakref
from collections.abc import Callable, Iterator

import ipywidgets

from course_utils.core.threads import one_thread
from course_utils.errors import CourseError
from course_utils.viz.canvas import Canvas
from course_utils.widgets.controls import extremes
from course_utils.widgets.names import Names

_ALIVE: "weakref.WeakSet[Panel]" = weakref.WeakSet()


def living_panels() -> list["Panel"]:
    """Every panel that still exists, for tests that drive them all."""
    return list(_ALIVE)


class Panel:
    """Controls above, a picture below, and a sentence that says what the picture shows.

    A move of a control computes and draws at once; if that fails, the panel says so and keeps the
    last good picture, since an exception in a widget's callback would reach nobody. `set` is the
    same for programs: it runs synchronously, and raises.
    """

    def __init__(self, title: str, compute: Callable, canvas: Canvas, controls: dict):
        self.title, self.compute, self.canvas, self.controls = title, compute, canvas, controls
        self.error: Exception | None = None
        self._setting = False
        self._image = ipywidgets.Image(format="png", layout={"max_width": "100%"})
        self._sentence = ipywidgets.HTML()
        self._sentence.add_class("course-sentence")
        self._alert = ipywidgets.HTML()
        self._alert.add_class("course-error")
        for control in controls.values():
            control.observe(self._moved, names="value")
        self._refresh()
        self.box = self._layout()
        _ALIVE.add(self)

    def _layout(self) -> ipywidgets.VBox:
        heading = ipywidgets.HTML(f"<b>{html.escape(self.title)}</b>")
        grid = ipywidgets.Box(
            list(self.controls.values()), layout={"flex_flow": "row wrap", "overflow": "visible"}
        )
        parts = [Names(title=self.title), heading, grid, self._alert, self._image, self._sentence]
        box = ipywidgets.VBox(parts)
        box.add_class("course-panel")
        return box

    @property
    def values(self) -> dict:
        """What each control is set to."""
        return {name: control.value for name, control in self.controls.items()}

    def set(self, **values):
        """Move controls, compute and draw, and return the result; raises what that raises.

        CourseError for a control that does not exist or a value that it does not allow.
        """
        for name, value in values.items():
            self._allow(name, value)
        self._setting = True
        try:
            for name, value in values.items():
                self.controls[name].value = value
        finally:
            self._setting = False
        result = self._refresh()
        self._report(None)
        return result

    def drives(self) -> Iterator[dict]:
        """Settings that bring every control to its first, middle and last value, and back."""
        for name, control in self.controls.items():
            for value in [*extremes(control), control.value]:
                yield {name: value}

    def _allow(self, name: str, value) -> None:
        if name not in self.controls:
            raise CourseError(f"no control {name!r}; this panel has: {', '.join(self.controls)}")
        control = self.controls[name]
        if hasattr(control, "options"):
            allowed = [o[1] if isinstance(o, tuple) else o for o in control.options]
            if value not in allowed:
                raise CourseError(f"{name} is {value!r}; allowed: {allowed}")
        elif hasattr(control, "min"):
            low, high = control.min, control.max
            if hasattr(control, "base"):
                low, high = control.base**low, control.base**high
            slack = 1e-9 * max(abs(low), abs(high))  # 10 ** log10(value) is not quite the value
            if not low - slack <= value <= high + slack:
                raise CourseError(f"{name} is {value!r}; allowed: {low:g} to {high:g}")

    def _moved(self, change) -> None:
        if self._setting:
            return
        try:
            self._refresh()
            self._report(None)
        except Exception as error:
            self._report(error)

    def _compute(self):
        with one_thread():
            return self.compute(**self.values)

    def _refresh(self):
        result = self._compute()
        self._show(result)
        return result

    def _show(self, result) -> None:
        self.canvas.update(result)
        picture, sentence = self.canvas.png(), self.canvas.sentence(result)
        self._image.value = picture
        self._sentence.value = f"<i>{html.escape(sentence)}</i>"
        self.sentence = sentence

    def _report(self, error: Exception | None) -> None:
        self.error = error
        text = f"{type(error).__name__}: {error}" if error else ""
        style = "border-left:4px solid #D55E00;padding:2px 8px"
        said = f"This setting fails, and the picture is the last good one. {text}"
        self._alert.value = f'<div style="{style}">{html.escape(said)}</div>' if error else ""

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        """The live widget, and for whoever has none, its picture and its sentence."""
        return self.box._repr_mimebundle_() | {
            "image/png": base64.b64encode(self._image.value).decode("ascii"),
            "text/plain": self.sentence,
        }
