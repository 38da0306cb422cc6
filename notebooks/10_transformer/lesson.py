# %% title [markdown]
# # Tokens, embeddings, transformer
#
# *about 110 minutes · lessons 4 and 7*
#
# After this lesson you can build every part of a decoder and run your own inside a trained model; say
# when a head is the embedding table and when not; tell what rotary positions can and cannot reach;
# and name the price of a longer text.
#
# | 中文 | English | in the code |
# |---|---|---|
# | 词元，字节对编码 | token, byte pair encoding | `bpe_train` |
# | 嵌入 | embedding | `model.tokens` |
# | 自注意力，查询、键、值 | self-attention, query, key, value | `attention` |
# | 多头注意力 | multi-head attention | `multi_head` |
# | 旋转位置编码 | rotary position embedding (RoPE) | `rope` |
# | 语言模型头 | language-model head, unembedding | `unembed` |

# %% setup tags=["setup"]
import copy
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from course_utils import zoo
from course_utils.core import ModelConfig, Transformer, by_hand, recording, token_view
from course_utils.core.bpe import pretokens  # noqa: F401  for your answer to 10.1
from course_utils.core.interventions import residual_scaled, without_word
from course_utils.core.price import flops, param_table
from course_utils.interp.probes import fit_probe, heldout_guess
from course_utils.interp.streams import streams
from course_utils.lesson import check, claim, show_source
from course_utils.training import small_transformers as small
from course_utils.training.transformer_runs import over_seeds
from course_utils.viz.curves import line_plot
from course_utils.widgets import transformer as panels
from course_utils.worlds import contexts

# %% setup-world tags=["setup"]
from course_utils.core.both_ways import both_ways
from course_utils.core.family_configs import read_config
from course_utils.core.threads import tune_process
from course_utils.decoding import generate
from course_utils.errors import CourseError
from course_utils.training.language import next_token_loss
from course_utils.worlds.lexicon import HOMONYMS
from course_utils.worlds.passages import chinese, english
from course_utils.worlds.tinyworld import tinyworld
from course_utils.zoo.heads import has_own_head

_ = tune_process(n_thread=1)  # small nets: a second core would only get in the way
model, words = zoo.load("world-base"), zoo.tokenizer("world-base")
exact = copy.deepcopy(model).double()  # where a difference of rounding would only get in the way
person = tinyworld(0).people[0].name

# %% map-read [markdown]
# ## 1 · Now we look into f
#
# Lesson 9 took a model as a box: text in, probabilities of the next token out. In this lesson the box
# is opened. It is `world-base`, trained on TinyWorld, a made-up world told in English and Chinese: small
# enough that every weight can be accounted for.
#
# **Predict.** Six layers of width 128. Which holds more weights, the attention or what follows it, the
# MLP? And the embedding table, with a row for each of some 900 words?

# %% map-measure
table = param_table(model)
whole = {}
for name, count in table.items():
    part = name.split(".")[-1]
    whole[part] = whole.get(part, 0) + count
for part, count in whole.items():
    print(f"{part:10} {count:9,}  {count / sum(whole.values()):4.0%}")

# %% map-claim
# NBVAL_CHECK_OUTPUT
total = sum(weight.numel() for weight in model.parameters())
claim("LLM-35", left_over=total - sum(table.values()))

# %% tokens-play [markdown]
# ## 2 · What a model reads: tokens
#
# A model reads numbers. One number per *word* leaves nothing for a word that was never seen; one per
# *byte* makes long texts. **Byte pair encoding** lies between: begin with the 256 bytes, find the pair
# of neighbours that is most frequent, make it a token of its own, and again.
#
# Below, merges are learned on the spot from real English (what scikit-learn's authors wrote about
# their data sets) and from TinyWorld's Chinese. Type a text of your own. Grey boxes hold only a
# part of a character.
#
# **Predict.** A Chinese character has three bytes. With merges learned from **English** alone, what does
# a Chinese sentence cost? Choose *learned from*, move **merges**.

# %% tokens-panel
panels.tokenizer_panel()

# %% tokens-exercise [markdown]
# {exercise 10.1}
#
# Merges never cross a *pre-token*: GPT-2 first cuts text into words, numbers and punctuation, each
# with the space before it. `pretokens(text)` does that for you.
#
# <details><summary>Hint 1</summary>
#
# Keep each pre-token as a tuple of byte strings, with how often it occurs. Count neighbours over all of
# them; `max(pairs, key=lambda pair: (pairs[pair], pair))` also breaks ties as asked for.
# </details>
# <details><summary>Hint 2</summary>
#
# `encode` replays history: while a pre-token holds a pair that was learned, join the pair that was
# learned *first*. Ids: a byte is its own number, the i-th merge is 256 + i. `decode` joins bytes first
# and turns them into text once, at the end.
# </details>


