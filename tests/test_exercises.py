"""Every exercise keeps its promises, its known wrong answers are told apart, and a learner is answered."""

import ast
import json
import math
import multiprocessing
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from exercise_cells import section
from mutants import COLUMNS, TABLE, remembering
from notebook_form import NOTEBOOKS
from test_notebooks import read, uncomputed

import mflearn
from mflearn.exercises import check, content, exercise, hint, lecturer, logbook, progress, quiz, solution
from mflearn.exercises.exercise import CORRECT, NOT_ANSWERED, NOT_YET, Verdict, call, judge
from mflearn.exercises.running import SEEDS
from mflearn.gradients import by_differences
from mflearn.objectives import Frobenius

LESSONS = content.lessons()
EXERCISES = {one.id: one for lesson in LESSONS.values() for one in lesson.exercises}
QUESTIONS = {f"{number}, {i}": q for number, lesson in LESSONS.items() for i, q in enumerate(lesson.quiz, 1)}
NAMES = [f"{number}_{lesson.name}" for number, lesson in LESSONS.items()]  # of the notebooks

# The least that is demanded, of each notebook and each exercise: so it grows with the course.
EXERCISES_OF_A_NOTEBOOK, QUESTIONS_OF_A_NOTEBOOK = 4, 5
MISCONCEPTIONS_OF_A_NOTEBOOK = 2  # probed in it; the list for lecturers has as many for each notebook
WRONG_ANSWERS, WRONG_ANSWERS_ON_AVERAGE = 5, 7  # of each exercise; of those of one notebook
MUTANTS, MUTANTS_ON_AVERAGE = 3, 20  # of each solution; of all; counted are those that compute something else


@pytest.fixture
def in_float64():
    """As in the notebooks."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A learner's file, not there yet."""
    monkeypatch.setenv("MFLEARN_PROGRESS", str(tmp_path / "mine.json"))
    monkeypatch.setattr(logbook, "_loose", {})
    return tmp_path / "mine.json"


@pytest.mark.parametrize("id", EXERCISES)
def test_right_and_known_wrong_answers_are_told_apart(in_float64, id):
    exercise = EXERCISES[id]
    for seed in range(SEEDS):
        cases = exercise.cases(seed)
        known = remembering(exercise, cases)
        said = {code: judge(known, cases, known.outcomes(code, cases)) for code in (exercise.solution, exercise.stub)}
        assert said == {
            exercise.solution: Verdict(CORRECT, exercise.further),
            exercise.stub: Verdict(NOT_ANSWERED, said[exercise.stub].words),
        }
        for wrong in exercise.wrong:
            for code in wrong.codes:
                verdict = judge(known, cases, known.outcomes(code, cases))
                assert verdict == Verdict(NOT_YET, wrong.diagnosis), (wrong.name, seed)


@pytest.mark.parametrize("id", EXERCISES)
def test_check_says_the_same(in_float64, id):
    """Of the solution and of a wrong answer: what is copied to be compared is still what it was."""
    one = EXERCISES[id]
    for code, verdict in (
        (one.solution, (CORRECT, one.further)),
        (one.wrong[-1].codes[0], (NOT_YET, one.wrong[-1].diagnosis)),
    ):
        reply = check(id, one.answer(code), note=False)
        assert (reply.state, reply.words) == verdict


@pytest.mark.parametrize("id", EXERCISES)
def test_cases_are_the_same_for_the_same_seed_and_others_for_another(id):
    cases = EXERCISES[id].cases
    as_text = [repr([part for case in cases(seed) for part in case]) for seed in (3, 3, 4)]
    as_text = [re.sub(r" at 0x[0-9a-f]+", "", text) for text in as_text]
    assert as_text[0] == as_text[1]
    assert as_text[0] != as_text[2] or "tensor" not in as_text[0]


@pytest.mark.parametrize("id", EXERCISES)
def test_an_exercise_has_its_parts(id):
    one = EXERCISES[id]
    assert len(one.wrong) >= WRONG_ANSWERS, f"{id} has {len(one.wrong)} wrong answers; write {WRONG_ANSWERS} or more"
    assert 2 <= len(one.hints) <= 4, f"{id} has {len(one.hints)} hints; write 2 to 4"
    codes = [code for wrong in one.wrong for code in wrong.codes]
    assert len({wrong.diagnosis for wrong in one.wrong}) == len(one.wrong) and len({*codes}) == len(codes)
    texts = [one.title, one.statement, one.further, *one.hints, *(wrong.diagnosis for wrong in one.wrong)]
    assert all(text == text.strip() and len(text.split()) >= 2 for text in texts[1:])
    assert [text for text in texts[2:] if text[-1] not in ".…?!:)`$"] == []
    assert max(len(wrong.diagnosis) for wrong in one.wrong) <= 320
    assert one.solution not in "".join(texts) and len(one.solution.splitlines()) <= 20


