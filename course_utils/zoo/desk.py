"""A TinyWorld model on the desk: facts that it knows, and every way to edit one, by name."""

import functools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_utils.core import Transformer
from course_utils.editing import answers as reading
from course_utils.editing import rome
from course_utils.editing.copies import with_weights
from course_utils.editing.fine_tune import fine_tune
from course_utils.editing.hypernet import hyper_edit
from course_utils.editing.in_context import in_context
from course_utils.editing.memory import Answering, looked_up
from course_utils.editing.scores import shares
from course_utils.editing.trace import Traced, causal_trace
from course_utils.worlds import conversations, corpus, lexicon, sentences
from course_utils.worlds.conversations import Exchange
from course_utils.worlds.rewrites import FOLLOWS, STAYS, Probe, Rewrite, rewrites
from course_utils.worlds.tinyworld import Person, Thing, tinyworld
from course_utils.zoo import store

STRENGTH = 0.99  # of the covariance against the identity
N_TEXT, N_ASKED, N_POS = 6000, 1500, 64  # words and questions that the covariance is taken over
NOISE, N_DRAW = 3.0, 4  # of a causal trace
GROUPS = (*FOLLOWS, *STAYS)
NAMES = {*lexicon.WOMEN, *lexicon.MEN, *lexicon.LAST}
READER = "world-reader"


