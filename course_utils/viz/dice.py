"""The distribution of the next token, before and after the filters, and what is drawn from it."""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import PolyCollection

from course_utils.decoding.dice import N_DRAWN, N_SHOWN, TEMPERATURES, Roll
from course_utils.viz.canvas import Canvas
from course_utils.viz.palette import BLUE, MUTED, ORANGE
from course_utils.zoo.completion import N_OTHER, Completion

MOST_NEW = 10  # columns of a completion


class DiceCanvas(Canvas):
    """Left the likeliest tokens as bars; right the entropy over T, and below it the draws."""

    size = (9.6, 3.9)

    def __init__(self, name):
        self.name = name
        super().__init__()

    def build(self) -> list[Artist]:
        left = self.figure.add_axes((0.14, 0.13, 0.38, 0.77))
        left.set(xlim=(0, 1), ylim=(N_SHOWN - 0.4, -0.6), yticks=[], xlabel="probability")
        left.set_title("the next token", loc="left")
        places = np.arange(N_SHOWN)
        # One artist: drawing ten bars takes ten times as long as drawing them together.
        self.bars = left.add_collection(PolyCollection([], fc=BLUE, ec="none"), autolim=False)
        (self.own,) = left.plot([], [], color=ORANGE, marker="D", ms=5, ls="")
        self.says = left.text(0.98, 0.06, "", ha="right", transform=left.transAxes, color=MUTED)
        self.names = [left.text(-0.02, y, "", ha="right", va="center") for y in places]
        right = self.figure.add_axes((0.61, 0.47, 0.365, 0.43))
        right.set(xscale="log", xlim=(0.05, 10), ylim=(0, 7), ylabel="nats")
        right.set_title("entropy over T, no filter", loc="left")
        right.set_xlabel("temperature T", labelpad=0)
        (self.curve,) = right.plot([], [], color=BLUE, lw=2)
        (self.here,) = right.plot([], [], color=ORANGE, marker="o", ms=8, ls="")
        strip = self.figure.add_axes((0.56, 0.02, 0.42, 0.31))
        strip.set_axis_off()
        strip.set(xlim=(0, 6), ylim=(3, 0))
        strip.set_title(f"{N_DRAWN} draws", loc="left")
        self.draws = [
            strip.text(0.5 + i % 6, 0.5 + i // 6, "", ha="center", va="center")
            for i in range(N_DRAWN)
        ]
        return [self.bars, self.own, self.says, *self.names, self.curve, self.here, *self.draws]

    def update(self, result: Roll) -> None:
        self.bars.set_verts([
            [(0, at - 0.35), (share, at - 0.35), (share, at + 0.35), (0, at + 0.35)]
            for at, share in enumerate(map(float, result.shaped))
        ])  # fmt: skip
        self.own.set_data(result.own, np.arange(N_SHOWN))
        for text, token in zip(self.names, result.tokens, strict=True):
            text.set_text(self.name(token))
        k, p = result.top_k or "all", result.top_p or 1
        left = f"top-k {k}, top-p {p:g}: {result.n_kept} tokens left"
        self.says.set_text(f"bar: drawn from · ◆ the model's own\n{left}")
        self.curve.set_data(TEMPERATURES.numpy(), result.curve.numpy())
        self.here.set_data(
            [result.T], [np.interp(result.T, TEMPERATURES.numpy(), result.curve.numpy())]
        )
        for text, token in zip(self.draws, result.drawn, strict=True):
            text.set_text(self.name(token))

    def sentence(self, result: Roll) -> str:
        best = self.name(result.tokens[0])
        return (
            f"The likeliest next token is “{best}”, with probability {result.own[0]:.2f} by the "
            f"model and {result.shaped[0]:.2f} as it is drawn at T = {result.T:.2f}; "
            f"{result.n_kept} of {result.n_vocab} tokens are left, with an entropy of "
            f"{result.entropy_shaped:.2f} nats; the model's own is {result.entropy_own:.2f}. "
            f"{N_DRAWN} draws gave {len(set(result.drawn))} different tokens."
        )


class CompletionCanvas(Canvas):
    """A column for each new token: the likeliest tokens with their probabilities, the one that was
    taken marked with ▶ and below, where it is none of these."""

    size = (9.8, 3.6)

    def build(self) -> list[Artist]:
        axes = self.figure.add_axes((0.01, 0.03, 0.98, 0.94))
        axes.set_axis_off()
        axes.set(xlim=(0, MOST_NEW), ylim=(N_OTHER + 2.6, 0))
        self.whole = axes.text(0.05, 0.1, "", va="top", fontsize=10)
        edges = {"ha": "left", "va": "center", "fontsize": 8}
        self.cells = [
            [axes.text(x + 0.06, y + 1.9, "", **edges) for y in range(N_OTHER + 1)]
            for x in range(MOST_NEW)
        ]
        self.bars = [
            axes.barh(np.arange(N_OTHER + 1) + 2.18, np.zeros(N_OTHER + 1), 0.12, left=x + 0.06)
            for x in range(MOST_NEW)
        ]
        patches = [bar for column in self.bars for bar in column]
        return [self.whole, *patches, *(cell for column in self.cells for cell in column)]

    def update(self, result: Completion) -> None:
        text = result.text.replace("\n", "⏎")
        self.whole.set_text("\n".join(text[i : i + 110] for i in range(0, len(text), 110)[-2:]))
        for place, (cells, bars) in enumerate(zip(self.cells, self.bars, strict=True)):
            for cell, bar in zip(cells, bars, strict=True):
                cell.set_text("")
                bar.set_width(0)
            if place < len(result.steps):
                self._column(result.steps[place], cells, bars)

    def _column(self, step, cells, bars) -> None:
        rows = list(step.others)
        if step.token not in [token for token, _ in rows]:
            rows.append((step.token, step.prob))
        for (token, prob), cell, bar in zip(rows, cells, bars, strict=False):
            taken = token == step.token
            short = _visible(token)
            cell.set_text(f"{'▶' if taken else ''}{short} {prob:.2f}")
            cell.set_color(ORANGE if taken else MUTED)
            bar.set_width(0.85 * prob)
            bar.set_color(ORANGE if taken else BLUE)

    def sentence(self, result: Completion) -> str:
        said = " ".join(f"{_visible(step.token)} ({step.prob:.2f})" for step in result.steps)
        return (
            f"{len(result.steps)} of {result.n_new} new tokens, each with the probability that the "
            f"model gave it: {said}."
        )


def _visible(token: str) -> str:
    """A token short enough for a column; spaces and line ends shown."""
    shown = token.replace("\n", "⏎").replace("\t", "⇥")
    shown = "␣" + shown[1:] if shown.startswith(" ") else shown
    shown = shown.replace("$", r"\$")
    return shown if len(shown) <= 8 else shown[:7] + "…"
