# %% title [markdown]
# # Learning to reason: imitation and reinforcement
#
# *about 100 minutes · before it: `15` to `18`, or: you know what a language model, a policy and a sample are*
#
# After this lesson you can make a model imitate reasoning, its own, a larger one's, or a search with
# mistakes in it; train one by rewards that are rules; walk the way of DeepSeek-R1 from its base to
# its final model, in miniature; and say what reinforcement can and cannot add.
#
# | 中文 | English | in the code |
# |---|---|---|
# | 模仿学习，蒸馏 | imitation, distillation | `rejection_sample` |
# | 回溯 | backtracking | `backtrack_trace` |
# | 奖励 | reward | `accuracy_reward`, `format_reward` |
# | 优势，基线 | advantage, baseline | `grpo_advantages` |
# | 奖励作弊 | reward hacking | `any_answer_reward` |
# | 多数投票 | majority vote | `cons` |

# %% setup tags=["setup"]
import random
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from scipy.stats import spearmanr
from torch import Tensor

from course_utils.core.threads import tune_process
from course_utils.lesson import check, claim, show_source
from course_utils.rl import advantages, objective, solving, surrogates
from course_utils.viz.curves import line_plot
from course_utils.widgets.reasoning import (
    factory_panel,
    grpo_panel,
    pipeline_panel,
    sharper_panel,
    zero_panel,
)
from course_utils.worlds import orders
from course_utils.zoo import reasoning, reasoning_trials, store
from course_utils.zoo.reasoning_runs import over_seeds
from course_utils.zoo.recipe import SEEDS, named

_ = tune_process(n_thread=1)  # a net as small as this: a second core would only get in the way

# %% question [markdown]
# ## 1 · The question
#
# Lesson `18` left the model as it was and spent more on each answer. Here the model itself learns to
# reason. Ours has 28 000 parameters and solves sums of three steps, of which it keeps the last digit.
# It has read a textbook, and then a great many careless texts: false steps, missing tags, guesses,
# English and Chinese mixed.


# %% question-see
weak = reasoning_trials.base(0)
sums = reasoning.test_sums()
for asked, texts in zip(sums[:3], solving.solutions(weak, sums[:3], 3, seed=4), strict=True):
    print(f"{asked.prompt}    (right: {asked.gold})")
    print(*(f"      {text}" for text in texts), sep="\n")
print(f"right in {store.card('reason-base')['metrics']['pass_1']['value']:.0%} of its samples")

# %% question-predict [markdown]
# **Predict.** Nobody will show it a single new solution. It will only be told *right* or *wrong*, for about
# 11 000 samples of its own. How often will it be right then? And how can that be, with nothing new to read?

# %% imitate-intro [markdown]
# ## 2 · Imitation
#
# The plain way to reasoning: fine-tune on texts that contain it. Two models of lesson `18` saw the
# same sums of up to eight steps. One imitated every step, the other only the answers, and was given
# three times as many tokens, the questions counted.


# %% imitate-measure
def metric(name, key, seed):
    """A number from the card of a shipped model."""
    return store.card(named(name, seed))["metrics"][key]["value"]


def metrics(name, key):
    return [metric(name, key, seed) for seed in SEEDS]


traces, answers = (metrics(f"calc-{kind}", "accuracy_8_steps") for kind in ("large", "direct"))
gap = [a - b for a, b in zip(traces, answers, strict=True)]

# %% imitate-claim
# NBVAL_CHECK_OUTPUT
claim("REA-19", gap=gap)

# %% factory-play [markdown]
# But who writes the traces? **The model itself**: draw many, keep those whose answer matches the label.
#
# **Predict.** Set the filter to *the right answer*. Of the solutions that it keeps, how many are right by
# luck, with a false step or with no steps at all? Then look at one. (A step is also false where it bears the
# wrong letter.)

# %% factory-panel
factory_panel()

# %% factory-read [markdown]
# > **The notes, made precise.** *"Keep the chains whose label matches."* That also keeps wrong reasoning
# > with a lucky answer: `times 5` turns every even number into 0 and so forgives a slip before it, and
# > a guess is right one time in ten. A check of every step (a rule here, a verifier elsewhere) removes
# > those. The claim below measures it, and what it does to the student.

