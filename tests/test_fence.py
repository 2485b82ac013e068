"""What a learner's answer may do, and cannot: each peril through `check`, with a forked child and with a fresh one.

No verdict here depends on how fast the machine is. The 5 seconds that are promised are counted on a clock of the
test's own; elsewhere an answer has a minute, and one that never ends has ten times what a right one took just before.
"""

import contextlib
import io
import json
import os
import random
import re
import secrets
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch
from jupyter_client.manager import start_new_kernel

from mflearn.exercises import check, child, desk, plain, shelf
from mflearn.exercises import fence as fence_module
from mflearn.exercises.child import FORK, FRESH
from mflearn.exercises.exercise import ALMOST, CORRECT, ERROR, NOT_ANSWERED, NOT_YET, same
from mflearn.exercises.fence import Fence

SECONDS = 5  # what is promised
PROMISED = {  # to a learner: without the patience of the tests
    name: getattr(fence_module, name) / fence_module.PATIENCE for name in ("LIMIT", "PROMISE")
}
WATCHDOG = child.GRACE
JUDGE = {  # limits that the judge has here
    "MEMORY": 2**29,  # bytes, so that little is touched before they are full: 2 GiB have taken more than 5 s
    "GRACE": 10.0,  # seconds for the watchdog to say where an answer was; on a busy machine it comes late
    "LIMIT": 600.0,  # seconds; two more of CPU are all that an answer gets
}
METHODS = [pytest.param(FORK, marks=pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux alone")), FRESH]
IMPORTS = "import ctypes, itertools, os, random, signal, sys, time, mflearn.exercises.exercise as ours, numpy, torch"
RIGHT = "w[:, None] * h"
PATCH = "torch.allclose = torch.equal = numpy.allclose = torch.Tensor.__eq__ = ours.same = lambda *_, **__: True"
UNWATCHED = "import faulthandler; faulthandler.cancel_dump_traceback_later()"
LIMITS = "sys.dont_write_bytecode, *(r.getrlimit(one)[0] for one in (r.RLIMIT_CPU, r.RLIMIT_CORE, r.RLIMIT_FSIZE))"
LIMITED = f"import resource as r; ok = ({LIMITS}) == (True, 602, 0, 2**16) and 0 < r.getrlimit(r.RLIMIT_AS)[0] < 2**40"
HOARD = """kept = []
    while len(kept) < 100:  # 800 MB, at leisure: then the judge, who looks now and then, has seen enough
        kept.append(numpy.ones(10**6))
        time.sleep(0.01)
    while True:  # and has all the time there is to say so
        time.sleep(1)"""
STILL = r"still ran after \S+ s"
DRAW = "random.random(); numpy.random.rand(); torch.rand(3)"
BODIES = {  # of `def outer(w, h):`, and what must be said of it
    "right": (f"return {RIGHT}", CORRECT, ""),
    "the three dots": ("return ...", NOT_ANSWERED, ""),
    "None": ("w @ h if len(w) == len(h) else 0", NOT_YET, "is the return missing"),
    "an endless loop": ("while True: w = w", ERROR, STILL + ", in line 3 of the cell"),
    "an endless loop in C": ("return sum(itertools.repeat(1))", ERROR, STILL + ", in line 3 of the cell"),
    "an endless loop without a watchdog": (f"{UNWATCHED}; return sum(itertools.repeat(1))", ERROR, STILL + r"\. Does"),
    "endless prints": ("while True: print('x' * 1000)", ERROR, STILL),
    "a flood of prints": (f"print('x' * 10**7); return {RIGHT}", CORRECT, ""),
    "writes to the file descriptors": (f"os.write(1, b'x'); os.write(2, b'x'); return {RIGHT}", CORRECT, ""),
    "reads input": ("return float(input())", ERROR, "EOFError.*line 3 of the cell"),
    "deep recursion": ("return outer(w, h)", ERROR, "calls itself without an end"),
    "a crash of Python": ("ctypes.string_at(0)", ERROR, "ended Python itself.*line 3 of the cell"),
    "a huge allocation of numpy": ("return numpy.ones((10**6, 10**6))", ERROR, "MemoryError.*line 3"),
    "a huge allocation of torch": ("return torch.ones(10**6, 10**6)", ERROR, "MemoryError.*line 3"),
    "more and more memory": (HOARD, ERROR, "MemoryError: it (takes|asks for) more"),
    "a large file": ("open('large', 'wb').write(bytes(10**6))", ERROR, "OSError.*File too large"),
    "a huge result": ("return torch.ones(4 * 10**6)", ERROR, "more numbers than anybody"),
    "its own limits": (f"{LIMITED}; return {RIGHT} if ok else 0", CORRECT, ""),
    "sys.exit": ("sys.exit('bye')", ERROR, r"SystemExit: bye \(line 3 of the cell\)"),
    "os._exit": ("os._exit(0)", ERROR, "ended Python itself"),
    "an interrupt": ("raise KeyboardInterrupt", ERROR, "KeyboardInterrupt"),
    "a killed judge": ("os.kill(os.getppid(), 9)", ERROR, "judge came to an end"),
    "a frozen judge": ("os.kill(os.getppid(), signal.SIGSTOP)", ERROR, "judge came to an end"),
    "an error": ("return w @ h.nothing", ERROR, r"AttributeError: .*nothing.* \(line 3 of the cell\)"),
    "a wrong shape": ("return torch.ones(2, 2, 2)", NOT_YET, "shape is 2×2×2, not"),
    "a wrong type": ("return 'outer'", NOT_YET, "gives a str"),
    "an object of its own": ("return type('Own', (), {'__eq__': lambda *_: True})()", NOT_YET, "gives a Own"),
    "a function": ("return outer", NOT_YET, "gives a function"),
    "a list that holds itself": ("w = []; w.append(w); return w", NOT_YET, "numbers are expected"),
    "a changed argument": (f"E = {RIGHT}; w += 1; return E", ALMOST, "changes its argument w"),
    "a changed argument, and all is the same": (f"{PATCH}; E = {RIGHT}; w += 1; return E", ALMOST, "its argument w"),
    "zeros, and all is the same": (f"{PATCH}; return torch.zeros(len(w), len(h))", NOT_YET, ""),
    "random numbers": (f"{DRAW}; return torch.rand(len(w), len(h))", NOT_YET, ""),
    "a display": (f"display(w); return {RIGHT}", CORRECT, ""),
}
ALSO_FRESH = {  # of all others, what is said does not depend on the process
    "an endless loop", "an endless loop in C", "an endless loop without a watchdog", "a flood of prints", "reads input",
    "deep recursion", "random numbers", "a crash of Python", "more and more memory", "os._exit", "a killed judge",
    "a frozen judge", "zeros, and all is the same", "a changed argument, and all is the same",
}  # fmt: skip
ENDLESS = {name for name in BODIES if name.startswith("an endless loop")} | {"endless prints"}


def answer(source, name="outer"):
    """What a cell of a notebook binds to this name."""
    namespace = {"__name__": "__main__"}
    exec(compile(source, "<cell>", "exec"), namespace)  # noqa: S102 -- our own code
    return namespace[name]


@pytest.fixture(scope="module", autouse=True)
def nothing_is_limited_yet():
    """So that what holds an answer back is the judge's doing."""
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        if sys.platform == "linux":
            import resource

            core = resource.getrlimit(resource.RLIMIT_CORE)
            resource.setrlimit(resource.RLIMIT_CORE, (core[1], core[1]))
        yield
        if sys.platform == "linux":
            resource.setrlimit(resource.RLIMIT_CORE, core)


@pytest.fixture(scope="module", autouse=True)
def a_judge_with_our_limits():
    start = subprocess.Popen

    def with_our_limits(command, **rest):
        *python, program = command
        assert "child.judge(" in program
        ours = "".join(f"child.{name} = {value}; " for name, value in JUDGE.items())
        return start([*python, program.replace("child.judge(", f"{ours}child.judge(")], **rest)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fence_module, "subprocess", SimpleNamespace(**vars(subprocess) | {"Popen": with_our_limits}))
        yield


@pytest.fixture(scope="module", params=METHODS)
def fence(request):
    one = Fence(request.param)
    shelf.find("01.1")  # whose module is loaded now
    yield one
    one.stop()


@pytest.fixture(scope="module")
def short(fence):
    """Seconds within which any answer has begun: ten times what a right one takes in all, on this machine, today."""
    took = []
    for _ in range(2):
        fence.ready()
        begun = time.monotonic()
        assert fence.verdict("01.1", answer(f"def outer(w, h):\n    return {RIGHT}")).state == CORRECT
        took.append(time.monotonic() - begun)
    return max(1.0, 10 * max(took))


only_here = pytest.mark.parametrize("fence", METHODS[:1] if sys.platform == "linux" else METHODS[1:], indirect=True)


@pytest.fixture
def asked(fence, monkeypatch, capfd):
    """Check an answer, and see to it that nothing else has happened here."""

    def ask(one):
        monkeypatch.setattr(desk, "FENCE", fence)
        fence.ready()
        before, called = _here(), torch.allclose
        reply = check("01.1", one)
        assert torch.allclose is called and all(np.array_equal(a, b) for a, b in zip(before, _here(), strict=True))
        assert capfd.readouterr() == ("", "")
        return reply

    return ask


def _here():
    """The random states and the names of the modules."""
    return (
        torch.get_rng_state().numpy(),
        np.random.get_state()[1],
        np.array(random.getstate()[1]),
        np.array(sorted(sys.modules)),
    )


@pytest.mark.parametrize("peril", BODIES)
def test_every_answer_gets_a_verdict_and_harms_nothing(asked, fence, peril, short, monkeypatch):
    if fence.method == FRESH and peril not in ALSO_FRESH:
        return
    body, state, words = BODIES[peril]
    if peril in ENDLESS:
        monkeypatch.setattr(fence_module, "LIMIT", short)
    if peril == "a frozen judge":
        monkeypatch.setattr(fence_module, "PROMISE", short)  # what comes in the end is the kernel's last deadline
        monkeypatch.setattr(fence_module, "LIMIT", short)
    reply = asked(answer(f"{IMPORTS}\ndef outer(w, h):\n    {body}"))
    assert (reply.state, bool(re.search(words, reply.words))) == (state, True), reply
    assert "\n" not in reply.words and len(reply.words) <= 200


@pytest.mark.parametrize("waited", [0.0, 0.4, 0.6, 0.7, 1.5, 2.6, 3.0, 10.0])
def test_the_verdict_comes_in_time_of_the_first_answer_too(waited, monkeypatch):
    """5 s in all, on a machine that starts the judge within 3 s: what an answer waits for the judge is its own loss.

    The clock is ours. What is counted is what the judge is told, and how long the kernel then listens to it at most.
    """
    now, page, listened = [100.0], io.BytesIO(), []

    def hear(seconds):
        listened.append(seconds)
        return {"state": ERROR, "words": ""}

    for name, seconds in PROMISED.items():
        monkeypatch.setattr(fence_module, name, seconds)
    monkeypatch.setattr(fence_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    one = Fence()
    one.judge = SimpleNamespace(stdin=page)
    monkeypatch.setattr(one, "ready", lambda: now.append(now.pop() + waited))
    monkeypatch.setattr(one, "_hear", hear)
    assert one.verdict("01.1", len).state == ERROR
    one.judge = None  # who needs no farewell
    limit = json.loads(page.getvalue().splitlines()[0])["limit"]
    assert limit == pytest.approx(min(3, max(3.6 - waited, 1)), abs=0.051)
    (most,) = listened
    assert limit + WATCHDOG < most, "the judge may still say so"
    assert waited + most < SECONDS if waited <= 3 else most < 2


def test_the_processes_of_the_judge_load_no_more_than_they_need():
    """It is what the first answer has to wait for."""
    program = (
        "import sys; from mflearn.exercises import child; print(*sys.modules); from mflearn.exercises import worker; "
    )
    ahead, behind = subprocess.run(
        [sys.executable, "-c", program + "print(*sys.modules)"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert not {"torch", "numpy", "mflearn.exercises.worker"} & set(ahead.split())
    assert not {"matplotlib", "anywidget", "mflearn.exercises.desk"} & set(behind.split())


UNPACKABLE = {  # what `used` is
    "a lock": ("import threading; used = threading.Lock()", "uses used, which cannot be sent to the judge"),
    "a generator": ("used = (i for i in [1])", "uses used, which cannot be sent to the judge"),
    "hundreds of megabytes": ("import torch; used = torch.zeros(10**8)[:2]", "uses used, which is larger than"),
    "a long list": ("used = [str(i) for i in range(10**6)] * 3", "uses used, which is larger than"),
}


@only_here
@pytest.mark.parametrize("case", UNPACKABLE)
def test_what_cannot_be_sent_is_named(asked, case):
    source, words = UNPACKABLE[case]
    reply = asked(answer(f"{source}\ndef outer(w, h):\n    return used"))
    assert reply.state == ERROR and words in reply.words
    assert "This generator cannot be sent" in asked(i for i in [1]).words


@only_here
def test_variables_of_the_notebook_go_along(asked):
    source = "import torch\nones, two = torch.ones(1, dtype=torch.float64), 2\ndef half(x):\n    return x / two\n"
    assert asked(answer(source + "def outer(w, h):\n    return half(2 * w)[:, None] * h * ones")).state == CORRECT


@only_here
def test_the_default_dtype_of_the_notebook_goes_along(asked):
    own = answer("import torch\ndef outer(w, h):\n    return torch.zeros(len(w), len(h)) + w[:, None] * h / 3 * 3")
    assert asked(own).state == CORRECT
    single = answer(
        f"import torch\ndef outer(w, h):\n    return {RIGHT} if torch.zeros(1).dtype == torch.float32 else 0"
    )
    torch.set_default_dtype(torch.float64)
    try:
        assert asked(single).state == NOT_YET
    finally:
        torch.set_default_dtype(torch.float32)
    assert asked(single).state == CORRECT


def test_nothing_is_left_behind(tmp_path, fence, monkeypatch):
    """No process, no folder: after an answer that started a process, and after the judge was stopped."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    own = Fence(fence.method)
    own.ready()
    judge = psutil.Process(own.judge.pid)
    sleeper = ["sleep", f"60.{os.getpid()}{secrets.randbelow(10**6)}"]
    program = f"import subprocess\ndef outer(w, h):\n    subprocess.Popen({sleeper})"
    assert own.verdict("01.1", answer(program)).state == NOT_YET
    own.ready()  # what was before has been cleared away
    assert sleeper not in [one.info["cmdline"] for one in psutil.process_iter(["cmdline"])]
    family = judge.children(recursive=True)
    own.stop()
    gone, alive = psutil.wait_procs([judge, *family], timeout=60)
    assert alive == [] and list(tmp_path.glob("mflearn-*")) == []


@pytest.mark.parametrize("end", ["pass", "os.kill(os.getpid(), 9)"])
def test_the_judge_ends_with_its_kernel(fence, end):
    program = f"import os\nfrom mflearn.exercises.fence import Fence\nfence = Fence({fence.method!r})\nfence.ready()\n"
    program += f"print(fence.judge.pid, flush=True)\n{end}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.stderr == ""
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(int(done.stdout)).wait(60)
    assert not psutil.pid_exists(int(done.stdout))


def test_an_interrupt_leaves_the_next_verdict_its_own(fence, monkeypatch):
    fence.ready()

    def interrupted(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fence, "_hear", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fence.verdict("01.1", answer("def outer(w, h):\n    return w"))
    assert fence.verdict("01.1", answer(f"def outer(w, h):\n    return {RIGHT}")).state == CORRECT


@pytest.mark.skipif(not hasattr(os, "getpgid"), reason="process groups are not on Windows")
def test_an_interrupt_of_the_kernel_is_not_for_the_judge(fence):
    fence.ready()
    assert os.getpgid(fence.judge.pid) not in (os.getpgrp(), 0)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_the_judge_has_one_thread_and_so_may_fork():
    one = Fence(FORK)
    one.ready()
    own = answer(
        "import torch\ndef outer(w, h):\n    torch.ones(300, 300) @ torch.ones(300, 300)\n    return w[:, None] * h"
    )
    assert one.verdict("01.1", own).state == CORRECT
    assert len(os.listdir(f"/proc/{one.judge.pid}/task")) == 1
    one.stop()


VALUES = [
    None, True, 3, 2.5, float("inf"), 1 + 2j, "text", ..., (1, [2.0, "x"], {"a": (1,)}), {1, 2}, range(3),
    np.float64(2.5), np.int64(3), torch.tensor(1.5), torch.arange(6.0).reshape(2, 3).T, torch.zeros(0, 3),
    torch.tensor([True]), np.arange(3), np.ones((2, 2), np.float32),
    torch.ones(2, dtype=torch.bfloat16, requires_grad=True),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_values_survive_the_way(value):
    back = plain.read(json.loads(json.dumps(plain.write(value))))
    assert same(back, list(value) if isinstance(value, range) else value, 0.0)
    if isinstance(value, (torch.Tensor, np.ndarray)):
        assert type(back) is type(value) and back.shape == value.shape


@pytest.mark.parametrize("value", [object(), len, (i for i in ()), np.array(["a"]), [[[[object()]]]]])
def test_of_all_else_only_the_name_of_the_class_comes_back(value):
    text = json.dumps(plain.write(value))
    assert plain.write(plain.read(json.loads(text))) == json.loads(text)


KERNEL = """
import random, numpy, torch
from mflearn.exercises import check, fence
from mflearn.exercises.fence import FENCE
fence.PROMISE = 180  # as here: nobody is in a hurry
FENCE.ready()
def states():
    return random.getstate(), numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
before = states()
"""
PERILS = {
    "an endless loop": "still ran",
    "a flood of prints": "correct",
    "sys.exit": "SystemExit",
    "os._exit": "ended Python",
}


@pytest.mark.filterwarnings("ignore")  # of jupyter_client and zmq, at the kernel's end
def test_a_real_kernel_answers_as_before():
    manager, client = start_new_kernel(kernel_name="python3")
    try:

        def run(source):
            messages = []
            client.execute_interactive(source, timeout=300, output_hook=messages.append)
            shown = [m["content"].get("data", {}).get("text/plain") for m in messages]
            assert [m["content"] for m in messages if m["msg_type"] in ("stream", "error")] == []
            return [text for text in shown if text]

        run(KERNEL)
        for peril, words in PERILS.items():
            run("FENCE.ready()")
            run(IMPORTS)
            run(f"fence.LIMIT = {3 if peril in ENDLESS else 60}")
            (said,) = run(f"def outer(w, h):\n    {BODIES[peril][0]}\n\ncheck('01.1', outer)")
            assert words in said and said.startswith("01.1 ")
            assert run("before == states()") == ["True"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
        client.context.destroy(linger=0)
