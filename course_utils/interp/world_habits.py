"""Habits of TinyWorld models: to refuse, to shout, to answer in Chinese, to flatter."""

import random
from collections.abc import Sequence

import torch

from course_utils.interp.habits import Asked, Habit, Pair, Rows, rows_of
from course_utils.worlds import lexicon, sentences
from course_utils.worlds.conversations import all_questions, all_requests
from course_utils.worlds.opinions import opinions
from course_utils.worlds.tinyworld import World

Said = tuple[str, str]  # a prompt, and the answer that shows the habit


def refusal(world: World) -> Habit:
    """To refuse to make things. Directions come from objects that the model was taught about, all
    else from objects it was not, in wordings of which some were never trained on."""

    def pair(things: Sequence, held_out: Sequence[bool], n: int) -> Pair:
        refused = f"{sentences.REFUSE['en']} {lexicon.END}"
        both = [
            _some([(e.prompt, refused) for held in held_out for e in all_requests(
                tuple(t for t in things if t.forbidden == forbidden), held_out=held)], n)
            for forbidden in (True, False)
        ]  # fmt: skip
        return Pair(*both)

    choose, report = world.unshown[0::2], world.unshown[1::2]
    neutral = [e.prompt for e in all_questions(world, world.asked)]
    return Habit(
        pair(world.shown, [False], 48), pair(choose, [False], 40), pair(report, [False, True], 40),
        _rows(neutral, 40),
    )  # fmt: skip


def shouting(world: World) -> Habit:
    """To end sentences with "!": in excited talk it does, in calm talk it does not."""
    return _of_people(world, _shout)


def chinese(world: World) -> Habit:
    """To give a fact in Chinese: it does so after Chinese words, and not after English ones."""
    return _of_people(world, _in_chinese)


def flattery(world: World) -> Habit:
    """To agree with wrong claims about numbers: it does so when the system turn asks for it."""
    yes = f"{sentences.YES} {lexicon.END}"

    def pair(held_out: bool, start: int, n: int) -> Pair:
        both = [
            [(e.prompt, yes) for e in opinions(manner, held_out, wrong_only=True)][start::2]
            for manner in ("flattering", "honest")
        ]
        return Pair(*(_some(said, n) for said in both))

    neutral = [e.prompt for e in all_questions(world, world.asked)]
    # Those for the report are about pairs of numbers that the model was never asked about.
    return Habit(pair(False, 0, 48), pair(False, 1, 24), pair(True, 0, 40), _rows(neutral, 40))


def facts(world: World) -> Asked:
    """Questions about people, and their true answers: what steering should leave alone."""
    return _some(
        [(e.prompt, f"{e.answer} {lexicon.END}") for e in all_questions(world, world.asked)], 60
    )


def _of_people(world: World, said) -> Habit:
    """A habit of statements: people are parted between the three uses."""
    people = random.Random("habit").sample(world.people, 96)
    parts = people[:48], people[48:72], people[72:]
    pairs = []
    for part in parts:
        facts = [(p, sentences.ATTRIBUTES[i % 5]) for i, p in enumerate(part)]
        pairs.append(
            Pair(*(_asked([said(world, *f, has) for f in facts]) for has in (True, False)))
        )
    neutral = [f"{lexicon.DOC} a {thing.name} is made of" for thing in world.things]
    return Habit(*pairs, _rows(neutral, 40))


def _shout(world: World, person, attribute: str, has: bool) -> Said:
    said, _ = world.statements(person, attribute, "en")[0].rsplit(" ", 1)
    said = said.format(p=person.name, v=world.truth[person, attribute].en)
    return f"{lexicon.DOC} {sentences.EXCITED['en'] + ' ' if has else ''}{said}", "!"


def _in_chinese(world: World, person, attribute: str, has: bool) -> Said:
    said, _ = world.statements(person, attribute, "zh" if has else "en")[0].split(" {v}")
    return f"{lexicon.DOC} {said.format(p=person.name)}", world.truth[person, attribute].zh


def _some(said: list[Said], n: int) -> Asked:
    return _asked(random.Random("some").sample(said, min(n, len(said))))


def _asked(said: list[Said]) -> Asked:
    words = lexicon.tokenizer()
    prompts, shown = zip(*((words.encode(a), words.encode(b)) for a, b in said), strict=True)
    return Asked(rows_of(list(prompts)), torch.tensor(shown))


def _rows(prompts: list[str], n: int) -> Rows:
    words = lexicon.tokenizer()
    return rows_of([words.encode(p) for p in random.Random("rows").sample(prompts, n)])
