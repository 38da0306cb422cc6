# %% title [markdown]
# # Going deep: initialization, residuals, normalization
#
# *about 80 minutes · lessons 1 to 4*
#
# After this lesson you can keep signals and gradients alive through fifty layers; say what
# initialization, skip connections and normalization each repair, and what they do not; and find the
# largest learning rate that a net can bear.
#
# | 中文 | English | in the code |
# |---|---|---|
# | 初始化 | initialization | `he_std` |
# | 梯度消失，梯度爆炸 | vanishing, exploding gradients | `grad_profile` |
# | 数值稳定性 | numerical stability | `rms` |
# | 残差连接 | residual, skip connection | `ResBlock` |
# | 批量归一化 | batch normalization | `batchnorm` |
# | 层归一化 | layer normalization | `layernorm` |

# %% setup tags=["setup"]
import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_utils.core import recording, residual, signals
from course_utils.core.deep_stack import DeepStack
from course_utils.core.init import gain
from course_utils.core.residual import DeepNet
from course_utils.core.threads import tune_process
from course_utils.lesson import check, claim, show_source
from course_utils.training import stable_rate
from course_utils.training.deep_nets import adam_steps, deep_net, descend, digits, losses_of
from course_utils.viz.curves import line_plot
from course_utils.widgets.going_deep import race_panel, tube_panel

_ = tune_process(n_thread=1)  # small nets: a second core would only get in the way

# %% question [markdown]
# ## 1 · The question
#
# Lesson 2 ended with a puzzle: six layers *can* fold a line into 64 teeth, and training does not find
# the folds. More layers hold more functions, and often they learn **less**, even on the very data that
# they are trained on. So it is not overfitting. What goes wrong on the way through fifty layers?
#
# A layer multiplies by a matrix. Fifty layers multiply fifty times. Whatever one layer does to the
# size of a signal, say a factor 0.7, fifty do to the power of fifty. On the way back the gradient is
# multiplied by the same matrices.

# %% tube-predict [markdown]
# ## 2 · The signal tube
#
# Below, 64 real handwritten digits (8 × 8 pixels, from scikit-learn) go through a fresh, untrained net
# of 64 units a layer. Left: how large the signal is after each layer. Right: how large the gradient
# is when it arrives there, on its way back. In the green band all is well.
#
# **Predict.** All weights are drawn with deviation √(2/64) ≈ 0.18: that is **He**. With **1/√n**, 0.125,
# what is left of the signal after 50 layers: a half, a thousandth, a hundred-millionth?

# %% tube-panel
tube_panel()

# %% tube-try [markdown]
# Try, with no skips and no normalisation:
# * **1/√n**, then move **gain** until the signal lives again. How exactly must you aim?
# * **std 0.01**, a "small random number": look for the layer from which all is *exactly* 0 (X);
# * **tanh** with a large gain: what holds the forward signal, and does it hold the gradient, too?
# * **skip connections** with He: what happens to the size now? We come back to that.

# %% std-exercise [markdown]
# ## 3 · What one layer does
#
# One unit gives z = Σ wᵢxᵢ. With n independent weights of mean 0 and deviation σ, the mean of z² is
# σ² · Σ xᵢ², that is n · σ² · (mean of x²). Then comes the ReLU and sets about half of the z to 0.
#
# {exercise 07.1}
#
# <details><summary>Hint 1</summary>
#
# z is as often below 0 as above. Which part of the mean of z² is on the negative side, and what does
# a slope s there make of it?
# </details>
# <details><summary>Hint 2</summary>
#
# The mean of f(z)² is (1 + s²)/2 times the mean of z². So n · σ² · (1 + s²)/2 should be 1. A ReLU is
# s = 0; no nonlinearity is s = 1.
# </details>


# %% exercise-07-1 tags=["exercise"]
def he_std(fan_in: int, nonlinearity: str | float) -> float:
    """The deviation of weights that keeps the mean square of the signal, on average.

    A layer gives f(W x), with x of fan_in entries and W drawn from a normal distribution of mean 0
    and the deviation returned; then the mean of f(W x)² is that of x². nonlinearity says what f is:
    "relu"; "linear", no nonlinearity at all; or a number s for a leaky ReLU, f(z) = z for z > 0 and
    s·z below.

    Example: he_std(50, "relu") is 0.2, and he_std(25, "linear") as well.
    Taught in: 07_going_deep.
    """
    raise NotImplementedError("replace this line by your answer")