def test_each_folder_of_exercises_belongs_to_a_notebook():
    assert {*NAMES} <= {path.stem for path in NOTEBOOKS.glob("*.ipynb")}


@pytest.mark.parametrize("number", LESSONS)
def test_each_notebook_has_enough_of_all(number):
    exercises, questions = LESSONS[number].exercises, LESSONS[number].quiz
    assert [one.id for one in exercises] == [f"{number}.{i}" for i in range(1, len(exercises) + 1)]
    assert all(content.find(one.id) is one for one in exercises)
    assert len(exercises) >= EXERCISES_OF_A_NOTEBOOK and len(questions) >= QUESTIONS_OF_A_NOTEBOOK
    assert sum(len(one.wrong) for one in exercises) >= WRONG_ANSWERS_ON_AVERAGE * len(exercises)
    probed = {i for one in (*exercises, *questions) for i in one.misconceptions}
    assert len(probed) >= MISCONCEPTIONS_OF_A_NOTEBOOK, f"probes {probed} of the misconceptions in lecturer.py; too few"


def test_each_misconception_is_probed():
    places = lecturer.places()
    assert [number for number, where in places.items() if not where] == []
    assert len(places) >= MISCONCEPTIONS_OF_A_NOTEBOOK * len(LESSONS)


@pytest.mark.parametrize("name", NAMES)
def test_every_number_of_the_exercises_and_the_quiz_is_computed_in_the_lesson(name):
    """Hints and diagnoses may also quote the wrong answers that they speak of. Tasks are prose of the notebook."""
    lesson, notebook = LESSONS[name[:2]], read(NOTEBOOKS / f"{name}.ipynb")
    texts = [one.further for one in lesson.exercises]
    for question in lesson.quiz:
        texts += [question.text, *(text for choice in question.choices for text in (choice.text, choice.feedback))]
    missing = uncomputed(texts, notebook)
    for one in lesson.exercises:
        spoken = [*one.hints, *(wrong.diagnosis for wrong in one.wrong)]
        missing += uncomputed(spoken, notebook, code=[code for wrong in one.wrong for code in wrong.codes])
    assert not missing, f"show it in an output of the lesson, or say it without the number: {missing}"


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_has_one_right_choice_and_a_word_for_each(name):
    choices = QUESTIONS[name].choices
    assert len(choices) in (3, 4) and [choice.right for choice in choices].count(True) == 1
    assert len({choice.text for choice in choices}) == len({choice.feedback for choice in choices}) == len(choices)
    texts = [QUESTIONS[name].text, *(text for choice in choices for text in (choice.text, choice.feedback))]
    assert all(text.strip() for text in texts)
    assert "$" not in "".join(texts), "a quiz shows plain text, and code between backticks"


def test_the_right_choice_is_not_always_in_the_same_place():
    places = [[choice.right for choice in question.choices].index(True) for question in QUESTIONS.values()]
    assert max(places.count(place) for place in places) <= 0.6 * len(places)


def test_code_is_written_as_ruff_writes_it(tmp_path):
    for name in NAMES:
        cells = [cell for cell in section(name) if cell.cell_type == "code"]
        for cell in cells:
            (tmp_path / f"{name}-{cell.id}.py").write_text(cell.source + "\n")
    for path in content.FOLDER.glob("*/[0-9]*.md"):
        sections = dict(content._sections(path.read_text(encoding="utf-8"))[1])
        solution, cases = (content.one_block(sections[name])[0] for name in ("Solution", "Cases"))
        (tmp_path / f"{path.parent.name}-cases-{path.stem}.py").write_text(f"{solution}\n\n\n{cases}\n")
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--line-length=120", "--isolated", str(tmp_path)]
    assert subprocess.run([*ruff, "format", "--diff", *options], capture_output=True, text=True).stdout == ""
    # the solution stands above the cases: imports come late, and some come twice
    lint = [*ruff, "check", "--quiet", "--select=E,F,B,UP,SIM", "--ignore=E402,F811", "--output-format=concise"]
    found = subprocess.run([*lint, *options], capture_output=True, text=True).stdout
    assert [line for line in found.splitlines() if "-cases-" in line] == []


