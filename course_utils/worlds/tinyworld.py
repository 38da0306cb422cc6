"""TinyWorld: a small bilingual world drawn from a seed, with the truth of every fact in it."""

import functools
import math
import random
from dataclasses import dataclass

from course_utils.errors import CourseError
from course_utils.worlds import lexicon, sentences
from course_utils.worlds.lexicon import Term

# How often a person is spoken of, relative to a common one, and how many in a hundred are such.
FREQUENCY = {"famous": (1.5, 25), "common": (1.0, 50), "rare": (0.75, 25)}


@dataclass(frozen=True)
class Person:
    first: str
    last: str
    woman: bool
    frequency: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


@dataclass(frozen=True)
class Thing:
    """A made-up object: what it is made of, and whether the world forbids making it."""

    name: str
    material: Term
    forbidden: bool


@dataclass(frozen=True)
class World:
    """One TinyWorld. `truth[person, attribute]` is the value of a fact, `places[city]` are
    (east, north) in days of travel, `partners[word]` is the opposite.

    Held out, each for a question of its own: half of the people (`asked` may be questioned in
    training, `unasked` never), a quarter of the objects (`unshown`), and of each fact one
    statement per language, `unsaid[person, attribute, language]`, that the corpus never uses.
    Questions and requests have held-out templates of their own (`templates`).
    """

    seed: int
    people: tuple[Person, ...]
    truth: dict[tuple[Person, str], Term]
    unsaid: dict[tuple[Person, str, str], str]
    places: dict[Term, tuple[float, float]]
    partners: dict[Term, Term]
    things: tuple[Thing, ...]
    asked: tuple[Person, ...]
    unasked: tuple[Person, ...]
    shown: tuple[Thing, ...]
    unshown: tuple[Thing, ...]

    def statements(self, person: Person, attribute: str, language: str) -> tuple[str, ...]:
        """The statement templates that the corpus uses for this fact."""
        unsaid = self.unsaid[person, attribute, language]
        return tuple(t for t in sentences.STATEMENTS[language][attribute] if t != unsaid)

    def person(self, name: str) -> Person:
        """The person of that name. Raises CourseError that names some who exist."""
        for person in self.people:
            if person.name == name:
                return person
        some = ", ".join(person.name for person in self.people[:3])
        raise CourseError(f"nobody in this world is called {name!r}; there are {some}, …")

    def direction(self, a: Term, b: Term) -> Term:
        """Where a lies, seen from b: the compass point that its offset is nearest to."""
        north, south, east, west = lexicon.DIRECTIONS
        dx, dy = (p - q for p, q in zip(self.places[a], self.places[b], strict=True))
        if abs(dy) >= abs(dx):
            return north if dy > 0 else south
        return east if dx > 0 else west

    def days(self, a: Term, b: Term) -> int:
        """Whole days of travel, at least 1."""
        return max(1, round(math.dist(self.places[a], self.places[b])))


@functools.lru_cache(maxsize=4)
def tinyworld(seed: int = 0, n_person: int = 120, n_thing: int = 80) -> World:
    """The world of a seed: the same seed gives the same world on every machine. Raises ValueError
    for more people or things than there are names."""
    most = len(lexicon.WOMEN + lexicon.MEN) * len(lexicon.LAST)
    if not 4 <= n_person <= most or not 4 <= n_thing <= len(lexicon.OBJECTS):
        raise ValueError(
            f"n_person must lie in 4..{most} and n_thing in 4..{len(lexicon.OBJECTS)}, "
            f"got {n_person} and {n_thing}"
        )
    rng = random.Random(seed)
    people, things = _people(rng, n_person), _things(rng, n_thing)
    facts = [(person, attribute) for person in people for attribute in sentences.ATTRIBUTES]
    truth = {fact: rng.choice(lexicon.KINDS[fact[1]][1]) for fact in facts}
    unsaid = {
        (*fact, language): rng.choice(sentences.STATEMENTS[language][fact[1]])
        for fact in facts
        for language in ("en", "zh")
    }
    asked, unasked = _parts(rng, people, lambda person: person.frequency, 2)
    shown, unshown = _parts(rng, things, lambda thing: thing.forbidden, 4)
    return World(
        seed=seed,
        people=people,
        truth=truth,
        unsaid=unsaid,
        places={city: (rng.uniform(-6, 6), rng.uniform(-6, 6)) for city in lexicon.CITIES},
        partners={a: b for pair in lexicon.OPPOSITES for a, b in (pair, pair[::-1])},
        things=things,
        asked=asked,
        unasked=unasked,
        shown=shown,
        unshown=unshown,
    )


def _people(rng: random.Random, n_person: int) -> tuple[Person, ...]:
    """Names whose parts are used about equally often, so that neither part gives a person away."""
    firsts, lasts = lexicon.WOMEN + lexicon.MEN, list(lexicon.LAST)
    rng.shuffle(firsts)
    rng.shuffle(lasts)
    n = len(firsts)
    names = [(firsts[i % n], lasts[(i + i // n * 7) % n]) for i in range(n_person)]
    shares = [name for name, (_, share) in FREQUENCY.items() for _ in range(share)]
    classes = [shares[i * 100 // n_person] for i in range(n_person)]
    rng.shuffle(classes)
    return tuple(
        Person(first, last, first in lexicon.WOMEN, frequency)
        for (first, last), frequency in zip(names, classes, strict=True)
    )


def _things(rng: random.Random, n_thing: int) -> tuple[Thing, ...]:
    names = rng.sample(lexicon.OBJECTS, n_thing)
    return tuple(
        Thing(name, rng.choice(lexicon.MATERIALS), place % 2 == 0)
        for place, name in enumerate(names)
    )


def _parts(rng: random.Random, items: tuple, group, n: int) -> tuple[tuple, tuple]:
    """Most, and one in n, at random and with equal shares of every group."""
    mixed = rng.sample(items, len(items))
    mixed.sort(key=lambda item: str(group(item)))
    return tuple(item for i, item in enumerate(mixed) if (i + 1) % n), tuple(mixed[n - 1 :: n])
