"""The numbers that this lesson's prose mentions."""

from course_utils import zoo
from course_utils.worlds.four_in_a_row import HEIGHT, WIDTH
from course_utils.zoo import budget_runs
from course_utils.zoo.budget_runs import COUNTS, N_REPEATED
from course_utils.zoo.budget_views import at_budget, mean_accuracy
from course_utils.zoo.budgets import BRANCH, LENGTHS, asked
from course_utils.zoo.recipe import SEEDS


def test_sizes_are_those_of_the_text():
    small, large = (zoo.card(name)["n_parameter"] for name in ("calc-small", "calc-large"))
    assert 15_000 <= small < 16_000 and 107_000 <= large < 108_000
    assert 6.5 < large / small < 7.5
    direct = zoo.card("calc-direct")["n_token"] / zoo.card("calc-large")["n_token"]
    assert 2.5 < direct < 3.5


def test_problems_samples_and_boards_are_those_of_the_text():
    assert len(asked()) == 210 and (min(LENGTHS), max(LENGTHS)) == (2, 8)
    assert max(COUNTS) == 256 and N_REPEATED == 10_000 and BRANCH == 4
    assert (WIDTH, HEIGHT) == (5, 4)


def test_what_is_said_beside_the_tables():
    for tokens in (300, 1200):
        found = {name: mean_accuracy(rows) for name, rows in at_budget(tokens)}
        best = "best step of n, large process"
        assert found["majority vote"] <= found["greedy, once"] + 0.01
        large = found.pop("the large model, once")
        assert max(found, key=found.get) == best and found[best] < large


def test_half_of_the_problems_sampled_often_are_never_solved_soundly():
    sound = [n for seed in SEEDS for _, n in budget_runs.stored(seed)["repeated"]]
    assert 0.3 < sum(n == 0 for n in sound) / len(sound) < 0.6


def test_the_large_process_verifier_began_as_the_large_model():
    assert zoo.card("calc-prm-large")["parent"] == "calc-large"
