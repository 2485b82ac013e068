"""Are the checks sharp? Each solution is spoiled in every small way there is, and judged.

    python tests/mutants.py [--write] [NOTEBOOK ...]     print the table of detection, or write it to tests/mutants.md

A mutant differs from a solution in one place: a sign, a factor, a transpose, an index, an axis, the order of two
statements. One that is judged correct on seed 0 must be right on all seeds that `check` draws from; else it was missed.
"""

import argparse
import ast
import copy
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from mflearn.exercises.content import lesson, lessons
from mflearn.exercises.exercise import CORRECT, ERROR, Cases, Exercise, call, judge
from mflearn.exercises.running import SEEDS

TABLE = Path(__file__).with_name("mutants.md")
LIMIT = 60.0  # seconds of CPU for one mutant; a busy machine changes nothing, nor a slow one: today all end within 2 s
BINARY = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div}
COMPARE = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
TWINS = [
    ("min", "max"),
    ("argmin", "argmax"),
    ("minimum", "maximum"),
    ("mean", "sum"),
    ("amin", "amax"),
    ("all", "any"),
]
TWIN = dict(TWINS) | {b: a for a, b in TWINS}
DROPPED = {"clone", "copy", "deepcopy", "detach", "sqrt", "abs", "square", "log", "log2", "round", "sorted", "reversed"}


def mutants(source: str) -> list[str]:
    """Programs that differ from this one in one place."""
    tree, found = ast.parse(source), {}
    for path in _paths(tree):
        for spoiled in _spoiled(_at(tree, path)):
            new = copy.deepcopy(tree)
            _put(new, path, spoiled)
            try:
                text = ast.unparse(ast.fix_missing_locations(new))
                compile(text, "<mutant>", "exec")
            except (SyntaxError, ValueError, TypeError):
                continue
            found[text] = None
    found.pop(ast.unparse(tree), None)
    return list(found)


def _paths(node: ast.AST, path: tuple = ()) -> Iterator[tuple]:
    """The way to each node: names of fields, and places in lists. A list of statements is a place, too."""
    yield path
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield from _paths(value, (*path, name))
        elif isinstance(value, list):
            if name == "body" or name == "orelse":
                yield (*path, name)
            for i, one in enumerate(value):
                if isinstance(one, ast.AST):
                    yield from _paths(one, (*path, name, i))


def _at(node, path):
    for step in path:
        node = node[step] if isinstance(step, int) else getattr(node, step)
    return node


def _put(tree, path, value):
    if not path:
        raise ValueError("the whole program")
    node, last = _at(tree, path[:-1]), path[-1]
    if isinstance(last, int):
        node[last] = value
    else:
        setattr(node, last, value)