# %% exercise-10-1 tags=["exercise"]
def bpe_train(
    corpus: str, n_merges: int
) -> tuple[list[tuple[bytes, bytes]], Callable[[str], list[int]], Callable[[list[int]], str]]:
    """Byte pair encoding: (merges, encode, decode).

    Pre-tokens of the corpus (`pretokens`, GPT-2's) start as single bytes of their UTF-8 form. Each
    merge joins the pair of neighbouring tokens that occurs most often within pre-tokens, and of
    equally frequent pairs the lexicographically greater one (pairs of byte strings, as Python
    compares them). Left to right, without overlap. Fewer than n_merges where no pair is left.
    merges: (left, right) in the order learned. encode(text): ids; a byte is its value, the token
    of the i-th merge is 256 + i. decode(ids): the text; bytes that are no UTF-8 become U+FFFD.

    Example: bpe_train("ab ab", 2)[0] is [(b"a", b"b"), (b" ", b"ab")], and encode(" ab") is [257].
    Taught in: 10_transformer.
    """
    raise NotImplementedError("replace this line by your answer")


# %% tokens-check
panels.tokenizer_panel(bpe_train) if check("10.1", bpe_train) else None

# %% tokens-strings
merges, encode, decode = token_view.bpe_train(english() + chinese(), 400)
rng = torch.Generator().manual_seed(0)
letters = [chr(c) for c in (*range(32, 127), *range(0x4E00, 0x5200), *range(0x1F600, 0x1F640))]
strings = [
    "".join(letters[i] for i in torch.randint(len(letters), (12,), generator=rng))
    for _ in range(1000)
]
returned = sum(decode(encode(string)) == string for string in strings)

ids = torch.tensor(words.encode("anna archer lives in riverton . 面包"))
one_hot = F.one_hot(ids, len(words)).float()
gap = (one_hot @ model.tokens.weight - model.tokens.weight[ids]).abs().max()

# %% tokens-price
for name, corpus in (("English", english()), ("Chinese", chinese())):
    _, cut, _ = token_view.bpe_train(corpus, 400)
    price = [len(cut(text[:2000])) / 2000 for text in (english(), chinese())]
    print(
        f"400 merges of {name}: {price[0]:.2f} tokens for an English letter, "
        f"{price[1]:.2f} for a Chinese one"
    )

# %% tokens-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-36", gap=gap.item(), returned=returned)

# %% alike-read [markdown]
# ## 3 · From numbers to vectors
#
# An id says nothing about its neighbours: 17 is no more like 18 than like 700. So each id picks a row
# of a table, its **embedding**: a one-hot vector times a matrix, without the multiplying. At first
# the rows are noise. Nobody tells the model that *riverton* and *snowfield* are both cities.
#
# **Predict.** After training, is the cosine of two cities larger than that of a city and a food? Does it
# matter whether the table also serves as the head?

# %% alike-measure
untrained = [
    abs(small.class_similarity(
        Transformer(small.TASKS["head-tied"].config, torch.Generator().manual_seed(seed))
        .tokens.weight.detach(), small.word_classes(),
    ))
    for seed in range(3)
]  # fmt: skip
trained = over_seeds("head-tied", "alike")
here = small.class_similarity(model.tokens.weight.detach(), small.word_classes())
apart = ", ".join(f"{x:.2f}" for x in over_seeds("head-untied", "alike"))
print(f"world-base: {here:.2f}; small models whose head is a matrix of its own: {apart}")

# %% alike-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-43", trained=trained, untrained=untrained)

# %% alike-recap [markdown]
# Words that can stand in the same place are pulled together, since the same contexts call for them. Where
# the table is also the head, it feels that pull from both sides; a table that only reads feels it less.

# %% bench-play [markdown]
# ## 4 · Attention
#
# A vector for *apples* is the same in "two green apples" and "no apples". It must hear from the others.
# Each word sends out a **query**, offers a **key**, and holds a **value**: queries and keys meet in dot
# products, a softmax makes weights of them, and the values are mixed by these weights.
#
# Below, eight words as random vectors; W_q, W_k and W_v are turns by an angle. **Predict.** With
# *turn W_q* = *turn W_k*, whom does every word look at? Then untick *divide by √d* and raise *d*.

# %% bench-panel
panels.workbench_panel()

# %% scale-read [markdown]
# The dot product of two random vectors of d entries has a spread of √d. Undivided, a softmax over
# such numbers picks one winner, whatever it is, and its gradient is 0. How sure is "sure"?


# %% scale-measure
def largest(d, divided, n_key=64, n=200):
    """Mean largest weight of a random query among random keys."""
    rng = torch.Generator().manual_seed(d)
    q, k = torch.randn(n, 1, d, generator=rng), torch.randn(n, n_key, d, generator=rng)
    scores = (q * k).sum(-1) / (d**0.5 if divided else 1)
    return float(scores.softmax(-1).amax(-1).mean())


sizes = [8, 16, 32, 64, 128, 256, 512]
with_it = [largest(d, True) for d in sizes]
without = [largest(d, False) for d in sizes]
line_plot(
    {"not divided": (sizes, without), "divided by √d": (sizes, with_it)},
    "entries d",
    "largest weight of 64",
    "Why the scores are divided by √d",
    log="x",
)

# %% scale-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-57", without=without[-1], with_it=max(with_it))

# %% attention-exercise [markdown]
# {exercise 10.2}
#
# <details><summary>Hint 1</summary>
#
# `q @ k.transpose(-2, -1)` gives every query's score with every key. `-inf` before the softmax is a
# weight of exactly 0 after it.
# </details>
# <details><summary>Hint 2</summary>
#
# With n queries and m keys, query i may see the keys 0 … i + (m − n). `torch.ones(n, m,
# dtype=torch.bool).triu(m - n + 1)` is true at what is hidden.
# </details>


