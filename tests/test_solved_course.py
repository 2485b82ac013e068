"""The course as one leaves it: each stub replaced by the solution, and nbval sees every check say *correct*."""

import os
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

import nbformat
import pytest
from notebook_form import NOTEBOOKS, missing

from mflearn.exercises.content import lesson, lessons

ROOT = Path(__file__).parents[1]


def solved(path: Path) -> nbformat.NotebookNode:
    """A copy in which each answer is the solution, with the verdict that the solution got; all else is untouched."""
    book = nbformat.read(path, as_version=4)
    cells = {cell.id: cell for cell in book.cells}
    for exercise in lesson(path.stem[:2]).exercises:
        place = exercise.id.replace(".", "-")
        answer, solution = cells[f"answer-{place}"], cells[f"solution-{place}"]
        assert exercise.stub in answer.source and exercise.solution in solution.source
        answer.source = answer.source.replace(exercise.stub, exercise.solution)
        (shown,) = solution.outputs
        assert shown.data["text/plain"] == f"{exercise.id} correct: {exercise.further}"
        answer.outputs = [nbformat.from_dict(shown | {"execution_count": answer.execution_count})]
    return book


def test_the_solved_course_passes(tmp_path):
    paths = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if path.stem.partition("_")[0] in lessons()]
    if not any("from mflearn.exercises import" in path.read_text(encoding="utf-8") for path in paths):
        pytest.skip("the notebooks have no exercises yet; to put them there: make notebooks")
    for path in paths:
        nbformat.write(solved(path), tmp_path / path.name)
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", f"--rootdir={ROOT}", "-p", "no:cacheprovider"]
    command += [f"--junitxml={report}", str(tmp_path)]
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV"))}
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    cases = xml.etree.ElementTree.parse(report).getroot().iter("testcase")
    code = [cell for path in paths if not missing(path) for cell in solved(path).cells if cell.cell_type == "code"]
    assert sum(case.find("skipped") is None for case in cases) == len(code)