LECTURERS = """# 01.1 Half

misconceptions: 3
tolerance: 1e-9

Write `half(x)`.

## Stub
```python
def half(x):
    return ...
```

## Solution
```python
def half(x):
    # of a number
    y = x / 2
    return y
```
A half is
a half.

## Hints
- Divide
  by two.
- Two halves are one.

## Wrong: twice
```python
return 2 * x
```
```diff
-    y = x / 2
+    y = 4 * x
```
That is too
much.

## Wrong: none
shows: nothing
```python
def half(x):
    return 0 * x
```
```diff
-    # of a number
@@
-    return y
+    return y - y
```
Nothing is left.

## Cases
```python
def cases(seed):
    return [(2.0 + seed,), (-3.0,)]


def nothing(arguments, value):
    return value == 0 != half(*arguments)
```
"""


def test_a_lecturer_adds_an_exercise_by_writing_one_file(tmp_path):
    (tmp_path / "1_half.md").write_text(LECTURERS, encoding="utf-8")
    one = content.read_exercise(tmp_path / "1_half.md")
    assert (one.id, one.title, one.statement, one.name) == ("01.1", "Half", "Write `half(x)`.", "half")
    assert (one.further, one.hints) == ("A half is a half.", ("Divide by two.", "Two halves are one."))
    assert (one.misconceptions, one.tolerance, one.accepts) == ((3,), 1e-9, None)
    twice, none = one.wrong
    assert twice.codes == (
        "def half(x):\n    # of a number\n    y = x / 2\n    return 2 * x",
        "def half(x):\n    # of a number\n    y = 4 * x\n    return y",
    )
    assert none.codes == ("def half(x):\n    return 0 * x", "def half(x):\n    y = x / 2\n    return y - y")
    cases = one.cases(5)
    assert cases == [(7.0,), (-3.0,)]
    for code, words in (
        (one.solution, "A half is a half."),
        *((code, "That is too much.") for code in twice.codes),
        *((code, "Nothing is left.") for code in (*none.codes, "half = lambda x: x - x")),
    ):
        assert judge(one, cases, one.outcomes(code, cases)).words == words


