"""What each answer is asked. References are NumPy, or torch where it has the layer itself."""

import numpy as np
import torch
import torch.nn.functional as F

from course_utils.lesson.exercise import PREAMBLE, Exercise, expect, expect_close
from course_utils.lesson.returns import Array, Number, Record

WITH_NN = (
    PREAMBLE
    + """from collections.abc import Callable
import torch.nn.functional as F
from torch import nn
"""
)
start = Exercise("07.1", "he_std", difficulty=2, minutes=10)
profile = Exercise("07.2", "grad_profile", difficulty=3, minutes=20, preamble=WITH_NN)
columns = Exercise("07.3", "batchnorm", difficulty=3, minutes=20, preamble=WITH_NN)
block = Exercise("07.4", "ResBlock", difficulty=2, minutes=15, preamble=WITH_NN)
rate = Exercise("07.5", "max_stable_lr", difficulty=3, minutes=20, preamble=WITH_NN)
rows = Exercise("07.6", "layernorm", difficulty=1, minutes=8)
EXERCISES = [start, profile, columns, block, rate, rows]


# 07.1


def kept(slope, std, n, rng):
    """Mean square of f(W x) over that of x, measured on 40,000 units."""
    x = rng.normal(size=n) + 0.5
    z = np.concatenate([rng.normal(0, std, size=(400, n)) @ x for _ in range(100)])
    return np.mean(np.where(z > 0, z, slope * z) ** 2) / np.mean(x**2)


def ask_std(call, n, nonlinearity, slope):
    got = call(n, nonlinearity, returns=Number())
    expect_close(np.array(got), np.sqrt(2 / ((1 + slope**2) * n)), atol=0, rtol=1e-6)


@start.case()
def half_of_it_is_lost_in_a_relu(call, rng):
    """For 50 inputs and a ReLU: 0.2."""
    ask_std(call, 50, "relu", 0.0)


@start.case()
def nothing_is_lost_without_a_nonlinearity(call, rng):
    """For 25 inputs and no nonlinearity: 0.2."""
    ask_std(call, 25, "linear", 1.0)


@start.case(points=2)
def a_leaky_relu_loses_less(call, rng):
    """For a leaky ReLU of slope 0.5: half of the entries keep a quarter of their square."""
    ask_std(call, 32, 0.5, 0.5)


@start.case(points=2, hidden=True)
def the_signal_is_kept_when_measured(call, rng):
    """40,000 random units: the mean square after the layer is that before, within 6%."""
    for nonlinearity, slope in (("relu", 0.0), ("linear", 1.0), (0.3, 0.3)):
        n = int(rng.integers(20, 60))
        std = call(n, nonlinearity, returns=Number())
        ratio = kept(slope, std, n, rng)
        expect(abs(ratio - 1) < 0.06, f"{ratio:.3g} times the mean square", "1 ± 0.06")


@start.case(hidden=True)
def other_slopes_and_sizes(call, rng):
    """Slope 0 is a ReLU, slope 1 is no nonlinearity; a negative slope folds; one input will do."""
    for slope in (0.0, 1.0, -1.0, 0.01, float(rng.uniform(0, 2))):
        ask_std(call, int(rng.integers(1, 5000)), slope, slope)
    ask_std(call, 1, "relu", 0.0)


# 07.2


def ask_net(answer, weights, biases, x, y):
    """The profile of a ReLU net of these weights, and what the answer left behind."""
    layers = []
    for weight, bias in zip(weights, biases, strict=True):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype)
        linear.load_state_dict({"weight": weight, "bias": bias})
        layers += [linear, torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers[:-1])
    got = answer(net, x, y)
    if not isinstance(got, (list, tuple)):
        raise TypeError(f"your function returns a {type(got).__name__}, not a list of numbers")
    return {
        "norms": torch.tensor([float(norm) for norm in got], dtype=torch.float64),
        "hooks": sum(
            len(part._forward_hooks) + len(part._backward_hooks) for part in net.modules()
        ),
        "touched": any(weight.grad is not None for weight in net.parameters()),
    }


def true_profile(weights, biases, x, y):
    """Forward, then backward, by hand."""
    h, zs = x.astype("float64"), []
    for weight, bias in zip(weights, biases, strict=True):
        zs.append(h @ weight.T.astype("float64") + bias)
        h = np.maximum(zs[-1], 0)
    e = np.exp(zs[-1] - zs[-1].max(1, keepdims=True))
    delta = (e / e.sum(1, keepdims=True) - np.eye(e.shape[1])[y]) / len(y)
    norms = [np.linalg.norm(delta)]
    for weight, z in zip(weights[:0:-1], zs[-2::-1], strict=True):
        delta = (delta @ weight.astype("float64")) * (z > 0)
        norms.append(np.linalg.norm(delta))
    return np.array(norms[::-1])


