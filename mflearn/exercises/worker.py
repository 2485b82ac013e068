"""The far side of the fence: a judge, and the children in which answers run. What holds where, says `fence`.

The judge never runs an answer, and a child never judges: it makes the calls and writes down what came of them, as plain
data. So whatever an answer does to numpy or torch, the comparison is done by those of the judge.
"""

import builtins
import faulthandler
import json
import multiprocessing
import os
import pickle
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import psutil
import torch

from . import exercise, plain, shelf
from .exercise import ERROR, NOT_YET, Attempt, Verdict

FORK, FRESH = "fork", "spawn"
LIMIT = 3.0  # seconds for one answer
MEMORY = 2**30  # bytes for it, beyond what Python and torch have
LARGEST = 16 * 2**20  # bytes sent one way
FILES = 2**16  # bytes in a file that an answer writes


def serve(method: str) -> None:
    """The judge: a line of JSON and an answer come in, a verdict goes out, until the kernel is gone.

    It says that it is ready before it takes an answer, and makes the next child while one is at work.
    """
    _warm_up()
    torch.set_default_dtype(torch.float64)  # as in the notebooks
    sys.path[:] = [os.path.abspath(place) for place in sys.path]  # a child stands elsewhere
    with os.fdopen(os.dup(0), "rb") as hear, os.fdopen(os.dup(1), "w") as say:
        _to_nowhere(0, 1)
        child = spare = Child(method)
        try:
            while True:
                child.wait()
                print(json.dumps("ready"), file=say, flush=True)
                if not (line := hear.readline()):
                    return
                job = json.loads(line)
                packed = hear.read(job["size"])
                spare = Child(method)
                print(json.dumps(asdict(verdict(child, job, packed))), file=say, flush=True)
                child.end()
                child = spare
        finally:
            child.end()
            spare.end()


def verdict(child: "Child", job: dict, packed: bytes) -> Verdict:
    """The verdict on what a child says that the answer did."""
    task = shelf.find(job["id"])
    said = child.run(json.dumps(job).encode(), packed)
    if isinstance(said, str):
        return Verdict(ERROR, said)
    cases = task.cases(job["seed"])
    try:
        before = [plain.read(plain.write(case)) for case in cases]  # as what came back has gone
        made = [Attempt(*(plain.read(part) for part in parts)) for parts in said]
        found = [exercise.outcome(*pair) for pair in zip(made, before, strict=True)]
        return exercise.judge(task, cases, found)
    except Exception:  # whatever an answer may give
        return Verdict(NOT_YET, "It gives something that cannot be compared. Give numbers, text, or lists of them.")


class Child:
    """A process for one answer, in a folder of its own. It is made ahead: a fresh one must first import torch."""

    def __init__(self, method: str) -> None:
        context = multiprocessing.get_context(method)
        self.folder = tempfile.mkdtemp(prefix="mflearn-")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_answer, args=(theirs, self.folder, method == FORK), daemon=True)
        self.process.start()
        theirs.close()

    def wait(self) -> None:
        """Until it is ready."""
        self.pipe.recv_bytes()
        self.size = self._weight()

    def run(self, job: bytes, packed: bytes) -> list | str:
        """The attempts of an answer, as plain data; or a sentence that says what became of the child."""
        late = time.monotonic() + LIMIT + 0.3  # it should have ended itself by then, and told where it was
        try:
            self.pipe.send_bytes(job)
            self.pipe.send_bytes(packed)
            while not self.pipe.poll(0.02):
                if time.monotonic() > late:
                    return f"It still ran after {LIMIT:.0f} s. Does a loop never end?"
                if self._weight() > self.size + MEMORY:
                    return _too_large()
            return json.loads(self.pipe.recv_bytes(LARGEST))
        except (EOFError, OSError):
            return self._last_words()
        except (ValueError, RecursionError):
            return "What it gives could not be read."

    def end(self) -> None:
        """Kill it and all that it started, and clean up."""
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.join()
        self.pipe.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _weight(self) -> int:
        with suppress(psutil.Error):  # it has just ended
            return psutil.Process(self.process.pid).memory_info().rss
        return 0

    def _last_words(self) -> str:
        self.process.join(0.5)
        cell, *trace = (Path(self.folder) / "trace").read_text(errors="replace").splitlines() or [""]
        frames = [re.match(r'  File "(.*)", line (\d+)', line) for line in trace]  # the innermost first
        place = next((f", in line {at[2]} of the cell" for at in frames if at and at[1] == cell), "")
        if any(line.startswith("Timeout") for line in trace):
            return f"It still ran after {LIMIT:.0f} s{place}. Does a loop never end?"
        code = self.process.exitcode or 0
        how = f" ({signal.Signals(-code).name})" if code < 0 else ""
        return f"It ended Python itself{how}{place}."


