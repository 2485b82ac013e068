"""Each promise of promises.md has a test that is there, or says why it has none."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROW = re.compile(r"^\| ([RNDWLA]\d+) \| (.+) \| (.+) \|$", re.M)
WITHOUT = re.compile(r"(not tried|struck out): .{20,}")
COUNT = {"R": 8, "N": 11, "D": 9, "W": 6, "L": 3, "A": 3}


def wrong(text, folder=TESTS):
    """What is wrong with a table of promises."""
    rows = ROW.findall(text)
    expected = [f"{kind}{i}" for kind, count in COUNT.items() for i in range(1, count + 1)]
    if (names := [name for name, _, _ in rows]) != expected:
        yield f"the promises are {names}"
    for name, _, kept in rows:
        tests = re.findall(r"`(\w+\.py)::(\w+)`", kept)
        if not tests and not WITHOUT.fullmatch(kept):
            yield f"{name} has no test and no reason"
        for file, test in tests:
            path = folder / file
            if not (path.exists() and test in functions(path)):
                yield f"{name} names {file}::{test}"


def functions(path):
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


TABLE = (TESTS / "promises.md").read_text(encoding="utf-8")


def test_every_promise_has_its_test_or_a_reason():
    assert list(wrong(TABLE)) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("test_load_never_downloads", "test_load_always_downloads", "R5 names"),
        ("| N11 |", "| N12 |", "the promises are"),
        ("not tried: twenty runs take about five hours on two cores", "not tried: why", "R4 has no test"),
    ],
)
def test_a_promise_that_nothing_keeps_is_found(old, new, words):
    assert old in TABLE
    assert any(line.startswith(words) for line in wrong(TABLE.replace(old, new)))


RUN = re.compile(r"\bpickle\b|allow_pickle=True|weights_only=False|\beval\(|extractall|shell=True|yaml\.load\(")


def test_no_data_are_run_as_code():
    """Answers of learners are run, by IPython; what the package reads from files is not, but for its own exercises."""
    assert RUN.search("np.load(path, allow_pickle=True)")
    found = [
        f"{path.name}: {line.strip()}"
        for path in sorted((TESTS.parent / "mflearn").rglob("*.py"))
        for line in path.read_text().splitlines()
        if RUN.search(line)
    ]
    assert found == []