def random_layers(rng, sizes, dtype="float64"):
    pairs = zip(sizes, sizes[1:], strict=False)
    weights = [rng.normal(size=(b, a)) * np.sqrt(2 / a) for a, b in pairs]
    biases = [0.1 * rng.normal(size=b) for b in sizes[1:]]
    return [w.astype(dtype) for w in weights], [b.astype(dtype) for b in biases]


def expect_profile(call, rng, weights, biases, n=6, rtol=1e-5):
    x = rng.normal(size=(n, weights[0].shape[1])).astype(weights[0].dtype)
    y = rng.integers(weights[-1].shape[0], size=n)
    spec = Record(norms=Array((len(weights),)), hooks=Number("int"), touched=Number("bool"))
    got = call(weights, biases, x, y, returns=spec, via=ask_net)
    expect_close(got["norms"], true_profile(weights, biases, x, y), atol=0, rtol=rtol)
    return got


@profile.case()
def one_layer_by_hand(call, rng):
    """A single linear layer: the norm of (softmax − onehot) / rows."""
    expect_profile(call, rng, *random_layers(rng, [3, 4]))


@profile.case(points=2)
def four_layers_in_the_order_of_the_forward_pass(call, rng):
    """Four layers of different widths: one norm each, the first layer's first."""
    expect_profile(call, rng, *random_layers(rng, [5, 7, 6, 4, 3]))


@profile.case()
def a_layer_that_is_dead_gives_exactly_zero(call, rng):
    """All units of the second layer are off: nothing reaches it and the first, exactly 0.0."""
    weights, biases = random_layers(rng, [4, 6, 6, 5, 3])
    biases[1] = biases[1] - 100
    expect_profile(call, rng, weights, biases)


@profile.case()
def tiny_is_not_zero(call, rng):
    """Gradients of about 10⁻³⁰ are small and not 0, also in float32."""
    weights, biases = random_layers(rng, [4, 8, 8, 3], "float32")
    weights[-1] = (weights[-1] * np.float32(1e-30)).astype("float32")
    expect_profile(call, rng, weights, biases, rtol=1e-3)


@profile.case()
def the_net_is_left_as_it_was(call, rng):
    """No hook stays on the net, and no `.grad` on its weights."""
    got = expect_profile(call, rng, *random_layers(rng, [4, 5, 3]))
    expect(got["hooks"] == 0, f"{got['hooks']} hooks left on the net", "none")
    expect(not got["touched"], "a `.grad` on the weights", "none")


@profile.case(points=2, hidden=True)
def any_depth(call, rng):
    """From 2 to 40 layers, one row and many."""
    for depth in (2, 9, 40):
        n = int(rng.integers(1, 20))
        expect_profile(call, rng, *random_layers(rng, [6] * depth + [4]), n=n, rtol=1e-4)


@profile.case(hidden=True)
def vanishing_and_exploding(call, rng):
    """Weights half and twice as large as they should be, 30 layers, float32."""
    for factor in (0.5, 2.0):
        weights, biases = random_layers(rng, [8] * 30 + [4], "float32")
        weights = [(factor * weight).astype("float32") for weight in weights]
        weights[-1] = weights[-1] * np.float32(1e-3)
        expect_profile(call, rng, weights, [0 * bias for bias in biases], rtol=1e-2)


# 07.3


def run_batchnorm(answer, batches, mean, var, training, momentum):
    """The last batch's output and the state after all of them."""
    state = {"mean": mean.clone(), "var": var.clone()}
    for x in batches:
        out = answer(x, state, training, momentum)
    return {"out": out, "mean": state["mean"], "var": state["var"]}


def gradient_of(answer, x, weights):
    """The gradient, with respect to x, of a weighted sum of the output."""
    x = x.clone().requires_grad_()
    state = {"mean": torch.zeros_like(x[0].detach()), "var": torch.ones_like(x[0].detach())}
    (answer(x, state, True, 0.1) * weights).sum().backward()
    if state["mean"].requires_grad or state["var"].requires_grad:
        raise ValueError("the state still hangs on the graph: detach what you store")
    return x.grad


