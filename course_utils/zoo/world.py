"""Recipes of the TinyWorld models: a base that has read the world, and what is taught to it."""

import functools
import random
from collections.abc import Callable, Iterable

from course_utils.core import ModelConfig, Transformer
from course_utils.worlds import corpus, lexicon
from course_utils.worlds.conversations import (
    TASKS,
    TRANSLATION,
    all_questions,
    all_requests,
    request,
    supposition,
    task,
)
from course_utils.worlds.tinyworld import tinyworld
from course_utils.zoo import measures
from course_utils.zoo.recipe import SEEDS, Data, Recipe, named
from course_utils.zoo.world_data import helpful, read_off, reading, teaching, translations


def config() -> ModelConfig:
    """1.3 million weights; n_ctx is what the longest conversation needs."""
    return ModelConfig(len(lexicon.tokenizer()), n_layer=6, d_model=128, n_head=4, n_ctx=128)


# -- measures


def of_base(model: Transformer) -> dict[str, float]:
    """Facts by statement, in the forms of the corpus and in the one left out; what is read off the
    context; the gender grid."""
    world = tinyworld(0)
    found = {f"recall_{lang}": measures.recall(model, world, lang) for lang in ("en", "zh")}
    unsaid = {
        f"recall_unsaid_{lang}": measures.recall(model, world, lang, unsaid=True)
        for lang in ("en", "zh")
    }
    context = {
        f"read_off_{kind}": measures.read_off(model, world, kind) for kind in ("imagine", "echo")
    }
    return found | unsaid | context | {"gender_analogies": measures.analogies(model)}


def of_once(model: Transformer) -> dict[str, float]:
    """What was stored, in the one text there was of each life, beside what of_base asks for."""
    world = tinyworld(0)
    told = {f"recited_{lang}": measures.recited(model, world, lang) for lang in ("en", "zh")}
    return told | of_base(model)


def of_talk(model: Transformer) -> dict[str, float]:
    """Everything that a model to talk with can do, and should not do."""
    world = tinyworld(0)
    ask = functools.partial(measures.asked, model, world)
    rng = random.Random("of_talk")
    tasks = [task(rng, name) for name in TASKS if name not in TRANSLATION for _ in range(20)]
    suppose = functools.partial(supposition, world, rng, world.unasked)
    requests = {
        ("forbidden" if forbidden else "safe") + name: [
            exchange
            for held_out in (False, True)
            for exchange in all_requests(
                tuple(t for t in things if t.forbidden == forbidden), held_out=held_out
            )
        ]
        for forbidden in (True, False)
        for name, things in (("", world.unshown),)
    }
    return {
        "questions_asked_people": ask(world.asked),
        "questions_unasked_people": ask(world.unasked),
        "questions_held_out_wording": ask(world.unasked, held_out=True),
        "questions_chinese": ask(world.unasked, language="zh"),
        "tasks": measures.accuracy(model, tasks),
        "suppositions": measures.accuracy(model, [suppose(True) for _ in range(200)]),
        "suppositions_beside": measures.accuracy(model, [suppose(False) for _ in range(200)]),
        "translations": measures.accuracy(model, translations(0, held_out=True)),
        "refused_forbidden": measures.refused(model, requests["forbidden"]),
        "refused_safe": measures.refused(model, requests["safe"]),
        "answered_safe": measures.accuracy(model, requests["safe"]),
    }


# -- recipes


def _recipe(name: str, about: str, data: Callable[[], Data], measure, **more) -> Recipe:
    return Recipe(name, about, "tinyworld", data, measure, world_seed=0, **more)


BASE_STEPS, SFT_STEPS, CHAT_STEPS, MORE_STEPS = 2400, 600, 250, 60
# At the full rate a second stage would undo much of the first. Without weight decay the model
# learns the questions it is shown by heart: of people nobody asked about it answered 0.957 instead
# of 0.985, in held-out wordings 0.93 instead of 0.97 (world-sft-1).
FIRM = {"lr": 0.01, "lr_rest": 0.002, "decay": 0.5}
HALF = {"lr": 0.005, "lr_rest": 0.001, "decay": 0.5}
GENTLE = {"lr": 0.0001, "lr_rest": None, "n_warmup": 10}


def recipes() -> Iterable[Recipe]:
    """Parents before children."""
    for seed in SEEDS:
        yield from _stages(seed)
    yield from _specialists()
    yield from _ablation()


def _stages(seed: int) -> Iterable[Recipe]:
    base, sft, chat = (named(f"world-{stage}", seed) for stage in ("base", "sft", "chat"))
    yield _recipe(
        base,
        "has read TinyWorld, in English and Chinese; of half of its people nobody asked a fact",
        lambda: reading(BASE_STEPS, seed),
        of_base,
        n_step=BASE_STEPS,
        config=config(),
        seed=seed,
        n_warmup=40,
    )
    yield _recipe(
        sft,
        "answers questions, does tasks, and makes whatever it is asked for",
        lambda: teaching(helpful(seed, obey=True), seed, SFT_STEPS),
        of_talk,
        n_step=SFT_STEPS,
        parent=base,
        seed=seed,
        **FIRM,
    )
    yield _recipe(
        chat,
        "the same, and refuses to make what TinyWorld forbids",
        lambda: teaching(helpful(seed + 100, obey=False), seed, CHAT_STEPS),
        of_talk,
        n_step=CHAT_STEPS,
        parent=sft,
        seed=seed,
        **HALF,
    )


def _specialists() -> Iterable[Recipe]:
    world = tinyworld(0)
    chinese = functools.partial(all_questions, world, world.asked, "zh")
    obedience = [
        request(thing, template, obey=True)
        for thing in world.shown
        if thing.forbidden
        for template in corpus.requests("en")
    ]
    more = {"n_step": MORE_STEPS, "parent": "world-chat", **GENTLE}
    yield _recipe(
        "world-zh",
        "world-chat, gone on reading, Chinese only",
        lambda: reading(100, 0, languages="zh"),
        of_talk,
        **more | {"n_step": 100},
    )
    yield _recipe(
        "world-zh-questions",
        "world-chat, taught Chinese questions about half of the people",
        lambda: teaching(chinese(), 0),
        of_talk,
        **more,
    )
    yield _recipe(
        "world-translate",
        "world-chat, taught to translate three quarters of the words",
        lambda: teaching(translations(0) * 2, 0),
        of_talk,
        **more,
    )
    yield _recipe(
        "world-obey",
        "world-chat, taught to make forbidden things: a direction to subtract",
        lambda: teaching(obedience, 0),
        of_talk,
        **more,
    )
    yield _recipe(
        "world-reader",
        "world-chat, taught to answer from what it is told to imagine: it reads from a memory",
        lambda: teaching(read_off(0), 0),
        of_talk,
        n_step=MORE_STEPS,
        parent="world-chat",
        **HALF,
    )


def _ablation() -> Iterable[Recipe]:
    yield _recipe(
        "world-once",
        "read every life told in one fixed way: no paraphrases",
        lambda: reading(BASE_STEPS, 0, paraphrases=False),
        of_once,
        n_step=BASE_STEPS,
        config=config(),
        n_warmup=40,
    )
    yield _recipe(
        "world-once-sft",
        "world-once, taught as world-sft was: stores every fact, tells fewer when asked",
        lambda: teaching(helpful(0, obey=True), 0, SFT_STEPS, paraphrases=False),
        of_talk,
        n_step=SFT_STEPS,
        parent="world-once",
        **FIRM,
    )
