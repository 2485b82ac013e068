"""The arithmetic of other processors, as tests/other_processors.py has it, is what it claims to be.

That the notebooks say the same under it: test_solved_course.py.
"""

import os
import subprocess
import sys

import nbformat
import other_processors
import pytest
from notebook_form import run, written


def lines(variant, program):
    """What this program prints under the variant."""
    env = os.environ | other_processors.variants()[variant] | {"PYTHONPATH": str(other_processors.ARITHMETIC)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


PRODUCTS = """
import numpy, torch
A = torch.arange(1.0, 7, dtype=torch.DTYPE).view(2, 3)
print(*(A @ (A.mT / 3)).flatten().tolist(), float(numpy.mean(numpy.DTYPE([0.1, 0.2, 0.4]))))
print(*(A @ (A.mT / 3)).flatten().tolist(), float(numpy.mean(numpy.DTYPE([0.1, 0.2, 0.4]))))
print(*(A @ A.mT).flatten().tolist(), *torch.linalg.svdvals(torch.diag(A[0])).tolist())
"""


@pytest.mark.parametrize(("dtype", "size"), [("float64", 1.2e-15), ("float32", 6e-7)])
def test_noise_changes_the_last_digits_always_in_the_same_way_and_nothing_that_is_exact(dtype, size):
    program = PRODUCTS.replace("DTYPE", dtype)
    plain, one, other = (lines(variant, program) for variant in ("as-is", "noise-0", "noise-1"))
    assert one[0] == one[1] and len({plain[0], one[0], other[0]}) == 3
    assert [float(x) for x in one[0].split()] == pytest.approx([float(x) for x in plain[0].split()], rel=size)
    assert plain[2] == one[2] == other[2]


SIGNS = """
import torch
A = torch.tensor([[2.0, 1], [1, 3], [0, 1]], dtype=torch.float64)
U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
print(*Vt.sign().int().flatten().tolist())
print(torch.allclose(U * sigma @ Vt, A))
"""


def test_signs_turns_singular_vectors_and_keeps_the_product():
    (plain, product), (turned, same) = lines("as-is", SIGNS), lines("signs", SIGNS)
    v, w = ([int(sign) for sign in text.split()] for text in (plain, turned))
    assert w == [-v[0], -v[1], v[2], v[3]] and product == same == "True"


TIES = """
import torch
x = torch.tensor([1.0, 2, 2, 1, 3])
print(*x.topk(3).indices.tolist(), *torch.sort(x, descending=True).indices.tolist())
print(*x.argsort(stable=True).tolist(), *x.topk(3).values.tolist())
"""


def test_ties_come_in_another_order_and_a_stable_order_stays():
    plain, turned = lines("as-is", TIES), lines("ties", TIES)
    assert plain[0] != turned[0] and sorted(plain[0].split()) == sorted(turned[0].split()) and plain[1] == turned[1]


def test_narrow_kernels_are_narrow():
    (kernels,) = lines("narrow", "import torch; print(torch.backends.cpu.get_cpu_capability())")
    assert kernels in ("DEFAULT", "NO AVX")  # torch before 2.7 calls them so


def test_a_notebook_that_shows_round_off_is_found_out(tmp_path):
    """Its first cell passes under other last digits, its second fails, with the line that differs."""
    cells = ["import torch\nx = torch.linspace(0, 1, 7, dtype=torch.float64)\nprint(round(float(x @ x), 6))"]
    cells += ["print(f'{float(x @ x):.17f}')"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    path = tmp_path / "rounding.ipynb"
    path.write_text(written(run(book, tmp_path)), encoding="utf-8")
    other = other_processors.run("noise-0", [str(path)], processes=0)
    ((place, line),) = other.failed.items()
    assert other.cells == 1 and place.endswith("Cell 1") and line.count("|") == 1