# %% rejection-exercise [markdown]
# {exercise 19.1}
#
# <details><summary>Hint 1</summary>
#
# `drawn = [model(problem) for _ in range(k)]` draws; what is left is to drop copies and to check.
# </details>
# <details><summary>Hint 2</summary>
#
# `dict.fromkeys(drawn)` drops copies and keeps the order. `right[:None]` is all of `right`.
# </details>


# %% exercise-19-1 tags=["exercise"]
def rejection_sample(
    model: Callable, problems: Sequence, k: int, check: Callable, balance: int | None = None
) -> list[tuple]:
    """Solutions to imitate: drawn from the model itself, and kept where they hold.

    For each problem, in order, call `model(problem)` exactly `k` times; each call draws one
    solution, a string. Keep those for which `check(problem, solution)` is true, each once, in the
    order of drawing. `balance` keeps at most so many for each problem, the first ones, so that easy
    problems do not crowd out hard ones. Returns (problem, solution) pairs.

    Example: a model that says "7", "8", "7" to "3 + 4", and k = 3, gives [("3 + 4", "7")].
    Zelikman et al. 2022 (STaR), section 3.1. Taught in: 19_learning_to_reason.
    """
    raise NotImplementedError("replace this line by your answer")


# %% rejection-use [markdown]
# **Check it, then teach the base with it.** Once solved, your function collects what the base gets right
# on 200 new sums, and the base imitates that for 60 steps (about three seconds).

# %% rejection-check
if check("19.1", rejection_sample):
    rng = random.Random(7)
    new_sums = [reasoning.reasoning.a_sum(rng) for _ in range(200)]
    drawn = {
        s: iter(row) for s, row in zip(new_sums, solving.solutions(weak, new_sums, 8), strict=True)
    }
    right = rejection_sample(lambda s: next(drawn[s]), list(drawn), 8, solving.accuracy, balance=2)
    pairs = [(s.prompt, text) for s, text in right]
    student = reasoning_trials.learn(weak, reasoning.imitating(lambda: pairs, 0), 60, 3e-3)
    for name, model in (("base", weak), ("your student", student)):
        print(name, "is right in", f"{reasoning_trials.scored(model)['pass_1']:.0%} of its samples")

# %% rejection-measure
rounds = over_seeds("rejection")
by_answer = [run["answer"] for run in rounds]
by_step = [run["every step"] for run in rounds]
line_plot(
    {
        name: (range(4), [point["pass_1"] for point in run])
        for name, run in (("kept by answer", by_answer[0]), ("kept by every step", by_step[0]))
    },
    "rounds of drawing, keeping, imitating",
    "pass@1",
    "A model that learns from its own good days",
)

# %% rejection-claim
# NBVAL_CHECK_OUTPUT
claim(
    "REA-20",
    rise=[run[3]["pass_1"] - run[0]["pass_1"] for run in by_answer],
    lucky=[run[1]["lucky_data"] for run in by_answer],
    cleaner=[a[3]["lucky"] - b[3]["lucky"] for a, b in zip(by_answer, by_step, strict=True)],
)

# %% worth-text [markdown]
# No rule knows which steps of a proof are true. But a step can be judged by **what comes of it**: let
# the model finish from there sixteen times, and count. Below, from up to eight right samples of a sum we take
# the one whose worst step is worth most, and compare it with all of them.

# %% worth-claim
# NBVAL_CHECK_OUTPUT
worth = over_seeds("step_worth")
claim("REA-21", ratio=[run["by worth"] / run["any"] for run in worth])

# %% search-intro [markdown]
# ## 3 · Imitating mistakes
#
# The notes: *all-correct steps are not good*. A model that has only seen right ways does not know what
# to do on a wrong one. So let the traces fail, say so, and start over.
#
# The task is a puzzle now: *in which order do the changes a, b and c, each used once, lead from one number
# to another?* Such as `3 a *2 b +3 c +4 to 6 ?`.
#
# {exercise 19.2}
#
# <details><summary>Hint 1</summary>
#
# First list all paths with their ends: a function that calls itself on what follows each step.
# </details>
# <details><summary>Hint 2</summary>
#
# `rng.sample(wrong, n)` draws n different ones, and fails for an n above their number.
# </details>


