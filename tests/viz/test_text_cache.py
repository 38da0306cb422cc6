"""Texts from memory are those that matplotlib draws."""

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from course_utils.viz import text_cache
from course_utils.viz.canvas import style

HOW = [{}, {"rotation": 90}, {"fontsize": 6.5, "ha": "right"}, {"alpha": 0.5}]
TEXTS = ["layer 3, scale 0.5", "河城 ␣的", "gjpqy ÂÉ", "two\nlines", "$x^2$", " ", "▶ ◆"]


def drawn(kind, text, **how):
    figure = Figure(figsize=(3, 1.2), dpi=100)
    canvas = kind(figure)
    with rc_context(style()):
        for x in (0.101, 0.3037, 0.98):  # the last is cut off by the figure's edge
            figure.text(x, 0.4, text, color="#D55E00", **how)
        canvas.draw()
        canvas.draw()
    return np.asarray(canvas.buffer_rgba()).astype(int)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("how", HOW)
def test_a_text_is_drawn_as_matplotlib_draws_it(text, how):
    ours, theirs = (drawn(kind, text, **how) for kind in (text_cache.TextCanvas, FigureCanvasAgg))
    assert np.abs(ours - theirs).max() <= 4
    assert text == " " or (theirs != 255).any()


def test_a_text_is_rasterised_once():
    text_cache._mask.cache_clear()
    drawn(text_cache.TextCanvas, "once")
    found = text_cache._mask.cache_info()
    assert found.hits == found.misses == 3


@pytest.mark.parametrize("size", [6.5, 10, 13])
def test_a_line_is_as_high_as_matplotlib_makes_it(size):
    boxes = []
    for kind in (text_cache.TextCanvas, FigureCanvasAgg):
        figure = Figure(figsize=(3, 1.2), dpi=100)
        renderer = kind(figure).get_renderer()
        with rc_context(style()):
            texts = [figure.text(0.1, 0.4, each, fontsize=size) for each in TEXTS]
            boxes.append([text.get_window_extent(renderer).bounds for text in texts])
    assert boxes[0] == boxes[1]
