"""A notebook on published ratings is executed and compared where they are, and skipped, with the reason, where not."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]


def small(name: str, shown: str = "Ratings(2 values, 2 users × 2 items)") -> nbformat.NotebookNode:
    """A notebook that loads these ratings and has printed what is shown."""
    cells = [nbformat.v4.new_code_cell(f'from mflearn import datasets\n\nprint(datasets.load("{name}").ratings)')]
    cells[0].execution_count = 1
    cells[0].outputs = [nbformat.v4.new_output("stream", name="stdout", text=shown + "\n")]
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=kernel)


def run(program: list[str], data: Path) -> str:
    """What a program says that looks for published ratings in `data` only."""
    where = {"MFLEARN_DATA": str(data), "XDG_CACHE_HOME": str(data / "cache"), "LOCALAPPDATA": str(data / "cache")}
    command = [sys.executable, *program]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **where}, capture_output=True, text=True, timeout=300
    ).stdout


NBVAL = ["-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), "-rA"]


@pytest.fixture
def real(tmp_path):
    """A folder as MFLEARN_DATA names one, with two ratings."""
    folder = tmp_path / "data" / "ml-latest-small"
    folder.mkdir(parents=True)
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,4.0,0\n2,3,2.5,0\n")
    (folder / "movies.csv").write_text("movieId,title,genres\n1,Bread (1999),Drama\n3,Salt (2001),Comedy\n")
    return folder.parent


def test_it_is_skipped_where_they_are_not_and_says_why_but_one_on_the_festival_never_is(tmp_path):
    nbformat.write(small("movielens-small"), tmp_path / "films.ipynb")
    nbformat.write(small("festival"), tmp_path / "festival.ipynb")
    said = run([*NBVAL, str(tmp_path)], tmp_path)
    assert "1 failed, 1 skipped" in said and "passed" not in said
    assert "FAILED" in said and "festival.ipynb::Cell 0" in said[said.rindex("FAILED") :]
    assert "shows movielens-small, which is not on this machine; to get it: mflearn data movielens-small" in said


def test_make_notebooks_leaves_it_alone_where_they_are_not(tmp_path):
    path = tmp_path / "films.ipynb"
    nbformat.write(small("movielens-small"), path)
    before = path.read_bytes()
    said = run([str(ROOT / "tests" / "notebook_form.py"), str(path)], tmp_path)
    assert "left alone: films.ipynb shows movielens-small, which is not on this machine" in said
    assert path.read_bytes() == before


def test_it_is_executed_and_compared_where_they_are(tmp_path, real):
    nbformat.write(small("movielens-small"), tmp_path / "right.ipynb")
    nbformat.write(small("movielens-small", "Ratings(3 values, 2 users × 2 items)"), tmp_path / "other.ipynb")
    said = run([*NBVAL, str(tmp_path)], real)
    assert "1 failed, 1 passed" in said and "skipped" not in said
    assert "other.ipynb::Cell 0" in said[said.rindex("FAILED") :]