# %% exercise-19-2 tags=["exercise"]
def backtrack_trace(tree: dict, n_wrong: int, marker: str, rng: random.Random) -> list[str]:
    """The steps of a search that fails `n_wrong` times before it arrives.

    `tree` maps every step, a string, to the tree of what may follow it, or, at the end of a path,
    to True where the path is right and False where not. Returned are whole paths from the root:
    `n_wrong` different wrong ones (all, where there are fewer), drawn by `rng`, with `marker` after
    each; then a right one, drawn by `rng`. Raises ValueError where no path is right.

    Example: {"a": {"b": False}, "b": {"a": True}} with n_wrong = 1 and marker "wrong" gives
    ["a", "b", "wrong", "b", "a"].
    Gandhi et al. 2024 (Stream of Search), section 3. Taught in: 19_learning_to_reason.
    """
    raise NotImplementedError("replace this line by your answer")


# %% search-check
if check("19.2", backtrack_trace):
    puzzle = orders.puzzle(random.Random(3))
    print(puzzle.prompt)
    print(" ".join(backtrack_trace(puzzle.tree(), 2, "wrong", random.Random(0))))

# %% search-predict [markdown]
# **Predict.** Two models of one size read equally many puzzles. One reads right orders, the other
# searches with up to four wrong tries. Which solves more new puzzles? And when a wrong try is put into
# both mouths?

# %% search-claim
# NBVAL_CHECK_OUTPUT
searches = over_seeds("search")
difference = {
    key: [run["with detours"][key] - run["right only"][key] for run in searches]
    for key in ("solved", "recovered")
}
claim("REA-22", **difference)

# %% distil-text [markdown]
# ### Distillation
#
# The last source of traces is a **stronger model**. Below, a student of half the width, 7 800 parameters
# instead of 28 000, learns in two ways with equally many samples seen: by rewards, or by imitating right
# solutions of the larger one, which had learned by rewards.

# %% distil-claim
# NBVAL_CHECK_OUTPUT
taught = over_seeds("distilled")
claim("REA-23", gap=[run["distilled"]["pass_1"] - run["reinforced"]["pass_1"] for run in taught])

# %% distil-print
for name in taught[0]:
    print(f"{name:14} pass@1", *(f"{run[name]['pass_1']:.2f}" for run in taught))

# %% reward-intro [markdown]
# ## 4 · Reinforcement
#
# *Let it reason whatever it likes; only the end counts.* So first: what is the end worth? R1 used **rules**,
# because a model that judges can be flattered. One rule reads the answer, one the format.
#
# {exercise 19.4}
#
# Two functions in one class. (Until both are written, the check says *not solved yet*.)
#
# <details><summary>Hint 1</summary>
#
# `re.findall(r"<answer>(.*?)</answer>", text, re.DOTALL)` lists what stands in the answers.
# </details>
# <details><summary>Hint 2</summary>
#
# For the format, `re.fullmatch` with one pattern, then count the tags: `.*` would swallow a second one.
# </details>


# %% exercise-19-4 tags=["exercise"]
class Rewards:
    """Two rewards by rule. Write both; each returns 1.0 or 0.0. Tags are lower case, as written.

    accuracy_reward(text, gold): 1.0 where the text holds exactly one <answer>…</answer> and what
    stands in it, without the white space around, equals str(gold); else 0.0. Whatever else the text
    holds, tags of thinking included, does not count. An answer has an opening and a closing tag.

    format_reward(text): 1.0 where the text is one <think>…</think> followed by one
    <answer>…</answer>, each with something in it other than white space, and nothing but white
    space before, between and after; else 0.0. None of the four tags may come twice.

    Example: "<think> 3 plus 4 </think> <answer> 7 </answer>" earns 1.0 from both (gold 7);
    "<answer> 7 </answer>" earns 1.0 for accuracy and 0.0 for format.
    Taught in: 19_learning_to_reason.
    """

    @staticmethod
    def accuracy_reward(text: str, gold: str | int) -> float:
        raise NotImplementedError("replace this line by your answer")

    @staticmethod
    def format_reward(text: str) -> float:
        raise NotImplementedError("replace this line by your answer")


# %% reward-check
if check("19.4", Rewards):
    rows = solving.solutions(weak, sums, 8, seed=2)
    formed = [Rewards.format_reward(text) for row in rows for text in row]
    right = [
        Rewards.accuracy_reward(text, s.gold)
        for s, row in zip(sums, rows, strict=True)
        for text in row
    ]
    print(
        f"the base by your rules: right {sum(right) / len(right):.0%}, in form {sum(formed) / len(formed):.0%}"
    )

