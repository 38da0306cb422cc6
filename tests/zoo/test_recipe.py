"""Recipes: the same seed gives the same weights, also after an interruption; cards say what the
weights do."""

import dataclasses
import json
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from course_utils import cli
from course_utils.core import ModelConfig
from course_utils.errors import CourseError
from course_utils.training import shuffled
from course_utils.worlds import retrieval
from course_utils.zoo import command, recipes, store
from course_utils.zoo.recipe import Data, Recipe, measured, train


def tiny_data():
    rows = retrieval.key_value(64, 3, torch.Generator().manual_seed(0)).ids
    return Data(shuffled(rows, 8, seed=1))


def last_weight(model):
    return {"last_weight": model.norm.weight[-1].item()}


TINY = Recipe(
    name="tiny",
    about="a test",
    vocabulary="numbers",
    data=tiny_data,
    measure=last_weight,
    n_step=12,
    config=ModelConfig(len(retrieval.USUAL), 1, 16, 2, n_ctx=16),
    seed=3,
    n_warmup=2,
)


@pytest.fixture(autouse=True)
def own_zoo(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "FOLDER", tmp_path / "zoo")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(recipes.RECIPES, "tiny", TINY)
    return tmp_path


def weights():
    return (store.FOLDER / "tiny.safetensors").read_bytes()


def test_the_same_recipe_gives_the_same_weights_bit_for_bit():
    card = train(TINY, progress=False)
    first = weights()
    again = train(TINY, progress=False)
    assert weights() == first
    timeless = [{k: v for k, v in c.items() if "seconds" not in k} for c in (card, again)]
    assert timeless[0] == timeless[1]
    train(dataclasses.replace(TINY, seed=4), progress=False)
    assert weights() != first


def test_an_interrupted_run_goes_on_to_the_same_weights(own_zoo):
    train(TINY, progress=False)
    whole, asked = weights(), []

    def interrupted():
        data = tiny_data()

        def batches(step):
            if step == 7 and len(asked) < 2:  # the digest of the data asks for batches too
                asked.append(step)
                if len(asked) == 1:
                    signal.raise_signal(signal.SIGINT)
            return data.batches(step)

        return Data(batches)

    stopped = dataclasses.replace(TINY, data=interrupted)
    with pytest.raises(
        CourseError, match="tiny interrupted after 8 of 12 steps; `course zoo train"
    ):
        train(stopped, progress=False)
    assert list((own_zoo / "cache" / "training").iterdir())
    train(stopped, progress=False)
    assert weights() == whole
    assert not list((own_zoo / "cache" / "training").iterdir())


def test_a_child_starts_from_its_parent():
    train(TINY, progress=False)
    child = dataclasses.replace(TINY, name="child", parent="tiny", config=None)
    start = child.start()
    assert start.training
    assert start.tokens.weight.equal(store.load("tiny").tokens.weight)
    assert train(child, progress=False)["parent"] == "tiny"


def test_the_card_is_written_by_the_run_and_checked_again(capsys):
    card = train(TINY, progress=False)
    assert card["n_step"] == 12 and card["n_token"] == 12 * 8 * 9 and card["seed"] == 3
    assert card["data_sha256"] == tiny_data().digest(12) and card["cpu_seconds"] >= 0
    row = measured(TINY)["last_weight"]
    assert row["measured"] == pytest.approx(row["card"], abs=1e-4)
    assert cli.main(["zoo", "verify", "tiny", "--json"]) == 0
    model = json.loads(capsys.readouterr().out)["models"][0]
    assert model["name"] == "tiny" and model["ok"] and set(model["metrics"]) == {"last_weight"}
    assert set(model["metrics"]["last_weight"]) == {"card", "measured", "tolerance"}


def test_a_card_that_lies_is_found_out(capsys):
    train(TINY, progress=False)
    path = store.FOLDER / "tiny.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["metrics"]["last_weight"]["value"] += 0.5
    path.write_text(json.dumps(card), encoding="utf-8")
    assert cli.main(["zoo", "verify", "tiny"]) == 1
    assert "last_weight: the card says" in capsys.readouterr().out


def test_the_commands_say_what_there_is(capsys):
    assert cli.main(["zoo", "train", "tiny", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["models"][0]["name"] == "tiny"
    assert cli.main(["zoo", "list"]) == 0
    out = capsys.readouterr().out
    assert "tiny" in out and "not trained yet: course zoo train world-base" in out
    assert cli.main(["zoo", "card", "tiny"]) == 0
    assert "data_sha256" in capsys.readouterr().out
    for wrong in (["card", "none"], ["train", "none"], ["verify", "none"]):
        assert cli.main(["zoo", *wrong]) == 1
        assert "'none'" in capsys.readouterr().err
    assert cli.main(["zoo", "train", "tiny", "--device", "abacus"]) == 1
    assert "--device 'abacus' cannot be used here" in capsys.readouterr().err


def test_recipes_name_their_parents_first():
    seen = set()
    for name, recipe in recipes.RECIPES.items():
        assert recipe.name == name and (recipe.parent is None) == (recipe.config is not None)
        assert recipe.parent is None or recipe.parent in seen
        seen.add(name)


def test_data_depend_on_the_seed_alone():
    from course_utils.zoo import world_data

    for make in (lambda seed: world_data.reading(2, seed), lambda seed: world_data.teaching(
        world_data.helpful(seed, obey=False), seed)):  # fmt: skip
        assert make(0).digest(2) == make(0).digest(2) != make(1).digest(2)


def test_side_by_side_children_follow_their_parents_and_a_failure_is_named(monkeypatch):
    made = []

    def seen(name, device):
        if name == "bad":
            raise CourseError("no luck")
        made.append(name)

    family = {name: dataclasses.replace(TINY, name=name) for name in ("a", "b", "bad")}
    family["child"] = dataclasses.replace(TINY, name="child", parent="a", config=None)
    monkeypatch.setattr(command, "_train_one", seen)
    monkeypatch.setattr(command, "_pool", ThreadPoolExecutor)
    command.side_by_side([family[name] for name in ("child", "b", "a")], "cpu", 2)
    assert sorted(made) == ["a", "b", "child"]
    assert made.index("a") < made.index("child")
    with pytest.raises(CourseError, match="bad: no luck"):
        command.side_by_side([family["bad"], family["a"]], "cpu", 2)
