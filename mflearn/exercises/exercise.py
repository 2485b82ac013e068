"""What an exercise is, and how an answer is judged: by what it computes on fresh random cases."""

import ast
import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

Cases = list[tuple]  # the arguments of each call

NOT_ANSWERED, ERROR, NOT_YET, ALMOST, CORRECT = "not answered", "stopped with an error", "not yet", "almost", "correct"


@dataclass(frozen=True)
class Outcome:
    """What one call of an answer did: its value, or its error in one line, and the argument that it changed."""

    value: Any = None
    error: str | None = None  # "ValueError: … (line 3)"
    changed: str | None = None


@dataclass(frozen=True)
class Attempt:
    """What one call gave and did, not yet judged."""

    value: Any
    error: str | None
    arguments: tuple  # as the call has left them
    names: tuple[str, ...] = ()  # of the arguments, where they are known


@dataclass(frozen=True)
class Verdict:
    """One of the five states, and one or two sentences."""

    state: str
    words: str


@dataclass(frozen=True)
class Wrong:
    """A wrong answer that learners give: its code, and a diagnosis that points to the idea, not to the solution.

    An answer is taken for this one if it does the same in all cases as one of its codes. Where many wrong answers
    share one mistake, `shows(arguments, value)` says whether a case shows it.
    """

    name: str
    codes: tuple[str, ...]
    diagnosis: str
    shows: Callable[[tuple, Any], bool] | None = None


@dataclass(frozen=True)
class Exercise:
    """A task, its solution, and the wrong answers that are known.

    stub      code that binds the answer's name to `...`, or to a function that returns `...`
    solution  code that binds the same name; it may import what a learner would import
    cases     cases(seed): the arguments of each call, of several sizes, square and not; `[()]` for a plain value
    accepts   accepts(arguments, value) says in one sentence what fails, or None; for tasks with more than one right
              answer. Without it a value must equal the solution's, to `tolerance` of the largest entry.
    further   one sentence for those who are right
    """

    id: str  # "02.1": the notebook, and the number in it
    title: str
    statement: str
    stub: str
    solution: str
    cases: Callable[[int], Cases]
    hints: tuple[str, ...]
    wrong: tuple[Wrong, ...]
    further: str
    misconceptions: tuple[int, ...] = ()
    accepts: Callable[[tuple, Any], str | None] | None = field(default=None)
    tolerance: float = 1e-6

    @cached_property
    def name(self) -> str:
        """The name that the stub binds last."""
        last = ast.parse(self.stub).body[-1]
        return last.name if isinstance(last, ast.FunctionDef) else last.targets[0].id

    def answer(self, code: str) -> Any:
        """What this code binds to the name of the answer; it may use torch and math without importing them.

        For our own code only: it runs without limits.
        """
        namespace: dict[str, Any] = {"torch": torch, "math": math}
        exec(compile(code, f"<{self.id}>", "exec"), namespace)  # noqa: S102 -- our own code
        return namespace[self.name]

    def outcomes(self, code: str, cases: Cases) -> list[Outcome]:
        """What our own code does in each case."""
        answer = self.answer(code)
        return [call(answer, arguments) for arguments in cases]


@dataclass(frozen=True)
class Choice:
    """One answer to a question of the quiz, and what is said to those who choose it."""

    text: str
    feedback: str
    right: bool = False


@dataclass(frozen=True)
class QuizQuestion:
    """A question with one right choice."""

    text: str
    choices: tuple[Choice, ...]
    misconceptions: tuple[int, ...] = ()


def call(answer: Any, arguments: tuple) -> Outcome:
    """Call an answer with copies of the arguments; nothing limits it."""
    return outcome(attempt(answer, arguments), arguments)


def attempt(answer: Any, arguments: tuple) -> Attempt:
    """Call an answer with copies of the arguments. An answer that is no function is its own value."""
    if not callable(answer):
        return Attempt(answer, None, arguments)
    own = copy.deepcopy(arguments)
    program = getattr(answer, "__code__", None)
    names = program.co_varnames[: program.co_argcount] if program else ()
    try:
        return Attempt(answer(*own), None, own, names)
    except RecursionError:
        return Attempt(None, "RecursionError: it calls itself without an end", own, names)
    except (Exception, SystemExit) as error:
        return Attempt(None, in_one_line(error, program and program.co_filename), own, names)


