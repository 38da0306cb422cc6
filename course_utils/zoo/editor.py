"""Recipe of the editor network: it learns, on people of TinyWorld, to edit world-chat."""

import functools
import random
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from course_utils.core import Transformer
from course_utils.editing.answers import answers, left_padded
from course_utils.editing.hypernet import (
    Editor,
    EditorConfig,
    edited,
    gradient_factors,
    hyper_edit,
)
from course_utils.editing.scores import shares
from course_utils.training.batches import Batches
from course_utils.training.run import Loss
from course_utils.worlds import lexicon
from course_utils.worlds.rewrites import Rewrite, rewrites
from course_utils.worlds.tinyworld import tinyworld
from course_utils.zoo import store
from course_utils.zoo.recipe import Data, Recipe

NAME, BASE = "world-editor", "world-chat"
LAYERS, WIDTH = [4, 5], 128
N_EDIT, N_STEP = 16, 1000  # edits in a step, steps
FOLLOW, STAY = 3, 4  # probes of an edit in a step
WEIGHT = 3.0  # of what should stay against what should follow


def data(seed: int) -> Data:
    """Edits of people whom the training's questions are about, and the loss on them."""
    base = store.load(BASE)
    for weight in base.parameters():
        weight.requires_grad_(False)
    return Data(batches(seed), loss(base))


def batches(seed: int) -> Batches:
    """Edits drawn for each step: prompts, paddings, targets, and the same of their probes."""
    world, words = tinyworld(0), lexicon.tokenizer()

    def batch(step: int) -> tuple[Tensor, ...]:
        rng = random.Random(f"{seed} {step}")
        drawn = rewrites(world, world.asked, N_EDIT, f"{seed} {step}", n_other=6)
        asked, padding = left_padded([words.encode(each.prompt) for each in drawn])
        targets = torch.tensor([words.encode(each.new)[0] for each in drawn])
        probes = [probe for each in drawn for probe in some(each, rng)]
        ids, pads = left_padded([words.encode(probe.prompt) for probe in probes])
        wanted = torch.tensor([words.encode(p.answer)[0] if p.answer else -1 for p in probes])
        shape = (N_EDIT, FOLLOW + STAY)
        return (asked, padding, targets, ids.unflatten(0, shape), pads.view(shape),
                wanted.view(shape))  # fmt: skip

    return batch


def some(drawn: Rewrite, rng: random.Random) -> list:
    """The edited prompt and probes of an edit, those that should follow it first. Held-out wordings
    are not among them."""
    follow = [p for p in drawn.probes if p.group in ("paraphrase", "statement")]
    stay = [p for p in drawn.probes if not p.answer]
    return [drawn.probes[0], *rng.sample(follow, FOLLOW - 1), *rng.sample(stay, STAY)]


def loss(base: Transformer) -> Loss:
    """-log p(new) where the edit should show, KL from the old answer where it should not."""

    def edit_loss(editor: Editor, batch: tuple[Tensor, ...]) -> Tensor:
        asked, padding, targets, ids, pads, wanted = batch
        ids, pads, wanted = (x.flatten(0, 1) for x in (ids, pads, wanted))
        owner = torch.arange(len(asked)).repeat_interleave(len(wanted) // len(asked))
        factors = gradient_factors(base, editor.config.layers, asked, padding, targets)
        stays = wanted < 0
        with torch.no_grad():
            old = base(ids[stays], pads[stays])[:, -1].log_softmax(-1)
        with edited(base, editor, factors, owner):
            new = base(ids, pads)[:, -1].log_softmax(-1)
        follow = -new[~stays].gather(1, wanted[~stays, None]).mean()
        moved = (old.exp() * (old - new[stays])).sum(-1).mean()
        return follow + WEIGHT * moved

    return edit_loss


def of_editor(editor: Editor) -> dict[str, float]:
    """Edits of people whom the editor has never seen edited: shares of probes, by group."""
    base, world, words = store.load(BASE), tinyworld(0), lexicon.tokenizer()
    drawn = rewrites(world, world.unasked, 50, "of_editor")
    found = []
    for each in drawn:
        new = hyper_edit(base, editor, words.encode(each.prompt), words.encode(each.new)[0])
        prompts = [words.encode(probe.prompt) for probe in each.probes]
        wanted = torch.tensor([words.encode(p.answer)[0] if p.answer else -1 for p in each.probes])
        groups = [probe.group.replace(" ", "_") for probe in each.probes]
        found.append(shares(answers(base, prompts), answers(new, prompts), wanted, groups))
    return {group: sum(each[group] for each in found) / len(found) for group in found[0]}


@dataclass(frozen=True)
class EditorRecipe(Recipe):
    """A recipe whose model is an editor: it reads the gradients of its parent."""

    def start(self) -> Editor:
        base = store.load(self.parent).config
        config = EditorConfig(LAYERS, base.d_mlp, base.d_model, WIDTH)
        return Editor(config, torch.Generator().manual_seed(self.seed))


def recipes() -> Iterable[Recipe]:
    yield EditorRecipe(
        NAME,
        "edits facts of world-chat: turns one gradient into a rank-one change of two layers",
        "tinyworld",
        functools.partial(data, 0),
        of_editor,
        n_step=N_STEP,
        parent=BASE,
        world_seed=0,
        lr=2e-3,
        lr_rest=None,
        tolerance=0.04,
    )
