"""What a learner's answer may do, and what is said of it: each mistake through `check`, and nothing remains of it.

An answer that never ends has a third of a second here, and one that takes all memory may take a sixteenth of the usual,
so that these tests are quick; all others have a minute. So no verdict depends on how fast the machine is.
"""

import builtins
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest
import torch
from jupyter_client.manager import start_new_kernel

from mflearn.exercises import check, logbook, running
from mflearn.exercises.comparable import MOST_PARTS, TooLarge, comparable
from mflearn.exercises.exercise import ALMOST, CORRECT, ERROR, NOT_ANSWERED, NOT_YET, last_line, same

LINUX = sys.platform == "linux"
IMPORTS = "import itertools, os, random, signal, sys, threading, time, numpy, torch"
RIGHT = "w[:, None] * h"
STILL = r"still ran after 0\.3 s, in line [3-5] of the cell\. Does a loop never end\?"
TOO_MUCH = "MemoryError: it asks for more memory than there is"
SETTINGS = "torch.set_default_dtype(torch.float16); torch.set_grad_enabled(False); torch.set_num_threads(2)"
DRAWS = "random.random(); numpy.random.rand(); torch.rand(3); random.seed(1); numpy.random.seed(1)"
ENDLESS = {  # bodies of `def outer(w, h):` that never end
    "a loop": "while True: w = w",
    "a loop that prints": "while True: print('x' * 1000)",
    "a loop of a comprehension": "return [w for i in itertools.count() if i < 0]",
    "a loop that sleeps": "while True: time.sleep(60)",
    "a loop that catches everything": "while True:\n        try: w = w + 0\n        except: pass",
    "a loop that sleeps and catches everything": "while True:\n        try: time.sleep(60)\n        except: pass",
    "a loop without gradients": "with torch.no_grad():\n        while True: w = w + 0",
}
BODIES = {  # and others, with what must be said of each
    "right": (f"return {RIGHT}", CORRECT, ""),
    "the three dots": ("return ...", NOT_ANSWERED, ""),
    "None": ("w @ h if len(w) == len(h) else 0", NOT_YET, "is the return missing"),
    "prints": (f"print('x'); print('x', file=sys.stderr); return {RIGHT}", CORRECT, ""),
    "reads input": ("return float(input('x'))", ERROR, r"EOFError.*line 3 of the cell"),
    "reads what is typed": (f"return {RIGHT} if sys.stdin.read() == '' else 0", CORRECT, ""),
    "deep recursion": ("return outer(w, h)", ERROR, "RecursionError: it calls itself without an end"),
    "a huge allocation of numpy": ("return numpy.ones((10**6, 10**6))", ERROR, f"{TOO_MUCH}.*line 3"),
    "a huge allocation of torch": ("return torch.ones(10**6, 10**6)", ERROR, f"{TOO_MUCH}.*line 3"),
    "sys.exit": ("sys.exit('bye')", ERROR, r"SystemExit: bye \(line 3 of the cell\)"),
    "exit": ("exit()", ERROR, r"SystemExit.*\(line 3 of the cell\)"),
    "an error": ("return w @ h.nothing", ERROR, r"AttributeError: .*nothing.* \(line 3 of the cell\)"),
    "a wrong shape": ("return torch.ones(2, 2, 2)", NOT_YET, "shape is 2×2×2, not"),
    "a wrong type": ("return 'outer'", NOT_YET, "gives a str"),
    "not a number": ("return float('nan')", NOT_YET, "shape is that of one number"),
    "an error beside Exception": ("raise type('Odd', (BaseException,), {})('no')", ERROR, "Odd: no"),
    "values that are not numbers": (f"return {RIGHT} * float('nan')", NOT_YET, "entry .* is nan, where"),
    "a == of its own": ("return type('Own', (), {'__eq__': lambda *_: True})()", NOT_YET, "gives a Own"),
    "a == that raises": ("return type('Own', (), {'__eq__': lambda *_: 1 / 0})()", NOT_YET, "gives a Own"),
    "an array that is none": ("return type('Own', (), {'__array__': lambda *_: 1 / 0})()", NOT_YET, "gives a Own"),
    "a list that raises": (
        "return type('Own', (list,), {'__iter__': lambda *_: 1 / 0})()", NOT_YET, "something that cannot be compared",
    ),
    "a function": ("return outer", NOT_YET, "gives a function"),
    "a list that holds itself": ("w = []; w.append(w); return w", NOT_YET, "numbers are expected"),
    "a list that holds itself twice": ("w = []; w += [w, w]; return w", ERROR, "more numbers than anybody"),
    "a huge tensor": ("return torch.ones(4 * 10**6)", ERROR, "more numbers than anybody"),
    "a huge tensor of one number": ("return torch.ones(1).expand(10**12)", ERROR, "more numbers than anybody"),
    "a huge tensor of zeros": ("return torch.sparse_coo_tensor(size=(10**6, 10**6))", ERROR, "more numbers than"),
    "a huge range": ("return range(10**12)", ERROR, "more numbers than anybody"),
    "a huge text": ("return 'x' * 10**7", ERROR, "more numbers than anybody"),
    "a list without an end": (
        "return type('Own', (list,), {'__iter__': lambda _: itertools.count()})()", ERROR, "more numbers than anybody",
    ),
    "a large list": (f"return list(range({MOST_PARTS} - 1))", NOT_YET, f"shape is {MOST_PARTS - 1}, not"),
    "a changed argument": (f"E = {RIGHT}; w += 1; return E", ALMOST, "changes its argument w"),
    "random numbers": (f"{DRAWS}; return torch.rand(len(w), len(h))", NOT_YET, ""),
    "other settings of torch": (f"E = {RIGHT}; {SETTINGS}; return E", CORRECT, ""),
}  # fmt: skip
if LINUX:  # elsewhere nothing limits the memory
    BODIES |= {
        "more and more numbers": ("while True: w = torch.cat((w, w))", ERROR, TOO_MUCH),
        "more and more lists": ("w = []\n    while True: w.append([0] * 1000)", ERROR, TOO_MUCH),
    }


