"""What an exercise is, and how an answer is judged: by what it computes on fresh random cases."""

import ast
import copy
import inspect
import math
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .comparable import comparable

Cases = list[tuple]  # the arguments of each call
WRITTEN_OUT, WORDS = 16, 8  # numbers of a table, at most, that a verdict shows; parts of a set, or words of a list
CLUES = {  # a part of a frequent error, and what helps
    "shapes cannot be multiplied": "In X @ Y, X needs as many columns as Y has rows. ",
    "square matrices": "Only a square matrix has an inverse. ",
    "out of bounds": "Take all sizes from the arguments. ",
    "must match the size": "Entry by entry, both need one shape. ",
}

NOT_ANSWERED, ERROR, NOT_YET, ALMOST, CORRECT = "not answered", "stopped with an error", "not yet", "almost", "correct"


@dataclass(frozen=True)
class Outcome:
    """What one call of an answer did: its value, or its error in one line, and the argument that it changed."""

    value: Any = None  # a copy that can be compared
    error: str | None = None  # "ValueError: … (line 3)"
    changed: str | None = None


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

    A value must equal the solution's, to `tolerance` of the largest entry. A task with more than one right answer has
    `accepts(arguments, value)` instead, which says in one sentence what fails, or None.
    """

    id: str  # "02.1": the notebook, and the number in it
    title: str
    statement: str
    stub: str  # code of a function that returns `...`
    solution: str  # code of this function; it may import what a learner would import
    cases: Callable[[int], Cases]  # by a seed, of several sizes, square and not
    hints: tuple[str, ...]
    wrong: tuple[Wrong, ...]
    further: str  # one sentence for those who are right
    misconceptions: tuple[int, ...] = ()
    accepts: Callable[[tuple, Any], str | None] | None = None
    tolerance: float = 1e-6

    @cached_property
    def name(self) -> str:
        """The name of the function."""
        return ast.parse(self.stub).body[-1].name

    def answer(self, code: str) -> Any:
        """The function in our own code, which may use torch and math without importing them; nothing limits it."""
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
    """Call an answer with copies of the arguments; nothing limits it. An answer that is no function is its own value.

    Raises what `comparable` raises, if the value cannot be copied.
    """
    if not callable(answer):
        return Outcome(comparable(answer))
    own = copy.deepcopy(arguments)
    program = getattr(answer, "__code__", None)
    try:
        value = answer(*own)
    except (Exception, SystemExit) as error:
        return Outcome(error=in_one_line(error, program and program.co_filename))
    names = program.co_varnames[: program.co_argcount] if program else ()
    for i, (before, after) in enumerate(zip(comparable(arguments), comparable(own), strict=True)):
        if not same(after, before, 0.0):
            return Outcome(comparable(value), changed=names[i] if i < len(names) else f"number {i + 1}")
    return Outcome(comparable(value))


def in_one_line(error: BaseException, cell: str | None) -> str:
    """Type, message, and the last line in the learner's own cell, whose code has this file name."""
    if isinstance(error, RecursionError):
        return "RecursionError: it calls itself without an end"
    line = last_line(error, cell)
    kind, said = type(error).__name__, " ".join(str(error).split())
    if isinstance(error, MemoryError) or "can't allocate memory" in said:  # numpy's and torch's
        kind, said = "MemoryError", "it asks for more memory than there is"
    place = f" (line {line} of the cell)" if line else ""
    return f"{kind}{': ' * bool(said)}{said[:100]}{place}"


def last_line(error: BaseException, cell: str | None) -> int | None:
    """Where in the cell an error arose, or the error whose place it took; None if both were elsewhere."""
    for one in filter(None, (error, error.__context__)):
        frames = traceback.walk_tb(one.__traceback__)
        if lines := [line for frame, line in frames if frame.f_code.co_filename == cell]:
            return lines[-1]
    return None


