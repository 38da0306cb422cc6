"""The steering desk: a habit, a layer, a way and a strength, and what comes of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_utils.core import Transformer, patched
from course_utils.core.taps import Edit
from course_utils.decoding import generate
from course_utils.interp.habits import (
    WAYS,
    Asked,
    Habit,
    Pair,
    Rows,
    divergence,
    follows,
    last_streams,
    log_probs,
    mean_kl,
    random_like,
    rate,
    rows_of,
    shows,
    steering,
    steps,
)
from course_utils.interp.streams import stream_name, streams

CONTROL = "random direction"
N_SAID, N_PROMPT = 7, 8
DESK_WAYS = (*WAYS, CONTROL)


@dataclass(frozen=True)
class Look:
    """A quick look, in one batch: prompts that have the habit and prompts that lack it, each with
    the answer that would show it; neutral prompts; and the first of either kind once more, with
    what the plain model says. The plain model's streams are kept: edits of a layer go on there."""

    few: Pair
    spoken: list[tuple[list[int], list[int]]]  # prompt, and what the plain model says after it
    rows: Rows
    streams: Float[Tensor, "layer row pos d_model"]


@dataclass(frozen=True)
class Desk:
    """A model and a habit, with all that does not depend on the dials. What is said ends at
    `stop`."""

    model: Transformer
    habit: Habit
    stop: Sequence[int]
    steps: Float[Tensor, "layer d_model"]
    rest: Float[Tensor, " layer"]  # mean projection, on each step, of prompts that lack the habit
    look: Look
    before: tuple[float, float, Tensor]  # what _read finds there of the plain model


@torch.no_grad()
def desk(model: Transformer, habit: Habit, stop: Sequence[int] = ()) -> Desk:
    """The steps of every layer, and where prompts without the habit lie along them."""
    found = steps(model, habit.find)
    units = found / found.norm(dim=1, keepdim=True).clamp(min=1e-9)
    lacks = last_streams(model, habit.find.lacks.rows).mean(1)
    look = _look(model, habit, stop)
    before = _read(look, model.unembed(look.streams[-1]))
    return Desk(model, habit, stop, found, (lacks * units).sum(1), look, before)


def _look(model: Transformer, habit: Habit, stop: Sequence[int]) -> Look:
    few = Pair(*(asked.first(N_PROMPT) for asked in habit.choose))
    prompts = [asked.rows.prompts() for asked in few]
    first = [each[0] for each in prompts]
    said = generate(model, first, N_SAID, temperature=0, stop=stop).completions()
    answers = [*few.has.shown.tolist(), *few.lacks.shown.tolist(), *[[]] * N_PROMPT, *said]
    asked = [*prompts[0], *prompts[1], *habit.neutral.first(N_PROMPT).prompts(), *first]
    rows = rows_of([prompt + answer for prompt, answer in zip(asked, answers, strict=True)])
    spoken = list(zip(first, said, strict=True))
    return Look(few, spoken, rows, streams(model, *rows))


def edits(on: Desk, layer: int, way: str, scale: float) -> dict[str, Edit]:
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


@torch.no_grad()
def desk_view(
    on: Desk, spell: Callable[[int], str], name: str, layer: int, way: str, scale: float
) -> DeskView:
    """Turn the dials and measure, on the first of the prompts kept for choosing."""
    change = edits(on, layer, way, scale)
    logits = _logits(on, layer, change)
    before, after = on.before, _read(on.look, logits)
    adds = way in ("add", CONTROL) and scale >= 0
    said = _said(on, change, logits, adds)
    return DeskView(
        name, layer, way, scale,
        (before[1], after[1]), (before[0], after[0]), mean_kl(before[2], after[2]),
        " ".join(map(spell, on.look.spoken[adds][0])), " ".join(map(spell, said)),
    )  # fmt: skip


def _logits(on: Desk, layer: int, change: dict[str, Edit]) -> Float[Tensor, "row pos d_vocab"]:
    """Of the quick look under an edit: one of this layer alone needs only the layers after it."""
    look, name = on.look, stream_name(on.model, layer)
    if change.keys() == {name}:
        edited = change[name](look.streams[layer])
        return on.model.unembed(on.model.resume(edited, layer, look.rows.padding))
    with patched(on.model, change):
        return on.model(*look.rows)


def _read(look: Look, logits: Float[Tensor, "row pos d_vocab"]) -> tuple[float, float, Tensor]:
    """Rates of the habit where it was and where it was not, and what follows neutral prompts."""
    sizes = [len(asked.shown) for asked in look.few]
    has, lacks, rest = logits.split([*sizes, len(logits) - sum(sizes)])
    rates = (
        follows(each, asked.shown).double().mean().item()
        for each, asked in zip((has, lacks), look.few, strict=True)
    )
    return *rates, rest[:-2, -1].log_softmax(-1)


def _said(on: Desk, change: dict[str, Edit], logits: Tensor, adds: bool) -> list[int]:
    """What the edited model says after a prompt. The answer that would show the habit and that of
    the plain model stand in the quick look: as far as it says one of them, its words are known."""
    prompt, plain = on.look.spoken[adds]
    shown = on.look.few[adds].shown[0].tolist()
    row = adds * len(on.look.few.has.shown)
    known = max(_agreed(logits[row], shown), _agreed(logits[adds - 2], plain), key=len)[:N_SAID]
    known = known[: next((at for at, token in enumerate(known, 1) if token in on.stop), N_SAID)]
    if len(known) == N_SAID or known[-1] in on.stop:
        return known
    with patched(on.model, change):
        more = generate(on.model, prompt + known, N_SAID - len(known), temperature=0, stop=on.stop)
    return known + more.completions()[0]


def _agreed(logits: Float[Tensor, "pos d_vocab"], answer: list[int]) -> list[int]:
    """The likeliest tokens for as long as they are those of an answer, which ends the row, and the
    first that is not: what greedy decoding would say (speculative decoding, Leviathan et al. 2023).
    """
    best = logits[-len(answer) - 1 :].argmax(-1).tolist()
    n = next((at for at, token in enumerate(answer) if token != best[at]), len(answer))
    return best[: n + 1]


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


def loss_on(model: Transformer, tokens: Int[Tensor, "row pos"], change: dict[str, Edit]) -> float:
    """Mean negative log-probability, in nats per token, that the edited model gives to a text: low
    where it still speaks the language."""
    with torch.no_grad(), patched(model, change):
        logp = model(tokens)[:, :-1].log_softmax(-1)
    return -logp.gather(2, tokens[:, 1:, None]).mean().item()
