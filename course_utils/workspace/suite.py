"""`course test`: every test, then every committed notebook, in one run of pytest."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from course_utils.workspace import loopback, places

# The outputs of a notebook count only in cells marked NBVAL_CHECK_OUTPUT; the cells of one
# notebook stay together in one worker, which is what loadfile is for. In the order of collection
# the notebooks, many and short, come last, so that no worker waits long for another at the end.
NOTEBOOKS = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=120"]
REPORT = ["--durations=25"]
FAST = ["-m", "not slow and not browser"]
SHARED = ["--dist", "loadfile", "--no-loadscope-reorder"]
MOST_WORKERS, WORKER_GB = 4, 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fast", action="store_true", help="quick unit tests, and the lessons you have touched"
    )
    parser.usage = "course test [--fast] [PYTEST ARGUMENTS ...]"
    parser.set_defaults(passes_rest_on=True)


def run(args: argparse.Namespace) -> int:
    """Run pytest at the top of the checkout, and return its exit code."""
    loopback.ensure()
    with tempfile.TemporaryDirectory(prefix="course-") as scratch:
        # One thread per worker: two that both use every core slow each other down.
        os.environ["COURSE_THREADS"] = "1"
        os.environ.setdefault("COURSE_WORK", os.path.join(scratch, "work"))
        places.apply(places.jupyter_environment(Path(scratch)))
        command = [sys.executable, "-m", "pytest", *pytest_arguments(args.fast, args.rest)]
        return subprocess.run(command, cwd=places.ROOT).returncode


def pytest_arguments(fast: bool, rest: list[str]) -> list[str]:
    """What pytest is called with; `rest`, what the user added, comes last and so prevails.
    Sets COURSE_LESSONS for a fast run: the lessons that tests/test_lessons.py proves."""
    workers = _workers()
    arguments = [*REPORT, *NOTEBOOKS, *(["-n", str(workers), *SHARED] if workers > 1 else [])]
    paths = ["tests", "notebooks"]
    if fast:
        touched = touched_lessons(places.ROOT)
        os.environ["COURSE_LESSONS"] = ",".join(touched)
        arguments += FAST
        paths = ["tests", *(f"notebooks/{name}" for name in touched)]
    if any((places.ROOT / word.split("::")[0]).exists() for word in rest if word[:1] != "-"):
        paths = []
    return [*arguments, *(path for path in paths if (places.ROOT / path).exists()), *rest]


def touched_lessons(root: Path) -> list[str]:
    """The lessons with changes since the last commit; all of them where git cannot tell."""
    every = sorted(path.parent.name for path in root.glob("notebooks/*/lesson.py"))
    listings = (["diff", "--name-only", "HEAD"], ["ls-files", "--others", "--exclude-standard"])
    changed = set()
    for listing in listings:
        try:
            git = ["git", "-C", str(root), *listing, "-z", "--", "notebooks"]
            done = subprocess.run(git, capture_output=True, text=True, encoding="utf-8", check=True)
        except (OSError, subprocess.CalledProcessError):
            return every
        changed |= {Path(name).parts[1] for name in done.stdout.split("\0") if name}
    return [name for name in every if name in changed]


def _workers() -> int:
    """One per core and one more, as tests wait for others a third of their time, where each finds
    enough memory for a lesson, and not more than pay."""
    import psutil

    cores = (
        len(psutil.Process().cpu_affinity())
        if hasattr(psutil.Process, "cpu_affinity")
        else (os.cpu_count() or 1)
    )
    room = int(psutil.virtual_memory().available / 1e9 / WORKER_GB)
    return max(1, min(MOST_WORKERS, cores + 1, room))