# %% push-intro [markdown]
# ### Pull and push
#
# The loss of a sample is **−A · log p**: with a positive advantage A its probability is pulled up, with a
# negative one it is pushed away. The notes ask what *pushing away* means. Away to where?
#
# **Predict.** Fifty words, one of them bad. Gradient steps push it away, 300 times. In one run every step
# has the same weight, as with a fixed file of bad samples; in the other the word is pushed only as
# often as the policy itself says it. What happens to its log-probability in each?


# %% push-measure
def push_away(on_policy, n_step=300, bad=0):
    """log p of the bad word, step by step; the advantage is -1."""
    logits, path = torch.zeros(50, requires_grad=True), []
    for _ in range(n_step):
        logp = logits.log_softmax(0)
        weight = logp[bad].exp().detach() if on_policy else 1.0
        loss = weight * surrogates.reinforce(logp[bad], torch.tensor(-1.0))
        (grad,) = torch.autograd.grad(loss, logits)
        path.append(float(logp[bad].detach()))
        with torch.no_grad():
            logits -= 0.5 * grad
    return path, logits.softmax(0).detach()


runs = {"its own samples": push_away(True), "a fixed file": push_away(False)}
line_plot(
    {name: (range(0, 300, 15), path[::15]) for name, (path, _) in runs.items()},
    "step",
    "log p of the bad word, nats",
    "Pushing away",
)

# %% push-read [markdown]
# What the bad word loses goes to **everything else**, most to what is likely already: not to the right answer
# as such. On its own
# samples the push dies out with the word, for what is never said is never punished. On a fixed file
# it has no end: log p falls for ever, and drags along whatever shares weights with it. So negative samples
# must be the policy's own, or the step must be bounded, which is what PPO's clipping does:

# %% clip-read
show_source(surrogates.clipped)

# %% advantage-intro [markdown]
# ### Where the minus sign comes from
#
# > **The notes, made precise.** *"A right answer is a positive reward, a wrong one a negative."* The rewards
# > are 1 and 0. What is negative is the **advantage**: the reward minus the mean of the group, the other
# > samples of the same prompt. The claim below trains with and without that mean.
#
# {exercise 19.3}
#
# <details><summary>Hint 1</summary>
#
# A group is a row: take means over the last axis, and keep it (`keepdim=True`) so that shapes fit.
# </details>
# <details><summary>Hint 2</summary>
#
# `rewards.std(-1)` divides by n − 1. Give it `correction=0`, or write it out.
# </details>


# %% exercise-19-3 tags=["exercise"]
def grpo_advantages(
    rewards: Float[Tensor, "prompt sample"], eps: float = 1e-6
) -> Float[Tensor, "prompt sample"]:
    """How much better each sample is than its group, in standard deviations.

    A row is a group: the samples of one prompt. (r - mean) / (std + eps), both over the row alone;
    std divides by the number of samples (the population's), so that a row comes out with mean 0
    and standard deviation 1. A row of equal rewards comes out as zeros. Same shape and dtype.

    Example: [[1, 0, 0, 1]] gives [[1., -1., -1., 1.]], and [[1, 1, 1, 1]] gives zeros.
    Shao et al. 2024 (DeepSeekMath), section 4.1.2. Taught in: 19_learning_to_reason.
    """
    raise NotImplementedError("replace this line by your answer")


# %% live-intro [markdown]
# **Check it, then let it train.** The next cell reinforces the weak base, live: 40 steps of 24 sums with 8
# samples each, rewarded 1 for the answer and 0.2 for the format. Once your function is right, it is
# yours that runs. It takes five to ten seconds. This is the whole loss. It weighs all
# tokens alike, as DAPO does, and here nothing holds the policy to the model it began as:

# %% live-read
show_source(objective.learn_from)

# %% live-check
solved = check("19.3", grpo_advantages)
mine = grpo_advantages if solved else advantages.grpo_advantages
judge = solving.weighed(accuracy=1, well_formed=0.2)
strong, curve = reasoning_trials.reinforced(weak, judge, seed=0, n_step=40, advantages=mine)
for step, point in zip(range(0, 41, 10), curve, strict=True):
    print(
        f"step {step:2}: right {point['pass_1']:.2f}, majority of 16 {point['cons']:.2f}, in form {point['well_formed']:.2f}"
    )

# %% live-play [markdown]
# The panel trains anew, as often as you like: choose where it starts and which advantage it uses.

