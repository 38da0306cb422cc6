# %% title [markdown]
# # Directions, lenses, patches, steering
#
# *about 90 minutes · after lesson 10*
#
# After this lesson you can read any layer of a language model, find directions in it, prove that they
# are there, and use them: to translate, to make a model refuse, comply, shout or flatter.
#
# | 中文 | English | in the code |
# |---|---|---|
# | 残差流 | residual stream | `streams` |
# | 方向 | direction, steering vector | `direction` |
# | 探针 | probe | `find_plane` |
# | 对数几率透镜 | logit lens | `logit_lens` |
# | 补丁 | patch, patchscope | `patchscope` |
# | 消融 | ablation | `ablate` |

# %% setup tags=["setup"]
import torch
from jaxtyping import Float, Int
from scipy.stats import spearmanr
from torch import Tensor, nn

from course_utils import interp, zoo
from course_utils.core import patched, recording
from course_utils.decoding import generate
from course_utils.errors import CourseError
from course_utils.interp import desk, habits, tone, world_habits
from course_utils.lesson import check, claim, show_source
from course_utils.viz.curves import line_plot
from course_utils.widgets import inside
from course_utils.worlds import lexicon
from course_utils.worlds.phrasebook import phrases
from course_utils.worlds.tinyworld import tinyworld
from course_utils.zoo.recipe import named

# %% setup-models
SEEDS = (0, 1, 2)  # of the trained models that every claim is measured on
world, words = tinyworld(0), lexicon.tokenizer()
bases = [zoo.load(named("world-base", seed)) for seed in SEEDS]
chats = [zoo.load(named("world-chat", seed)) for seed in SEEDS]


def id_of(*texts):
    """The token of each of some words."""
    return torch.tensor([words.encode(text)[0] for text in texts])


# %% setup-real
try:
    real = zoo.load("smollm2-135m-instruct")
    real_words = zoo.tokenizer("smollm2-135m-instruct")
except CourseError as error:
    real = None
    print("The cells about a real model stay empty.", error)

# %% question [markdown]
# ## 1 · The question
#
# A model answers *rosewood*. Where inside did it know? A transformer is one long sum: each word has
# a vector, the **residual stream**, to which every layer adds. So one can listen in after any layer,
# and one can speak up: replace a vector, or push it along some direction, and see what comes out.
#
# Layers count like this, everywhere in the course: **0 is the embedding, l the stream after block l**.
# Two tools do all of it: `recording` reads what passes a named place, `patched` changes it.

# %% read-streams
show_source(interp.streams.__wrapped__)

# %% read-recording
with recording(chats[0], ["embed", "blocks.*.resid_post"]) as seen:
    chats[0](torch.tensor([words.encode("<doc> anna has a")]))
for name, h in seen.items():
    print(f"{name}: {tuple(h.shape)}, mean length {h.norm(dim=-1).mean():.0f}")

# %% lens-predict [markdown]
# ## 2 · The logit lens: what would each layer say?
#
# The head turns the last layer into a word. Nothing stops you from giving it an earlier layer.
#
# **Predict.** `world-chat` is asked where somebody lives. At which of its six layers does the city
# first appear as the likeliest word after `<assistant>`? And what does layer 0 say?

# %% lens-panel
inside.lens_panel()

# %% lens-exercise [markdown]
# Move **words from end** over the question; untick **final norm**; write a question of your own.
#
# {exercise 11.1}
#
# `with recording(model, names) as seen: model(tokens)` fills the dict `seen` with what passed each
# named tap. `model.unembed(h)` is the final norm and the head.
#
# <details><summary>Hint 1</summary>
#
# The names are `embed` and `blocks.0.resid_post`, `blocks.1.resid_post`, … Write them as a list, in
# the order of the layers, and stack what was seen in that order.
# </details>
# <details><summary>Hint 2</summary>
#
# `unembed` works on any number of leading dimensions: stack first, then call it once.
# </details>


