"""Read or edit any named place inside a running model, and leave no trace afterwards."""

import difflib
import fnmatch
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor, nn

from course_utils.errors import CourseError

Edit = Callable[[Tensor], Tensor]


class Tap(nn.Module):
    """An identity whose dotted module name is an address, such as `blocks.2.attn.weights`."""

    def __init__(self):
        super().__init__()
        self.edits: list[Edit] = []
        self.readers: list[Callable[[Tensor], None]] = []

    @property
    def active(self) -> bool:
        return bool(self.edits or self.readers)

    def forward(self, value: Tensor) -> Tensor:
        for edit in self.edits:
            value = _same_shape(edit(value), value)
        for reader in self.readers:
            reader(value)
        return value

    def __deepcopy__(self, memo: dict) -> "Tap":
        """A copy starts untapped: whoever taps the original does not own the copy."""
        return Tap()


def _same_shape(new: object, old: Tensor) -> Tensor:
    if not isinstance(new, Tensor) or new.shape != old.shape:
        got = tuple(new.shape) if isinstance(new, Tensor) else type(new).__name__
        raise CourseError(f"A patch must return a tensor of shape {tuple(old.shape)}, not {got}.")
    return new


def tap_names(model: nn.Module) -> list[str]:
    """Every address in the model, in the order of its parts."""
    # By what a tap has, not by its class: an exercise is graded with a copy of this file.
    return [name for name, part in model.named_modules() if hasattr(part, "readers")]


@contextmanager
def recording(model: nn.Module, names: str | list[str]) -> Iterator[dict[str, Tensor]]:
    """A dict that each forward pass inside the block fills with what passes the named taps.

    A name is exact or a pattern: `blocks.*.resid_post`. Recorded is what the rest of the model
    sees, after every patch, still attached to the autograd graph; a second pass overwrites.
    Raises CourseError naming the nearest addresses where a name matches none.
    Taught in: 11_inside_the_model.
    """
    record: dict[str, Tensor] = {}
    taps = _find(model, [names] if isinstance(names, str) else names)
    readers = {name: _writer(record, name) for name in taps}
    try:
        for name, reader in readers.items():
            taps[name].readers.append(reader)
        yield record
    finally:
        for name, reader in readers.items():
            _remove(taps[name].readers, reader)


@contextmanager
def patched(model: nn.Module, edits: Mapping[str, Edit]) -> Iterator[None]:
    """Inside the block, what passes each named tap is replaced by `edit(value)`.

    Names as in `recording`. Several patches of one place act in the order they were entered.
    Raises CourseError for an unknown name, or when an edit changes the shape.
    Taught in: 11_inside_the_model.
    """
    pairs = [(tap, edit) for name, edit in edits.items() for tap in _find(model, [name]).values()]
    try:
        for tap, edit in pairs:
            tap.edits.append(edit)
        yield
    finally:
        for tap, edit in pairs:
            _remove(tap.edits, edit)


def _writer(record: dict[str, Tensor], name: str) -> Callable[[Tensor], None]:
    return lambda value: record.__setitem__(name, value)


def _remove(entries: list, entry: object) -> None:
    """Take out the entry itself, the latest first: an equal one may belong to an outer block."""
    for index in reversed(range(len(entries))):
        if entries[index] is entry:
            del entries[index]
            return


def _find(model: nn.Module, names: list[str]) -> dict[str, Tap]:
    found = {}
    for name in names:
        found |= _exactly(model, name) or _matching(model, name)
    return found


def _exactly(model: nn.Module, name: str) -> dict[str, Tap]:
    """Without a list of all parts, which takes as long as a block of a small model."""
    try:
        part = model.get_submodule(name)
    except AttributeError:
        return {}
    return {name: part} if hasattr(part, "readers") else {}


def _matching(model: nn.Module, name: str) -> dict[str, Tap]:
    known = tap_names(model)
    matches = [known_name for known_name in known if fnmatch.fnmatchcase(known_name, name)]
    if not matches:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or known[:3]
        raise CourseError(f"No tap is called {name!r}; near it are {', '.join(near)}.")
    return {match: model.get_submodule(match) for match in matches}