# %% live-panel
grpo_panel(mine if solved else None)

# %% zero-play [markdown]
# The panel below holds **stored** runs of 60 steps. Move *training step*, then untick *subtract the mean*,
# then set the format weight to 0.

# %% zero-panel
zero_panel()

# %% zero-measure
curves = over_seeds("zero_curves")
outcome, formed, plain = (
    [run[f"8 {how}"] for run in curves] for how in ("True 0.0", "True 0.2", "False 0.0")
)


def gain(run, name="pass_1"):
    return run[-1][name] - run[0][name]


def vote_gap(point):
    return point["cons"] - point["pass_1"]


without = [gain(a) / gain(b) for a, b in zip(plain, outcome, strict=True)]

# %% zero-claims
# NBVAL_CHECK_OUTPUT
claim("REA-24", gain=[gain(run) for run in outcome], without=without)

# %% zero-claim-base
# NBVAL_CHECK_OUTPUT
base_right, zero_right = metrics("reason-base", "pass_1"), metrics("reason-zero", "pass_1")
claim("REA-25", gain=[b - a for a, b in zip(base_right, zero_right, strict=True)])

# %% zero-claim-format
# NBVAL_CHECK_OUTPUT
claim(
    "REA-26",
    before=[run[0]["well_formed"] for run in formed],
    after=[run[-1]["well_formed"] for run in formed],
)

# %% zero-format-effect
for name, group in (("accuracy alone", outcome), ("accuracy and format", formed)):
    print(
        f"{name:20} in form",
        *(f"{run[-1]['well_formed']:.2f}" for run in group),
        " right",
        *(f"{run[-1]['pass_1']:.2f}" for run in group),
    )

# %% zero-read [markdown]
# The rule for accuracy reads the answer's tags, so it can teach form as well: the two rows above tell with
# how many of three seeds it did, and what is left to the format reward. And without the mean? Rewards of 1
# and 0 then imitate what was right, and leave alone what was wrong: that is a fair way to learn, too.
#
# **Predict.** Now two words, worth 1 and 0.9, learned from four samples a step. Which way does a policy go
# without the mean, when everything it says is praised?


# %% two-words
def two_words(kind, seed, n_step=200):
    """Chance of the better word after learning from samples."""
    rng, logits = torch.Generator().manual_seed(seed), torch.zeros(2)
    for _ in range(n_step):
        said = torch.multinomial(logits.softmax(0), 4, replacement=True, generator=rng)
        worth = kind(torch.where(said == 0, 1.0, 0.9)[None])[0]
        logits.requires_grad_()
        loss = surrogates.reinforce(logits.log_softmax(0)[said], worth).mean()
        logits = (logits - 4 * torch.autograd.grad(loss, logits)[0]).detach()
    return float(logits.softmax(0)[0])


for kind in (advantages.grpo_advantages, advantages.no_baseline):
    print(f"{kind.__name__:16}", *(f"{two_words(kind, seed):.2f}" for seed in range(6)))

# %% two-words-read [markdown]
# Without the mean, what happens to be said first is praised, said more, and praised more: 0.00 is a policy that
# is sure of the worse word. With it, 0.9 among ones is a reason to go elsewhere.

# %% vote-text [markdown]
# ### The vote on top
#
# The notes ask about the red line that R1's paper draws above the curve: sixteen answers and their majority.
# Reinforcement is for **training**, the vote for **inference**, and they add up: the vote helps as long as the
# policy is of several minds, and less and less as it makes up its mind.

# %% vote-claim
# NBVAL_CHECK_OUTPUT
claim(
    "REA-27",
    midway=[vote_gap(run[2]) for run in formed],
    shrinks=[vote_gap(run[2]) - vote_gap(run[-1]) for run in formed],
)

# %% hack-intro [markdown]
# ## 5 · Break it: when reinforcement fails
#
# **A rule with a hole.** Suppose the accuracy rule takes *any* of several answers. Only a few texts in a
# hundred of the base answer twice. **Predict** what forty steps make of that.

# %% hack-plot
hacked = over_seeds("hacked")
steps = range(0, 41, 10)
line_plot(
    {
        "what the rule with the hole pays": (steps, [p["proxy"] for p in hacked[0]]),
        "really right": (steps, [p["pass_1"] for p in hacked[0]]),
        "tokens / 40": (steps, [p["tokens"] / 40 for p in hacked[0]]),
    },
    "step",
    "share",
    "Reward hacking: name all digits",
)