def outcome(made: Attempt, arguments: tuple) -> Outcome:
    """What a call did; the arguments after it are compared with those before it, to find one that it changed."""
    changed = [i for i, pair in enumerate(zip(made.arguments, arguments, strict=True)) if not same(*pair, 0.0)]
    names = [made.names[i] if i < len(made.names) else f"number {i + 1}" for i in changed]
    return Outcome(made.value, made.error, None if made.error else next(iter(names), None))


def in_one_line(error: BaseException, cell: str | None) -> str:
    """Type, message, and the last line in the learner's own cell, whose code has this file name."""
    line = last_line(error, cell)
    kind, said = type(error).__name__, " ".join(str(error).split())
    if isinstance(error, MemoryError) or "can't allocate memory" in said:  # numpy's and torch's
        kind, said = "MemoryError", "it asks for more memory than there is"
    place = f" (line {line} of the cell)" if line else ""
    return f"{kind}{': ' * bool(said)}{said[:100]}{place}"


def last_line(error: BaseException, cell: str | None) -> int | None:
    """Where in the cell an error arose; None if it was elsewhere."""
    at, line = error.__traceback__, None
    while at:
        if at.tb_frame.f_code.co_filename == cell:
            line = at.tb_lineno
        at = at.tb_next
    return line


def numbers(value: Any) -> Tensor | None:
    """Numbers, tensors, arrays and lists of numbers as one float64 tensor; None for everything else."""
    if isinstance(value, Tensor):
        return None if value.is_complex() else value.detach().to("cpu", torch.float64).to_dense()
    if isinstance(value, (str, bytes, dict, set, frozenset, type(None))):
        return None
    try:
        array = np.asarray(value)
        return torch.from_numpy(array.astype(np.float64)) if array.dtype.kind in "biuf" else None
    except (TypeError, ValueError, RuntimeError):
        return None


def same(one: Any, other: Any, tolerance: float) -> bool:
    """Equal to `tolerance` of the largest number in `other`; tuples and lists part by part, words without case."""
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)) and len(one) == len(other):
        return all(same(a, b, tolerance) for a, b in zip(one, other, strict=True))
    a, b = numbers(one), numbers(other)
    if a is not None and b is not None:
        if a.shape != b.shape:
            return False
        scale = float(b[b.isfinite()].abs().max()) if b.isfinite().any() else 0.0
        return torch.allclose(a, b, rtol=0.0, atol=tolerance * max(scale, 1e-12), equal_nan=True)
    if isinstance(one, str) and isinstance(other, str):
        return one.strip().casefold() == other.strip().casefold()
    if (a is None) != (b is None) or type(one) is not type(other):
        return False
    try:
        return bool(one == other)
    except Exception:  # of any class, and any == of its own
        return one is other


def alike(one: Outcome, other: Outcome, tolerance: float) -> bool:
    """Whether two calls did the same: equal values and changes, or errors of one type."""
    if one.error or other.error:
        return bool(one.error and other.error) and one.error.split(":")[0] == other.error.split(":")[0]
    return one.changed == other.changed and same(one.value, other.value, tolerance)


def judge(exercise: Exercise, cases: Cases, found: Sequence[Outcome]) -> Verdict:
    """The verdict on an answer from what it did in these cases."""
    if any(one.value is ... for one in found):
        return Verdict(NOT_ANSWERED, "Replace the three dots by your answer, and run the cell again.")
    right = exercise.outcomes(exercise.solution, cases)
    fails = [_fault(exercise, *three) for three in zip(cases, found, right, strict=True)]
    if not any(fails):
        return Verdict(CORRECT, exercise.further)
    for wrong in exercise.wrong:
        if _is(exercise, wrong, cases, found):
            return Verdict(NOT_YET, wrong.diagnosis)
    for one in found:
        if one.error:
            return Verdict(ERROR, one.error)
    if all(one.value is None for one in found):
        return Verdict(NOT_YET, "It gives None: is the return missing?")
    good = fails.count(None)
    first = next(i for i, fault in enumerate(fails) if fault)
    called = f"called with {_in_words(cases[first])}" if cases[first] else ""
    if not exercise.accepts:
        if all(same(a.value, b.value, exercise.tolerance) for a, b in zip(found, right, strict=True)):
            return Verdict(ALMOST, f"The values are right, but it changes its argument {found[first].changed}.")
        if all(same(a.value, b.value, 1e-3) for a, b in zip(found, right, strict=True)):
            return Verdict(ALMOST, "It is close, but not equal: was something rounded, or is it float32?")
        if factor := _common_factor(found, right):
            return Verdict(NOT_YET, f"It is {factor:.4g} times the right value, in every case.")
    if good >= len(fails) / 2:
        return Verdict(ALMOST, f"It is right in {good} of {len(fails)} cases, but not when {called}. {fails[first]}")
    return Verdict(NOT_YET, f"{fails[first][:-1]} ({called})." if called else fails[first])


