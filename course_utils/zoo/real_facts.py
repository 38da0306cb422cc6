"""Facts that the real SmolLM2 knows; what rewriting one does to its paraphrases and neighbours."""

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.core import Transformer
from course_utils.core.library_tokenizer import LibraryTokenizer
from course_utils.editing import answers as reading
from course_utils.editing import rome
from course_utils.editing.copies import with_weights
from course_utils.editing.fine_tune import fine_tune
from course_utils.zoo import smollm2

# A question, its paraphrases, and (subject, answer); the answer's first token is what is scored.
RELATIONS = {
    "capital": (
        "The capital of {s} is",
        ("The capital city of {s} is called", "The capital and largest city of {s} is"),
        """France/Paris Italy/Rome Japan/Tokyo Germany/Berlin Spain/Madrid Russia/Moscow
        Greece/Athens Cuba/Havana Portugal/Lisbon Ireland/Dublin Norway/Oslo Sweden/Stockholm
        Austria/Vienna Hungary/Budapest China/Beijing Canada/Ottawa Thailand/Bangkok Kenya/Nairobi
        Denmark/Copenhagen Vietnam/Hanoi Chile/Santiago Syria/Damascus Afghanistan/Kabul
        England/London""",
    ),
    "language": (
        "In {s}, the official language is",
        ("The official language of {s} is", "People in {s} speak"),
        """France/French Italy/Italian Japan/Japanese Germany/German Spain/Spanish Russia/Russian
        Portugal/Portuguese Poland/Polish Sweden/Swedish Turkey/Turkish Norway/Norwegian
        Finland/Finnish Hungary/Hungarian Egypt/Arabic Vietnam/Vietnamese""",
    ),
}
LAYER, STRENGTH, N_FACT, N_NEIGHBOUR, N_WORD = 8, 0.9, 24, 5, 2500
RATE, N_STEP = 1e-3, 25  # of fine-tuning the same matrix


@dataclass(frozen=True)
class RealFact:
    """A true fact, another answer for it, and prompts that should and should not follow. `at`
    counts the last token of the subject from the end of the prompt."""

    prompt: str
    at: int
    old: str
    new: str
    paraphrases: tuple[str, ...]
    neighbours: tuple[tuple[str, str], ...]  # (prompt, true answer)


