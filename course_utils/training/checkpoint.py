"""Checkpoints that a crash cannot spoil: tensors in safetensors, the rest in JSON, no pickle.

A checkpoint is two files, step-00000100.safetensors and .json. Each is written beside its place,
flushed to disk and renamed; the JSON comes last and holds the SHA-256 of both, so that a
checkpoint is there when its JSON is. The last two are kept.
"""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialized
from torch import Tensor, nn

from course_utils import atomic
from course_utils.errors import CourseError

KEEP = 2


class Store:
    """The checkpoints of one run in a folder of their own. `say` gets a sentence for whatever the
    user should know."""

    def __init__(self, folder: str | Path, say: Callable[[str], None] = print):
        self.folder = Path(folder)
        self.say = say

    def save(self, step: int, tensors: dict[str, Tensor], record: dict) -> None:
        """Write the checkpoint of a step, then drop all but the last two. Raises CourseError where
        the disk refuses; the checkpoints that were there stay."""
        path = self._path(step)
        plain = _unshared(tensors)
        try:
            # safetensors' own save_file leaves a file of its own naming where it is killed
            atomic.write_bytes(path, serialized(plain))
            text = json.dumps(record)
            signed = {"tensors": _sha256(path), "record": text, "sha256": _sha256_of(text)}
            atomic.write_json(path.with_suffix(".json"), signed)
        except OSError as error:
            raise CourseError(
                f"cannot write the checkpoint {path}: {error}; those before it are untouched"
            ) from None
        for old in self.steps()[:-KEEP]:
            self._path(old).with_suffix(".json").unlink(missing_ok=True)
            self._path(old).unlink(missing_ok=True)

    def newest(self) -> tuple[dict[str, Tensor], dict] | None:
        """Tensors and record of the newest checkpoint that is whole; None where there is none.
        A damaged one is set aside, and `say` told. Raises CourseError where all are damaged."""
        steps = self.steps()
        for step in reversed(steps):
            try:
                return self._read(step)
            except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
                self.say(f"checkpoint of step {step} in {self.folder} is damaged: {error}")
                self._set_aside(step)
        if steps:
            raise CourseError(
                f"no checkpoint in {self.folder} is readable; delete the folder to start anew"
            )
        return None

    def steps(self) -> list[int]:
        """Steps whose checkpoints are there, in order."""
        found = [path.stem.removeprefix("step-") for path in self.folder.glob("step-*.json")]
        return sorted(int(step) for step in found if step.isdecimal())

    def sweep(self) -> None:
        """Remove what a killed run left: temporary files, and tensors without their JSON."""
        whole = {self._path(step).name for step in self.steps()}
        atomic.sweep(self.folder, "step-*")
        for path in self.folder.glob("step-*.safetensors"):
            if path.name not in whole:
                path.unlink(missing_ok=True)

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}.safetensors"

    def _read(self, step: int) -> tuple[dict[str, Tensor], dict]:
        path = self._path(step)
        signed = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if _sha256_of(signed["record"]) != signed["sha256"]:
            raise ValueError("its record does not match its SHA-256")
        if _sha256(path) != signed["tensors"]:
            raise ValueError("its tensors do not match their SHA-256")
        return load_file(path), json.loads(signed["record"])

    def _set_aside(self, step: int) -> None:
        for path in (self._path(step), self._path(step).with_suffix(".json")):
            if path.exists():
                os.replace(path, path.with_name(f"{path.name}.damaged"))


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _unshared(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors on the CPU, none a view of another's memory: safetensors takes no others."""
    seen, found = set(), {}
    for name, tensor in tensors.items():
        tensor = tensor.detach().to("cpu").contiguous()
        storage = tensor.untyped_storage()
        if storage.data_ptr() in seen or storage.nbytes() != tensor.nbytes:
            tensor = tensor.clone()
        seen.add(storage.data_ptr())
        found[name] = tensor
    return found


# -- the parts of a run as tensors and plain values


def model_tensors(model: nn.Module, prefix: str = "model.") -> dict[str, Tensor]:
    """The model's weights and buffers by name."""
    return {prefix + name: tensor for name, tensor in model.state_dict().items()}


def load_model(model: nn.Module, tensors: dict[str, Tensor], prefix: str = "model.") -> None:
    """Copy weights into the model, all of them or, where `check_model` raises, none."""
    model.load_state_dict(check_model(model, tensors, prefix))


def check_model(
    model: nn.Module, tensors: dict[str, Tensor], prefix: str = "model."
) -> dict[str, Tensor]:
    """The model's own weights among the tensors. Raises CourseError that names the first whose
    name or shape differs."""
    saved = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
    own = model.state_dict()
    for name in [*own, *saved]:
        have, want = (tuple(t[name].shape) if name in t else None for t in (saved, own))
        if have != want:
            raise CourseError(
                f"the checkpoint is of another model: {name!r} has shape {have} there, {want} here"
            )
    return saved


def optimizer_parts(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict]:
    """The optimizer's state: tensors by name, and everything else as plain values."""
    whole = optimizer.state_dict()
    tensors, plain = {}, {}
    for index, state in whole["state"].items():
        for key, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{index}.{key}"] = value
            else:
                plain[f"{index}.{key}"] = value
    return tensors, {"plain": plain, "param_groups": whole["param_groups"]}


def load_optimizer(
    optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], parts: dict
) -> None:
    """Put back what `optimizer_parts` gave; learning rates stay as they are now."""
    rates = [group["lr"] for group in optimizer.param_groups]
    values = {name.removeprefix("optimizer."): tensor for name, tensor in tensors.items()
              if name.startswith("optimizer.")}  # fmt: skip
    state: dict[int, dict] = {}
    for name, value in (values | parts["plain"]).items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    try:
        optimizer.load_state_dict({"state": state, "param_groups": parts["param_groups"]})
    except ValueError as error:
        raise CourseError(f"the checkpoint is of another optimizer: {error}") from None
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