def _fault(exercise: Exercise, arguments: tuple, found: Outcome, right: Outcome) -> str | None:
    """A sentence that says what is wrong with one call; None if it is right."""
    if found.error:
        return f"{found.error}."
    if found.changed != right.changed:
        return f"It changes its argument {found.changed}."
    if exercise.accepts:
        return exercise.accepts(arguments, found.value)
    if same(found.value, right.value, exercise.tolerance):
        return None
    return _difference(found.value, right.value)


def _difference(value: Any, right: Any) -> str:
    """How a value differs in kind from the right one, or that it is another; it never says what is right."""
    if isinstance(right, tuple):
        if not isinstance(value, (tuple, list)):
            return f"It gives one {type(value).__name__}, not {len(right)} values."
        if len(value) != len(right):
            return f"It gives {len(value)} values, not {len(right)}."
        part = next(i for i, pair in enumerate(zip(value, right, strict=True)) if not same(*pair, 1e-6))
        return f"Value {part + 1} of {len(right)}: i{_difference(value[part], right[part])[1:]}"  # it, its
    a, b = numbers(value), numbers(right)
    if b is not None and a is None:
        return f"It gives a {type(value).__name__}, where numbers are expected."
    if b is None:
        other = isinstance(value, type(right))
        return "It gives another answer." if other else f"It gives a {type(value).__name__}, not a {_kind(right)}."
    if a.shape != b.shape:
        return f"Its shape is {_shape(a)}, not {_shape(b)}."
    if not a.isfinite().all() and b.isfinite().all():
        return "It gives values that are not finite."
    return "Its numbers are not the right ones."


def _kind(value: Any) -> str:
    return "text" if isinstance(value, str) else type(value).__name__


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "that of one number"


def _in_words(arguments: tuple) -> str:
    """Sizes of matrices, and numbers as they are."""
    said = []
    for one in arguments:
        if isinstance(one, (bool, int, float, str)):
            said.append(repr(one))
        elif (values := numbers(one)) is not None:
            kind = {
                0: "a number",
                1: f"a vector of {len(values) if values.ndim else ''}",
                2: f"a {_shape(values)} matrix",
            }
            said.append(kind.get(values.ndim, f"a {_shape(values)} array"))
        else:
            said.append(f"a {type(one).__name__}")
    return ", ".join(said)


def _common_factor(found: Sequence[Outcome], right: Sequence[Outcome]) -> float | None:
    """The one number that the right values were multiplied by, if there is one."""
    factors = []
    for one, other in zip(found, right, strict=True):
        pairs = [(one.value, other.value)]
        if isinstance(other.value, tuple):
            if not isinstance(one.value, (tuple, list)) or len(one.value) != len(other.value):
                return None
            pairs = zip(one.value, other.value, strict=True)
        for value, expected in pairs:
            a, b = numbers(value), numbers(expected)
            if a is None or b is None or a.shape != b.shape or not (b != 0).any():
                return None
            factors.append(float((a * b).sum() / (b * b).sum()))
            if not same(a, factors[-1] * b, 1e-6):
                return None
    usual = factors[0] if factors else 0.0
    return usual if usual and all(abs(factor - usual) <= 1e-6 * abs(usual) for factor in factors) else None


def _is(exercise: Exercise, wrong: Wrong, cases: Cases, found: Sequence[Outcome]) -> bool:
    """Whether an answer that is not right makes this mistake."""
    if wrong.shows:
        values = [(case, one.value) for case, one in zip(cases, found, strict=True) if not one.error]
        return bool(values) and any(wrong.shows(*pair) for pair in values)
    for code in wrong.codes:
        known = exercise.outcomes(code, cases)
        if all(alike(one, other, exercise.tolerance) for one, other in zip(found, known, strict=True)):
            return True
    return False
