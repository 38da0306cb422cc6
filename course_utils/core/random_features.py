"""Regression on random features: a model whose size is one number, and whose fit is a formula."""

import functools
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

INPUTS, NOISE, TEST = 20, 0.5, 500
MOST = 2000  # features


@dataclass(frozen=True)
class Decomposed:
    """The features of some rows as U S Vᵀ, with what errors need of it."""

    S: Float[Tensor, " r"]
    U: Float[Tensor, "n r"]
    seen: Float[Tensor, " r"]  # Uᵀy
    test: Float[Tensor, "test r"]  # features of the test rows, times V
    y: Float[Tensor, " n"]
    y_test: Float[Tensor, " test"]


@functools.cache
def _rows(N: int, seed: int):
    """N rows to learn from, test rows (both linear in their inputs, with noise), the features."""
    rng = torch.Generator().manual_seed(seed)
    draw = lambda *size: torch.randn(*size, generator=rng, dtype=torch.float64)  # noqa: E731
    truth, X = draw(INPUTS) / INPUTS**0.5, draw(N + TEST, INPUTS)
    y = X @ truth + NOISE * draw(N + TEST)
    return X, y, draw(INPUTS, MOST) / INPUTS**0.5


@functools.cache
def decomposed(width: int, N: int, seed: int) -> Decomposed:
    """`width` ReLUs of random projections of the inputs, decomposed once for every ridge."""
    X, y, W = _rows(N, seed)
    features = torch.relu(X @ W[:, :width]) * (2 / width) ** 0.5
    U, S, V = torch.linalg.svd(features[:N], full_matrices=False)
    return Decomposed(S, U, U.T @ y[:N], features[N:] @ V.T, y[:N], y[N:])


def errors(width: int, N: int, ridge: float, seed: int) -> tuple[float, float, float]:
    """(training error, test error, norm of the weights) of ridge regression on random features.

    The weights minimise ‖F w − y‖² + ridge·‖w‖²; with ridge 0, the shortest w of the best.
    Mean squared errors. Taught in: 03_validation.
    """
    d = decomposed(width, N, seed)
    shrink = d.S / (d.S.square() + ridge)
    shrink[d.S <= 1e-10 * d.S[0]] = 0.0
    weights = shrink * d.seen
    train = (d.U @ (d.S * weights) - d.y).square().mean()
    test = (d.test @ weights - d.y_test).square().mean()
    return float(train), float(test), float(weights.norm())


def risk_curve(
    widths: list[int], N: int, ridge: float, seed: int = 0, draws: int = 4
) -> Float[Tensor, "width 3"]:
    """Training error, test error and length of the weights for each number of random features.

    N rows to learn from, a mean over some draws of rows and features, since single draws scatter
    by factors. Without ridge the test error peaks where the features are as many as the rows
    (Belkin et al. 2019). ValueError for more than MOST features. Taught in: 03_validation.
    """
    if max(widths) > MOST:
        raise ValueError(f"widths go up to {MOST}, got {max(widths)}")
    seeds = range(draws * seed, draws * (seed + 1))
    rows = [[errors(width, N, ridge, s) for s in seeds] for width in widths]
    return torch.tensor(rows, dtype=torch.float64).mean(1)


@dataclass(frozen=True)
class Risk:
    """Errors over the number of features, and which of them is looked at."""

    widths: list[int]
    train: list[float]
    test: list[float]
    norm: list[float]
    bare: list[float]  # the test error without ridge
    N: int
    ridge: float
    chosen: int  # index into widths


WIDTHS = [5, 10, 20, 30, 40, 60, 75, 85, 90, 95, 100, 105, 110, 120, 140, 170]
WIDTHS += [200, 300, 400, 600, 1000, 1500, 2000]


@functools.lru_cache(maxsize=256)
def _columns(N: int, ridge: float, seed: int) -> list[list[float]]:
    return risk_curve(WIDTHS, N, ridge, seed).T.tolist()


def descent(ratio: float, ridge: float, N: int = 100, seed: int = 0) -> Risk:
    """The whole curve at one ridge; ratio: the features looked at, over N."""
    _, bare, _ = _columns(N, 0.0, seed)
    chosen = WIDTHS.index(round(ratio * N))
    return Risk(WIDTHS, *_columns(N, ridge, seed), bare, N, ridge, chosen)
