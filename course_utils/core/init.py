"""First values of the weights: large enough that signals survive, small enough that they do not
explode. Biases start at zero."""

import math
from collections.abc import Iterator

import torch
from torch import nn

from course_utils.errors import CourseError


def gain(nonlinearity: str, slope: float = 0.01) -> float:
    """Factor by which weights must grow so that the nonlinearity keeps the mean square of its
    input: sqrt(2) for "relu", which loses half of it; sqrt(2 / (1 + slope^2)) for "leaky_relu";
    5/3 for "tanh"; 1 for "linear". He et al. 2015, equation 15. Taught in: 07_going_deep."""
    gains = {
        "linear": 1.0,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + slope**2)),
        "tanh": 5 / 3,
    }
    if nonlinearity not in gains:
        raise CourseError(f"nonlinearity must be one of {', '.join(gains)}, not {nonlinearity!r}.")
    return gains[nonlinearity]


def he_std(fan_in: int, nonlinearity: str = "relu", slope: float = 0.01) -> float:
    """Deviation that keeps the forward signal: gain / sqrt(fan_in). He et al. 2015, section 2.2.
    Taught in: 07_going_deep."""
    return gain(nonlinearity, slope) / math.sqrt(fan_in)


def xavier_std(fan_in: int, fan_out: int) -> float:
    """A compromise between forward and backward: sqrt(2 / (fan_in + fan_out)).
    Glorot & Bengio 2010, equation 12. Taught in: 07_going_deep."""
    return math.sqrt(2 / (fan_in + fan_out))


SCHEMES = {
    "he": lambda fan_in, fan_out: he_std(fan_in),
    "xavier": xavier_std,
    "lecun": lambda fan_in, fan_out: he_std(fan_in, "linear"),
}


def _weights(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Its parameters, without those on `meta`: they have no values, and drawing some would import
    the whole of torch's compiler."""
    return ((name, weight) for name, weight in model.named_parameters() if not weight.is_meta)


@torch.no_grad()
def init_weights(model: nn.Module, scheme: str | float, rng: torch.Generator) -> None:
    """Draw every matrix and filter of the model from a normal distribution.

    `scheme` is "he", "xavier", "lecun" (1 / sqrt(fan_in)), or one deviation for all. Biases
    become zero; the scales of norms are left alone.
    """
    for name, weight in _weights(model):
        if weight.ndim >= 2:
            field = weight[0, 0].numel()
            std = _std(scheme, weight.shape[1] * field, weight.shape[0] * field)
            weight.normal_(0.0, std, generator=rng)
        elif name.endswith("bias"):
            weight.zero_()


def _std(scheme: str | float, fan_in: int, fan_out: int) -> float:
    if isinstance(scheme, int | float) and not isinstance(scheme, bool) and scheme > 0:
        return float(scheme)
    if scheme not in SCHEMES:
        raise CourseError(
            f"scheme must be one of {', '.join(SCHEMES)} or a positive number, not {scheme!r}."
        )
    return SCHEMES[scheme](fan_in, fan_out)


@torch.no_grad()
def init_transformer(model: nn.Module, n_layer: int, rng: torch.Generator) -> None:
    """GPT-2's scheme: normal with deviation 0.02; the two maps of each block that write into the
    residual stream divided by sqrt(2 n_layer), so that its variance does not grow with depth.
    Radford et al. 2019, section 2.3."""
    for name, weight in _weights(model):
        if weight.ndim == 2:
            writes = name.endswith(("attn.out.weight", "mlp.down.weight"))
            weight.normal_(0.0, 0.02 / math.sqrt(2 * n_layer) if writes else 0.02, generator=rng)
        elif name.endswith("bias"):
            weight.zero_()


def seeded(rng: torch.Generator | None) -> torch.Generator:
    """The caller's generator, or a fresh one of seed 0: never the global one."""
    return torch.Generator().manual_seed(0) if rng is None else rng
