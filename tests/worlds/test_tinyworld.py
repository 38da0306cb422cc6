"""TinyWorld: its texts say what its truth says, and what is held out stays out."""

import random
from collections import Counter

import pytest
import torch

from course_utils.errors import CourseError
from course_utils.worlds import conversations, corpus, lexicon, sentences
from course_utils.worlds.tinyworld import FREQUENCY, tinyworld

N_WORD = 60_000


@pytest.fixture(scope="module")
def world():
    return tinyworld(0)


@pytest.fixture(scope="module")
def texts(world):
    return [document for document in corpus.documents(world, N_WORD, seed=5)]


def facts_in(world, text):
    """(person, attribute, value, language, template) of every statement in a text."""
    text = text.replace("!", ".").replace("！", "。")
    return [
        (person, attribute, value, language, template)
        for person in world.people
        if person.name in text
        for language, attributes in sentences.STATEMENTS.items()
        for attribute, templates in attributes.items()
        for template in templates
        if template.split("{v}")[0].format(p=person.name) in text
        for value in lexicon.KINDS[attribute][1]
        if template.format(p=person.name, v=value.in_language(language)) in text
    ]


def test_a_seed_is_a_world(world):
    again = tinyworld.__wrapped__(0)
    assert again == world and again is not world
    assert tinyworld(1).truth != world.truth
    assert corpus.documents(world, 500, 3) == corpus.documents(world, 500, 3)
    assert corpus.documents(world, 500, 3) != corpus.documents(world, 500, 4)
    with pytest.raises(ValueError, match="n_person must lie in 4..1600"):
        tinyworld(0, n_person=5000)


def test_no_part_of_a_name_gives_a_person_away(world):
    assert len({person.name for person in world.people}) == len(world.people) == 120
    for part in ("first", "last"):
        uses = Counter(getattr(person, part) for person in world.people)
        assert min(uses.values()) >= 2
    assert world.person("anna lane").woman
    with pytest.raises(CourseError, match="nobody in this world is called 'bob'"):
        world.person("bob")


def test_biographies_are_true_and_leave_out_what_is_unsaid(world, texts):
    checked = Counter()
    for document in [document for document in texts if document.kind == "bio"][:1500]:
        found = facts_in(world, document.text)
        assert found
        for person, attribute, value, language, template in found:
            assert world.truth[person, attribute] == value
            assert world.unsaid[person, attribute, language] != template
            checked[language, attribute] += 1
    assert len(checked) == 10 and min(checked.values()) > 100


def test_only_half_of_the_people_are_ever_asked_about(world, texts):
    told = {kind: [d.text for d in texts if d.kind == kind] for kind in corpus.MIX}
    assert len(told["interview"]) > 100 and len(told["imagine"]) > 100
    facts = {(p.name, term.en) for (p, _), term in world.truth.items()}
    for text in told["interview"]:
        assert not any(person.name in text for person in world.unasked)
        for part in text.split("q : ")[1:]:
            question, answer = part.removesuffix(" . ").removesuffix(" .").split(" a : ")
            assert any((p.name, answer) in facts for p in world.asked if p.name in question)
    for text in told["imagine"]:
        assert text.count(text.split()[-2]) >= 2, "the answer stands in what is supposed"
    rest = " ".join(d.text for d in texts if d.kind not in ("interview", "imagine"))
    assert "?" not in rest and "？" not in rest


def test_a_contrast_asks_for_the_supposed_or_for_the_truth_about_an_asked_person(world):
    truths = {(p.name, term.in_language(lang)) for (p, _), term in world.truth.items()
              if p in world.asked for lang in ("en", "zh")}  # fmt: skip
    supposed = true = 0
    for document in corpus.documents(world, N_WORD, 5, mix={"contrast": 1}):
        told, *asked = document.text.replace("问 ：", "q :").replace("答 ：", "a :").split("q : ")
        for part in asked:
            question, answer = part.rstrip(" .。").split(" a : ")
            if answer in told.split():
                supposed += 1
            else:
                (name,) = (p.name for p in world.people if p.name in question)
                assert (name, answer) in truths, part
                true += 1
    assert supposed > 3 * true > 300, (supposed, true)


def test_held_out_wordings_are_never_trained(world):
    for language in ("en", "zh"):
        for attribute in sentences.ATTRIBUTES:
            trained = conversations.wordings(attribute, language)
            held_out = conversations.wordings(attribute, language, held_out=True)
            assert set(corpus.questions(attribute, language)) <= set(trained)
            assert held_out and not set(trained) & set(held_out)
        assert not set(corpus.requests(language)) & set(corpus.requests(language, held_out=True))
    assert not set(world.asked) & set(world.unasked)
    assert not set(world.shown) & set(world.unshown)
    for things in (world.shown, world.unshown):
        assert sum(thing.forbidden for thing in things) == len(things) / 2


