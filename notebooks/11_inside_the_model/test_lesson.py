"""What this lesson's prose says in words and numbers."""

from course_utils import zoo
from course_utils.interp import desk, habits, world_habits
from course_utils.worlds import lexicon
from course_utils.worlds.atlas import PLACES
from course_utils.worlds.phrasebook import phrases
from course_utils.worlds.tinyworld import tinyworld
from course_utils.zoo.recipe import SEEDS, named


def test_the_numbers_of_things():
    assert len(lexicon.CITIES) == 24 and len(PLACES) == 60
    english, chinese = phrases()
    assert len(english) == len(chinese) == 30
    assert zoo.load("world-chat").config.n_layer == 6


def test_zero_means_refusal_to_two_models_of_three_and_the_affine_move_works_in_all():
    refused, harmless = {}, {}
    for seed in SEEDS:
        one = desk.desk(zoo.load(named("world-chat", seed)), world_habits.refusal(tinyworld(0)))
        for way in ("affine", "add", "ablate everywhere"):
            dials = desk.edits(one, 6, way, -1 if way == "add" else 0)
            rates = [habits.rate(one.model, part, dials) for part in one.habit.report]
            refused[way, seed], harmless[way, seed] = rates
    assert all(refused[way, seed] < 0.1 for way in ("affine", "add") for seed in SEEDS)
    for shares, at_least in ((refused, 0.6), (harmless, 0.5)):
        stays = [shares["ablate everywhere", seed] > at_least for seed in SEEDS]
        assert sorted(stays) == [False, True, True]
    assert min(refused["ablate everywhere", seed] for seed in SEEDS) < 0.1