# %% exercise-10-2 tags=["exercise"]
def attention(
    q: Float[Tensor, "*batch query d"],
    k: Float[Tensor, "*batch key d"],
    v: Float[Tensor, "*batch key d_value"],
    causal: bool,
) -> Float[Tensor, "*batch query d_value"]:
    """softmax(q kᵀ / √d) v, the softmax over the keys; any number of leading axes, also none.

    causal: the last query sees all keys, the one before it all but the last, and so on: with as
    many keys as queries each sees itself and what came before. (With more keys than queries, the
    first keys are a cache.) There are never fewer keys than queries. Inputs are left as they are.

    Example: q = [[0.], [0.]], k = [[1.], [2.]], v = [[1.], [3.]], causal gives [[1.], [2.]].
    Taught in: 10_transformer.
    """
    raise NotImplementedError("replace this line by your answer")


# %% attention-use [markdown]
# **Check it, then put it to work.** Once it is right, the trained model writes on twice: with torch's
# fused kernel, and with *your* function in every head of every layer. Then a fresh small model is
# trained through your function, on the grammar of section 8.

# %% attention-check
if check("10.2", attention):
    start = [words.encode(f"<doc> {person} lives in")]
    torchs = generate(model, start, 16, temperature=0)
    with by_hand.own_attention(model, attention):
        yours = generate(model, start, 16, temperature=0)
    print(words.decode(yours.sequences()[0]))
    print("the same text:", yours.sequences() == torchs.sequences())
    net = Transformer(small.TASKS["agreement"].config)
    with by_hand.own_attention(net, attention):
        small.tune(net, small.phrase_batches(0), small.masked_next_token_loss, 150, 20, 0.01)
        print(f"a model that learned through it, endings right: {small.head_roles(net)[1]:.2f}")

# %% attention-hand
with torch.no_grad(), recording(exact, "blocks.0.attn.*") as seen:
    exact(ids[None])
q, k, v = (seen[f"blocks.0.attn.{name}"][0, 2] for name in "qkv")  # the third head
mixed = torch.zeros_like(v)
for i in range(len(ids)):
    scores = [float(q[i] @ k[j]) / 32**0.5 for j in range(i + 1)]
    weights = torch.tensor(scores, dtype=torch.float64).softmax(0)
    for j in range(i + 1):
        mixed[i] += weights[j] * v[j]
want = seen["blocks.0.attn.mixed"][0, 2]
by_words = ((mixed - want).abs().max() / want.abs().max()).item()

# %% attention-hand-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-61", gap=by_words)

# %% order-measure
bare = Transformer(ModelConfig(50, n_layer=1, d_model=32, n_head=4, position="none")).double()
shuffle = torch.randperm(20, generator=torch.Generator().manual_seed(0))
some = torch.arange(20)[None]
with torch.no_grad(), both_ways(bare):
    lengths = sum(bare(some[:, :1].expand(1, n)).shape[1] == n for n in range(1, 65))
    permuted = (bare(some[:, shuffle]) - bare(some)[:, shuffle]).abs().max().item()

# %% order-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-55", lengths=lengths, permuted=permuted)

# %% order-read [markdown]
# n vectors in, n out; and shuffled words give the same vectors, shuffled. Attention by itself reads a
# *bag* of words. Two things give it an order: the mask, and positions.

# %% mask-read [markdown]
# ## 5 · The mask
#
# > **The notes, made precise.** *"Only tokens to the left are considered."* That is so in **decoders**,
# > which write; and the token itself counts. Encoders such as BERT look both ways.
#
# **Predict.** Train a decoder *without* the mask on next-token prediction. What will its training loss
# be, and what will it write?


# %% mask-measure
def leaky_loss(net, batch):
    """Next-token loss of a net that sees the next token."""
    with both_ways(net):
        return next_token_loss(net, batch[0])


def honest_loss(net, batch):
    return next_token_loss(net, batch[0])


nets = {}
for name, loss, steps in (("leaky", leaky_loss, 400), ("honest", honest_loss, 200)):
    nets[name] = Transformer(small.TASKS["agreement"].config)
    small.tune(nets[name], small.phrase_batches(0), loss, steps, 20, 0.01)
    nets[name].eval()

# %% mask-leak
unseen = small.phrase_batches(99)(0)
with torch.no_grad():
    total, count = leaky_loss(nets["leaky"], unseen)
    before, after = unseen[0].clone(), unseen[0].clone()
    after[:, -1] = (after[:, -1] + 1) % 10
    one_way = (nets["leaky"](before) - nets["leaky"](after))[:, :-1].abs().max().item()
    with both_ways(nets["leaky"]):
        other = (nets["leaky"](before) - nets["leaky"](after))[:, :-1].abs().max().item()
right = {name: small.head_roles(net)[1] for name, net in nets.items()}

