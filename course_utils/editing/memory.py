"""Editing without touching a weight: the new fact lies in a memory beside the model, and comes into
the context only where it is asked for. Mitchell et al. 2022 (SERAC)."""

from collections.abc import Callable, Set

import torch
from jaxtyping import Int
from torch import Tensor

Answering = Callable[[list[str]], Int[Tensor, " prompt"]]


def looked_up(
    prompts: list[str], edited: str, names: Set[str], plain: Answering, reader: Answering
) -> Int[Tensor, " prompt"]:
    """What each prompt is answered: by `reader`, who has the edit before it, where the prompt asks
    for what was edited, else by the `plain` model. It asks for that where it has all the `names`,
    and the plain model would say what it says to the `edited` prompt. SERAC trains a classifier to
    tell this. Taught in: 21_model_editing."""
    old, *said = plain([edited, *prompts]).tolist()
    pairs = enumerate(zip(prompts, said, strict=True))
    asks = [i for i, (prompt, word) in pairs if word == old and names <= set(prompt.split())]
    answers = torch.tensor(said)
    if asks:
        answers[asks] = reader([prompts[i] for i in asks])
    return answers
