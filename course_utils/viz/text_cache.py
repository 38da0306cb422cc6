"""A renderer that draws the same text at the same place a second time from memory: most of the time
that a changed picture takes is laying out and rasterising letters that were there before."""

import functools
from typing import NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.font_manager import FontProperties, fontManager, get_font

SUB = 64  # positions of letters within a pixel that the renderer tells apart


class Mask(NamedTuple):
    """How far a text covers each pixel, 0 to 255, and where its corner at the bottom left lies."""

    cover: np.ndarray
    left: int
    bottom: int


class TextCanvas(FigureCanvasAgg):
    """Matplotlib's own canvas, its upright texts from memory."""

    def get_renderer(self) -> RendererAgg:
        width, height = self.figure.bbox.size
        if self._lastKey != (width, height, self.figure.dpi):
            self.renderer = _Renderer(width, height, self.figure.dpi)
            self._lastKey = width, height, self.figure.dpi
        return self.renderer


class _Renderer(RendererAgg):
    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        if ismath or angle or not gc.get_antialiased():
            return super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
        (column, right), (row, down) = (divmod(round(SUB * at), SUB) for at in (x, y))
        mask = _mask(s, prop.copy(), self.dpi, right, down)
        place = column + mask.left, row + mask.bottom
        self._renderer.draw_text_image(mask.cover, *place, 0, gc)

    def _get_font_height_metrics(self, prop: FontProperties) -> tuple[float | None, ...]:
        """Matplotlib asks for this where a renderer has it, else reads the font's tables again
        for every text."""
        return _heights(prop.copy(), self.dpi)


@functools.lru_cache(maxsize=200)
def _heights(prop: FontProperties, dpi: float) -> tuple[float | None, ...]:
    """Ascent, descent and line gap of a font, in pixels, as matplotlib reads them; None where the
    font has no such table, and matplotlib must look elsewhere."""
    font = get_font(fontManager._find_fonts_by_props(prop))
    if (table := font.get_sfnt_table("OS/2")) is None:
        return None, None, None
    scale = prop.get_size_in_points() * dpi / 72 / font.get_sfnt_table("head")["unitsPerEm"]
    up, down, gap = (table[f"sTypo{key}"] for key in ("Ascender", "Descender", "LineGap"))
    return scale * up, -scale * down, scale * gap


@functools.lru_cache(maxsize=2000)
def _mask(s: str, prop: FontProperties, dpi: float, right: int, down: int) -> Mask:
    """A text drawn alone, its origin some 64ths of a pixel right of and below a pixel's corner."""
    renderer = RendererAgg(1, 1, dpi)
    width, height, _ = renderer.get_text_width_height_descent(s, prop, False)
    pad = int(height) + 4  # accents, descenders and slanted letters reach beyond the measured box
    renderer = RendererAgg(int(width) + 2 * pad, int(height) + 2 * pad, dpi)
    bottom = int(height) + pad
    gc = renderer.new_gc()
    gc.set_foreground("black")
    renderer.draw_text(gc, pad + right / SUB, bottom + down / SUB, s, prop, 0)
    cover = np.asarray(renderer.buffer_rgba())[:, :, 3]
    rows, columns = (np.flatnonzero(cover.any(axis)) for axis in (1, 0))
    if not len(rows):
        return Mask(np.zeros((1, 1), np.uint8), 0, 0)
    cut = cover[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Mask(np.ascontiguousarray(cut), int(columns[0]) - pad, int(rows[-1]) + 1 - bottom)
