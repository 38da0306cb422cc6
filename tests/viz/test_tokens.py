"""Tokens in boxes: what they say, where they end, and that updating equals drawing anew."""

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from course_utils.core.token_view import cut
from course_utils.viz.reach import blocks
from course_utils.viz.tokens import Pixels, TokensCanvas, spelled, strip


def test_a_part_of_a_character_is_shown_as_its_bytes():
    assert spelled(" 苹".encode()) == ("␣苹", True)
    assert spelled("苹".encode()[:2]) == ("e8 8b", False)
    assert spelled(b"\n") == ("\\n", True)


def test_boxes_fill_lines_and_the_rest_is_counted():
    few, many = (strip([b"token"] * n, 300, 90) for n in (3, 300))
    assert few.shape == many.shape == (90, 300, 4)
    dark = [(picture[..., :3] < 128).any(2) for picture in (few, many)]
    assert not dark[0][40:].any() and dark[1][62:].any()
    assert np.array_equal(strip([b"x"], 300, 90), strip([b"x"], 300, 90))


def test_pixels_stand_where_figimage_puts_them():
    shown = strip([b"low", b"er"], 100, 40)
    pictures = []
    for quick in (True, False):
        figure = Figure(figsize=(2, 1), dpi=100)
        agg = FigureCanvasAgg(figure)
        if quick:
            figure.images.append(pixels := Pixels(figure, offsetx=10, offsety=20))
            pixels.set_data(shown)
        else:
            figure.figimage(shown, 10, 20)
        agg.draw()
        pictures.append(np.asarray(agg.buffer_rgba()))
    assert np.array_equal(*pictures)


def test_an_updated_picture_equals_one_drawn_anew():
    first, second = (cut(text, "", "itself", 3) for text in ("low lower", "苹果苹果 🙂"))
    moved, fresh = TokensCanvas(), TokensCanvas()
    for result in (first, second):
        moved.update(result)
        picture = moved.png()
    fresh.update(second)
    pixels = [np.asarray(Image.open(io.BytesIO(png))) for png in (picture, fresh.png())]
    assert np.array_equal(*pixels)
    assert "2 tokens" in TokensCanvas().sentence(cut("ab", "", "itself", 0))


def test_blocks_leave_out_what_says_nothing():
    values = np.array([np.nan] * 4 + [1.0] * 4 + [0.5] * 8 + [2.0])
    assert blocks(values).tolist() == [1.0, 0.5, 2.0]
