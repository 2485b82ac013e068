"""What a page shows of a notebook: its text, code and outputs, and, where a kernel would answer, what stands there."""

import html
import json
import re
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

from nbformat import NotebookNode, v4

from .. import exercises
from ..exercises import content, questions
from ..exercises.exercise import Exercise
from . import explorers

FIRST = """# Matrix factorization, to see and to touch

These pages are the notebooks of the course, with all that they print and draw. Quizzes answer in the page; hints and
solutions are folded away. Explorers {explorers}. In JupyterLab they have all values, and `check` judges your answers:
`make lab` opens the course there.

```{{toctree}}
:maxdepth: 1

{names}
```

For a lecture in a room without Python, there are slides of each notebook: {slides}.

Text and figures: [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/). Code: MIT.
"""
TASKS = """## Exercises

Work on paper, or in the notebook: there `check` says whether your answer is right, and if not, what went wrong. Here
hints and solutions are folded away. Arrays among the arguments are torch tensors."""


def first(names: Sequence[str], *, still: bool) -> str:
    """The page that a reader opens first, in Markdown, with links to these notebooks."""
    slides = ", ".join(f'<a href="slides/{name[:2]}.html">{name[:2]}</a>' for name in names)
    moving = "are still pictures" if still else "move in the page, too"
    return FIRST.format(names="\n".join(names), slides=slides, explorers=moving)


def anchor(title: str) -> str:
    """What JupyterLab writes after # in a link to a heading.

    >>> anchor("2. See the parts")
    '2.-See-the-parts'
    """
    return title.replace(" ", "-").replace("`", "")


def prepared(notebook: NotebookNode, number: str, embed: Callable[[str], str]) -> NotebookNode:
    """A copy to make a page of; its title begins with the number by which other notebooks name it.

    `embed` gives what stands in the place of an explorer, `explorers.live` or `explorers.still`.
    """
    notebook.cells[0].source = re.sub("^# ", f"# {number} · ", notebook.cells[0].source)
    cells = [made for cell in notebook.cells for made in _cells(cell, embed)]
    return v4.new_notebook(cells=cells, metadata=notebook.metadata)


def _cells(cell: NotebookNode, embed: Callable[[str], str]) -> list[NotebookNode]:
    """The cells that take the place of one. Those of the exercises are known by their ids."""
    kind, _, place = cell.id.partition("-")
    if cell.id in ("exercises-start", "solutions") or kind == "solution":
        return []
    if cell.id == "exercises":
        return [_text(TASKS, cell)]
    if kind == "answer":
        return [_text(help_with(content.find(place.replace("-", "."))), cell)]
    if cell.id == "quiz-start":
        return [_text(quiz(re.search(r"\d\d", cell.source)[0]), cell)]
    if cell.cell_type == "markdown":
        return [cell]
    if cell.metadata.get("jupyter", {}).get("source_hidden"):
        cell.metadata.tags = ["hide-input"]
    cell.outputs = [made for i, output in enumerate(cell.outputs) for made in _outputs(cell, i, output, embed)]
    return [cell]


def _text(text: str, cell: NotebookNode) -> NotebookNode:
    """This text in the place of a cell, and on its slide."""
    return v4.new_markdown_cell(text, metadata=cell.metadata)


def _outputs(cell: NotebookNode, i: int, output: NotebookNode, embed: Callable[[str], str]) -> list[NotebookNode]:
    """The outputs that take the place of one: a picture has its caption with it, and an explorer needs no kernel."""
    if "application/vnd.jupyter.widget-view+json" in output.get("metadata", {}):
        name = re.search(r"explore_\w+", cell.source)
        return [_html(embed(name[0]) if name else explorers.framed("Not in these pages", explorers.LIVE))]
    if caption := _caption(output):
        return [_html(f'<div class="mathjax_ignore">{explorers.picture(output.data["image/png"], caption)}</div>')]
    if i and output.output_type == "stream":  # `show` has printed the caption, too
        output.text = output.text.removeprefix(textwrap.fill(_caption(cell.outputs[i - 1]), 110)).lstrip("\n")
        return [output] if output.text else []
    return [output]


def _caption(output: NotebookNode) -> str:
    return output.get("metadata", {}).get("image/png", {}).get("alt", "")


def _html(text: str) -> NotebookNode:
    return v4.new_output("display_data", {"text/html": text})


def help_with(exercise: Exercise) -> str:
    """The stub of an exercise, each hint inside the one before, and the solution, in Markdown."""
    hints, count = "", len(exercise.hints)
    for i, hint in reversed(list(enumerate(exercise.hints, 1))):
        hints = folded(f"Hint {i} of {count}", f"{hint}\n\n{hints}")
    solution = folded("Solution", f"{fenced(exercise.solution)}\n\n{exercise.further}")
    return f'{fenced(exercise.stub)}\n\n<div class="folded">\n\n{hints}\n\n{solution}\n\n</div>'


def folded(title: str, text: str) -> str:
    """Markdown that a reader opens."""
    return f"<details>\n<summary>{title}</summary>\n\n{text}\n\n</details>"


def fenced(code: str) -> str:
    """Python code in Markdown."""
    return f"```python\n{code}\n```"


def quiz(number: str) -> str:
    """The place of a quiz, with its questions, and what is said to each choice, as `quiz_script` reads them."""
    asked = content.lesson(number).quiz
    data = {
        "questions": [{"text": one.text, "choices": [choice.text for choice in one.choices]} for one in asked],
        "said": [[questions.said(choice) for choice in one.choices] for one in asked],
    }
    return f'<div class="quiz mathjax_ignore" data-quiz="{html.escape(json.dumps(data))}"></div>'


def quiz_script() -> str:
    """The script that shows the quizzes: as in JupyterLab, but each answer is known in the page."""
    shown = (Path(exercises.__file__).parent / "questions.js").read_text(encoding="utf-8")
    answers = (Path(__file__).parent / "quiz.js").read_text(encoding="utf-8")
    return shown.replace("export default", "const quiz =") + answers
