"""How a model of the zoo is made: data, steps, measures; and the card that says what came out."""

import hashlib
import platform
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from course_utils.core import ModelConfig, Transformer
from course_utils.core.threads import tune_process
from course_utils.errors import CourseError
from course_utils.optim import TorchOptimizer, adamw, muon_and_adamw
from course_utils.optim.schedules import linear
from course_utils.training import fit, next_token_loss
from course_utils.training.batches import Batches
from course_utils.training.run import History, Loss
from course_utils.zoo import store
from course_utils.zoo.cache import cache_root

TOLERANCE = 0.02
SEEDS = (0, 1, 2)


def named(name: str, seed: int) -> str:
    """The name of a model that is trained from several seeds: seed 0 carries the plain one."""
    return name if seed == 0 else f"{name}-{seed}"


@dataclass(frozen=True)
class Data:
    """Batches for `training.fit`, the loss on them, and the tokens per step."""

    batches: Batches
    loss: Loss = next_token_loss

    def digest(self, n_step: int) -> str:
        """SHA-256 of the first, the middle and the last batch: it changes when the data do."""
        digest = hashlib.sha256()
        for step in (0, n_step // 2, n_step - 1):
            for tensor in _tensors(self.batches(step)):
                digest.update(tensor.contiguous().numpy().tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a model's weights, and what is measured on them.

    A model starts from `parent`, another model of the zoo, or from `config` with weights drawn
    from `seed`. Muon moves the hidden matrices at `lr` and AdamW all else at `lr_rest`, both with
    weight decay `decay`; without `lr_rest`, AdamW moves everything, gently enough to keep what a
    parent knows. `measure(model)` gives numbers by name; `tolerance` is how far a machine that
    rounds otherwise may measure them from the card.
    """

    name: str
    about: str
    vocabulary: str
    data: Callable[[], Data]
    measure: Callable[[Transformer], dict[str, float]]
    n_step: int
    config: ModelConfig | None = None
    parent: str | None = None
    seed: int = 0
    world_seed: int | None = None
    lr: float = 0.02
    lr_rest: float | None = 0.004
    decay: float = 0.0
    n_warmup: int = 20
    tolerance: float = TOLERANCE

    def start(self) -> Transformer:
        """The model before its first step."""
        if self.parent:
            return store.load(self.parent).train()
        return Transformer(self.config, torch.Generator().manual_seed(self.seed))

    def optimizer(self, model: Transformer) -> TorchOptimizer:
        if self.lr_rest is None:
            return TorchOptimizer(model.parameters(), adamw(), self.lr, flat=True)
        return muon_and_adamw(model, self.lr, self.lr_rest, self.decay)


def train(recipe: Recipe, device: str = "cpu", progress: bool = True) -> dict:
    """Train, measure and write a model; returns its card. On the CPU the same recipe gives the
    same weights bit for bit. A run that was stopped goes on where it was, from the cache.
    Raises CourseError where the run ends early."""
    tune_process(1)  # one thread: sums in another order would round otherwise
    data, model = recipe.data(), recipe.start().to(_device(device))
    digest = data.digest(recipe.n_step)
    where = cache_root() / "training" / f"{recipe.name}-{digest[:12]}"
    busy, done = time.process_time(), []
    history = fit(
        model,
        data.batches,
        data.loss,
        recipe.optimizer(model),
        recipe.n_step,
        schedule=linear(recipe.n_step, recipe.n_warmup),
        callbacks=[lambda history: done.append(history.step)],
        checkpoint=where,
        progress=progress,
    )
    if history.stopped != "finished":
        raise CourseError(
            f"{recipe.name} {history.stopped} after {history.step} of {recipe.n_step} steps; "
            f"`course zoo train {recipe.name}` goes on from there."
        )
    # A run that went on is credited at the rate of the steps made here.
    busy = (time.process_time() - busy) * recipe.n_step / max(1, len(done))
    spent = {"cpu_seconds": busy, "seconds": history.seconds}
    model = model.cpu().eval()
    store.round_to_half(model)
    says = _card(recipe, data, model, history, spent | {"device": device_name(device)})
    store.save(model, says)
    shutil.rmtree(where, ignore_errors=True)
    return store.card(recipe.name)


def measured(recipe: Recipe) -> dict[str, dict[str, float]]:
    """Each metric of the card with what the stored weights give now."""
    says = store.card(recipe.name)
    now = recipe.measure(store.load(recipe.name))
    return {
        name: {"card": metric["value"], "measured": now[name], "tolerance": metric["tolerance"]}
        for name, metric in says["metrics"].items()
    }


def _card(recipe: Recipe, data: Data, model: Transformer, history: History, spent: dict) -> dict:
    batch = data.batches(0)
    n_token = max(tensor.numel() for tensor in _tensors(batch))
    metrics = recipe.measure(model)
    return {
        "name": recipe.name,
        "about": recipe.about,
        "parent": recipe.parent,
        "vocabulary": recipe.vocabulary,
        "n_parameter": sum(weight.numel() for weight in model.parameters()),
        "world_seed": recipe.world_seed,
        "seed": recipe.seed,
        "n_step": recipe.n_step,
        "n_token": recipe.n_step * n_token,
        "data_sha256": data.digest(recipe.n_step),
        "final_loss": round(sum(history.losses[-20:]) / 20, 4),
        **{key: round(x, 1) if isinstance(x, float) else x for key, x in spent.items()},
        "torch": torch.__version__,
        "metrics": {
            name: {"value": round(value, 4), "tolerance": recipe.tolerance}
            for name, value in metrics.items()
        },
    }


def _device(name: str) -> torch.device:
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise CourseError(f"--device {name!r} cannot be used here: {reason}") from None
    return torch.device(name)


def device_name(device: str) -> str:
    """What the device is, in words."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"one thread of a CPU ({platform.machine()})"


def _tensors(batch) -> list[Tensor]:
    if isinstance(batch, Tensor):
        return [batch]
    return [tensor for tensor in batch if isinstance(tensor, Tensor)]