def ask_batchnorm(call, rng, batches, training, momentum, rtol=1e-5):
    d, dtype = batches[0].shape[1], batches[0].dtype
    mean = rng.normal(size=d).astype(dtype)
    var = rng.uniform(0.5, 2, size=d).astype(dtype)
    spec = Record(out=Array(batches[-1].shape), mean=Array((d,)), var=Array((d,)))
    got = call(batches, mean, var, training, momentum, returns=spec, via=run_batchnorm)
    moved = [torch.tensor(mean), torch.tensor(var)]
    for x in batches:
        out = F.batch_norm(torch.tensor(x), *moved, training=training, momentum=momentum)
    expect_close(got["out"], out.numpy(), atol=1e-5, rtol=rtol, what="output ")
    expect_close(got["mean"], moved[0].numpy(), atol=1e-6, rtol=rtol, what="state mean ")
    expect_close(got["var"], moved[1].numpy(), atol=1e-6, rtol=rtol, what="state var ")


def batch(rng, n, d):
    return 2 * rng.normal(size=(n, d)) + rng.normal(size=d)


@columns.case()
def the_example_by_hand(call, rng):
    """Two rows, one column: −1 and 1, and the state half of the way."""
    x = [np.array([[0.0], [2.0]])]
    spec = Record(out=Array((2, 1)), mean=Array((1,)), var=Array((1,)))
    got = call(x, np.zeros(1), np.ones(1), True, 0.5, returns=spec, via=run_batchnorm)
    expect_close(got["out"], [[-1.0], [1.0]], atol=1e-4, what="output ")
    expect_close(got["mean"], [0.5], what="state mean ")
    expect_close(got["var"], [1.5], what="state var ")


@columns.case(points=2)
def equals_torch_in_training(call, rng):
    """Three batches in a row: output and running state as torch's batch norm has them."""
    ask_batchnorm(call, rng, [batch(rng, 7, 3) for _ in range(3)], True, 0.1)


@columns.case()
def outside_training_the_state_counts(call, rng):
    """Outside training, a row's answer comes from the state, and the state stays."""
    ask_batchnorm(call, rng, [batch(rng, 5, 3)], False, 0.1)


@columns.case()
def a_column_that_never_changes(call, rng):
    """A constant column becomes 0, not a division by zero."""
    x = batch(rng, 6, 2)
    x[:, 1] = 3.0
    ask_batchnorm(call, rng, [x], True, 0.3)


@columns.case(hidden=True)
def outside_training_rows_do_not_see_each_other(call, rng):
    """One row alone is a batch, and gets what it got among others."""
    ask_batchnorm(call, rng, [batch(rng, 1, 4)], False, 0.1)
    ask_batchnorm(call, rng, [batch(rng, 9, 4).astype("float32")], False, 0.5, rtol=1e-4)


@columns.case(points=2, hidden=True)
def gradients_pass_through_mean_and_variance(call, rng):
    """The gradient with respect to x is torch's: mean and variance depend on x, too."""
    x, weights = batch(rng, 6, 3), rng.normal(size=(6, 3))
    got = call(x, weights, returns=Array((6, 3)), via=gradient_of)
    leaf = torch.tensor(x, requires_grad=True)
    out = F.batch_norm(leaf, torch.zeros(3).double(), torch.ones(3).double(), training=True)
    (out * torch.tensor(weights)).sum().backward()
    expect_close(got, leaf.grad.numpy(), atol=1e-6)


@columns.case(hidden=True)
def other_momenta(call, rng):
    """Momentum 0 leaves the state, momentum 1 replaces it."""
    for momentum in (0.0, 1.0, 0.25):
        ask_batchnorm(call, rng, [batch(rng, 4, 5)] * 2, True, momentum)


# 07.4


def run_block(answer, w1, b1, w2, b2, x):
    """A block with these weights: its output, and the gradient of the output's sum."""
    block = answer(len(b1), False).to(x.dtype)
    pairs = {"first.weight": w1, "first.bias": b1, "second.weight": w2, "second.bias": b2}
    block.load_state_dict(pairs)
    x = x.clone().requires_grad_()
    out = block(x)
    out.sum().backward()
    return {"out": out.detach(), "grad": x.grad}


def fresh_block(answer, width, zero_init, x):
    """What a new block does to x, how large its weights are, and what gradient descent moves."""
    torch.manual_seed(0)
    block = answer(width, zero_init).to(x.dtype)
    out = block(x)
    ((out - 1) ** 2).sum().backward()
    grads = {name: p.grad for name, p in block.named_parameters()}
    moved = grads["second.weight"]
    return {
        "moved_by": float((out - x).detach().abs().max()),
        "first": float(block.first.weight.detach().std(correction=0)),
        "second": float(block.second.weight.detach().std(correction=0)),
        "learns": moved is not None and bool((moved != 0).any()),
        "numbers": sum(p.numel() for p in block.parameters()),
    }