@pytest.mark.parametrize(
    ("text", "instead", "message"),
    [
        ("# 01.1 Half", "# Half", "begins with '# Half'; it must begin with an id"),
        ("# 01.1 Half", "", "begins with 'misconceptions: 3'; it must begin with an id"),
        (LECTURERS, "", "begins with ''; it must begin with an id"),
        ("## Stub", "## Stump", "it has no Stub"),
        ("tolerance:", "tolerated:", "has the option 'tolerated'; it must be one of misconceptions, tolerance, shows"),
        ("shows: nothing", "shows: something", "it has no something"),
        ("def cases", "def some", "it has no cases"),
        ("-    y = x / 2", "-    z = x / 2", "the solution must have these lines exactly once: 'z = x / 2'"),
        ("- y\n```", "- y\n", "has a block of code without an end"),
        ("```python\nreturn 2 * x\n```\n```diff\n-    y = x / 2\n+    y = 4 * x\n```\n", "", "'twice' has no code"),
        ("A half is", "```python\n1\n```\n", "a section has 2 blocks of code, and must have one: '```python"),
    ],
)
def test_what_is_wrong_in_the_file_of_an_exercise_is_said_in_a_line(tmp_path, text, instead, message):
    assert text in LECTURERS
    (tmp_path / "1_half.md").write_text(LECTURERS.replace(text, instead), encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        content.read_exercise(tmp_path / "1_half.md")
    assert "1_half.md" in str(caught.value) and "\n" not in str(caught.value)


def test_an_error_names_a_clue_and_the_smallest_call_that_fails(book):
    words = check("01.5", lambda W, H: (H @ W, H)).words
    assert re.search(
        r"In X @ Y, X needs as many columns as Y has rows\. It was called with W of shape \d×\d, H ", words
    )


def test_complex_numbers_are_named(book):
    assert "It gives complex numbers, where real ones are expected." in check("01.4", lambda A: A.norm() + 0j).words
    found = check("05.1", lambda A, k: (torch.zeros(len(A), k) + 0j, torch.zeros(k, A.shape[1])))
    assert "W and H must hold real numbers." in found.words


@pytest.mark.parametrize("delta", [1e-3, 1e-6])
def test_a_difference_quotient_is_no_formula(book, delta):
    """Neither the central quotient nor a forward one, with a large step or a small one."""

    def forward(A, W, H):
        def slopes(f, X):
            steps = delta * torch.eye(X.numel(), dtype=X.dtype).view(-1, *X.shape)
            return torch.stack([(f(X + step) - f(X)) / delta for step in steps]).view_as(X)

        f = Frobenius(A)
        return slopes(lambda X: f(X, H), W), slopes(lambda X: f(W, X), H)

    def central(A, W, H):
        return by_differences(Frobenius(A), W, H)

    for my_gradient in (forward, central):
        words = "Your gradients are close, but not exact. A difference quotient is only an approximation."
        assert words in check("02.1", my_gradient).words


@pytest.mark.parametrize("eta", [1, 0.1, 0.01])
@pytest.mark.parametrize("residual", ["old", "new"])
def test_a_gradient_at_the_new_W_is_named_whatever_the_step(book, eta, residual):
    def my_gradient(A, W, H):
        E = W @ H - A
        dW = 2 * E @ H.T
        W = W - eta * dW
        return dW, 2 * W.T @ (E if residual == "old" else W @ H - A)

    assert "Your gradient for H uses a W that has already moved." in check("02.1", my_gradient).words


def test_a_question_asked_too_early_or_too_late_is_named(book):
    """Of the four words of 03.3."""
    diverges = '    if not losses[-1].isfinite():\n        return "diverges"\n'
    settles = '    if losses[-1] - lowest < 1e-6:\n        return "settles"\n'
    bounces = '    if (losses[-11:].diff() > 0).any():\n        return "bounces"\n'
    for order, words in (
        ((bounces, diverges, settles), "ask it of `inf` and of `nan`"),
        ((settles, bounces, diverges), "ask it of `inf` and of `nan`"),
        ((diverges, bounces, settles), "Ask the questions in the order of the task."),
    ):
        code = f'def regime(losses, lowest):\n{"".join(order)}    return "too early"\n'
        assert words in check("03.3", EXERCISES["03.3"].answer(code)).words


def test_an_error_in_the_cases_of_a_file_shows_its_line_there(tmp_path):
    path = tmp_path / "1_half.md"
    path.write_text(LECTURERS.replace("(-3.0,)", "1 / 0"), encoding="utf-8")
    with pytest.raises(ZeroDivisionError) as caught:
        content.read_exercise(path).cases(0)
    last = caught.traceback[-1]
    assert str(last.path) == str(path) and "1 / 0" in path.read_text().splitlines()[last.lineno]


def test_exercises_are_numbered_without_a_gap(tmp_path):
    folder = tmp_path / "01_halves"
    folder.mkdir()
    (folder / "1_half.md").write_text(LECTURERS.replace("# 01.1", "# 01.2"), encoding="utf-8")
    with pytest.raises(ValueError, match="01_halves has 01.2; its exercises must be 01.1, 01.2, …"):
        content.read_lesson(folder)


def test_a_quiz_is_one_file(tmp_path):
    text = "# Quiz 01\n\n## Is it?\nmisconceptions: 2, 5\n\n"
    text += "- [ ] No,\n      not.\n  - Look\n    again.\n- [x] Yes.\n  - Good.\n"
    (tmp_path / "quiz.md").write_text(text, encoding="utf-8")
    (question,) = content.read_quiz(tmp_path / "quiz.md")
    assert (question.text, question.misconceptions) == ("Is it?", (2, 5))
    said = [(choice.text, choice.feedback, choice.right) for choice in question.choices]
    assert said == [("No, not.", "Look again.", False), ("Yes.", "Good.", True)]
    (tmp_path / "quiz.md").write_text(text.replace("  - Good.\n", ""), encoding="utf-8")
    with pytest.raises(ValueError, match="nothing is said to those who choose 'Yes.'"):
        content.read_quiz(tmp_path / "quiz.md")


def test_solutions_of_one_notebook_leave_alone_what_the_others_bind():
    """So that cells can be run again in any order: each name of an answer belongs to one exercise."""
    for lesson in LESSONS.values():
        names = [one.name for one in lesson.exercises]
        assert len(set(names)) == len(names)
        for one in lesson.exercises:
            bound = {node.name for node in ast.parse(one.solution).body if isinstance(node, ast.FunctionDef)}
            assert not (bound - {one.name}) & set(names)


def test_a_call_sees_what_an_answer_does():
    ones = torch.ones(2)

    def adds(x):
        x += 1
        return x

    assert call(adds, (ones,)).changed == "x" and ones.tolist() == [1, 1]
    assert call(3, ()).value == 3 and call(lambda: 1 / 0, ()).error.startswith("ZeroDivisionError: division by zero")
    assert call(lambda: exit(), ()).error.startswith("SystemExit") and call(lambda: None, ()).error is None


# --- what a learner calls ---


def test_a_wrong_answer_without_a_name_is_shown_one_small_case():
    """What went in, what came out, what is expected: the same numbers as those of the solution."""
    one = EXERCISES["03.5"]
    words = check(one.id, lambda w, h, a: 0.123, note=False).words
    given = re.fullmatch(r"For w = (.+), h = (.+), a = (.+): It gives 0.123, where (.+) is expected\.", words)
    w, h, a, expected = map(float, given.groups())
    assert float(one.answer(one.solution)(w, h, a)) == pytest.approx(expected, rel=0.02)  # the arguments are rounded

    one = EXERCISES["02.1"]
    words = check(one.id, lambda A, W, H: (W @ H @ H.T - 2 * A @ H.T, 2 * W.T @ (W @ H - A)), note=False).words
    given = re.fullmatch(
        r"For A = (.+), W = (.+), H = (.+): Value 1 of 2: its entry (.+) is (.+), where (.+) is expected\.", words
    )
    A, W, H, place, came, expected = map(ast.literal_eval, given.groups())
    A, W, H = (torch.tensor(X, dtype=torch.float64) for X in (A, W, H))
    assert (2 * (W @ H - A) @ H.T)[tuple(place)] == pytest.approx(expected, abs=0.2)
    assert (W @ H @ H.T - 2 * A @ H.T)[tuple(place)] == pytest.approx(came, abs=0.2)


def beside(value):
    """Another value of the same kind, which none of the known mistakes gives."""
    if isinstance(value, (tuple, list)):
        return type(value)([beside(value[0]), *value[1:]])
    return f"{value}?" if isinstance(value, str) else 1.5 * value + 7.25


@pytest.mark.parametrize("id", [id for id in EXERCISES if id != "03.4"])
def test_a_small_case_shows_all_numbers_that_went_in(in_float64, id):
    """Of a wrong answer without a name. In 03.4 too many answers are right."""
    one, right = EXERCISES[id], solved(id)
    for seed in range(SEEDS):
        cases = one.cases(seed)
        found = [call(lambda *case: beside(right(*case)), case) for case in cases]
        words = judge(one, cases, found).words
        assert words.startswith("For ") or words in {wrong.diagnosis for wrong in one.wrong}, words
        assert not re.search(r" of shape | of length |, a (list|set)\b", words.partition(": ")[0]), words


def solved(id):
    """The function of the solution."""
    return EXERCISES[id].answer(EXERCISES[id].solution)


def test_what_a_verdict_shows_is_neither_rounded_away_nor_longer_than_needed():
    def named(value):
        return exercise._named("x", value, exercise.WRITTEN_OUT)

    assert named([9.0, 3.0, 1.0000005, 1.0000001]) == "x = [9, 3, 1.0000005, 1.0000001]"
    assert named([1.2345, 2.0, 0.00012]) == "x = [1.2345, 2, 0.0001]"  # 0.0001 is not 0
    assert named([[1.234, -2.0], [math.nan, math.inf]]) == "x = [[1.23, -2], [nan, inf]]"
    assert named(["axes", "plot"]) == "x = ['axes', 'plot']" and named({8, 2}) in ("x = {8, 2}", "x = {2, 8}")
    assert named(["axes"] * 9) == "x, a list" and named({*range(9)}) == "x, a set"
    assert named(torch.ones(17)) == "x of length 17" and named(math.nan * torch.ones(3, 6)) == "x of shape 3×6"


@pytest.mark.parametrize(
    ("id", "answer", "words"),
    [
        ("04.2", lambda A, k, losses: None, "It gives None: is the return missing, or is it never reached?"),
        ("04.2", lambda A, k, losses: (1, 2) if len(A) > 2 else None, "It gives None, not 2 values."),
        ("01.4", lambda B: B.norm(dim=0), "It gives a list or table of shape 2, where one number is expected."),
        ("01.4", lambda B: B.norm() + 1e-4, r"Did you round, or use float32 or differences\? For B = \[\["),
        ("03.5", lambda *wha: 7 * solved("03.5")(*wha), r"It is 7 times the right value, in every case\. For w = "),
        (
            "01.5",
            lambda W, H: (W + 1, H + 2),
            r"For W = \[\[.*: The product has \S+ at \[\d, \d\], where W H has \S+\.",
        ),
        ("03.4", lambda *mnk: [1e-250 * X for X in solved("03.4")(*mnk)], r"the loss is 2500; the lowest is 0\."),
        ("05.1", lambda A, k: (A[:, :k], A[:k]), r"‖A − W H‖² is \S+; the lowest is \S+\."),
        ("01.2", lambda m, n, k: k * (m + n) > m * n, "You return True or False."),
        ("01.2", lambda m, n, k: True, "You return True or False."),
    ],
)
def test_a_verdict_says_what_came_in_so_many_words(in_float64, book, id, answer, words):
    assert re.search(words, check(id, answer).words)


def test_verdicts_are_shown_in_a_line_and_in_colour(book):
    one = EXERCISES["01.1"]
    reply = check("01.1", one.answer(one.solution))
    assert repr(reply) == f"01.1 correct: {one.further}"
    assert "<b>01.1 correct</b>" in reply._repr_html_() and 'aria-hidden="true"' in reply._repr_html_()

    def outer(w, h):
        raise ValueError("<b>\n$x$")

    reply = check("01.1", outer)
    words = r"01\.1 stopped with an error: ValueError: <b> \$x\$ \(line \d+ of the cell\)\. It was called with .*"
    assert re.fullmatch(words, repr(reply))
    assert "\n" not in repr(reply) and "<b>\n" not in reply._repr_html_() and "&lt;b&gt;" in reply._repr_html_()


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: check(2.1, 3), "id is 2.1; it must be a text such as '02.1'"),
        (lambda: check("2.1", 3), "id is '2.1'; it must be a text"),
        (lambda: check("01.9", 3), "id is '01.9'; notebook 01 has 01.1"),
        (lambda: check("77.1", 3), "notebook is '77'; it must be one of '01'"),
        (lambda: check(len, "01.1"), "the id comes first: check('01.1', …)"),
        (lambda: check("x" * 1000, 3), "id is 'xxx"),
        (lambda: hint(torch.ones(3)), "id is a Tensor; it must be a text"),
        (lambda: solution("01"), "id is '01'; it must be a text"),
        (lambda: quiz(1), "notebook is 1; it must be one of '01'"),
    ],
)
def test_what_cannot_be_understood_is_answered_in_a_line(ask, words):
    said = repr(ask())
    assert said.startswith(f"not understood: {words}") and "\n" not in said and len(said) <= 160


