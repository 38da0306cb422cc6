"""From logits to a draw, in the order of everyday use: temperature, then top-k, then top-p."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_utils.decoding.filters import filtered, temperature


def softmax_T(logits: Float[Tensor, "*batch vocab"], T: float) -> Float[Tensor, "*batch vocab"]:
    """Probabilities exp(z / T) / Σ exp(z / T) over the last axis, for logits of any size.

    Small T sharpens, large T flattens; the order of the tokens stays. Shape and dtype are those of
    the logits, and no logit is too large: 10 000 in float32 gives no NaN. T must lie above 0:
    ValueError otherwise, since no division gives the limit, which is the argmax.

    Example: logits = [0, ln 3], T = 1 gives [0.25, 0.75]; T = 0.5 gives [0.1, 0.9].
    Hinton et al. 2015, equation 1. Taught in: 09_next_token.
    """
    return temperature(logits, T).softmax(-1)


def sample(
    logits: Float[Tensor, "batch vocab"],
    T: float,
    top_k: int | None,
    top_p: float | None,
    gen: torch.Generator,
) -> Int[Tensor, " batch"]:
    """One token for each row, drawn at temperature T from the tokens that are left.

    First divide by T. Then top_k keeps the k likeliest tokens (all, where k is larger). Then top_p
    keeps the smallest set of likeliest tokens whose probability, among those left so far, reaches
    p: the token that crosses p belongs to it, so at least one is kept. None switches a filter off.
    What is kept is drawn in proportion to its probability, each row for itself, with `gen`. In
    what is asked no two logits are equal, T > 0, k ≥ 1 and 0 < p ≤ 1.

    Example: probabilities 0.5, 0.3, 0.2, T = 1, top_p = 0.6 draw tokens 0 and 1, as 5 to 3.
    Fan et al. 2018, section 5.4; Holtzman et al. 2020, section 3.1. Taught in: 09_next_token.
    """
    return torch.multinomial(shaped(logits, T, top_k, top_p), 1, generator=gen)[:, 0]


def entropy(prob: Float[Tensor, "*batch vocab"]) -> Float[Tensor, "*batch"]:
    """-Σ p ln p in nats: 0 for a certainty, ln(vocab) for an even spread."""
    return torch.special.entr(prob.double()).sum(-1)


def shaped(logits: Tensor, T: float, top_k: int | None, top_p: float | None) -> Tensor:
    """The probabilities that `sample` draws from."""
    return filtered(logits, {"temperature": T, "top_k": top_k, "top_p": top_p}).softmax(-1)


@dataclass(frozen=True)
class Roll:
    """The likeliest tokens, with their probabilities as the model gives them and as they are drawn
    from; entropies in nats; tokens drawn, by place in the vocabulary; entropy by temperature."""

    tokens: list[int]
    own: list[float]
    shaped: list[float]
    T: float
    top_k: int | None
    top_p: float | None
    entropy_own: float
    entropy_shaped: float
    n_kept: int
    drawn: list[int]
    curve: Float[Tensor, " T"]
    n_vocab: int


TEMPERATURES = torch.logspace(-1.3, 1, 60, dtype=torch.float64)  # 0.05 to 10
N_SHOWN, N_DRAWN = 10, 18


def roll(
    logits: Float[Tensor, " vocab"],
    T: float,
    top_k: int | None,
    top_p: float | None,
    seed: int,
    sample: Callable = sample,
) -> Roll:
    """What a setting makes of a model's logits, and N_DRAWN tokens drawn by `sample`."""
    logits = logits.double()
    own, kept = logits.softmax(-1), shaped(logits, T, top_k, top_p)
    shown = own.topk(N_SHOWN).indices
    gen = torch.Generator().manual_seed(seed)
    drawn = sample(logits.expand(N_DRAWN, -1), T, top_k, top_p, gen)
    return Roll(
        shown.tolist(),
        own[shown].tolist(),
        kept[shown].tolist(),
        T,
        top_k,
        top_p,
        float(entropy(own)),
        float(entropy(kept)),
        int((kept > 0).sum()),
        drawn.tolist(),
        entropy((logits / TEMPERATURES[:, None]).softmax(-1)),
        len(logits),
    )
