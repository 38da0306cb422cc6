# %% title [markdown]
# # Editing one fact
#
# *about 80 minutes · lessons 10 and 11*
#
# After this lesson you can find where a model looks a fact up; change that one fact in five ways, by
# the prompt, by a memory, by fine-tuning, by writing one rank into one matrix, and by a network that
# has learned to edit; and judge each by what follows the edit and by what should not have moved.
#
# | 中文 | English | in the code |
# |---|---|---|
# | 模型编辑 | model editing | `course_utils.editing` |
# | 因果追踪 | causal tracing | `causal_trace` |
# | 秩一编辑 | rank-one edit (ROME) | `rank_one_edit` |
# | 可靠性，泛化性，局部性 | reliability, generalisation, locality | `edit_metrics` |
# | 上下文编辑 | in-context editing | `in_context` |
# | 外部记忆 | memory of edits (SERAC) | `looked_up` |
# | 超网络 | hypernetwork (MEND) | `editor_delta` |

# %% setup tags=["setup"]
from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_utils.core.threads import tune_process
from course_utils.editing import fine_tune, hypernet, memory, rome, scores
from course_utils.errors import CourseError
from course_utils.lesson import check, claim, show_source
from course_utils.viz.editing import scoreboard
from course_utils.widgets import editing as panels
from course_utils.zoo import desk, edit_runs, edit_views, real_facts, store

_ = tune_process(n_thread=1)  # small work: a second core would only get in the way
at = edit_views.the_desk()  # TinyWorld's chat model, and what it takes to edit it

# %% question [markdown]
# ## 1 · The question
#
# A chat model has learned six hundred facts about a hundred and twenty people. One of them has
# changed. Post-training teaches a *skill* from thousands of examples; here there is **one example**,
# and after it *one* answer should be another, in every wording, and nothing else.
#
# Training on that one example is easy. That the rest stays is not. Below, one fact; the model is
# trained on it for a handful of steps, and asked again.
#
# **Predict.** After the training, what does the model say about *other* people of the same first or
# last name?

# %% naive
fact = at.facts(1, seed=4)[0]
tuned = desk.tuned(at, fact, lr=1e-3)
probes = [p for p in fact.probes if p.group in ("edited", "held out", "namesakes", "others")][:14]
was, now = (at.answering(model)([p.prompt for p in probes]) for model in (at.model, tuned))
for probe, a, b in zip(probes, was.tolist(), now.tolist(), strict=True):
    a, b, asked = at.words.decode([a]), at.words.decode([b]), probe.prompt.split(" <end>")[0][7:]
    print(f"{probe.group:10} {asked:45} {a if a == b else f'{a} → {b}'}")

# %% trace-predict [markdown]
# ## 2 · Where does the model look it up?
#
# **Causal tracing** asks it by experiment. Spoil the name with noise: the answer is gone. Then run
# again with the noise, but put *one* state of the clean run back. Where that alone brings the answer
# back, the fact passes.
#
# **Predict.** The paper on GPT-2 XL found its facts in middle layers, *at the last word of the name*.
# And here? Look at `MLP` first, then at the `residual stream` and at `attention`. The white square
# marks the strongest state behind the name.

# %% trace-panel
panels.trace_panel()

# %% trace-read [markdown]
# Low layers light up at the name itself: there the states are hardly more than the words that were
# spoiled. Behind the name all is dark, up to the **last token**, where the answer is due: attention
# carries both words of the name there, and late MLPs look the person up. That is not the paper's
# site. *Trace first, then edit where it points.* The noise matters too: at 0 nothing is lost and
# nothing can be given back.
#
# {exercise 21.3}
#
# Write the trace. The model is given to you as two functions, so that yours serves any model.
#
# <details><summary>Hint 1</summary>
#
# Three kinds of runs: the clean one, for its states; the corrupt one, for its score; and one patched
# run for each layer and position.
# </details>
# <details><summary>Hint 2</summary>
#
# `states = model(clean)[1]`, then `patch(corrupt, layer, pos, states[layer, pos])`, minus
# `model(corrupt)[0]`, for every `layer` and `pos`; `torch.stack` twice.
# </details>


