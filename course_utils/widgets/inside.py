"""Panels that look into models: TinyWorld's at once, a real one at the press of a button."""

import functools
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils import zoo
from course_utils.core import Transformer
from course_utils.interp import logit_lens, streams
from course_utils.interp.desk import DESK_WAYS, DeskView, desk, desk_view
from course_utils.interp.habits import last_streams, rows_of
from course_utils.interp.readings import (
    METHODS,
    LensView,
    PatchView,
    lens_view,
    patch_view,
    plane_view,
)
from course_utils.interp.world_habits import chinese, flattery, refusal, shouting
from course_utils.viz.inside import (
    DeskCanvas,
    LensCanvas,
    PatchCanvas,
    PlaneCanvas,
    TallLensCanvas,
)
from course_utils.widgets.controls import choice, slider, switch, text
from course_utils.widgets.panel import Panel
from course_utils.widgets.run_panel import RunPanel
from course_utils.worlds import lexicon
from course_utils.worlds.atlas import PLACES
from course_utils.worlds.tinyworld import tinyworld

HABITS = {
    "refusing": ("world-chat", refusal),
    "shouting": ("world-chat", shouting),
    "speaking Chinese": ("world-base", chinese),
    "flattering": ("world-flatter", flattery),
}
BARE = "nothing asked"


@functools.cache
def _world_model(name: str) -> Transformer:
    return zoo.load(name)


def _ask(question: str) -> list[int]:
    asked = f"{lexicon.USER} {question} {lexicon.END} {lexicon.ASSISTANT}"
    return lexicon.tokenizer().encode(" ".join(asked.split()))


def _ends() -> tuple[int]:
    """What a turn of TinyWorld ends with."""
    return (lexicon.tokenizer().specials[lexicon.END],)


def _questions() -> list[str]:
    world = tinyworld(0)
    a, b = world.asked[:2]
    return [
        f"where does {a.name} live ?",
        f"what is the job of {b.name} ?",
        f"how do i make a {world.unshown[0].name} ?",
        f"{a.name} 住 在 哪里 ？",
    ]


# -- find the plane


def city_places() -> tuple[Float[Tensor, "layer n d_model"], Float[Tensor, "n 2"], list[str]]:
    """The streams of world-base at each of TinyWorld's cities, where they lie, their names."""
    words, world = lexicon.tokenizer(), tinyworld(0)
    start = words.specials[lexicon.DOC]
    ids = torch.tensor([[start, *words.encode(city.en)] for city in lexicon.CITIES])
    H = streams(_world_model("world-base"), ids)[:, :, -1]
    Y = torch.tensor([world.places[city] for city in lexicon.CITIES])
    return H, Y, [city.en for city in lexicon.CITIES]


def real_city_places(model: Transformer, tokenizer) -> tuple:
    """The same for a real model and real cities: streams at the last token of each name."""
    H = last_streams(model, rows_of([tokenizer.encode(f"I live in {name}") for name in PLACES]))
    return H, torch.tensor(list(PLACES.values()), dtype=torch.float32), list(PLACES)