def answer(source, name="outer"):
    """What a cell of a notebook binds to this name."""
    namespace = {"__name__": "__main__"}
    exec(compile(source, "<cell>", "exec"), namespace)  # noqa: S102 -- our own code
    return namespace[name]


def outer(body):
    return answer(f"{IMPORTS}\ndef outer(w, h):\n    {body}")


def surroundings():
    """All that an answer could have changed, and must not."""
    found = [
        random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist(), torch.get_default_dtype(),
        torch.is_grad_enabled(), torch.get_num_threads(), sys.stdin, sys.stdout, sys.stderr, builtins.input,
        signal.getsignal(signal.SIGINT),
    ]  # fmt: skip
    if hasattr(signal, "setitimer"):
        found += [signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)]
    if LINUX:
        import resource

        found.append(resource.getrlimit(resource.RLIMIT_AS))
    return found


@pytest.fixture
def asked(monkeypatch, capfd):
    """Check an answer, and see to it that nothing else has happened."""

    def ask(body, seconds=60):
        monkeypatch.setattr(running, "SECONDS", seconds)
        monkeypatch.setattr(running, "MEMORY", 2**26)
        one, before = outer(body), surroundings()
        reply = check("01.1", one)
        assert surroundings() == before
        assert capfd.readouterr() == ("", "")
        return reply

    return ask


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no timer that interrupts")
@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS)
def test_what_never_ends_is_stopped(asked, body):
    reply = asked(body, seconds=0.3)
    assert reply.state == ERROR and re.search(STILL, reply.words), reply


@pytest.mark.parametrize("mistake", BODIES)
def test_every_answer_gets_a_verdict_and_changes_nothing(asked, mistake):
    body, state, words = BODIES[mistake]
    begun = time.process_time()  # other programs do not count
    reply = asked(body)
    assert time.process_time() - begun < 5
    assert (reply.state, bool(re.search(words, reply.words))) == (state, True), reply
    assert "\n" not in reply.words and len(reply.words) <= 200


