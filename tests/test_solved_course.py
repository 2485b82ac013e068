"""The course as one leaves it, under the arithmetic of another processor: it says the same, and every check *correct*.

Each notebook runs once here: with each stub replaced by the solution, with other last digits, and on narrow kernels.
On Linux, 1 GB must do for its kernel, unless PyTorch is built for graphics cards, which takes 0.3 GB more.
If a notebook fails, the same copy runs again under the arithmetic of this machine, and the message says which it is:
the solutions, or the arithmetic. All other variants: make test-everywhere.
"""

import sys
from pathlib import Path

import nbformat
import other_processors
import pytest
import torch
from notebook_form import NOTEBOOKS, missing, without_spark

from mflearn.exercises.content import lesson, lessons

VARIANT = "noise-0+narrow"
MEMORY = """import re
peak = re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())
assert int(peak[1]) < 2**20, f"{peak[0]} of 1048576 kB\""""  # a cell behind the last: was 1 GB enough for its kernel?


def solved(path: Path) -> nbformat.NotebookNode:
    """A copy in which each answer is the solution, with the verdict that the solution got; all else is untouched."""
    book = nbformat.read(path, as_version=4)
    cells = {cell.id: cell for cell in book.cells}
    exercises = lesson(path.stem[:2]).exercises if path.stem[:2] in lessons() else ()
    for exercise in exercises:
        place = exercise.id.replace(".", "-")
        answer, solution = cells[f"answer-{place}"], cells[f"solution-{place}"]
        assert exercise.stub in answer.source and exercise.solution in solution.source
        answer.source = answer.source.replace(exercise.stub, exercise.solution)
        (shown,) = solution.outputs
        assert shown.data["text/plain"] == f"{exercise.id} correct: {exercise.further}"
        answer.outputs = [nbformat.from_dict(shown | {"execution_count": answer.execution_count})]
    return book


def explained(outcome: other_processors.Outcome, copy: Path) -> str:
    """What failed in a copy under the variant, and what of it fails on this machine unchanged, too."""
    if not outcome.failed:
        return ""
    as_is = other_processors.run("as-is", [str(copy)], processes=0)
    if as_is.failed:
        return f"The solved notebook fails under the arithmetic of this machine, too: {as_is.failed}"
    return f"The solved notebook passes on this machine, and fails under {VARIANT}: {outcome.failed}"


@pytest.mark.parametrize("notebook", [path.stem for path in sorted(NOTEBOOKS.glob("*.ipynb"))])
def test_a_solved_notebook_says_the_same_with_other_last_digits_from_narrow_kernels(notebook, tmp_path):
    path = NOTEBOOKS / f"{notebook}.ipynb"
    if reason := missing(path) or without_spark(path.read_text(encoding="utf-8")):
        pytest.skip(reason)
    book, copy = solved(path), tmp_path / path.name
    if sys.platform == "linux" and torch.version.cuda is None:
        book.cells.append(nbformat.v4.new_code_cell(MEMORY, execution_count=1))
    nbformat.write(book, copy)
    outcome = other_processors.run(VARIANT, [str(copy)], processes=0)
    assert explained(outcome, copy) == ""
    assert outcome.skipped == 0 and outcome.cells == sum(cell.cell_type == "code" for cell in book.cells)


@pytest.mark.parametrize(
    ("failed_here", "words"),
    [({"Cell 3": "1 | 2"}, "fails under the arithmetic of this machine, too"), ({}, "passes on this machine")],
)
def test_a_failure_says_whether_the_solutions_or_the_arithmetic_are_its_cause(failed_here, words, monkeypatch):
    monkeypatch.setattr(other_processors, "run", lambda *_, **__: other_processors.Outcome(failed=failed_here))
    found = explained(other_processors.Outcome(failed={"Cell 3": "1 | 3"}), NOTEBOOKS / "01_frobenius_objective.ipynb")
    assert words in found and "Cell 3" in found
    assert explained(other_processors.Outcome(), NOTEBOOKS) == ""
