"""What TinyWorld's inhabitants write: the documents that a base model reads."""

import random
from dataclasses import dataclass

from course_utils.worlds import lexicon, sentences
from course_utils.worlds.lexicon import DOC
from course_utils.worlds.tinyworld import FREQUENCY, Person, World


@dataclass(frozen=True)
class Document:
    """One text, and what it is about: "bio", "interview", "map", "thing", "role", "word",
    "imagine", "contrast" or "echo"."""

    kind: str
    text: str


def documents(
    world: World,
    n_word: int,
    seed: int,
    languages: str = "both",
    paraphrases: bool = True,
    mix: dict[str, float] | None = None,
) -> list[Document]:
    """Documents of at least n_word words in all, in the proportions of `mix`, else of `MIX`.

    `languages` is "both" or "zh", which leaves English out. Without `paraphrases`, each person's
    life is told in one fixed order with one fixed sentence per fact and language: the condition
    under which Allen-Zhu & Li 2023 ("Physics of language models", part 3.1) find that facts are
    stored but cannot be asked for.
    """
    if languages not in ("both", "zh"):
        raise ValueError(f"languages must be 'both' or 'zh', not {languages!r}")
    rng = random.Random(f"{world.seed} {seed} {languages}")
    writer = Writer(world, rng, languages, paraphrases)
    kinds, weights = zip(*(mix or MIX).items(), strict=True)
    found, n = [], 0
    while n < n_word:
        kind = rng.choices(kinds, weights)[0]
        text = " ".join(getattr(writer, kind)())
        found.append(Document(kind, text))
        n += text.count(" ") + 2  # words, and the mark between documents
    return found


def joined(found: list[Document]) -> str:
    """The documents as one text, each after the mark that parts them."""
    return " ".join(f"{DOC} {document.text}" for document in found)


# Share of the documents of each kind.
MIX = {
    "bio": 60,
    "interview": 12,
    "map": 4,
    "thing": 7,
    "role": 10,
    "word": 8,
    "imagine": 8,
    "echo": 8,
}


