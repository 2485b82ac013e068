"""The benchmarks compare equal work, and say in one line what keeps them from running. Nothing here is timed."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bench import nmf, toy
from bench.ratings import invented, quality

from mflearn.recommend import als, fit


def test_the_classic_program_and_ours_walk_the_same_way():
    same, largest = toy.agreement(toy.toy_matrix(), *toy.start(4, 2, 2))
    assert same and largest < 1e-6


def test_scikit_learns_solver_and_ours_are_measured_at_the_same_loss():
    """Without `repeats` the walks are the same: as many updates reach it, and 10 fewer do not."""
    A = nmf.digits().A[:200]
    starts = [nmf.random_start(A, 8, seed=seed) for seed in range(2)]
    losses, updates = zip(*nmf.scikit_learn(A.numpy(), starts), strict=True)
    assert nmf.updates_needed(losses, A, starts, 1) == sum(updates) == 400
    assert nmf.updates_needed(losses, A, starts, 3) < 300
    assert nmf.updates_needed([losses[0], 0.0], A, starts, 1) == math.inf  # never: said, not hidden


def test_lists_are_judged_by_the_ratings_held_out():
    """One list after the other, with the formula of Järvelin & Kekäläinen (2002)."""
    train, test = invented(2000).split(0.3, seed=1)
    model = fit(train, 2, solver=als, sweeps=3)
    found, listed, each = quality(model, train, test, n=4), set(), []
    for u in test.user.unique().tolist():
        relevant = set(test.item[test.user == u].tolist())
        top = [label for label, _ in model.user(train.users[u]).top(4)]
        best = sum(1 / math.log2(1 + place) for place in range(1, min(4, len(relevant)) + 1))
        gains = [1 / math.log2(1 + place) for place, label in enumerate(top, 1) if test.items.index(label) in relevant]
        each.append(sum(gains) / best)
        listed |= {*top}
    assert found["ndcg"] == pytest.approx(sum(each) / len(each), rel=1e-9)
    assert found["coverage"] == len(listed) / len(train.items)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["large"], "there is no benchmark large; there are toy, nmf, explorer, spark, ratings"),
        (["toy", "--rounds", "0"], "it must be a whole number of 1 or more"),
        (["toy", "--plot", "figure.png"], "toy cannot draw"),
        (["ratings"], "MFLEARN_DATA is not set"),
        (["explorer"], "found no Chromium on the path"),
        (["spark"], "Spark needs Java 17 or newer"),
    ],
)
def test_what_keeps_a_benchmark_from_running_is_said_in_one_line(arguments, words):
    env = {name: value for name, value in os.environ.items() if name not in ("MFLEARN_DATA", "JAVA_HOME")}
    env |= {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": ""}
    command = [sys.executable, "-m", "bench", *arguments]
    answer = subprocess.run(command, cwd=Path(__file__).parent, env=env, capture_output=True, text=True)
    lines = [line for line in answer.stderr.splitlines() if not line.startswith(("usage", " "))]
    assert answer.returncode != 0 and len(lines) == 1 and words in lines[0]
