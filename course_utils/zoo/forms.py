"""Recipes of models that answer in the form that the prompt asks for: at once, in steps that carry
the number along, in steps of the same length that do not, in steps with mistakes taken back.

One set of weights, so that what differs between two answers is the prompt alone.
"""

import functools
import random
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from course_utils.core import ModelConfig, Transformer
from course_utils.decoding import Generation, generate
from course_utils.training.language import masked_next_token_loss
from course_utils.worlds import calc
from course_utils.worlds.calc import Problem
from course_utils.zoo.recipe import SEEDS, Data, Recipe, named

LONGEST, N_ROW, N_STEP = 8, 64, 2200  # half as many leave the steps half learned
WIDTHS = (16, 32, 64)
# What follows the question. A template shows one step: which places of it are to be filled.
ASK = {
    "direct": "<direct>",
    "right": "p 0 + 0 = 0 <chain>",  # mark, number, operation, operand, result
    "wrong": "p + 0 p + 0 <chain>",  # as long, and the number is not carried along
    "generic": "<chain>",  # "think step by step": in whichever steps
    "bare": "",  # nothing is said
    "search": "<search>",
}
WEIGHTS = {"direct": 4, "right": 5, "wrong": 2, "generic": 2, "bare": 4, "search": 3}
AT_ONCE = 0.6  # how often the examples without any wish are answered at once
N_MEASURED = 30


def prompt(problem: Problem, form: str) -> str:
    """The question, and how it is to be answered."""
    question = problem.prompt("chain").removesuffix("<chain>")
    return (question + ASK[form]).strip()


def example(problem: Problem, form: str, rng: random.Random) -> str:
    """A solution in that form. A generic wish is met with either kind of steps, none at all with
    an answer at once or with steps."""
    if form == "generic":
        form = rng.choice(("right", "wrong"))
    if form == "bare":
        form = "direct" if rng.random() < AT_ONCE else "right"
    if form == "wrong":
        lines = [f"{line} {line}" for line in problem.steps]
        return " ".join([*lines, f": {problem.answer} {calc.END}"])
    return calc.solution(problem, "chain" if form == "right" else form, rng)


def problems(seed: int, n_step: Sequence[int] = range(1, LONGEST + 1)) -> Data:
    """Each batch has problems of one length in one form; the loss falls on the solution."""

    def batch(step: int) -> tuple[Tensor, Tensor]:
        rng, words = random.Random(f"forms {seed} {step}"), calc.tokenizer()
        n, (form,) = rng.choice(n_step), rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
        drawn = [calc.problem(rng, n) for _ in range(N_ROW)]
        asked = [words.encode(prompt(problem, form)) for problem in drawn]
        solved = [words.encode(example(problem, form, rng)) for problem in drawn]
        longest = max(map(len, solved))
        ids = [a + b + [0] * (longest - len(b)) for a, b in zip(asked, solved, strict=True)]
        mask = [[False] * len(a) + [True] * len(b) + [False] * (longest - len(b))
                for a, b in zip(asked, solved, strict=True)]  # fmt: skip
        return torch.tensor(ids), torch.tensor(mask)

    return Data(batch, masked_next_token_loss)


def answers(
    model: Transformer, problems: Sequence[Problem], form: str, n_new: int = 0, **sampling
) -> Generation:
    """What the model writes, greedily unless `sampling` says otherwise."""
    words = calc.tokenizer()
    n_new = n_new or 14 * max(len(problem.steps) for problem in problems) + 3
    asked = [words.encode(prompt(problem, form)) for problem in problems]
    how = {"temperature": 0, "stop": [words.specials[calc.END]]} | sampling
    return generate(model, asked, n_new, **how)


def accuracy(model: Transformer, problems: Sequence[Problem], form: str, **sampling) -> float:
    """Share of the problems whose answer is right; the problems may differ in length."""
    texts = map(calc.tokenizer().decode, answers(model, problems, form, **sampling).completions())
    return sum(
        text.partition(":")[2].replace(calc.END, "").strip() == str(problem.answer)
        for problem, text in zip(problems, texts, strict=True)
    ) / len(problems)


def held_out(name: str, n_each: int, lengths: Iterable[int] = range(1, LONGEST + 1)):
    """So many new problems of each length."""
    rng = random.Random(name)
    return [calc.problem(rng, n) for n in lengths for _ in range(n_each)]


def of_forms(model: Transformer) -> dict[str, float]:
    """Greedy accuracy in each form on new problems."""
    asked = held_out("of_forms", N_MEASURED)
    return {f"accuracy_{form}": accuracy(model, asked, form) for form in ASK}


def name(width: int, seed: int) -> str:
    """The model of this width; the widest carries the plain name."""
    return named("calc-forms" if width == max(WIDTHS) else f"calc-forms-{width}", seed)


def recipe(seed: int, width: int, n_step: int = N_STEP) -> Recipe:
    """All widths see the same examples."""
    vocabulary = len(calc.tokenizer())
    return Recipe(
        name(width, seed),
        "answers in the form that the prompt asks for: at once, in steps, with a search",
        "calc",
        functools.partial(problems, seed),
        of_forms,
        n_step=n_step,
        config=ModelConfig(vocabulary, 2, width, n_head=4, n_ctx=240, input_shift=True),
        seed=seed,
        lr=0.03,
        lr_rest=0.01,
        tolerance=0.05,
    )


def recipes() -> Iterable[Recipe]:
    return [recipe(seed, width) for width in WIDTHS for seed in SEEDS]
