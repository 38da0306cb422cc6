"""How many steps the next-token game takes, and how long they last."""

import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from course_utils.core import ModelConfig, Transformer
from course_utils.decoding.generate import generate


def steps_needed(kind: str, **kw: float) -> int:
    """How many units a model draws, one after the other, to make one work of a kind.

    "text":   n_token                 one step for each token
    "pixels": height, width, channels=1   one step for each pixel, or for each channel of each
    "codes":  height, width, f        one for each patch of f x f pixels; a patch that is cut off
                                      at the edge counts as a whole one
    "audio":  seconds, rate           one for each sample, rate samples a second; rounded up
    Everything is passed by keyword. ValueError for another kind.

    Example: steps_needed("pixels", height=2, width=3, channels=3) gives 18;
    steps_needed("codes", height=8, width=9, f=4) gives 6.
    Taught in: 09_next_token.
    """
    if kind == "text":
        return kw["n_token"]
    if kind == "pixels":
        return kw["height"] * kw["width"] * kw.get("channels", 1)
    if kind == "codes":
        return math.ceil(kw["height"] / kw["f"]) * math.ceil(kw["width"] / kw["f"])
    if kind == "audio":
        return math.ceil(kw["seconds"] * kw["rate"])
    raise ValueError(f"kind must be 'text', 'pixels', 'codes' or 'audio', not {kind!r}.")


LENGTHS = (64, 128, 256, 512, 1024, 4096)  # the last is Image-GPT's longest


def small_model(n_ctx: int = LENGTHS[-1]) -> Transformer:
    """The size of the lesson's models, with places for n_ctx units. Time does not depend on what
    the weights say, so they are as they were drawn."""
    return Transformer(
        ModelConfig(4, n_layer=2, d_model=48, n_head=4, n_ctx=n_ctx, position="learned")
    )


def seconds_with_cache(model: Transformer, n: int, runs: int) -> float:
    """Processor seconds to draw n units, each read once. The least of some runs: what is slower
    was disturbed."""
    rng = torch.Generator().manual_seed(0)
    return least(lambda: generate(model, [[0]], n, rng=rng), runs=runs)[0]


@torch.no_grad()
def seconds_of_reading(model: Transformer, n: int, runs: int) -> float:
    """Processor seconds to read n units at once: one step of the game without a cache."""
    ids = torch.zeros(1, n, dtype=torch.long)
    return least(lambda: model(ids), runs=runs)[0]


def least(*works: Callable, runs: int) -> list[float]:
    """Least processor seconds of each of some works, done in turn, so that what disturbs one
    disturbs the others. The first round warms up, where there is another."""
    rounds = [[_seconds(work) for work in works] for _ in range(runs)]
    return [min(times) for times in zip(*(rounds[1:] or rounds), strict=True)]


def _seconds(work: Callable) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


@dataclass(frozen=True)
class Growth:
    """a n² + b n, fitted to measured times, and the share of their variance that it explains."""

    a: float
    b: float
    r2: float

    def seconds(self, n: float) -> float:
        return self.a * n**2 + self.b * n


def growth(ns: tuple[int, ...], seconds: list[float]) -> Growth:
    """The least-squares fit of a n² + b n in relative errors, both at least 0."""
    n, t = np.array(ns, float), np.array(seconds)
    X = np.stack([n**2, n], 1)
    ab = np.linalg.lstsq(X / t[:, None], np.ones_like(t), rcond=None)[0]
    if ab.min() < 0:  # one of the two is too small to be seen
        alone = int(ab.argmax())
        ab = np.zeros(2)
        ab[alone] = (X[:, alone] / t).sum() / ((X[:, alone] / t) ** 2).sum()
    left = ((X @ ab - t) ** 2).sum() / ((t - t.mean()) ** 2).sum()
    return Growth(float(ab[0]), float(ab[1]), 1 - float(left))


@dataclass(frozen=True)
class Clock:
    """Fits of this machine: a whole work with a cache, and the reading of n units at once."""

    cached: Growth
    reading: Growth

    def seconds(self, n: int, cache: bool) -> float:
        """How long n steps last. Without a cache step i reads i units: the sum of all readings."""
        if cache:
            return self.cached.seconds(n)
        return self.reading.a * n**3 / 3 + self.reading.b * n**2 / 2


@functools.cache
def clock(longest: int = LENGTHS[-1]) -> Clock:
    """Measured once, on works of up to `longest` units."""
    ns, model = tuple(n for n in LENGTHS if n <= longest), small_model(longest)
    runs = [4 if n < LENGTHS[-1] else 1 for n in ns]
    cached, reading = (
        growth(ns, [measure(model, n, k) for n, k in zip(ns, runs, strict=True)])
        for measure in (seconds_with_cache, seconds_of_reading)
    )
    return Clock(cached, reading)


@dataclass(frozen=True)
class Cost:
    """Steps and seconds at one resolution, by pixels and by codes, and the curves over side."""

    side: int
    channels: int
    f: int
    cache: bool
    pixel_steps: int
    code_steps: int
    pixel_seconds: float
    code_seconds: float
    sides: list[int]
    by_pixels: list[float]
    by_codes: list[float]


SIDES = [8, 16, 32, 64, 128, 256, 512, 1024]


def cost(
    clock: Clock, side: int, channels: int, f: int, cache: bool, count: Callable = steps_needed
) -> Cost:
    """What a picture of side x side costs, counted by `count` and timed by the clock."""

    def at(side: int) -> tuple[int, int]:
        pixels = count("pixels", height=side, width=side, channels=channels)
        return pixels, count("codes", height=side, width=side, f=f)

    counts = [at(each) for each in SIDES]
    by_pixels, by_codes = (
        [clock.seconds(n, cache) for n in ns] for ns in zip(*counts, strict=True)
    )
    here = at(side)
    seconds = [clock.seconds(n, cache) for n in here]
    return Cost(side, channels, f, cache, *here, *seconds, SIDES, by_pixels, by_codes)
