"""The models that are shipped, whichever they are: small, made by their recipes, as their cards
say."""

import dataclasses
import subprocess
import sys

import pytest

from course_utils import zoo
from course_utils.worlds.tinyworld import tinyworld
from course_utils.zoo import measures, recipes, store
from course_utils.zoo.recipe import SEEDS, measured, named, train

SHIPPED = store.names()
# Data that are quick to make again; the world's corpus is made once.
QUICK = [n for n in SHIPPED if recipes.find(n).vocabulary != "tinyworld" or n == "world-base"]
MEASURED = [name for name in SHIPPED if name in ("world-base", "calc-large", "retrieval")]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_is_small_and_made_by_its_recipe(name):
    says, recipe = zoo.card(name), recipes.find(name)
    assert (store.FOLDER / f"{name}.safetensors").stat().st_size <= 3_000_000
    for field in ("about", "parent", "vocabulary", "seed", "world_seed", "n_step"):
        assert says[field] == getattr(recipe, field), field
    model = zoo.load(name)
    assert sum(weight.numel() for weight in model.parameters()) == says["n_parameter"]
    assert model.config == recipe.start().config
    assert says["metrics"] and says["n_token"] > 0 and says["cpu_seconds"] > 0


@pytest.mark.parametrize("name", QUICK)
def test_a_recipe_still_makes_the_data_of_its_card(name):
    recipe = recipes.find(name)
    assert recipe.data().digest(recipe.n_step) == zoo.card(name)["data_sha256"]


@pytest.mark.parametrize("name", MEASURED)
def test_a_card_is_measured_again(name):
    for metric, row in measured(recipes.find(name)).items():
        assert abs(row["card"] - row["measured"]) <= row["tolerance"], metric


@pytest.mark.parametrize("name", ["world-base", "calc-small", "retrieval"])
def test_a_recipe_run_twice_gives_the_same_weights(name, tmp_path, monkeypatch):
    recipe = recipes.find(name)
    short = dataclasses.replace(
        recipe, name="short", n_step=2, n_warmup=1, measure=lambda model: {}
    )
    if name == "world-base":  # the corpus of two steps is enough
        from course_utils.zoo import world_data

        short = dataclasses.replace(short, data=lambda: world_data.reading(2, recipe.seed))
    monkeypatch.setattr(store, "FOLDER", tmp_path / "zoo")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    runs = []
    for _ in range(2):
        train(short, progress=False)
        runs.append((store.FOLDER / "short.safetensors").read_bytes())
    assert runs[0] == runs[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_steps_written_out_and_size_pay_on_serial_problems(seed):
    names = [named(f"calc-{kind}", seed) for kind in ("small", "large", "direct")]
    shipped = [name for name in names if name in SHIPPED]
    right = [zoo.card(name)["metrics"]["accuracy"]["value"] for name in shipped]
    if len(right) == len(names):
        small, large, direct = right
        assert large - direct >= 0.3 and large - small >= 0.15
    assert all(value > 0.1 for value in right)


@pytest.mark.parametrize("seed", SEEDS)
def test_questions_are_answered_about_people_nobody_asked_about_and_wishes_as_is_allowed(seed):
    sft, chat = (zoo.card(named(name, seed))["metrics"] for name in ("world-sft", "world-chat"))
    assert sft["questions_unasked_people"]["value"] >= 0.97
    assert sft["questions_held_out_wording"]["value"] >= 0.90
    assert chat["refused_forbidden"]["value"] >= 0.98
    assert chat["answered_safe"]["value"] >= 0.97


@pytest.mark.skipif("world-once-sft" not in SHIPPED, reason="the ablation is not trained yet")
def test_what_is_told_in_one_way_only_is_stored_but_answers_fewer_questions():
    def right(name, metric):
        return zoo.card(name)["metrics"][metric]["value"]

    assert min(right("world-once", f"recited_{language}") for language in ("en", "zh")) >= 0.95
    unasked = "questions_unasked_people"
    assert right("world-sft", unasked) - right("world-once-sft", unasked) >= 0.15
    few = dataclasses.replace(tinyworld(0), people=tinyworld(0).people[:8])
    assert measures.recited(zoo.load("world-once"), few, "en") >= 0.9


def test_loading_a_model_does_not_import_the_compiler():
    code = "import sys; from course_utils import zoo; zoo.load('world-base'); zoo.load('vq-vae'); "
    code += "print('torch._dynamo' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