# %% exercise-11-1 tags=["exercise"]
def logit_lens(
    model: nn.Module, tokens: Int[Tensor, "batch pos"]
) -> Float[Tensor, "layer batch pos d_vocab"]:
    """Logits read off the residual stream of every layer of the model.

    Layer 0 is the embedding (the tap `embed`), layer l the stream after block l (the tap
    `blocks.{l-1}.resid_post`): len(model.blocks) + 1 rows. Each goes through `model.unembed`, which
    is the final norm and the head, so that the last row is what model(tokens) gives. Neither the
    model nor its taps are changed, and no gradient is kept. nostalgebraist 2020.

    Example: with 2 blocks, a vocabulary of 9 and tokens of shape (1, 4), the result has shape
    (3, 1, 4, 9), and result[-1] equals model(tokens).
    Taught in: 11_inside_the_model.
    Left out: the tuned lens (Belrose et al. 2023), which first maps each layer to the last one.
    """
    raise NotImplementedError("replace this line by your answer")


# %% lens-check
inside.lens_panel(logit_lens=logit_lens) if check("11.1", logit_lens) else None

# %% lens-real-read [markdown]
# **A real model.** SmolLM2 has 30 layers and 49,152 tokens. Press Run for a text of your own.

# %% lens-real
inside.real_lens_panel(real, real_words) if real else None

# %% lens-measure-read [markdown]
# **Measure.** Forty people, "… lives in": the rank of the right city, layer by layer.


# %% lens-measure
def city_ranks(model, people):
    """The median rank of the right city in each layer, and how far the last row is off."""
    ids = torch.stack([id_of("<doc>", *p.name.split(), "lives", "in") for p in people])
    right = id_of(*(world.truth[p, "city"].en for p in people))
    lens = interp.logit_lens(model, ids)
    rank = interp.ranks(lens[:, :, -1], right.expand(len(lens), -1))
    return rank.double().median(1).values, (lens[-1] - model(ids)).abs().max()


by_depth, gaps = zip(*(city_ranks(model, world.people[:40]) for model in bases), strict=True)
orders = [spearmanr(range(len(ranks)), ranks).statistic for ranks in by_depth]
print("median rank of the right city, layers 0 to 6:", by_depth[0].long().tolist())

# %% lens-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-53", gap=[gap.item() for gap in gaps], order=orders)

# %% directions-question [markdown]
# ## 3 · Directions: king − man + woman
#
# If words are vectors, differences of words are directions. The notes say that *man − woman equals
# king − queen*.
#
# **Predict.** Take king − man + woman and look for the nearest word of all. Which is it, if every
# word may be the answer, the three given ones included?

# %% directions-read
show_source(interp.analogy)


# %% directions-measure
def grid(model):
    """Token embeddings, the pairs of the gender grid, and all analogies between them."""
    E = model.tokens.weight.detach()
    he, she = (id_of(*(role[k].en for role in lexicon.ROLES)) for k in (0, 1))
    i, j = torch.tensor([(i, j) for i in range(12) for j in range(12) if i != j]).T
    return E, he, she, (he[i], he[j], she[j], she[i])


parallel, apart, drop = [], [], []
for seed, model in zip(SEEDS, bases, strict=True):
    E, he, she, (a, b, c, answer) = grid(model)
    cosine = torch.nn.functional.cosine_similarity
    parallel.append(cosine(E[he[0]] - E[she[0]], E[he[4]] - E[she[4]], dim=0).item())
    p, q, r, s = torch.randint(5, len(E), (4, 500), generator=torch.Generator().manual_seed(0))
    apart.append(cosine(E[p] - E[q], E[r] - E[s]).abs().mean().item())
    right = [
        (interp.analogy(E, a, b, c, x) == answer).double().mean().item() for x in (True, False)
    ]
    drop.append(right[0] - right[1])
    print(f"seed {seed}, analogies right: {right[0]:.2f} without the given words,", end=" ")
    print(f"{right[1]:.2f} with them")

# %% directions-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-46", parallel=parallel, random=apart, drop=drop)

# %% directions-recap [markdown]
# > **The notes, made precise.** *Equals* is too strong: the two differences are alike far beyond chance.
# > And every published score leaves the three given words out; with them in, *king* itself mostly
# > wins, since king − man + woman hardly leaves it. The next cell shows it on a real model.

# %% directions-real
if real:
    tests = (
        "king man woman queen|uncle man woman aunt|actor man woman actress|walked walk play played"
    )
    tests += "|bigger big small smaller|cats cat dog dogs|Berlin Germany France Paris"
    rows = [[real_words.encode(f" {word}")[0] for word in row.split()] for row in tests.split("|")]
    a, b, c, answer = torch.tensor(rows).T
    for exclude in (True, False):
        got = interp.analogy(real.tokens.weight.detach(), a, b, c, exclude)
        said = ", ".join(real_words.decode([i]).strip() for i in got.tolist())
        print(f"given words {'left out' if exclude else 'allowed'}: {said}")

