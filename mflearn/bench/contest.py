"""Two sides of a contest in turns, in one process, and the table of their ratios."""

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
class Contest:
    """One line of a table: `ours` does the work of `runs` runs of the other side; the goal is a ratio per run."""

    name: str
    classic: Callable[[], object]
    ours: Callable[[], object]
    runs: int
    goal: float


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch and for the BLAS of numpy and scikit-learn, and as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def versions() -> str:
    """What was measured on: versions, the processor, and who multiplies matrices."""
    libraries = {(one["internal_api"], one["version"], one.get("architecture")) for one in threadpool_info()}
    blas = (" ".join(filter(None, one)) for one in libraries if one[0] != "openmp")
    return (
        f"Python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}, "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores of {processor()}; "
        f"BLAS of NumPy and SciPy: {', '.join(sorted(blas))}; of torch: {blas_of_torch()}"
    )


def processor() -> str:
    """The name of the processor, as far as the system tells it."""
    try:
        names = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    except OSError:
        names = []
    return (names or [platform.processor() or "unknown make"])[0]


def blas_of_torch() -> str:
    """The library, and which instructions torch itself uses."""
    name = re.search(r"(Math Kernel Library Version [\d.]+)|BLAS_INFO=(\w+)", torch.__config__.show())
    return f"{name[1] or name[2] if name else 'unknown'}, {torch.backends.cpu.get_cpu_capability()}"


def compare(lines: list[Contest], rounds: int, *, head: str, peer: str) -> bool:
    """Run both sides of each line in turns, print the ratios, and say whether all goals are reached."""
    taken = [([], []) for _ in lines]
    for _ in range(rounds):
        for contest, sides in zip(lines, taken, strict=True):
            for side, work in zip(sides, (contest.classic, contest.ours), strict=True):
                begun = time.perf_counter()
                work()
                side.append(time.perf_counter() - begun)

    print(f"{head:34}{'median':>8}{'best':>8}{'goal':>8}{'reached':>9}{peer:>11}{'mflearn':>11}")
    reached = []
    for contest, (theirs, ours) in zip(lines, taken, strict=True):
        ratios = [contest.runs * a / b for a, b in zip(theirs, ours, strict=True)]
        median = statistics.median(ratios)
        reached.append(median >= contest.goal)
        print(
            f"{contest.name:34}{median:8,.1f}{contest.runs * min(theirs) / min(ours):8,.1f}{contest.goal:8,}"
            f"{'yes' if reached[-1] else 'no':>9}{1e3 * min(theirs):8,.0f} ms{1e3 * min(ours):8,.0f} ms"
        )
    print(
        f"\nRatios of {rounds} rounds, both sides in turns: median of the rounds, and best time against best time. "
        "The times are the best of this machine, at this moment: compare ratios, not times."
    )
    return all(reached)