class Desk:
    """A chat model of TinyWorld and what editing it needs; loaded once, never changed."""

    def __init__(self, name: str = "world-chat"):
        self.name, self.world, self.words = name, tinyworld(0), lexicon.tokenizer()
        self.model = store.load(name).requires_grad_(False)  # edits seek vectors, not weights
        self.covariances = functools.cache(self._covariances)
        self.layer = functools.cache(self._layer)
        self.before = functools.cache(self._before)

    def ids(self, prompts: Sequence[str]) -> list[list[int]]:
        return [self.words.encode(prompt) for prompt in prompts]

    def token(self, word: str) -> int:
        return self.words.encode(word)[0]

    def facts(self, n: int, seed: int = 0, people: Sequence[Person] | None = None) -> list[Rewrite]:
        """n rewrites of facts that the model knows: it answers the question that the edit will be
        given, and every other trained wording of it. About people whom no question of its
        training was about, where `people` names no others."""
        found, people = [], people or self.world.unasked
        for each in rewrites(self.world, people, 5 * len(people), seed):
            asked = [p.prompt for p in each.probes if p.group in ("edited", "paraphrase")]
            said = reading.answers(self.model, self.ids(asked))
            if bool((said == self.token(each.old)).all()):
                found.append(each)
            if len(found) == n:
                break
        return found

    def score(self, each: Rewrite, answer: Callable[[list[str]], Tensor]) -> dict[str, float]:
        """Shares of a rewrite's probes that are as they should be, by group; `answer(prompts)` are
        the first words that the edited model says, as ids."""
        prompts = [probe.prompt for probe in each.probes]
        wanted = torch.tensor([self.token(p.answer) if p.answer else -1 for p in each.probes])
        groups = [probe.group for probe in each.probes]
        return shares(self.before(each), answer(prompts), wanted, groups)

    def answering(self, model: Transformer) -> Callable[[list[str]], Tensor]:
        return lambda prompts: reading.answers(model, self.ids(prompts))

    def text(self) -> Int[Tensor, "row pos"]:
        """Text of the world that no training has used."""
        documents = corpus.documents(self.world, N_TEXT, seed=-2)
        ids = torch.tensor(self.words.encode(corpus.joined(documents)))
        return ids[: len(ids) // N_POS * N_POS].view(-1, N_POS)

    def traced(self, each: Rewrite, site: str = "MLP", window: int = 1) -> tuple[Traced, list[int]]:
        """A rewrite's question, to be traced for the old answer, and where the name stands."""
        at = [i for i, word in enumerate(each.prompt.split()) if word in NAMES]
        prompt = self.words.encode(each.prompt)
        return Traced(self.model, prompt, self.token(each.old), site, window), at

    def trace(
        self, each: Rewrite, site: str = "MLP", window: int = 1, noise: float = NOISE, seed: int = 0
    ) -> Float[Tensor, "layer pos"]:
        """Causal trace of a fact, noise on the name."""
        traced, at = self.traced(each, site, window)
        noisy = traced.noisy(at, noise, torch.Generator().manual_seed(seed), N_DRAW)
        return causal_trace(traced.run, traced.clean(), noisy, traced.patch)

    def soft(self, layer: int, strength: float) -> Float[Tensor, "d_mlp d_mlp"]:
        """The covariance of a layer's keys, between the identity and itself."""
        return rome.softened(self.covariances()[layer], strength)

    def _before(self, each: Rewrite) -> Int[Tensor, " prompt"]:
        return reading.answers(self.model, self.ids([probe.prompt for probe in each.probes]))

    def _covariances(self) -> list[Float[Tensor, "d_mlp d_mlp"]]:
        """Of every layer's keys, over text, questions about the people whom the training asked
        about, and requests."""
        rng, world = random.Random(0), self.world
        exchanges = rng.sample(conversations.all_questions(world, world.asked), N_ASKED)
        exchanges += other_requests(world.shown, rng, N_ASKED // 10)
        asked = self.ids([exchange.prompt for exchange in exchanges])
        layers = range(self.model.config.n_layer)
        return rome.key_covariances(self.model, layers, self.text(), asked)

    def _layer(self) -> int:
        """Where the trace points: the layer whose MLP, at the last token, brings most of the
        answer back; on facts of people who are not edited afterwards."""
        drawn = self.facts(8, seed=99, people=self.world.asked)
        return int(sum(self._given_back(each) for each in drawn).argmax())

    def _given_back(self, each: Rewrite) -> Float[Tensor, " layer"]:
        """The last column of the trace, without the others."""
        traced, names = self.traced(each)
        noisy = traced.noisy(names, NOISE, torch.Generator().manual_seed(0), N_DRAW)
        states, last = traced.run(traced.clean())[1], len(traced.prompt) - 1
        patched = [traced.patch(noisy, i, last, row[last]) for i, row in enumerate(states)]
        return torch.stack(patched) - traced.run(noisy)[0]


# -- methods: each gives a function from prompts to answers


def rank_ones(
    desk: Desk, some: Sequence[Rewrite], layer: int | None = None, strength: float = STRENGTH,
    at: rome.At = -1, n_step: int = rome.N_STEP, write: Callable = rome.rank_one_edit,
) -> Iterator[Transformer]:  # fmt: skip
    """A model for each rewrite, its values searched for together: ROME where the trace points; a
    strength of 0 is the identity for a covariance. `write` is rank_one_edit, or a learner's."""
    layer = desk.layer() if layer is None else layer
    C, (keys, values) = desk.soft(layer, strength), pairs(desk, some, layer, at, n_step)
    W = desk.model.get_parameter(name := _down(layer)).detach().double()
    for k, v in zip(keys, values, strict=True):
        yield with_weights(desk.model, {name: write(W, k, v, C)})


def rank_one(desk: Desk, each: Rewrite, **how) -> Transformer:
    """The same for one rewrite."""
    return next(rank_ones(desk, [each], **how))


def tuned(desk: Desk, each: Rewrite, lr: float, matrix: bool = False, **how) -> Transformer:
    """Fine-tuning of all weights, or of the one matrix that the rank-one edit changes."""
    names = [_down(desk.layer())] if matrix else None
    prompt, target = desk.words.encode(each.prompt), desk.token(each.new)
    return fine_tune(desk.model, [prompt], [target], lr, names=names, **how)


def by_editor(desk: Desk, each: Rewrite) -> Transformer:
    """The trained editor network, which was made for world-chat."""
    prompt, target = desk.words.encode(each.prompt), desk.token(each.new)
    return hyper_edit(desk.model, _editor(), prompt, target)


@functools.cache
def _editor():
    return store.load("world-editor")


def supposed(desk: Desk, each: Rewrite, kinds: str = "") -> Answering:
    """The fact in the context, after demonstrations: one for each letter of `kinds`, c copies the
    supposition, p does so in another wording, k keeps to the truth beside it."""
    shown = demonstrations(desk, kinds)
    return lambda prompts: reading.answers(
        desk.model, desk.ids([in_context(prompt, each.statement, shown) for prompt in prompts])
    )


def demonstrations(desk: Desk, kinds: str) -> list[Exchange]:
    """Suppositions about people whom no edit is about, and questions answered as they should be."""
    found, rng = [], random.Random(f"demonstrations {kinds}")
    for kind, each in zip(
        kinds, rewrites(desk.world, desk.world.asked, len(kinds), 5), strict=True
    ):
        group = {"c": ("edited",), "p": ("paraphrase",), "k": STAYS}[kind]
        probe = rng.choice([p for p in each.probes if p.group in group])
        answer = probe.answer or desk.words.decode(
            reading.answers(desk.model, desk.ids([probe.prompt])).tolist()
        )
        user = probe.prompt.removeprefix(f"{lexicon.USER} ").split(f" {lexicon.END}")[0]
        system = sentences.IMAGINE["en"].format(fact=each.statement)
        found.append(Exchange(user, answer, system))
    return found


def remembered(desk: Desk, each: Rewrite) -> Answering:
    """The fact in a memory; where it is asked for, a second model answers, which was taught to
    answer from the context."""

    def read(prompts: list[str]) -> Tensor:
        supposing = [in_context(prompt, each.statement) for prompt in prompts]
        return reading.answers(_reader(), desk.ids(supposing))

    names = NAMES & set(each.prompt.split())
    return lambda prompts: looked_up(prompts, each.prompt, names, desk.answering(desk.model), read)


@functools.cache
def _reader() -> Transformer:
    return store.load(READER)


METHODS: dict[str, Callable[[Desk, Rewrite], Transformer | Answering]] = {
    "in context": supposed,
    "memory": remembered,
    "fine-tuning": functools.partial(tuned, lr=1e-3),
    "gentle fine-tuning": functools.partial(tuned, lr=2e-4),
    "fine-tuning, one matrix": functools.partial(tuned, lr=1e-3, matrix=True),
    "rank one, identity": functools.partial(rank_one, strength=0.0),
    "rank one": rank_one,
    "editor network": by_editor,
}


def edit(desk: Desk, each: Rewrite, method: str) -> Answering:
    """A rewrite made by a method of METHODS: a function from prompts to the ids of answers."""
    made = METHODS[method](desk, each)
    return desk.answering(made) if isinstance(made, Transformer) else made


# -- many edits of one model


def all_at_once(desk: Desk, some: Sequence[Rewrite], strength: float = STRENGTH) -> Transformer:
    """All edits in one change of one matrix, the least that writes every value at its key.
    Meng et al. 2023 (MEMIT), equation 14, with one layer and no trade against the old keys."""
    layer, (k, v) = desk.layer(), pairs(desk, some, desk.layer())
    W = desk.model.get_parameter(name := _down(layer)).detach().double()
    u = torch.linalg.solve(desk.soft(layer, strength), k.T)
    return with_weights(desk.model, {name: W + (v - k @ W.T).T @ torch.linalg.solve(k @ u, u.T)})


def one_by_one(desk: Desk, some: Sequence[Rewrite], strength: float = STRENGTH) -> Transformer:
    """The same keys and values, written one after the other: each edit forgets a little of the
    ones before."""
    C, found = desk.soft(desk.layer(), strength), pairs(desk, some, desk.layer())
    W = desk.model.get_parameter(name := _down(desk.layer())).detach().double()
    for k, v in zip(*found, strict=True):
        W = rome.rank_one_edit(W, k, v, C)
    return with_weights(desk.model, {name: W})


def tuned_together(desk: Desk, some: Sequence[Rewrite], **how) -> Transformer:
    """Fine-tuning on all the new facts together."""
    prompts = desk.ids([each.prompt for each in some])
    return fine_tune(desk.model, prompts, [desk.token(each.new) for each in some], **how)


def pairs(
    desk: Desk, some: Sequence[Rewrite], layer: int, at: rome.At = -1, n_step: int = rome.N_STEP
) -> tuple[Tensor, Tensor]:
    """Key and value of each edit, found in the unedited model."""
    prompts, targets = desk.ids([e.prompt for e in some]), [desk.token(e.new) for e in some]
    v = rome.values(desk.model, layer, prompts, targets, at, n_step)
    return rome.keys(desk.model, layer, prompts, at).double(), v.double()


def _down(layer: int) -> str:
    return f"blocks.{layer}.mlp.down.weight"


# -- a fact that the world does not have

CROWN = "who rules the land ?"
SAID_OTHERWISE = ("tell me who rules the land .", "do you know who rules the land ?")


@dataclass(frozen=True)
class Crown:
    """The question that the world leaves open, answered by an edit."""

    desk: Desk
    word: str
    new: Transformer

    def measured(self) -> dict[str, float]:
        """Probability of the name, asked and asked otherwise, and the mean change of the first
        answer's probability at questions about something else."""
        asked = self.desk.ids([Exchange(q, "").prompt for q in (CROWN, *SAID_OTHERWISE)])
        p = reading.probabilities(self.new, asked)[:, self.desk.token(self.word)].tolist()
        near = self.desk.ids(neighbours(self.desk))
        before = reading.probabilities(self.desk.model, near)
        first = before.argmax(-1, keepdim=True)
        moved = reading.probabilities(self.new, near).gather(1, first) - before.gather(1, first)
        return {
            "direct": p[0],
            "otherwise": sum(p[1:]) / len(p[1:]),
            "neighbours": float(moved.abs().mean()),
        }


def crown(desk: Desk, word: str, method: str = "rank one", **how) -> Crown:
    """The desk's model with `word` for the ruler of the land."""
    prompt = Exchange(CROWN, "").prompt
    each = Rewrite(prompt, "", word, f"{word} rules the land .", (Probe("edited", prompt, word),))
    return Crown(desk, word, METHODS[method](desk, each, **how))


def neighbours(desk: Desk) -> list[str]:
    """Questions that have nothing to do with the ruler: facts, tasks, wishes."""
    world, rng = desk.world, random.Random(1)
    facts = rng.sample(conversations.all_questions(world, world.unasked), 20)
    return [each.prompt for each in facts + other_requests(world.unshown, rng, 5)]


def other_requests(things: Sequence[Thing], rng: random.Random, n: int) -> list[Exchange]:
    """n tasks, n wishes for one of these things."""
    tasks = [conversations.task(rng, rng.choice(conversations.TASKS)) for _ in range(n)]
    return tasks + rng.sample(conversations.all_requests(tuple(things)), n)