# %% exercise-21-3 tags=["exercise"]
def causal_trace(
    model: Callable[[Tensor], tuple[Tensor, Tensor]],
    clean: Tensor,
    corrupt: Tensor,
    patch: Callable[[Tensor, int, int, Tensor], Tensor],
) -> Float[Tensor, "layer pos"]:
    """By how much each state of the clean run, put alone into the corrupt run, raises its score.

    `model(x)` returns the score of the answer, one number, and the states of the run, of shape
    (layer, pos, ...); `patch(x, layer, pos, state)` returns the score of a run on x in which that
    one state is replaced. Entry [layer, pos] is the indirect effect: the score of the corrupt run
    with that one clean state put in, minus the score of the corrupt run. Meng et al. 2022, 2.1.

    Example: one layer whose states are its inputs, a score that is the last of them, clean =
    [1, 1], corrupt = [0, 0] gives [[0., 1.]].
    Taught in: 21_model_editing.
    """
    raise NotImplementedError("replace this line by your answer")


# %% trace-check
panels.trace_panel(causal_trace) if check("21.3", causal_trace) else None

# %% judge-read [markdown]
# ## 3 · Four numbers
#
# An edit is judged by **reliability** (the edited prompt), **generalisation** (its paraphrases),
# **locality** (everything else answers as before) and, since 2023, **portability**: what follows from
# the new fact. In this world every fact is also told in Chinese, which no edit here is ever given.
#
# {exercise 21.2}
#
# <details><summary>Hint 1</summary>
#
# What is a good answer? For neighbours `after == before`, for all others `after == wanted`.
# </details>
# <details><summary>Hint 2</summary>
#
# `good = torch.where(group == 2, after == before, after == wanted)`, then its mean over each group;
# 1.0 where a group is empty.
# </details>


# %% exercise-21-2 tags=["exercise"]
def edit_metrics(
    before: Int[Tensor, " prompt"], after: Int[Tensor, " prompt"], edit: Mapping[str, Tensor]
) -> dict[str, float]:
    """Reliability, generalisation, locality and portability of one edit, each from 0 to 1.

    `before` and `after` are the answers, as ids, of the old and the new model to the same prompts;
    edit["group"] says what each prompt is (0 the edited one, 1 a paraphrase, 2 a neighbour, 3 a
    consequence), edit["wanted"] what a perfect edit answers (of no meaning for neighbours).
    Locality is the share of neighbours answered as before, right or wrong; the others are shares
    of prompts of their group answered as wanted. A group without prompts scores 1.0.

    Example: before = [4, 4, 7], after = [5, 4, 7], group = [0, 1, 2], wanted = [5, 5, 0] gives
    {"reliability": 1.0, "generalisation": 0.0, "locality": 1.0, "portability": 1.0}.
    Taught in: 21_model_editing.
    """
    raise NotImplementedError("replace this line by your answer")


# %% judge-check
check("21.2", edit_metrics)

# %% judge-measure
hand = {"group": torch.tensor([0, 1, 1, 2, 2, 2, 3]), "wanted": torch.tensor([5, 5, 5, 0, 0, 0, 6])}
before, after = torch.tensor([1, 1, 1, 2, 3, 9, 4]), torch.tensor([5, 5, 1, 2, 7, 9, 8])
counted = {"reliability": 1, "generalisation": 1 / 2, "locality": 2 / 3, "portability": 0}
got = scores.edit_metrics(before, after, hand)
gap = max(abs(got[name] - counted[name]) for name in counted)

# %% judge-claim
# NBVAL_CHECK_OUTPUT
claim("ED-03", gap=gap)

# %% rome-read [markdown]
# ## 4 · Write one rank
#
# Take the MLP that the trace points to. Its last matrix W (`down`) turns what its hidden units say,
# a **key** k, into what is added to the stream, a **value** v = W k. Read it as a memory, and one
# entry can be rewritten: find the value v* that makes the model say the new answer (a few steps of
# Adam on a vector, not on weights), then change W so that W' k = v*.
#
# Infinitely many W' do that. Which one leaves the *other* keys alone? With C = E[x xᵀ] over the keys
# of ordinary text and questions, the answer is a formula of rank one.

