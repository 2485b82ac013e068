"""A process for one answer, and the judge that makes them. What holds where, says `fence`.

Nothing here needs torch, whose import takes most of a second or two: so the first child, if it does not come from a
fork, loads it while the judge does.
"""

import json
import multiprocessing
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

FORK, FRESH = "fork", "spawn"
LIMIT = 3.0  # seconds for one answer, if the judge was ready when it came
GRACE = 0.3  # and for the watchdog inside it, to end it and tell where it was
MEMORY = 2**30  # bytes for one answer, beyond what Python and torch have
LARGEST = 16 * 2**20  # bytes sent one way


def judge(method: str) -> None:
    """All that the process of the judge does."""
    hear, say = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "w")
    to_nowhere(0, 1)
    sys.path[:] = [os.path.abspath(place) for place in sys.path]  # a child stands elsewhere
    first = Child(method) if method == FRESH else None
    from . import worker

    with hear, say:
        worker.serve(method, hear, say, first)


class Child:
    """A process for one answer, in a folder of its own. It is made ahead: a fresh one must first import torch."""

    def __init__(self, method: str) -> None:
        context = multiprocessing.get_context(method)
        self.folder = tempfile.mkdtemp(prefix="mflearn-")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_enter, args=(theirs, self.folder, method == FORK), daemon=True)
        self.process.start()
        theirs.close()

    def wait(self) -> None:
        """Until it is ready."""
        self.pipe.recv_bytes()
        self.size = self._weight()

    def run(self, job: dict, packed: bytes) -> list | str:
        """The attempts of an answer, as plain data; or a sentence that says what became of the child."""
        limit = job["limit"]
        late = time.monotonic() + limit + GRACE
        try:
            self.pipe.send_bytes(json.dumps(job).encode())
            self.pipe.send_bytes(packed)
            while not self.pipe.poll(0.02):
                if time.monotonic() > late:
                    return f"It still ran after {limit:g} s. Does a loop never end?"
                if self._weight() > self.size + MEMORY:
                    return too_large()
            return json.loads(self.pipe.recv_bytes(LARGEST))
        except (EOFError, OSError):
            return self._last_words(limit)
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

    def _last_words(self, limit: float) -> str:
        self.process.join(0.5)
        cell, *trace = (Path(self.folder) / "trace").read_text(errors="replace").splitlines() or [""]
        frames = [re.match(r'  File "(.*)", line (\d+)', line) for line in trace]  # the innermost first
        place = next((f", in line {at[2]} of the cell" for at in frames if at and at[1] == cell), "")
        if any(line.startswith("Timeout") for line in trace):
            return f"It still ran after {limit:g} s{place}. Does a loop never end?"
        code = self.process.exitcode or 0
        how = f" ({signal.Signals(-code).name})" if code < 0 else ""
        return f"It ended Python itself{how}{place}."


def _enter(*given: Any) -> None:
    from . import worker

    worker.answer(*given)


def to_nowhere(*descriptors: int) -> None:
    """Let nothing come from there, or go there."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for one in descriptors:
        os.dup2(nowhere, one)
    os.close(nowhere)


def too_large() -> str:
    """What is said of an answer that takes too much memory."""
    return f"MemoryError: it takes more than {MEMORY // 2**30} GiB."
