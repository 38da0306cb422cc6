"""A panel for work that takes longer than a blink: a button, a progress bar, and a way to stop."""

import threading
import time
from collections.abc import Callable, Iterator

import ipywidgets

from course_utils.widgets.controls import extremes
from course_utils.widgets.panel import Panel

REDRAW_SECONDS = 0.2  # how often a run may show where it stands


class Stopped(BaseException):
    """Raised inside a run when the learner presses stop; not an error."""


class RunPanel(Panel):
    """Like Panel, but its controls only choose; the run button computes, in the background.

    compute(progress, **values) -> result calls `progress(done, total)` now and then, or
    `progress(done, total, result)` to have a picture of the moment drawn. The page stays alive,
    the last good picture stays on screen, and stop ends the run at its next `progress`.
    """

    def __init__(self, title: str, compute: Callable, canvas, controls: dict):
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._button = ipywidgets.Button(description="Run", icon="play")
        self._halt = ipywidgets.Button(description="Stop", icon="stop", disabled=True)
        self._bar = ipywidgets.FloatProgress(min=0, max=1, description="progress")
        self._status = ipywidgets.Label("")
        self._button.on_click(lambda _: self.start())
        self._halt.on_click(lambda _: self._stop.set())
        super().__init__(title, compute, canvas, controls)

    def _layout(self) -> ipywidgets.VBox:
        box = super()._layout()
        row = ipywidgets.HBox([self._button, self._halt, self._bar, self._status])
        # After the controls, before the alert and the picture.
        box.children = (*box.children[:3], row, *box.children[3:])
        return box

    def _moved(self, change) -> None:
        if not self._setting:
            self._status.value = "press Run to see these values"

    def _compute(self):
        return self.compute(lambda done, total, result=None: None, **self.values)

    def drives(self) -> Iterator[dict]:
        """The same, all controls together: a run takes long."""
        start, columns = self.values, {name: extremes(c) for name, c in self.controls.items()}
        for row in range(max(map(len, columns.values()), default=0)):
            yield {name: values[min(row, len(values) - 1)] for name, values in columns.items()}
        yield start

    def start(self) -> None:
        """What the run button does: one run at a time, in a thread of its own."""
        if self._thread and self._thread.is_alive():
            return
        self._stop.clear()
        self._button.disabled, self._halt.disabled = True, False
        self._thread = threading.Thread(target=self._run, args=(self.values,), daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until the run that goes on has ended."""
        if self._thread:
            self._thread.join()

    def _run(self, values: dict) -> None:
        begin = shown = time.monotonic()

        def progress(done, total, result=None):
            nonlocal shown
            if self._stop.is_set():
                raise Stopped
            now = time.monotonic()
            if now - shown < REDRAW_SECONDS:
                return
            shown = now
            self._bar.value = done / total
            left = (now - begin) * (total - done) / max(done, 1e-9)
            self._status.value = f"{done / total:.0%}, about {left:.0f} s left"
            if result is not None:
                self._show(result)

        try:
            self._show(self.compute(progress, **values))
            self._report(None)
            self._bar.value = 1
            self._status.value = f"done in {time.monotonic() - begin:.1f} s"
        except Stopped:
            self._status.value = f"stopped at {self._bar.value:.0%}"
        except Exception as error:
            self._report(error)
            self._status.value = "failed"
        finally:
            self._button.disabled, self._halt.disabled = False, True
