"""Explorer of notebook 07: the parts that non-negative factors find, and which of them another seed finds again."""

import functools
import threading
import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from ..descent import Run
from ..matrices import digits, docstring_words
from ..nonnegative import Data, Stability, match, nmf, stability
from ..plots import BLUE, GHOST, GREY, VERMILLION
from .explorer import Explorer, Question, Update, Watch, choice, slider

DIGITS, TEXTS, SHUFFLED = "digits", "texts", "texts, shuffled"
LEAST, MOST = 2, 12  # ranks
SEEDS, STEPS, REPEATS = 8, 60, 3
AGAIN, LOST = 0.9, 0.7  # a cosine from which a part counts as found again; one below which it does not at all
LOCK = threading.Lock()  # the work ahead and a move may want the same runs


@dataclass(frozen=True)
class Parts:
    """The parts of one run, in the order of the run that agrees best with all others: its stablest part first."""

    data: str
    seed: int
    H: Tensor  # (k, n)
    words: tuple[str, ...]  # what the n columns are; empty for pixels
    cosines: Tensor  # (k,), between these parts and those of the reference
    stability: Stability  # of all the runs; its parts in the order of H
    scores: dict[int, tuple[float, float]]  # by rank, as far as known: the score and its chance

    @property
    def k(self) -> int:
        """How many parts there are."""
        return len(self.H)

    @property
    def again(self) -> int:
        """How many of them the other seeds find again."""
        return int((self.stability.parts >= AGAIN).sum())


texts = functools.cache(docstring_words)  # read once


def shuffled(A: Tensor, *, seed: int = 0) -> Tensor:
    """A with the entries of each column in a random order: each word as frequent as before, no topic left."""
    return torch.from_numpy(np.random.default_rng(seed).permuted(A.numpy(), axis=0))


@functools.cache
def matrix(data: str) -> Data:
    """The matrix that is factored."""
    return Data(digits().A if data == DIGITS else texts().A if data == TEXTS else shuffled(texts().A))


SCORES: dict[str, dict[int, tuple[float, float]]] = {DIGITS: {}, TEXTS: {}, SHUFFLED: {}}


@functools.cache
def runs(data: str, k: int) -> tuple[Run, Stability]:
    """Eight runs, and how far they agree."""
    found = nmf(matrix(data), k, steps=STEPS, repeats=REPEATS, seed=range(SEEDS))
    alike = stability(found.H)
    SCORES[data][k] = alike.score, alike.chance
    return found, alike


def prepare(watch: Watch = lambda _done: True) -> None:
    """All runs that the sliders can ask for."""
    wanted = [(data, k) for data in SCORES for k in range(LEAST, MOST + 1)]
    for done, which in enumerate(wanted):
        if not watch(done / len(wanted)):
            return
        with LOCK:
            runs(*which)
        time.sleep(0.01)  # a move that waits for the lock gets it now, and not after all other runs


def compute(data: str, k: int, seed: int) -> Parts:
    """The parts of this seed, beside those of the seed that agrees best with all."""
    with LOCK:
        found, alike = runs(data, k)
    order = alike.parts.argsort(descending=True)
    best, H = found.H[alike.reference][order], found.H[seed]
    pairs = match(best, H)
    alike = replace(alike, parts=alike.parts[order])
    words = () if data == DIGITS else texts().columns
    return Parts(data, seed, H[pairs.order], words, pairs.similarity, alike, dict(sorted(SCORES[data].items())))


def top_words(weights: Tensor, words: tuple[str, ...], count: int = 6) -> list[str]:
    """The words of largest weight, the largest first."""
    return [words[i] for i in weights.topk(count).indices]


