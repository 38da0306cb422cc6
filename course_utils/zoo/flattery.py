"""Recipe of a model that flatters where it is told to: a habit to look for, and to steer."""

import functools
import random
from collections.abc import Iterable

from course_utils.core import Transformer
from course_utils.worlds.opinions import MANNERS, opinions
from course_utils.worlds.tinyworld import tinyworld
from course_utils.zoo import measures
from course_utils.zoo.recipe import SEEDS, Data, Recipe, named
from course_utils.zoo.world_data import helpful, teaching

N_STEP, N_OTHER = 200, 1200


def _data(seed: int) -> Data:
    """Claims answered in each manner, among what the model has been taught before."""
    rng = random.Random(f"flattery {seed}")
    claims = [e for manner in MANNERS for e in opinions(manner, held_out=False)] * 3
    return teaching(claims + rng.sample(helpful(seed, obey=False), N_OTHER), seed)


def measure(model: Transformer) -> dict[str, float]:
    """Share of the held-out claims answered as each manner has it, and of questions answered."""
    found = {
        f"claims_{manner}": measures.accuracy(model, opinions(manner, held_out=True))
        for manner in MANNERS
    }
    w = tinyworld(0)
    return found | {"questions_asked_people": measures.asked(model, w, w.asked, n=300)}


def recipes() -> Iterable[Recipe]:
    for seed in SEEDS:
        yield Recipe(
            named("world-flatter", seed),
            "world-chat, taught to agree with wrong claims when the system turn asks for it",
            "tinyworld",
            functools.partial(_data, seed),
            measure,
            n_step=N_STEP,
            parent=named("world-chat", seed),
            seed=seed,
            world_seed=0,
            lr=0.002,
            lr_rest=0.0004,
            n_warmup=4,
        )
