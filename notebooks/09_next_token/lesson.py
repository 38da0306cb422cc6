# %% title [markdown]
# # One game for text, pixels and sound
#
# *about 75 minutes · lesson 1 helps, and a little probability*
#
# After this lesson you can make a model write, paint and play with one loop of six lines; say what
# temperature, top-k and top-p do to a distribution, and when; count the steps that a picture takes;
# and explain why pictures are turned into codes first.
#
# | 中文 | English | in the code |
# |---|---|---|
# | 词元接龙 | next-token game | `generate` |
# | 温度 | temperature | `softmax_T` |
# | 采样 | sampling | `sample` |
# | 自回归 | autoregressive | `Reader` |
# | 码本 | codebook | `vq_quantize` |
# | 解码器 | decoder | `VQVAE.decode` |

# %% setup tags=["setup"]
import math
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_utils import decoding, zoo
from course_utils.core.vq import vq_quantize
from course_utils.decoding import dice, steps, stepwise
from course_utils.decoding.stepwise import Reader
from course_utils.errors import CourseError
from course_utils.lesson import check, claim, show_source
from course_utils.training import next_token_loss
from course_utils.viz.cost import spoken
from course_utils.viz.scenes import scene_rows
from course_utils.widgets import next_token as panels
from course_utils.worlds import corpus, lexicon, signals
from course_utils.worlds.grammar import is_grammatical
from course_utils.worlds.tinyworld import tinyworld
from course_utils.zoo import pictures
from course_utils.zoo.recipe import named

# %% question [markdown]
# ## 1 · The question
#
# *ChatGPT plays 词元接龙*, say the notes: it reads a text, says what piece could come next, and that
# piece is put at the end. Then again. Is that really all, and does the same game make pictures and
# sound?
#
# **Predict.** The real SmolLM2 below has 135 million weights and has read a large part of the web. How
# sure is it of the word after *The capital of France is*? Then write a text of your own, Chinese if
# you like, and press **Run**.

# %% complete-panel
try:
    panel = panels.completion_panel()
except CourseError as missing:  # the model's package is not installed
    panel = None
    print(missing)
panel

# %% complete-read [markdown]
# Each column is one step: the five likeliest tokens, and ▶ at the one that was taken. With **temperature** 0
# it is always the first. Raise T, and move **throw**: the model is the same, the dice fall otherwise.

# %% dice-play [markdown]
# ## 2 · From logits to dice
#
# The model gives a number for every token, a **logit** z. What follows is no part of the model: a
# softmax with a temperature, p = exp(z/T) / Σ exp(z/T), and filters that rule tokens out.
#
# **Predict.** At T = 0.05, how many different tokens will 18 draws give? And at T = 3? Then go back to
# T = 1: which leaves fewer tokens to draw from after *the opposite of*, top-k 5 or top-p 0.5?

# %% dice-panel
panels.dice_panel()

# %% dice-read [markdown]
# Diamonds are the model's own probabilities, bars are what is drawn from. **top-k** keeps a number of
# tokens whatever they weigh; **top-p** keeps as many as the mass p needs: few where the model is sure,
# many where it is not.

