"""The package as its map says: imports point one way, everything public says what it is."""

import ast
from pathlib import Path

import pytest

import mflearn

HOME = Path(mflearn.__file__).parent
LAYERS = [
    {"checked"},
    {"matrices", "ratings", "titles"},
    {"festival", "objectives", "sides"},
    {"gradients", "fast"},
    {"descent"},
    {"exact", "model"},
    {"nonnegative", "recommend"},
    {"estimator", "scores"},
    {"plots"},
    {"exercises"},
    {"widgets"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
AT_THE_DOOR = {"__init__", "__main__", "bench", "browser", "datasets", "downloads", "environment"}
DOOR = len(LAYERS)  # of these: what is run rather than imported; they may import one another
FILES = {str(path.relative_to(HOME)): path for path in sorted(HOME.rglob("*.py"))}


def unit(file):
    """The module, or the folder of modules, that a file of the package belongs to."""
    return Path(file).parts[0].removesuffix(".py")


def imported(tree, file):
    """The units of the package that a file imports, at its top or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = ["mflearn", *Path(file).parts[:-1]]
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join(base + ([node.module] if node.module else []))
            found = [f"{start}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in found:
            if name.startswith("mflearn."):
                yield name.split(".")[1]


def against_the_order(source, file):
    """The imports of a file that do not point down."""
    own = unit(file)
    names = {name for name in imported(ast.parse(source), file) if name in RANK or any(HOME.glob(f"{name}*"))}
    rank = RANK.get(own, DOOR + 1)
    return {name for name in names - {own} if RANK.get(name, DOOR) >= rank}


def test_all_modules_are_looked_at():
    assert {"checked.py", "exact.py", "descent.py", "__init__.py", "widgets/__init__.py"} <= FILES.keys()
    assert {unit(file) for file in FILES} == RANK.keys() | AT_THE_DOOR, "a module has no place in the order"
    used = {name for file, path in FILES.items() for name in imported(ast.parse(path.read_text()), file)}
    assert used >= {"checked", "objectives", "gradients", "descent"}


@pytest.mark.parametrize("file", FILES)
def test_imports_point_one_way(file):
    assert against_the_order(FILES[file].read_text(), file) == set()


@pytest.mark.parametrize(
    ("file", "source", "wrong"),
    [
        ("objectives.py", "from . import descent", {"descent"}),
        ("objectives.py", "from .ratings import Ratings", set()),
        ("ratings.py", "from .matrices import toy_matrix", {"matrices"}),
        ("gradients.py", "import mflearn.plots", {"plots"}),
        ("descent.py", "def f():\n    from mflearn.exact import stable_eta", {"exact"}),
        ("plots.py", "from mflearn import widgets, exact", {"widgets"}),
        ("widgets/explorer.py", "from ..descent import factorize; from .picture import picture", set()),
        ("widgets/explorer.py", "from .. import __main__", {"__main__"}),
        ("checked.py", "import mflearn.__main__ as door", {"__main__"}),
        ("exact.py", "from .descent import Factors; import torch", set()),
        ("exact.py", "from .nonnegative import factorize", {"nonnegative"}),
        ("nonnegative.py", "from . import exact, estimator", {"estimator"}),
        ("__main__.py", "from . import widgets, plots", set()),
    ],
)
def test_the_rule_of_imports_finds_what_it_should(file, source, wrong, monkeypatch, tmp_path):
    (tmp_path / "__main__.py").touch()
    monkeypatch.setitem(globals(), "HOME", tmp_path)
    assert against_the_order(source, file) == wrong


@pytest.mark.parametrize("file", FILES)
def test_everything_public_says_what_it_is(file):
    def silent(node, path):
        if not ast.get_docstring(node):
            yield path
        for child in node.body:
            if isinstance(child, ast.ClassDef | ast.FunctionDef) and not child.name.startswith("_"):
                if isinstance(child, ast.ClassDef):
                    yield from silent(child, f"{path}.{child.name}")
                elif not ast.get_docstring(child):
                    yield f"{path}.{child.name}"

    assert list(silent(ast.parse(FILES[file].read_text()), file)) == []


def test_the_map_lists_the_modules_in_the_order_of_their_imports():
    """What a learner may import: not `checked`; what is at the door is run."""
    listed = [line.split()[0] for line in mflearn.__doc__.splitlines() if "  " in line.strip()]
    there = {unit(file) for file in FILES}
    assert (there & RANK.keys()) - {"checked"} <= set(listed) <= there | RANK.keys()
    assert listed == sorted(listed, key=lambda name: RANK.get(name, DOOR)) and len(set(listed)) == len(listed)
