"""What goes on inside a model: a plane of a layer, the lens, a patch, the steering desk."""

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.patches import Rectangle

from course_utils.interp.desk import DeskView
from course_utils.interp.readings import N_TOP, LensView, PatchView, PlaneView
from course_utils.viz.canvas import Canvas
from course_utils.viz.fonts import readable
from course_utils.viz.heat import heat
from course_utils.viz.palette import BLUE, GREEN, INK, MUTED, ORANGE

PALE = LinearSegmentedColormap.from_list(
    "pale", ["#FFFFFF", "#7FB6DA"]
)  # dark letters stay legible
MOST_NAMES = 24


def shown(token: str, most: int = 12) -> str:
    """A token as a label: what has no glyph is written out, and long ones are cut."""
    text = readable(token.replace(" ", "␣") if token.strip() == "" else token.strip())
    return text if len(text) <= most else text[: most - 1] + "…"


class LensCanvas(Canvas):
    """Left each layer's likeliest token at each position, the embedding at the bottom; right the
    rank of the last layer's answer at the marked position."""

    size = (9.8, 3.7)
    n_layer, n_pos, n_vocab, letters = 7, 11, 1000, 8

    def build(self) -> list[Artist]:
        low = 0.44 / self.size[1]
        self.grid = self.figure.add_axes((0.055, low, 0.68, 0.90 - low))
        self.grid.set(xlim=(0, self.n_pos), ylim=(0, self.n_layer), ylabel="layer")
        self.grid.set_title("likeliest next token after each word; the bluer, the surer")
        self.grid.grid(False)
        rows = range(0, self.n_layer, 1 if self.n_layer < 12 else 5)
        self.grid.set_yticks([row + 0.5 for row in rows], [str(row) for row in rows])
        self.grid.set_xticks([])
        self.cells = heat(self.grid, Normalize(0, 1), PALE)
        size = 8 if self.n_layer < 12 else 6.5
        self.words = [
            self.grid.text(i + 0.5, -0.04 * self.n_layer, "", ha="center", va="top", fontsize=8)
            for i in range(self.n_pos)
        ]
        self.says = [
            [
                self.grid.text(i + 0.5, row + 0.47, "", ha="center", va="center", fontsize=size)
                for i in range(self.n_pos)
            ]
            for row in range(self.n_layer)
        ]
        self._reading = None
        self.mark = Rectangle((0, 0), 1, self.n_layer, fc="none", ec=ORANGE, lw=2)
        self.grid.add_patch(self.mark)
        return [*self._curve(low), self.mark]

    def _curve(self, low: float) -> list[Artist]:
        axes = self.figure.add_axes((0.785, low, 0.19, 0.90 - low))
        axes.set(xscale="log", xlim=(0.7, self.n_vocab), ylim=(-0.5, self.n_layer - 0.5))
        axes.set(xlabel="rank of the answer", title="1 is first")
        (self.rank,) = axes.plot([], [], color=BLUE, marker="o", ms=5)
        return [self.rank]

    def update(self, result: LensView) -> None:
        self.mark.set_x(result.position)
        self.rank.set_data(result.rank.numpy() + 1, np.arange(len(result.rank)))
        reading = (result.words, result.says, result.prob.tolist())
        if reading != self._reading:  # some eighty texts, which no slider changes
            self._reading = reading
            self._write(result)
            self.stale()

    def _write(self, result: LensView) -> None:
        n_layer, n_pos = result.prob.shape
        prob = np.zeros((self.n_layer, self.n_pos))
        prob[:n_layer, :n_pos] = result.prob.numpy()
        self.cells.set_data(prob)
        for i, text in enumerate(self.words):
            text.set_text(shown(result.words[i], self.letters) if i < n_pos else "")
        for row, texts in enumerate(self.says):
            for i, text in enumerate(texts):
                there = i < n_pos and row < n_layer
                text.set_text(shown(result.says[row][i], self.letters) if there else "")

    def sentence(self, result: LensView) -> str:
        ranks = ", ".join(str(rank + 1) for rank in result.rank.tolist())
        through = "through the final norm" if result.normed else "without the final norm"
        return (
            f"After “{' '.join(word.strip() for word in result.words[: result.position + 1])}” the "
            f"last layer says “{result.answer.strip()}”. Read {through}, its rank from the "
            f"embedding to the last layer is {ranks}."
        )


