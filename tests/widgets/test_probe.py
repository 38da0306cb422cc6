"""What a kernel says of itself."""

import subprocess
import sys

import numpy as np

from course_utils.widgets.probe import peak_memory

ASK = "from course_utils.widgets.probe import peak_memory; print(peak_memory())"


def test_the_peak_is_the_kernels_own():
    """Not that of the process which started it: a test that needs much may have run there."""
    much = np.ones(200_000_000, dtype=np.uint8)  # 200 MB
    said = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    ours, theirs = peak_memory(), int(said.stdout)
    assert much.any() and ours > 200e6
    assert 50e6 < theirs < ours - 50e6


def test_the_peak_counts_what_was_freed():
    code = f"import numpy as np; x = np.ones(900_000_000, dtype=np.uint8); del x; {ASK}"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(said.stdout) > 900e6
