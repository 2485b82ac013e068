"""Explorer of notebook 10: what a sweep of ALS needs on so many machines, and what limits it.

All formulas are those of the notebook. A number takes 4 bytes, and no biases are counted; with them, k grows by 2.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ..plots import BLUE, GHOST, GREEN, GREY, PURPLE, VERMILLION
from .explorer import Explorer, Question, Update, choice, log_slider, slider

MEMORY = 128e9  # bytes of a machine
CORES, PACE = 4, 12e9  # of a machine; bytes that a core moves in a second, as measured in notebook 10
START = 0.5  # seconds a sweep to start tasks on more than one machine: twice what notebook 10 measured on one
PATIENCE = 120.0  # seconds a sweep that one can wait for
MOST = 256  # machines
NETWORKS = {"10 Gbit/s": 10e9 / 8, "1 Gbit/s": 1e9 / 8, "100 Gbit/s": 100e9 / 8}  # bytes a second


@dataclass(frozen=True)
class Cost:
    """What one sweep needs on each of so many machines: bytes by what they hold, and seconds by what takes them."""

    users: float
    items: float
    ratings: float  # no more than there are pairs
    k: int
    machines: int
    network: str
    memory: dict[str, float]
    seconds: dict[str, float]

    @property
    def bytes(self) -> float:
        """On each machine."""
        return sum(self.memory.values())

    @property
    def total(self) -> float:
        """Seconds a sweep."""
        return sum(self.seconds.values())

    @property
    def fits(self) -> bool:
        """Whether the memory of each machine is enough."""
        return self.bytes <= MEMORY

    @property
    def bottleneck(self) -> str:
        """What to mend first: the memory, or what takes most of the seconds."""
        return max(self.seconds, key=self.seconds.get) if self.fits else "memory"


def compute(users: float, items: float, ratings: float, k: int, machines: int, network: str) -> Cost:
    """Memory and seconds of a sweep. The ratings are divided among the machines; the factors are sent to all."""
    ratings = min(ratings, users * items)
    rows, outer = users + items, k * (k + 1) / 2
    memory = {"ratings": 16 * ratings / machines, "W and H": 4 * k * rows, "products": 4 * outer * rows}
    computing = 8 * (outer + k) * ratings / (PACE * CORES * machines)
    if machines == 1:
        seconds = {"computing": computing, "network": 0.0, "starting": 0.0}
    else:
        seconds = {"computing": computing, "network": 2 * 4 * k * rows / NETWORKS[network], "starting": START}
    return Cost(users, items, ratings, k, machines, network, memory, seconds)


def on(cost: Cost, machines: int) -> Cost:
    """The same problem on another number of machines."""
    return compute(cost.users, cost.items, cost.ratings, cost.k, machines, cost.network)


def draw(figure: Figure) -> Update:
    """Left: the bytes on each machine. Right: the seconds a sweep against the number of machines."""
    figure.set_layout_engine("none")  # which would move the axes with the length of their numbers
    left, right = figure.add_axes((0.08, 0.16, 0.3, 0.74)), figure.add_axes((0.46, 0.16, 0.53, 0.74))
    names = [*compute(1, 1, 1, 1, 1, next(iter(NETWORKS))).memory, "together"]
    left.set(xscale="log", xlim=(1e5, 1e14), xlabel="bytes on each machine", title="memory")
    left.set_xticks([1e6, 1e9, 1e12], ["1 MB", "1 GB", "1 TB"])
    left.set(yticks=range(4), yticklabels=names, ylim=(3.7, -0.7))
    left.minorticks_off()
    left.grid(alpha=0.3)
    left.axvline(MEMORY, color=VERMILLION, linestyle="--", linewidth=2)
    left.text(MEMORY * 1.4, 3.6, f"each has {MEMORY / 1e9:.0f} GB", color=VERMILLION, fontsize=9)
    (bytes_held,) = left.plot([], [], color=GREY, marker="o", markersize=8, linestyle="")
    amounts = [left.text(0, row - 0.17, "", fontsize=9, ha="center") for row in range(4)]

    p = np.unique(np.geomspace(1, MOST, 60).astype(int))
    right.set(xscale="log", yscale="log", xlim=(0.85, 1.2 * MOST))
    right.set(xlabel="machines", ylabel="seconds", title="a sweep")
    right.set_xticks([1, 2, 4, 16, 64, 256], ["1", "2", "4", "16", "64", "256"])
    right.minorticks_off()
    right.grid(alpha=0.3)
    (before,) = right.plot([], [], color=GHOST, linewidth=1.5)
    styles = {"computing": (BLUE, "--"), "network": (VERMILLION, "-."), "starting": (PURPLE, ":")}
    parts = {
        name: right.plot([], [], color=colour, linestyle=dash, linewidth=2, label=name)[0]
        for name, (colour, dash) in styles.items()
    }
    (together,) = right.plot([], [], color=GREEN, linewidth=3, alpha=0.8, label="together")
    (here,) = right.plot([], [], color=GREEN, marker="o", markersize=10, linestyle="")
    right.legend(loc="upper right", fontsize=8.5, ncols=2)

    def update(result: Cost):
        held = np.array([*result.memory.values(), result.bytes])
        bytes_held.set_data(held.clip(1.2e5, 8e13), range(4))
        for text, value in zip(amounts, held, strict=True):  # beside the line of the limit, not on it
            ends = (1e6, MEMORY / 6) if value <= MEMORY else (MEMORY * 6, 1e13)
            text.set(text=size(value), x=np.clip(value, *ends))
        costs = [on(result, int(machines)) for machines in p]
        totals = np.log10([cost.total for cost in costs])
        top = np.ceil(totals.max() + 0.3)  # room for the legend
        right.set_ylim(10 ** min(top - 4, np.floor(totals.min() - 0.1)), 10**top)
        before.set_data(*together.get_data())
        for name, line in parts.items():
            line.set_data(p, [cost.seconds[name] or np.nan for cost in costs])  # 0 has no place on a log axis
        together.set_data(p, [cost.total for cost in costs])
        here.set_data([result.machines], [result.total])
        return [bytes_held, *amounts, before, *parts.values(), together, here]

    return update


def describe(result: Cost) -> str:
    """Memory and seconds, what limits them, and whether one machine will do."""
    alone = on(result, 1)
    many = f"{result.machines} machine" + "s" * (result.machines > 1)
    at = f" at {result.network}" if result.machines > 1 else ""
    pairs = " (all pairs)" if result.ratings == result.users * result.items else ""
    words = f"{amount(result.ratings)} ratings{pairs}, k = {result.k}, {many}{at}: {size(result.bytes)} on each"
    if not result.fits:
        words += f", which has {size(MEMORY)}. "
        if result.memory["W and H"] + result.memory["products"] > MEMORY:
            words += "No number of machines helps, as each has all of W and H: cut them into blocks. "
        else:
            words += "More machines would help. "
    else:
        spent = ", ".join(f"{name} {duration(value)}" for name, value in result.seconds.items() if value)
        words += f", {duration(result.total)} a sweep ({spent}). "
    words += (
        f"Bottleneck: {result.bottleneck}. One machine needs {size(alone.bytes)} and {duration(alone.total)} a sweep: "
    )
    if not alone.fits:
        return words + "its memory is too small."
    if alone.total > PATIENCE:
        return words + "it will do for those who can wait."
    return words + "one machine will do."


def amount(count: float) -> str:
    """A count in words: 1.5 million."""
    for unit, name in ((1e9, " billion"), (1e6, " million"), (1e3, " thousand")):
        if count >= unit:
            return f"{count / unit:.3g}{name}"
    return f"{count:.0f}"


def size(count: float) -> str:
    """Bytes: 2.4 GB."""
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count / 1e3:.3g} kB"


def duration(seconds: float) -> str:
    """Seconds: 35 s, 4 h."""
    for unit, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


def explore_machines() -> Explorer:
    """How much memory and how many seconds does a sweep take, and do more machines help?"""
    controls = {
        "ratings": log_slider("ratings", 1e8, 5, 11, step=0.5),
        "users": log_slider("users", 1e7, 3, 9, step=0.5),
        "items": log_slider("items", 1e5, 2, 8, step=0.5),
        "k": slider("rank k", 16, 1, 128),
        "machines": slider("machines", 16, 1, MOST),
        "network": choice("network", *NETWORKS),
    }
    question = Question(
        "A billion ratings of a hundred thousand items by ten million users, k = 16: "
        f"how long is a sweep on one machine with {MEMORY / 1e9:.0f} GB and {CORES} cores?",
        {
            "the ratings do not fit": lambda result: not result.fits,
            "hours": lambda result: result.total > 3600,
            "minutes": lambda result: result.total > PATIENCE,
            "less than two minutes": lambda result: result.total <= PATIENCE,
        },
        lambda _: {"ratings": 1e9, "users": 1e7, "items": 1e5, "k": 16, "machines": 1},
        "Sorted by row, a rating takes 16 bytes, so a billion of them take 16 GB.",
    )
    title = "one machine, or many"
    return Explorer(compute, draw, describe, controls, question, title=title, size=(11.0, 3.3))
