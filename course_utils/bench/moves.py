"""Moves of the sliders of one figure on the page: how long each takes, and what flickers.

A time runs from the key event's own time stamp to the first animation frame that paints the new
picture, already decoded. Flicker is counted while a key is held down on each slider in turn:
frames, as Chromium painted them, in which the picture is blank, and animation frames in which
the figure's height changes.
"""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from course_utils.bench import page

REST_MS = 400  # after a move, so that each is timed alone
LONGEST_MS = 10_000  # to wait for a new picture
HELD_KEYS, HELD_MS = 20, 30
BLANK = 30  # a picture whose grey levels, of 256, differ by less shows nothing

WATCH = """root => {
  const watch = { jumps: 0, pressed: null, shown: null };
  let picture = null, source = null, height = null;
  root.addEventListener("keydown", event => {
    watch.pressed = event.timeStamp;
    watch.shown = null;
  }, true);
  const look = () => {
    const now = root.querySelector("img"), tall = root.getBoundingClientRect().height;
    if (height !== null && Math.abs(tall - height) > 0.5) watch.jumps += 1;
    height = tall;
    if (now?.complete && now.naturalWidth && (now !== picture || now.src !== source)) {
      [picture, source] = [now, now.src];
      watch.shown ??= performance.now();
    }
    requestAnimationFrame(look);
  };
  look();
  root.watch = watch;
}"""
TIME = """(root, longest) => new Promise(tell => {
  const wait = () => {
    const { pressed, shown } = root.watch;
    if (pressed !== null && shown !== null) tell(shown - pressed);
    else if (performance.now() - pressed > longest) tell(null);
    else requestAnimationFrame(wait);
  };
  wait();
})"""


@dataclass
class Side:
    """A figure on the page, its sliders by name, and what their moves showed."""

    shown: page.Shown
    sliders: dict[str, object] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=dict)  # ms, by slider
    frames: int = 0  # painted while keys were held
    still: int = 0  # moves after which the picture was the same, and so was not sent again
    flicker: int = 0  # of these, blank ones; and changes of the figure's height

    def watch(self, names: list[str]) -> None:
        """Begin, with the sliders under these names, in the order of the page."""
        self.sliders = dict(zip(names, self.shown.sliders(), strict=True))
        self.times = {name: [] for name in names}
        self.shown.root.evaluate(WATCH)

    def move(self, name: str) -> bool:
        """One key press, timed; false, and counted as `still`, where no new picture comes."""
        self.shown.press(self.sliders[name])
        time = self.shown.root.evaluate(TIME, LONGEST_MS)
        if time is None:
            self.still += 1
        else:
            self.times[name].append(time)
        self.shown.page.wait_for_timeout(REST_MS)
        return time is not None

    def hold_each(self) -> None:
        """Hold an arrow key down on each slider, and look at every frame that is painted."""
        self.shown.into_view()
        before = self.shown.root.evaluate("root => root.watch.jumps")
        with painted(self.shown) as frames:
            for slider in self.sliders.values():
                key = page.towards_farther_end(slider)
                for _ in range(HELD_KEYS):
                    self.shown.press(slider, key)
                    self.shown.page.wait_for_timeout(HELD_MS)
                self.shown.page.wait_for_timeout(3 * REST_MS)
        jumps = self.shown.root.evaluate("root => root.watch.jumps") - before
        self.frames = len(frames)
        self.flicker = sum(contrast < BLANK for contrast in frames) + jumps

    def all_times(self) -> list[float]:
        return [time for times in self.times.values() for time in times]


@contextmanager
def painted(shown: page.Shown) -> Iterator[list[int]]:
    """Collects, for every frame that Chromium paints, the contrast of the picture's rectangle:
    the range of its grey levels, 0 to 255. Filled in when the block ends."""
    contrasts, frames = [], []
    box = shown.root.locator("img").bounding_box()
    session = shown.page.context.new_cdp_session(shown.page)

    def keep(frame: dict) -> None:
        frames.append(frame["data"])
        session.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    session.on("Page.screencastFrame", keep)
    session.send("Page.startScreencast", {"format": "jpeg", "quality": 50})
    try:
        yield contrasts
    finally:
        session.send("Page.stopScreencast")
        session.detach()
    contrasts += [_contrast(data, box, shown.page.viewport_size["width"]) for data in frames]


def _contrast(jpeg: str, box: dict, width: int) -> int:
    picture = Image.open(io.BytesIO(base64.b64decode(jpeg))).convert("L")
    scale = picture.width / width
    left, top = box["x"], box["y"]
    edges = (left, top, left + box["width"], top + box["height"])
    grey = np.asarray(picture.crop([round(scale * edge) for edge in edges]))
    return int(np.ptp(grey))