def _spoiled(node) -> Iterator:
    """What could stand in its place, and would be a mistake."""
    match node:
        case [*statements]:
            for i in range(len(statements)):
                if not isinstance(statements[i], (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.Return)):
                    yield [*statements[:i], *statements[i + 1 :]] or [ast.Pass()]
                if i and not any(isinstance(one, (ast.Import, ast.ImportFrom)) for one in statements[i - 1 : i + 1]):
                    yield [*statements[: i - 1], statements[i], statements[i - 1], *statements[i + 1 :]]
        case ast.BinOp(left, op, right):
            if type(op) in BINARY:
                yield ast.BinOp(left, BINARY[type(op)](), right)
            if isinstance(op, (ast.MatMult, ast.Sub, ast.Div, ast.Pow)):
                yield ast.BinOp(right, op, left)
            if isinstance(op, ast.Pow):
                yield left  # a dropped square, or a dropped root
            if isinstance(op, ast.MatMult):
                yield ast.BinOp(ast.Attribute(left, "T", ast.Load()), op, right)
                yield ast.BinOp(left, op, ast.Attribute(right, "T", ast.Load()))
                yield ast.BinOp(left, ast.Mult(), right)
        case ast.UnaryOp(ast.USub() | ast.Not() | ast.Invert(), operand):
            yield operand
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            yield from (ast.Constant(other) for other in (value + 1, value - 1, 2 * value, value / 2) if other != value)
        case ast.Attribute(value, "T" | "mT", ast.Load()):
            yield value
        case ast.Attribute(value, name, context) if name in TWIN:
            yield ast.Attribute(value, TWIN[name], context)
        case ast.Name(name, ast.Load()) if name in TWIN:
            yield ast.Name(TWIN[name], ast.Load())
        case ast.Compare(left, [op], [right]):
            yield from (ast.Compare(left, [other()], [right]) for other in COMPARE.get(type(op), ()))
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.And() if isinstance(op, ast.Or) else ast.Or(), values)
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.If(test, body, orelse) | ast.While(test, body, orelse):
            yield type(node)(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.Slice(lower, upper, step):
            if lower and upper is None:
                yield ast.Slice(None, lower, step)
            if upper and lower is None:
                yield ast.Slice(upper, None, step)
        case ast.Return(value) if value:
            for i, part in enumerate(value.elts if isinstance(value, ast.Tuple) else [value]):
                for other in (
                    ast.UnaryOp(ast.USub(), part),
                    ast.BinOp(ast.Constant(2), ast.Mult(), part),
                    ast.BinOp(part, ast.Div(), ast.Constant(2)),
                    ast.Attribute(part, "T", ast.Load()),
                ):
                    parts = [*value.elts[:i], other, *value.elts[i + 1 :]] if isinstance(value, ast.Tuple) else None
                    yield ast.Return(ast.Tuple(parts, ast.Load()) if parts else other)
            if isinstance(value, ast.Tuple) and len(value.elts) == 2:
                yield ast.Return(ast.Tuple(value.elts[::-1], ast.Load()))
        case ast.Assign([ast.Name(name)], ast.BinOp(ast.Name(same), op, right)) if name == same:
            yield ast.AugAssign(ast.Name(name, ast.Store()), op, right)  # changed in place
        case ast.AugAssign(target, op, value):
            if type(op) in BINARY:
                yield ast.AugAssign(target, BINARY[type(op)](), value)
            yield ast.Assign([target], value)
    if isinstance(node, ast.Call):
        yield from _spoiled_call(node)


def _spoiled_call(node: ast.Call) -> Iterator:
    called, arguments = node.func, node.args
    name = getattr(called, "attr", getattr(called, "id", ""))
    if name in DROPPED and arguments:
        yield arguments[0]
    if isinstance(called, ast.Attribute) and name in DROPPED and not arguments:
        yield called.value
    if name == "range":
        *before, end = arguments[:2]
        for change in (ast.Add(), ast.Sub()):
            yield replace_arguments(node, [*before, ast.BinOp(end, change, ast.Constant(1)), *arguments[2:]])
        if len(arguments) == 1:
            yield replace_arguments(node, [ast.Constant(1), end])
    if len(arguments) == 2:
        yield replace_arguments(node, arguments[::-1])
    for i in range(len(node.keywords)):
        yield ast.Call(called, arguments, [*node.keywords[:i], *node.keywords[i + 1 :]])


def replace_arguments(node: ast.Call, arguments: list) -> ast.Call:
    return ast.Call(node.func, arguments, node.keywords)


class TooLong(BaseException):
    """Not an Exception: the call of an answer would take it for the answer's."""


def _ring(*_):
    raise TooLong


def remembering(exercise: Exercise, cases: Cases) -> Exercise:
    """The same exercise, which calls its solution and its known wrong answers once on these cases, and not again."""
    outcomes, same = cache(lambda source: exercise.outcomes(source, cases)), replace(exercise)
    object.__setattr__(same, "outcomes", lambda source, _: outcomes(source))
    return same


def verdict(exercise: Exercise, cases: Cases, source: str) -> str:
    """The state, or how a mutant that is not correct was named: by a diagnosis of the catalogue, or in general."""
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    try:
        answer = exercise.answer(source)
        found = [call(answer, arguments) for arguments in cases]
    except (TooLong, Exception):
        return ERROR
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    said = judge(exercise, cases, found)
    if said.words in {wrong.diagnosis for wrong in exercise.wrong}:
        return "named"
    return said.state if said.state in (CORRECT, ERROR) else "general"


def detect(exercise: Exercise) -> tuple[Counter, list[str]]:
    """How many mutants were taken for what, and those that the check missed."""
    cases = {seed: exercise.cases(seed) for seed in range(SEEDS)}
    known = {seed: remembering(exercise, cases[seed]) for seed in cases}
    counts, missed = Counter(), []
    signal.signal(signal.SIGPROF, _ring)
    for source in mutants(exercise.solution):
        state = verdict(known[0], cases[0], source)
        if state == CORRECT:
            right = all(verdict(known[seed], cases[seed], source) == CORRECT for seed in range(1, SEEDS))
            state = "equivalent" if right else "missed"
            missed += [source] * (not right)
        counts[state] += 1
    return counts, missed


COLUMNS = ("named", "general", ERROR, "equivalent", "missed")


def row(exercise: Exercise, counts: Counter) -> str:
    numbers = [counts.total(), *(counts[name] for name in COLUMNS)]
    return f"| {exercise.id} {exercise.title} | {' | '.join(map(str, numbers))} |"


HEAD = """Mutants of the solutions, and what `check` says of them. Written by `python tests/mutants.py --write`.

* named: recognised as a known mistake; in general: not right, said without a name; stopped: error, or no end
* equivalent: judged correct on every seed that `check` draws from; missed: correct on the first, but wrong on another

| exercise | mutants | named | in general | stopped | equivalent | missed |
|---|---|---|---|---|---|---|
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Spoil the solutions in every small way, and judge them.")
    parser.add_argument("numbers", metavar="NOTEBOOK", nargs="*", help="such as 01; default: all")
    parser.add_argument("--write", action="store_true", help=f"write the table to tests/{TABLE.name}")
    options = parser.parse_args(arguments)
    if options.write and options.numbers:
        parser.error("--write counts all notebooks; leave the numbers out")
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # as in the notebooks
    warnings.simplefilter("ignore")  # of a transposed vector, say
    rows, whole, all_missed = [], Counter(), 0
    for number in options.numbers or lessons():
        for exercise in lesson(number).exercises:
            counts, missed = detect(exercise)
            whole += counts
            rows.append(row(exercise, counts))
            print(rows[-1], flush=True)
            for source in missed:
                print(f"missed, {exercise.id}:\n{source}\n", file=sys.stderr)
            all_missed += len(missed)
    if options.write:
        total = f"| all | {' | '.join(str(n) for n in [whole.total(), *(whole[name] for name in COLUMNS)])} |"
        TABLE.write_text(HEAD + "\n".join([*rows, total]) + "\n", encoding="utf-8")
    return int(bool(all_missed))


if __name__ == "__main__":
    sys.exit(main())