def test_hints_come_in_steps_and_start_over(book):
    hints = EXERCISES["01.1"].hints
    said = [repr(hint("01.1")) for _ in range(len(hints) + 1)]
    assert all(text in shown for text, shown in zip([*hints, hints[0]], said, strict=True))
    assert said[0] == said[-1] and "starts over" in said[-2] and "starts over" not in said[0]


def test_the_solution_comes_after_a_try_or_on_insisting(book):
    one = EXERCISES["01.1"]
    assert "insist=True" in repr(solution("01.1")) and one.solution not in repr(solution("01.1"))
    assert repr(solution("01.1", insist=True)) == one.solution
    check("01.1", ...)  # is no try
    check("01.1", one.answer(one.solution), note=False)
    assert one.solution not in repr(solution("01.1"))
    check("01.1", 3)
    assert repr(solution("01.1")) == one.solution
    assert solution("01.1")._repr_markdown_() == f"```python\n{one.solution}\n```"


# --- progress ---


def test_what_is_done_stays_done(book):
    one = EXERCISES["01.1"]
    assert repr(mflearn.progress()).startswith(f"0 of {len(EXERCISES)} exercises done")
    check("01.1", 3)
    assert repr(progress()).startswith("0 of")
    check("01.1", one.answer(one.solution))
    check("01.1", 3)
    assert repr(progress()).startswith(f"1 of {len(EXERCISES)} exercises done")
    assert json.loads(book.read_text()) == {"exercises": {"01.1": {"attempts": 3, "done": True}}, "version": 1}
    assert "\n| 01 | ✓ · " in progress()._repr_markdown_()


