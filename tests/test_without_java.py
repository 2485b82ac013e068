"""Where Java is missing, cells with Spark are skipped, with the reason, and the other cells are run and compared."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from test_published_ratings import NBVAL, ROOT

pytest.importorskip("pyspark")
SPARK = "from mflearn import spark\n\nsession = spark.session()\nprint('Spark runs')"
CELLS = {"print(1)": "1\n", SPARK: "Spark runs\n", "if session:\n    print(2)": "2\n", "print(3)": "other\n"}


def write(folder: Path) -> Path:
    """A notebook of four cells, two of them with Spark; the last one has printed something else than it will."""
    cells = []
    for count, (source, printed) in enumerate(CELLS.items(), 1):
        output = nbformat.v4.new_output("stream", name="stdout", text=printed)
        cells.append(nbformat.v4.new_code_cell(source, execution_count=count, outputs=[output]))
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "cluster.ipynb")
    return folder / "cluster.ipynb"


def run(program: list[str]) -> str:
    """What a program says that finds no Java."""
    environment = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    environment["PATH"] = str(Path(sys.executable).parent)
    command = [sys.executable, *program]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300).stdout


def test_cells_with_spark_are_skipped_and_the_others_are_not(tmp_path):
    said = run([*NBVAL, str(write(tmp_path))])
    assert "1 failed, 1 passed, 2 skipped" in said and "Spark needs Java 17" in said
    assert "Cell 3" in said[said.rindex("FAILED") :]


def test_make_notebooks_leaves_such_a_notebook_alone(tmp_path):
    path = write(tmp_path)
    before = path.read_bytes()
    said = run([str(ROOT / "tests" / "notebook_form.py"), str(path)])
    assert "left alone: Spark needs Java 17" in said and path.read_bytes() == before
