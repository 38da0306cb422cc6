"""Habits of a model, each told by what it greedily says next: found as directions, and steered."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from course_utils.core import Transformer, patched
from course_utils.core.taps import Edit
from course_utils.decoding.decoder import left_padded
from course_utils.interp.directions import ablate, add, affine, mean_difference
from course_utils.interp.streams import stream_name, streams

WAYS = ("add", "affine", "ablate here", "ablate everywhere")


class Rows(NamedTuple):
    """Prompts padded at the left to one length, and how much of each row is padding."""

    ids: Int[Tensor, "row pos"]
    padding: Int[Tensor, " row"]

    def first(self, n: int) -> "Rows":
        """The first n of them."""
        return Rows(self.ids[:n], self.padding[:n])

    def prompts(self) -> list[list[int]]:
        """Their tokens, without the padding."""
        return [row[pad:].tolist() for row, pad in zip(self.ids, self.padding, strict=True)]


class Asked(NamedTuple):
    """Prompts, and for each the answer that would show the habit."""

    rows: Rows
    shown: Int[Tensor, "row answer"]

    def first(self, n: int) -> "Asked":
        """The first n of them."""
        return Asked(self.rows.first(n), self.shown[:n])


class Pair(NamedTuple):
    """Prompts after which the model has a habit, and like ones after which it has not."""

    has: Asked
    lacks: Asked


class Habit(NamedTuple):
    """Three disjoint sets of prompts: to find directions in, to choose between them, to report;
    and `neutral` ones that have nothing to do with the habit."""

    find: Pair
    choose: Pair
    report: Pair
    neutral: Rows


def rows_of(prompts: list[list[int]]) -> Rows:
    """Token ids of any lengths as rows."""
    return Rows(*left_padded(prompts))


@torch.no_grad()
def last_streams(model: Transformer, rows: Rows) -> Float[Tensor, "layer row d_model"]:
    """The stream of each layer at the last token of each row."""
    return streams(model, rows.ids, rows.padding)[:, :, -1]


@torch.no_grad()
def shows(model: Transformer, asked: Asked) -> Bool[Tensor, " row"]:
    """Whether greedy decoding would give each row its answer, word for word: true where every
    token is the likeliest after those before it, which takes one pass instead of one per token."""
    rows, shown = asked
    return follows(model(torch.cat([rows.ids, shown], 1), rows.padding), shown)


def follows(
    logits: Float[Tensor, "row pos d_vocab"], shown: Int[Tensor, "row answer"]
) -> Bool[Tensor, " row"]:
    """Whether each token of the answers, which end the rows, is the likeliest where it stands."""
    n = shown.shape[1]
    return (logits[:, -n - 1 : -1].argmax(-1) == shown).all(1)


def rate(model: Transformer, asked: Asked, edits: dict[str, Edit]) -> float:
    """Share of the prompts after which the edited model shows the habit."""
    with patched(model, edits):
        return shows(model, asked).double().mean().item()


@torch.no_grad()
def log_probs(model: Transformer, rows: Rows) -> Float[Tensor, "row d_vocab"]:
    """What may come after each row: logarithms of probabilities."""
    return model(*rows)[:, -1].log_softmax(-1)


def divergence(
    model: Transformer,
    rows: Rows,
    edits: dict[str, Edit],
    before: Float[Tensor, "row d_vocab"] | None = None,
) -> float:
    """Mean over rows of KL(model || edited model), in nats, for the token after the last.
    `before`: the log_probs of the plain model, where they are known."""
    before = log_probs(model, rows) if before is None else before
    with patched(model, edits):
        return mean_kl(before, log_probs(model, rows))


def mean_kl(before: Float[Tensor, "row d_vocab"], after: Float[Tensor, "row d_vocab"]) -> float:
    """Mean over rows of KL(before || after), in nats, of logarithms of probabilities."""
    return (before.exp() * (before - after)).sum(-1).mean().item()


def steps(model: Transformer, pair: Pair) -> Float[Tensor, "layer d_model"]:
    """Of each layer, the step from the mean of the prompts that lack the habit to that of those
    that have it. Taught in: 11_inside_the_model."""
    has, lacks = (last_streams(model, asked.rows) for asked in pair)
    return torch.stack([mean_difference(a, b) for a, b in zip(has, lacks, strict=True)])


def random_like(step: Float[Tensor, " d_model"], seed: int = 0) -> Float[Tensor, " d_model"]:
    """A random direction of the same length: what every effect is compared with."""
    r = torch.randn(step.shape, generator=torch.Generator().manual_seed(seed))
    return r * step.norm() / r.norm()


def steering(
    model: Transformer, layer: int, step: Float[Tensor, " d_model"], way: str, amount: float
) -> dict[str, Edit]:
    """Edits for `patched`. "add": amount times the step, at this layer. "affine": the projection
    is set to `amount` there. "ablate here": to 0. "ablate everywhere": to 0 in every stream, before
    and after each attention and MLP, as Arditi et al. 2024 do. All positions are treated alike.

    Raises ValueError for another way. Taught in: 11_inside_the_model.
    """
    here = stream_name(model, layer)
    if way == "add":
        return {here: lambda h: add(h, step, amount)}
    if way == "affine":
        return {here: lambda h: affine(h, step, amount)}
    if way == "ablate here":
        return {here: lambda h: ablate(h, step)}
    if way == "ablate everywhere":
        places = ["embed", "blocks.*.resid_mid", "blocks.*.resid_post"]
        return dict.fromkeys(places, lambda h: ablate(h, step))
    raise ValueError(f"way must be one of {', '.join(WAYS)}, not {way!r}.")