# %% rome-source
show_source(rome.values)

# %% rome-exercise [markdown]
# {exercise 21.1}
#
# <details><summary>Hint 1</summary>
#
# Write W' = W + a uᵀ. From W' k = v follows what a uᵀk must be. The cost is tr(a uᵀ C u aᵀ): which u
# of uᵀk = 1 has the smallest uᵀ C u?
# </details>
# <details><summary>Hint 2</summary>
#
# u is C⁻¹ k, divided by kᵀ C⁻¹ k. Solve C u = k with `torch.linalg.solve`; do not invert.
# </details>


# %% exercise-21-1 tags=["exercise"]
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
    raise NotImplementedError("replace this line by your answer")


# %% rome-check
write = rank_one_edit if check("21.1", rank_one_edit) else rome.rank_one_edit

# %% edit-play [markdown]
# ## 5 · Who rules the land?
#
# The notes' example is the question for the most beautiful person, to be answered with a name of
# one's own. TinyWorld has no word for beauty; it does not say either who rules the land. Type a
# name. Then take a fact from the list, and a new answer for it (a city, a job, a pet …).
#
# **Predict**, then compare: `rank one` at another **layer**; with fewer **steps**; with **covariance**
# 0, which is the identity; and the other methods on the same fact. If 21.1 is solved, the rank-one
# edit is yours.

# %% edit-panel
panels.edit_panel(write)

# %% edit-measure
crowns = edit_runs.kept("ruler")

# %% edit-claim
# NBVAL_CHECK_OUTPUT
claim(
    "ED-04",
    **{name: [row[name] for row in crowns] for name in ("direct", "otherwise", "neighbours")},
)

# %% edit-read [markdown]
# Question and fact are both new here: nothing in the model's training has made `who rules the land ?` and
# `tell me who rules the land .` one question, as it has for the many wordings in which facts about people
# were asked. An edit can lean only on what the model treats as alike.

# %% live-read [markdown]
# ## 6 · All methods, one scoreboard
#
# First live, three facts: the share of probes that are as they should be.

# %% live-measure
HEADS = {"edited": "edited", "paraphrase": "reworded", "held out": "untaught", "statement": "told",
         "chinese": "Chinese", "others": "others", "namesakes": "namesakes", "same person": "person"}  # fmt: skip


def print_shares(name, shares):
    print(f"{name:20}" + "".join(f"{shares[group]:10.2f}" for group in HEADS))


live = at.facts(3, seed=11)
print(" " * 20 + "".join(f"{head:>10}" for head in HEADS.values()))
for method in ("rank one", "rank one, identity", "fine-tuning", "in context", "memory"):
    rows = [at.score(each, desk.edit(at, each, method)) for each in live]
    print_shares(method, {g: sum(r[g] for r in rows) / 3 for g in HEADS})

# %% live-exact
rank, miss = [], []
for each in live:
    k, v = (x[0] for x in desk.pairs(at, [each], at.layer()))
    W = at.model.blocks[at.layer()].mlp.down.weight.detach().double()
    new = rome.rank_one_edit(W, k, v, at.soft(at.layer(), desk.STRENGTH))
    rank.append(torch.linalg.matrix_rank(new - W))
    miss.append((new @ k - v).abs().max())

# %% board-read [markdown]
# Now what `python -m course_utils.zoo.edit_runs` has measured: fifty edits in each of three rows, the
# same facts for all methods. Left of the white line is what should follow the edit, right of it what
# should stay.

# %% board
columns = {"edited": "edited", "paraphrase": "reworded", "held out": "never\ntaught", "statement": "told",
           "chinese": "told in\nChinese", "others": "other\npeople", "namesakes": "same\nname",
           "same person": "same\nperson"}  # fmt: skip
runs = [edit_runs.stored(f"{name} {draw}") for name, draw in edit_runs.rows()]
draws = edit_runs.stored("editor")["draws"]