# %% std-use [markdown]
# **Check it, then use it**: once it is right, the tube opens again, and *He* asks your function.

# %% std-check
tube_panel(he_std=he_std) if check("07.1", he_std) else None

# %% std-read [markdown]
# **Read** how the package says it: a *gain* that makes up for what each nonlinearity loses.

# %% std-source
show_source(gain)

# %% std-measure-read [markdown]
# He's formula keeps the mean square *on average* over draws of the weights. A single narrow net wanders
# around it: each layer rolls the dice, and fifty throws multiply. So we measure 50 nets at a time.


# %% std-measure
def through(stds, seed, nets=50, layers=50, n=64):
    """RMS after the layers over RMS before, of each of many ReLU nets, for every deviation."""
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(nets, n, 1, generator=rng, dtype=torch.float64)
    signal = {std: x for std in stds}
    for _ in range(layers):
        W = torch.randn(nets, n, n, generator=rng, dtype=torch.float64)
        signal = {std: torch.relu(std * (W @ h)) for std, h in signal.items()}
    before = x.square().mean((1, 2))
    return [(h.square().mean((1, 2)) / before).sqrt() for h in signal.values()]


stds = [(2 / 64) ** 0.5, 64**-0.5, 0.2]
runs = [through(stds, seed) for seed in range(5)]
he, smaller, larger = ([r[i].square().mean().sqrt() for r in runs] for i in range(3))

# %% std-claim
# NBVAL_CHECK_OUTPUT
claim("REG-05", he=he, smaller=smaller, larger=larger)

# %% std-break
each = runs[0][0]
print(f"single nets, He: from {each.min():.2g} to {each.max():.2g}, median {each.median():.2g}")

# %% std-break-read [markdown]
# **Break it.** The average is kept and the typical narrow net still fades a little: a few lucky nets
# carry the mean. With more units a layer the dice even out. Initialization aims; it cannot steer.