def _answer(pipe: Any, folder: str, forked: bool) -> NoReturn:
    """The child: wait for an answer, call it in all cases, send back what came of it."""
    _shut_in(pipe.fileno(), folder, forked)
    _warm_up()
    try:
        pipe.send_bytes(b"ready")
        job, packed = json.loads(pipe.recv_bytes()), pipe.recv_bytes()
    except (EOFError, OSError):  # the judge is gone
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)
    faulthandler.dump_traceback_later(LIMIT, exit=True, file=2)
    try:
        torch.set_default_dtype(torch.float64)
        cases = shelf.find(job["id"]).cases(job["seed"])  # the same as the judge's
        torch.set_default_dtype(getattr(torch, job["dtype"]))  # the kernel's
        answer = pickle.loads(packed)  # noqa: S301 -- the learner's own, in here
        os.write(2, f"{getattr(getattr(answer, '__code__', None), 'co_filename', '')}\n".encode())
        said = _written(exercise.attempt(answer, case) for case in cases)
    except MemoryError:
        said = json.dumps(_too_large()).encode()
    except BaseException as error:
        said = json.dumps(f"{type(error).__name__}: {' '.join(str(error).split())[:100]}").encode()
    pipe.send_bytes(said)
    os._exit(0)


def _written(attempts: Iterable[Attempt]) -> bytes:
    parts, size = [], 0
    for one in attempts:
        parts.append(json.dumps([plain.write(part) for part in vars(one).values()]))
        size += len(parts[-1])
        if size > LARGEST:
            return json.dumps("It gives more numbers than anybody could compare.").encode()
    return f"[{','.join(parts)}]".encode()


def _warm_up() -> None:
    torch.set_num_threads(1)
    torch.optim.SGD([torch.zeros(1)])  # the first optimizer imports for a second, which no answer should pay for


def _shut_in(pipe: int, folder: str, forked: bool) -> None:
    """Close what leads out, and set the limits that this system has."""
    os.chdir(folder)
    sys.dont_write_bytecode = True  # half a file would be worse than none
    if hasattr(os, "setsid"):
        os.setsid()
    if forked:
        os.closerange(3, pipe)
        os.closerange(pipe + 1, 1024)
        _limit()
    trace = os.open("trace", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(trace, 2)
    faulthandler.enable(2)
    _to_nowhere(0, 1)
    sys.stdin, sys.stderr = open(os.devnull, encoding="utf-8"), sys.stdout  # noqa: SIM115 -- as long as it lives
    builtins.display = lambda *_, **__: None  # in a notebook it is there


def _limit() -> None:
    import resource  # not on Windows

    present = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for what, most in (
        (resource.RLIMIT_AS, present + MEMORY),
        (resource.RLIMIT_CPU, int(LIMIT) + 2),
        (resource.RLIMIT_FSIZE, FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _to_nowhere(*descriptors: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for one in descriptors:
        os.dup2(nowhere, one)
    os.close(nowhere)


def _too_large() -> str:
    return f"MemoryError: it takes more than {MEMORY // 2**30} GiB."
