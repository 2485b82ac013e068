"""Reads the exercises and quizzes from their Markdown files: a folder for each notebook, a file for each exercise.

    # 02.1 Both gradients             the id and the title
    misconceptions: 15, 16            optional; so is `tolerance: 1e-12`
    …                                 the statement
    ## Stub                           code that binds the name of the answer to `...`
    ## Solution                       code that binds the same name, then one sentence for those who are right
    ## Hints                          a list, `- …`
    ## Wrong: sign                    code that learners write, then what is said to them
    ## Cases                          Python: `cases(seed)`, perhaps `accepts(arguments, value)` and other functions

An exercise has two to four hints and at least five wrong answers, seven on average over a notebook, each with words of
its own, at most 320 characters.

The code of a wrong answer is the whole answer, or a `return` that takes the place of the solution's last line, or a
block marked `diff` with the lines of the solution that differ, `-` before and `+` after. Several blocks may share one
diagnosis. With `shows: name` below its heading a wrong answer is recognised by a function of the section Cases, where
the solution can be called by its name.

A quiz is a file `quiz.md`: a heading for each question, a list of choices, `- [x]` for the right one, and below each
choice what is said to those who choose it.
"""

import ast
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .exercise import Choice, Exercise, QuizQuestion, Wrong

FOLDER = Path(__file__).parent
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPTIONS = ("misconceptions", "tolerance", "shows")


@dataclass(frozen=True)
class Lesson:
    """What belongs to one notebook."""

    number: str  # "02"
    name: str  # "gradients": the notebook is 02_gradients.ipynb
    exercises: tuple[Exercise, ...]
    quiz: tuple[QuizQuestion, ...]


@cache
def lessons() -> dict[str, Lesson]:
    """All lessons that have exercises, by the number of their notebook."""
    folders = sorted(path for path in FOLDER.iterdir() if re.match(r"\d\d_", path.name))
    return {path.name[:2]: read_lesson(path) for path in folders}


def lesson(number: str) -> Lesson:
    """The lesson with this number, such as "02"."""
    if not isinstance(number, str) or number not in lessons():
        raise ValueError(f"notebook is {number!r}; it must be one of {', '.join(map(repr, lessons()))}")
    return lessons()[number]


def find(id: str) -> Exercise:
    """The exercise with this id, such as "02.1"."""
    if not isinstance(id, str) or not re.fullmatch(r"\d\d\.\d+", id):
        raise ValueError(f"id is {_short(id)}; it must be a text such as '02.1', with the quotation marks")
    there = {one.id: one for one in lesson(id[:2]).exercises}
    if id not in there:
        raise ValueError(f"id is {id!r}; notebook {id[:2]} has {', '.join(there)}")
    return there[id]


def read_lesson(folder: Path) -> Lesson:
    """The lesson in a folder such as 02_gradients."""
    number, _, name = folder.name.partition("_")
    found = [read_exercise(path) for path in folder.glob("*.md") if path.name != "quiz.md"]
    exercises = tuple(sorted(found, key=lambda one: int(one.id.partition(".")[2])))
    ids = [one.id for one in exercises]
    if ids != [f"{number}.{i}" for i in range(1, len(ids) + 1)]:
        raise ValueError(f"{folder.name} has {', '.join(ids)}; its exercises must be {number}.1, {number}.2, …")
    return Lesson(number, name, exercises, read_quiz(folder / "quiz.md"))


def read_exercise(path: Path) -> Exercise:
    """The exercise in a Markdown file. A ValueError names the file and what is missing in it."""
    (title, head), *sections = _sections(path)
    if not (match := re.fullmatch(r"(\d\d\.\d+) (.+)", title)):
        raise ValueError(f"{_place(path)} begins with '# {title}'; it must begin with an id, such as '# 02.1 Title'")
    parts = dict(sections)
    for name in ("Stub", "Solution", "Hints", "Cases"):
        if name not in parts:
            raise ValueError(f"{_place(path)} has no section '## {name}'")
    options, statement = _options(head, path)
    solution, further = _one_block(parts["Solution"], "Solution", path)
    functions = _run(solution, parts["Cases"], path)
    wrong = [
        _wrong(heading.removeprefix("Wrong: "), text, solution, functions, path)
        for heading, text in sections
        if heading.startswith("Wrong: ")
    ]
    return Exercise(
        id=match[1],
        title=match[2],
        statement=statement,
        stub=_one_block(parts["Stub"], "Stub", path)[0],
        solution=solution,
        cases=_function("cases", functions, path),
        hints=tuple(_unwrapped(item) for item in re.split(r"^- ", parts["Hints"], flags=re.MULTILINE)[1:]),
        wrong=tuple(wrong),
        further=_unwrapped(further),
        misconceptions=_numbers(options.get("misconceptions", "")),
        accepts=functions.get("accepts"),
        tolerance=float(options.get("tolerance", "1e-6")),
    )


