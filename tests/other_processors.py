"""Would the notebooks and tests say the same on another processor? Run them here under other arithmetic, and see.

    python tests/other_processors.py [--only VARIANT] [PATH ...]      without paths: all of tests/ and notebooks/

Each variant runs pytest once, with other variables in the environment; noise-0+narrow is both at once:

    as-is      this machine, unchanged
    narrow     torch, MKL, OpenBLAS and NumPy without AVX and FMA; NumPy then also orders ties in another way
    avx2       the same four with AVX2 and without AVX-512, and MKL in its reproducible mode
    two        two threads for every library, where a notebook does not ask for one
    noise-N    0 to 4: other last digits         }
    signs      other signs of singular vectors   } as tests/other_arithmetic/sitecustomize.py says
    ties       torch orders ties in another way  }

Printed are, for each variant, how many tests and cells passed, and which failed, with the first line that differs:
committed | now. The exit status is 1 if anything failed.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
ARITHMETIC = Path(__file__).with_name("other_arithmetic")
NARROW = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE", "OPENBLAS_CORETYPE": "Nehalem"}
AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2", "OPENBLAS_CORETYPE": "Haswell"}
WITHOUT = "NPY_DISABLE_CPU_FEATURES"  # NumPy refuses the name of a feature that this machine does not have


def instructions() -> list[str]:
    """The sets of instructions, beyond those that all processors have, for which NumPy has code that this one runs."""
    program = "import numpy._core._multiarray_umath as u; print(*filter(u.__cpu_features__.get, u.__cpu_dispatch__))"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.split()


def variants() -> dict[str, dict[str, str]]:
    """What each variant adds to the environment, by its name."""
    here = instructions()
    beyond_avx2 = [name for name in here if name.startswith(("X86_V4", "AVX512"))]
    found = {
        "as-is": {},
        "narrow": NARROW | {WITHOUT: " ".join(here)},
        "avx2": AVX2 | ({WITHOUT: " ".join(beyond_avx2)} if beyond_avx2 else {}),
        "two": {f"{library}_NUM_THREADS": "2" for library in ("OMP", "MKL", "OPENBLAS")},
    }
    return found | {name: {"OTHER_ARITHMETIC": name} for name in (*(f"noise-{n}" for n in range(5)), "signs", "ties")}


@dataclass
class Outcome:
    """What one run of pytest found."""

    tests: int = 0  # that passed
    cells: int = 0  # of notebooks, that passed
    skipped: int = 0
    failed: dict[str, str] = field(default_factory=dict)  # where, and the first line that differs


def run(variant: str, paths: list[str], *, processes: int) -> Outcome:
    """Run pytest on these paths under this variant, on a number of worker processes; 0: in one, without workers."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV", "OTHER_"))}
    for part in variant.split("+"):
        env |= variants()[part]
    search = [str(ARITHMETIC)] * ("OTHER_ARITHMETIC" in env) + [str(ROOT), env.get("PYTHONPATH", "")]
    env |= {"PYTHONPATH": os.pathsep.join(filter(None, search)), "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report"
        command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", f"--rootdir={ROOT}", "-vv"]
        command += ["-n", str(processes), "-p", "no:cacheprovider"]
        command += ["--nbval-cell-timeout=900", f"--junitxml={report}", f"--basetemp={folder}/temp", *paths]
        env |= {"HYPOTHESIS_STORAGE_DIRECTORY": folder, "IPYTHONDIR": folder}
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
        if not report.exists():
            raise RuntimeError(f"pytest did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return read(report)


def read(report: Path) -> Outcome:
    """Count and list what a report of pytest says."""
    outcome = Outcome()
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        place = f"{(case.get('classname') or '').removeprefix('tests.')} {case.get('name')}".strip()
        fault = case.find("failure") if case.find("failure") is not None else case.find("error")
        if fault is not None:
            outcome.failed[place] = difference(fault.text or "")
        elif case.find("skipped") is not None:
            outcome.skipped += 1
        elif (case.get("name") or "").startswith("Cell "):  # as nbval names them
            outcome.cells += 1
        else:
            outcome.tests += 1
    return outcome


def difference(words: str) -> str:
    """The first line that differs, committed | now, of what pytest says of a failure."""
    words = re.sub(r"\x1b\[[\d;]*m", "", words)
    if picture := re.search(r"^picture \d+ .*$", words, re.M):
        return picture[0]
    block = words.rpartition("assert reference_output == test_output failed:")[2]
    now, committed = (re.findall(rf"^  {mark} (.*)$", block, re.M) for mark in (r"\-", r"\+"))
    if now or committed:
        one, other = (committed or ["nothing"])[0].strip(), (now or ["nothing"])[0].strip()
        start = max(0, len(os.path.commonprefix([one, other])) - 40)
        return f"{one[start : start + 90]} | {other[start : start + 90]}"
    return (re.findall(r"^E  +(.*)$", words, re.M) or words.strip().split("\n")[-1:])[0][:180]


def known(variant: str) -> str:
    """The name of a variant, or of some joined by +."""
    if unknown := set(variant.split("+")) - set(variants()):
        raise argparse.ArgumentTypeError(f"there is no {min(unknown)}; there are {', '.join(variants())}")
    return variant


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", metavar="PATH", nargs="*", help="tests or notebooks; default: all")
    parser.add_argument("--only", metavar="VARIANT", action="append", type=known, help="may be repeated")
    parser.add_argument("--processes", metavar="N", type=int, default=2, help="for the tests of one variant (2)")
    options = parser.parse_args()
    tests = Path(__file__).parent
    own = [f"--ignore={tests / name}" for name in ("test_other_processors.py", "test_solved_course.py")]  # call this
    paths = options.paths or ["tests", "notebooks", *own]
    failed = False
    for variant in options.only or variants():
        outcome = run(variant, paths, processes=options.processes)
        print(
            f"{variant:8} {outcome.tests:5} tests and {outcome.cells} cells passed, {outcome.skipped} were skipped, "
            f"{len(outcome.failed)} failed",
            *(f"    {place}\n        {line}" for place, line in outcome.failed.items()),
            sep="\n",
            flush=True,
        )
        failed |= bool(outcome.failed)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