FRESH = Record(
    moved_by=Number(), first=Number(), second=Number(), learns=Number("bool"), numbers=Number("int")
)  # fmt: skip


def ask_block(call, rng, width, n, dtype="float64", rtol=1e-5):
    weights = [rng.normal(size=size) / np.sqrt(width) for size in ((width, width), width) * 2]
    w1, b1, w2, b2 = (weight.astype(dtype) for weight in weights)
    x = rng.normal(size=(n, width)).astype(dtype)
    spec = Record(out=Array(x.shape), grad=Array(x.shape))
    got = call(w1, b1, w2, b2, x, returns=spec, via=run_block)
    z = x @ w1.T + b1
    expect_close(got["out"], x + np.maximum(z, 0) @ w2.T + b2, atol=1e-5, rtol=rtol)
    grad = 1 + ((np.ones_like(x) @ w2) * (z > 0)) @ w1
    expect_close(got["grad"], grad, atol=1e-5, rtol=rtol, what="gradient ")


@block.case(points=2)
def x_plus_what_two_maps_make_of_it(call, rng):
    """With given weights: x + second(relu(first(x))), and the gradient with its straight path."""
    ask_block(call, rng, 4, 3)


@block.case()
def starts_as_the_identity(call, rng):
    """With zero_init the block gives back x itself, to the last bit."""
    got = call(6, True, rng.normal(size=(3, 6)), returns=FRESH, via=fresh_block)
    expect(got["moved_by"] == 0, f"x changed by {got['moved_by']:.2g}", "x itself")


@block.case()
def and_can_still_learn(call, rng):
    """With zero_init a gradient reaches second's weights all the same."""
    got = call(6, True, rng.normal(size=(3, 6)), returns=FRESH, via=fresh_block)
    expect(got["learns"], "a gradient of exactly 0 for `second`", "one that is not")


@block.case()
def weights_after_he(call, rng):
    """64 units: deviation √(2/64), second's 0 with zero_init; 2·(64² + 64) numbers."""
    for zero in (False, True):
        got = call(64, zero, rng.normal(size=(2, 64)), returns=FRESH, via=fresh_block)
        for part, want in (("first", 0.1768), ("second", 0.1768 * (not zero))):
            near = abs(got[part] - want) <= 0.1 * want
            expect(near, f"{part} of deviation {got[part]:.3g}", f"about {want:.3g}")
        expect(got["numbers"] == 8320, f"{got['numbers']} numbers", "8320")


@block.case(hidden=True)
def other_widths_and_single_precision(call, rng):
    """One unit, many units, one row, float32."""
    ask_block(call, rng, 1, 5)
    ask_block(call, rng, int(rng.integers(8, 30)), 1)
    ask_block(call, rng, 9, 4, "float32", rtol=1e-3)


@block.case(hidden=True)
def the_identity_at_any_size(call, rng):
    """Zero init at other widths, with negative and with large x."""
    for width in (1, 17):
        x = 100 * rng.normal(size=(4, width)) - 50
        got = call(width, True, x, returns=FRESH, via=fresh_block)
        expect(got["moved_by"] == 0, f"x changed by {got['moved_by']:.2g}", "x itself")


# 07.5


def ask_rate(answer, weights, x, y, seed):
    """The answer's rate for ReLU nets of these weights: those of another seed are turned round and
    ten times as large, and whoever trains one net twice trains a net that has been trained."""

    def make(s):
        layers = []
        for weight in weights:
            linear = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
            factor = 1.0 if s == seed else -10.0
            linear.load_state_dict({"weight": (factor * weight).clone()})
            layers += [linear, torch.nn.ReLU()]
        return torch.nn.Sequential(*layers[:-1])

    return float(answer(make, (x, y), seed))


def falls(weights, x, y, lr):
    """Whether 20 steps leave the loss finite and lower."""
    weights = [torch.tensor(weight, requires_grad=True) for weight in weights]
    x, y, losses = torch.tensor(x), torch.tensor(y), []
    for step in range(21):
        h = x
        for weight in weights[:-1]:
            h = torch.relu(h @ weight.T)
        loss = F.cross_entropy(h @ weights[-1].T, y)
        losses.append(float(loss.detach()))
        if step == 20 or not np.isfinite(losses[-1]):
            break
        with torch.no_grad():
            for weight, grad in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                weight -= lr * grad
    return bool(np.isfinite(losses[-1]) and losses[-1] < losses[0])


