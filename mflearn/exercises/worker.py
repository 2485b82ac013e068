"""The far side of the fence: a judge, and the children in which answers run. What holds where, says `fence`.

The judge never runs an answer, and a child never judges: it makes the calls and writes down what came of them, as plain
data. So whatever an answer does to numpy or torch, the comparison is done by those of the judge.
"""

import builtins
import faulthandler
import json
import os
import pickle
import shutil
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TextIO

import torch

from . import content, exercise, plain
from .child import LARGEST, LIMIT, MEMORY, Child, to_nowhere, too_large
from .exercise import ERROR, NOT_YET, Attempt, Verdict

FILES = 2**16  # bytes in a file that an answer writes


def serve(method: str, hear: BinaryIO, say: TextIO, first: Child | None) -> None:
    """The judge: a line of JSON and an answer come in, a verdict goes out, until the kernel is gone.

    It says that it is ready before it takes an answer, and makes the next child while one is at work.
    """
    _warm_up()
    torch.set_default_dtype(torch.float64)  # as in the notebooks
    child = spare = first or Child(method)
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


def verdict(child: Child, job: dict, packed: bytes) -> Verdict:
    """The verdict on what a child says that the answer did."""
    task = content.find(job["id"])
    said = child.run(job, packed)
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


def answer(pipe: Any, folder: str, forked: bool) -> NoReturn:
    """The child: wait for an answer, call it in all cases, send back what came of it."""
    _shut_in(pipe.fileno(), folder, forked)
    _warm_up()
    try:
        pipe.send_bytes(b"ready")
        job, packed = json.loads(pipe.recv_bytes()), pipe.recv_bytes()
    except (EOFError, OSError):  # the judge is gone
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)
    faulthandler.dump_traceback_later(job["limit"], exit=True, file=2)
    try:
        torch.set_default_dtype(torch.float64)
        cases = content.find(job["id"]).cases(job["seed"])  # the same as the judge's
        torch.set_default_dtype(getattr(torch, job["dtype"]))  # the kernel's
        theirs = pickle.loads(packed)  # noqa: S301 -- the learner's own, in here
        os.write(2, f"{getattr(getattr(theirs, '__code__', None), 'co_filename', '')}\n".encode())
        said = _written(exercise.attempt(theirs, case) for case in cases)
    except MemoryError:
        said = json.dumps(too_large()).encode()
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
    to_nowhere(0, 1)
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