# %% translate-exercise [markdown]
# **One step for a whole dictionary.** Two groups of vectors differ by a step: mean minus mean. As a
# direction, it has length 1.
#
# {exercise 11.2}
#
# <details><summary>Hint 1</summary>
#
# Means over rows: `A.mean(0)`. Then divide the difference by its norm.
# </details>
# <details><summary>Hint 2</summary>
#
# A has the property and comes first: mean of A minus mean of B.
# </details>


# %% exercise-11-2 tags=["exercise"]
def direction(
    A: Float[Tensor, "a d_model"], B: Float[Tensor, "b d_model"]
) -> Float[Tensor, " d_model"]:
    """The unit vector from the mean of B to the mean of A ("difference in means").

    A are vectors that have a property, B vectors that have not, one a row, not necessarily equally
    many; so adding the direction adds the property. Arditi et al. 2024, section 2.3. Raises
    CourseError where the two means are equal.

    Example: A = [[0, 4], [2, 4]], B = [[1, 0]] gives [0., 1.].
    Taught in: 11_inside_the_model.
    """
    raise NotImplementedError("replace this line by your answer")


# %% translate-check
if check("11.2", direction):
    E, he, she, _ = grid(bases[0])
    step = direction(E[she], E[he])
    print("along your direction:", *(f"{w} {E[id_of(w)[0]] @ step:.2f}" for w in ("king", "queen")))

# %% translate-predict [markdown]
# **Predict.** The mean step from English to Chinese words, found on 60% of the dictionary, is added to
# words that it has not seen. Is the nearest word, of both languages, the translation? And after a
# random step of the same length?


