"""The section "Exercises" of a notebook, made from its files: tasks with stubs, the quiz, solutions folded away.

Of all this, the slides of a lecture have the quiz alone.
"""

from dataclasses import dataclass, field

from mflearn.exercises import content
from mflearn.exercises.exercise import Exercise

HEADING = "## Exercises"
IMPORT = "from mflearn.exercises import check, hint, quiz, solution"


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook, as nbformat names its parts."""

    id: str
    cell_type: str
    source: str
    metadata: dict = field(default_factory=dict)


def section(stem: str) -> tuple[Cell, ...]:
    """The cells for the notebook with this name, such as 01_frobenius_objective; none if it has no exercises."""
    number, _, name = stem.partition("_")
    lesson = content.lessons().get(number)
    if lesson is None or lesson.name != name:
        return ()
    exercises = lesson.exercises
    cells = [
        Cell("exercises", "markdown", _introduction(exercises[0].id), _slide("skip")),
        Cell("exercises-start", "code", IMPORT, _slide("skip")),
    ]
    for one in exercises:
        task = f"### {one.id} {one.title}\n\n{one.statement.strip()}"
        cells += [
            Cell(_id("exercise", one), "markdown", task, _slide("skip")),
            Cell(_id("answer", one), "code", f'{one.stub}\n\n\ncheck("{one.id}", {one.name})', _slide("skip")),
        ]
    cells += [
        Cell("quiz", "markdown", "### Quiz\n\nChoose, then press Check.", _slide("skip")),
        Cell("quiz-start", "code", f'quiz("{number}")', _slide("slide")),  # a question at a time
        Cell("solutions", "markdown", "### Solutions", {"jp-MarkdownHeadingCollapsed": True} | _slide("skip")),
    ]
    for one in exercises:  # they are nobody's attempts
        checked = f'{one.solution}\n\n\ncheck("{one.id}", {one.name}, note=False)'
        cells.append(Cell(_id("solution", one), "code", checked, _slide("skip")))
    return tuple(cells)


def _introduction(id: str) -> str:
    return (
        f"{HEADING}\n\nReplace the three dots and run the cell: `check` says whether your answer is right, and if not, "
        f'what went wrong. `hint("{id}")` gives the next hint; `solution("{id}")` shows the solution once you have '
        "tried. `import mflearn; mflearn.progress()` shows what is done. Arrays among the arguments are torch tensors."
    )


def _id(kind: str, exercise: Exercise) -> str:
    return f"{kind}-{exercise.id.replace('.', '-')}"


def _slide(kind: str) -> dict:
    return {"slideshow": {"slide_type": kind}}
