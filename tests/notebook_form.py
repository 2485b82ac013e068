"""The one form in which a notebook is committed: `write` brings it there, `problems` lists what is not.

    python tests/notebook_form.py [--no-run] [NOTEBOOK ...]     run and rewrite; without names: all of notebooks/

A live widget leaves its text here, not its view: the view names a model that died with its kernel, at each run another
one, and a reader without that kernel would see an error. That there was a view is noted in the metadata of the output.

A notebook with Spark is left alone where Spark cannot run.

`exercise_cells` makes what stands under the heading Exercises, from the files in mflearn/exercises: change it there.
"""

import argparse
import os
import re
import sys
import tempfile
from dataclasses import asdict
from functools import cache
from pathlib import Path

import exercise_cells
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from mflearn import datasets, spark

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = {  # a dict names the keys allowed inside
    "tags": None,
    "jupyter": {"source_hidden"},
    "slideshow": {"slide_type"},
    "notes": None,  # for the speaker, beside the slide that the cell is on
    "jp-MarkdownHeadingCollapsed": None,
    "heading_collapsed": None,
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WAS_LIVE = {WIDGET_VIEW: {"needs": "kernel"}}


def problems(text: str) -> list[str]:
    """What keeps this text from being a notebook in canonical form, a line each."""
    try:
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # whatever is wrong with the file, it is not a notebook
        return [f"not a valid notebook: {error}"]
    found, count = [], 0
    if "widgets" in notebook.metadata:
        found.append("the metadata hold the state of widgets")
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        count += bool(cell.source.strip())
        if cell.execution_count != (count if cell.source.strip() else None):
            found.append(
                f"cell {i} has execution count {cell.execution_count}; in the order of the cells it is {count}"
            )
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"cell {i} committed the error {output.ename}: {output.evalue}")
            if output.get("name") == "stderr":
                found.append(f"cell {i} wrote to stderr: {output.text.strip()[:120]}")
            if WIDGET_VIEW in output.get("data", {}):
                found.append(f"cell {i} holds the view of a widget; the model it names is gone")
    for number, (line, wanted) in enumerate(zip(text.split("\n"), written(notebook).split("\n"), strict=False), 1):
        if line != wanted:
            found.append(f"line {number} is {line.strip()[:80]!r}; `make notebooks` writes {wanted.strip()[:80]!r}")
            break
    if not found and text != written(notebook):
        found.append("the end of the file is not as `make notebooks` writes it")
    return found


def written(notebook: NotebookNode) -> str:
    """The text of the canonical form."""
    return nbformat.writes(canonical(notebook), version=4).rstrip("\n") + "\n"


def canonical(notebook: NotebookNode) -> NotebookNode:
    """A copy with nothing in it that belongs to one run or one machine. Counts, errors and stderr stay as they are."""
    notebook = nbformat.from_dict(notebook)
    notebook.metadata, notebook.nbformat, notebook.nbformat_minor = nbformat.from_dict(METADATA), 4, 5
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(dict(_allowed(cell.metadata)))
        if cell.cell_type == "code":
            cell.outputs = [_still(output, cell.execution_count) for output in _merged(cell.outputs)]
    return notebook


def with_exercises(notebook: NotebookNode, stem: str) -> NotebookNode:
    """A copy with the exercises of the package under its heading; a cell that is there already keeps its outputs.

    A cell of an exercise that stands above the heading stays there: that exercise belongs into the lesson.
    """
    notebook = nbformat.from_dict(notebook)
    start, end = exercises(notebook)
    made = {cell.id: asdict(cell) for cell in exercise_cells.section(stem)}
    if made and start < end:
        was = {cell.id: cell for cell in notebook.cells}
        for cell in made.values():
            old = was.get(cell["id"], {})
            if cell["cell_type"] == "code":
                keeps = old.get("source") == cell["source"]
                cell["outputs"] = old["outputs"] if keeps else []
                cell["execution_count"] = old["execution_count"] if keeps else None
        above = [made.pop(cell.id, cell) for cell in notebook.cells[:start]]
        notebook.cells[:end] = nbformat.from_dict([*above, *made.values()])
    return notebook


