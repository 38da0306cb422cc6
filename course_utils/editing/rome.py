"""Rank-one model editing: one layer's `down` matrix is read as a memory of key-value pairs, and one
pair is rewritten with the least disturbance of the others. Meng et al. 2022, section 3.1."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_utils.core import Transformer
from course_utils.core.taps import recording
from course_utils.editing.answers import left_padded
from course_utils.editing.copies import with_weights

N_STEP, LR, DECAY, UNTIL = 40, 0.1, 0.02, 0.95
At = int | Sequence[int]


def rank_one_edit(
    W: Float[Tensor, "d_out d_in"],
    k: Float[Tensor, " d_in"],
    v: Float[Tensor, " d_out"],
    C: Float[Tensor, "d_in d_in"],
) -> Float[Tensor, "d_out d_in"]:
    """A new W' with W' k = v that moves what W gives for other keys x as little as can be:
    E |(W' - W) x|² = tr((W' - W) C (W' - W)ᵀ) is minimal, where C = E[x xᵀ] is positive definite.

    W' = W + (v - W k) (C⁻¹ k)ᵀ / (kᵀ C⁻¹ k). Meng et al. 2022, equation 2. With C the identity it
    is the least change of the weights themselves. W is left as it is; all have one float dtype.

    Example: W = [[1, 0], [0, 1]], k = [1, 1], v = [1, 3], C = [[1, 0], [0, 0.5]]
    gives [[1., 0.], [0.6667, 2.3333]].
    Taught in: 21_model_editing.
    """
    u = torch.linalg.solve(C, k)
    return W + torch.outer(v - W @ k, u / (u @ k))


def keys(
    model: Transformer, layer: int, prompts: Sequence[Sequence[int]], at: At = -1
) -> Float[Tensor, "prompt d_mlp"]:
    """What a layer's `down` matrix is given at one token of each prompt: ROME's key. `at` counts
    from the end of the prompt: -1 is its last token; one number for all, or one for each."""
    (found,) = _recorded(model, [_hidden(layer)], prompts, at)
    return found


def key_covariances(
    model: Transformer,
    layers: Sequence[int],
    texts: Int[Tensor, "row pos"],
    prompts: Sequence[Sequence[int]] = (),
) -> list[Float[Tensor, "d_mlp d_mlp"]]:
    """For each layer E[k kᵀ], not centred, in float64, over the keys of what is to stay: every
    token of these texts; with prompts, one half over those and one over the last token of each
    prompt. One pass serves all layers."""
    with torch.no_grad(), recording(model, names := list(map(_hidden, layers))) as seen:
        model(texts)
    read = [_second_moment(seen[name].flatten(0, 1)) for name in names]
    if not prompts:
        return read
    asked = map(_second_moment, _recorded(model, names, prompts))
    return [(one + other) / 2 for one, other in zip(read, asked, strict=True)]


def _hidden(layer: int) -> str:
    return f"blocks.{layer}.mlp.hidden"


def _second_moment(k: Float[Tensor, "key d_mlp"]) -> Float[Tensor, "d_mlp d_mlp"]:
    k = k.double()
    return k.T @ k / len(k)


def softened(C: Float[Tensor, "d_in d_in"], strength: float) -> Float[Tensor, "d_in d_in"]:
    """Between the identity (strength 0) and the covariance (near 1), at the scale of C: what keeps
    a covariance from too few tokens invertible."""
    identity = torch.eye(len(C), dtype=C.dtype) * C.trace() / len(C)
    return strength * C + (1 - strength) * identity


def values(
    model: Transformer,
    layer: int,
    prompts: Sequence[Sequence[int]],
    targets: Sequence[int],
    at: At = -1,
    n_step: int = N_STEP,
    until: float = UNTIL,
) -> Float[Tensor, "prompt d_model"]:
    """For each prompt the MLP output, at one of its tokens, that makes the target its next token:
    found by Adam, which starts at the present output and stops where p(target) reaches `until`.

    Loss: -log p(target) + DECAY |v - v0|² / |v0|². Every prompt has a vector of its own, so that
    many edits are searched for at once, each as if it were alone.
    Left out: averages over contexts before the prompt, and the KL term on a prompt that asks what
    the subject is (Meng et al. 2022, equation 4).
    """
    ids, padding = left_padded(prompts)
    block = f"blocks.{layer}"
    with torch.no_grad(), recording(model, [f"{block}.mlp_out", f"{block}.resid_post"]) as seen:
        model(ids, padding)
    out, stream = seen.values()
    start, wanted = out[torch.arange(len(out)), at], torch.tensor(targets)
    step = torch.zeros_like(start, requires_grad=True)  # in units of the output's root mean square
    size = start.square().mean(1, keepdim=True).sqrt()
    optimizer = torch.optim.Adam([step], LR)
    for _ in range(n_step):
        # The stream is the sum of all outputs: what moves one of them moves it as far.
        last = model.resume(_moved(stream, at, size * step), layer + 1, padding)[:, -1]
        logp = model.unembed(last).log_softmax(-1).gather(1, wanted[:, None])[:, 0]
        there = logp.detach().exp() >= until
        if there.all():
            break
        loss = DECAY * step.square().mean(1) - logp
        (step.grad,) = torch.autograd.grad(loss.sum(), step)
        before = step.detach().clone()
        optimizer.step()
        step.data[there] = before[there]
    return start + size * step.detach()


def rome(
    model: Transformer,
    layer: int,
    prompt: Sequence[int],
    target: int,
    C: Float[Tensor, "d_mlp d_mlp"],
    at: int = -1,
    **how,
) -> Transformer:
    """A new model that answers the prompt with the target: key, value, rank-one edit; `how` goes
    to `values`. Taught in: 21_model_editing."""
    k = keys(model, layer, [prompt], at)[0]
    v = values(model, layer, [prompt], [target], at, **how)[0]
    W = model.get_parameter(name := f"blocks.{layer}.mlp.down.weight").detach()
    return with_weights(model, {name: rank_one_edit(*(x.to(C.dtype) for x in (W, k, v)), C)})


def _moved(stream: Float[Tensor, "prompt pos d_model"], at: At, step: Tensor) -> Tensor:
    moved = stream.clone()
    moved[torch.arange(len(stream)), at] += step
    return moved


def _recorded(
    model: Transformer, names: Sequence[str], prompts: Sequence[Sequence[int]], at: At = -1
) -> list[Float[Tensor, "prompt d"]]:
    """What passes each of some taps at one token of each prompt."""
    with torch.no_grad(), recording(model, list(names)) as seen:
        model(*left_padded(prompts))
    return [seen[name][torch.arange(len(prompts)), at] for name in names]