class TallLensCanvas(LensCanvas):
    """The same for a model of thirty layers."""

    size = (9.8, 6.2)
    n_layer, n_pos, n_vocab, letters = 31, 7, 50_000, 14


class PatchCanvas(Canvas):
    """Above where the vector comes from and where it goes, below what the second run says."""

    size = (9.8, 3.2)

    def build(self) -> list[Artist]:
        self.lines = [
            self.figure.text(0.02, y, "", va="center", fontsize=10, color=colour)
            for y, colour in ((0.90, INK), (0.79, INK), (0.63, INK), (0.52, MUTED))
        ]
        axes = self.figure.add_axes((0.14, 0.17, 0.80, 0.28))
        axes.set(xlim=(0, 1), ylim=(-0.7, 1.1), xlabel="probability of the next token")
        axes.set_yticks([])
        self.bars, self.names = [], []
        for i in range(N_TOP):
            bar = Rectangle((0, 0), 0, 0.5, fc=(BLUE, ORANGE)[i % 2], ec="white")
            self.bars.append(axes.add_patch(bar))
            self.names.append(axes.text(0, 0.62, "", fontsize=9, ha="left"))
        return [*self.lines, *self.bars, *self.names]

    def update(self, result: PatchView) -> None:
        self.lines[0].set_text(
            f"from layer {result.place[0]}:   " + _marked(result.source, result.place[1])
        )
        self.lines[1].set_text(
            f"into layer {result.at[0]}:    " + _marked(result.target, result.at[1])
        )
        self.lines[2].set_text(f"it goes on:   {readable(result.phrase)}")
        self.lines[3].set_text(f"without the patch:   {readable(result.plain)}")
        left = 0.0
        for i, (token, prob) in enumerate(result.top):
            self.bars[i].set_bounds(left, 0, prob, 0.5)
            # Names of narrow bars take turns above and below.
            self.names[i].set_position((min(left, 0.93), 0.62 if i % 2 == 0 else -0.42))
            self.names[i].set_text(f"{shown(token)} {prob:.2f}" if prob > 0.03 or i == 0 else "")
            left += prob

    def sentence(self, result: PatchView) -> str:
        token, prob = result.top[0]
        return (
            f"The stream of layer {result.place[0]} at “{result.source[result.place[1]].strip()}” "
            f"is put into layer {result.at[0]} at “{result.target[result.at[1]].strip()}” of the "
            f"other prompt, which then says “{result.phrase}” (first token “{token.strip()}”, "
            f"probability {prob:.2f}); by itself it says “{result.plain}”."
        )


def _marked(words: list[str], place: int) -> str:
    marked = [f"[{w.strip()}]" if i == place else w.strip() for i, w in enumerate(words)]
    return readable(" ".join(marked))


class PlaneCanvas(Canvas):
    """Left where things lie, right where the layer says they lie, an arrow for each error."""

    size = (9.8, 4.0)

    def build(self) -> list[Artist]:
        self.left = self.figure.add_axes((0.06, 0.12, 0.40, 0.78))
        self.right = self.figure.add_axes((0.55, 0.12, 0.40, 0.78))
        self.left.set_title("where they lie")
        self.right.set_title("where a probe that has not seen them says they lie")
        (self.truth,) = self.left.plot([], [], "o", color=BLUE, ms=5)
        self.names = [self.left.text(0, 0, "", fontsize=7, va="bottom") for _ in range(MOST_NAMES)]
        self.errors = LineCollection([], colors=MUTED, linewidths=0.7)
        self.right.add_collection(self.errors)
        (self.there,) = self.right.plot([], [], "o", color=BLUE, ms=3)
        (self.guess,) = self.right.plot([], [], "s", color=ORANGE, ms=5)
        self.score = self.right.text(
            0.02, 0.95, "", transform=self.right.transAxes, bbox={"color": "white", "pad": 2}
        )
        self._shown = None
        return [self.errors, self.guess, self.score]

    def update(self, result: PlaneView) -> None:
        truth, guess = result.truth.numpy(), result.guess.numpy()
        low, high = truth.min(0), truth.max(0)
        pad = 0.15 * (high - low)
        shown = (truth.tolist(), result.names)
        if shown != self._shown:  # names and places, which no slider changes
            self._shown = shown
            self._place(truth, result.names, low, high, pad)
            self.stale()
        guess = guess.clip(low - 0.9 * pad, high + 0.9 * pad)
        self.errors.set_segments(np.stack([truth, guess], 1))
        self.guess.set_data(*guess.T)
        self.score.set_text(f"held-out R² = {result.r2:.2f}")

    def _place(self, truth: np.ndarray, names: Sequence[str], low, high, pad) -> None:
        for axes in (self.left, self.right):
            axes.set(xlim=(low[0] - pad[0], high[0] + pad[0]))
            axes.set(ylim=(low[1] - pad[1], high[1] + pad[1]))
        self.truth.set_data(*truth.T)
        self.there.set_data(*truth.T)
        named = _apart(truth, high - low)
        for number, text in enumerate(self.names):
            there = number < len(named)
            text.set_text(readable(names[named[number]]) if there else "")
            text.set_position(tuple(truth[named[number]]) if there else (0, 0))

    def sentence(self, result: PlaneView) -> str:
        labels = "labels that were shuffled" if result.shuffled else "the true labels"
        method = {
            "probe": "A probe of all dimensions",
            "PCA": "The plane of largest variance",
            "random": "A random plane",
        }[result.method]
        return (
            f"{method} of layer {result.layer} explains {result.r2:.2f} of the variation of "
            f"{len(result.truth)} places it was not fitted on, with {labels}."
        )