def exercises(notebook: NotebookNode) -> tuple[int, int]:
    """Where the section Exercises begins and ends, among the cells; twice the end where there is none."""
    marks = ("# ", "## ")
    heads = [i for i, one in enumerate(notebook.cells) if one.cell_type == "markdown" and one.source.startswith(marks)]
    heads.append(len(notebook.cells))
    for start, end in zip(heads, heads[1:], strict=False):
        if notebook.cells[start].source.startswith(exercise_cells.HEADING):
            return start, end
    return heads[-1], heads[-1]


def run(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Executed from top to bottom in a fresh kernel that stands in `folder`; a failing cell raises."""
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
    )
    return client.execute()


def write(path: Path, *, execute: bool = True) -> bool:
    """Bring one file to the canonical form; True if that changed it."""
    before = path.read_bytes().decode()  # line ends as they are
    notebook = with_exercises(nbformat.reads(before, as_version=4), path.stem)
    if execute:
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        notebook = run(notebook, path.parent)
    after = written(notebook)
    if after != before:
        path.write_text(after, encoding="utf-8", newline="\n")
    return after != before


def _allowed(metadata: NotebookNode):
    for key, inside in CELL_METADATA.items():
        value = metadata.get(key)
        if inside is not None and value:
            value = {name: value[name] for name in sorted(inside) if name in value}
        if value:
            yield key, value


def _merged(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """A print is cut into messages as chance has it: those that follow each other are one output."""
    merged = []
    for output in outputs:
        if merged and output.output_type == "stream" == merged[-1].output_type and output.name == merged[-1].name:
            merged[-1].text += output.text
        else:
            merged.append(output)
    return merged


def _still(output: NotebookNode, count: int | None) -> NotebookNode:
    if WIDGET_VIEW in output.get("data", {}):
        del output.data[WIDGET_VIEW]
        output.metadata = nbformat.from_dict(WAS_LIVE | output.metadata)
    if output.output_type == "execute_result":
        output.execution_count = count
    output.pop("transient", None)
    return output


@cache
def missing(notebook: Path) -> str | None:
    """Which of the ratings that a notebook loads by name are not here, and how to get them; None if all are."""
    loaded = re.findall(r"datasets\.load\(\\?[\"']([\w-]+)\\?[\"']", notebook.read_text(encoding="utf-8"))
    for name in loaded:
        if name in datasets.SOURCES and datasets.where(name) is None:
            return f"{notebook.name} shows {name}, which is not on this machine; to get it: mflearn data {name}"
    return None


def without_spark(code: str) -> str | None:
    """Why this code, of a cell or a notebook, cannot run here: it needs Spark. None if it can, or needs none."""
    return spark.missing() if re.search(r"\bif session\b|spark\.session\(", code) else None


def main(arguments: list[str] | None = None) -> int:
    """The command; 1 if a notebook failed to run or is still not canonical."""
    parser = argparse.ArgumentParser(
        description="Run notebooks and rewrite them in the form in which they are committed."
    )
    parser.add_argument("notebooks", metavar="NOTEBOOK", nargs="*", type=Path, help="default: all of notebooks/")
    parser.add_argument("--no-run", action="store_true", help="rewrite the form only; the outputs stay")
    options = parser.parse_args(arguments)
    paths, failed = options.notebooks or sorted(NOTEBOOKS.glob("*.ipynb")), False
    if not paths:
        parser.error(f"no notebooks in {NOTEBOOKS.name}/")
    for path in paths:
        if not options.no_run and (reason := missing(path) or without_spark(path.read_text(encoding="utf-8"))):
            print(path.name, "· left alone:", reason)
            continue
        try:
            changed = write(path, execute=not options.no_run)
            wrong = problems(path.read_bytes().decode())
        except Exception as error:  # the next notebook is still run
            changed, wrong = False, [str(error)]
        failed |= bool(wrong)
        print(path.name, "·", "rewritten" if changed else "as it was", *(f"\n  {line}" for line in wrong))
    return int(failed)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as nobody:
        os.environ["MFLEARN_PROGRESS"] = os.path.join(nobody, "progress.json")
        sys.exit(main())
