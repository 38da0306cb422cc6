"""A killed writer leaves its temporary file; the next run removes that, and nothing else."""

import signal
import subprocess
import sys

from course_utils import atomic

KILLED = """
import os, signal, sys
from pathlib import Path
from course_utils import atomic
atomic.write_with(Path(sys.argv[1]), lambda path: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_what_a_killed_writer_left_is_swept(tmp_path):
    kept = tmp_path / "grades.csv"
    others = [kept, tmp_path / ".mine.tmp", tmp_path / "summary.md"]
    for path in others:
        path.write_text("old", encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", KILLED, str(kept)])
    assert done.returncode == -signal.SIGKILL and kept.read_text(encoding="utf-8") == "old"
    assert len(list(tmp_path.iterdir())) == len(others) + 1
    atomic.sweep(tmp_path, "summary*")
    assert len(list(tmp_path.iterdir())) == len(others) + 1
    atomic.sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(others)
    atomic.sweep(tmp_path / "never made")
