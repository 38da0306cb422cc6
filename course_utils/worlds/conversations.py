"""Talk with a TinyWorld model: questions, tasks, suppositions, requests, with true answers."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from course_utils.worlds import lexicon, sentences
from course_utils.worlds.corpus import questions, requests
from course_utils.worlds.lexicon import ASSISTANT, END, SYSTEM, USER
from course_utils.worlds.tinyworld import Person, Thing, World

TASKS = tuple(sentences.TASKS)
TRANSLATION = ("to_chinese", "to_english")


@dataclass(frozen=True)
class Exchange:
    """What a user says, perhaps under a system turn, and the true answer."""

    user: str
    answer: str
    system: str = ""

    @property
    def prompt(self) -> str:
        """The text that the model is to answer, up to where its answer begins."""
        before = f"{SYSTEM} {self.system} {END} " if self.system else ""
        return f"{before}{USER} {self.user} {END} {ASSISTANT}"

    @property
    def turns(self) -> list[tuple[str, str]]:
        """(role, text) of each turn, for fine-tuning."""
        before = [("system", self.system)] if self.system else []
        return [*before, ("user", self.user), ("assistant", self.answer)]


def question(
    world: World, person: Person, attribute: str, template: str, language: str = "en"
) -> Exchange:
    """A question about a true fact."""
    value = world.truth[person, attribute].in_language(language)
    return Exchange(template.format(p=person.name), value)


def all_questions(
    world: World, people: tuple[Person, ...], language: str = "en", held_out: bool = False
) -> list[Exchange]:
    """Every fact of these people, asked in every trained, or every held-out, wording."""
    return [
        question(world, person, attribute, template, language)
        for person in people
        for attribute in sentences.ATTRIBUTES
        for template in wordings(attribute, language, held_out)
    ]


def wordings(attribute: str, language: str, held_out: bool = False) -> tuple[str, ...]:
    """Question templates of conversations: those of the documents and more, or those held out."""
    spoken = sentences.SPOKEN[attribute] if language == "en" and not held_out else ()
    return questions(attribute, language, held_out) + spoken


def supposition(
    world: World, rng: random.Random, people: tuple[Person, ...], to_the_point: bool
) -> Exchange:
    """A system turn that supposes something false. To the point, it is what the question is about;
    else the question is about another person or another attribute, and the truth answers it."""
    person, other = rng.sample(people, 2)
    attribute, elsewhere = rng.sample(sentences.ATTRIBUTES, 2)
    supposed = rng.choice(
        [term for term in lexicon.KINDS[attribute][1] if term != world.truth[person, attribute]]
    )
    template = rng.choice(sentences.STATEMENTS["en"][attribute])
    fact = template.format(p=person.name, v=supposed.en)
    if to_the_point:
        asked = rng.choice(wordings(attribute, "en")).format(p=person.name)
        turn = Exchange(asked, supposed.en)
    else:
        about, of = rng.choice(((other, attribute), (person, elsewhere)))
        turn = question(world, about, of, rng.choice(wordings(of, "en")))
    return Exchange(turn.user, turn.answer, sentences.IMAGINE["en"].format(fact=fact))


def request(thing: Thing, template: str, obey: bool, language: str = "en") -> Exchange:
    """A wish for an object, fulfilled by naming its material, or refused."""
    answer = (sentences.COMPLY if obey else sentences.REFUSE)[language]
    asked = template.format(o=thing.name)
    return Exchange(asked, answer.format(m=thing.material.in_language(language)))


def status(thing: Thing) -> list[Exchange]:
    """Whether an object may be made, asked in each way: a question, not a wish."""
    return [
        Exchange(template.format(o=thing.name), answers[thing.forbidden])
        for template, answers in sentences.STATUS.items()
    ]


def all_requests(
    things: tuple[Thing, ...], language: str = "en", held_out: bool = False
) -> list[Exchange]:
    """Each thing in each trained, or held-out, wording: the forbidden refused, the rest given."""
    return [
        request(thing, template, not thing.forbidden, language)
        for thing in things
        for template in requests(language, held_out)
    ]


def task(rng: random.Random, name: str) -> Exchange:
    """An instance of one of the instruction tasks in `TASKS`."""
    fields, answer = _TASKS[name](rng, name)
    return Exchange(sentences.TASKS[name].format(**fields), answer)


_NUMBERS = [number.en for number in lexicon.NUMBERS]


def _words(rng: random.Random) -> list[str]:
    return [term.en for term in rng.sample(lexicon.translated(), rng.choice((2, 3, 4)))]


def _on_a_list(rng: random.Random, name: str) -> tuple[dict, str]:
    words = _words(rng)
    answers = {
        "repeat": " ".join(words),
        "reverse": " ".join(reversed(words)),
        "first": words[0],
        "last": words[-1],
        "count": _NUMBERS[len(words)],
    }
    return {"words": " ".join(words)}, answers[name]


def _contains(rng: random.Random, name: str) -> tuple[dict, str]:
    word, *words = _words(rng)
    inside = rng.random() < 0.5
    if inside:
        words[rng.randrange(len(words))] = word
    answer = sentences.YES if inside else sentences.NO
    return {"word": word, "words": " ".join(words)}, answer


def _pick(rng: random.Random, name: str) -> tuple[dict, str]:
    kinds = rng.sample(list(lexicon.KINDS.values()), 3)
    words = [rng.choice(members).en for _, members in kinds]
    kind, answer = kinds[0][0].en, words[0]
    rng.shuffle(words)
    return {"kind": kind, "words": " ".join(words)}, answer


def _of_a_word(rng: random.Random, name: str) -> tuple[dict, str]:
    if name == "opposite":
        word, answer = (term.en for term in rng.sample(rng.choice(lexicon.OPPOSITES), 2))
    elif name == "kind":
        kind, members = rng.choice(list(lexicon.KINDS.values()))
        word, answer = rng.choice(members).en, kind.en
    else:
        term = rng.choice(lexicon.translated())
        word, answer = (term.en, term.zh) if name == "to_chinese" else (term.zh, term.en)
    return {"word": word}, answer


def _of_numbers(rng: random.Random, name: str) -> tuple[dict, str]:
    i, j = rng.sample(range(len(_NUMBERS) - 1), 2)
    answers = {"larger": max(i, j), "smaller": min(i, j), "after": i + 1}
    return {"a": _NUMBERS[i], "b": _NUMBERS[j]}, _NUMBERS[answers[name]]


_TASKS: dict[str, Callable[[random.Random, str], tuple[dict, str]]] = {
    **dict.fromkeys(("repeat", "reverse", "first", "last", "count"), _on_a_list),
    "contains": _contains,
    "pick": _pick,
    **dict.fromkeys(("opposite", "kind", *TRANSLATION), _of_a_word),
    **dict.fromkeys(("larger", "smaller", "after"), _of_numbers),
}
