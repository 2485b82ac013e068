"""A learner's answer is called here: on copies, in silence, and for no longer than 3 s.

It runs in the kernel, as the cell does that defines it. What is held back are mistakes, each with a sentence for the
learner: a loop without an end, a recursion without an end, a matrix that is too large, a call of `exit()`. An answer
may print, ask for input, draw at random or change its arguments: nothing of that remains.

The time is kept by a signal, on Linux and macOS, for cells in the main thread; the memory on Linux alone. Where the
system keeps no limit, and where one call of a library takes for ever, Kernel → Interrupt or Restart is left.
"""

import builtins
import io
import os
import random
import secrets
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from IPython import get_ipython
from IPython.utils.capture import capture_output

from .comparable import TooLarge
from .exercise import ERROR, NOT_YET, Exercise, Verdict, call, in_one_line, judge, last_line

SECONDS = 3.0  # for one answer, all its cases together
AGAIN, SOONEST = 0.1, 1e-5  # seconds until the answer is stopped again, if it has caught that
LATEST = 0.02  # seconds for the last alarm to arrive
MEMORY = 2**30  # bytes for one answer, beyond what the kernel has
SEEDS = 8  # of the random cases; the tests try them all
NOT_COMPARED = Verdict(NOT_YET, "It gives something that cannot be compared. Give numbers, text, or lists of them.")


class TimeIsUp(BaseException):
    """The answer has had its seconds. No `except Exception` of a learner catches it."""


def verdict(exercise: Exercise, answer: Any) -> Verdict:
    """What the judge says of an answer on random cases; the kernel is then as before."""
    dtype, cell = torch.get_default_dtype(), getattr(getattr(answer, "__code__", None), "co_filename", None)
    with _undisturbed(), _silence():
        torch.set_default_dtype(torch.float64)  # as in the notebooks
        cases = exercise.cases(secrets.randbelow(SEEDS))
        exercise.outcomes(exercise.solution, cases[:1])  # imports what both need: a learner's time is not for that
        torch.set_default_dtype(dtype)
        try:
            with _limited_memory():
                found = _within_time(lambda: [call(answer, arguments) for arguments in cases])
            torch.set_default_dtype(torch.float64)
            return judge(exercise, cases, found)
        except TimeIsUp as end:
            line = last_line(end, cell)
            place = f", in line {line} of the cell" if line else ""
            return Verdict(ERROR, f"It still ran after {SECONDS:g} s{place}. Does a loop never end?")
        except (TooLarge, MemoryError):
            return Verdict(ERROR, "It gives more numbers than anybody could compare.")
        except Exception:  # of the value's own methods: `call` has those of the answer
            return NOT_COMPARED
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # of a class that the learner made beside Exception
            return Verdict(ERROR, in_one_line(error, cell))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Afterwards as before: random states, folder, environment, sys.path, warnings, and how NumPy and torch compute."""
    states = random.getstate(), np.random.get_state()
    dtype, device, threads = torch.get_default_dtype(), torch.get_default_device(), torch.get_num_threads()
    deepest, environment = sys.getrecursionlimit(), dict(os.environ)
    torch.set_num_threads(1)  # more would need memory of their own, which may then be refused: that ends the kernel
    try:
        with (
            torch.set_grad_enabled(torch.is_grad_enabled()),
            torch.random.fork_rng(devices=[]),
            np.errstate(),
            np.printoptions(),
            warnings.catch_warnings(),
            patch.object(sys, "path", [*sys.path]),
            chdir(os.curdir),
        ):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(device)
        torch.set_num_threads(threads)
        sys.setrecursionlimit(deepest)
        if os.environ != environment:
            os.environ.clear()
            os.environ.update(environment)


@contextmanager
def _silence() -> Iterator[None]:
    """Nothing is printed, shown or read, and `exit()` does not ask the kernel to leave."""
    shell, nothing = get_ipython(), EOFError("EOF when reading a line")
    with (
        open(os.devnull, "w", encoding="utf-8", errors="replace") as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
        capture_output(stdout=False, stderr=False),  # what is displayed
        patch.object(sys, "stdin", io.StringIO()),
        patch.object(builtins, "input", side_effect=nothing),
        patch.object(shell, "ask_exit", sys.exit) if shell else nullcontext(),
    ):
        yield


@contextmanager
def _limited_memory() -> Iterator[None]:
    """On Linux: no more than MEMORY beyond what is taken already."""
    if sys.platform != "linux":
        yield
        return
    import resource  # not on Windows

    present = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if arrow := sys.modules.get("pyarrow"):  # whose own allocator would first reserve more than MEMORY
        arrow.set_memory_pool(arrow.system_memory_pool())
    most = present + MEMORY if soft == resource.RLIM_INFINITY else min(soft, present + MEMORY)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _within_time(run: Callable[[], Any]) -> Any:
    """What `run()` gives. After SECONDS it is stopped, and again where it has caught that, by a bare `except:`."""
    in_main_thread = threading.current_thread() is threading.main_thread()  # which alone may set what a signal does
    if not (in_main_thread and hasattr(signal, "setitimer")):  # which Windows has not
        return run()
    rang = ended = False

    def stop(_: int, frame: FrameType) -> None:
        nonlocal rang
        rang = True
        if ended or frame.f_code is _within_time.__code__:  # the answer has just ended by itself
            return
        interval = max(signal.getitimer(signal.ITIMER_REAL)[1] / 2, SOONEST)  # so that it meets the `except:`, too
        signal.setitimer(signal.ITIMER_REAL, interval, interval)
        raise TimeIsUp

    handler = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS, AGAIN)
    try:
        return run()
    finally:
        ended = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        if rang:  # another alarm may still be on its way, through another thread: without a handler it ends the kernel
            time.sleep(LATEST)
            signal.signal(signal.SIGALRM, signal.SIG_IGN)  # throws away what the system has not delivered yet
        signal.signal(signal.SIGALRM, handler or signal.SIG_DFL)