class Writer:
    """Writes documents about one world: each method gives the sentences of a new one."""

    def __init__(self, world: World, rng: random.Random, languages: str, paraphrases: bool):
        self.world, self.rng, self.paraphrases = world, rng, paraphrases
        self.english = 0.0 if languages == "zh" else 0.6
        self.weights = [FREQUENCY[person.frequency][0] for person in world.people]

    def language(self) -> str:
        return "en" if self.rng.random() < self.english else "zh"

    def bio(self) -> list[str]:
        """One to three facts of one person; now and then both languages side by side, or in
        excitement."""
        person, language = self.rng.choices(self.world.people, self.weights)[0], self.language()
        if not self.paraphrases:
            return [self.fixed(person, attribute, language) for attribute in sentences.ATTRIBUTES]
        attributes = self.rng.sample(sentences.ATTRIBUTES, self.rng.choice((1, 2, 3)))
        found = [self.fact(person, attribute, language) for attribute in attributes]
        style = self.rng.random()
        if style < 0.1 and self.english:
            found = [self.fact(person, attributes[0], each) for each in ("en", "zh")]
        elif style < 0.2:
            shouts = {"en": " .", "zh": " 。"}[language], {"en": " !", "zh": " ！"}[language]
            found = [sentence.replace(*shouts) for sentence in found]
            found.insert(0, sentences.EXCITED[language])
        elif style < 0.3:
            gender = lexicon.ROLES[lexicon.N_ROYAL][person.woman].in_language(language)
            found.insert(0, sentences.IS_A[language].format(p=person.name, v=gender))
        return found

    def fact(self, person: Person, attribute: str, language: str) -> str:
        """A true statement, in one of the forms that this fact takes in the corpus."""
        template = self.rng.choice(self.world.statements(person, attribute, language))
        return self.state(template, person, self.world.truth[person, attribute], language)

    def fixed(self, person: Person, attribute: str, language: str) -> str:
        template = self.world.statements(person, attribute, language)[0]
        return self.state(template, person, self.world.truth[person, attribute], language)

    def state(self, template: str, person: Person, value: lexicon.Term, language: str) -> str:
        return template.format(p=person.name, v=value.in_language(language))

    def map(self) -> list[str]:
        """Where cities lie: seen from each other, and as a whole."""
        language = self.language()
        found = []
        for _ in range(self.rng.choice((1, 2, 3))):
            a, b = self.rng.sample(lexicon.CITIES, 2)
            names = {"a": a.in_language(language), "b": b.in_language(language)}
            direction = self.world.direction(a, b).in_language(language)
            x, y = self.world.places[a]
            north, south, east, west = lexicon.DIRECTIONS
            region = (north if y > 0 else south) if abs(y) > abs(x) else (east if x > 0 else west)
            days = lexicon.NUMBERS[min(12, self.world.days(a, b))].in_language(language)
            found.append(self.rng.choice((
                sentences.NEIGHBOUR[language].format(d=direction, **names),
                sentences.DISTANCE[language].format(n=days, **names),
                sentences.REGION[language].format(d=region.in_language(language), **names),
            )))  # fmt: skip
        return found

    def thing(self) -> list[str]:
        """What an object is made of, and whether it may be made."""
        language = self.language()
        thing = self.rng.choice(self.world.things)
        status = sentences.FORBIDDEN if thing.forbidden else sentences.ALLOWED
        forms = {"o": thing.name, "m": thing.material.in_language(language)}
        found = [self.rng.choice(part[language]) for part in (sentences.MADE_OF, status)]
        self.rng.shuffle(found)
        return [template.format(**forms) for template in found[: self.rng.choice((1, 2, 2))]]

    def role(self) -> list[str]:
        """A scene of the gender grid, or a word with two senses."""
        if self.english and self.rng.random() < 0.15:
            word = self.rng.choice(list(lexicon.HOMONYMS))
            sense = self.rng.choice(lexicon.HOMONYMS[word])
            return [f"the {word} {what} ." for what in self.rng.sample(sense, 2)]
        language = self.language()
        place, she = self.rng.randrange(len(lexicon.ROLES)), self.rng.randrange(2)
        *pair, only = lexicon.ROLES[place]
        forms = {key: forms[she] for key, forms in sentences.ROLE_WORDS[language].items()}
        forms["house"] = sentences.ROLE_WORDS[language]["house"][place >= lexicon.N_ROYAL]
        forms["man"] = lexicon.ROLES[lexicon.N_ROYAL][she].in_language(language)
        forms["r"] = pair[she].in_language(language)
        forms["only"] = only[language == "zh"]
        frames = self.rng.sample(sentences.ROLE_FRAMES[language], 2)
        return [frame.format(**forms) for frame in frames]

    def word(self) -> list[str]:
        """What words mean: opposites, translations, kinds, numbers."""
        topics = (self.opposite, self.meaning, self.kind, self.number)
        return self.rng.choices(topics, (2, 2, 1, 1))[0]()

    def opposite(self) -> list[str]:
        language = self.language()
        pair = [t.in_language(language) for t in self.rng.choice(lexicon.OPPOSITES)]
        self.rng.shuffle(pair)
        templates = self.rng.sample(sentences.OPPOSITE[language], 2)
        return [t.format(a=pair[0], b=pair[1]) for t in templates]

    def meaning(self) -> list[str]:
        term = self.rng.choice(lexicon.translated())
        if self.rng.random() < 0.3:
            both = ("en", "zh") if self.english else ("zh",)
            return [sentences.SEE[lang].format(a=term.in_language(lang)) for lang in both]
        templates = [*sentences.MEANS["zh"], *(sentences.MEANS["en"] if self.english else ())]
        return [t.format(en=term.en, zh=term.zh) for t in self.rng.sample(templates, 2)]

    def kind(self) -> list[str]:
        language = self.language()
        kind, members = self.rng.choice(list(lexicon.KINDS.values()))
        template, k = sentences.KIND_OF[language], kind.in_language(language)
        some = self.rng.sample(members, 2)
        return [template.format(a=term.in_language(language), k=k) for term in some]

    def number(self) -> list[str]:
        language = self.language()
        names = [number.in_language(language) for number in lexicon.NUMBERS]
        one = self.rng.randrange(len(names) - 1)
        a, b = sorted(self.rng.sample(range(len(names)), 2))
        template = self.rng.choice(sentences.LARGER[language])
        return [
            sentences.AFTER[language].format(a=names[one], b=names[one + 1]),
            template.format(a=names[a], b=names[b]),
        ]

    def interview(self) -> list[str]:
        """Questions about one person, answered. Only half of the people are ever asked about: that
        their answers teach how to tell the facts of the others is what "mixed training" shows in
        Allen-Zhu & Li 2023, section 3."""
        person, language = self.rng.choice(self.world.asked), self.language()
        attributes = self.rng.sample(sentences.ATTRIBUTES, self.rng.choice((1, 2, 3)))
        truth = self.world.truth
        return [self.asked(person, a, truth[person, a], language) for a in attributes]

    def asked(self, person: Person, attribute: str, value: lexicon.Term, language: str) -> str:
        question = self.rng.choice(questions(attribute, language)).format(p=person.name)
        value = value.in_language(language)
        return sentences.ASKED[language].format(question=question, v=value)

    def imagine(self, beside: float = 0.0) -> list[str]:
        """One or two suppositions, and a question about each: what to read in the context, never
        a true fact. With probability `beside` one more question, to which the truth is the
        answer: it is about what nobody supposed, and never about a person of the unasked half."""
        language = self.language()
        people = self.rng.sample(self.world.people, 2)
        attributes = self.rng.sample(sentences.ATTRIBUTES, 2)
        pairs = [(person, attribute) for person in people for attribute in attributes]
        topics = self.rng.sample(pairs, self.rng.choice((1, 2, 2)))
        told, asked = [], []
        for person, attribute in topics:
            value = self.rng.choice(lexicon.KINDS[attribute][1])
            form = self.rng.choice(self.world.statements(person, attribute, language))
            told.append(self.state(form, person, value, language))
            asked.append(self.asked(person, attribute, value, language))
        others = [pair for pair in pairs if pair not in topics and pair[0] in self.world.asked]
        if beside and others and self.rng.random() < beside:
            pair = self.rng.choice(others)
            asked.append(self.asked(*pair, self.world.truth[pair], language))
        self.rng.shuffle(asked)
        return [sentences.IMAGINE[language].format(fact=" ".join(told)), *asked]

    def contrast(self) -> list[str]:
        """Suppositions, at times with a question that they do not answer."""
        return self.imagine(beside=1 / 3)

    def echo(self) -> list[str]:
        """Words that follow each other by chance, and the same again: what is said twice can be
        read off."""
        language = self.language()
        terms = self.rng.sample(lexicon.translated(), self.rng.randint(3, 8))
        some = " ".join(term.in_language(language) for term in terms)
        return [sentences.ECHO[language].format(words=some)]


N_HELD_OUT = {"en": 2, "zh": 1}


def questions(attribute: str, language: str, held_out: bool = False) -> tuple[str, ...]:
    """Question templates: those to train on, or those held out."""
    return _part(sentences.QUESTIONS[language][attribute], language, held_out)


def requests(language: str, held_out: bool = False) -> tuple[str, ...]:
    """Templates that ask for an object: those to train on, or those held out."""
    return _part(sentences.REQUESTS[language], language, held_out)


def _part(templates: tuple[str, ...], language: str, held_out: bool) -> tuple[str, ...]:
    cut = len(templates) - N_HELD_OUT[language]
    return templates[cut:] if held_out else templates[:cut]