def labelled_by(weights, x, rng):
    """The net's own labels, one in five drawn by chance: a net whose units have all died, whose
    answers are all alike, then has lost something."""
    h = x
    for weight in weights[:-1]:
        h = np.maximum(h @ weight.T, 0)
    own = (h @ weights[-1].T).argmax(1)
    return np.where(rng.random(len(x)) < 0.2, rng.integers(len(weights[-1]), size=len(x)), own)


def clear_question(rng, sizes, n, scale):
    """Weights and rows for which the stable rates end at one place, and that place.

    Near the edge a run is chaotic: two machines that round differently may see it end differently.
    So the question is dropped where a rate a little beside one of the grid ends otherwise.
    """
    exponents = np.arange(-6, 7.6, 0.5)
    while True:
        pairs = zip(sizes, sizes[1:], strict=False)
        weights = [rng.normal(size=(b, a)) * np.sqrt(2 / a) for a, b in pairs]
        weights = [weight.astype("float32") for weight in weights]
        x = (scale * rng.normal(size=(n, sizes[0]))).astype("float32")
        y = labelled_by(weights, x, rng)

        def stable(exponent, net=(weights, x, y)):
            return falls(*net, float(2.0**exponent))

        ends = next((i for i, k in enumerate(exponents) if not stable(k)), 0)
        if not ends or any(stable(k) for k in exponents[ends + 1 :]):
            continue
        near = range(max(0, ends - 3), min(len(exponents), ends + 5))
        beside = [
            (i, by) for by in (-0.12, 0.12, -0.06, 0.06, -0.09, 0.09, -0.03, 0.03) for i in near
        ]
        if all(stable(exponents[i] + by) == (i < ends) for i, by in beside):
            return weights, x, y, 2.0 ** (exponents[ends] - 0.25)


def expect_rate(call, rng, sizes, n, scale):
    weights, x, y, edge = clear_question(rng, sizes, n, scale)
    seed = int(rng.integers(1, 100))
    got = call(weights, x, y, seed, returns=Number(), via=ask_rate)
    within = edge / 2.1 <= got <= 2.1 * edge
    expect(within, f"{got:.3g}", f"a rate from {edge / 2:.3g} to {2 * edge:.3g}")


@rate.case()
def a_net_of_one_layer(call, rng):
    """A linear classifier."""
    expect_rate(call, rng, [4, 3], 40, 3.0)


@rate.case(points=2)
def a_net_of_two_layers(call, rng):
    """One hidden layer."""
    expect_rate(call, rng, [5, 16, 3], 20, 3.0)


@rate.case(points=2, hidden=True)
def deeper_nets(call, rng):
    """Three and four layers."""
    expect_rate(call, rng, [6, 16, 16, 4], 24, 1.0)
    expect_rate(call, rng, [6, 12, 12, 12, 3], 24, 1.0)


@rate.case(hidden=True)
def inputs_of_other_sizes(call, rng):
    """Very large inputs want very small rates."""
    expect_rate(call, rng, [4, 12, 3], 16, 20.0)
    expect_rate(call, rng, [4, 12, 3], 16, 1.5)


# 07.6


def ask_rows(call, x, eps, rtol=1e-5):
    want = F.layer_norm(torch.tensor(x), x.shape[-1:], eps=eps).numpy()
    expect_close(call(x, eps, returns=Array(x.shape)), want, atol=1e-5, rtol=rtol)


@rows.case()
def the_row_of_the_example(call, rng):
    """1 and 3 become −1 and 1."""
    got = call(np.array([[1.0, 3.0]]), 0.0, returns=Array((1, 2)))
    expect_close(got, [[-1.0, 1.0]])


@rows.case()
def equals_torch_on_a_table(call, rng):
    """Five rows of different size and mean: each is normalised by itself."""
    ask_rows(call, rng.normal(size=(5, 7)) * rng.uniform(1, 9, size=(5, 1)) + 4, 1e-5)


@rows.case()
def a_row_of_equal_numbers(call, rng):
    """A row that never changes becomes 0; a row that hardly changes is held down by eps."""
    ask_rows(call, np.array([[2.0, 2.0, 2.0], [1.0, 1.01, 0.99]]), 1e-2)


@rows.case(hidden=True)
def more_axes_and_single_precision(call, rng):
    """Three axes, as in a transformer; one row alone; float32."""
    ask_rows(call, rng.normal(size=(2, 3, 6)), 1e-5)
    ask_rows(call, rng.normal(size=(1, 4)) + 10, 1e-5)
    ask_rows(call, rng.normal(size=(3, 8)).astype("float32"), 1e-3, rtol=1e-3)
