"""Python's -O drops assertions and -OO docstrings, too: no result depends on them."""

import os
import subprocess
import sys

RESULTS = """
import secrets
secrets.randbelow = lambda seeds: 0  # the verdict then shows the same case each time

from mflearn import datasets, exact, matrices, nonnegative, recommend
from mflearn.descent import factorize
from mflearn.exercises import check
from mflearn.exercises.content import find

A = matrices.toy_matrix()
print(factorize(A, 1, eta=0.01, steps=50).loss.tolist())
print(exact.noise_threshold(matrices.low_rank_matrix(20, 20, k=2, noise=0.1)).item())
words = matrices.docstring_words()
print(words.A.shape, words.A.sum().item(), words.rows[:3], words.columns[:3])
print(nonnegative.nmf(A, 2, steps=50).loss.tolist())
ratings = datasets.load().ratings
print(recommend.fit(ratings, 4, seed=0, sweeps=3).predict_all(ratings).sum().item())

scope = {}
exec(find("02.1").solution, scope)
print(check("02.1", scope["my_gradient"]), check("02.1", lambda *_: 0), sep="; ")
for refused in (lambda: matrices.low_rank_matrix(0, 3, k=1), lambda: exact.median_factor(2)):
    try:
        print(refused())
    except ValueError as error:
        print(error)
"""


def test_no_result_changes_without_assertions_and_docstrings():
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONOPTIMIZE"}
    printed = []
    for options in ((), ("-OO",)):  # which does what -O does, too
        command = [sys.executable, *options, "-c", RESULTS]
        done = subprocess.run(command, env=clean, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        printed.append(done.stdout)
    assert "02.1 correct" in printed[0] and "m is 0" in printed[0]
    assert printed[0] == printed[1]