def test_progress_marks_what_is_done_and_what_was_tried_and_names_the_next_notebook(book):
    exercises = {one.id: {"done": True} for one in LESSONS["01"].exercises} | {"02.2": {"attempts": 1}}
    quizzes = {"02": {"1": {"right": False}, "3": {"right": True}}}
    book.write_text(json.dumps({"exercises": exercises, "quizzes": quizzes}))
    assert repr(progress()).startswith(f"{len(exercises) - 1} of {len(EXERCISES)} exercises done, 1 of ")
    assert repr(progress()).endswith("Next: notebook 02.")
    counts = f"0 of {len(LESSONS['02'].exercises)}", f"1 of {len(LESSONS['02'].quiz)}"
    (row,) = re.findall(r"^\| 02 \| (.*) \| (.*) \|$", progress()._repr_markdown_(), re.MULTILINE)
    assert (
        row[0].startswith("· ✗ ·") and row[1].startswith("✗ · ✓") and [*map(str.endswith, row, counts)] == [True, True]
    )


@pytest.mark.parametrize(
    "broken", ["", "{", "[]", "null", '{"exercises": []}', '{"exercises": {"01.1": 3}}', "\xff", "[" * 99999]
)
def test_a_broken_file_is_set_aside_and_said(book, broken):
    for number in (1, 2):
        book.write_text(broken, encoding="latin-1")
        reply = check("01.1", 3)
        assert f"it is kept as mine.broken-{number}.json" in repr(reply).splitlines()[1]
        assert book.with_name(f"mine.broken-{number}.json").read_text(encoding="latin-1") == broken
    assert json.loads(book.read_text())["exercises"]["01.1"]["attempts"] == 1