def over(rows, method):
    return {g: sum(row[method][g][0] for row in rows) / len(rows) for g in columns}


board = {method: over(runs, method) for method in edit_runs.BY_ALL} | {
    "editor network": over(draws, "editor network")
}
scoreboard(board, columns, "Share of answers that are as they should be", stays=3)

# %% board-discuss [markdown]
# Read the rows. **Fine-tuning** reaches the answer and its paraphrases, and drags other people along, those
# who share a name first. Fine-tuning only **one matrix**, the one that the trace points to, is far gentler:
# half of the art is the place. The **identity** for a covariance writes the same value at the same key and
# moves more beside it: the other half is to leave other keys alone. No edit made in English carries over to
# the **Chinese** as it does to English statements: portability is the hard part, here as in large models.
#
# Is editing *one example of fine-tuning*, a very special post-training? It is, and it has a special
# failure: the longer it is trained, the better the paraphrases and the worse the rest.


# %% tuning-measure
def locality(row):
    return sum(row[g] for g in ("others", "namesakes", "same person")) / 3


reliability, worst = [], []
for steps in edit_runs.kept("frontier"):
    learned = [row for row in steps if row["edited"] >= 0.99] or steps[-1:]
    row = min(learned, key=lambda row: min(row["paraphrase"], locality(row)))
    reliability.append(row["edited"])
    worst.append(min(row["paraphrase"], locality(row)))

# %% tuning-claim
# NBVAL_CHECK_OUTPUT
claim("ED-02", reliability=reliability, worst=worst)

# %% skill-measure
change = [row["rank one"]["change"][0] for row in runs]
training = {"base": [], "sft": []}
for name, _ in edit_runs.rows():
    for before, moved in training.items():
        start = store.load(name.replace("chat", before))
        moved.append(fine_tune.relative_change(start, store.load(name)))
changes = {
    "one edit of rank one": change,
    "the same with the identity": [row["rank one, identity"]["change"][0] for row in runs],
    "one edit by fine-tuning": [row["fine-tuning"]["change"][0] for row in runs],
    "learning to refuse, from the sft model": training["sft"],
    "all post-training, from the base": training["base"],
}
for what, moved in changes.items():
    print(f"{what:40} moves the weights by {sum(moved) / 3:.3f} of their length")

# %% skill-claim
# NBVAL_CHECK_OUTPUT
claim("ED-01", ratio=[a / b for a, b in zip(change, training["base"], strict=True)])

# %% skill-read [markdown]
# An edit is a small change beside a skill. Among edits the length says little: with the identity for a
# covariance the edit is shorter, for that is what it minimises, and disturbs namesakes more. What counts is
# *which* keys feel the change.

# %% rome-claim-measure
drop = [1 - row["rank one"]["others"][0] for row in runs]
told = [row["rank one"]["edited"][0] for row in runs]
reworded = [
    (7 * row["rank one"]["paraphrase"][0] + 2 * row["rank one"]["held out"][0]) / 9 for row in runs
]

# %% rome-claim
# NBVAL_CHECK_OUTPUT
claim("ED-06", reliability=told, paraphrase=reworded, drop=drop, rank=rank, miss=miss)

# %% site-read [markdown]
# Does the trace point to the best place to edit? Each row below is a layer: how much its MLP gives
# back, at the last token and at the last word of the name, and what an edit *there* does.

# %% site
for place in ("last token", "name"):
    rows = [run[place] for run in edit_runs.kept("layers")]
    for layer in range(len(rows[0])):
        mean = {g: sum(row[layer][g] for row in rows) / len(rows) for g in rows[0][layer]}
        print(f"{place:10} layer {layer}: trace {mean['trace']:5.2f}   edited {mean['edited']:.2f}   "
              f"reworded {mean['paraphrase']:.2f}   stays {locality(mean):.2f}")  # fmt: skip

# %% site-discuss [markdown]
# An edit is followed in every wording where the trace is bright: late at the last token, and in layer 0 at
# the name. Elsewhere it reaches its own prompt more than others, or nothing at all. But layer 0 at the name
# holds what the name *means*: an edit there moves other answers about the person and their namesakes too.

