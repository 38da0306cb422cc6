"""A notebook on the page and the panels in it: read from the page, moved by real key presses."""

import re
import time
from dataclasses import dataclass

from course_utils.errors import CourseError

CELLS_SECONDS, MOVE_SECONDS = 300, 10

NOTEBOOK = "jupyterapp.shell.currentWidget"
RUN_ALL = """seconds => Promise.race([
  jupyterapp.commands.execute("notebook:run-all-cells"),
  new Promise((_, stop) => setTimeout(() => stop(new Error("too slow")), 1000 * seconds)),
])"""
CELLS = f"() => {NOTEBOOK}.content.widgets.map(cell => cell.model.toJSON())"
# All pixels of the picture as one number: FNV-1a over what the page would paint.
PIXELS = """root => {
  const picture = root.querySelector("img");
  if (!picture?.complete || !picture.naturalWidth) return null;
  const canvas = new OffscreenCanvas(picture.naturalWidth, picture.naturalHeight);
  const pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0);
  const bytes = pen.getImageData(0, 0, canvas.width, canvas.height).data;
  let hash = 2166136261;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 16777619);
  return hash || 1;
}"""
INTO_VIEW = """root => new Promise(done => {
  root.scrollIntoView({ block: "center" });
  requestAnimationFrame(() => requestAnimationFrame(() => done()));
})"""


@dataclass
class Notebook:
    """The notebook on the page."""

    page: object
    name: str

    def run_all(self) -> list[dict]:
        """Run every cell to its end; returns the cells, outputs included, as JSON.

        CourseError when they take too long, or when JupyterLab lost one that it should have run.
        """
        try:
            self.page.evaluate(RUN_ALL, CELLS_SECONDS)
        except Exception as error:
            raise CourseError(f"{self.name} did not run to its end: {error}") from None
        cells = self.page.evaluate(CELLS)
        code = [cell for cell in cells if cell["cell_type"] == "code" and _text(cell["source"])]
        failed = any(out["output_type"] == "error" for cell in code for out in cell["outputs"])
        if not failed and (lost := [cell for cell in code if cell["execution_count"] is None]):
            raise CourseError(f"{self.name}: JupyterLab never ran {_text(lost[0]['source'])!r}")
        return cells

    def panels(self, selector: str = ".course-panel") -> list["Shown"]:
        """Every panel on the page, from top to bottom."""
        return [Shown(self.page, found) for found in self.page.locator(selector).all()]


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


@dataclass
class Shown:
    """A panel, or whatever else holds sliders and a picture, on the page."""

    page: object
    root: object  # playwright.sync_api.Locator

    def sliders(self) -> list:
        """The handles of its sliders, each a locator."""
        return self.root.get_by_role("slider").all()

    def into_view(self) -> None:
        """Scroll to it and let it be painted: what is far off has no layout, and no names."""
        self.root.evaluate(INTO_VIEW)

    def run_button(self):
        """The button of a panel for slow work; None where a move is answered at once."""
        found = self.root.get_by_role("button", name=re.compile("Run$"))  # an icon before
        return found if found.count() else None

    def accessible_names(self, role: str) -> list[str]:
        """What assistive technology is told of everything with this role, from Chromium's own
        accessibility tree."""
        self.into_view()
        session = self.page.context.new_cdp_session(self.page)
        try:
            self.root.evaluate("root => { window.asked = root; }")
            root = session.send("Runtime.evaluate", {"expression": "window.asked"})["result"]
            query = {"objectId": root["objectId"], "role": role}
            nodes = session.send("Accessibility.queryAXTree", query)["nodes"]
        finally:
            session.detach()
        return [node.get("name", {}).get("value", "") for node in nodes if not node["ignored"]]

    def error(self) -> str:
        """What the panel says went wrong; empty while nothing did."""
        return " ".join(self.root.locator(".course-error").all_inner_texts()).strip()

    def pixels(self) -> int:
        """A number that changes with any pixel of the picture. CourseError where none comes."""
        return self._soon(lambda: self.root.evaluate(PIXELS), "no picture came")

    def press(self, slider, key: str | None = None) -> None:
        """One real key press on a slider: an arrow, towards its farther end unless told."""
        slider.focus()
        self.page.keyboard.press(key or towards_farther_end(slider))

    def new_pixels(self, before: int, seconds: float = MOVE_SECONDS) -> int:
        """The pixels once they differ from those before. CourseError when they stay."""
        changed = lambda: (now := self.pixels()) != before and now  # noqa: E731
        return self._soon(changed, "the picture did not change", seconds)

    def _soon(self, look, complaint: str, seconds: float = MOVE_SECONDS):
        """What `look` returns as soon as that is true."""
        deadline = time.monotonic() + seconds
        while not (found := look()):
            if time.monotonic() > deadline:
                said = self.error() or "nothing"
                raise CourseError(f"{complaint} within {seconds} s; its error: {said}")
            self.page.wait_for_timeout(20)
        return found


def towards_farther_end(slider) -> str:
    """The arrow key that has more room to move this slider."""
    low, high, now = (
        float(slider.get_attribute(f"aria-value{part}")) for part in ("min", "max", "now")
    )
    return "ArrowRight" if high - now >= now - low else "ArrowLeft"
