"""Explorers in a real kernel, moved by raw messages as a page sends them, with and without a thread of their own."""

import time

import pytest
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.filterwarnings("ignore")  # of jupyter_client and zmq, at the kernel's end

START = """
import threading, time
import ipywidgets
from mflearn.widgets import explore_rank_and_rate, rank_and_rate

computed, threads = [], set()
compute = rank_and_rate.compute

def watched(k, eta, rule, seed, steps, watch=None):
    time.sleep(0.05)
    computed.append(k)
    threads.add(threading.current_thread().name)
    return compute(k, eta, rule, seed, steps, watch)

rank_and_rate.compute = watched
explorer = explore_rank_and_rate()
computed.clear()
bar = explorer.children[0].children[1].children[1]  # the slider of η: 150 steps from 10^-3 to 1
print(bar.model_id)
"""


@pytest.fixture
def kernel():
    manager, client = start_new_kernel(kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client, code):
    """Execute code; what it printed. An error there is an error here."""
    printed = []
    reply = client.execute_interactive(
        code, timeout=60, output_hook=lambda m: printed.append(m["content"].get("text", "")), store_history=False
    )
    assert reply["content"]["status"] == "ok", "\n".join(reply["content"].get("traceback", []))
    return "".join(printed).strip()


def subshell(client):
    """A subshell, as JupyterLab asks for one for each widget, or None where the kernel has none."""
    client.control_channel.send(message := client.session.msg("create_subshell_request"))
    while (reply := client.control_channel.get_msg(timeout=10))["parent_header"].get("msg_id") != message["msg_id"]:
        pass
    return reply["content"].get("subshell_id")


def move(client, model, value, shell_id=None):
    """The message of a slider that has been moved."""
    content = {"comm_id": model, "data": {"method": "update", "state": {"value": value}, "buffer_paths": []}}
    message = client.session.msg("comm_msg", content)
    if shell_id is not None:
        message["header"]["subshell_id"] = shell_id
    client.shell_channel.send(message)


@pytest.mark.parametrize("own_thread", [False, True], ids=["main shell", "subshell"])
def test_a_burst_of_moves_ends_at_the_last(kernel, own_thread):
    model = run(kernel, START)
    shell_id = subshell(kernel) if own_thread else None
    if own_thread and shell_id is None:
        pytest.skip("this ipykernel has no subshells: only versions from 7 on do")
    begun = time.monotonic()
    for i in range(200):
        move(kernel, model, 149 * i // 199, shell_id)
    assert time.monotonic() - begun < 5
    time.sleep(1)
    facts, count, alive = run(
        kernel, "print(explorer.facts, len(computed), explorer.picture.words == explorer.facts, sep='|')"
    ).split("|")
    assert "η = 0.955" in facts  # 10^-0.02
    assert int(count) <= 5
    assert alive == "True"


def test_a_cell_that_trains_never_sees_half_of_a_move(kernel):
    model = run(kernel, START)
    shell_id = subshell(kernel)
    for i in range(100):
        move(kernel, model, i, shell_id)
    seen = run(
        kernel,
        """
seen, mixed = set(), 0
for _ in range(400):
    shot = explorer.snapshot
    seen.add(shot.settings["eta"])
    mixed += shot.settings["eta"] != shot.result.eta or f"η = {shot.result.eta:.4g}," not in shot.words
    rank_and_rate.factorize(rank_and_rate.A, 2, eta=0.01, steps=20)
    time.sleep(0.002)
print(mixed, len(seen))
""",
    )
    mixed, states = map(int, seen.split())
    assert mixed == 0
    assert states >= 1


def test_an_error_in_a_move_is_shown_and_the_next_move_works(kernel):
    model = run(kernel, START)
    run(
        kernel, "def broken(*_): raise ArithmeticError('injected')\nexplorer.describe, kept = broken, explorer.describe"
    )
    move(kernel, model, 100)
    time.sleep(0.5)
    assert "ArithmeticError: injected" in run(kernel, "print(explorer.picture.words)")
    assert run(kernel, "explorer.describe = kept; print(explorer.picture.failed)") == "True"
    move(kernel, model, 50)
    time.sleep(0.5)
    assert run(kernel, "print(explorer.picture.failed, 'η = 0.01,' in explorer.facts)") == "False True"


def test_three_hundred_moves_leave_nothing_behind(kernel):
    model = run(kernel, START.replace("time.sleep(0.05)", "pass"))
    size = "import os\nprint(int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE') // 2**20)"
    counts = "import ipywidgets, matplotlib.pyplot as plt\n"
    counts += "workers = [t.name for t in threading.enumerate() if t.name.startswith('explorer')]\n"
    counts += "print(len(ipywidgets.widgets.widget._instances), len(plt.get_fignums()), workers)"
    for i in range(20):
        move(kernel, model, i)
        time.sleep(0.02)
    time.sleep(0.5)
    before, held = int(run(kernel, size)), run(kernel, counts)
    for i in range(300):
        move(kernel, model, i % 150)
        time.sleep(0.02)
    time.sleep(0.5)
    assert run(kernel, counts) == held
    assert int(run(kernel, size)) - before <= 50
    assert int(run(kernel, "print(len(computed))")) > 50
