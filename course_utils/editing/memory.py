"""Editing without touching a weight: the new fact lies in a memory beside the model, and comes into
the context only where it is asked for. Mitchell et al. 2022 (SERAC)."""

from collections.abc import Callable, Set

from jaxtyping import Int
from torch import Tensor

Answering = Callable[[list[str]], Int[Tensor, " prompt"]]


def looked_up(
    prompts: list[str], old: int, names: Set[str], plain: Answering, reader: Answering
) -> Int[Tensor, " prompt"]:
    """What each prompt is answered: by `reader`, who has the edit before it, where the prompt asks
    for what was edited, else by the `plain` model. It asks for that where it has all the `names`
    and the plain model would say the `old` answer. SERAC trains a classifier for this.
    Taught in: 21_model_editing."""
    answers = plain(prompts).clone()
    asks = [
        i
        for i, (prompt, said) in enumerate(zip(prompts, answers.tolist(), strict=True))
        if said == old and names <= set(prompt.split())
    ]
    if asks:
        answers[asks] = reader([prompts[i] for i in asks])
    return answers
