"""A text as its tokens, in boxes, and what merges make of its length."""

import functools

import numpy as np
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.image import FigureImage
from matplotlib.transforms import IdentityTransform
from PIL import Image, ImageDraw, ImageFont

from course_utils.core.token_view import CURVE, MOST_MERGES, Cut
from course_utils.viz.canvas import Canvas
from course_utils.viz.fonts import families, readable
from course_utils.viz.palette import BLUE, INK, MUTED, ORANGE

SIZE, PAD, LINE, GAP = 15, 4, 28, 4  # of letters and boxes, in pixels
WIDE, TALL = 960, 5 * 28 + 8
TINTS = ("#DCEBF7", "#FBE3D4", "#D9F0E6", "#F6E3EE")
PART = "#E4E4E4"  # behind bytes that are only a part of a character


@functools.cache
def _font(name: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_manager.findfont(name), SIZE)


@functools.cache
def _plain() -> frozenset[int]:
    """Code points of the first font; the second takes the rest."""
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(font_manager.findfont(families()[0])).get_charmap())


def spelled(token: bytes) -> tuple[str, bool]:
    """A token as it is shown, and whether it is whole characters: spaces as ␣, and bytes that
    are only a part of a character in hexadecimal digits."""
    try:
        return readable(token.decode("utf-8")).replace(" ", "␣"), True
    except UnicodeDecodeError:
        return token.hex(" "), False


def strip(tokens: list[bytes], width: int, height: int) -> np.ndarray:
    """The tokens in boxes, line by line, as RGBA pixels; those that find no room are counted."""
    picture, x, y = Image.new("RGB", (width, height), "white"), GAP, GAP
    for number, token in enumerate(tokens):
        box = _box(token, TINTS[number % len(TINTS)])
        if x + box.width > width - GAP:
            x, y = GAP, y + LINE
        if y + 2 * LINE > height and x + box.width > width - 160 or y + LINE > height:
            more, pen = f"and {len(tokens) - number} more", ImageDraw.Draw(picture)
            pen.text((x, y + 2), more, INK, _font(families()[0]))
            break
        picture.paste(box, (x, y))
        x += box.width
    return np.asarray(picture.convert("RGBA"))


@functools.lru_cache(maxsize=4096)
def _box(token: bytes, tint: str) -> Image.Image:
    """One token. Pillow writes a word in a tenth of the time that matplotlib takes, and a box that
    was written once is kept: most stay when a merge is added."""
    text, whole = spelled(token)
    runs = _runs(text)
    wide = 2 * PAD + round(sum(font.getlength(part) for part, font in runs))
    box = Image.new("RGB", (wide + 1, LINE - GAP + 1))
    pen = ImageDraw.Draw(box)
    pen.rectangle((0, 0, wide, LINE - GAP), tint if whole else PART, outline=MUTED)
    at = PAD
    for part, font in runs:
        pen.text((at, LINE / 2 - GAP / 2), part, INK, font, anchor="lm")
        at += font.getlength(part)
    return box


class Pixels(FigureImage):
    """Pixels that are shown as they are. `figimage` shows the same, and resamples them first."""

    def make_image(self, renderer, magnification=1.0, unsampled=False):
        return self.get_array()[::-1], self.ox, self.oy, IdentityTransform()


def _runs(text: str) -> list[tuple[str, ImageFont.FreeTypeFont]]:
    """The text in pieces of one font each."""
    found: list[tuple[str, ImageFont.FreeTypeFont]] = []
    for letter in text:
        font = _font(families()[0 if ord(letter) in _plain() else -1])
        if found and found[-1][1] is font:
            found[-1] = (found[-1][0] + letter, font)
        else:
            found.append((letter, font))
    return found


class TokensCanvas(Canvas):
    """Above the text in its tokens, below the number of tokens over the number of merges, and the
    latest merges."""

    size = (9.8, 3.7)

    def build(self) -> list[Artist]:
        self.boxes = Pixels(self.figure, offsetx=10, offsety=215)
        self.boxes.set_data(np.full((TALL, WIDE, 4), 255, np.uint8))
        self.figure.images.append(self.boxes)
        axes = self.figure.add_axes((0.075, 0.14, 0.46, 0.42))
        axes.set(xlim=(-10, MOST_MERGES + 10), ylim=(0, 3.2), xlabel="merges", ylabel="tokens")
        axes.set_ylabel("tokens per character")
        (self.curve,) = axes.plot([], [], color=BLUE, lw=2, marker=".", ms=6)
        (self.here,) = axes.plot([], [], color=ORANGE, marker="D", ms=9, mec="white", ls="")
        self.latest = self.figure.text(0.58, 0.56, "", va="top", linespacing=1.5)
        return [self.boxes, self.curve, self.here, self.latest]

    def update(self, result: Cut) -> None:
        self.boxes.set_data(strip(result.tokens, WIDE, TALL))
        n = max(1, len(result.text))
        self.curve.set_data(CURVE, [min(3.15, result.curve[at] / n) for at in CURVE])
        self.here.set_data([result.n_merge], [min(3.15, result.per_character)])
        self.latest.set_text(_latest(result))

    def sentence(self, result: Cut) -> str:
        parts = sum(not spelled(token)[1] for token in result.tokens)
        return (
            f"{len(result.text)} characters, {len(result.text.encode())} bytes, cut into "
            f"{len(result.tokens)} tokens by {min(result.n_merge, len(result.merges))} merges "
            f"learned from {result.what}: {result.per_character:.2f} tokens per character; "
            f"{parts} tokens are only a part of a character."
        )


def _latest(result: Cut) -> str:
    """The last merges in use, newest first."""
    used = result.merges[: result.n_merge]
    if not used:
        return "no merges: every byte is a token"
    lines = [
        f"{number}.  {spelled(left)[0]}  +  {spelled(right)[0]}"
        for number, (left, right) in list(enumerate(used, start=1))[:-6:-1]
    ]
    return f"the latest merges ({len(used)} in use)\n" + "\n".join(lines)