# %% hack-print
for seed, run in zip(SEEDS, hacked, strict=True):
    print(
        f"seed {seed}: paid {run[-1]['proxy']:.2f}, really right {run[-1]['pass_1']:.2f}, tokens {run[-1]['tokens']:.0f}"
    )

# %% hack-read [markdown]
# In the picture the reward goes up and the model becomes useless: it recites digits. It did nothing wrong; it
# did what was paid. Look at the other seeds, too: a hole need not be found, and that is the trouble with
# looking for it in one run. Hence exercise 19.4's *exactly one answer*, and hence R1 kept learned judges out
# of this stage.
#
# **A base that cannot.** Another base read careless texts only, and few: it often writes in form but never
# learned its tables. It is right one time in ten at best, by chance, and one of 64 samples is almost always
# right.

# %% fail-plot
failed = over_seeds("failed")[0]
steps = range(0, 61, 10)
line_plot(
    {
        "right": (steps, [p["pass_1"] for p in failed]),
        "in form": (steps, [p["well_formed"] for p in failed]),
        "right by luck, of these": (steps, [p["lucky"] for p in failed]),
    },
    "step",
    "share",
    "The same reinforcement from a base that cannot calculate",
)

# %% fail-read [markdown]
# The format is learned at once, for it was there to be chosen. The sums are not: true steps are so rare that
# a right answer says nothing about them. What there is to find is the commonest answer, 0, which
# `times 2` and `times 5` make likely. Reinforcement **selects**; it needs something to select.
#
# **Predict.** Five bases read more and more of the textbook. Does *one of 64 samples is right* (pass@64) tell
# how much each will gain? Does it, if only samples count in which every step is true?


# %% levels-measure
def rank(runs, key):
    """Rank correlation over the bases of a run: gain with a number from before."""
    gains, before = [base["after"] - base["pass_1"] for base in runs], [base[key] for base in runs]
    return float(spearmanr(gains, before).statistic) if len(set(before)) > 1 else 0.0


levels = over_seeds("base_levels")
for name, key in (
    ("right at the first", "pass_1"),
    ("one of 64 right", "pass_n"),
    ("one of 64 sound", "sound_n"),
    ("after RL", "after"),
):
    print(f"{name:20}", *(f"{base[key]:.2f}" for base in levels[0]))

# %% levels-claim
# NBVAL_CHECK_OUTPUT
claim(
    "REA-35",
    rank=[rank(run, "pass_n") for run in levels],
    sound=[rank(run, "sound_n") for run in levels],
)

# %% levels-read [markdown]
# > **The notes, corrected.** *"A 32B Qwen is hard to strengthen, V3-Base has 500B."* V3-Base has 671 billion
# > parameters, of which each token uses a part; and later work did strengthen Qwen2.5-32B by reinforcement
# > alone (DAPO, 2025). That the gain depends on the base is right; the lines above show on what. With ten
# > possible answers even a guesser almost always has one right among 64, so that this cannot tell bases apart.
#
# **The aha moment.** Did taking a step back (*wrong*, then once more) come out of reinforcement by itself?
# Two bases, one of which had read a few texts that do so:

# %% aha-claim
# NBVAL_CHECK_OUTPUT
aha = over_seeds("backtracking")
rates = {
    name: [[point["backtracks"] for point in run[name]] for run in aha] for name in ("some", "none")
}
claim(
    "REA-28",
    had_some=[after / before for before, after in rates["some"]],
    had_none=[after for _, after in rates["none"]],
)

# %% aha-print
for name, pairs in rates.items():
    print(f"had read {name:5}", *(f"{before:.3f} → {after:.3f}" for before, after in pairs))

# %% aha-read [markdown]
# > **The notes, made precise.** *"The aha moment came out by itself."* Base models reflect already, now and then
# > (Liu et al. 2025; Gandhi et al. 2025), and reinforcement changes the **rate**, in the direction that pays. A step
# > back pays after a slip; where the slips themselves can be unlearned, as in sums of three steps, is there
# > anything left to take back? Compare the two rates of the first row, and the row that had none.

# %% read-intro [markdown]
# ## 6 · The whole way: zero, A, B, C, final
#
# Zero is right, and hard to read. Nobody rewarded a language, and its careless English texts had fewer
# slips than its Chinese ones. **Predict** in which language it thinks about a Chinese question.