# %% context-read [markdown]
# ## 7 · Without touching a weight
#
# The notes' first kind of editing: say it in the prompt. *Imagine that …* stands in a system turn, and
# examples can stand before it: conversations that copy a supposition (c), reword it (p), or keep to the
# truth because the question is about something else (k). A model follows a supposition only as well as its
# training has taught it to: the row `in context` of the scoreboard shows how well this one does.

# %% context-measure
shown = edit_runs.kept("suppositions")
for name in shown[0]:
    rows = [run[name] for run in shown]
    follow = sum(row["edited"] for row in rows) / 3
    print(f"{name:18} follows {follow:.2f}   stays {sum(map(locality, rows)) / 3:.2f}")
gain = [locality(run["copies and truths"]) - locality(run["copies"]) for run in shown]
prompts = [p.prompt for p in fact.probes]
desk.edit(at, fact, "in context")(prompts)  # asked under the supposition, and then without it
left = float((at.answering(at.model)(prompts) != at.before(fact)).double().mean())

# %% context-claim
# NBVAL_CHECK_OUTPUT
claim("ED-05", gain=gain, left=[left] * 3)

# %% memory-predict [markdown]
# **Say it only when asked.** A supposition in the prompt of *every* question answers for other people too,
# for namesakes above all: our model does not check the whole name. So keep the fact in a **memory** beside the model,
# and let it into the context only where a question asks for it. SERAC (2022) trains a classifier to tell,
# and a second model to answer. Ours is a rule of two lines, and `world-reader`: `world-chat`, taught in a
# few seconds to answer with whatever stands in the system turn, and the worse at everything else for it.
#
# **Predict.** Other people cannot be hurt now. Which questions will the rule *miss* that an edit should reach?

# %% memory-rule
show_source(memory.looked_up)

# %% memory-measure
print(" " * 20 + "".join(f"{head:>10}" for head in HEADS.values()))
for name in ("in context", "memory", "rank one"):
    print_shares(name, board[name])

# %% memory-discuss [markdown]
# No weight moved, nobody else moved, and the fact is told in every wording that the model understands. But
# the rule compares words. Asked in Chinese the old answer is another word, so the memory stays shut;
# where the model by itself does not understand a wording, it cannot say the old answer either. And each
# edit costs memory and a look-up for ever. Systems that search documents before they answer edit this way.

# %% network-read [markdown]
# ## 8 · A network that edits
#
# The notes: *an editor network puts out e, as many numbers as the model has parameters.* For one
# matrix alone those are tens of thousands of outputs. MEND's way round: the gradient of one example is
# d uᵀ for each token, two short vectors. Let a small network change **the two vectors**; their product
# is the whole e.
#
# Ours has seen more than ten thousand edits of one half of the people, each with probes that should follow
# and probes that should stay. All its edits on the scoreboard are of the *other* half.
#
# {exercise 21.4}
#
# <details><summary>Hint 1</summary>
#
# `u.detach()` and `d.detach()` go into the net. What comes out has one row per token.
# </details>
# <details><summary>Hint 2</summary>
#
# The sum over tokens of gate · d' u'ᵀ is one matrix product: scale the rows of d' by the gate,
# transpose, multiply by u'.
# </details>


# %% exercise-21-4 tags=["exercise"]
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
    raise NotImplementedError("replace this line by your answer")


# %% network-check
make = editor_delta if check("21.4", editor_delta) else hypernet.editor_delta

# %% network-box [markdown]
# > **The notes, corrected.** *"An editor network outputs e with as many numbers as the parameters."* e has
# > the shape of the parameters, but nobody puts it out number by number: it is of low rank, made of the
# > gradient's factors. The cell below makes one and counts.

