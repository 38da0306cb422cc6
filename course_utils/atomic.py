"""Write a file so that a crash leaves the old one or the new one, never half of either."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_with(path: Path, save: Callable[[Path], None]) -> None:
    """Let `save` write a temporary file beside `path`, flush it to disk, rename it to `path`."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        save(temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp's 0600 would shut out the people that a file is for
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sweep(folder: Path, names: str = "*") -> None:
    """Remove the temporary files that killed writers of files so named left in a folder."""
    for path in Path(folder).glob(f".{names}.{'[a-z0-9_]' * 8}.tmp"):  # mkstemp's eight letters
        path.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    write_with(path, lambda temporary: temporary.write_bytes(data))


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value) -> None:
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