def numbers(value: Any) -> Tensor | None:
    """Numbers, tensors, arrays and lists of numbers as one float64 tensor; None for everything else."""
    if isinstance(value, Tensor):
        return None if value.is_complex() else value.detach().to("cpu", torch.float64).to_dense()
    try:
        array = np.asarray(value)
        return torch.from_numpy(array.astype(np.float64)) if array.dtype.kind in "biuf" else None
    except (TypeError, ValueError, RuntimeError):
        return None


def same(one: Any, other: Any, tolerance: float) -> bool:
    """Equal to `tolerance` of the largest number in `other`; tuples and lists part by part, words without case."""
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        return len(one) == len(other) and all(same(a, b, tolerance) for a, b in zip(one, other, strict=True))
    if isinstance(one, str) and isinstance(other, str):
        return one.strip().casefold() == other.strip().casefold()
    a, b = numbers(one), numbers(other)
    if a is None and b is None:
        return type(one) is type(other) and one == other
    if a is None or b is None or a.shape != b.shape:
        return False
    scale = float(b[b.isfinite()].abs().max()) if b.isfinite().any() else 0.0
    return torch.allclose(a, b, rtol=0.0, atol=tolerance * max(scale, 1e-12), equal_nan=True)


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
    if broken := [pair for pair in zip(cases, found, strict=True) if pair[1].error]:
        case, one = min(broken, key=lambda pair: sum(map(_size, pair[0])))
        clue = next((clue for part, clue in CLUES.items() if part in one.error), "")
        return Verdict(ERROR, f"{one.error}. {clue}It was called with {_called(exercise, case, written_out=0)}.")
    if all(one.value is None for one in found):
        return Verdict(NOT_YET, "It gives None: is the return missing, or is it never reached?")
    first = min((i for i, fault in enumerate(fails) if fault), key=lambda i: sum(map(_size, cases[i])))  # a small case
    example = f"For {_called(exercise, cases[first])}: {fails[first]}"
    if not exercise.accepts:
        values, wanted = tuple(one.value for one in found), tuple(one.value for one in right)
        if same(values, wanted, exercise.tolerance):
            return Verdict(ALMOST, f"The values are right, but it changes its argument {found[first].changed}.")
        if same(values, wanted, 1e-3):
            close = "It is close, but not equal. Did you round, or use float32 or differences?"
            return Verdict(ALMOST, f"{close} {example}")
        factor = _factor(values, wanted)
        if factor:
            return Verdict(NOT_YET, f"It is {factor:.4g} times the right value, in every case. {example}")
    good = fails.count(None)
    if good >= len(fails) / 2:
        return Verdict(ALMOST, f"It is right in {good} of {len(fails)} cases, but not in all. {example}")
    return Verdict(NOT_YET, example)


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
    return _difference(found.value, right.value, exercise.tolerance)


def _difference(value: Any, right: Any, tolerance: float) -> str:
    """How a value differs in kind from the right one; if it is of the right kind, what is expected."""
    if isinstance(right, tuple):
        if not isinstance(value, (tuple, list)):
            came = "None" if value is None else f"one {type(value).__name__}"
            return f"It gives {came}, not {len(right)} values."
        if len(value) != len(right):
            return f"It gives {len(value)} values, not {len(right)}."
        part = next(i for i, pair in enumerate(zip(value, right, strict=True)) if not same(*pair, tolerance))
        return f"Value {part + 1} of {len(right)}: i{_difference(value[part], right[part], tolerance)[1:]}"  # it, its
    a, b = numbers(value), numbers(right)
    if b is not None and a is None:
        if "complex" in str(getattr(value, "dtype", type(value))):
            return "It gives complex numbers, where real ones are expected."
        came = "None" if value is None else f"a {type(value).__name__}"
        return f"It gives {came}, where numbers are expected."
    if b is None:
        is_plain = a is not None or value is None or isinstance(value, str)
        came = _in_words(value) or (f"{value!r:.40}" if is_plain else f"a {type(value).__name__}")
        return f"It gives {came}, where {_in_words(right) or f'{right!r:.40}'} is expected."
    if a.shape != b.shape:
        if b.ndim == 0:
            return f"It gives a list or table of shape {_shape(a)}, where one number is expected."
        return f"Its shape is {_shape(a)}, not {_shape(b)}."
    at = (a - b).abs().nan_to_num(nan=math.inf).argmax()  # where they differ most
    came, expected = float(a.flatten()[at]), float(b.flatten()[at])
    digits = next((d for d in (4, 8) if _written(came, d) != _written(expected, d)), 16)
    place = [int(i) for i in np.unravel_index(int(at), a.shape)]
    what = f"Its entry {place} is" if place else "It gives"
    return f"{what} {_written(came, digits)}, where {_written(expected, digits)} is expected."


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "that of one number"