def plane_panel(places: tuple | None = None) -> Panel:
    """Find the plane: where things lie, told from one layer, beside the controls that keep one
    honest. places: (streams of every layer, coordinates, names); left out, TinyWorld's cities."""
    H, Y, names = places or city_places()
    return Panel(
        "Find the plane",
        functools.partial(plane_view, H, Y, names),
        PlaneCanvas(),
        {
            "layer": slider("layer", 0, len(H) - 1, len(H) // 2, 1),
            "method": choice("method", list(METHODS)),
            "shuffled": switch("shuffle labels"),
        },
    )


# -- the lens


def lens_panel(logit_lens: Callable = logit_lens) -> Panel:
    """Lens: what each layer of world-chat would say, read by `logit_lens`."""
    spell = lexicon.tokenizer().token

    def compute(question: str, back: int, normed: bool) -> LensView:
        ids = _ask(question)[-LensCanvas.n_pos :]
        place = max(0, len(ids) - 1 - back)
        return lens_view(_world_model("world-chat"), spell, ids, place, normed, logit_lens)

    return Panel(
        "Lens",
        compute,
        LensCanvas(),
        {
            "question": text("question", *_questions(), at_once=False),
            "back": slider("words from end", 0, 7, 0, 1),
            "normed": switch("final norm", True),
        },
    )


def real_lens_panel(model: Transformer, tokenizer, logit_lens: Callable = logit_lens) -> RunPanel:
    """The lens on a real model, over all layers and positions of a text of your own."""

    def compute(progress: Callable, prompt: str, back: int) -> LensView:
        progress(0, 1)
        ids = tokenizer.encode(prompt)[-TallLensCanvas.n_pos :]
        place = max(0, len(ids) - 1 - back)
        view = lens_view(model, lambda i: tokenizer.decode([i]), ids, place, True, logit_lens)
        progress(1, 1)
        return view

    return RunPanel(
        "Lens on SmolLM2",
        compute,
        TallLensCanvas(),
        {
            "prompt": text("text", "The capital of France is", "Two plus three equals"),
            "back": slider("words from end", 0, 4, 0, 1),
        },
    )


# -- patchscope


def patch_panel() -> Panel:
    """Patchscope: a vector out of one question, read by what another prompt makes of it."""
    spell, questions = lexicon.tokenizer().token, _questions()

    def compute(source: str, layer: int, back: int, target: str, into: int) -> PatchView:
        model = _world_model("world-chat")
        other = _ask("" if target == BARE else target)
        ids = _ask(source)
        return patch_view(model, spell, ids, (layer, -1 - back), other, (into, -1), stop=_ends())

    return Panel(
        "Patchscope",
        compute,
        PatchCanvas(),
        {
            "source": choice("source", questions),
            "layer": slider("from layer", 0, 6, 5, 1),
            "back": slider("words from end", 0, 5, 0, 1),
            "target": choice("target", [BARE, *questions[1:]]),
            "into": slider("into layer", 0, 6, 5, 1),
        },
    )


IDENTITY = "cat -> cat; hello -> hello; London -> London; x ->"


def real_patch_panel(model: Transformer, tokenizer) -> RunPanel:
    """The patchscope of the paper on a real model: the vector of a text's last token takes the
    place of x in a prompt that repeats."""

    def compute(progress: Callable, source: str, layer: int, into: int) -> PatchView:
        progress(0, 1)
        ids, target = tokenizer.encode(source), tokenizer.encode(IDENTITY)
        spell = lambda i: tokenizer.decode([i])  # noqa: E731
        return patch_view(model, spell, ids, (layer, -1), target, (into, -2), n_new=3)

    return RunPanel(
        "Patchscope on SmolLM2",
        compute,
        PatchCanvas(),
        {
            "source": text("source", "I moved to San Francisco", "I live in New York"),
            "layer": slider("from layer", 0, len(model.blocks), 2, 1),
            "into": slider("into layer", 0, len(model.blocks), 2, 1),
        },
    )


# -- the steering desk


@functools.cache
def _desk(name: str):
    model, habit = HABITS[name]
    another = lexicon.tokenizer().specials[lexicon.DOC]  # where a statement ends, the next begins
    return desk(_world_model(model), habit(tinyworld(0)), (*_ends(), another))


def desk_panel() -> Panel:
    """Steering desk: turn a habit of a model up and down, and read what else moves."""

    def compute(habit: str, layer: int, way: str, scale: float) -> DeskView:
        return desk_view(_desk(habit), lexicon.tokenizer().token, habit, layer, way, scale)

    return Panel(
        "Steering desk",
        compute,
        DeskCanvas(),
        {
            "habit": choice("habit", [h for h, (m, _) in HABITS.items() if m in zoo.names()]),
            "layer": slider("layer", 1, 6, 5, 1),
            "way": choice("way", list(DESK_WAYS)),
            "scale": slider("scale", -4.0, 4.0, 1.0, 0.25),
        },
    )