class Real:
    """SmolLM2 with its tokenizer, and the covariance of its keys on English text."""

    def __init__(self):
        self.model: Transformer = smollm2.load()
        for weight in self.model.parameters():
            weight.requires_grad_(False)
        self.words: LibraryTokenizer = smollm2.tokenizer()

    def token(self, word: str) -> int:
        return self.words.encode(f" {word}")[0]

    def ids(self, prompts: Sequence[str]) -> list[list[int]]:
        return [self.words.encode(prompt) for prompt in prompts]

    def probabilities(self, model: Transformer, prompts: Sequence[str]) -> Float[Tensor, "p vocab"]:
        return reading.probabilities(model, self.ids(prompts))

    def facts(self, seed: int = 0) -> list[RealFact]:
        """Every fact of the table that the model knows, in the wording of the edit, with another
        answer of its kind drawn at random, and neighbours that it knows too."""
        rng, found = random.Random(seed), []
        for prompt, paraphrases, table in RELATIONS.values():
            pairs = [tuple(pair.split("/")) for pair in table.split()]
            said = self.probabilities(self.model, [prompt.format(s=s) for s, _ in pairs]).argmax(-1)
            known = [p for p, i in zip(pairs, said.tolist(), strict=True) if i == self.token(p[1])]
            for subject, old in known:
                others = [pair for pair in known if pair[1] != old]
                new, *near = rng.sample(others, 1 + N_NEIGHBOUR)
                asked, end = prompt.format(s=subject), prompt.split("{s}")[1]
                at = -1 - len(self.words.encode(end))
                found.append(RealFact(
                    asked, at, old, new[1],
                    tuple(p.format(s=subject) for p in paraphrases),
                    tuple((prompt.format(s=s), answer) for s, answer in near),
                ))  # fmt: skip
        return found

    def covariance(self, layer: int, n_word: int = N_WORD) -> Float[Tensor, "d_mlp d_mlp"]:
        """Over the documentation that every Python carries, softened: the text has hardly more
        tokens than the matrix rows."""
        from pydoc_data.topics import topics

        ids = self.words.encode(" ".join(topics.values())[: 6 * n_word])[:n_word]
        rows = torch.tensor(ids[: len(ids) // 100 * 100]).view(-1, 100)
        (C,) = rome.key_covariances(self.model, [layer], rows)
        return rome.softened(C, STRENGTH)

    def rank_one(
        self, facts: Sequence[RealFact], C: Tensor, layer: int = LAYER
    ) -> Iterator[Transformer]:
        """ROME at the last token of the subject, as in the paper: a model for each fact. Their
        values are searched for together."""
        prompts, at = self.ids([fact.prompt for fact in facts]), [fact.at for fact in facts]
        k = rome.keys(self.model, layer, prompts, at).double()
        targets = [self.token(fact.new) for fact in facts]
        v = rome.values(self.model, layer, prompts, targets, at, N_STEP).double()
        W = self.model.get_parameter(name := f"blocks.{layer}.mlp.down.weight").detach().double()
        for pair in zip(k, v, strict=True):
            yield with_weights(self.model, {name: rome.rank_one_edit(W, *pair, C)})

    def tuned(self, fact: RealFact, layer: int = LAYER) -> Transformer:
        """Fine-tuning of the same matrix on the same prompt."""
        name, prompts = f"blocks.{layer}.mlp.down.weight", self.ids([fact.prompt])
        return fine_tune(self.model, prompts, [self.token(fact.new)], RATE, N_STEP, names=[name])

    def score(self, model: Transformer, fact: RealFact) -> dict[str, float]:
        """As in Meng et al. 2022: the share of prompts at which the new answer is likelier than the
        old one (efficacy, paraphrase), and at which a neighbour's own is likelier than the new one
        (neighbourhood); and the shares at which they are what the model says first."""
        near, true = zip(*fact.neighbours, strict=True)
        p = self.probabilities(model, [fact.prompt, *fact.paraphrases, *near])
        n, first = 1 + len(fact.paraphrases), p.argmax(-1)
        old, new = self.token(fact.old), self.token(fact.new)
        own = torch.tensor([self.token(word) for word in true])
        likelier = (p[:n, new] > p[:n, old]).double()
        kept = (p[n:].gather(1, own[:, None])[:, 0] > p[n:, new]).double()
        said, stayed = (first[:n] == new).double(), (first[n:] == own).double()
        return {
            "efficacy": float(likelier[0]),
            "paraphrase": float(likelier[1:].mean()),
            "neighbourhood": float(kept.mean()),
            "says it": float(said[0]),
            "says it, paraphrased": float(said[1:].mean()),
            "neighbours as before": float(stayed.mean()),
        }


def mean_and_half(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half of its 95% interval (normal)."""
    n, mean = len(values), sum(values) / len(values)
    spread = math.sqrt(sum((x - mean) ** 2 for x in values) / max(1, n - 1))
    return mean, 1.96 * spread / math.sqrt(n)


def _methods(real: Real, facts: Sequence[RealFact]) -> dict[str, Callable[[], Iterable]]:
    return {
        "unedited": lambda: [real.model] * len(facts),
        "rank one": lambda: real.rank_one(facts, real.covariance(LAYER)),
        "rank one, identity": lambda: real.rank_one(
            facts, torch.eye(real.model.config.d_mlp).double()
        ),
        "fine-tuning": lambda: map(real.tuned, facts),
    }


METHODS = ("unedited", "rank one", "rank one, identity", "fine-tuning")


def measure(real: Real, method: str) -> dict[str, tuple[float, float]]:
    """Scores of one of METHODS over N_FACT facts: mean, and half of its 95% interval."""
    facts = random.Random(0).sample(real.facts(), N_FACT)
    models = _methods(real, facts)[method]()
    rows = [real.score(new, fact) for new, fact in zip(models, facts, strict=True)]
    return {score: mean_and_half([row[score] for row in rows]) for score in rows[0]}