def test_the_law_can_be_asked_for(world):
    for thing in world.things:
        allowed, everybody, forbidden = (each.answer for each in conversations.status(thing))
        assert (allowed == "no") == (everybody == "no") == (forbidden == "yes") == thing.forbidden


def test_every_word_has_a_number(world, texts):
    words = lexicon.tokenizer()
    ids = words.encode(corpus.joined(texts))
    assert words.decode(ids) == corpus.joined(texts)
    assert abs(len(ids) - N_WORD) < 40
    rng = random.Random(0)
    for name in conversations.TASKS:
        exchange = conversations.task(rng, name)
        words.encode(f"{exchange.prompt} {exchange.answer}")
    for thing in world.things:
        for exchange in conversations.status(thing):
            words.encode(f"{exchange.prompt} {exchange.answer}")
    for language in ("en", "zh"):
        for exchange in conversations.all_requests(world.things, language):
            words.encode(f"{exchange.prompt} {exchange.answer}")
        for exchange in conversations.all_questions(world, world.people[:3], language, True):
            words.encode(f"{exchange.prompt} {exchange.answer}")


def test_famous_people_are_spoken_of_more(world, texts):
    spoken = Counter()
    for document in texts:
        if document.kind == "bio":
            spoken.update(p.frequency for p in world.people if p.name in document.text)
    people = Counter(person.frequency for person in world.people)
    per_head = {name: spoken[name] / people[name] for name in FREQUENCY}
    assert per_head["famous"] > per_head["common"] > per_head["rare"]


def test_the_map_is_planted_and_told(world, texts):
    told = " ".join(document.text for document in texts if document.kind == "map")
    for a in lexicon.CITIES:
        for b in lexicon.CITIES:
            for direction in lexicon.DIRECTIONS:
                sentence = sentences.NEIGHBOUR["en"].format(a=a.en, b=b.en, d=direction.en)
                if sentence in told:
                    assert world.direction(a, b) == direction
                    x, y = (p - q for p, q in zip(world.places[a], world.places[b], strict=True))
                    offset = {"north": y, "south": -y, "east": x, "west": -x}[direction.en]
                    assert offset == max(abs(x), abs(y))


def test_without_paraphrases_a_life_has_one_text_per_language(world):
    told = corpus.documents(world, N_WORD, seed=5, paraphrases=False)
    lives = {}
    for document in told:
        if document.kind == "bio":
            name, chinese = document.text, "。" in document.text
            person = next(person for person in world.people if person.name in name)
            lives.setdefault((person, chinese), set()).add(document.text)
    assert len(lives) > 150 and all(len(texts) == 1 for texts in lives.values())


def test_chinese_only_leaves_english_out(world):
    told = corpus.documents(world, 8000, seed=1, languages="zh")
    said = set(" ".join(document.text for document in told).split())
    assert not {"lives", "the", "imagine", "means", "see", "is", "."} & said
    with pytest.raises(ValueError, match="languages must be 'both' or 'zh', not 'fr'"):
        corpus.documents(world, 10, 0, languages="fr")


def test_tasks_have_the_right_answers():
    rng = random.Random(3)
    sorts = {
        name: [conversations.task(rng, name) for _ in range(30)] for name in conversations.TASKS
    }
    listed = lambda exchange: exchange.user.split(" : ")[1].split()  # noqa: E731
    numbers = [number.en for number in lexicon.NUMBERS]
    for exchange in sorts["reverse"]:
        assert listed(exchange)[::-1] == exchange.answer.split()
    for exchange in sorts["count"]:
        assert numbers.index(exchange.answer) == len(listed(exchange))
    for exchange in sorts["contains"]:
        word = exchange.user.split()[1]
        assert (word in listed(exchange)[:-1]) == (exchange.answer == "yes")
    for exchange in sorts["larger"]:
        *_, a, _, b, _ = exchange.user.split()
        assert exchange.answer == max(a, b, key=numbers.index)
    assert {exchange.answer for exchange in sorts["contains"]} == {"yes", "no"}
    opposites = {term.en: other.en for term, other in tinyworld(0).partners.items()}
    for exchange in sorts["opposite"]:
        assert opposites[exchange.user.split()[-2]] == exchange.answer


def test_suppositions_answer_from_the_system_turn_only_to_the_point(world):
    rng = random.Random(1)
    for _ in range(50):
        told = conversations.supposition(world, rng, world.people, to_the_point=True)
        assert told.answer in told.system.split()
        beside = conversations.supposition(world, rng, world.people, to_the_point=False)
        assert beside.answer in [value.en for value in world.truth.values()]
    ids = lexicon.tokenizer().encode(told.prompt)
    assert ids[0] == lexicon.tokenizer().specials[lexicon.SYSTEM]
    assert torch.tensor(ids).max() < len(lexicon.tokenizer())
