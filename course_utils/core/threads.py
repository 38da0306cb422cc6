"""How many threads pay on this machine now, and two process settings that training likes.

Several threads meet at a barrier after every operation. On a busy machine each barrier waits for
the slowest of them to get its core back: two threads with one busy competitor on two cores ran
1.6 to 20 times slower than one. So the number is measured, not assumed.
"""

import ctypes
import functools
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.nn.functional as F

from course_utils.errors import CourseError

VARIABLE = "COURSE_THREADS"
ROUNDS = 6
SLICE_SECONDS = 0.012  # several turns of the scheduler, so that a competitor shows
GAIN = 0.85  # more threads must save this much time before they are worth the risk


def tune_process(n_thread: int | None = None) -> int:
    """Set torch's thread count for this process to `n_thread`, or to `chosen_threads()`, and
    return it; keep freed memory in the process (saves thousands of page faults per training
    step); flush denormal numbers to zero (they slow Adam's second moment fivefold)."""
    n_thread = chosen_threads() if n_thread is None else n_thread
    torch.set_num_threads(n_thread)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    return n_thread


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside the block, torch works on one thread: a move of a slider shares the cores with the
    browser that shows it, and small work is then four times as fast without a barrier."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def chosen_threads() -> int:
    """The number in the environment variable COURSE_THREADS, else what a measurement of about a
    third of a second finds fastest now. Raises CourseError where the variable is no count."""
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return measured_threads()
    if not text.isdecimal() or int(text) < 1:
        raise CourseError(f"{VARIABLE} must be a whole number of at least 1, not {text!r}")
    return int(text)


def measured_threads() -> int:
    """One, or the power of two up to the free cores that saves most time on a small forward and
    backward pass. Candidates take turns, so that load hits them all, and totals are compared:
    a few bad slices are just what a competitor does."""
    cores = available_cores()
    candidates = sorted({1, cores, *(2**i for i in range(1, 8) if 2**i < cores)})
    if cores == 1:
        return 1
    before = torch.get_num_threads()
    spent = dict.fromkeys(candidates, 0.0)
    try:
        for _ in range(ROUNDS):
            for n_thread in candidates:
                spent[n_thread] += _seconds_per_pass(n_thread)
    finally:
        torch.set_num_threads(before)
    best = min(spent, key=spent.__getitem__)
    return best if spent[best] < GAIN * spent[1] else 1


def available_cores() -> int:
    """Cores that this process may use: its affinity and its container's quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, _quota()))


def _quota(path: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Whole cores that the container may use on average; very many where nothing is set."""
    try:
        quota, period = path.read_text(encoding="utf-8").split()
        return int(quota) // int(period)
    except (OSError, ValueError):  # no such file, or "max"
        return 1 << 16


@functools.cache
def _operands() -> tuple[torch.Tensor, torch.Tensor]:
    # Made by arithmetic: a probe must not move the random generators.
    return torch.ones(512, 128), torch.full((512, 128), 0.01, requires_grad=True)


def _seconds_per_pass(n_thread: int) -> float:
    """Wall seconds of one small pass, averaged over a slice of time."""
    torch.set_num_threads(n_thread)
    x, weight = _operands()
    passes, start = 0, time.perf_counter()
    while passes == 0 or time.perf_counter() - start < SLICE_SECONDS:
        F.layer_norm(F.gelu(F.linear(x, weight)), (512,)).square().mean().backward()
        weight.grad = None
        passes += 1
    return (time.perf_counter() - start) / passes


def keep_freed_memory() -> bool:
    """Let glibc keep what is freed instead of giving it back to the system and asking again at
    every step. False where the C library is another one."""
    if platform.libc_ver()[0] != "glibc":
        return False
    trim_threshold, mmap_threshold = -1, -3  # malloc.h
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(trim_threshold, 2**31 - 1) and mallopt(mmap_threshold, 2**30))