def _apart(places: np.ndarray, size: np.ndarray) -> list[int]:
    """Places whose names leave each other room: one after the other, if none named lies near."""
    named: list[int] = []
    for i, place in enumerate(places):
        off = np.abs(places[named] - place) / size
        if len(named) < MOST_NAMES and not ((off[:, 0] < 0.16) & (off[:, 1] < 0.045)).any():
            named.append(i)
    return named


class DeskCanvas(Canvas):
    """Bars for how often the habit shows before and after, one for what it costs elsewhere, and a
    prompt with its answer."""

    size = (9.8, 3.1)

    def build(self) -> list[Artist]:
        axes = self.figure.add_axes((0.20, 0.36, 0.42, 0.54))
        axes.set(xlim=(0, 1), ylim=(3.6, -0.6), title="share of prompts that show the habit")
        axes.set_yticks(
            [0, 1, 2, 3],
            ["lacks it, before", "lacks it, steered", "has it, before", "has it, steered"],
        )
        axes.grid(axis="y", visible=False)
        self.bars = [
            axes.add_patch(Rectangle((0, i - 0.35), 0, 0.7, fc=colour, hatch=hatch, ec="white"))
            for i, (colour, hatch) in enumerate(((BLUE, ""), (ORANGE, "//")) * 2)
        ]
        cost = self.figure.add_axes((0.80, 0.36, 0.10, 0.48))
        cost.set(
            xlim=(-0.6, 0.6),
            ylim=(1e-4, 20),
            yscale="log",
            title="cost: KL in nats\non other prompts",
        )
        cost.set_xticks([])
        self.cost = cost.add_patch(
            Rectangle((-0.35, 1e-4), 0.7, 0, fc=GREEN, hatch="..", ec="white")
        )
        self.prompt = self.figure.text(0.02, 0.17, "", va="center", color=MUTED)
        self.said = self.figure.text(0.02, 0.07, "", va="center", color=INK)
        self.dials = self.figure.text(0.02, 0.95, "", va="center", color=MUTED)
        return [*self.bars, self.cost, self.prompt, self.said, self.dials]

    def update(self, result: DeskView) -> None:
        for bar, value in zip(self.bars, (*result.lacks, *result.has), strict=True):
            bar.set_width(value)
        self.cost.set_height(min(max(result.divergence, 1e-4), 19.0) - 1e-4)
        self.prompt.set_text(readable(result.prompt))
        self.said.set_text(f"→  {readable(result.said)}")
        self.dials.set_text(f"layer {result.layer}, scale {result.scale:g}")

    def sentence(self, result: DeskView) -> str:
        scale = f" at scale {result.scale:g}" if result.way in ("add", "random direction") else ""
        return (
            f"{result.habit}, layer {result.layer}, {result.way}{scale}: shown after "
            f"{result.lacks[1]:.0%} of the prompts that lack it (before: {result.lacks[0]:.0%}) "
            f"and {result.has[1]:.0%} of those that have it (before: {result.has[0]:.0%}); other "
            f"answers move by {max(result.divergence, 0.0):.2g} nats."
        )
