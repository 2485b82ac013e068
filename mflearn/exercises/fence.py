"""The fence around a learner's answer: it is judged in another process, so that nothing it does reaches the kernel.

The kernel packs the answer with cloudpickle and sends it to a judge, a process started ahead. For each answer the judge
makes a child that calls it and sends back plain data; the judge compares. Kernel and judge talk over a pipe, in JSON.

==========================================  =====================  =============================
what an answer does                         Linux                  macOS, Windows
==========================================  =====================  =============================
the child                                   a fork of the judge    a fresh process, made ahead
runs for ever, in C code too                a watchdog inside the child, then the judge, kill it
recurses until Python crashes, exits        the judge sees the child end, and says so
takes all memory                            refused by the system  the judge looks every 20 ms
writes large files, dumps core              refused by the system  not held back
starts other processes                      killed with its group  macOS: the same; Windows: not
prints, reads input                         goes nowhere, comes from nowhere
patches numpy or torch, draws at random     its process alone is changed
changes its arguments                       they are copies; the judge sees it, and says so
gives an object of its own                  only the name of its class comes back
stops the judge                             the kernel's last deadline; another judge is started
==========================================  =====================  =============================

The verdict comes within 5 seconds, of the first answer, too: an answer has 3 seconds to run, less what it had to wait
for the judge beyond half a second, but at least one; so later only where the judge takes longer than 3 seconds to
start. It is a fence for mistakes. Who wants to cheat can read the solutions.
"""

import atexit
import inspect
import io
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any

import cloudpickle
import numpy as np
import torch

from . import child
from .child import FORK, FRESH, LARGEST
from .exercise import ERROR, Verdict

METHOD = FORK if sys.platform == "linux" else FRESH  # elsewhere a fork is not there, or not safe
PATIENCE = float(os.environ.get("MFLEARN_PATIENCE", "1"))  # how many times longer to wait, where nobody is waiting
LIMIT = PATIENCE * child.LIMIT  # seconds for one answer, if the judge was ready when it came
START, PROMISE = 60.0 * PATIENCE, 4.2 * PATIENCE  # seconds for the judge to get ready, and from the call to the verdict
LEAST, SLACK = 1.0, 0.6  # seconds for an answer that had to wait for the judge, and for the judge to say so
FAREWELL = 0.5 * PATIENCE  # seconds for a judge to leave by itself
SEEDS = 20  # as many as the tests try
LONELY = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
default_dtype = torch.get_default_dtype  # before anybody can patch it


class Fence:
    """A judge, kept for the next answer."""

    def __init__(self, method: str = METHOD) -> None:
        self.method, self.judge, self.turn = method, None, threading.RLock()
        atexit.register(self.stop)

    def verdict(self, id: str, answer: Any) -> Verdict:
        """What the judge says of an answer, within 5 seconds: what it waits for the judge is taken from its own."""
        begun = time.monotonic()
        try:
            packed = pack(answer)
        except Exception as error:
            return Verdict(ERROR, _unpackable(answer, error))
        dtype = str(default_dtype()).removeprefix("torch.")
        job = {"id": id, "seed": secrets.randbelow(SEEDS), "dtype": dtype, "size": len(packed)}
        with self.turn:
            try:
                self.ready()
                self.is_ready = False
                left = PROMISE - (time.monotonic() - begun)
                job["limit"] = limit = round(min(max(left - SLACK, LEAST), LIMIT), 1)
                self.judge.stdin.write(json.dumps(job).encode() + b"\n" + packed)
                self.judge.stdin.flush()
                return Verdict(**self._hear(max(left, limit + SLACK)))
            except BaseException as error:  # an interrupt, too: what it would have said must not be heard next time
                self.stop()
                self.start()
                if not isinstance(error, (OSError, ValueError)):
                    raise
                return Verdict(
                    ERROR, "The judge came to an end over it, and was started again. Run the cell once more."
                )

    def ready(self) -> None:
        """Wait until the judge is ready."""
        with self.turn:
            self.start()
            self.is_ready = self.is_ready or bool(self._hear(START))

    def start(self) -> None:
        """Start the judge, if there is none; nobody waits for it here."""
        if self.judge is None or self.judge.poll() is not None:
            self.stop()
            self.is_ready = False
            program = f"import sys; sys.path[:] = {sys.path}; from {__package__} import child; "
            self.judge = subprocess.Popen(
                [sys.executable, "-c", program + f"child.judge({self.method!r})"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=os.environ | LONELY, start_new_session=True,  # an interrupt of the kernel is not for the judge
            )  # fmt: skip

    def stop(self) -> None:
        """End the judge: it leaves when nobody speaks to it; one that does not is killed."""
        if self.judge:
            with suppress(OSError):  # there was something left to write
                self.judge.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                self.judge.wait(FAREWELL)
            self.judge.kill()
            self.judge.wait()
            self.judge.stdout.close()
            self.judge = None

    def _hear(self, seconds: float) -> Any:
        """The next line of the judge, who is killed if it does not come in time."""
        deadline = threading.Timer(seconds, self.judge.kill)
        deadline.start()
        try:
            return json.loads(self.judge.stdout.readline())
        finally:
            deadline.cancel()


def pack(answer: Any) -> bytes:
    """An answer as bytes, with the variables of the notebook that it uses."""
    page = _Page()
    _Packer(page).dump(answer)
    return page.getvalue()


class _Page(io.BytesIO):
    def write(self, data: Any) -> int:
        if self.tell() + memoryview(data).nbytes > LARGEST:
            raise OverflowError
        return super().write(data)


class _Packer(cloudpickle.Pickler):
    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, torch.Tensor) and thing.layout == torch.strided:
            size = thing.untyped_storage().nbytes()  # a view takes all of it along
        else:
            size = thing.nbytes if isinstance(thing, np.ndarray) else 0
        if size > LARGEST:
            raise OverflowError
        return super().reducer_override(thing)


def _unpackable(answer: Any, error: Exception) -> str:
    """Why an answer cannot be sent, and which name it uses is to blame."""
    why = (
        f"is larger than {LARGEST // 2**20} MiB" if isinstance(error, OverflowError) else "cannot be sent to the judge"
    )
    try:
        used = inspect.getclosurevars(answer)
    except TypeError:
        return f"This {type(answer).__name__} {why}."
    for name, value in (used.nonlocals | used.globals).items():
        try:
            pack(value)
        except Exception:
            return f"It uses {name}, which {why}. Let it work with its arguments alone."
    return f"It uses something that {why}. Let it work with its arguments alone."


FENCE = Fence()