# %% read-see
zero = store.load("reason-zero")
chinese = [asked for asked in sums if asked.language == "zh"][:4]
for asked, (text,) in zip(chinese, solving.solutions(zero, chinese, 1, seed=3), strict=True):
    print(asked.prompt, "  ", text)

# %% read-claim
# NBVAL_CHECK_OUTPUT
foreign = {stage: metrics(f"reason-{stage}", "foreign") for stage in ("base", "zero")}
claim("REA-29", rise=[b - a for a, b in zip(foreign["base"], foreign["zero"], strict=True)])

# %% language-exercise [markdown]
# So the next stage pays for consistency, too.
#
# {exercise 19.5}
#
# <details><summary>Hint 1</summary>
#
# Give each token a language, "zh", "en", "both" or none, and divide counts at the end.
# </details>
# <details><summary>Hint 2</summary>
#
# `any("\u4e00" <= c <= "\u9fff" for c in token)` finds Chinese; `re.findall("[A-Za-z]", token)` the Latin letters.
# </details>


# %% exercise-19-5 tags=["exercise"]
def language_consistency(tokens: Sequence[str], lang: str) -> float:
    """The share of words that are in the language `lang`, "en" or "zh": a number from 0 to 1.

    A token is a word where it holds a Chinese character (U+4E00 to U+9FFF), or two or more Latin
    letters (A-Z, a-z). A word is in "zh" where it holds Chinese characters and no Latin letter, in
    "en" where it holds Latin letters and no Chinese character; one that mixes them is in neither.
    Digits, signs, single letters and the tags <think>, </think>, <answer>, </answer> are no words.
    Without any word, nothing is in a wrong language: 1.0. Another `lang` raises ValueError.

    Example: ["3", "a", "plus", "4", "得", "7"] is 0.5 in both languages.
    DeepSeek-AI 2025 (R1), section 2.3.2. Taught in: 19_learning_to_reason.
    """
    raise NotImplementedError("replace this line by your answer")


# %% language-check
if check("19.5", language_consistency):
    for stage in ("zero", "a", "b"):
        texts = solving.solutions(store.load(f"reason-{stage}"), chinese, 16, seed=5)
        shares = [language_consistency(text.split(), "zh") for row in texts for text in row]
        print(f"{stage:5} thinks in Chinese about Chinese sums: {sum(shares) / len(shares):.0%}")

# %% pipeline-play [markdown]
# * **A**: 200 of zero's right traces, edited into the question's language, imitated by the base.
# * **B**: A reinforced for accuracy, format and language.
# * **C**: 600 of B's samples that pass all rules, and 200 answers to other questions, imitated by the base.
# * **final**: C reinforced on sums, help and harm. (Other questions are such as `tell lum ?`: eight topics have
#   an answer, which is to be *told*; of four, made up like the rest, one does not speak: to be *refused*.)
#
# Move **stage**. The dotted line is the paper's model of the same stage, on its own task.

# %% pipeline-panel
pipeline_panel()

# %% pipeline-table
print(
    "stage   sums right  majority  in form  own language  told  refused  tokens   paper: AIME 2024"
)
paper = dict(
    zip(
        reasoning.STAGES,
        (
            "15.6 (V3-Base)",
            "77.9 (R1-Zero)",
            "59.0 (Dev1)",
            "74.0 (Dev2)",
            "78.1 (Dev3)",
            "79.8 (R1)",
        ),
        strict=True,
    )
)
for stage in reasoning.STAGES:
    row = [
        sum(metrics(f"reason-{stage}", key)) / 3
        for key in ("pass_1", "cons", "well_formed", "in_language", "told", "refused", "tokens")
    ]
    print(f"{stage:7}", *(f"{value:9.2f}" for value in row), f"   {paper[stage]}")


# %% pipeline-measure
def differences(key, stage, before):
    pairs = zip(metrics(f"reason-{stage}", key), metrics(f"reason-{before}", key), strict=True)
    return [a - b for a, b in pairs]


# In form and in one language: at least what is in form, less what is foreign.
readable = [
    form - other
    for form, other in zip(
        metrics("reason-a", "well_formed"), metrics("reason-a", "foreign"), strict=True
    )
]
unpaid = [run["pass_1"] for run in over_seeds("no_language_reward")]
cost = [a - b for a, b in zip(metrics("reason-b", "pass_1"), unpaid, strict=True)]

