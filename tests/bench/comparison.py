"""A comparison of two programs that do the same work: they run in turns, and a table shows ratios of times."""

import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_info, threadpool_limits  # comes with scikit-learn


@dataclass(frozen=True)
class Comparison:
    """One line of a table. One call of `ours` does as much as `runs` calls of `peer`.

    The goal is how many times faster ours should be for each run.
    """

    name: str
    peer: Callable[[], object]
    ours: Callable[[], object]
    runs: int
    goal: float


@contextmanager
def single_threaded() -> Iterator[None]:
    """Torch, and the BLAS libraries of NumPy and scikit-learn, use one thread inside this block."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def versions() -> str:
    """The versions of Python and the libraries, the processor, and the libraries that multiply matrices."""
    loaded = {(each["internal_api"], each["version"], each.get("architecture")) for each in threadpool_info()}
    blas = [" ".join(filter(None, library)) for library in loaded if library[0] != "openmp"]
    return (
        f"Python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}, "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores of {processor()}; "
        f"BLAS of NumPy and SciPy: {', '.join(sorted(blas))}; of torch: {blas_of_torch()}"
    )


def processor() -> str:
    """The name of the processor, or "unknown make" where the system does not tell it."""
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        cpuinfo = ""
    if found := re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.M):
        return found[1]
    return platform.processor() or "unknown make"


def blas_of_torch() -> str:
    """The library with which torch multiplies matrices, and the instructions that torch itself uses."""
    found = re.search(r"(Math Kernel Library Version [\d.]+)|BLAS_INFO=(\w+)", torch.__config__.show())
    name = found[1] or found[2] if found else "unknown"
    return f"{name}, {torch.backends.cpu.get_cpu_capability()}"


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def compare(lines: list[Comparison], rounds: int, *, head: str, peer: str) -> bool:
    """Measure all lines, print their table, and return whether every line reaches its goal.

    In each round both sides of each line run once, one after the other: what disturbs the machine disturbs both.
    """
    peer_times = [[] for _ in lines]
    our_times = [[] for _ in lines]
    for _ in range(rounds):
        for number, line in enumerate(lines):
            peer_times[number].append(seconds(line.peer))
            our_times[number].append(seconds(line.ours))

    print(f"{head:34}{'median':>8}{'best':>8}{'goal':>8}{'reached':>9}{peer:>11}{'mflearn':>11}")
    all_reached = True
    for line, theirs, ours in zip(lines, peer_times, our_times, strict=True):
        median = statistics.median(line.runs * a / b for a, b in zip(theirs, ours, strict=True))
        best = line.runs * min(theirs) / min(ours)
        reached = median >= line.goal
        all_reached = all_reached and reached
        print(
            f"{line.name:34}{median:8,.1f}{best:8,.1f}{line.goal:8,}{'yes' if reached else 'no':>9}"
            f"{1e3 * min(theirs):8,.0f} ms{1e3 * min(ours):8,.0f} ms"
        )
    print(
        f"\nRatios of {rounds} rounds, both sides in turns: median of the rounds, and best time against best time. "
        "The times are the best of this machine, at this moment: compare ratios, not times."
    )
    return all_reached
