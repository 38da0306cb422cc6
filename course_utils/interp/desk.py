"""The steering desk: a habit, a layer, a way and a strength, and what comes of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_utils.core import Transformer, patched
from course_utils.decoding import generate
from course_utils.interp.habits import (
    WAYS,
    Asked,
    Habit,
    Pair,
    divergence,
    last_streams,
    log_probs,
    random_like,
    rate,
    shows,
    steering,
    steps,
)

CONTROL = "random direction"
N_SAID, N_PROMPT = 8, 8
DESK_WAYS = (*WAYS, CONTROL)


@dataclass(frozen=True)
class Desk:
    """A model and a habit, with all that does not depend on the dials."""

    model: Transformer
    habit: Habit
    steps: Float[Tensor, "layer d_model"]
    rest: Float[Tensor, " layer"]  # mean projection, on each step, of prompts that lack the habit
    few: Pair  # prompts for a quick look, with their rates and other answers before any steering
    before: tuple[float, ...]
    neutral: Float[Tensor, "row d_vocab"]


def desk(model: Transformer, habit: Habit) -> Desk:
    """The steps of every layer, and where prompts without the habit lie along them."""
    found = steps(model, habit.find)
    units = found / found.norm(dim=1, keepdim=True).clamp(min=1e-9)
    lacks = last_streams(model, habit.find.lacks.rows).mean(1)
    few = Pair(*(asked.first(N_PROMPT) for asked in habit.choose))
    before = tuple(rate(model, asked, {}) for asked in few)
    neutral = log_probs(model, habit.neutral.first(N_PROMPT))
    return Desk(model, habit, found, (lacks * units).sum(1), few, before, neutral)


def edits(on: Desk, layer: int, way: str, scale: float) -> dict[str, Callable]:
    """What the dials do to the model. The affine way sets the projection to that of prompts that
    lack the habit, whatever the scale; the control adds a random direction of equal length."""
    step = on.steps[layer]
    if way == CONTROL:
        return steering(on.model, layer, random_like(step), "add", scale)
    return steering(on.model, layer, step, way, float(on.rest[layer]) if way == "affine" else scale)


@dataclass(frozen=True)
class DeskView:
    """How often the habit shows, before and after, on prompts that lack it and on prompts that
    have it; how far other answers move, in nats; and what is said after one of the prompts."""

    habit: str
    layer: int
    way: str
    scale: float
    lacks: tuple[float, float]
    has: tuple[float, float]
    divergence: float
    prompt: str
    said: str


def desk_view(
    on: Desk,
    spell: Callable[[int], str],
    name: str,
    layer: int,
    way: str,
    scale: float,
    stop: Sequence[int] = (),
) -> DeskView:
    """Turn the dials and measure, on the first of the prompts kept for choosing; what is said ends
    at `stop`."""
    change = edits(on, layer, way, scale)
    has, lacks = (rate(on.model, asked, change) for asked in on.few)
    neutral = on.habit.neutral.first(N_PROMPT)
    adds = way in ("add", CONTROL) and scale >= 0
    rows = (on.few.lacks if adds else on.few.has).rows
    prompt = rows.ids[0, int(rows.padding[0]) :].tolist()
    with patched(on.model, change):
        said = generate(on.model, prompt, N_SAID, temperature=0, stop=stop).completions()[0]
    return DeskView(
        name, layer, way, scale,
        (on.before[1], lacks), (on.before[0], has),
        divergence(on.model, neutral, change, on.neutral),
        " ".join(map(spell, prompt)), " ".join(map(spell, said)),
    )  # fmt: skip


def sweep(on: Desk, asked: Asked, way: str, scale: float = 1.0) -> Float[Tensor, "layer prompt"]:
    """1 where the habit shows after a prompt with the dials at a layer, else 0, for every layer.
    Taught in: 11_inside_the_model."""
    found = []
    for layer in range(len(on.steps)):
        with patched(on.model, edits(on, layer, way, scale)):
            found.append(shows(on.model, asked))
    return torch.stack(found).double()


def choose(on: Desk, scales: Sequence[float], limit: float = float("inf")) -> tuple[int, float]:
    """The (layer, scale) at which the step moves the habit most, up where the model lacks it when
    added and down where it has it when subtracted, on the prompts kept for choosing; other answers
    may move by `limit` nats. Arditi et al. 2024 have such a limit too. Raises ValueError where no
    setting keeps to it."""
    kept = [(layer, scale) for scale in scales for layer in range(1, len(on.steps))]
    if limit < float("inf"):
        before = log_probs(on.model, on.habit.neutral)
        kept = [at for at in kept if _aside(on, *at, before) <= limit]
    if not kept:
        raise ValueError(f"limit {limit} is kept by no layer and scale.")
    return max(kept, key=lambda setting: _moved(on, *setting))


def _aside(on: Desk, layer: int, scale: float, before: Float[Tensor, "row d_vocab"]) -> float:
    return divergence(on.model, on.habit.neutral, edits(on, layer, "add", scale), before)


def _moved(on: Desk, layer: int, scale: float) -> float:
    has, lacks = on.habit.choose
    more, less = (edits(on, layer, "add", s) for s in (scale, -scale))
    return rate(on.model, lacks, more) - rate(on.model, has, less)


def loss_on(
    model: Transformer, tokens: Int[Tensor, "row pos"], change: dict[str, Callable]
) -> float:
    """Mean negative log-probability, in nats per token, that the edited model gives to a text: low
    where it still speaks the language."""
    with torch.no_grad(), patched(model, change):
        logp = model(tokens)[:, :-1].log_softmax(-1)
    return -logp.gather(2, tokens[:, 1:, None]).mean().item()