def read_quiz(path: Path) -> tuple[QuizQuestion, ...]:
    """The questions in the file of a quiz."""
    questions = []
    for heading, text in _sections(path)[1:]:
        options, choices = _options(text, path)
        items = re.split(r"^- \[([ x])\] ", choices, flags=re.MULTILINE)[1:]
        found = []
        for mark, item in zip(items[::2], items[1::2], strict=True):
            choice, said, feedback = item.partition("\n  - ")
            if not said:
                raise ValueError(f"{_place(path)}: nothing is said to those who choose '{_unwrapped(choice)}'")
            found.append(Choice(_unwrapped(choice), _unwrapped(feedback), right=mark == "x"))
        questions.append(QuizQuestion(heading, tuple(found), _numbers(options.get("misconceptions", ""))))
    return tuple(questions)


def _sections(path: Path) -> list[tuple[str, str]]:
    """The title of the file with what stands below it, then each heading `##` with what stands below it."""
    sections: list[tuple[str, list[str]]] = []
    inside_code = False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside_code = not inside_code
        if line.startswith(("# ", "## ")) and not inside_code:
            sections.append((line.lstrip("# "), []))
        elif sections:
            sections[-1][1].append(line)
    if not sections or inside_code:
        raise ValueError(f"{_place(path)} {'has a block of code without an end' if inside_code else 'has no title'}")
    return [(heading, "\n".join(lines).strip()) for heading, lines in sections]


def _options(text: str, path: Path) -> tuple[dict[str, str], str]:
    """The lines `name: value` at the beginning of a section, and what follows them."""
    found = {}
    while match := re.match(r"([a-z]+): (.+)(\n+|$)", text):
        if match[1] not in OPTIONS:
            raise ValueError(f"{_place(path)} has the option '{match[1]}'; it must be one of {', '.join(OPTIONS)}")
        found[match[1]] = match[2].strip()
        text = text[match.end() :]
    return found, text


def _one_block(section: str, name: str, path: Path) -> tuple[str, str]:
    """The one block of code in a section, and the text below it."""
    blocks = FENCED.findall(section)
    if len(blocks) != 1:
        raise ValueError(f"{_place(path)}: the section {name} has {len(blocks)} blocks of code; it must have one")
    return blocks[0][1].rstrip("\n"), FENCED.sub("", section)


def _run(solution: str, section: str, path: Path) -> dict[str, Any]:
    """The functions of the section Cases, and the solution. An error shows its line in the Markdown file."""
    code, _ = _one_block(section, "Cases", path)
    text = path.read_text(encoding="utf-8")
    lines_above = text[: text.index(code, text.index("\n## Cases"))].count("\n")
    functions: dict[str, Any] = {}
    exec(compile(solution, str(path), "exec"), functions)  # noqa: S102 -- our own code
    exec(compile("\n" * lines_above + code, str(path), "exec"), functions)  # noqa: S102
    return functions


def _function(name: str, functions: dict[str, Any], path: Path) -> Callable:
    if not callable(functions.get(name)):
        raise ValueError(f"{_place(path)} has no function {name} in its section Cases")
    return functions[name]


def _wrong(name: str, text: str, solution: str, functions: dict[str, Any], path: Path) -> Wrong:
    options, text = _options(text, path)
    codes = tuple(_whole(kind, snippet.rstrip("\n"), solution, path) for kind, snippet in FENCED.findall(text))
    if not codes:
        raise ValueError(f"{_place(path)}: the wrong answer '{name}' has no code")
    shows = _function(options["shows"], functions, path) if "shows" in options else None
    return Wrong(name, codes, _unwrapped(FENCED.sub("", text)), shows)


def _whole(kind: str, snippet: str, solution: str, path: Path) -> str:
    """The whole code of a wrong answer, from a snippet that may say only where it differs from the solution."""
    if kind == "diff":
        return _patched(solution, snippet, path)
    if snippet.startswith("return "):
        function = ast.parse(solution).body[-1]
        kept = solution.splitlines()[: function.body[-1].lineno - 1]
        return "\n".join([*kept, textwrap.indent(snippet, "    ")])
    return snippet


def _patched(solution: str, diff: str, path: Path) -> str:
    """The solution with some of its lines replaced; a line `@@` stands between two places."""
    code = f"\n{solution}\n"
    for place in re.split(r"^@@\n", diff, flags=re.MULTILINE):
        lines = place.splitlines()
        before = "\n".join(["", *(line[1:] for line in lines if not line.startswith("+")), ""])
        after = "\n".join(["", *(line[1:] for line in lines if not line.startswith("-")), ""])
        if code.count(before) != 1:
            raise ValueError(f"{_place(path)}: the solution must have these lines exactly once: {before.strip()!r:.80}")
        code = code.replace(before, after)
    return code.strip("\n")


def _unwrapped(text: str) -> str:
    """A text as one line."""
    return " ".join(text.split())


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))


def _place(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _short(value: object) -> str:
    said = repr(value) if isinstance(value, (str, int, float)) else f"a {type(value).__name__}"
    return said if len(said) <= 40 else f"{said[:37]}…"
