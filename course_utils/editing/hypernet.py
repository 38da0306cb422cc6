"""A network that edits a network: it turns the gradient of one example into a better weight change.
Mitchell et al. 2022 (MEND)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_utils.core import Transformer
from course_utils.core.init import init_weights, seeded
from course_utils.core.layers import Linear
from course_utils.core.taps import patched, recording
from course_utils.editing.answers import left_padded
from course_utils.editing.copies import with_weights

Net = Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]


def editor_delta(
    u: Float[Tensor, "token d_in"], d: Float[Tensor, "token d_out"], net: Callable
) -> Float[Tensor, "d_out d_in"]:
    """The change of a matrix W, y = W u, that an editor makes of the two factors of its gradient.

    `u` are W's inputs and `d` the gradients of the loss with respect to its outputs: the plain
    gradient is the sum over tokens of d uᵀ. `net(u, d)` returns new factors u', d' and a gate for
    each token; the change is the sum over tokens of gate · d' u'ᵀ, of a rank no larger than the
    number of tokens. No gradient flows into u and d: only the editor learns from it.

    Example: u = [[1, 0], [0, 2]], d = [[1, 0], [1, 0]] and a net that returns (u, d, [1, 0.5])
    gives [[1., 1.], [0., 0.]].
    Mitchell et al. 2022, equation 3. Taught in: 21_model_editing.
    """
    u, d, gate = net(u.detach(), d.detach())
    return (gate[:, None] * d).T @ u


@dataclass(frozen=True)
class EditorConfig:
    """Sizes of an editor: the edited layers' numbers, the sides of their `down` matrices, and the
    width in which the two factors meet."""

    layers: Sequence[int]
    d_in: int
    d_out: int
    width: int
    kind: str = "editor"


class Editor(nn.Module):
    """One small network for each edited layer. Factors are scaled to a root mean square of 1, meet
    in one hidden layer, and are added to what it makes of them; a gate scales their product, so
    that 1 adds d' itself to what the matrix gives for u, however large its inputs are.
    Left out: sharing between layers, running means and deviations of the factors."""

    def __init__(self, config: EditorConfig, rng: torch.Generator | None = None):
        super().__init__()
        self.config = config
        both = config.d_in + config.d_out
        self.into = nn.ModuleList(Linear(both, config.width) for _ in config.layers)
        self.out = nn.ModuleList(Linear(config.width, both + 1) for _ in config.layers)
        for part in self.into:
            init_weights(part, both**-0.5, seeded(rng))
        for part in self.out:
            init_weights(part, 0.1 * config.width**-0.5, seeded(rng))

    def net(self, place: int) -> Net:
        """The network of the place-th edited layer, as `editor_delta` wants it."""

        def net(u: Tensor, d: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            scale, other = (x.square().mean(-1, True).clamp(min=1e-20).rsqrt() for x in (u, d))
            u, d = scale * u, other * d
            x = self.out[place](self.into[place](torch.cat([u, d], -1)).relu())
            du, dd, gate = x.split([self.config.d_in, self.config.d_out, 1], -1)
            return u + du, d + dd, (gate * scale)[..., 0] / self.config.d_in

        return net


Factors = list[tuple[Tensor, Tensor]]  # for each edited layer (row, d_in) and (row, d_out)


def gradient_factors(
    model: Transformer, layers: Sequence[int], ids: Tensor, padding: Tensor, targets: Tensor
) -> Factors:
    """The two factors of the gradient of -log p(target), for each row at its last token, where the
    answer is made: the inputs of the layers' `down` matrices and the gradients of their outputs."""
    names = [f"blocks.{i}.{part}" for i in layers for part in ("mlp.hidden", "mlp_out")]
    # The graph begins at the first of the layers: it needs none of the weights.
    start = {f"blocks.{min(layers)}.mlp_out": lambda out: out.detach().requires_grad_()}
    with torch.enable_grad(), patched(model, start), recording(model, names) as seen:
        logp = model(ids, padding)[:, -1].log_softmax(-1)
        outs = [seen[name] for name in names[1::2]]
        grads = torch.autograd.grad(-logp.gather(1, targets[:, None]).sum(), outs)
    ins = [seen[name] for name in names[::2]]
    return [(u[:, -1].detach(), d[:, -1]) for u, d in zip(ins, grads, strict=True)]


@contextmanager
def edited(
    model: Transformer, editor: Editor, factors: Factors, owner: Int[Tensor, " row"]
) -> Iterator[None]:
    """Inside the block row i of a batch is run by the model with edit owner[i]: the changes are of
    rank one, so that each row adds its own to what `down` gives, and no matrix is written out."""
    hidden = [f"blocks.{layer}.mlp.hidden" for layer in editor.config.layers]
    with recording(model, hidden) as inputs:

        def adding(name: str, u: Tensor, d: Tensor, gate: Tensor) -> Callable[[Tensor], Tensor]:
            u, d = u[owner, :, None], (gate[:, None] * d)[owner, None]
            return lambda out: out + inputs[name] @ u * d

        edits = {
            f"blocks.{layer}.mlp_out": adding(name, *editor.net(place)(*factors[place]))
            for place, (layer, name) in enumerate(zip(editor.config.layers, hidden, strict=True))
        }
        with patched(model, edits):
            yield


def hyper_edit(
    model: Transformer, editor: Editor, prompt: Sequence[int], target: int
) -> Transformer:
    """A new model: the editor's change of each of its layers, made of one gradient of the prompt
    and its new answer. Taught in: 21_model_editing."""
    layers = editor.config.layers
    factors = gradient_factors(model, layers, *left_padded([prompt]), torch.tensor([target]))
    names = [f"blocks.{layer}.mlp.down.weight" for layer in layers]
    with torch.no_grad():
        deltas = [editor_delta(u, d, editor.net(i)) for i, (u, d) in enumerate(factors)]
    weights = [model.get_parameter(name).detach() for name in names]
    return with_weights(model, {n: w + e for n, w, e in zip(names, weights, deltas, strict=True)})