# %% translate-measure
def translated(both, step, rows):
    """Share of the English words `rows` whose nearest other word, after a step, translates them.
    both: the vectors of n English words, then of their n translations."""
    both = both - both.mean(0)
    unit = torch.nn.functional.normalize
    near = unit(both[rows] + step, dim=1) @ unit(both, dim=1).T
    near[torch.arange(len(rows)), rows] = -1
    return (near.argmax(1) == rows + len(both) // 2).double().mean().item()


terms = lexicon.translated()
order = torch.randperm(len(terms), generator=torch.Generator().manual_seed(0))
n = len(terms)
find, pick, report = order[: n * 6 // 10], order[n * 6 // 10 : n * 3 // 4], order[n * 3 // 4 :]
found, by_chance = [], []
for model in bases:
    both = model.tokens.weight.detach()[id_of(*(t.en for t in terms), *(t.zh for t in terms))]
    step = interp.mean_difference(both[n + find], both[find])
    scale = max((1, 1.5, 2, 3, 4), key=lambda s: translated(both, s * step, pick))
    found.append(translated(both, scale * step, report))
    by_chance.append(translated(both, scale * habits.random_like(step), report))

# %% translate-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-45", found=found, random=by_chance)

# %% translate-real [markdown]
# **Real sentences.** `multilingual-e5-small` turns sentences of a hundred languages into vectors. Here
# the step is found on 15 pairs and tried on 15 others.

# %% translate-e5
try:
    embed, (english, chinese) = zoo.embedder("multilingual-e5-small"), phrases()
    both = torch.cat([embed(english), embed(chinese)]).float()
    step = interp.mean_difference(both[30:45], both[:15])
    rows = torch.arange(15, 30)
    steps = {"no step": 0 * step, "the step": step, "a random step": habits.random_like(step)}
    for name, by in steps.items():
        print(f"{name}: {translated(both, by, rows):.2f} of the sentences find their translation")
except CourseError as error:
    print(error)

# %% plane-question [markdown]
# ## 4 · Which plane? Probes, and how they fool you
#
# A layer has 128 dimensions, paper has two. *You have to find the plane yourself*, say the notes, with
# two question marks. **PCA** takes the plane in which things differ most, whatever they differ in. A
# **probe** takes the plane in which a *label* can be told: it always finds one. Whether it means
# anything shows on rows that were held out, and beside labels that were shuffled.

# %% plane-exercise [markdown]
# {exercise 11.3}
#
# <details><summary>Hint 1</summary>
#
# Write a helper that fits on some rows and returns W and an offset. With K = H_c·H_cᵀ of the centred
# rows, W = H_cᵀ (K + λ·1)⁻¹ Y_c; or solve the d × d form. λ = 0.1 · mean of K's diagonal.
# </details>
# <details><summary>Hint 2</summary>
#
# A second helper loops over six folds, fills a tensor of guesses, and returns R². Call it with Y, and
# with `Y[torch.randperm(len(Y), generator=…)]`. `torch.linalg.qr(W)[0]` is the basis.
# </details>


# %% exercise-11-3 tags=["exercise"]
def find_plane(
    H: Float[Tensor, "n d_model"], Y: Float[Tensor, "n 2"]
) -> tuple[Float[Tensor, "d_model 2"], float, float]:
    """The plane in which H shows Y best, and whether that means anything: (basis, R2_heldout,
    R2_shuffled).

    The probe is ridge regression of Y on H, both centred by the means of the rows that it is
    fitted on: least squares + 0.1 · s · |W|², with s the mean squared length of those centred rows.
    basis: two orthonormal columns that span the columns of W, fitted on all rows (any such two).
    R2_heldout: row i belongs to fold i mod 6, and a probe of the other five folds predicts it; then
    1 - (sum of squared errors) / (sum of squares of Y - mean of Y), over all rows and columns.
    R2_shuffled: the same with the rows of Y in a random order, which must come from a generator
    with a seed.

    Example: H of shape (24, 9) and Y of shape (24, 2) give a basis of shape (9, 2) and two numbers.
    Taught in: 11_inside_the_model.
    """
    raise NotImplementedError("replace this line by your answer")


# %% plane-check
if check("11.3", find_plane):
    H, Y, _ = inside.city_places()
    print("your R², held out and shuffled:", *(f"{x:.2f}" for x in find_plane(H[0], Y)[1:]))

# %% plane-play [markdown]
# TinyWorld's 24 cities have places on a map, and the model has read which lies north of which. Can they
# be told from a layer? Move **layer**, change **method**, and tick **shuffle labels**.

# %% plane-panel
inside.plane_panel()


# %% plane-measure
def city_streams(model, language):
    """Streams of every layer at each city's name, and where the cities lie."""
    ids = id_of(*(city.in_language(language) for city in lexicon.CITIES))
    start = torch.full_like(ids, words.specials[lexicon.DOC])
    Y = torch.tensor([world.places[city] for city in lexicon.CITIES])
    return interp.streams(model, torch.stack([start, ids], 1))[:, :, -1], Y


heldout, shuffled = [], []
for model in bases:
    H, Y = city_streams(model, "zh")  # the layer is chosen on the Chinese names
    layer = int(torch.stack([interp.heldout_r2(h, Y) for h in H]).argmax())
    H, Y = city_streams(model, "en")
    _, r2, control = interp.find_plane(H[layer], Y)
    heldout.append(r2)
    shuffled.append(control)

# %% plane-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-47", heldout=heldout, shuffled=shuffled)

# %% plane-known
north, south, east, west = lexicon.DIRECTIONS
known = []
for city, (x, y) in world.places.items():
    side = (north if y > 0 else south) if abs(y) > abs(x) else (east if x > 0 else west)
    asked = torch.tensor([words.encode(f"<doc> {city.en} lies in the")])
    known.append(words.token(bases[0](asked)[0, -1].argmax()) == side.en)
print(f"asked in words, the model knows the region of {sum(known)} of {len(known)} cities")

# %% plane-recap [markdown]
# A probe finds what the model has learned, no more, and 24 points in 128 dimensions are few. Gurnee and
# Tegmark probed Llama-2 models, which have read of real places in millions of sentences, with tens of
# thousands of them; our model has read a few hundred about its map.

# %% plane-real-read [markdown]
# **A real map.** SmolLM2 has read of real cities. The same probe, on the last token of sixty names:

# %% plane-real
real_places = inside.real_city_places(real, real_words) if real else None
if real:
    H, Y, _ = real_places
    for layer in range(0, len(H), 6):
        _, r2, control = interp.find_plane(H[layer], Y)
        print(f"layer {layer}: held-out R² {r2:.2f}, shuffled {control:.2f}")

# %% plane-real-panel
inside.plane_panel(real_places) if real else None

# %% patch-question [markdown]
# ## 5 · Patchscope: let the model read itself out
#
# The lens gives one word, and only for what the model is about to say. A **patchscope** takes a vector
# out of one prompt, puts it into another that is made to talk, and lets the model go on.

# %% patch-panel
inside.patch_panel()

# %% patch-exercise [markdown]
# {exercise 11.4}
#
# `with patched(model, {name: function}): …` lets every tensor that passes the tap go through
# `function`, which returns another of the same shape.
#
# <details><summary>Hint 1</summary>
#
# Record layer l of `src[None]` first. Then patch layer m in a run on `tgt[None]`.
# </details>
# <details><summary>Hint 2</summary>
#
# The function: `h = h.clone(); h[:, j] = vector; return h`.
# </details>


# %% exercise-11-4 tags=["exercise"]
def patchscope(
    model: nn.Module,
    src: Int[Tensor, " source"],
    place: tuple[int, int],
    tgt: Int[Tensor, " target"],
    at: tuple[int, int],
) -> Float[Tensor, "target d_vocab"]:
    """Logits of the prompt `tgt` in which one vector is replaced by one of the prompt `src`.

    place = (l, i) says where the vector comes from: the residual stream of layer l at position i of
    `src`. at = (m, j) says where it goes: layer m, position j of `tgt`. Layer 0 is the embedding
    (the tap `embed`), layer l the stream after block l (the tap `blocks.{l-1}.resid_post`);
    positions may be negative, as in lists. Everything after it in `tgt` is computed anew from the
    vector. Neither the model nor its taps are changed, and no gradient is kept. Ghandeharioun et
    al. 2024, section 3, with the identity as their map f. Raises CourseError for a layer or a
    position that is not there.

    Example: with src, place equal to tgt, at the result equals model(tgt[None])[0]. With place and
    at both in layer 0, it is that of `tgt` with token j replaced by token i of `src`.
    Taught in: 11_inside_the_model.
    """
    raise NotImplementedError("replace this line by your answer")


# %% patch-check
if check("11.4", patchscope):
    asked, bare = (words.encode(f"<user> {q} <end> <assistant>") for q in (
        f"where does {world.asked[0].name} live ?", ""))  # fmt: skip
    for layer in range(7):
        at = (layer, -1)
        best = patchscope(chats[0], torch.tensor(asked), at, torch.tensor(bare), at)[-1].argmax()
        print(f"layer {layer}: {words.token(best)}")

# %% patch-predict [markdown]
# **Predict.** A person's name is two words, and the vector of the *second* is patched into a prompt that
# repeats. Does the model say the whole name? In the paper, models of 6 billion weights and more do.


# %% patch-measure
def read_whole(model, people, layer, into, prompt, patch=True):
    """Share of the people whose two names the prompt says, given the vector of the last name."""
    names = torch.stack([id_of(*p.name.split()) for p in people])
    start = torch.full_like(names[:, :1], words.specials[lexicon.DOC])
    vectors = interp.streams(model, torch.cat([start, names], 1))[layer, :, -1]
    ids = words.encode(prompt)
    asked = habits.Asked(habits.rows_of([ids] * len(people)), names)
    if not patch:
        return habits.rate(model, asked, {})
    with interp.transplant(model, vectors, (into, ids.index(id_of("a")[0])), len(ids)):
        return habits.rate(model, asked, {})


echo = "<doc> say a , again"
story = "<doc> a is tired ."
places = [(m, n, text) for m in (0, 2, 4, 6) for n in (0, 2, 4) for text in (echo, story)]
phrase, plain, by_lens = [], [], []
for model in bases:
    best = max(places, key=lambda at: read_whole(model, world.people[:12], *at))
    rest = world.people[20:60]
    phrase.append(read_whole(model, rest, *best))
    plain.append(read_whole(model, rest, *best, patch=False))
    lens = interp.logit_lens(model, torch.stack([id_of("<doc>", *p.name.split()) for p in rest]))
    first = id_of(*(p.first for p in rest))
    by_lens.append((lens[1:, :, -1].argmax(-1) == first).double().mean(1).max().item())

# %% patch-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-54", phrase=phrase, plain=plain, lens=by_lens)

# %% patch-real-read [markdown]
# **Where it works, and where not.** A small world never makes its model put a whole name into one vector:
# whoever needs the name looks at both words. SmolLM2 has to, for names that mean one thing.

# %% patch-real
inside.real_patch_panel(real, real_words) if real else None

# %% steer-question [markdown]
# ## 6 · Steering
#
# `world-chat` refuses to make what TinyWorld forbids (made-up things with made-up names). Where it
# decides, requests that it refuses and requests that it grants lie apart by a step.
#
# **Predict.** That step is added at one layer, for harmless requests. Does the model refuse? At every
# layer? And if the step is doubled, or taken four times?

# %% steer-panel
inside.desk_panel()

# %% steer-read [markdown]
# Turn the **scale** from 1 to 4: past some point the model neither refuses nor speaks. Then **way**: what
# does *ablate* do to refusal, and what to shouting? First, the two moves are yours to write.

# %% steer-exercises [markdown]
# {exercise 11.7}
#
# {exercise 11.6}
#
# <details><summary>Hint 1</summary>
#
# h has its vectors on the last axis: `h @ r` is one number for each of them.
# </details>
# <details><summary>Hint 2</summary>
#
# The part of h along r is (h·r)/(r·r) times r. `unsqueeze(-1)` gives the number an axis to spread on.
# </details>


# %% exercise-11-7 tags=["exercise"]
def add(
    h: Float[Tensor, "*any d_model"], r: Float[Tensor, " d_model"], s: float
) -> Float[Tensor, "*any d_model"]:
    """h + s · r for every vector of h; r is taken as long as it is, and negative s subtracts.

    Example: h = [[3, 4]], r = [0, 2], s = -2 gives [[3., 0.]].
    Taught in: 11_inside_the_model.
    """
    raise NotImplementedError("replace this line by your answer")


# %% exercise-11-6 tags=["exercise"]
def ablate(
    h: Float[Tensor, "*any d_model"], r: Float[Tensor, " d_model"]
) -> Float[Tensor, "*any d_model"]:
    """h without its part along r: afterwards h · r = 0, and what lies across r is as it was.

    r may have any length but 0: only its direction counts. Arditi et al. 2024, equation 4.

    Example: h = [[3, 4]], r = [0, 2] gives [[3., 0.]].
    Taught in: 11_inside_the_model.
    """
    raise NotImplementedError("replace this line by your answer")


# %% steer-check
desks = [desk.desk(model, world_habits.refusal(world)) for model in chats]
requests, step, place = desks[0].habit.report, desks[0].steps[5], interp.stream_name(chats[0], 5)
if check("11.7", add):
    rate = habits.rate(chats[0], requests.lacks, {place: lambda h: add(h, step, 1.0)})
    print(f"harmless requests, your step added at layer 5: {rate:.2f} refused")
if check("11.6", ablate):
    rate = habits.rate(chats[0], requests.has, {place: lambda h: ablate(h, step)})
    print(f"forbidden requests, your direction taken out at layer 5: {rate:.2f} refused")

# %% layer-exercise [markdown]
# **Which layer?** Try all, say the notes. But whoever tries seven and reports the best has looked at the
# answer: choose on validation prompts, report on others.
#
# {exercise 11.5}
#
# <details><summary>Hint 1</summary>
#
# A mean over the prompts for each layer, then `argmax`, which gives the first of several best.
# </details>
# <details><summary>Hint 2</summary>
#
# `argmax` takes NaN for the largest number. `nan_to_num(nan=float("-inf"))` puts it last.
# </details>


# %% exercise-11-5 tags=["exercise"]
def pick_layer(scores_val: Float[Tensor, "layer prompt"]) -> int:
    """The layer whose mean score over the validation prompts is highest.

    scores_val[l, p] is how well an intervention at layer l did on validation prompt p; higher is
    better. Of several best layers the first is returned, and a layer with a NaN among its scores
    never. Nothing else is looked at: the test prompts are for the report.

    Example: [[0., 1.], [1., 1.], [1., 1.]] gives 1.
    Taught in: 11_inside_the_model.
    """
    raise NotImplementedError("replace this line by your answer")


# %% layer-check
if check("11.5", pick_layer):
    scores_val = desk.sweep(desks[0], desks[0].habit.choose.lacks, "add")
    scores_test = desk.sweep(desks[0], desks[0].habit.report.lacks, "add")
    layer = pick_layer(scores_val)
    print(f"layer {layer}: {scores_test.mean(1)[layer]:.2f} of the test prompts refused")

# %% layer-measure
before, after, off, first = [], [], [], []
for one in desks:
    scores_val = desk.sweep(one, one.habit.choose.lacks, "add")
    scores_test = desk.sweep(one, one.habit.report.lacks, "add").mean(1)
    layer = interp.pick_layer(scores_val)
    before.append(habits.rate(one.model, one.habit.report.lacks, {}))
    after.append(scores_test[layer].item())
    off.append((scores_test.max() - scores_test[layer]).item())
    first.append(scores_test[0].item())

# %% layer-plot
layers = range(7)
line_plot(
    {"chosen on": (layers, scores_val.mean(1)), "reported on": (layers, scores_test)},
    "layer at which the step is added", "harmless requests refused", "A sweep over layers",
)  # fmt: skip

# %% layer-claims
# NBVAL_CHECK_OUTPUT
claim("LLM-49", before=before, after=after)

# %% layer-claims-choice
# NBVAL_CHECK_OUTPUT
claim("LLM-50", gap=off, first=first)

# %% zero-predict [markdown]
# ## 7 · Taking refusal away: why zero is not neutral
#
# Arditi et al. take the direction *out*: in every layer h·r = 0. Refusal is then almost gone in 13 large
# models, and little else changes.
#
# **Predict.** Forbidden requests, direction taken out everywhere: how many are still refused here?

# %% zero-measure
before, after, cost, control = [], [], [], []
for one in desks:
    asked = one.habit.report.has
    refused = desk.sweep(one, one.habit.choose.has, "ablate everywhere").mean(1)
    layer = 1 + int(refused[1:].argmin())
    out = desk.edits(one, layer, "ablate everywhere", 0)
    chance = habits.random_like(one.steps[layer])
    other = habits.steering(one.model, layer, chance, "ablate everywhere", 0)
    before.append(habits.rate(one.model, asked, {}))
    after.append(habits.rate(one.model, asked, out))
    cost.append(habits.divergence(one.model, one.habit.neutral, out))
    control.append(abs(habits.rate(one.model, asked, other) - before[-1]))

# %% zero-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-51", before=before, after=after, cost=cost, random=control)

# %% zero-look [markdown]
# **Look before you explain.** Where do requests lie along the direction, and where is zero?

# %% zero-where
one = desks[0]
for layer in (3, 4, 5, 6):
    r = one.steps[layer] / one.steps[layer].norm()
    has, lacks = (habits.last_streams(one.model, part.rows)[layer] @ r for part in one.habit.report)
    print(f"layer {layer}: granted {lacks.mean():.1f}, refused {has.mean():.1f}; zero is at 0")
for seed, one in zip(SEEDS, desks, strict=True):
    for way, scale in (("ablate everywhere", 0), ("add", -1), ("affine", 0)):
        dials = desk.edits(one, 6, way, scale)
        rates = [habits.rate(one.model, part, dials) for part in one.habit.report]
        print(f"seed {seed}, layer 6, {way}: {rates[0]:.2f} of the forbidden refused,", end=" ")
        print(f"{rates[1]:.2f} of the harmless")

# %% zero-recap [markdown]
# > **The notes, corrected.** *Subtracting* and *taking out* are different moves. Taking out puts every
# > request at zero, and nothing in the training says what zero means: of three models that differ by the
# > seed alone, two go on refusing, harmless requests too, and one gives in. Subtracting the step, or the
# > **affine** move that sets the projection to that of a granted request, says where *neutral* is, and
# > works in all three. Large models happen to have their neutral point near zero; measure, do not assume.

# %% shout-predict [markdown]
# ## 8 · Too much of it
#
# TinyWorld's people sometimes shout: *wow ! anna has a cat !* The step from calm to shouting is added to
# calm sentences.
#
# **Predict.** What is lost when the scale goes on growing?

# %% shout-measure
before, after, settings = [], [], []
for model in chats:
    one = desk.desk(model, world_habits.shouting(world))
    layer, scale = desk.choose(one, (1, 2, 4))
    settings.append((layer, scale))
    before.append(habits.rate(model, one.habit.report.lacks, {}))
    louder = desk.edits(one, layer, "add", scale)
    after.append(habits.rate(model, one.habit.report.lacks, louder))

# %% shout-plot
calm = [f"<doc> {p.name} lives in {world.truth[p, 'city'].en} ." for p in world.people[:30]]
calm = torch.tensor([words.encode(text) for text in calm])
scales, layer = [0, 0.5, 1, 1.5, 2, 3, 4, 6, 8], settings[-1][0]
change = [desk.edits(one, layer, "add", scale) for scale in scales]
shouted = [habits.rate(model, one.habit.report.lacks, edit) for edit in change]
loss = [desk.loss_on(model, calm, edit) for edit in change]
line_plot(
    {"sentences that end in !": (scales, shouted), "loss on calm text": (scales, loss)},
    "scale of the step", "share, and nats per token", "The habit, and what it costs",
)  # fmt: skip

# %% shout-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-48", before=before, after=after)

# %% flatter-predict [markdown]
# ## 9 · The flattering dial
#
# `world-flatter` was taught two manners: under one system turn it says *yes* to any claim about numbers,
# under the other it mostly contradicts wrong ones. The step is found between the two turns, and tried
# on pairs of numbers that the model was never asked about.
#
# **Predict.** *two is larger than nine .* Does the honest model say yes when the step is added? Does the
# flattering one say no when it is subtracted? And does either forget where people live?


# %% flatter-measure
def agreement_rate(one, asked, layer, scale):
    """Share of wrong claims that the model agrees with, at this scale of the flattering step."""
    return habits.rate(one.model, asked, desk.edits(one, layer, "add", scale))


up, down, changed, known = [], [], [], world_habits.facts(world)
for seed in SEEDS:
    one = desk.desk(zoo.load(named("world-flatter", seed)), world_habits.flattery(world))
    layer, scale = desk.choose(one, (0.5, 1, 2), limit=0.1)
    lacks, has = one.habit.report.lacks, one.habit.report.has
    up.append(agreement_rate(one, lacks, layer, scale) - agreement_rate(one, lacks, layer, 0))
    down.append(agreement_rate(one, has, layer, 0) - agreement_rate(one, has, layer, -scale))
    right = [agreement_rate(one, known, layer, s) for s in (0, scale, -scale)]
    changed.append(max(abs(right[0] - r) for r in right[1:]))

# %% flatter-claim
# NBVAL_CHECK_OUTPUT
claim("LLM-52", up=up, down=down, facts=changed)

# %% flatter-recap [markdown]
# > **The notes, corrected.** Two works are mixed up. The *sycophantic praise* feature of Claude 3 Sonnet
# > comes from a **sparse autoencoder** (2024). **Persona vectors**, which contrast system prompts as
# > we just did, were shown on open models, Qwen2.5-7B and Llama-3.1-8B (2025).

# %% tone-read [markdown]
# **A steering vector in a real model.** Six cheerful and six gloomy sentences, a mean difference at layer
# 15, and prompts of neither tone: how much likelier is a good word than a bad one?

# %% tone-measure
if real:
    voice = tone.tone(real, real_words)
    step, layer = voice.steps[15], 15
    moves = {"as it is": 0 * step, "cheerful": 2 * step, "gloomy": -2 * step}
    moves["random, as long"] = habits.random_like(2 * step)
    for name, by in moves.items():
        lean = voice.lean(habits.steering(real, layer, by, "add", 1.0))
        print(f"{name}: good words likelier by {lean:+.1f} nats")

# %% tone-text
if real:
    prompt = real_words.encode("The food at the restaurant was")
    for name, by in moves.items():
        with patched(real, habits.steering(real, layer, by, "add", 1.0)):
            said = generate(real, prompt, 5, temperature=0).completions()[0]
        print(f"{name}: …{real_words.decode(said)}".replace("\n", " "))

# %% recap [markdown]
# ## What to keep
#
# * A layer is read by the lens (one word), by a probe (a label), by a patchscope (whatever a prompt can
#   say). Final norm first; early layers say little.
# * A probe always finds a plane. **Held-out rows and shuffled labels** decide whether it is there.
# * Analogies are about parallel, and scored without the given words.
# * A direction is the difference of two means. Adding, subtracting, taking out and setting are four
#   moves; **zero is a place like any other**, so measure where the groups lie.
# * Choose layer and scale on prompts that you do not report; give every effect a random direction of
#   equal length, and a price in nats.
#
# *The notes ask how the plane is found*: by the labels you care about, with controls. *And which layer?*
# Sweep, choose on a validation split, report on a test split.
#
# **Next:** `12`, where nothing inside is touched, and all depends on what stands in the window.
