"""Explorers in real kernels, moved by raw messages as a page sends them: ipykernel 7, its subshells, and 6.

How soon a message arrives, and how long a training takes, decides nothing here: what must happen in between is waited
for, and the waits end only where nothing comes at all.
"""

import os
import subprocess
import sys
import time

import pytest
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.filterwarnings("ignore")  # of jupyter_client and zmq, at the kernel's end

OLD = ("ipykernel==6.31.0", "nest-asyncio==1.6.0")
START = """
import hashlib, threading, time
import ipywidgets
from mflearn.widgets import explore_rank_and_rate, rank_and_rate
from mflearn.widgets.picture import Stage

computed, drawn, pictures = [], [], []
gate = threading.Event()  # closed, it holds back what is being computed
gate.set()
compute, draw = originals = globals().get("originals", (rank_and_rate.compute, rank_and_rate.draw))

def watched_compute(k, eta, rule, seed, steps, watch=lambda _: True, computed=computed):
    computed.append(eta)
    gate.wait(300)
    return compute(k, eta, rule, seed, steps, watch)

def watched_draw(figure, drawn=drawn):  # its own list: the explorer of a test before may still be drawing
    update = draw(figure)
    def noted(result):
        drawn.append(result)
        return update(result)
    return noted

rank_and_rate.compute, rank_and_rate.draw = watched_compute, watched_draw
explorer = explore_rank_and_rate()
explorer._preparing.join()  # the atlas
explorer.set(eta=0.01)
png = explorer.stage.png
def noted_png(result, png=png, pictures=pictures):
    pictures.append(png(result))
    return pictures[-1]
explorer.stage.png = noted_png
bar = explorer.children[1].children[1].children[1]  # the slider of η: 60 steps from 10^-3 to 1

def alone():
    "The same results, drawn in the same order by nobody else: a picture shows the one before, too."
    stage = Stage(draw, 10.5, 4.0)
    return [stage.png(result) for result in drawn][-len(pictures):]

print(bar.model_id)
"""

STATE = """
print(f"computed {computed}, settings {explorer.settings}, wanted {explorer._wanted}, gate open: {gate.is_set()}")
print(f"worker {explorer._worker}, shown: {explorer.picture.words}")
"""


class Kernel:
    """A kernel, and messages to it as the page sends them."""

    def __init__(self, manager, client, own_shell):
        self.manager, self.client = manager, client
        self.shell = self._subshell() if own_shell else None

    def run(self, code, *, raises=None):
        """Execute code; what it printed. An error there is an error here."""
        printed = []
        reply = self.client.execute_interactive(
            code, timeout=600, output_hook=lambda m: printed.append(m["content"].get("text", "")), store_history=False
        )["content"]
        assert reply.get("ename") == raises, "\n".join(reply.get("traceback", []))
        return "".join(printed).strip()

    def until(self, what, seconds=300):
        """Wait for an expression to become true in the kernel."""
        end = time.monotonic() + seconds
        while self.run(f"print(bool({what}))") != "True":
            if time.monotonic() > end:
                pytest.fail(f"it never became true: {what}\n{self.run(STATE)}")
            time.sleep(0.02)

    def move(self, model, value):
        """A slider has been moved."""
        self._send(model, {"method": "update", "state": {"value": value}, "buffer_paths": []})

    def click(self, model):
        """A button has been pressed."""
        self._send(model, {"method": "custom", "content": {"event": "click"}})

    def _send(self, model, data):
        message = self.client.session.msg("comm_msg", {"comm_id": model, "data": data})
        if self.shell is not None:
            message["header"]["subshell_id"] = self.shell
        self.client.shell_channel.send(message)

    def _subshell(self):
        """One of its own, as JupyterLab asks for."""
        control = self.client.control_channel
        control.send(message := self.client.session.msg("create_subshell_request"))
        while (reply := control.get_msg(timeout=300))["parent_header"].get("msg_id") != message["msg_id"]:
            pass
        return reply["content"]["subshell_id"]