# %% soft-exercise [markdown]
# {exercise 09.1}
#
# <details><summary>Hint 1</summary>
#
# exp(10 000) is infinite. What happens to the fraction when the same number is taken from every logit?
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.softmax(z, -1)` subtracts the largest logit for you. All that is left is the division by T,
# and a `raise ValueError(...)` where T is not above 0.
# </details>


# %% exercise-09-1 tags=["exercise"]
def softmax_T(logits: Float[Tensor, "*batch vocab"], T: float) -> Float[Tensor, "*batch vocab"]:
    """Probabilities exp(z / T) / Σ exp(z / T) over the last axis, for logits of any size.

    Small T sharpens, large T flattens; the order of the tokens stays. Shape and dtype are those of
    the logits, and no logit is too large: 10 000 in float32 gives no NaN. T must lie above 0:
    ValueError otherwise, since no division gives the limit, which is the argmax.

    Example: logits = [0, ln 3], T = 1 gives [0.25, 0.75]; T = 0.5 gives [0.1, 0.9].
    Hinton et al. 2015, equation 1. Taught in: 09_next_token.
    """
    raise NotImplementedError("replace this line by your answer")


# %% soft-check
if check("09.1", softmax_T):
    prob = softmax_T(torch.tensor([3.0, 2.0, 0.0]), 0.5)
    print("logits 3, 2, 0 at T = 0.5:", [round(p, 3) for p in prob.tolist()])

# %% soft-measure-read [markdown]
# **Measure it.** A thousand distributions of TinyWorld's model, each after a piece of text that it has
# never read, at temperatures from 0.05 to 10.


# %% soft-measure
@torch.no_grad()
def distributions(n=1000):
    """Logits after every word of new documents."""
    text = corpus.joined(corpus.documents(tinyworld(0), 2 * n, seed=-4))
    rows = torch.tensor(words.encode(text)[: n + n // 5]).view(-1, 30)
    return world(rows)[:, :25].flatten(0, 1).double()


world, words = zoo.load("world-base"), zoo.tokenizer("world-base")
logits = distributions()
Ts = torch.logspace(-1.3, 1, 25, dtype=torch.float64)
curves = torch.stack([dice.entropy(dice.softmax_T(logits, T)) for T in Ts.tolist()])
rising = (curves.diff(dim=0) > -1e-9).all(0).double().mean()
cold = dice.softmax_T(logits, 0.0001).amax(1)
flat = dice.entropy(dice.softmax_T(logits, 10.0)) / math.log(logits.shape[1])

# %% soft-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-39", rising=rising, argmax=(cold >= 0.99).double().mean(), flat=flat.min())

# %% soft-why [markdown]
# It could not be otherwise: dH/dT is the variance of the logits under p, divided by T³, and a variance
# is never negative. Temperature is not the only way from numbers to probabilities, though: *sparsemax*
# gives exact zeros, and the filters below do too.

# %% sample-exercise [markdown]
# {exercise 09.2}
#
# <details><summary>Hint 1</summary>
#
# Ruling a token out means giving it the logit −∞. For top-p sort the probabilities, and ask of each
# token how much mass stands *before* it: it stays while that is less than p.
# </details>
# <details><summary>Hint 2</summary>
#
# `ordered, order = z.sort(-1, descending=True)`, then `prob = ordered.softmax(-1)` and
# `before = prob.cumsum(-1) - prob`. Put −∞ where `before >= top_p`, and `scatter` back to the old
# places. `torch.multinomial(prob, 1, generator=gen)` draws one token for each row.
# </details>


# %% exercise-09-2 tags=["exercise"]
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
    raise NotImplementedError("replace this line by your answer")


# %% sample-use [markdown]
# **Check it, then let it paint.** A small model learns below, on the 1797 handwritten digits of
# scikit-learn, to say the next pixel's shade; now and then it paints ten pictures, pixel by pixel.
# Once your function is right, *it* rolls the dice. Take more **steps**, press **Run**, and try T = 0.1
# and T = 2.

# %% sample-check
panels.painting_panel(sample) if check("09.2", sample) else panels.painting_panel()

# %% modes-read [markdown]
# **Break it.** The notes call T the switch between *conservative* and *creative*. TinyWorld has a grammar,
# so both can be counted: how many texts are made of whole sentences, and how many pairs of words are
# new.


# %% modes-measure
def written(T, rng, n=120):
    """n texts that the model begins and ends by itself."""
    doc = words.specials[lexicon.DOC]
    out = decoding.generate(world, [[doc]] * n, 48, temperature=T, stop=[doc], rng=rng)
    return [words.decode(i for i in row if i != doc) for row in out.completions()]


variety, grammar = [], []
for seed in range(3):
    rng = torch.Generator().manual_seed(seed)
    for T in (0.3, 0.7, 1.0, 1.5):
        texts = written(T, rng)
        pairs = [pair for text in texts for pair in pairwise(text.split())]
        variety.append(len(set(pairs)) / len(pairs))
        grammar.append(sum(map(is_grammatical, texts)) / len(texts))
variety, grammar = (torch.tensor(values).view(3, 4) for values in (variety, grammar))
print("at T = 0.3:", written(0.3, rng, 1)[0])
print("at T = 1.5:", written(1.5, rng, 1)[0])

# %% modes-claim
# NBVAL_CHECK_OUTPUT
ordered = ((variety.diff() > 0) & (grammar.diff() <= 0)).double().mean(1)
rise, fall = variety[:, 3] - variety[:, 0], grammar[:, 0] - grammar[:, 3]
claim("LLM-40", ordered=ordered, variety=rise, grammar=fall)

# %% modes-note [markdown]
# > **The notes, made precise.** *"The creative and the conservative mode of an API are just this T."* T is
# > the main knob, and top-p turns the same way: it cuts off the tail that a high T lifts. The next
# > cell verifies it at T = 1.5.

# %% modes-verify
rng, doc = torch.Generator().manual_seed(0), words.specials[lexicon.DOC]
for p in (1.0, 0.9, 0.5):
    how = {"temperature": 1.5, "top_p": p, "stop": [doc], "rng": rng}
    rows = decoding.generate(world, [[doc]] * 100, 48, **how).completions()
    texts = [words.decode(i for i in row if i != doc) for row in rows]
    print(f"T = 1.5, top-p {p}: {sum(map(is_grammatical, texts))} of 100 texts are grammatical")

# %% loop-exercise [markdown]
# ## 3 · The loop
#
# {exercise 09.3}
#
# The whole game: ask, draw, append. What costs is the asking. A model that keeps a **cache** of what it
# has read needs to read only the newest token.
#
# <details><summary>Hint 1</summary>
#
# Three things change from turn to turn: the new tokens so far, what the model has not read yet, and
# the cache. Before the loop they are `[]`, `list(prompt)` and `None`.
# </details>
# <details><summary>Hint 2</summary>
#
# `while len(new) < n and (not new or new[-1] != stop):` call the model on what is unread, draw, append.
# With a cache `new[-1:]` is unread next; without, `[*prompt, *new]` is, and the cache is None again.
# </details>


# %% exercise-09-3 tags=["exercise"]
def generate(
    model,
    prompt: list[int],
    n: int,
    T: float,
    gen: torch.Generator,
    stop: int | None = None,
    use_cache: bool = True,
) -> list[int]:
    """Up to n new tokens after the prompt, each drawn from what the model says about the next.

    `logits, cache = model(ids, cache)` reads the list `ids`, after all that `cache` has read, and
    gives the logits (vocab,) of the token after the last one; cache is None at the start. With
    use_cache each token is read once: the prompt first, then one new token a call. Without, every
    call reads the whole sequence so far, with None. Either way the model is called once for each
    new token, and the last token drawn is never read.

    Draw from softmax(logits / T) with `gen`; T = 0 takes the likeliest token. The result holds the
    new tokens only, without the prompt; it ends early, and with the stop token, where `stop` is
    drawn. The prompt has at least one token and stays as it is; n ≥ 1.

    Example: a model that always prefers the last id + 1: prompt [3, 4], n = 3, T = 0 gives
    [5, 6, 7], and with stop = 6 [5, 6].
    Taught in: 09_next_token.
    """
    raise NotImplementedError("replace this line by your answer")


# %% loop-use [markdown]
# **Check it, then play all three games with it.** Once it is right, the panel below runs on your loop:
# the same one for **picture**, **wave** and **text**. Move **units so far** with the arrow keys, one unit at a
# time, and choose another **kind**. With **share given**, the first part is real and the model goes on.

# %% loop-check
panels.next_unit_panel(generate) if check("09.3", generate) else panels.next_unit_panel()

# %% loop-read [markdown]
# In the picture, dark pixels surprised the model: edges of the digit, and where its shadow begins. Sky
# next to sky surprises nobody. In the wave, the band is what the model holds possible for the next
# sample: narrow on a slope, wide at a turn.

# %% loop-measure-read [markdown]
# **Is that really all?** If a model is nothing but next-token predictions, then a text's log-probability
# is the sum of its steps', and n tokens take n calls, no more.


# %% loop-measure
def count_calls(prompt, n, rng):
    """New tokens, and how often the model was asked."""
    reader, calls = Reader(exact, n), []

    def counted(ids, cache):
        calls.append(len(ids))
        return reader(ids, cache)

    return stepwise.generate(counted, prompt, n, 1.0, rng), len(calls)


exact, rng = zoo.load("world-base").double(), torch.Generator().manual_seed(0)
documents = corpus.documents(tinyworld(0), 1500, seed=-6)[:100]
prompts = [words.encode(f"{lexicon.DOC} {d.text}")[:4] for d in documents]
n_call = [count_calls(prompt, 5, rng)[1] for prompt in prompts]
out = decoding.generate(exact, prompts, 8, rng=rng)
with torch.no_grad():
    ids = torch.tensor(out.sequences())
    logp = exact(ids[:, :-1]).log_softmax(-1).gather(2, ids[:, 1:, None])[:, 3:, 0]
gap = (logp.sum(1) - out.model_logp.sum(1)).abs().max()

# %% loop-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-01", gap=gap, calls=sum(n == 5 for n in n_call) / len(n_call))

# %% three-measure-read [markdown]
# **And did the others learn anything?** The yardstick is to know only how often each value comes. All
# three are the same class, `Transformer`; pictures and waves differ in two numbers of its
# configuration, how many values there are and how many places.


# %% three-measure
@torch.no_grad()
def text_saved(seed):
    """Nats per word on new text, as a share saved against the frequencies of words."""
    texts = [corpus.joined(corpus.documents(tinyworld(0), 2000, seed=s)) for s in (-9, seed)]
    seen, new = (torch.tensor(words.encode(text)) for text in texts)
    counts = torch.bincount(seen, minlength=len(words)).double() + 1
    rows = new[: len(new) // 40 * 40].view(-1, 40)
    total, n = next_token_loss(world, rows)
    alone = -(counts / counts.sum()).log()[rows[:, 1:]].mean()
    return 1 - float(total) / n / float(alone)


saved = {"pixels": [], "waves": []}
for seed in range(3):
    for kind, shares in saved.items():
        model = zoo.load(named(pictures.NAMES[kind], seed))
        found = pictures.of_units(kind, seed, model, n=30)
        shares.append(1 - found["nll"] / found["nll_frequencies"])
text = [text_saved(seed) for seed in (-6, -7, -8)]

# %% three-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-05", pictures=saved["pixels"], waves=saved["waves"], text=text)

# %% sound-exercise [markdown]
# ## 4 · Sound in 256 words
#
# {exercise 09.5}
#
# A sample is a number, and the game needs a vocabulary. Telephones have one since 1972: 256 codes, most
# of them for quiet sounds, where the ear hears every step.
#
# <details><summary>Hint 1</summary>
#
# `torch.log1p(mu * x.abs())` squeezes loud sounds together; dividing by `math.log1p(mu)` brings 1 to 1.
# The sign comes back in front.
# </details>
# <details><summary>Hint 2</summary>
#
# `.round().long()` makes codes. For the way back start from the *codes*, not from x, and undo each
# step in the opposite order: `(1 + mu) ** y.abs() - 1`, over mu, times the sign.
# </details>


# %% exercise-09-5 tags=["exercise"]
def mulaw(
    x: Float[Tensor, "*batch"], mu: int
) -> tuple[Int[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    """Codes 0 … mu of a wave within −1 … 1, dense around silence, and the wave they stand for.

    There: y = sign(x) · ln(1 + mu · |x|) / ln(1 + mu) lies within −1 … 1, and the code is
    (y + 1) / 2 · mu, rounded to the nearest whole number. Back: y = 2 · code / mu − 1, and the
    wave is sign(y) · ((1 + mu)^|y| − 1) / mu. Returns (codes, wave): int64, and the dtype of x;
    any shape. In what is asked nothing lies halfway between two codes.

    Example: x = [-1, 0.1, 1], mu = 255 gives codes [0, 203, 255], and back [-1, 0.1006, 1].
    ITU-T G.711; van den Oord et al. 2016, section 2.2. Taught in: 09_next_token.
    """
    raise NotImplementedError("replace this line by your answer")


# %% sound-check
if check("09.5", mulaw):
    wave = 0.02 * signals.waves(20, torch.Generator().manual_seed(0))  # a whisper
    even = ((wave + 1) / 2 * 255).round() / 255 * 2 - 1
    for name, back in (("your code", mulaw(wave, 255)[1]), ("a linear code", even)):
        noise = (back - wave).square().mean() / wave.square().mean()
        print(f"{name}: {-10 * torch.log10(noise):.0f} dB of signal over noise in a whisper")

# %% cost-play [markdown]
# ## 5 · How long for 1024 × 1024?
#
# Each pixel is a step, and each step waits for the one before. Below, steps are counted and their time
# is extrapolated from works of 64 to 4096 steps that this machine has just timed.
#
# **Predict.** At 1024 pixels a side, with a cache: seconds, hours, or days? And without one?

# %% count-exercise [markdown]
# {exercise 09.4}
#
# <details><summary>Hint 1</summary>
#
# `kw` is a dict: `kw["height"]`. `kw.get("channels", 1)` has an answer where nothing was given.
# </details>
# <details><summary>Hint 2</summary>
#
# `math.ceil(height / f)` patches fit across, the last of them cut off; multiply by those down.
# </details>


# %% exercise-09-4 tags=["exercise"]
def steps_needed(kind: str, **kw: float) -> int:
    """How many units a model draws, one after the other, to make one work of a kind.

    "text":   n_token                 one step for each token
    "pixels": height, width, channels=1   one step for each pixel, or for each channel of each
    "codes":  height, width, f        one for each patch of f x f pixels; a patch that is cut off
                                      at the edge counts as a whole one
    "audio":  seconds, rate           one for each sample, rate samples a second; rounded up
    Everything is passed by keyword. ValueError for another kind.

    Example: steps_needed("pixels", height=2, width=3, channels=3) gives 18;
    steps_needed("codes", height=8, width=9, f=4) gives 6.
    Taught in: 09_next_token.
    """
    raise NotImplementedError("replace this line by your answer")


# %% count-check
panels.cost_panel(steps_needed) if check("09.4", steps_needed) else panels.cost_panel()

# %% cost-measure
clock = steps.clock()
n_step = steps.steps_needed("pixels", height=1024, width=1024)
for cache in (True, False):
    way = "with" if cache else "without"
    print(f"1024 × 1024, {way} a cache: {spoken(clock.seconds(n_step, cache))}, extrapolated")
print(f"sound: {n_step / steps.steps_needed('audio', seconds=1, rate=16_000):.0f} s at 16 kHz")

# %% cost-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-06", steps=n_step / 2**20, fit=math.floor(clock.cached.r2 * 50) / 50)

# %% cost-note [markdown]
# > **The notes, made precise.** *"A million steps"* is right as arithmetic, and nobody ran it: Image-GPT
# > stopped at 64 × 64 = 4096 steps. Not only are there 256 times as many steps: each looks back at
# > all before it, so that attention's work grows with the square. The next cell verifies the number.

# %% cost-verify
million, largest_run = 1024 * 1024, 64 * 64
print(f"work in attention, 1024² against 64²: {(million / largest_run) ** 2:,.0f} times")

# %% codes-question [markdown]
# ## 6 · Fewer, better units
#
# Text never had this problem: a token is a whole word or more. Can a picture have *words*? A **VQ-VAE**
# learns some: an encoder makes a vector of each patch of 4 × 4 pixels, the vector is replaced by the
# nearest of 64 in a **codebook**, and a decoder paints the picture from the codes alone.
#
# **Predict.** A picture here has 256 pixels in four colours. How much of it survives in 16 codes?

# %% codes-read
show_source(vq_quantize)

# %% codes-picture
vq, code_lm = zoo.load("vq-vae"), zoo.load("code-lm")
rng = torch.Generator().manual_seed(4)
new, _ = signals.pictures(7, rng, side=16)
back = vq.decode(vq.encode(new)).argmax(1)
by_codes = pictures.painted(code_lm, 7, rng, vq)
by_pixels = pictures.painted(zoo.load("pixel-lm"), 7, rng)
rows = {"real": new, "back from\n16 codes": back, "painted by\n16 codes": by_codes}
scene_rows(rows | {"painted by\n256 pixels": by_pixels}, "256 pixels or 16 codes")


# %% codes-measure-read [markdown]
# The third and the fourth row were painted by the same game, one with 16 steps a picture, one with 256.
# Both models have two layers of the same width; the first also needs the decoder. Count and time them.


# %% codes-measure
def times_faster(pixel_lm, code_lm, vq, seed):
    """Processor time for eight pictures by pixels, over that by codes."""
    rng = torch.Generator().manual_seed(seed)
    by_pixels, by_codes = steps.least(
        lambda: pictures.painted(pixel_lm, 8, rng),
        lambda: pictures.painted(code_lm, 8, rng, vq),
        runs=8,
    )
    return by_pixels / by_codes


fewer, faster, psnr = [], [], []
for seed in range(3):
    names = (named(name, seed) for name in ("pixel-lm", "code-lm", "vq-vae"))
    pixel_lm, code_lm, vq = (zoo.load(name) for name in names)
    fewer.append(pictures.SIDE**2 / pictures.CODES)
    faster.append(times_faster(pixel_lm, code_lm, vq, seed))
    psnr.append(pictures.of_compression(vq, n=200)["psnr"])

# %% codes-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-07", fewer=fewer, faster=[min(ratio, 8) for ratio in faster], psnr=psnr)

# %% codes-note [markdown]
# > **The notes, corrected.** *"An encoder and decoder network (ViT etc.)"*: ViT cuts an image into patches
# > too, and **recognises**; it paints nothing, and has neither codebook nor decoder. What makes codes
# > of an image and an image of codes is VQ-VAE and VQGAN; for sound, neural codecs. The next cell
# > verifies what a decoder is for: codes in, pixels out.

# %% codes-verify
codes = vq.encode(new)
changed = codes.clone()
changed[:, 0, 0] = (changed[:, 0, 0] + 1) % 64
touched = vq.decode(changed).argmax(1) != vq.decode(codes).argmax(1)
print("codes of one picture:", codes[0].flatten().tolist())
print("pixels that another first code changes, furthest row and column:",
      [int(axis.max()) for axis in touched.nonzero().T[1:]])  # fmt: skip

# %% recap [markdown]
# ## What to keep
#
# * A language model gives a distribution over the next token; the loop draws, appends, asks again. What
#   is drawn is not the model's choice alone: T, top-k and top-p reshape it.
# * T sharpens or flattens and never changes the order; top-k and top-p cut off the tail.
# * Nothing in the loop knows about words. With pixels or samples as units it paints and plays; images of
#   today mostly come from **diffusion** models, which do not go piece by piece.
# * Steps are the price: 1024² pixels are a million of them, each one waiting for the last.
# * So the units are chosen well: 16 codes instead of 256 pixels, and the game is the same.
#
# **Next:** `10`, what happens inside the model between the tokens that go in and the logits that come out.