# %% profile-exercise [markdown]
# ## 4 · Which layers hear the error?
#
# A layer learns from the gradient that arrives at its output. To see it in *any* net, without touching
# the net's code, torch has **hooks**: functions that a part calls whenever it has computed something.
#
# {exercise 07.2}
#
# <details><summary>Hint 1</summary>
#
# `part.register_forward_hook(f)` calls `f(part, inputs, output)` and returns a handle with `remove()`.
# Collect the outputs of all `nn.Linear` parts in a list while `net(x)` runs.
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.autograd.grad(loss, outputs)` gives all the gradients and leaves `.grad` alone. Take norms in
# float64: what is 10⁻³⁰ squared, in float32?
# </details>


# %% exercise-07-2 tags=["exercise"]
def grad_profile(
    net: nn.Module, x: Float[Tensor, "batch d_in"], y: Int[Tensor, " batch"]
) -> list[float]:
    """How much of the gradient reaches each layer: one norm for every nn.Linear of the net.

    Entry i is the L2 norm, over all entries, of the gradient of the mean cross-entropy of net(x)
    and the labels y with respect to what the i-th nn.Linear gives (its output), in the order in
    which net(x) calls them. An entry is 0.0 exactly where every entry of that gradient is 0; also
    the tiniest float32 counts as more. Afterwards no hook is left on the net, its weights and
    their `.grad` are as before.

    Example: a single nn.Linear with x of one row: the norm of softmax(net(x)) − onehot(y).
    Taught in: 07_going_deep.
    """
    raise NotImplementedError("replace this line by your answer")


# %% profile-use [markdown]
# **Check it, then use it**: the right half of the tube is drawn by your function.

# %% profile-check
tube_panel(grad_profile=grad_profile) if check("07.2", grad_profile) else None

# %% zero-read [markdown]
# **Predict.** Float32 ends near 10⁻³⁸. With deviation 0.01 a layer multiplies by about 0.06. At which
# layer is the signal 0, not small but 0? And at which layer does its root mean square *print* as 0 if
# one squares in float32?


# %% zero-measure
def sizes(net, x):
    """RMS of the signal before the first layer and after each."""
    with torch.no_grad(), recording(net, "signal.*") as seen:
        net(x)
    return [signals.rms(seen[f"signal.{i}"]) for i in range(len(seen))]


x, y = (part[:256] for part in digits())
first_zero, after, with_he = [], [], []
for seed in range(5):
    rng = torch.Generator().manual_seed(seed)
    small = sizes(DeepNet(64, 64, 50, 10, scheme=0.01, rng=rng), x)
    first_zero.append(small.index(0.0))
    after.append(small[-1])
    back = signals.grad_profile(deep_net(50, seed), x, y)
    with_he.append(back[1] / back[-2])

# %% zero-claim
# NBVAL_CHECK_OUTPUT
claim("NET-08", first_zero=first_zero, after=after, with_he=with_he)

# %% zero-naive
net = DeepNet(64, 64, 50, 10, scheme=0.01, rng=torch.Generator().manual_seed(0))
with torch.no_grad(), recording(net, "signal.*") as seen:
    net(x)
naive = [float(seen[f"signal.{i}"].square().mean().sqrt()) for i in range(51)]
print("squared in float32, the signal seems to be 0 from layer", naive.index(0.0))
print("in truth it is exactly 0 from layer", first_zero[0])

# %% zero-recap [markdown]
# So it is *numerical stability* in the plain sense: a product of many factors leaves the range of the
# numbers. (Beware of the thermometer, too: squares leave it twice as early.) Exactly 0 is only the end
# of it: a gradient of 10⁻⁸ beside others of 1 is as good as none, for one learning rate must serve all.

# %% depth-predict [markdown]
# ## 5 · The notes' question: what is initialization good for?
#
# *"What else it is good for is hard to say"*, write the notes. Here is one thing to measure: how
# **deep** a net may be before it stops learning. Plain nets, momentum, 100 steps on the digits, each
# start at the best of three learning rates; *works* means that the loss has halved.
#
# **Predict.** By what factor deeper does √(2/n) reach than 1/√n?


# %% depth-measure
depths, rates, half = [4, 8, 12, 16, 24, 32], [0.0025, 0.02, 0.16], 0.5 * math.log(10)


def deepest(scheme, copies=3):
    """For each seed the largest depth whose loss halves; deeper nets are tried while any works."""
    reach = [0] * copies
    for depth in depths:
        seeds = [seed for seed in range(copies) for _ in rates]
        rngs = [torch.Generator().manual_seed(seed) for seed in seeds]
        nets = [DeepNet(64, 64, depth, 10, scheme=scheme, rng=rng) for rng in rngs]
        loss = descend(DeepStack(nets), digits(), rates * copies, steps=100, batch=32)
        best = loss.nan_to_num(99).view(copies, len(rates)).amin(1)
        reach = [depth if b < half else d for b, d in zip(best, reach, strict=True)]
        if (best >= half).all():
            break
    return reach


reach = {scheme: deepest(scheme) for scheme in ("he", "lecun")}
print("largest depth that still learns, √(2/n) and 1/√n:", reach["he"], reach["lecun"])

# %% depth-kept
kept = []
for seed in range(3):
    s = torch.tensor(sizes(deep_net(50, seed), x)).square()
    kept.append(float((s[1:] / s[:-1]).mean()))
deeper = sorted(he / lecun for he, lecun in zip(reach["he"], reach["lecun"], strict=True))

# %% depth-claim
# NBVAL_CHECK_OUTPUT
claim("REG-06", kept=kept, deeper=[deeper[1]] * 3)

# %% depth-read [markdown]
# > **The notes' question, answered.** A good start keeps the forward signal and the backward gradient
# > of one size at every layer, so that one learning rate serves them all, and a deeper net can learn.
# > (It also chooses which of many solutions is found: lesson 1's descent from 0 was an example.) How much
# > deeper is what the line above says. Three rates were tried for each, and a larger rate makes up for a
# > part of a start that is too small; but at 50 layers no rate brings back a gradient of 10⁻⁸.

# %% norm-exercise [markdown]
# ## 6 · Normalise: set the size by force
#
# Initialization aims once, before training. **Normalization** corrects at every layer, at every step:
# subtract the mean, divide by the deviation. Batch norm takes each unit (a column) over the rows of
# the batch. When it is used later, on one row, there is no batch: it keeps *running* figures.
#
# {exercise 07.3}
#
# <details><summary>Hint 1</summary>
#
# `x.mean(0)` and `x.var(0, correction=0)` are the batch's own; `x.var(0)` is the corrected one.
# Which of them goes where?
# </details>
# <details><summary>Hint 2</summary>
#
# Update the state under `torch.no_grad()`: new = (1 − momentum) · old + momentum · batch. The output of
# training does *not* use the state; the output afterwards uses nothing else.
# </details>


# %% exercise-07-3 tags=["exercise"]
def batchnorm(
    x: Float[Tensor, "batch d"], state: dict[str, Tensor], training: bool, momentum: float
) -> Float[Tensor, "batch d"]:
    """Each column normalised, without a learned scale or shift: (x − mean) / √(var + 10⁻⁵).

    In training, mean and var are those of each column over the rows of this batch, var without
    bias correction (divided by the number of rows), and state["mean"] and state["var"], both of
    shape (d,), move a part `momentum` of the way from where they are to this batch's mean and
    its variance *with* bias correction (divided by rows − 1), as in torch.nn.BatchNorm1d. Outside
    training, mean and var are those of the state, and the state stays as it is. Gradients reach x
    through the batch's mean and var as well; the state keeps no graph. At least 2 rows in training.

    Example: x = [[0.], [2.]], state mean 0 and var 1, momentum 0.5, in training: [[-1.], [1.]],
    and the state becomes mean 0.5 and var 1.5.
    Taught in: 07_going_deep.
    """
    raise NotImplementedError("replace this line by your answer")


# %% norm-use [markdown]
# **Check it, then train with it**: your function becomes part of a net of 8 layers whose weights start with
# deviation 0.01, dead for the tube of section 2, beside the same net without a norm.

# %% norm-check
if check("07.3", batchnorm):
    runs = {
        name: list(adam_steps(deep_net(8, 0, norm, scheme=0.01), digits(), 1e-3, 60, seed=1))
        for name, norm in (("without a norm", "none"), ("your batchnorm", batchnorm))
    }
    curves = {name: (range(0, 60, 6), losses[::6]) for name, losses in runs.items()}
    display(
        line_plot(curves, "step", "training loss", "8 layers, weights of deviation 0.01", log="y")
    )

# %% rate-exercise [markdown]
# ## 7 · How large a step can it bear?
#
# "Better optimization" should mean something that can be measured. One such thing: the largest
# learning rate at which plain gradient descent still goes down.
#
# {exercise 07.5}
#
# <details><summary>Hint 1</summary>
#
# Write a function that answers yes or no for one rate: fresh net, 20 steps, is the loss finite and
# lower than at the start? `torch.autograd.grad(loss, weights)` and an update under `no_grad`.
# </details>
# <details><summary>Hint 2</summary>
#
# Then search in *powers of two*, between −12 and 8: try the middle, keep the half where the answer
# changes. Five nets are enough.
# </details>


# %% exercise-07-5 tags=["exercise"]
def max_stable_lr(
    make: Callable[[int], nn.Module],
    data: tuple[Float[Tensor, "n d"], Int[Tensor, " n"]],
    seed: int,
) -> float:
    """The largest learning rate at which gradient descent still learns, to within a factor of 2.

    make(seed) gives a fresh net, in training mode, the same for the same seed; data is (x, y),
    rows and their labels. A rate lr is stable where, from a fresh net, 20 steps
    weight ← weight − lr · gradient of the mean cross-entropy over *all* rows leave that loss finite
    and lower than it was before the first step. Rates between 2⁻¹² and 2⁸ count: 2⁻¹² is stable in
    the nets asked about, all rates up to the answer are, and from twice the answer on none is.

    Example: on a net whose loss falls with lr = 1 and rises with lr = 4, a rate from 0.5 to 8.
    Taught in: 07_going_deep.
    """
    raise NotImplementedError("replace this line by your answer")


# %% rate-use [markdown]
# **Predict, check, then use it**: by what factor does a norm raise the largest stable rate?

# %% rate-check
if check("07.5", max_stable_lr):
    few = tuple(part[:128] for part in digits())
    for norm in ("none", "batch", "layer"):
        found = max_stable_lr(lambda seed, norm=norm: deep_net(8, seed, norm), few, 0)
        print(f"8 layers, norm {norm}: largest stable rate {found:g}")

# %% rate-measure
few, found = tuple(part[:128] for part in digits()), {}
for norm in ("none", "batch", "layer"):
    found[norm] = [
        stable_rate.max_stable_lr(lambda seed, norm=norm: deep_net(8, seed, norm), few, seed)
        for seed in range(3)
    ]
batch, layer = (
    [a / b for a, b in zip(found[norm], found["none"], strict=True)] for norm in ("batch", "layer")
)


def first_over_last(connection, sizes):
    nets = [deep_net(50, seed, "batch", connection=connection) for seed in range(3)]
    return [(back := sizes(net, x, y)[1:])[0] / back[-1] for net in nets]


exploded, tamed = (first_over_last(kind, signals.signal_grads) for kind in ("plain", "skip"))

# %% rate-claim
# NBVAL_CHECK_OUTPUT
claim("NET-10", batch=batch, layer=layer, exploded=exploded, tamed=tamed)

# %% rate-where
at_maps = first_over_last("skip", lambda *given: signals.grad_profile(*given)[:-1])
print("skips, measured in front of each norm instead:", ", ".join(f"{r:.0f}" for r in at_maps))

# %% rate-where-read [markdown]
# (Where one measures matters. In front of a norm the size of a signal is arbitrary, and so is the size of
# the gradient there; the claim's figures are taken at the signals, which carry the information.)

# %% rate-box [markdown]
# > **The notes, made precise.** *"Batch and layer norm give better optimization"*: they allow much larger
# > steps. But look at the last two figures, or set the tube to 50 layers, *plain*, **batch**: the forward
# > signal is perfect, and the gradient **grows** at every layer on its way back. Batch norm makes
# > gradients *explode* in deep plain nets. What tames it is not a better norm but a second path.

# %% skip-play [markdown]
# ## 8 · Add the input itself
#
# A **skip connection** gives each layer's input past the layer: x + f(x). Below, four nets on the same
# batches: with and without skips, 8 layers deep and deeper. All have batch norm, so none has a vanishing
# signal. Press *Run*; then more **steps**, other **norms**, and tick **largest stable rate**.
#
# **Predict.** A plain net of 32 layers holds every function of one of 8 (let 24 layers pass their input
# on). Which of the two gets the lower *training* loss?

# %% skip-panel
race_panel()

# %% skip-measure
loss = {}
for depth in (8, 32):
    kinds = [(kind, seed) for kind in ("plain", "skip") for seed in range(3)]
    stack = DeepStack([deep_net(depth, seed, "batch", connection=kind) for kind, seed in kinds])
    for _ in adam_steps(stack, digits(), lr=1e-3, steps=100, seed=5):
        pass
    with torch.no_grad():
        ended = losses_of(stack, *digits())
    loss["plain", depth], loss["skip", depth] = ended[:3], ended[3:]
plain, skip = ((loss[kind, 32] / loss[kind, 8]).tolist() for kind in ("plain", "skip"))

weakest, grown = [], []
for seed in range(3):
    back = signals.grad_profile(deep_net(32, seed, "batch"), x, y)[1:-1]
    weakest.append(min(back) / back[-1])
    size = sizes(deep_net(20, seed, connection="skip"), x)
    grown.append(size[-1] / size[0])

# %% skip-claim
# NBVAL_CHECK_OUTPUT
claim("NET-09", plain=plain, skip=skip, weakest=weakest, grown=grown)

# %% skip-box [markdown]
# > **The notes, made precise.** *"Skip connections bring optimization"*: yes, and not, as is often told,
# > against *vanishing* gradients. In the plain nets with batch norm no gradient had vanished (third
# > figure), and the deep one learned less all the same; He et al. say so in their paper. What goes wrong
# > there is that gradients of nearby inputs come to have nothing to do with one another. And skips are no
# > cure alone: without a norm the signal grows by a factor at every layer (fourth figure, and the tube).

# %% block-exercise [markdown]
# ## 9 · A block that starts as nothing
#
# If growing is the trouble, let each block begin by adding **nothing** and learn what to add.
#
# {exercise 07.4}
#
# <details><summary>Hint 1</summary>
#
# f(x) = second(relu(first(x))) is 0 if one of the maps is. With which of the two at 0 does a gradient
# still reach some weights?
# </details>
# <details><summary>Hint 2</summary>
#
# The gradient of second's weights is (what arrives) times relu(first(x)): not 0 as long as `first` is
# not. `nn.init.normal_(part.weight, 0, (2 / width) ** 0.5)` draws, `nn.init.zeros_` zeroes.
# </details>


# %% exercise-07-4 tags=["exercise"]
class ResBlock(nn.Module):
    """A residual block: block(x) = x + second(relu(first(x))), for x of shape (batch, width).

    ResBlock(width, zero_init) has exactly two parts with weights, `first` and `second`, both
    nn.Linear(width, width). Their weights start normal with deviation √(2/width), their biases at
    0; with zero_init, second's weight starts at 0, so that the block starts as the identity, to the
    last bit, and can still learn. Draw by torch's own generator.

    Example: ResBlock(64, zero_init=True)(x) equals x.
    Taught in: 07_going_deep.
    """

    def __init__(self, width: int, zero_init: bool = False):
        super().__init__()
        raise NotImplementedError("replace this line by your answer")


# %% block-use [markdown]
# **Check it, then train with it**: nets of your blocks, no norm anywhere, started by He and as nothing,
# beside a plain net and one with skips. **Predict**: how large is each loss before the first step? Then
# more **depth**: which of the four still learns at 32?

# %% block-check
race_panel(block=ResBlock) if check("07.4", ResBlock) else None

# %% layer-break [markdown]
# ## 10 · Break it: a batch of one
#
# Batch norm lets the rows of a batch see each other. So what a net says about *your* digit depends on
# who came with it, unless the running figures stand in. Predict what happens to one and the same
# image among others, and alone.

# %% layer-measure
net = deep_net(8, 0, "batch")
for _ in adam_steps(net, digits(), lr=3e-3, steps=60, seed=0):
    pass
with torch.no_grad():
    among, elsewhere = net(x[:64])[0], net(torch.cat([x[:1], x[64:127]]))[0]
    _ = net.eval()
    alone = net(x[:1])[0]
print("the same digit, in training mode, in two batches:", among[:3], elsewhere[:3])
print("alone, by the running figures:", alone[:3])

# %% layer-exercise [markdown]
# **Layer norm** turns the table: each *row* is normalised over its own entries. No batch, no running
# figures, the same in training and in use: what every transformer of lesson 10 does.
#
# {exercise 07.6}
#
# <details><summary>Hint 1</summary>
#
# The same formula as before, over another axis: the last one, `-1`, whatever comes before it.
# </details>
# <details><summary>Hint 2</summary>
#
# `keepdim=True` keeps the axis, so that the mean can be subtracted. And `correction=0`.
# </details>


# %% exercise-07-6 tags=["exercise"]
def layernorm(x: Float[Tensor, "*batch d"], eps: float) -> Float[Tensor, "*batch d"]:
    """Each row normalised by itself, without a learned scale or shift.

    (x − mean) / √(var + eps), where mean and var run over the last axis alone, var without bias
    correction (divided by d). Any number of axes before the last, and a batch of one row, too.

    Example: x = [[1., 3.]], eps = 0 gives [[-1., 1.]].
    Taught in: 07_going_deep.
    """
    raise NotImplementedError("replace this line by your answer")


# %% layer-use [markdown]
# **Check it, then use it.** It is one line to see that both norms are one: batch norm in training is
# layer norm of the table turned by a quarter.

# %% layer-check
if check("07.6", layernorm):
    table = torch.randn(5, 3, dtype=torch.float64)
    state = {"mean": table.new_zeros(3), "var": table.new_ones(3)}
    gap = layernorm(table.T, 1e-5).T - residual.batch_norm(table, state, training=True)
    print(f"largest difference from batch norm: {gap.abs().max():.0e}")

# %% recap [markdown]
# ## What to keep
#
# * A layer multiplies the size of the signal; fifty layers raise that to the fiftieth power. Deviation
#   √(2/n) keeps the mean square through ReLUs. Too small, and float32 ends at *exactly* 0.
# * Measure where the gradient arrives, and measure in float64.
# * Norms set the size by force and bear much larger steps. In deep plain nets batch norm makes gradients
#   explode backwards.
# * Skips let deep nets learn at least what shallow ones do. Vanishing is not what they cure, and without
#   a norm, or blocks that start as nothing, signals explode along them.
# * Batch norm: columns, over a batch, with running figures. Layer norm: rows, alone.
#
# **Next:** `08`, what to minimise and on which data; and the map of all methods so far.