# %% mask-claim
# NBVAL_CHECK_OUTPUT
claim(
    "LLM-65",
    causal=one_way,
    both=min(1, other),
    leaky_loss=max(0.2, float(total / count)),
    leaky_right=max(0.2, right["leaky"]),
    honest_right=min(0.95, right["honest"]),
)

# %% mask-print
print(f"leaky: {total / count:.2f} nats per word while it may look ahead")
print("endings right:", ", ".join(f"{name} {share:.2f}" for name, share in right.items()))

# %% mask-recap [markdown]
# The leaky model learned to copy what it would be asked for. A training loss near 0 that comes too
# easily is the sign of it: before you celebrate, change a future token and look at the past.

# %% position-read [markdown]
# ## 6 · Positions
#
# Rows of 16 tokens, each once, in random order; asked at every place: *which token came before this
# one?* The bag is always the same, so only order helps. Four small models, three seeds each.
#
# **Predict.** The notes say that order needs positional embeddings. Two models have none: one looks both
# ways, one is causal. What does each get right? (Chance: 1 in 15.)
#
# Three seeds were trained once, by `python -m course_utils.training.transformer_runs`, and their numbers
# kept. A fourth one, with fewer steps, runs here:

# %% position-live
for name in ("order-none", "order-none-both-ways"):
    task = small.TASKS[name]
    share = task.measure(task.train(seed=5, n_step=150))["accuracy"]
    print(f"{name}: right {share:.2f}")

# %% position-claim
# NBVAL_CHECK_OUTPUT
claim(
    "LLM-58",
    both_ways=over_seeds("order-none-both-ways", "accuracy"),
    causal=over_seeds("order-none", "accuracy"),
    learned=over_seeds("order-learned", "accuracy"),
    rope=over_seeds("order-rope", "accuracy"),
)

# %% position-answer [markdown]
# > **The notes, made precise.** The mask itself tells the time: the first word sees one word, the tenth
# > sees ten, and a second layer can count. A *causal* model does without positions; a model that looks
# > both ways cannot.