ALARMS = """
import threading, time
from mflearn.exercises import content, running

def wait():
    while True:
        time.sleep(1e-4)

for _ in range(6):
    threading.Thread(target=wait, daemon=True).start()
running.SECONDS = 0.1
body = "import time\\ndef outer(w, h):\\n    while True:\\n        try: time.sleep(60)\\n        except: pass"
exec(body, names := {})
exercise = content.find("01.1")
print(sum("still ran" in running.verdict(exercise, names["outer"]).words for _ in range(30)))
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no alarm to stop an answer with")
def test_no_alarm_comes_late_and_ends_the_kernel():
    """The system may deliver an alarm to any thread, and a kernel has several."""
    done = subprocess.run([sys.executable, "-c", ALARMS], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "30"), done.stderr


def test_the_line_is_known_although_time_is_up_once_more_on_the_way_out():
    answer, second = compile("\n\nraise running.TimeIsUp", "the cell", "exec"), running.TimeIsUp()
    with pytest.raises(running.TimeIsUp) as raised:
        try:
            exec(answer, {"running": running})  # noqa: S102
        finally:
            raise second
    assert raised.value is second and last_line(second, "the cell") == 3 and last_line(second, "another") is None


def test_a_learner_waits_less_than_five_seconds():
    assert running.SECONDS + 20 * running.AGAIN <= 5


def test_an_answer_without_a_function_is_compared(asked):
    assert check("01.1", [[1.0, 2.0]]).state == NOT_YET
    assert "more numbers" in check("01.1", torch.ones(10**7)).words
    assert "gives a generator" in check("01.1", (i for i in [1])).words


def test_the_default_dtype_of_the_notebook_is_kept():
    single = outer(f"return {RIGHT} if torch.zeros(1).dtype == torch.float32 else 0")
    assert check("01.1", single).state == CORRECT
    torch.set_default_dtype(torch.float64)
    try:
        assert check("01.1", single).state == NOT_YET
    finally:
        torch.set_default_dtype(torch.float32)


def test_another_device_by_default_does_not_outlive_the_check():
    check("01.1", outer(f"torch.set_default_device('meta'); return {RIGHT}"))
    assert torch.get_default_device().type == "cpu"


SETTINGS = {  # what an answer may set, and how it is asked for
    "np.seterr(all='raise')": np.geterr,
    "np.set_printoptions(precision=1)": lambda: np.get_printoptions()["precision"],
    "os.chdir(os.sep)": os.getcwd,
    "os.environ['MFLEARN_DATA'] = 'x'": lambda: dict(os.environ),
    "sys.setrecursionlimit(5000)": sys.getrecursionlimit,
    "sys.path.append('x')": lambda: [*sys.path],
    "import warnings; warnings.simplefilter('error')": lambda: [*warnings.filters],
}


@pytest.mark.parametrize("change", SETTINGS)
def test_what_an_answer_sets_does_not_outlive_the_check(change, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    before = SETTINGS[change]()
    assert check("01.1", outer(f"import os, sys; import numpy as np; {change}; return {RIGHT}")).state == CORRECT
    after = SETTINGS[change]()
    np.seterr(**np.geterr() | {"all": "warn"})
    sys.setrecursionlimit(1000)
    assert after == before


def test_columns_of_pandas_need_no_more_memory_than_an_answer_may_have():
    """The allocator that Arrow takes by itself reserves more at once."""
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    assert check("01.1", outer(f"return {RIGHT}")).state == CORRECT
    assert pyarrow.default_memory_pool().backend_name == "system"


@pytest.mark.parametrize("body", ["{}; return w", "try: {}\n    except Exception: pass\n    return w"])
def test_a_real_interrupt_still_interrupts(body, monkeypatch):
    """It is nobody's attempt, and no verdict."""
    monkeypatch.setattr(logbook, "attempted", None)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a test in the background may ignore it
    one, before = outer(body.format("signal.raise_signal(signal.SIGINT)")), surroundings()
    try:
        with pytest.raises(KeyboardInterrupt) as raised:
            check("01.1", one)
        assert raised.type is KeyboardInterrupt and surroundings() == before
    finally:
        signal.signal(signal.SIGINT, handler)