def _called(exercise: Exercise, arguments: tuple, written_out: int = WRITTEN_OUT) -> str:
    """The arguments of a call by their names: numbers and small tables written out, of large ones the shape."""
    names = inspect.signature(exercise.answer(exercise.solution)).parameters
    return ", ".join(_named(name, value, written_out) for name, value in zip(names, arguments, strict=False))


def _named(name: str, value: Any, written_out: int) -> str:
    table = numbers(value)
    if isinstance(value, (bool, str)):
        return f"{name} = {value!r}"
    if table is None:
        said = value.__doc__ if callable(value) else _in_words(value)  # a function is what it says of itself
        return f"{name} = {said}" if said and written_out else f"{name}, a {type(value).__name__}"
    if table.ndim == 0:
        return f"{name} = {_written(float(table))}"
    if table.numel() <= written_out:
        return f"{name} = {_table(table.numpy())}"
    return f"{name} of shape {_shape(table)}" if table.ndim > 1 else f"{name} of length {len(table)}"


def _in_words(value: Any) -> str | None:
    """A short list of words, or a short set, as Python writes it; None for everything else."""
    if isinstance(value, set):
        return repr(value) if len(value) <= WORDS else None
    is_list = isinstance(value, list) and all(isinstance(word, str) for word in value)
    return repr(value) if is_list and 1 <= len(value) <= WORDS else None


def _table(values: np.ndarray) -> str:
    """Its numbers with two digits after the point, or with more where two would make different ones equal, or one 0."""
    counts = {digits: len(np.unique(np.round([*values.flat, 0.0], digits))) for digits in (2, 4, 8)}
    digits = next(digits for digits, count in counts.items() if count == counts[8])
    return str(_whole(np.round(values, digits).tolist()))


def _whole(value: Any) -> Any:
    """The same numbers, and whole ones without a point."""
    if isinstance(value, list):
        return [_whole(part) for part in value]
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def _written(value: float, digits: int = 4) -> str:
    """A number in so many digits; a whole one in all of its own."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.{digits}g}"


def _size(argument: Any) -> int:
    """How many numbers it holds."""
    values = numbers(argument)
    return 0 if values is None else values.numel()


def _factor(value: Any, right: Any) -> float | None:
    """The one number that `right`, or each part of it, was multiplied by to give `value`; None if there is none."""
    if isinstance(right, tuple):
        if not isinstance(value, (tuple, list)) or len(value) != len(right):
            return None
        first, *others = [_factor(*pair) for pair in zip(value, right, strict=True)]
        return first if first and all(one and math.isclose(one, first, rel_tol=1e-6) for one in others) else None
    a, b = numbers(value), numbers(right)
    if a is None or b is None or a.shape != b.shape or not (b != 0).any():
        return None
    factor = float((a * b).sum() / (b * b).sum())
    return factor if math.isfinite(factor) and same(a, factor * b, 1e-6) else None


def _is(exercise: Exercise, wrong: Wrong, cases: Cases, found: Sequence[Outcome]) -> bool:
    """Whether an answer that is not right makes this mistake."""
    if wrong.shows:
        return any(wrong.shows(case, one.value) for case, one in zip(cases, found, strict=True) if not one.error)
    for code in wrong.codes:
        known = exercise.outcomes(code, cases)
        if all(alike(one, other, exercise.tolerance) for one, other in zip(found, known, strict=True)):
            return True
    return False