# %% rope-exercise [markdown]
# Still, positions help. **RoPE** turns queries and keys: neighbouring entries form a pair, a point of a
# plane, and position p turns pair i by p·θᵢ, fast for the first pair, slowly for the last.
#
# {exercise 10.3}
#
# <details><summary>Hint 1</summary>
#
# `x[..., 0::2]` are the first entries of all pairs, `x[..., 1::2]` the second. A turn by a takes (e, o)
# to (e·cos a − o·sin a, e·sin a + o·cos a).
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.outer(pos / scale, base ** (-torch.arange(0, d, 2) / d))` has one angle for each position and
# pair. `torch.stack([…, …], dim=-1).flatten(-2)` puts the pairs back side by side.
# </details>


# %% exercise-10-3 tags=["exercise"]
def rope(
    x: Float[Tensor, "*batch pos d"], pos: Int[Tensor, " pos"], base: float, scale: float
) -> Float[Tensor, "*batch pos d"]:
    """x with its pairs turned: row p by the angles (pos[p] / scale) · base^(−2i/d), i = 0 … d/2 − 1.

    Pair i is the neighbours x[2i], x[2i+1], as in the paper and in this course; it turns from the
    first entry towards the second. (Llama's checkpoints pair i with i + d/2 instead: another
    order of the same numbers, and another answer here.) d is even; scale 1 is plain RoPE, larger
    ones interpolate positions. Dtype and shape are those of x, which is left as it is.

    Example: x = [[1., 0.]], pos = [1], base 10000, scale 1 gives [[cos 1, sin 1]].
    Taught in: 10_transformer.
    """
    raise NotImplementedError("replace this line by your answer")


# %% rope-use [markdown]
# **Check it, then use it on the trained model**: the first layer's keys, computed from its weights and
# turned by your function, beside the keys that the model itself uses.

# %% rope-check
if check("10.3", rope):
    block = model.blocks[0]
    with torch.no_grad(), recording(model, ["embed", "blocks.0.attn.k"]) as seen:
        model(ids[None])
        plain = block.attn.qkv(block.norm_attn(seen["embed"])).unflatten(-1, (3, 4, 32))[0, :, 1]
    turned = rope(plain.transpose(0, 1), torch.arange(len(ids)), model.config.rope_base, 1.0)
    print("largest difference:", f"{(turned - seen['blocks.0.attn.k'][0]).abs().max():.1e}")

# %% reach-play [markdown]
# ## 7 · How far does it reach?
#
# Four small models repeat a pattern of 4 to 12 symbols: what comes next stood one period back. They were
# trained on **32** positions (the green band), and are now asked at 128. ALiBi, one of them, subtracts
# a penalty from each score that grows with the distance.
#
# **Predict.** The notes: *RoPE, so one can train on 1–4000 and use 1–8000.* What happens to plain RoPE,
# the dashed line, right of the band? Then try the other *positions*, and for rope other *rotary angles*:
# **interpolated** squeezes 128 positions into the angles of 32; **NTK** slows the slow pairs most.

# %% reach-panel
panels.reach_panel()

# %% reach-claim
# NBVAL_CHECK_OUTPUT
inside, beyond = (over_seeds("position-rope", f"nll_{n}x") for n in (1, 2))
far = {
    "rope": "rope",
    "learned": "learned",
    "alibi": "alibi",
    "interpolated": "rope-interpolated-60",
    "ntk": "rope-ntk-60",
}
far = {name: over_seeds(f"position-{kind}", "accuracy_4x") for name, kind in far.items()}
claim(
    "LLM-59",
    decay=[b / a for a, b in zip(inside, beyond, strict=True)],
    rope_in=over_seeds("position-rope", "accuracy_1x"),
    **far,
)

# %% reach-read [markdown]
# > **The notes, corrected.** Rotary angles can be *computed* for any position: nothing crashes. But
# > position 60 shows the model angles that it never met. A learned table cannot even be computed:
# > we had to invent rows. Squeezing alone makes it worse at first, since neighbours move closer together
# > than they ever were; slowing only the slow pairs (NTK) leaves neighbours apart. Real long-context
# > models rescale **and** train on. Do it:

# %% stretch-panel
panels.stretch_panel()

# %% heads-play [markdown]
# ## 8 · Many heads
#
# Every head of `world-base`, on any sentence of its words: type one and press Enter, such as
# `anna archer 住 在 河城 。` A row looks, a column is looked at. Look for heads that attend to the word
# before, to the first word, to a word that is the same.

# %% heads-panel
panels.heads_panel()

# %% heads-grammar [markdown]
# The notes' example: in **two green apples**, *green* and *two* relate to *apples* in different ways,
# so one pattern is not enough. A little grammar puts it to the test: after the noun comes an ending
# that agrees with both, "two-green", with other words between. One layer, four heads.
#
# **Predict.** Will one head take the numerals and another the colours? Can **one** head do it all?

# %% heads-grammar-panel
panels.heads_panel("agreement")

# %% heads-exercise [markdown]
# {exercise 10.4}
#
# <details><summary>Hint 1</summary>
#
# `torch.nn.Linear` stores W of shape (out, in) and computes `x @ W.T`. Head 1 owns the first d/h rows of
# Wq, Wk and Wv: `unflatten(-1, (h, -1))` cuts the result into heads.
# </details>
# <details><summary>Hint 2</summary>
#
# Bring the head axis before the positions (`transpose(-3, -2)`), attend, bring it back, `flatten(-2)`,
# and only then Wo. No mask, and √ of the *head's* width.
# </details>


# %% exercise-10-4 tags=["exercise"]
def multi_head(
    x: Float[Tensor, "batch pos d"],
    Wq: Float[Tensor, "d d"],
    Wk: Float[Tensor, "d d"],
    Wv: Float[Tensor, "d d"],
    Wo: Float[Tensor, "d d"],
    h: int,
) -> Float[Tensor, "batch pos d"]:
    """Self-attention with h heads, without a mask, biases or dropout.

    The four matrices are stored as torch.nn.Linear stores them, (out, in). Head number n = 0 … h−1
    owns the rows n·d/h … (n+1)·d/h − 1 of Wq, Wk and Wv; its scores are divided by √(d/h). The
    heads' outputs, side by side in this order, go through Wo. h divides d.

    Example: one position and identity matrices give x back, for every h.
    Taught in: 10_transformer.
    """
    raise NotImplementedError("replace this line by your answer")


# %% heads-check
if check("10.4", multi_head):
    parts = [w.detach() for w in model.blocks[0].attn.qkv.weight.chunk(3)]
    out, x = model.blocks[0].attn.out.weight.detach(), torch.randn(1, 6, 128)
    one, four = (multi_head(x, *parts, out, h) for h in (1, 4))
    print(
        f"layer 1 of world-base, its weights read as 1 head and as 4: {(one - four).abs().max():.2f} apart"
    )

# %% heads-claim
# NBVAL_CHECK_OUTPUT
four, one = over_seeds("agreement", "accuracy"), over_seeds("agreement-one-head", "accuracy")
claim(
    "LLM-63",
    apart=over_seeds("agreement", "apart"),
    gain=[a - b for a, b in zip(four, one, strict=True)],
)

# %% heads-roles
roles, accuracy = small.head_roles(zoo.load("agreement"))
for number, (numeral, colour) in enumerate(roles.tolist(), start=1):
    print(f"head {number}: {numeral:.2f} on the numeral, {colour:.2f} on the colour")

# %% heads-read [markdown]
# > **The notes, made precise.** *Two* does relate to *apples*; the point is a relation of its own for each
# > head. Here one head is enough: it splits its weight, half and half, and the values say which half
# > is which. Nothing forces heads to specialise, and these hardly do. More heads give *room* for
# > relations that one softmax cannot hold together; Michel et al. (2019) removed most heads of trained
# > models and lost little.

# %% knock-read [markdown]
# **Break it: is attended the same as important?** Take facts that the model tells, such as *anna archer
# lives in …*. Hide the word that gets most weight at the last place, on average over all heads; or hide
# another word. Which costs the answer more?


# %% knock-measure
def knockout_effect(ids, answer, place):
    """How much log-probability the answer loses when no later word sees the one at `place`."""
    with torch.no_grad():
        whole = model(ids)[0, -1].log_softmax(-1)[answer]
        with without_word(model, place):
            return float(whole - model(ids)[0, -1].log_softmax(-1)[answer])


wins, exceptions = [], []
for number, (said, answer) in enumerate(contexts.facts(100)):
    with torch.no_grad(), recording(model, "blocks.*.attn.weights") as seen:
        model(torch.tensor([said]))
    mean = torch.stack([w[0, :, -1, :-1].mean(0) for w in seen.values()]).mean(0)
    top = int(mean.argmax())
    other = [place for place in range(len(said) - 1) if place != top][number % (len(said) - 2)]
    effects = [knockout_effect(torch.tensor([said]), answer, place) for place in (top, other)]
    wins.append(effects[0] > effects[1])
    exceptions += [] if wins[-1] else [(words.decode(said), words.token(said[top]))]

# %% knock-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-60", wins=sum(wins) / len(wins))

# %% knock-exceptions
for said, top in exceptions[:4]:
    print(f"most weight on “{top}”, and another word mattered more: {said} …")

# %% context-read [markdown]
# ## 9 · What a vector holds, layer by layer
#
# The vectors of one word in 200 contexts: how much do they differ? At the embedding not at all.


# %% context-measure
def context_share(word):
    """Share of the word's mean square that differs between contexts, after each layer."""
    H = streams(model, contexts.word_in_contexts(word))[:, :, -1]
    return H.var(1, correction=0).sum(-1) / H.square().sum(-1).mean(1)


common = ("the", "is", ".", "在")
shares = torch.stack([context_share(word) for word in common])
line_plot(
    {word: (list(range(7)), share) for word, share in zip(common, shares, strict=True)},
    "layer",
    "share that differs",
    "One word, 200 contexts",
)

# %% context-claim
# NBVAL_CHECK_OUTPUT
start, one, middle = shares[:, 0].max(), shares[:, 1], shares[:, len(model.blocks) // 2]
claim(
    "LLM-37",
    at_start=float(start),
    after_one=float(one.min()),
    rise=float(middle.mean() / one.mean()),
)

# %% sense-read [markdown]
# TinyWorld has words of two senses. *"the bat flies at night . the **bat**"*, *"the bat hits the ball .
# the **bat**"*: the same token. A linear probe is asked which sense came before, on rows held out.


# %% sense-measure
def sense_probe(word):
    """Held-out accuracy after each layer: on unseen rows, and on an unseen sentence."""
    groups = contexts.two_senses(word)
    H = torch.cat([streams(model, group.ids)[:, :, -1] for group in groups], dim=1)
    sense, said = (torch.cat([g[i] for g in groups]) for i in (1, 2))
    order = torch.randperm(len(sense), generator=torch.Generator().manual_seed(0))
    H, sense, said = H[:, order], sense[order], said[order]
    Y, rows = 2.0 * sense[:, None] - 1, []
    for h in H:
        unseen = fit_probe(h[said == 0], Y[said == 0])(h[said == 1])
        tries = ((heldout_guess(h, Y), sense), (unseen, sense[said == 1]))
        rows.append([((g[:, 0] > 0) == (y == 1)).double().mean() for g, y in tries])
    return torch.tensor(rows)


found = torch.stack([sense_probe(word) for word in HOMONYMS])
on_rows, on_sentences = found.mean(0).T

# %% sense-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-44", at_start=float(on_rows[0]), after_two=float(on_rows[2]))

# %% sense-break
print("unseen sentence of the same sense:", [f"{x:.2f}" for x in on_sentences.tolist()])

# %% sense-read-break [markdown]
# **Break it.** Give the probe a *sentence* that it never saw, of a sense that it knows. If the line above
# stays near a half, the vector tells which words came before, and no sense in the abstract. A probe
# finds what separates its rows; what that *is*, only a held-out **kind** of row can tell. Lesson 11.

# %% own-read [markdown]
# The notes ask: *if a token gives itself little weight, does it forget itself?* A probe names the word
# from its own vector after layer 2, while every skip connection carries only r times what it did.


# %% own-measure
flow = torch.tensor(words.encode(" ".join(contexts.running_words()[:2880]))).view(-1, 24)
common_ids = flow.flatten().bincount().topk(40).indices.sort().values
of_common = torch.isin(flow.flatten(), common_ids)
label = torch.searchsorted(common_ids, flow.flatten()[of_common])


def self_info(r):
    """How often a linear probe names a word from its vector after layer 2."""
    with residual_scaled(model, r):
        h = F.normalize(streams(model, flow)[2].flatten(0, 1)[of_common], dim=1)
    half = len(h) // 2
    probe = fit_probe(h[:half], F.one_hot(label[:half], 40).float(), 1e-3)
    return float((probe(h[half:]).argmax(1) == label[half:]).double().mean())


scales = [0.0, 0.25, 0.5, 0.75, 1.0]
named = [self_info(r) for r in scales]
line_plot({"own word named": (scales, named)}, "residual r", "accuracy", "What the skip keeps")

# %% own-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-62", kept=named[-1], cut=-(-20 * named[0] // 1) / 20)  # up: the rest is the processor's

# %% own-answer [markdown]
# > **The notes' question, answered.** Yes: the residual connection adds the token back. What is kept is
# > its own *content*; its place is never added to it, since rotations enter the scores alone.

# %% unembed-play [markdown]
# ## 10 · Back to words
#
# The last vector is normed and multiplied with the head, one row for each word. **Predict.** A row that
# is twice as long as another: what does that do to its word's logit, and to its cosine? And what does
# *add to logits* do to the probabilities?

# %% unembed-panel
panels.unembed_panel()

# %% unembed-exercise [markdown]
# {exercise 10.5}
#
# <details><summary>Hint 1</summary>
#
# Norm first. Then one matrix product with the transposed table, or with the transposed head.
# </details>
# <details><summary>Hint 2</summary>
#
# What does tying save? The numbers of a second matrix of the size of E: none of them when the head is
# a matrix of its own.
# </details>


# %% exercise-10-5 tags=["exercise"]
def unembed(
    h: Float[Tensor, "*batch d"],
    E: Float[Tensor, "vocab d"],
    norm: Callable[[Tensor], Tensor],
    tied: bool,
    head: Float[Tensor, "vocab d"] | None = None,
) -> tuple[Float[Tensor, "*batch vocab"], int]:
    """(logits, saved): what the model would say after residual vectors h.

    norm is applied to h first. Tied, the logits are the dot products with the rows of E, the
    embedding table; untied, with the rows of `head`, which is then given. No bias, no softmax, no
    cosine. saved: how many numbers tying spares the model, an int: those of a second table of the
    size of E when tied, 0 when not.

    Example: h = [1., 2.], E = [[1., 0.], [0., 3.]], norm the identity, tied: ([1., 6.], 4).
    Taught in: 10_transformer.
    """
    raise NotImplementedError("replace this line by your answer")


# %% unembed-check
if check("10.5", unembed):
    with torch.no_grad(), recording(model, "blocks.5.resid_post") as seen:
        model(torch.tensor([words.encode(f"<doc> {person} lives in")]))
        logits, saved = unembed(
            seen["blocks.5.resid_post"][0, -1], model.tokens.weight, model.norm, True
        )
    print("first:", words.decode(logits.topk(3).indices), f"· tying saves {saved:,} weights")

# %% unembed-measure
with torch.no_grad(), recording(model, ["blocks.5.resid_post", "norm_final"]) as seen:
    said = model(flow[:40])
    hand = model.norm(seen["blocks.5.resid_post"]) @ model.tokens.weight.T
    h, E = seen["norm_final"].flatten(0, 1).double(), model.tokens.weight.double()
gap = ((hand - said).abs().max() / said.abs().max()).item()
shifted = ((said.double() + 7).softmax(-1) - said.double().softmax(-1)).abs().max().item()
logits, dot = said.flatten(0, 1), h @ E.T
cosine = F.normalize(h, dim=1) @ F.normalize(E, dim=1).T
ranked = logits.gather(1, dot.argsort(1)).diff(dim=1)  # must never fall, but for rounding
same_order = (ranked > -1e-3).all(1).double().mean().item()
other_first = (cosine.argmax(1) != logits.argmax(1)).double().mean().item()

# %% unembed-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-38", gap=gap, shifted=shifted)

# %% unembed-claim-dot
# NBVAL_CHECK_OUTPUT
claim("LLM-42", same_order=same_order, other_first=other_first)

# %% tied-read [markdown]
# The notes wonder (*"???"*): in Llama and Gemma, is the head the embedding table itself? Small models
# can try both: tied, untied of equal width, untied of equal size. And two real things can be asked. The
# file of SmolLM2, which is built like Llama, either names a tensor for the head or does not; and a
# Llama `config.json` says `tie_word_embeddings`, or says nothing: then its library's rule holds.

# %% tied-measure
nll = {name: over_seeds(f"head-{name}", "nll") for name in ("tied", "untied", "untied-narrow")}
weights = {name: over_seeds(f"head-{name}", "n_weight") for name in ("tied", "untied")}
V, d = len(words), small.TASKS["head-tied"].config.d_model
saved = [(b - a) / (V * d) for a, b in zip(weights["tied"], weights["untied"], strict=True)]
for name, values in nll.items():
    spread = torch.tensor(values)
    print(f"{name:14} {spread.mean():.2f} ± {2 * spread.std() / 3**0.5:.2f} nats per word")
llama = {
    "model_type": "llama",
    "vocab_size": 128_256,
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "intermediate_size": 14_336,
}
by_default = read_config(llama)[0].tie_head
try:
    print("SmolLM2-135M has a head of its own:", has_own_head())
except CourseError as missing:
    print(missing)
print("a Llama configuration that says nothing is tied:", by_default)

# %% tied-claim
# NBVAL_CHECK_OUTPUT
wide, narrow = (
    [b - a for a, b in zip(nll["tied"], nll[n], strict=True)] for n in ("untied", "untied-narrow")
)
claim(
    "LLM-41",
    by_default=[by_default] * 3,
    saved=saved,
    equal_width=wide,
    equal_size=narrow,
    cosine=over_seeds("head-untied", "cosine"),
)

# %% tied-sizes
for name, V, d, total in (
    ("SmolLM2-135M", 49_152, 576, 134.5e6),
    ("world-base", len(words), 128, 1.3e6),
    ("Llama 3.1 8B", 128_256, 4096, 8.03e9),
):
    print(f"{name:13} one table: {V * d / 1e6:6.1f} million = {V * d / total:4.0%} of its weights")

# %% tied-answer [markdown]
# > **The notes, corrected.** Not Llama in general: 1, 2, 3 and 3.1 have a head of their own. Gemma, GPT-2
# > and the small Llamas (3.2 1B and 3B) are tied. The table above shows why: in a small model a second
# > table would be a large part of everything, in an 8B model it is a small one. Untied, the rows of
# > the two matrices have nothing to do with each other (cosine near 0).

# %% price-read [markdown]
# ## 11 · The price of length
#
# > **The notes, made precise.** Attention was first an *addition* to recurrent translators (2014). What
# > "attention is all you need" (2017) kept is the part that looks at all positions at once.
#
# **Predict.** A GRU and a transformer of equal size, forward and backward. Which is quicker at 16
# tokens, and by what factor at 256?


# %% price-measure
class Recurrent(nn.Module):
    """Two GRU layers between an embedding and the same table as head."""

    def __init__(self, d_vocab=256, d=88):
        super().__init__()
        self.tokens, self.gru = nn.Embedding(d_vocab, d), nn.GRU(d, d, 2, batch_first=True)

    def forward(self, ids):
        return self.gru(self.tokens(ids))[0] @ self.tokens.weight.T


def seconds(net, n_pos, repeats=3):
    """CPU time of one step on one row, the least of a few."""
    ids, found = torch.zeros(1, n_pos, dtype=torch.long), []
    for _ in range(repeats):
        begin = time.process_time()
        net(ids).logsumexp(-1).mean().backward()
        found.append(time.process_time() - begin)
    return min(found)


# %% price-race
config = ModelConfig(256, n_layer=2, d_model=64, n_head=4, n_ctx=512)
gru, flat = Recurrent(), Transformer(config)
size = [sum(w.numel() for w in net.parameters()) for net in (gru, flat)]
seconds(gru, 16), seconds(flat, 16)  # the first call pays for much else
ratio = {T: [seconds(gru, T) / seconds(flat, T) for _ in range(5)] for T in (16, 64, 256)}
print("weights:", size, "·", {T: f"{sum(r) / 5:.1f}" for T, r in ratio.items()})

# %% price-claim
# NBVAL_CHECK_OUTPUT
claim(
    "LLM-56",
    at_256=[min(3, r) for r in ratio[256]],
    grows=[min(2, b / a) for a, b in zip(ratio[16], ratio[256], strict=True)],
)

# %% length-read [markdown]
# A GRU must finish step 255 before it begins step 256. A transformer does all positions in a few large
# products: here that saves Python's and the kernel's overhead on one core, on a GPU it fills
# thousands of cores. The other side of the coin: every pair of positions is one product more.

# %% length-source
show_source(flops)


# %% length-measure
def cost(n_pos):
    return sum(flops(config, n_pos).values())


def growth(a, b):
    return float(torch.tensor(cost(b) / cost(a)).log() / torch.tensor(b / a).log())


counter = FlopCounterMode(display=False)
with torch.no_grad(), counter, recording(flat, "blocks.*.attn.weights"):
    flat(torch.zeros(1, 64, dtype=torch.long))
head = 2 * 1000 * config.d_vocab * config.d_model  # the head is no part of a layer
per_token = (flops(config, 1000)["linear"] - head) / 1000
crossover = per_token / (flops(config, 1000)["attention"] / 1000**2) / config.d_model

# %% length-cache
start = [words.encode(f"<doc> {person}")]


def without_cache(n):
    ids = list(start[0])
    for _ in range(n):
        with torch.no_grad():
            ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    return ids


def timed(run):
    begin = time.process_time()
    return run(), time.process_time() - begin


(slow, t_slow), (quick, t_quick) = (
    timed(run)
    for run in (lambda: without_cache(80), lambda: generate(model, start, 80, temperature=0))
)
print("the same text:", slow == quick.sequences()[0], f"· {t_slow / t_quick:.0f} times quicker")

# %% length-claim
# NBVAL_CHECK_OUTPUT
claim(
    "LLM-64",
    formula=counter.get_total_flops() / cost(64),
    short=growth(16, 64),
    long=growth(2048, 8192),
    crossover=crossover,
    cache=min(3, t_slow / t_quick),
)

# %% length-recap [markdown]
# Below a length of a few times the width, the linear maps dominate and twice the text costs twice as
# much. Beyond, it goes to four times. A **KV cache** keeps keys and values: one more token then costs
# one row of scores, and not the whole square once more.

# %% recap [markdown]
# ## What to keep
#
# * BPE: bytes, then the most frequent pair, again and again. Text in a script that the merges never saw
#   costs several tokens a character.
# * Attention: softmax(q kᵀ / √d) v. By itself it reads a bag; the mask and positions give it order. A
#   causal model can even do without positions.
# * RoPE can be computed anywhere and was trained somewhere. To go further: slow the rotations, train on.
# * Heads *may* specialise. Attended is not the same as important; a probe is not the same as use.
# * The residual stream keeps a token's content; layers add context to it.
# * The head ranks by dot product. Tied in small models, usually not in large ones.
#
# **Next:** `11`, where the vectors in between are read, moved and patched.