def test_in_another_thread_an_answer_is_judged_too():
    replies = []
    thread = threading.Thread(target=lambda: replies.append(check("01.1", outer(f"return {RIGHT}"))))
    thread.start()
    thread.join()
    assert [reply.state for reply in replies] == [CORRECT]


VALUES = [
    None, True, 3, 2.5, float("inf"), 1 + 2j, "text", ..., (1, [2.0, "x"], (1,)), {1, 2}, range(3),
    np.float64(2.5), np.int64(3), torch.tensor(1.5), torch.arange(6.0).reshape(2, 3).T, torch.zeros(0, 3),
    torch.tensor([True]), np.arange(3), np.ones((2, 2), np.float32),
    torch.ones(2, dtype=torch.bfloat16, requires_grad=True), torch.eye(3).to_sparse(),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_what_can_be_compared_keeps_its_meaning(value):
    copy = comparable(value)
    assert same(copy, list(value) if isinstance(value, range) else value, 0.0)
    if isinstance(value, (torch.Tensor, np.ndarray)):
        assert type(copy) is type(value) and copy.shape == value.shape


@pytest.mark.parametrize("value", [[1, [2]], np.ones(2), torch.ones(2)])
def test_a_copy_no_longer_changes(value):
    copy = comparable(value)
    before = comparable(copy)
    value[0] = 7
    assert same(copy, before, 0.0)


@pytest.mark.parametrize("value", [object(), {"a": 1}, len, (i for i in ()), np.array(["a"]), [[[[object()]]]]])
def test_of_all_else_only_the_name_of_the_class_remains(value):
    assert comparable(value) == comparable(comparable(value))
    if not isinstance(value, list):
        assert type(comparable(value)).__name__ == type(value).__name__
        assert comparable(value) is comparable(value) is not value


@pytest.mark.parametrize(
    "value", [[0] * MOST_PARTS, "x" * (MOST_PARTS + 1), np.zeros(MOST_PARTS), [[0] * (MOST_PARTS // 2)] * 2]
)
def test_what_is_too_large_to_compare_is_refused(value):
    with pytest.raises(TooLarge):
        comparable(value)


IN_A_KERNEL = {  # what is said of it; `exit`, `input` and `display` are others there
    "while True: w = w": "It still ran after 0.3 s, in line 2 of the cell",
    "exit()": "SystemExit",
    "quit()": "SystemExit",
    "return input()": "EOFError",
    f"print('x'); display(w); return {RIGHT}": "correct",
    "return torch.ones(10**6, 10**6)": "MemoryError",
}


@pytest.mark.filterwarnings("ignore")  # of jupyter_client and zmq, at the kernel's end
def test_a_real_kernel_answers_and_goes_on():
    manager, client = start_new_kernel(kernel_name="python3")
    try:

        def run(source):
            messages, options = [], {"allow_stdin": False, "stop_on_error": False}
            reply = client.execute_interactive(source, timeout=300, output_hook=messages.append, **options)
            shown = [m["content"] for m in messages if m["msg_type"] not in ("status", "execute_input")]
            return reply["content"], shown

        run(f"{IMPORTS}\nfrom mflearn.exercises import check, running")
        for body, words in IN_A_KERNEL.items():
            run(f"running.SECONDS = {0.3 if 'while' in body else 60}")
            content, shown = run(f"def outer(w, h):\n    {body}\n\ncheck('01.1', outer)")
            assert (content["status"], content["payload"], len(shown)) == ("ok", [], 1), (body, content, shown)
            assert words in shown[0]["data"]["text/plain"]
        content, _ = run("check('01.1', lambda w, h: signal.raise_signal(signal.SIGINT))")
        assert content["ename"] == "KeyboardInterrupt"
        assert run("1 + 1")[1][0]["data"]["text/plain"] == "2"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
        client.context.destroy(linger=0)