# %% pipeline-claim-a
# NBVAL_CHECK_OUTPUT
claim("REA-30", readable=readable, gain=differences("pass_1", "a", "base"))

# %% pipeline-claim-b
# NBVAL_CHECK_OUTPUT
claim("REA-31", consistent=metrics("reason-b", "in_language"), cost=cost)

# %% pipeline-unpaid
unpaid_language = [run["in_language"] for run in over_seeds("no_language_reward")]
for name, shares in (
    ("A", metrics("reason-a", "in_language")),
    ("B", metrics("reason-b", "in_language")),
    ("B, language not paid", unpaid_language),
):
    print(f"{name:22} words in the question's language", *(f"{share:.3f}" for share in shares))

# %% pipeline-unpaid-read [markdown]
# Is it the reward that keeps B in one language, or was A there already? With a cold start as clean as ours there
# is little left to pay for; the paper's language reward had more to do, and cost it a little accuracy.

# %% filter-text [markdown]
# Between B and C stand the rules. How much does each remove, at temperature 1.2, of B's samples, and how
# much would it have removed of zero's?

# %% filter-print
filters = over_seeds("filters")
for stage in ("zero", "b"):
    removed = {rule: sum(run[stage][rule] for run in filters) / 3 for rule in filters[0][stage]}
    print(
        f"{stage:5} loses by", ", ".join(f"{rule} {share:.1%}" for rule, share in removed.items())
    )

# %% filter-claim
# NBVAL_CHECK_OUTPUT
claim(
    "REA-32", gain=[run["all rules"]["readable"] - run["no filter"]["readable"] for run in filters]
)

# %% filter-why [markdown]
# B is so clean that the rules have almost nothing to remove: then a filter cannot gain much, and chance decides.

# %% pipeline-claim-c
# NBVAL_CHECK_OUTPUT
claim("REA-33", reasoning=differences("pass_1", "c", "b"), other=differences("told", "c", "b"))

# %% pipeline-claim-final
# NBVAL_CHECK_OUTPUT
claim(
    "REA-34",
    refused=metrics("reason-final", "refused"),
    reasoning=differences("pass_1", "final", "c"),
)

# %% pipeline-read [markdown]
# > **The notes, made precise.** *"V3 verifies"*: it was shown the reference answer beside the sample. *"200k V3
# > self-outputs"*: these reuse V3's fine-tuning data, only part of which V3 wrote itself.
#
# In the paper A, which imitates a few thousand clean traces, is **worse** at mathematics than R1-Zero, and
# climbs back from there. Compare the two rows of the table: is it so here? Sums of three steps are a
# small world, of which 200 traces show almost everything.

# %% sharper-play [markdown]
# ## 7 · Sharper or smarter?
#
# Zero is right at the first sample where its base needed many. **Predict**: for which k is *one of k samples
# right* more often with the base than with zero? (Maybe for none: look where both reach the top.)

# %% sharper-panel
sharper_panel()

# %% sharper-claim
# NBVAL_CHECK_OUTPUT
shares = over_seeds("sharper")
first, last = ([run["zero"][at] - run["base"][at] for run in shares] for at in (0, -1))
claim("REA-36", at_1=first, at_256=last)

# %% sharper-read [markdown]
# What the base could do now and then, zero does almost always; nothing here shows that it can do what its base
# never did. That is the dominant finding for large models too (and debated: longer training has been
# reported to go beyond the base). Mind the scale: with ten possible answers, 256 samples hit by luck.

# %% recap [markdown]
# ## What to keep
#
# * **Imitate** whole traces, not answers. The model's own samples will do, if they are filtered; a filter by
#   the label alone keeps lucky ones.
# * Traces with marked **mistakes** teach what to do after one. A **stronger model's** traces teach a small
#   model, measured against what rewards alone gave it.
# * Reward by **rules**, and close their holes: what is paid is what comes.
# * The minus sign comes from the **group's mean**. Pushing away sends probability to everything else; on the
#   policy's own samples it ends by itself, on a fixed file it does not.
# * Reinforcement **selects** among what the base already does; the **vote**, at inference, comes on top.
# * Zero is right and hard to read; A buys readability, and leaves B little to buy; C brings the rest, final
#   the manners.
#
# **Next:** `20`, where the model thinks too long.
