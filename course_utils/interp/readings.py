"""What the lens, a patch and a plane show of one prompt or one layer: results to be drawn."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_utils.core import Transformer
from course_utils.decoding import generate
from course_utils.interp import probes
from course_utils.interp.lens import bare_lens, logit_lens, ranks
from course_utils.interp.patchscope import transplant
from course_utils.interp.streams import streams

Spell = Callable[[int], str]
Place = tuple[int, int]
N_TOP, N_PHRASE = 5, 6


@dataclass(frozen=True)
class LensView:
    """The likeliest token of each layer at each position with its probability, and for one
    position the rank of what the last layer says there."""

    words: list[str]
    says: list[list[str]]
    prob: Float[Tensor, "layer pos"]
    position: int
    answer: str
    rank: Int[Tensor, " layer"]
    normed: bool


def lens_view(
    model: Transformer,
    spell: Spell,
    ids: Sequence[int],
    position: int = -1,
    normed: bool = True,
    lens: Callable = logit_lens,
) -> LensView:
    """The logit lens over all layers and positions of one prompt. `lens(model, tokens)` gives the
    logits: the package's, or a learner's own; without `normed`, the final norm is left out."""
    tokens = torch.tensor([list(ids)])
    logits = (lens if normed else bare_lens)(model, tokens)[:, 0]
    prob, best = logits.softmax(-1).max(-1)
    place = position % len(ids)
    answer = best[-1, place]
    return LensView(
        [spell(i) for i in ids],
        [[spell(i) for i in row] for row in best.tolist()],
        prob,
        place,
        spell(int(answer)),
        ranks(logits[:, place], answer.expand(len(logits))),
        normed,
    )


@dataclass(frozen=True)
class PatchView:
    """A vector of one run put into another: what the other run says next, and on and on."""

    source: list[str]
    target: list[str]
    place: Place
    at: Place
    top: list[tuple[str, float]]
    phrase: str
    plain: str


def patch_view(
    model: Transformer,
    spell: Spell,
    source: Sequence[int],
    place: Place,
    target: Sequence[int],
    at: Place,
    n_new: int = N_PHRASE,
    stop: tuple[int, ...] = (),
) -> PatchView:
    """Read the stream of `source` at place = (layer, position) by what the prompt `target` says,
    up to `stop`, when it is put there at `at`; beside it, what `target` says by itself. What both
    prompts give unpatched is kept for the next call: no weight may change in between."""
    source, target = list(source), list(target)
    place, at = (place[0], place[1] % len(source)), (at[0], at[1] % len(target))
    vector = _streams(model, tuple(source))[place[0], :, place[1]]
    with torch.no_grad(), transplant(model, vector, at, len(target)):
        prob = model(torch.tensor([target]))[0, -1].softmax(-1)
        said = [int(prob.argmax())]
        if n_new > 1 and said[0] not in stop:
            more = generate(model, [*target, *said], n_new - 1, temperature=0, stop=stop)
            said += more.completions()[0]
    plain = _said(model, tuple(target), n_new, stop)
    values, ids = prob.topk(N_TOP)
    top = [(spell(i), p) for i, p in zip(ids.tolist(), values.tolist(), strict=True)]
    phrases = (" ".join(spell(i).strip() for i in row) for row in (said, plain))
    return PatchView(
        [spell(i) for i in source], [spell(i) for i in target], place, at, top, *phrases
    )


# The places of a patch change more often than its two prompts.
@functools.lru_cache(maxsize=8)
def _streams(model: Transformer, source: tuple[int, ...]) -> Float[Tensor, "layer row pos d_model"]:
    return streams(model, torch.tensor([source]))


@functools.lru_cache(maxsize=8)
def _said(
    model: Transformer, prompt: tuple[int, ...], n_new: int, stop: tuple[int, ...]
) -> list[int]:
    return generate(model, prompt, n_new, temperature=0, stop=stop).completions()[0]


METHODS = ("probe", "PCA", "random")


@dataclass(frozen=True)
class PlaneView:
    """Where things lie, and where a plane of one layer says they lie: each told by a probe that
    was fitted on others."""

    names: list[str]
    truth: Float[Tensor, "n 2"]
    guess: Float[Tensor, "n 2"]
    r2: float
    layer: int
    method: str
    shuffled: bool


def plane_view(
    H: Float[Tensor, "layer n d_model"],
    Y: Float[Tensor, "n 2"],
    names: list[str],
    layer: int,
    method: str = "probe",
    shuffled: bool = False,
) -> PlaneView:
    """Coordinates Y told from a layer of H, through all its dimensions ("probe"), its two of the
    largest variance ("PCA") or two random ones; with `shuffled`, each thing has another's place.
    Raises ValueError for another method."""
    h = H[layer]
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}.")
    if method != "probe":
        h = h @ (largest_plane(h) if method == "PCA" else random_plane(h.shape[1]))
    if shuffled:
        Y = Y[probes.shuffled_order(len(Y))]
    guess = probes.heldout_guess(h, Y)
    return PlaneView(names, Y, guess, float(probes.r2(Y, guess)), layer, method, shuffled)


def largest_plane(H: Float[Tensor, "n d_model"]) -> Float[Tensor, "d_model 2"]:
    """The two orthonormal directions of largest variance (PCA)."""
    return torch.linalg.svd(H - H.mean(0), full_matrices=False).Vh[:2].T


def random_plane(d_model: int, seed: int = 0) -> Float[Tensor, "d_model 2"]:
    """Two random orthonormal directions."""
    rng = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(d_model, 2, generator=rng))[0]
