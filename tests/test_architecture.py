"""Imports point one way, in the order of the tree in the README, and everything public says what it is."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mflearn

HOME = Path(mflearn.__file__).parent
README = (HOME.parent / "README.md").read_text(encoding="utf-8")  # the only place where the order is written
TREE = re.search(r"\n {4}mflearn/ .*\n((?: {8}.*\n)+)", README)[1]
ORDER = [name for name in re.findall(r"^ {8}(\w+)(?:\.py|/)(?: |$)", TREE, re.M) if name != "lab"]
FILES = {str(path.relative_to(HOME)): path for path in sorted(HOME.rglob("*.py"))}


def unit(file):
    """The module, or the folder of modules, that a file of the package belongs to."""
    return Path(file).parts[0].removesuffix(".py")


def imported(source, file):
    """The modules and folders of the package that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = ["mflearn", *Path(file).parts[:-1]]
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join(base + ([node.module] if node.module else []))
            names = [f"{start}.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("mflearn.")}
    return found & set(ORDER)  # from the package itself one may import other names, such as __version__


def against_the_order(source, file):
    """What a file imports although it does not stand above it."""
    above = ORDER[: ORDER.index(unit(file))]
    return imported(source, file) - {unit(file), *above}


def test_the_order_lists_every_module_once():
    assert sorted(ORDER) == sorted({unit(file) for file in FILES})


def test_the_package_alone_and_its_help_load_no_library():
    """So that `import mflearn` and `mflearn --help` answer at once."""
    program = "import sys, mflearn.__main__ as m; m.main(['--version'])"
    program = f"import sys\ntry:\n    {program}\nexcept SystemExit:\n    print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "mflearn.__main__" in modules and not {"torch", "numpy", "matplotlib", "pandas"} & {*modules}


def test_imports_are_seen():
    used = set().union(*(imported(path.read_text(), file) for file, path in FILES.items()))
    assert used >= {"checked", "objectives", "gradients", "fast", "descent", "exercises"}


@pytest.mark.parametrize("file", FILES)
def test_imports_point_one_way(file):
    assert against_the_order(FILES[file].read_text(), file) == set()


@pytest.mark.parametrize(
    ("file", "source", "wrong"),
    [
        ("objectives.py", "from . import descent", {"descent"}),
        ("objectives.py", "from .ratings import Ratings", set()),
        ("matrices.py", "from .ratings import Ratings", {"ratings"}),
        ("gradients.py", "import mflearn.plots", {"plots"}),
        ("descent.py", "def f():\n    from mflearn.plots import canvas", {"plots"}),
        ("descent.py", "from . import fast", set()),
        ("fast.py", "from . import descent", {"descent"}),
        ("plots.py", "from mflearn import widgets, exact", {"widgets"}),
        ("widgets/explorer.py", "from ..descent import factorize; from .picture import picture", set()),
        ("widgets/explorer.py", "from .. import __main__", {"__main__"}),
        ("checked.py", "import mflearn.__main__ as command_line", {"__main__"}),
        ("exact.py", "from .objectives import Factors; import torch", set()),
        ("exact.py", "from .descent import factorize", {"descent"}),
        ("nonnegative.py", "from . import exact, estimator", {"estimator"}),
        ("__main__.py", "from . import __version__, widgets, plots", set()),
    ],
)
def test_the_rule_of_imports_finds_what_it_should(file, source, wrong):
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