def draw(figure: Figure) -> Update:
    """The parts, how alike they are from seed to seed, and the score at every rank."""
    ax, bars, curve = figure.subplots(1, 3, width_ratios=(2.2, 1, 1.15))
    ax.set_title("the parts of this seed, the stablest first")
    ax.set(xlim=(0, 50), ylim=(33.2, 0), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    lines = [ax.text(0, 0, "", va="center", fontsize=10, parse_math=False) for _ in range(MOST)]
    corners = [(i % 4 * 12 + 1, i // 4 * 11 + 3) for i in range(MOST)]  # of the pictures, 8 by 8
    names = [ax.text(x + 4, y - 0.7, "", ha="center", va="bottom", fontsize=9) for x, y in corners]
    frames = [ax.add_patch(Rectangle(corner, 8, 8, fill=False, linewidth=0.6)) for corner in corners]
    wall = ax.imshow(np.full((33, 50), np.nan), extent=(0, 50, 33, 0), cmap="gray_r", vmin=0, vmax=1, aspect="auto")
    bars.set(xlim=(-0.12, 1.04), ylim=(1, 0), yticks=[], title="found again?", xticks=(0, 0.5, 1))
    bars.set_xlabel("cosine (bar: mean, dot: this seed)", fontsize=9)
    bars.grid(alpha=0.3, axis="x")
    rows = bars.barh([0.0] * MOST, [0.0] * MOST, color=BLUE, alpha=0.3)
    labels = [bars.text(-0.02, 0, i + 1, ha="right", va="center") for i in range(MOST)]
    (dots,) = bars.plot([], [], color=BLUE, marker="o", markersize=5, linestyle="")
    (chance,) = bars.plot([], [], color=GREY, linestyle="--", linewidth=1.5)
    curve.set(xlim=(LEAST - 0.5, MOST + 0.5), ylim=(0, 1.04), xticks=range(LEAST, MOST + 1, 2))
    curve.set_title("score over 8 seeds")
    curve.grid(alpha=0.3)
    (ghost,) = curve.plot([], [], color=GHOST, linewidth=1.5)
    (score,) = curve.plot([], [], color=BLUE, marker="o", markersize=4, linewidth=2)
    (random,) = curve.plot([], [], color=GREY, linestyle="--", linewidth=1.5)
    (here,) = curve.plot([], [], color=VERMILLION, marker="o", markersize=9, linestyle="")
    curve.set_xlabel("k (dashed: chance, grey: before)", fontsize=9)
    shown = [""]

    def update(result: Parts):
        k, pixels = result.k, np.full((33, 50), np.nan)
        middles = (np.arange(MOST) + 0.5) / k  # of the rows, as shares of the height
        for i in range(MOST):
            lost = i < k and float(result.cosines[i]) < LOST
            colour, mark = (VERMILLION, " ≠") if lost else (GREY, "")
            picture, words = i < k and not result.words, i < k and bool(result.words)
            names[i].set(text=f"{i + 1}{mark}" if picture else "", color=colour)
            frames[i].set(visible=picture, edgecolor=colour)
            line = " · ".join(top_words(result.H[i], result.words)) + mark if words else ""
            lines[i].set(text=line, color=colour, y=33 * middles[i])
            labels[i].set(visible=i < k, y=middles[i])
            rows[i].set(visible=i < k, y=middles[i] - 0.36 / k, height=0.72 / k)
            rows[i].set_width(float(result.stability.parts[i]) if i < k else 0.0)
            if picture:
                x, y = corners[i]
                pixels[y : y + 8, x : x + 8] = result.H[i].view(8, 8) / (float(result.H[i].max()) or 1.0)
        wall.set_data(pixels)
        dots.set_data(result.cosines.tolist(), middles[:k])
        chance.set_data([result.stability.chance] * 2, [0, 1])
        if shown[0] != result.data:
            ghost.set_data(*score.get_data())
            shown[0] = result.data
        score.set_data(list(result.scores), [value for value, _ in result.scores.values()])
        random.set_data(list(result.scores), [value for _, value in result.scores.values()])
        here.set_data([k], [result.stability.score])
        return [wall, *frames, *lines, *names, *rows, *labels, dots, chance, ghost, random, score, here]

    return update


def describe(result: Parts) -> str:
    """How far all runs agree, and how far this run agrees with the one that agrees best."""
    alike, found = result.stability, int((result.cosines >= AGAIN).sum())
    name = "topics" if result.words else "parts"
    text = (
        f"{result.data.capitalize()}, k = {result.k}: stability score of {SEEDS} seeds {alike.score:.2f}, "
        f"by chance {alike.chance:.2f}. Seed {result.seed}"
    )
    if result.seed == alike.reference:
        return f"{text} agrees best with the others; the dots compare it with itself."
    text += f" finds {found} of {result.k} {name} of seed {alike.reference} again (cosine {AGAIN} or more)"
    least = int(result.cosines.argmin())
    words = ", ".join(f"‘{word}’" for word in top_words(result.H[least], result.words, 3)) if result.words else ""
    of = f": {words}" if words else f", part {least + 1}"
    return f"{text}; the least alike has {float(result.cosines[least]):.2f}{of}."


def explore_parts() -> Explorer:
    """Which parts, and which topics, come back with another seed?"""
    controls = {
        "k": slider("parts k", 6, LEAST, MOST),
        "seed": slider("seed", 0, 0, SEEDS - 1),
        "data": choice("data", *SCORES),
    }
    question = Question(
        "Ten parts of the digits, found from eight random starts. Which of them do all starts find?",
        {
            "all ten, as good as unchanged": lambda result: result.again == result.k,
            "most of them; one or a few do not": lambda result: result.k / 2 < result.again < result.k,
            "hardly any": lambda result: result.again <= result.k / 2,
        },
        lambda _: {"data": DIGITS, "k": 10, "seed": 0},
        "The loss hardly tells the runs apart: it has many lowest points, and their parts are not the same.",
    )
    return Explorer(
        compute, draw, describe, controls, question, title="parts and topics", size=(10.5, 3.9), prepare=prepare
    )