def test_a_byte_order_mark_costs_nothing(book):
    """Some editors put one at the start of a file that they save."""
    book.write_text('{"exercises": {"01.1": {"attempts": 2, "done": true}}}', encoding="utf-8-sig")
    assert "\n" not in repr(check("01.1", 3))
    assert json.loads(book.read_text())["exercises"] == {"01.1": {"attempts": 3, "done": True}}


def test_half_of_a_surrogate_pair_costs_nothing(book):
    """Neither in the file nor in a choice: UTF-8 has no bytes for it, and JSON writes it as an escape."""
    book.write_text(r'{"quizzes": {"01": {"1": {"choice": "A \ud83d"}}}}')
    assert "\n" not in repr(check("01.1", 3))
    assert logbook.chosen("01", 2, "λ \udc00", True) == ""
    kept = {"1": {"choice": "A \ud83d"}, "2": {"choice": "λ \udc00", "right": True}}
    assert logbook.pages("quizzes") == {"01": kept} and logbook.pages("exercises")["01.1"]["attempts"] == 1
    assert "λ" in book.read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="links are for administrators there")
@pytest.mark.parametrize("begun", [True, False])
def test_a_link_stays_a_link_and_is_followed(book, begun):
    """The file may lie where it is backed up."""
    real = book.parent / "elsewhere" / "kept.json"
    real.parent.mkdir()
    if begun:
        real.write_text("{}")
    book.symlink_to(real)
    for attempts in (1, 2):
        assert "\n" not in repr(check("01.1", 3))
        assert book.is_symlink() and json.loads(real.read_text())["exercises"]["01.1"]["attempts"] == attempts
    real.write_text("{")
    assert "kept as kept.broken-1.json" in repr(check("01.1", 3)) and book.is_symlink()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes that are files")
def test_a_pipe_is_not_waited_for_and_stays(book):
    os.mkfifo(book)
    assert repr(check("01.1", 3)).endswith("(Progress is not kept: mine.json cannot be written here.)")
    assert book.is_fifo()


def test_what_a_later_version_has_added_is_kept(book):
    later = {"version": 7, "badges": [1], "exercises": {"01.1": {"stars": 3}, "12.1": {"done": True}}}
    book.write_text(json.dumps(later))
    check("01.1", 3)
    later["exercises"]["01.1"] |= {"attempts": 1, "done": False}
    assert json.loads(book.read_text()) == later


def test_where_nothing_can_be_written_the_verdict_comes_and_hints_go_on(book, monkeypatch):
    book.touch()
    monkeypatch.setenv("MFLEARN_PROGRESS", str(book / "no folder" / "mine.json"))
    lines = repr(check("01.1", 3)).splitlines()
    assert (
        lines[0].startswith("01.1 not yet") and lines[1] == "(Progress is not kept: mine.json cannot be written here.)"
    )
    assert repr(hint("01.1")) != repr(hint("01.1"))
    assert repr(solution("01.1")) == EXERCISES["01.1"].solution


def _try(times, together):
    logbook.PATIENCE = 300  # a learner is not to wait; here one may have to, on a busy machine
    together.wait(300)
    for _ in range(times):
        assert logbook.attempted("01.1", NOT_YET) == ""


