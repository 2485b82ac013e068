"""One page for lecturers: what learners tend to believe, and the files of all exercises and quizzes."""

import re

from . import content

LIST = (content.FOLDER / "misconceptions.md").read_text(encoding="utf-8")
MISCONCEPTIONS = re.findall(r"^\d+\. (.+)$", LIST, re.MULTILINE)


def page() -> str:
    """The page, in Markdown: which misconception is probed where, then each file without its section Cases."""
    rows = [f"| {i} | {MISCONCEPTIONS[i - 1]} | {'; '.join(where)} |" for i, where in places().items()]
    table = ["# Misconceptions\n", "| | what some believe | probed in |", "|---|---|---|", *rows]
    parts = ["\n".join(table)]
    for path in sorted(content.FOLDER.glob("*/*.md")):
        parts.append(path.read_text(encoding="utf-8").partition("\n## Cases")[0].strip())
    return "\n\n".join(parts) + "\n"


def places() -> dict[int, list[str]]:
    """Of each misconception, from 1: the exercises (02.1) and the questions (quiz 02, 3) that probe it."""
    found = {number: [] for number in range(1, len(MISCONCEPTIONS) + 1)}
    for notebook, lesson in content.lessons().items():
        named = [(one.id, one) for one in lesson.exercises]
        named += [(f"quiz {notebook}, {i}", one) for i, one in enumerate(lesson.quiz, 1)]
        for name, one in named:
            for number in one.misconceptions:
                found[number].append(name)
    return found
