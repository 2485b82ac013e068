"""A notebook on published ratings is executed and compared where they are, and skipped, with the reason, where not."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]


def nbval(folder: Path, data: Path, name: str) -> str:
    """What pytest says of a notebook in this folder that loads `name`, with MFLEARN_DATA at `data`."""
    cells = [nbformat.v4.new_code_cell(f'from mflearn import datasets\n\nprint(datasets.load("{name}").ratings)')]
    cells[0].execution_count = 1
    cells[0].outputs = [nbformat.v4.new_output("stream", name="stdout", text="Ratings(2 values, 2 users × 2 items)\n")]
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    path = folder / "small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
    command = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    where = {"MFLEARN_DATA": str(data), "XDG_CACHE_HOME": str(folder / "cache"), "LOCALAPPDATA": str(folder / "cache")}
    run = subprocess.run(
        [*command, str(path)], cwd=ROOT, env={**os.environ, **where}, capture_output=True, text=True, timeout=300
    )
    return run.stdout


@pytest.fixture
def real(tmp_path):
    """A folder as MFLEARN_DATA names one, with two ratings."""
    folder = tmp_path / "data" / "ml-latest-small"
    folder.mkdir(parents=True)
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,4.0,0\n2,3,2.5,0\n")
    (folder / "movies.csv").write_text("movieId,title,genres\n1,Bread (1999),Drama\n3,Salt (2001),Comedy\n")
    return folder.parent


def test_it_is_skipped_where_they_are_not_and_says_why(tmp_path):
    said = nbval(tmp_path, tmp_path, "movielens-small")
    assert "1 skipped" in said and "passed" not in said and "failed" not in said
    assert "shows movielens-small, which is not on this machine; to get it: mflearn data movielens-small" in said


def test_make_notebooks_leaves_it_alone_where_they_are_not(tmp_path):
    nbval(tmp_path, tmp_path, "movielens-small")
    path = tmp_path / "small.ipynb"
    before = path.read_bytes()
    where = {"MFLEARN_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    command = [sys.executable, str(ROOT / "tests" / "notebook_form.py"), str(path)]
    run = subprocess.run(command, env={**os.environ, **where}, capture_output=True, text=True, timeout=300)
    assert "left alone: small.ipynb shows movielens-small, which is not on this machine" in run.stdout
    assert path.read_bytes() == before


def test_it_is_executed_and_compared_where_they_are(tmp_path, real):
    said = nbval(tmp_path, real, "movielens-small")
    assert "1 passed" in said and "skipped" not in said
    with open(real / "ml-latest-small" / "ratings.csv", "a") as file:
        file.write("2,1,3.0,0\n")
    assert "1 failed" in nbval(tmp_path, real, "movielens-small")


def test_one_on_the_festival_is_never_skipped(tmp_path):
    assert "1 failed" in nbval(tmp_path, tmp_path, "festival")