def test_two_notebooks_do_not_lose_each_others_entries(book):
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(2)  # else one may have ended before the other has begun
    both = [spawn.Process(target=_try, args=(40, together)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert json.loads(book.read_text())["exercises"]["01.1"]["attempts"] == 80
    assert [path.name for path in book.parent.iterdir() if path.suffix == ".new"] == []


def test_who_ends_while_writing_blocks_nobody(book, monkeypatch):
    """The lock goes with the process."""
    program = "import os\nfrom mflearn.exercises import logbook\n"
    program += "with logbook._alone(logbook.place()):\n    os._exit(9)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 9
    monkeypatch.setattr(logbook, "PATIENCE", 0)
    assert logbook.attempted("01.1", NOT_YET) == ""


def test_who_waits_too_long_for_another_notebook_says_so(book, monkeypatch):
    monkeypatch.setattr(logbook, "PATIENCE", 0.05)
    with logbook._alone(book):
        assert "Progress is not kept" in logbook.attempted("01.1", NOT_YET)


# --- the quiz ---


def test_a_quiz_answers_each_choice_and_remembers(book):
    one, (question, *_) = quiz("01"), LESSONS["01"].quiz
    for place, choice in enumerate(question.choices):
        one.choose(0, place)
        assert choice.feedback in one.said[0]
        assert one.said[0].startswith("✓ Right." if choice.right else "✗ Not this one.")
    assert quiz("01").chosen[0] == len(question.choices) - 1 and quiz("01").said[0] == one.said[0]
    assert repr(one) == repr(quiz("01")) and "Run this notebook" in repr(one)


def test_a_quiz_listens_to_its_page(book):
    one = quiz("01")
    one._handle_custom_msg({"question": 0, "choice": 1}, [])
    assert one.chosen[0] == 1 and LESSONS["01"].quiz[0].choices[1].feedback in one.said[0]
    before = list(one.chosen), list(one.said)
    for i, place in ((0, -1), (0, 99), (-1, 0), (99, 0)):  # there is no such choice
        one._handle_custom_msg({"question": i, "choice": place}, [])
    assert (one.chosen, one.said) == before


# --- for lecturers, and the mutants ---


def test_the_page_for_lecturers_holds_everything(tmp_path):
    file = tmp_path / "answers.md"
    command = [sys.executable, "-m", "mflearn", "answers", "--to", str(file)]
    assert subprocess.run(command, capture_output=True, text=True).stderr == ""
    text = file.read_text(encoding="utf-8")
    in_one_line = " ".join(text.split())
    for one in EXERCISES.values():
        assert one.statement in text and one.solution in text
        assert [wrong.name for wrong in one.wrong if wrong.diagnosis not in in_one_line] == []
    assert [q.text for q in QUESTIONS.values() if q.text not in text] == []
    assert all(each in text for each in lecturer.MISCONCEPTIONS) and "def cases" not in text


REWRITE = "run: python tests/mutants.py --write"


def rows(text):
    return [line for line in text.splitlines() if re.match(r"\| \d\d\.\d", line)]


def test_the_table_of_mutants_is_complete_and_none_was_missed():
    text = TABLE.read_text(encoding="utf-8")
    counts = [[int(cell) for cell in line.split("|")[2:-1]] for line in rows(text)]
    assert [line.split("|")[1].strip() for line in rows(text)] == [
        f"{one.id} {one.title}" for one in EXERCISES.values()
    ], REWRITE
    assert all(len(row) == 1 + len(COLUMNS) and row[0] == sum(row[1:]) for row in counts)
    assert sum(row[1 + COLUMNS.index("missed")] for row in counts) == 0, "called correct, but wrong"
    wrong = [row[0] - row[1 + COLUMNS.index("equivalent")] for row in counts]
    assert min(wrong) >= MUTANTS and sum(wrong) >= MUTANTS_ON_AVERAGE * len(wrong)


@pytest.mark.skipif(sys.platform == "win32", reason="needs an alarm")
@pytest.mark.parametrize("number", LESSONS)
def test_the_table_of_mutants_is_what_comes_out(number):
    command = [sys.executable, str(Path(__file__).with_name("mutants.py")), number]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert rows(done.stdout) == [row for row in rows(TABLE.read_text(encoding="utf-8")) if row[2:4] == number], REWRITE


def test_a_check_that_sees_too_little_is_found_out():
    """An exercise with square cases alone misses a transpose; the mutants tell."""
    from dataclasses import replace

    from mutants import detect

    one = replace(
        EXERCISES["01.1"], id="01.9", stub="def f(A):\n    return ...", wrong=(), tolerance=1e-6,
        solution=textwrap.dedent("def f(A):\n    return A.T @ A"), cases=_square_then_not, accepts=None,
    )  # fmt: skip
    counts, missed = detect(one)
    assert counts["missed"] == len(missed) > 0


def _square_then_not(seed):
    generator = torch.Generator().manual_seed(seed)
    A = torch.rand(3, 3 if seed == 0 else 2, generator=generator, dtype=torch.float64)
    return [((A + A.T if seed == 0 else A),)]


def test_a_progress_file_may_be_named_from_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # the same on Windows
    monkeypatch.setenv("MFLEARN_PROGRESS", "~/mine.json")
    assert logbook.place() == (tmp_path / "mine.json").resolve()
