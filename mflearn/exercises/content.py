"""Reads the exercises and quizzes from their Markdown files: a folder for each notebook, a file for each exercise.

    # 02.1 Both gradients             the id and the title
    misconceptions: 15, 16            optional, numbers of misconceptions.md; so is `tolerance: 1e-12`
    …                                 the statement
    ## Stub                           code of a function that returns `...`
    ## Solution                       code of this function, then one sentence for those who are right
    ## Hints                          a list, `- …`
    ## Wrong: sign                    code that learners write, then what is said to them
    ## Cases                          Python: `cases(seed)`, perhaps `accepts(arguments, value)` and other functions

An exercise has two to four hints and at least five wrong answers, seven on average over a notebook, each with words of
its own, at most 320 characters. In its smallest case no table has more than 16 numbers, because a verdict shows them.

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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .exercise import Choice, Exercise, QuizQuestion, Wrong

FOLDER = Path(__file__).parent
FENCED = re.compile(r"^```(\w+)\n(.*?)\n?^```$", re.MULTILINE | re.DOTALL)
OPTIONS = ("misconceptions", "tolerance", "shows")


@dataclass(frozen=True)
class Lesson:
    """What belongs to one notebook."""

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
        said = repr(id) if isinstance(id, (str, int, float)) else f"a {type(id).__name__}"
        raise ValueError(f"id is {said:.40}; it must be a text such as '02.1', with the quotation marks")
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
    return Lesson(name, exercises, read_quiz(folder / "quiz.md"))


def read_exercise(path: Path) -> Exercise:
    """The exercise in a Markdown file. A ValueError names the file and what is missing in it."""
    with _named_in_errors(path):
        text = path.read_text(encoding="utf-8")
        title, sections = _sections(text)
        if not (match := re.match(r"# (\d\d\.\d+) (.+)\n", title)):
            first = title.partition("\n")[0]
            raise ValueError(f"it begins with '{first}'; it must begin with an id, such as '# 02.1 Title'")
        parts = dict(sections)
        options, statement = _options(title[match.end() :].lstrip())
        solution, further = one_block(parts["Solution"])
        cases, _ = one_block(parts["Cases"])
        functions: dict[str, Any] = {}
        exec(compile(solution, str(path), "exec"), functions)  # noqa: S102 -- our own code
        lines_above = text[: text.index(cases, text.index("\n## Cases"))].count("\n")  # an error shows its line there
        exec(compile("\n" * lines_above + cases, str(path), "exec"), functions)  # noqa: S102
        return Exercise(
            id=match[1],
            title=match[2],
            statement=statement,
            stub=one_block(parts["Stub"])[0],
            solution=solution,
            cases=functions["cases"],
            hints=tuple(_unwrapped(item) for item in re.split(r"^- ", parts["Hints"], flags=re.MULTILINE)[1:]),
            wrong=tuple(
                _wrong(heading.removeprefix("Wrong: "), section, solution, functions)
                for heading, section in sections
                if heading.startswith("Wrong: ")
            ),
            further=_unwrapped(further),
            misconceptions=_misconceptions(options),
            accepts=functions.get("accepts"),
            tolerance=float(options.get("tolerance", "1e-6")),
        )


def read_quiz(path: Path) -> tuple[QuizQuestion, ...]:
    """The questions in the file of a quiz."""
    questions = []
    with _named_in_errors(path):
        for heading, text in _sections(path.read_text(encoding="utf-8"))[1]:
            options, choices = _options(text)
            items = re.split(r"^- \[([ x])\] ", choices, flags=re.MULTILINE)[1:]
            found = []
            for mark, item in zip(items[::2], items[1::2], strict=True):
                choice, said, feedback = item.partition("\n  - ")
                if not said:
                    raise ValueError(f"nothing is said to those who choose '{_unwrapped(choice)}'")
                found.append(Choice(_unwrapped(choice), _unwrapped(feedback), right=mark == "x"))
            questions.append(QuizQuestion(heading, tuple(found), _misconceptions(options)))
    return tuple(questions)


def one_block(section: str) -> tuple[str, str]:
    """The one block of code in a section, and the text around it."""
    blocks = FENCED.findall(section)
    if len(blocks) != 1:
        raise ValueError(f"a section has {len(blocks)} blocks of code, and must have one: {section!r:.60}")
    return blocks[0][1], FENCED.sub("", section)


@contextmanager
def _named_in_errors(path: Path) -> Iterator[None]:
    """What is wrong meanwhile, or missing, is said with the name of this file."""
    try:
        yield
    except (ValueError, KeyError) as error:
        said = f"it has no {error.args[0]}" if isinstance(error, KeyError) else error
        raise ValueError(f"{path.parent.name}/{path.name}: {said}") from error


def _sections(text: str) -> tuple[str, list[tuple[str, str]]]:
    """What stands above the first heading `##`; then each heading, with what stands below it."""
    if len(re.findall(r"^```", text, re.MULTILINE)) % 2:
        raise ValueError("it has a block of code without an end")
    top, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    cut = [part.partition("\n") for part in parts]
    return top.strip(), [(heading.strip(), below.strip()) for heading, _, below in cut]


def _options(text: str) -> tuple[dict[str, str], str]:
    """The lines `name: value` at the beginning of a section, and what follows them."""
    found = {}
    while match := re.match(r"([a-z]+): (.+)(\n+|$)", text):
        if match[1] not in OPTIONS:
            raise ValueError(f"it has the option '{match[1]}'; it must be one of {', '.join(OPTIONS)}")
        found[match[1]] = match[2].strip()
        text = text[match.end() :]
    return found, text


def _misconceptions(options: dict[str, str]) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", options.get("misconceptions", "")))


def _wrong(name: str, text: str, solution: str, functions: dict[str, Any]) -> Wrong:
    options, text = _options(text)
    codes = tuple(_whole(kind, snippet, solution) for kind, snippet in FENCED.findall(text))
    if not codes:
        raise ValueError(f"the wrong answer '{name}' has no code")
    shows = functions[options["shows"]] if "shows" in options else None
    return Wrong(name, codes, _unwrapped(FENCED.sub("", text)), shows)


def _whole(kind: str, snippet: str, solution: str) -> str:
    """The whole code of a wrong answer, from a snippet that may say only where it differs from the solution."""
    if kind == "diff":
        return _patched(solution, snippet)
    if snippet.startswith("return "):
        function = ast.parse(solution).body[-1]
        kept = solution.splitlines()[: function.body[-1].lineno - 1]
        return "\n".join([*kept, textwrap.indent(snippet, "    ")])
    return snippet


def _patched(solution: str, diff: str) -> str:
    """The solution with some of its lines replaced; a line `@@` stands between two places."""
    code = f"\n{solution}\n"
    for place in re.split(r"^@@\n", diff, flags=re.MULTILINE):
        lines = place.splitlines()
        before = "\n".join(["", *(line[1:] for line in lines if not line.startswith("+")), ""])
        after = "\n".join(["", *(line[1:] for line in lines if not line.startswith("-")), ""])
        if code.count(before) != 1:
            raise ValueError(f"the solution must have these lines exactly once: {before.strip()!r:.80}")
        code = code.replace(before, after)
    return code.strip("\n")


def _unwrapped(text: str) -> str:
    """A text as one line."""
    return " ".join(text.split())