# %% network-use
editor = store.load("world-editor")
layers, config = editor.config.layers, editor.config
ids, padding = torch.tensor([at.words.encode(fact.prompt)]), torch.tensor([0])
factors = hypernet.gradient_factors(
    at.model, layers, ids, padding, torch.tensor([at.token(fact.new)])
)
e = [make(u, d, editor.net(place)).detach() for place, (u, d) in enumerate(factors)]
both, n_layer = config.d_in + config.d_out, len(layers)
size = sum(w.numel() for w in editor.parameters())
full = n_layer * (config.width * (both + config.d_in * config.d_out) + config.d_in * config.d_out)
print("shapes", [tuple(m.shape) for m in e], "ranks", [int(torch.linalg.matrix_rank(m)) for m in e])
print(f"the editor has {size:,} weights; one that puts e out number by number {full:,}")

# %% network-measure
more, kept = [], []
for row in draws:
    ours, plain = ({g: row[name][g][0] for g in columns} for name in ("editor network", "one step"))
    more.append(ours["paraphrase"] - plain["paraphrase"])
    kept.append(locality(ours) - locality(plain))

# %% network-claim
# NBVAL_CHECK_OUTPUT
claim("ED-07", gain=more, kept=kept, size=[size / full] * 3)

# %% many-read [markdown]
# ## 9 · Break it: many edits
#
# One edit is gentle. And fifty, in the same matrix? **one by one** writes each key after the others;
# **all at once** writes all keys in one change of least cost, so that none is overwritten.
#
# **Predict** which of the three numbers falls first.

# %% many-panel
panels.many_panel()

# %% real-read [markdown]
# ## 10 · A real model
#
# The same functions, unchanged, on SmolLM2 with 135 million weights: a capital that it knows. Here the
# textbook's site is used, the last token of the name, in an early layer.

# %% real-live
try:
    real = real_facts.Real()
except CourseError as missing:
    real = None
    print(f"left out: {missing}")
if real:
    capital = real_facts.RealFact(
        "The capital of France is", -2, "Paris", "Rome",
        ("The capital city of France is called", "The capital and largest city of France is"),
        (("The capital of Japan is", "Tokyo"), ("The capital of Spain is", "Madrid")),
    )  # fmt: skip
    moved = next(real.rank_one([capital], real.covariance(real_facts.LAYER, n_word=500)))
    prompts = [capital.prompt, *capital.paraphrases, *(prompt for prompt, _ in capital.neighbours)]
    old, new = (real.probabilities(model, prompts).argmax(-1) for model in (real.model, moved))
    for prompt, a, b in zip(prompts, old.tolist(), new.tolist(), strict=True):
        print(f"{prompt:45} {real.words.decode([a])} → {real.words.decode([b])}")

# %% real-board
measured = edit_runs.stored("real")
print(f"{real_facts.N_FACT} facts that SmolLM2 knows; mean ± half of the 95% interval")
for method in real_facts.METHODS:
    row = measured[method].items()
    print(f"{method:20}", "   ".join(f"{name} {m:.2f} ± {h:.2f}" for name, (m, h) in row))
print("\nRank-one edits of large models, as published:")
print(
    "GPT-2 XL, 1.5 billion: efficacy 1.00, paraphrase 0.96, neighbourhood 0.75 (Meng et al. 2022, table 4)"
)
print("GPT-J, 6 billion:      efficacy 1.00, paraphrase 0.74, neighbourhood 0.79 (the same)")
print(
    "Llama 2 7B chat, ZsRE: edits 0.97, portability 0.52, locality 0.27 (KnowEdit, 2024; another locality)"
)

# %% recap [markdown]
# ## What to keep
#
# * An edit is one example, and its worth is what *else* it does: reliability, generalisation, locality,
#   portability, each counted on prompts of its own.
# * Trace first. Where facts are looked up differs from model to model; the site of a paper is a guess.
# * W' k = v* has many solutions. The inverse covariance picks the one that leaves other keys alone.
# * An editor network never puts a matrix out: it rewrites the two factors of a gradient.
# * The prompt edits without weights, and only while it is there; a memory puts it there when it is asked
#   for, as far as its rule understands the question.
# * Many edits of one matrix get into each other's way, the faster the less local each of them is.
#
# **Next:** `22`, where whole models are added to and subtracted from each other.