@pytest.fixture(scope="session")
def ipykernel_6(tmp_path_factory):
    """A folder with the last ipykernel 6, which still has no subshells."""
    folder = tmp_path_factory.mktemp("ipykernel6")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), *OLD]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"{OLD[0]} could not be installed: {done.stderr.strip().splitlines()[-1]}")
    return folder


@pytest.fixture(scope="module", params=["ipykernel 7", "ipykernel 7, subshell", "ipykernel 6"])
def kernel(request):
    env = dict(os.environ)
    if request.param == "ipykernel 6":
        env["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(request.getfixturevalue("ipykernel_6")), env.get("PYTHONPATH")])
        )
    manager, client = start_new_kernel(kernel_name="python3", env=env)
    one = Kernel(manager, client, request.param.endswith("subshell"))
    assert one.run("import ipykernel; print(ipykernel.version_info[0])") == request.param.split()[1].rstrip(",")
    yield one
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.cleanup_resources()
    client.context.destroy(linger=0)


@pytest.mark.parametrize("steps", [1000, 1100, 2000])  # in the atlas; off it, some 20 and 40 ms a training
def test_a_burst_of_moves_ends_at_the_last(kernel, steps):
    """200 arrive while the explorer is at work on the first of them."""
    model = kernel.run(START)
    kernel.run(
        f"""
explorer.set(steps={steps})
explorer._preparing.join()
trained, factorize = [], globals().get("factorize", rank_and_rate.factorize)
rank_and_rate.factorize = lambda *given, **named: (trained.append(1), factorize(*given, **named))[1]
computed.clear()
gate.clear()
"""
    )
    for i in range(200):
        kernel.move(model, 59 * i // 199)
    kernel.until("computed and explorer.settings['eta'] == 0.8913")  # 10^-0.05
    kernel.run("gate.set()")
    kernel.until("explorer.snapshot.settings['eta'] == 0.8913 and explorer._wanted is None")
    assert "η = 0.8913" in kernel.run("print(explorer.snapshot.words)")
    looked, trained = map(int, kernel.run("print(len(computed), len(trained))").split())
    assert looked == 2 and trained == (looked if steps > 1000 else 0), "the first and the last"
    assert (
        kernel.run("print(explorer.picture.words == explorer.snapshot.words, explorer.picture.failed)") == "True False"
    )
    assert kernel.run("print(explorer.picture.png == alone()[-1])") == "True"


def test_a_cell_that_trains_never_sees_half_of_a_move(kernel):
    model = kernel.run(START)
    for i in range(60):
        kernel.move(model, i)
    seen = kernel.run(
        """
def drag():
    i = 0
    while not enough.is_set():
        bar.value = i % 50
        time.sleep(0.005)
        i += 1

enough = threading.Event()
dragging = threading.Thread(target=drag)
dragging.start()
states, mixed, looks, end = set(), 0, 0, time.monotonic() + 240
while (looks < 400 or len(states) < 5) and time.monotonic() < end:
    looks += 1
    shot = explorer.snapshot
    run, eta = shot.result.run, shot.settings["eta"]
    loss = float((run.W @ run.H - rank_and_rate.A).square().sum())
    states.add(eta)
    own = abs(loss - run.loss[run.last]) < 1e-9 * (1 + loss)
    mixed += not (own and eta == shot.result.eta and f"η = {eta:.4g}," in shot.words)
    rank_and_rate.factorize(rank_and_rate.A, 2, eta=0.01, steps=20)
    time.sleep(0.002)
enough.set()
dragging.join()
print(mixed, len(states))
"""
    )
    mixed, states = map(int, seen.split())
    assert mixed == 0
    assert states >= 5, "nothing moved while the cell looked"


def test_redraws_at_once_are_the_redraws_alone(kernel):
    model = kernel.run(START)
    for i in range(10):
        kernel.move(model, i)
    kernel.run(
        """
def redraw():
    for _ in range(6):
        explorer.redraw()

threads = [threading.Thread(target=redraw) for _ in range(2)]
for thread in threads:
    thread.start()
for i in range(10):
    bar.value = (7 * i) % 60
    explorer.redraw()
for thread in threads:
    thread.join()
"""
    )
    kernel.until("explorer._wanted is None")
    same = """
with explorer._turn:  # nothing is being drawn
    alike = [hashlib.sha256(a).digest() == hashlib.sha256(b).digest() for a, b in zip(pictures, alone(), strict=True)]
print(sum(alike), len(alike))
"""
    alike, number = map(int, kernel.run(same).split())
    assert alike == number >= 22


SLOW = """
import threading, time
from mflearn.widgets import Explorer
from mflearn.widgets.explorer import slider

at = [0]
def compute(x, watch):
    for step in range(2000):
        at[0] = step
        if x and not watch(step / 2000):
            break
        time.sleep(0.01 if x else 0)
    return at[0]

draw, describe = lambda figure: lambda result: [], lambda result: f"{result} steps"
explorer = Explorer(compute, draw, describe, {"x": slider("x", 0, 0, 9)}, title="slow")
bar, button = explorer.children[0].children[0].children[1], explorer.progress.button
print(bar.model_id, button.model_id)
"""


def test_stop_ends_long_work_and_keeps_what_there_is(kernel):
    bar, button = kernel.run(SLOW).split()
    kernel.move(bar, 1)
    kernel.until("explorer.progress.layout.visibility == 'visible' and explorer.progress.bar.value > 0")
    kernel.run("clicked = []\nexplorer.progress.button.on_click(lambda _: clicked.append(at[0]))")  # after Stop itself
    kernel.click(button)
    kernel.until("explorer.snapshot.words.startswith('Stopped at')")
    clicked, stopped = map(int, kernel.run("print(clicked[0], explorer.result)").split())
    assert stopped - 1 <= clicked <= stopped, "it went on after the click had arrived"
    assert f"shown is what there is by then. {stopped} steps" in kernel.run("print(explorer.picture.words)")
    assert kernel.run("print(explorer.progress.layout.visibility)") == "hidden"
    kernel.move(bar, 0)
    kernel.until("explorer.snapshot.words == '1999 steps'")


INTERRUPT = """
import os
def interrupt(at_work):
    while not at_work():
        time.sleep(0.01)
    os.kill(os.getpid(), 2)
"""


def test_an_interrupt_never_leaves_an_explorer_broken(kernel):
    bar, _ = kernel.run(SLOW).split()
    kernel.run(INTERRUPT)
    for _ in range(2):
        kernel.run(
            "at[0] = 0\nthreading.Thread(target=interrupt, args=(lambda: 0 < at[0],)).start()\nexplorer.set(x=2)",
            raises="KeyboardInterrupt",
        )
        assert kernel.run("print(explorer.picture.failed, explorer.picture.words)").startswith("True Interrupted.")
        kernel.move(bar, 0)
        kernel.until("explorer.picture.words == '1999 steps' and not explorer.picture.failed")
        kernel.run("explorer.set(x=0)")
    kernel.move(bar, 3)  # and while a move is at work, it is the cell that is interrupted
    kernel.until("explorer.progress.layout.visibility == 'visible'")
    kernel.run(
        "threading.Timer(0.2, interrupt, args=(lambda: True,)).start()\ntime.sleep(300)", raises="KeyboardInterrupt"
    )
    kernel.move(bar, 0)
    kernel.until("explorer.snapshot.words == '1999 steps'")


ERRORS = """[
    ValueError("injected"), ZeroDivisionError("injected"), ArithmeticError("two\\nlines injected"),
    KeyError("injected"), RuntimeError("injected " * 1000), MemoryError("injected"), RecursionError("injected"),
    SystemExit("injected"), UnicodeError("<b>injected</b> \\u202e"), type("Own", (Exception,), {})("injected"),
]"""


def test_ten_errors_are_shown_in_one_line_and_the_next_move_works(kernel):
    model = kernel.run(START)
    kernel.move(model, 5)
    kernel.until("'η = 0.001778,' in explorer.snapshot.words")
    kernel.run(
        f"""
errors, worker = {ERRORS}, explorer._worker
healthy = explorer.compute, explorer.describe, explorer.stage.png
def broken(*_, **__):
    raise errors[number]
"""
    )
    for number in range(10):
        where = ("explorer.compute", "explorer.describe", "explorer.stage.png")[number % 3]
        kernel.run(f"number = {number}; {where} = broken")
        kernel.move(model, 40 - number)
        kernel.until("explorer.picture.failed")
        words = kernel.run("print(explorer.picture.words)")
        assert "injected" in words and "\n" not in words and len(words) < 260 and "This did not work" in words
        raised = kernel.run("print(type(errors[number]).__name__)")
        kernel.run("explorer.set(seed=1)", raises=raised)
        kernel.run("explorer.compute, explorer.describe, explorer.stage.png = healthy")
        kernel.move(model, 10 + number)
        kernel.until("not explorer.picture.failed and explorer.picture.words == explorer.snapshot.words")
    assert kernel.run("print(worker is explorer._worker and worker.is_alive())") == "True"


def test_many_moves_leave_nothing_behind(kernel):
    """Of each fifteen the last is waited for, so that eight are drawn at least, and most pass."""
    model = kernel.run(START)
    size = "import re\nlines = open('/proc/self/status').read()\n"  # what lies in the swap was not given back
    size += r"print(sum(int(kB) for kB in re.findall(r'^Vm(?:RSS|Swap):\s*(\d+) kB', lines, re.M)) // 1024)"
    counts = "import ipywidgets, matplotlib.pyplot as plt\n"
    counts += "print(len(ipywidgets.widgets.widget._instances), len(plt.get_fignums()), explorer._worker.ident)"
    kernel.run("explorer.stage.png = png")  # which keeps no pictures
    for i in range(20):
        kernel.move(model, 2 * i + 1)
        time.sleep(0.02)
    kernel.until(
        "explorer.snapshot.settings['eta'] == bar.at(39) and explorer.picture.words == explorer.snapshot.words"
    )
    before, held = int(kernel.run(size)), kernel.run(counts)
    kernel.run("computed.clear()")
    for i in range(120):
        kernel.move(model, (7 * i) % 60)
        if i % 15 == 14:
            last = f"bar.at({(7 * i) % 60})"
            kernel.until(
                f"explorer.snapshot.settings['eta'] == {last} and explorer.picture.words == explorer.snapshot.words"
            )
        else:
            time.sleep(0.02)
    outputs = set()
    while kernel.client.iopub_channel.msg_ready():
        outputs.add(kernel.client.iopub_channel.get_msg(timeout=1)["msg_type"])
    assert kernel.run(counts) == held
    assert int(kernel.run("print(sum(t.name.startswith('explorer') for t in threading.enumerate()))")) <= 10
    assert int(kernel.run(size)) - before <= 50
    assert 8 <= int(kernel.run("print(len(computed))")) <= 120
    assert outputs <= {"status", "comm_msg", "execute_input"}, "a move made an output"


def test_after_a_divergence_the_next_move_has_no_more_work_than_ever(kernel):
    model = kernel.run(START)
    kernel.move(model, 60)
    kernel.until("'diverged at step' in explorer.snapshot.words")
    kernel.run("computed.clear(); explorer.set(steps=5000)")  # off the atlas: trained afresh
    assert int(kernel.run("print(len(explorer.result.run.loss))")) < 10, "it went on after it had diverged"
    kernel.run("explorer.set(steps=1000)")
    kernel.move(model, 20)
    kernel.until("explorer.snapshot.settings['eta'] == 0.01")
    assert kernel.run("print(len(computed), explorer.snapshot.words.startswith('k = 2, η = 0.01,'))") == "3 True"
