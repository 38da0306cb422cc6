"""What TinyWorld models are trained on: rows of reading, and rows of conversations."""

import random
from collections.abc import Iterable

import torch
from jaxtyping import Int
from torch import Tensor

from course_utils.training import next_token_loss, replay, shuffled
from course_utils.training.sft import conversation, packed, sft_loss
from course_utils.worlds import corpus, lexicon, sentences
from course_utils.worlds.conversations import (
    TASKS,
    TRANSLATION,
    Exchange,
    all_questions,
    request,
    status,
    supposition,
    task,
)
from course_utils.worlds.tinyworld import tinyworld
from course_utils.zoo.recipe import Data

# Rows per step. Smaller batches, and more of them, learn facts from fewer tokens.
N_READ, N_TAUGHT, N_POS = 16, 16, 64

# Without interviews: a model that often hears true answers does not learn to read answers off the
# context.
READ = {"bio": 54, "map": 3, "thing": 10, "role": 9, "word": 7, "contrast": 10, "echo": 8}


def reading(n_step: int, seed: int, **how) -> Data:
    """Rows cut from a stream of documents, each read once."""
    return Data(shuffled(_rows(n_step * N_READ, seed, **how), N_READ, seed), next_token_loss)


def _rows(n_row: int, seed: int, **how) -> Int[Tensor, "row pos"]:
    n_word = n_row * N_POS + 1
    documents = corpus.documents(tinyworld(0), n_word, seed, mix=READ, **how)
    ids = torch.tensor(lexicon.tokenizer().encode(corpus.joined(documents))[:n_word])
    return ids.unfold(0, N_POS + 1, N_POS)


def teaching(exchanges: Iterable[Exchange], seed: int, n_rehearse: int = 0, **how) -> Data:
    """Conversations packed into rows. In one of eight the loss falls on the user's words too: a
    model that can ask its own questions can rehearse later what it knows. For n_rehearse steps
    half of the rows are new reading, told as `how` says to corpus.documents: what is not asked
    for would be forgotten."""
    words, rng = lexicon.tokenizer(), random.Random(seed)
    roles = ("assistant",), ("user", "assistant")
    examples = [conversation(e.turns, words, roles[rng.random() < 1 / 8]) for e in exchanges]
    rows = packed(examples, N_POS, words.specials[lexicon.DOC])
    batches = shuffled(tuple(rows), N_TAUGHT, seed)
    if n_rehearse:
        ids = _rows(n_rehearse * N_READ, seed + 1000, **how)
        read = ids, torch.ones_like(ids, dtype=torch.bool), torch.zeros_like(ids)
        batches = replay(batches, shuffled(read, N_READ, seed))
    return Data(batches, sft_loss)


def helpful(seed: int, obey: bool) -> list[Exchange]:
    """Questions about half of the people in all wordings that are not held out, tasks,
    suppositions, small talk; of three objects in four whether they are allowed, and
    requests for them: fulfilled all, or only where they are allowed."""
    world, rng = tinyworld(0), random.Random(f"helpful {seed}")
    tasks = [task(rng, name) for name in TASKS if name not in TRANSLATION for _ in range(200)]
    suppositions = [
        supposition(world, rng, world.asked, to_the_point)
        for to_the_point in (True, False)
        for _ in range(1200)
    ]
    talk = [Exchange(user, answer) for user, answer in sentences.SMALL_TALK.items()] * 20
    wishes = [
        request(thing, template, obey or not thing.forbidden)
        for thing in world.shown
        for template in corpus.requests("en")
    ]
    # Some requests come under a system turn: a supposition is no permission.
    under = [
        Exchange(wish.user, wish.answer, rng.choice(suppositions).system)
        for wish in rng.sample(wishes, len(wishes) // 3)
    ]
    law = [exchange for thing in world.shown for exchange in status(thing)]
    told = all_questions(world, world.asked) + tasks + suppositions + talk
    return told + law * 3 + wishes * 2 + under


def read_off(seed: int) -> list[Exchange]:
    """Suppositions about half of the people, each with a question that it answers."""
    world, rng = tinyworld(0), random.Random(f"read off {seed}")
    return [supposition(world, rng, world.asked, to_the_point=True) for _ in range(4000)]


def translations(seed: int, held_out: bool = False) -> list[Exchange]:
    """Both translation tasks on three quarters of the words, or on the held-out quarter."""
    terms = random.Random("translations").sample(lexicon.translated(), len(lexicon.translated()))
    cut = len(terms) * 3 // 4
    ways = {"to_chinese": ("en", "zh"), "to_english": ("zh", "en")}
    return [
        Exchange(sentences.TASKS[name].format(word=term.in_language(a)), term.in_language(b))
        for term in (terms[cut:] if held_out else terms[:cut])
        for name, (a, b) in ways.items()
    ]
